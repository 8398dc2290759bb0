"""CP408: a limit that falls due, or may fall due, when the one who acts is not there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from carepolicy.businesstime.rules import WEEKDAYS
from carepolicy.businesstime.zones import is_zone
from carepolicy.checks.context import CheckedFlow, CheckedSet
from carepolicy.checks.limits import calendar_of, limits_of, owners_calendar
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, CLOSE_OF_BUSINESS
from carepolicy.policy.model import CalendarSpec, Flow

WEEK = 7 * 86_400
MONDAYS = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC))
"""A Monday in winter and one in summer: in two time zones, hours meet by the clocks of both."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Limits in business time of clocks, and closings of ``after``, by the calendars of the states' owners."""
    for one in checked.each.values():
        flow = one.flow
        for clock in flow.clocks.values():
            told: set[str] = set()
            in_time = _states_in_time(one, clock.name)
            for each, limit, at in limits_of(clock):
                for state in (name for name in clock.runs_in if name in in_time):
                    text = _doubt(checked, flow, state, calendar_of(checked, flow, clock, state, each), limit)
                    if text is not None and text[0] not in told:
                        told.add(text[0])
                        yield Finding(CODE, text[0], checked.place(at), text[1], Severity.WARNING)
        for here in flow.states.values():
            for after in here.after:
                text = _doubt(checked, flow, here.name, calendar_of(checked, flow), after.limit, closings_alone=True)
                if text is not None:
                    place = checked.key_place(here.at / "after" / after.limit)
                    yield Finding(CODE, text[0], place, text[1], Severity.WARNING)


def _states_in_time(one: CheckedFlow, clock: str) -> set[str]:
    """The states that a case can reach while a clock is not late: it may fall due in these alone."""
    reached: set[str] = set()
    left = [name for name, state in one.flow.states.items() if state.start_on]
    ways: dict[str, set[str]] = {}
    for taken in one.taken:
        late = taken.transition.on == f"{clock}.late" or one.guards.demands_late(taken.transition.when or "", clock)
        if taken.target is not None and not late:
            ways.setdefault(taken.source.name, set()).add(taken.target.name)
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += ways.get(name, ())
    return reached


def _doubt(
    checked: CheckedSet, flow: Flow, state: str, name: str | None, limit_text: str, closings_alone: bool = False
) -> tuple[str, str] | None:
    """What is wrong with a limit that is counted in the calendar ``name`` while ``state`` waits, and what helps."""
    limit, calendars = checked.limit(limit_text), checked.organisation.calendars
    counted, owned = calendars.get(name or ""), calendars.get(owners_calendar(checked, flow, state) or "")
    if limit is None or counted is None or owned is None or counted is owned:
        return None
    if not (is_zone(counted.timezone) and is_zone(owned.timezone)):
        return None
    whose = f'"{owned.name}", that of the owner of "{state}"'
    hint = f"let it count in {owned.name}, or give the state an owner who is there"
    if limit.kind == CLOSE_OF_BUSINESS:
        if any(_is_met(counted, owned, monday) for monday in _mondays(counted, owned)):
            return None
        return f'this falls due when the calendar "{counted.name}" closes, and {whose}, is never open then', hint
    if limit.kind not in (BUSINESS_TIME, BUSINESS_DAYS) or closings_alone:
        return None
    mondays = _mondays(counted, owned)
    alone = next((each for monday in mondays for each in _alone(counted, owned, monday)), None)
    if alone is None or not any(_meet(counted, owned, monday) for monday in mondays):  # CP504 has the second
        return None
    text = f'this may fall due when the calendar "{counted.name}" is open and {whose}, is closed: {alone}'
    return text, f"{hint}; calendar: owner counts in the calendar of whoever acts"


def _mondays(*calendars: CalendarSpec) -> tuple[datetime, ...]:
    """Mondays of weeks that tell all hours of some calendars: one in winter, one in summer, one in each season."""
    found = list(MONDAYS)
    for season in (each for spec in calendars for each in spec.seasons):
        first = season.first.first_in(MONDAYS[0].year)
        found.append(datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(days=-first.weekday() % 7))
    return tuple(found)


def _is_met(counted: CalendarSpec, owned: CalendarSpec, monday: datetime) -> bool:
    """Whether a closing of one calendar falls into open time of the other, or on its end, in the week of a Monday."""
    open_then = list(_stretches(owned, monday))
    closings = {days[-1][1] + start for start, days in _days(counted, monday) if days}
    shifted = {closing + shift for closing in closings for shift in (0, WEEK, -WEEK)}
    return any(start < closing <= end for closing in shifted for start, end in open_then)


def _alone(counted: CalendarSpec, owned: CalendarSpec, monday: datetime) -> Iterator[str]:
    """When in the week of a Monday one calendar is open and the other is not, in the time of the first."""
    begins = next(start for start, _ in _days(counted, monday))
    both = sorted((low + shift, high + shift) for low, high in _stretches(owned, monday) for shift in (-WEEK, 0, WEEK))
    for start, end in _stretches(counted, monday):
        reached = start
        for low, high in (*both, (end, end)):
            if low > reached and reached < end:
                yield f"{_moment(reached - begins)} to {_moment(min(low, end) - begins)}"
            reached = max(reached, high)


def _meet(counted: CalendarSpec, owned: CalendarSpec, monday: datetime) -> bool:
    """Whether two calendars are ever open at once."""
    shifted = [(low + shift, high + shift) for low, high in _stretches(owned, monday) for shift in (-WEEK, 0, WEEK)]
    return any(low < end and begin < high for begin, end in _stretches(counted, monday) for low, high in shifted)


def _moment(seconds: int) -> str:
    day, rest = divmod(seconds % WEEK, 86_400)
    return f"{WEEKDAYS[day]} {rest // 3_600:02}:{rest // 60 % 60:02}"


def _days(spec: CalendarSpec, monday: datetime) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    """The midnight of each day in seconds of the week in UTC, and its hours in seconds after it."""
    offset = ZoneInfo(spec.timezone).utcoffset(monday.replace(tzinfo=None)) or timedelta()
    for number in range(7):
        yield number * 86_400 - int(offset.total_seconds()), spec.hours_on((monday + timedelta(days=number)).date())


def _stretches(spec: CalendarSpec, monday: datetime) -> Iterator[tuple[int, int]]:
    for midnight, hours in _days(spec, monday):
        yield from ((midnight + start, midnight + end) for start, end in hours)


CODE = "CP408"
RULE = Rule(
    CODE,
    "limit may fall due when nobody is there",
    "A limit in business time falls due while its calendar is open, `close of business day N` when it closes. The one "
    "who acts in the state works by another calendar, which is closed then: what is to be done at the last moment "
    "would be found late in the morning. Holidays are left aside, and limits of elapsed time, which may fall due at "
    "any hour.",
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
