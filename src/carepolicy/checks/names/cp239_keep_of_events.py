"""CP239: ids of events that are forgotten so soon that one which is sent again would be taken twice."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.limits import days_of, said
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding

SHORTEST = 7
"""Days: senders try again for hours or days, and somebody repeats a batch after a week-end."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``events`` of ``keep:``."""
    organisation = checked.organisation
    text = organisation.retention.get("events")
    days = None if text is None else days_of(checked, text, organisation.calendar)
    if days is not None and days < SHORTEST:
        message = f"ids of events are forgotten after {said(days)}: one that is sent again later is taken twice"
        hint = f"keep them {SHORTEST} days at least, better 90"
        yield Finding(CODE, message, checked.place(organisation.at / "keep" / "events"), hint)


CODE = "CP239"
RULE = Rule(
    CODE,
    "ids of events are forgotten too soon",
    "An event that comes a second time is known by its source and id, as long as the store keeps these. Systems send "
    "again what was not acknowledged, for days, and people repeat a whole batch. One whose id is forgotten happens "
    "once more: a second answer goes out, a refund is asked for twice. So ids are kept for a week at least.",
    "timezone: Europe/London\nkeep: {facts: 3 years, events: 1 day}\n",
    "timezone: Europe/London\nkeep: {facts: 3 years, events: 90 days}\n",
    find,
)
