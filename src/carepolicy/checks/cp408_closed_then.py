"""CP408: a limit that falls due only when the one who acts is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.businesstime.limit import CLOSE_OF_BUSINESS
from carepolicy.checks.cp231_timezone import is_zone
from carepolicy.checks.lengths import calendar_of, owners_calendar
from carepolicy.checks.limits import limit_of
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.model import CalendarSpec, Flow, Policies
    from carepolicy.policy.places import Place

WEEK = 7 * 86_400
MONDAYS = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC))
"""A Monday in winter and one in summer: in two time zones, hours meet by the clocks of both."""


def find(policies: Policies) -> Iterator[Finding]:
    """``close of business day N`` of clocks and of ``after``, by the calendars of the states' owners."""
    for flow in policies.flows.values():
        for clock in flow.clocks.values():
            closing = [each for each in clock.limits if _is_closing(policies, each.limit)]
            for state in clock.runs_in if closing else ():
                place = policies.place(closing[0].at / "is")
                yield from _of(policies, flow, state, calendar_of(policies, flow, clock, state), place)
        for here in flow.states.values():
            for after in here.after:
                if _is_closing(policies, after.limit):
                    place = policies.key_place(here.at / "after" / after.limit)
                    yield from _of(policies, flow, here.name, calendar_of(policies, flow), place)


def _is_closing(policies: Policies, text: str) -> bool:
    limit = limit_of(policies, text)
    return limit is not None and limit.kind == CLOSE_OF_BUSINESS


def _of(policies: Policies, flow: Flow, state: str, name: str | None, place: Place) -> Iterator[Finding]:
    calendars = policies.organisation.calendars
    counted, owned = calendars.get(name or ""), calendars.get(owners_calendar(policies, flow, state) or "")
    if (
        counted is None
        or owned is None
        or counted is owned
        or not (is_zone(counted.timezone) and is_zone(owned.timezone))
    ):
        return
    if not any(_is_met(counted, owned, monday) for monday in MONDAYS):
        text = f'this falls due when the calendar "{counted.name}" closes, and "{owned.name}", that of the owner of '
        text += f'"{state}", is never open then'
        hint = f"let it count in {owned.name}, or give the state an owner who is there"
        yield Finding(CODE, text, place, hint, Severity.WARNING)


def _is_met(counted: CalendarSpec, owned: CalendarSpec, monday: datetime) -> bool:
    """Whether a closing of one calendar falls into open time of the other, or on its end, in the week of a Monday."""
    open_then = list(_stretches(owned, monday))
    closings = {days[-1][1] + start for start, days in _days(counted, monday) if days}
    shifted = {closing + shift for closing in closings for shift in (0, WEEK, -WEEK)}
    return any(start < closing <= end for closing in shifted for start, end in open_then)


def _days(spec: CalendarSpec, monday: datetime) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    """The midnight of each day in seconds of the week in UTC, and its hours in seconds after it."""
    offset = ZoneInfo(spec.timezone).utcoffset(monday.replace(tzinfo=None)) or timedelta()
    for number, hours in enumerate(spec.hours):
        yield number * 86_400 - int(offset.total_seconds()), hours


def _stretches(spec: CalendarSpec, monday: datetime) -> Iterator[tuple[int, int]]:
    for midnight, hours in _days(spec, monday):
        yield from ((midnight + start, midnight + end) for start, end in hours)


CODE = "CP408"
RULE = Rule(
    CODE,
    "limit falls due when nobody is there",
    "`close of business day N` falls due at the closing of its calendar. The one who acts in the state works by "
    "another calendar, which is closed at each of these instants: what is to be done at the last moment would be found "
    "late in the morning. Holidays are left aside.",
    """\
clocks:
  callback:
    limit: close of business day 1
    calendar: phones
    runs_in: [received]
states:
  received:
    on: {callback.late: {tell: care_lead}}
""",
    """\
clocks:
  callback:
    limit: close of business day 1
    calendar: office
    runs_in: [received]
states:
  received:
    on: {callback.late: {tell: care_lead}}
""",
    find,
    Severity.WARNING,
)
