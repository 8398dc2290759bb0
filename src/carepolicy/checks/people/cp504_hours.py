"""CP504: a clock that counts only while the owner of its state is off work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from itertools import islice

from carepolicy.businesstime import Calendar
from carepolicy.businesstime.instants import TWO_YEARS, microseconds
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, CLOSE_OF_BUSINESS
from carepolicy.policy.model import Clock, Flow, Role

OPENINGS = 60
"""How many openings of the clock's calendar are looked at. Weeks repeat, so that two months say enough."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States whose owner never works while a clock in business time counts there."""
    organisation = checked.organisation
    start = microseconds(datetime.combine(checked.today, time(), UTC))
    apart: dict[tuple[str, str], bool] = {}
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            counts = clock.calendar or flow.calendar or organisation.calendar
            if counts is None or counts == "owner" or not _in_business_time(checked, clock):
                continue
            for owner, state in _owners(flow, clock, organisation.roles):
                works = owner.calendar
                if works is None or works == counts:
                    continue
                pair = (works, counts)
                if pair not in apart:
                    apart[pair] = _are_apart(checked, counts, works, start)
                if apart[pair]:
                    text = f'"{owner.name}" works in the calendar {works}, which is shut whenever {clock.name} counts'
                    place = checked.place(flow.states[state].at / "owner")
                    yield Finding(CODE, text, place, _hint(clock), Severity.WARNING)


def _owners(flow: Flow, clock: Clock, roles: Mapping[str, Role]) -> Iterator[tuple[Role, str]]:
    for name in clock.runs_in:
        state = flow.states.get(name)
        owner = roles.get(state.owner or "") if state is not None else None
        if owner is not None:
            yield owner, name


def _in_business_time(checked: CheckedSet, clock: Clock) -> bool:
    """Whether a limit of a clock counts open time, so that its calendar matters."""
    limits = (checked.limit(text) for choice in clock.limits for text in choice.limit.all)
    return any(each is not None and each.kind in (BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS) for each in limits)


def _are_apart(checked: CheckedSet, counts: str, works: str, start: int) -> bool:
    """Whether two calendars have no open time in common, as far as their weeks repeat: with seasons in two years."""
    calendars, specs = checked.calendars.sound, checked.organisation.calendars
    seasonal = any(specs[name].seasons for name in (counts, works) if name in specs)
    return _never_together(calendars.get(counts), calendars.get(works), start, None if seasonal else OPENINGS)


def _never_together(one: Calendar | None, other: Calendar | None, start: int, most: int | None) -> bool:
    """Whether two calendars that do open have no open time in common in the openings that follow."""
    if one is None or other is None or not (one.opens_within_us(start) and other.opens_within_us(start)):
        return False
    span = one.span_over(start, start + TWO_YEARS)
    coming = ((o, c) for o, c in zip(span.opens, span.closes, strict=True) if c > start)
    return all(other.position(closes) <= other.position(max(opens, start)) for opens, closes in islice(coming, most))


def _hint(clock: Clock) -> str:
    return (
        f"let {clock.name} count in the owner's hours by calendar: owner, or give the state to a role that works then"
    )


CODE = "CP504"
RULE = Rule(
    CODE,
    "owner never works while the clock counts",
    "A clock in business time counts in its own calendar (else the flow's, else the organisation's). Where the owner "
    "of a state never works in these hours, the time runs out while nobody can act. Let the clock count in the "
    "owner's hours (calendar: owner), or give the state to a role that works then.",
    "calendars:\n  nights: {title: Nights, hours: {mon-fri: 22:00-24:00}}\nroles:\n  care_agent: {calendar: nights}\n",
    "calendars:\n  nights: {title: Late shift, hours: {mon-fri: 16:00-24:00}}\n"
    "roles:\n  care_agent: {calendar: nights}\n",
    find,
    Severity.WARNING,
)
