"""Worked examples of a limit, computed with the real calendar: "Arrives Friday 16:30, due Monday 10:30."."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.businesstime import NeverOpen, OutOfRange
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, CLOSE_OF_BUSINESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.businesstime import Calendar, Limit
    from carepolicy.handbook.phrases import Book
    from carepolicy.policy.model import CalendarSpec

COUNTED = (BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS)
_QUIET_DAYS = 14
_LAST_HALF_HOUR = timedelta(minutes=30)


def examples_of(book: Book, limit: Limit, calendar: str | None, rolls: bool) -> list[str]:
    """Sentences that say when the limit falls due for typical arrivals; none where it hangs on a fact."""
    spec = book.policies.organisation.calendars.get(calendar or "")
    if limit.fact is not None or spec is None:
        return []
    compiled = book.calendars[spec.name]
    sentence = book.ui.example_strict if limit.strict else book.ui.example
    found: list[str] = []
    for start in _arrivals_of(book, spec, limit.kind in COUNTED):
        try:
            due = compiled.due(start, limit, rolls=rolls)
        except (NeverOpen, OutOfRange):
            continue
        if due is not None:
            found.append(sentence.format(book.moment(start), book.moment(due.astimezone(start.tzinfo))))
    return list(dict.fromkeys(found))


def _arrivals_of(book: Book, spec: CalendarSpec, counted: bool) -> tuple[datetime, ...]:
    """The typical arrivals in a calendar, worked out once a book: they cost a look at every day of the year."""
    key = (spec.name, counted)
    if key not in book.arrivals:
        book.arrivals[key] = tuple(_arrivals(spec, book.calendars[spec.name], book.year, counted))
    return book.arrivals[key]


def _arrivals(spec: CalendarSpec, calendar: Calendar, year: int, counted: bool) -> Iterator[datetime]:
    """A quiet Tuesday; half an hour before the week's last closing; a closed day; the eve of a holiday."""
    zone = ZoneInfo(spec.timezone)
    monday = _quiet_monday(spec, calendar, year)
    tuesday = monday + timedelta(days=1)
    opening = spec.hours[1][0][0] if spec.hours[1] else 36_000
    yield _at(tuesday, max(opening, 36_000) if _is_open(spec, 36_000) else opening, zone)
    last = max((day for day in range(5) if spec.hours[day]), default=None)
    if last is not None:
        yield _at(monday + timedelta(days=last), spec.hours[last][-1][1], zone) - _LAST_HALF_HOUR
    if not counted:
        return
    closed = next((day for day in (6, 5) if not spec.hours[day]), None)
    if closed is not None:
        yield _at(monday + timedelta(days=closed), 39_600, zone)
    eve = _eve_of_holiday(spec, calendar, year)
    if eve is not None:
        yield _at(eve, spec.hours[eve.weekday()][-1][1], zone) - _LAST_HALF_HOUR


def _is_open(spec: CalendarSpec, seconds: int) -> bool:
    return any(begin <= seconds < end for begin, end in spec.hours[1])


def _quiet_monday(spec: CalendarSpec, calendar: Calendar, year: int) -> date:
    """The first Monday from March on that two weeks of ordinary hours follow; the first of all where there is none."""
    first = date(year, 3, 1)
    first += timedelta(days=-first.weekday() % 7)
    unusual = _unusual(spec, calendar, year)
    for week in range(40):
        monday = first + timedelta(weeks=week)
        if not any(monday + timedelta(days=day) in unusual for day in range(_QUIET_DAYS)):
            return monday
    return first


def _unusual(spec: CalendarSpec, calendar: Calendar, year: int) -> set[date]:
    return {date.fromordinal(ordinal) for ordinal in calendar.rules.closed_days(year, year + 1)} | set(spec.open)


def _eve_of_holiday(spec: CalendarSpec, calendar: Calendar, year: int) -> date | None:
    """The last ordinary open day before the year's first closed day that is none of the weekly rest."""
    unusual = _unusual(spec, calendar, year)
    for day in sorted(day for day in unusual if day.year == year and spec.hours[day.weekday()]):
        for back in range(1, 7):
            eve = day - timedelta(days=back)
            if eve.year == year and eve not in unusual and spec.hours[eve.weekday()]:
                return eve
    return None


def _at(day: date, seconds: int, zone: ZoneInfo) -> datetime:
    moment = datetime.combine(day, time()) + timedelta(seconds=seconds)
    return moment.replace(tzinfo=zone)
