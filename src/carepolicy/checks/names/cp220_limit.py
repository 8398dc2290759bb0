"""CP220: a text that is no limit."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.businesstime import LimitError
from carepolicy.checks.context import CheckedSet, WrittenLimit
from carepolicy.checks.rule import Rule
from carepolicy.policy.characters import shown
from carepolicy.policy.findings import Finding
from carepolicy.policy.limit import setting_in


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Limits that cannot be read, and limits that a fact moves where only a length of time makes sense."""
    for written in checked.limits:
        name = setting_in(written.text)
        if name is not None and name not in checked.organisation.settings:
            continue
        try:
            limit = checked.organisation.limit(written.text)
        except LimitError as fault:
            yield _unreadable(checked, written, fault, name)
            continue
        if written.plain and limit.reads:
            yield Finding(
                CODE, f"{written.what} must be a length of time, not an instant in a fact", written.place, HINT
            )


def _unreadable(checked: CheckedSet, written: WrittenLimit, fault: LimitError, setting: str | None) -> Finding:
    text = checked.organisation.limit_text(written.text)
    if setting is None:
        place = checked.inside(written.place, text, fault.start, fault.end)
        return Finding(CODE, shown(fault.reason), place, fault.hint or HINT)
    at = checked.organisation.settings[setting].at
    place = checked.inside(checked.place(at), text, fault.start, fault.end)
    return Finding(CODE, f"settings.{setting} is used as a limit: {fault.reason}", place, fault.hint or HINT)


HINT = "a limit is written as 3 business hours, 2 business days, 14 days or 1 month"
CODE = "CP220"
RULE = Rule(
    CODE,
    "limit cannot be read",
    "A limit is a number and a unit (20 seconds, 72 hours, 8 weeks, 1 month, 3 business hours, 2 business days), "
    "`close of business day 3`, `until FACT`, or a length of time `before` or `after` a fact. Of a clock it may be the "
    "first of several to fall due: `{first_of: [3 business days, until FACT]}`.",
    "clocks:\n  first_reply: {limit: 3 busines hours}\n",
    "clocks:\n  first_reply: {limit: 3 business hours}\n",
    find,
)
