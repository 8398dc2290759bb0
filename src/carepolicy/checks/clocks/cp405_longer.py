"""CP405: a limit for ourselves that is longer than what the customer is promised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.limits import calendar_of, days_of
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Clock, Flow, LimitChoice

ALIKE = 1.001
"""Limits that differ by less than that are alike: typical weeks are no exact measure."""


class Longest(NamedTuple):
    """The longest limit that a clock, or the whole flow, may have, and its length in days."""

    what: str
    text: str
    days: float


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Clocks whose every limit is longer than the longest of a promise that covers all their states."""
    for flow in checked.flows.values():
        whole = None if flow.promise is None else days_of(checked, flow.promise, calendar_of(checked, flow))
        if flow.promise is not None and whole is not None:
            for clock in flow.clocks.values():
                yield from _beside(checked, flow, clock, Longest("the promise of the whole flow", flow.promise, whole))
        for clock in flow.clocks.values():
            for other in flow.clocks.values():
                longest = _longest(checked, flow, other) if _is_within(clock, other) else None
                if longest is not None:
                    yield from _beside(checked, flow, clock, longest)


def _is_within(clock: Clock, other: Clock) -> bool:
    """Whether a clock is a target, or a part, of what another promises."""
    mine, its = set(clock.runs_in), set(other.runs_in)
    return other is not clock and bool(other.promise and mine) and (mine < its or (mine == its and not clock.promise))


def _longest(checked: CheckedSet, flow: Flow, clock: Clock) -> Longest | None:
    lengths = [_days(checked, flow, clock, choice) for choice in clock.limits]
    known = [each for each in lengths if each is not None]
    if len(known) < len(lengths) or not known:
        return None
    days = max(known)
    return Longest(f'the promise "{clock.name}"', clock.limits[lengths.index(days)].limit, days)


def _days(checked: CheckedSet, flow: Flow, clock: Clock, choice: LimitChoice) -> float | None:
    state = clock.runs_in[0] if clock.runs_in else None
    return days_of(checked, choice.limit, calendar_of(checked, flow, clock, state, choice))


def _beside(checked: CheckedSet, flow: Flow, clock: Clock, promise: Longest) -> Iterator[Finding]:
    for choice in clock.limits:
        days = _days(checked, flow, clock, choice)
        if days is not None and days > promise.days * ALIKE:
            text = f"{choice.limit} is longer than {promise.what}, {promise.text}"
            hint = "a target inside of a promise is never longer: shorten it, or lengthen the promise"
            yield Finding(CODE, text, checked.place(choice.at / "is"), hint, Severity.WARNING)


CODE = "CP405"
RULE = Rule(
    CODE,
    "target is longer than the promise",
    "A target is what we aim for, and a promise what the customer was told. This clock runs only where a clock with a "
    "promise: text runs, so it is a part of that promise or its target, and has a longer limit; or it is longer than "
    "promise: of the whole flow. Work would be in time and the promise broken. Limits of different kinds are compared "
    "by an ordinary week without a holiday.",
    "clocks:\n  target:\n    limit: 5 business days\n    runs_in: [received, overdue]\n"
    "states:\n  received:\n    on: {target.late: {tell: care_lead}}\n",
    "clocks:\n  target:\n    limit: 30 business minutes\n    runs_in: [received, overdue]\n"
    "states:\n  received:\n    on: {target.late: {tell: care_lead}}\n",
    find,
    Severity.WARNING,
)
