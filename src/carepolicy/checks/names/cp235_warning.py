"""CP235: a warning that is neither a share of the limit nor a length of time, or that would not come when it says."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.businesstime import LimitError
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.limit import Limit, WarnMark, share_written
from carepolicy.policy.model import Clock
from carepolicy.policy.vocabulary import share_meant


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Entries of ``warn_at`` that are no percentage above 0 % and below 100 %, and no length of time."""
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            for number, text in enumerate(clock.warn_at):
                yield from _entry(checked, clock, text, number)


def _entry(checked: CheckedSet, clock: Clock, text: str, number: int) -> Iterator[Finding]:
    place = checked.place(clock.at / "warn_at" / number)
    share, meant = share_written(text), share_meant(text)
    if share is not None:
        if not 0 < share < 1:
            yield Finding(CODE, f'"{text}" is no share of the limit', place, HINT)
        return
    if "%" in text or (meant is not None and meant != "100%"):
        hint = HINT if meant is None or meant == "100%" else f"write {meant}"
        yield Finding(CODE, f'"{text}" is no share of the limit', place, hint)
        return
    try:
        mark = checked.organisation.warning(text)
    except LimitError as fault:
        hint = fault.hint or HINT
        yield Finding(CODE, f'"{text}" is no share of the limit, and no time: {fault.reason}', place, hint)
        return
    limits = [checked.limit(choice.limit) for choice in clock.limits]
    if limits and all(limit is not None and _is_beyond(mark, limit) for limit in limits):
        own = " and ".join(choice.limit for choice in clock.limits)
        if mark.before:
            told = f'"{text}" is before the clock starts, as its limit is {own}: it would warn as soon as it starts'
        else:
            told = f'"{text}" is not before the clock is late, as its limit is {own}: it would never warn'
        yield Finding(CODE, told, place, "a warning comes before the limit is up", Severity.WARNING)


def _is_beyond(mark: WarnMark, limit: Limit) -> bool:
    """Whether a warning is as long as a limit, or one of several, that is counted in the same kind of time, or
    longer."""
    return any(mark.length.kind == each.kind and mark.length.amount >= each.amount for each in limit.all)


HINT = "write a percentage above 0% and below 100%, such as 80%, or a time, such as 30 business minutes before"
CODE = "CP235"
RULE = Rule(
    CODE,
    "warning is no share of the limit, and no time",
    "A clock warns when a share of its limit is used, above 0 % and below 100 %: at 100 % it is late, which has "
    "an event of its own. Or it warns so long before the due instant (30 business minutes before), or when so much "
    "time was used (2 hours). A length of time that is as long as the limit warns at the start, or never.",
    "clocks:\n  first_reply: {warn_at: [120%]}\n",
    "clocks:\n  first_reply: {warn_at: [80%, 30 business minutes before]}\n",
    find,
)
