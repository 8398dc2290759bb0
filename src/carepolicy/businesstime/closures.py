"""Closures that a calendar imports from an iCalendar file (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.errors import CalendarError
from carepolicy.businesstime.instants import microseconds
from carepolicy.businesstime.zones import zone_named

if TYPE_CHECKING:
    from carepolicy.policy.model import ImportedFile

TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
READ = ("VEVENT", "VTIMEZONE", "VALARM")
"""Components of a calendar that are read, or that say nothing of when it is closed."""


@dataclass(frozen=True, slots=True)
class Closures:
    """The closures of one iCalendar file; times without a zone are in ``timezone``.

    What comes again is worked out for the years that are asked for, since it may do so without end.
    """

    file: ImportedFile
    timezone: str

    def days(self, first_year: int, last_year: int) -> Iterator[tuple[int, int, str]]:
        """The first and last ordinal of each closure of whole days that touches these years, and why it is closed."""
        for begin, end, reason in self._found(first_year, last_year):
            if not isinstance(begin, datetime):
                yield begin.toordinal(), max(begin.toordinal(), end.toordinal() - 1), reason

    def hours(self, first_year: int, last_year: int) -> Iterator[tuple[int, int, str]]:
        """The first instant and the end of each closure of hours that touches these years, and why it is closed."""
        for begin, end, reason in self._found(first_year, last_year):
            if isinstance(begin, datetime):
                low, high = self._instant(begin), self._instant(end)
                if low < high:
                    yield low, high, reason

    def unread(self) -> Iterator[str]:
        """What stands in the file and closes nothing though somebody may think that it does, in words."""
        for root in _roots(self.file.text):
            for each in root.subcomponents:
                if each.name not in READ and not str(each.name).startswith("X-"):
                    yield f"a {each.name} of `{self.file.path}` is not read: only events close a calendar"
            for event in _events(root):
                begin, end = event.start, event.end
                if isinstance(begin, datetime) and begin == end:
                    told = f"the event `{_title(event)}` of `{self.file.path}` ends as it begins"
                    yield f"{told} ({begin:%Y-%m-%d %H:%M}), so it closes nothing"

    def _found(self, first_year: int, last_year: int) -> Iterator[tuple[date, date, str]]:
        low, high = date(max(first_year - 1, 1), 12, 1), date(min(last_year, 9998) + 1, 1, 31)
        for begin, end, title in _occurrences(self.file.text, low, high):
            yield begin, end, f"{title} ({self.file.path})"

    def _instant(self, moment: date) -> int:
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        known = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone_named(self.timezone))
        return microseconds(known)


def read_closures(file: ImportedFile, timezone: str) -> Closures:
    """The closures of an iCalendar file.

    Cancelled events, and cancelled instances of events, close nothing. Raises ``CalendarError`` where the file is no
    iCalendar file, or where an event has no readable start, is in an unknown time zone, comes again more often than
    daily, or says what RFC 5545 no longer has.
    """
    try:
        roots = _roots(file.text)
    except (ValueError, KeyError, IndexError, AttributeError) as fault:
        raise CalendarError(f"`{file.path}` is not an iCalendar file ({fault})", "", file.at) from None
    if not roots:
        raise CalendarError(f"`{file.path}` is not an iCalendar file (it has no whole VCALENDAR)", "", file.at)
    for root in roots:
        for event in root.walk("VEVENT"):
            wrong = _fault(event)
            if wrong is not None:
                raise CalendarError(f"the event `{_title(event)}` of `{file.path}` {wrong}", "", file.at)
    closures = Closures(file, timezone)
    try:
        list(closures.days(2026, 2026))
    except Exception as fault:  # the library names no one kind of error for an event that makes no sense
        raise CalendarError(f"`{file.path}` has an event that cannot be read ({fault})", "", file.at) from None
    return closures


def _fault(event: Any) -> str | None:
    """Why an event cannot be read, None where it can."""
    try:
        start, end = event.start, event.end
        ends_before = end < start
    except (ValueError, KeyError, AttributeError, TypeError) as fault:
        return f"has no readable start and end ({fault})"
    if ends_before:
        return "ends before it begins"
    unknown = next(_unknown_zones(event), None)
    if unknown is not None:
        return f"is in the time zone {unknown}, which neither the file nor anybody else describes"
    if event.get("EXRULE") is not None:
        return "has an EXRULE, which RFC 5545 gave up; list the dates as EXDATE"
    rule = event.get("RRULE")
    if isinstance(rule, list):
        return "has more than one RRULE"
    return "comes again more often than daily" if rule and rule.get("FREQ", [""])[0] in TOO_OFTEN else None


def _unknown_zones(event: Any) -> Iterator[str]:
    """The time zones of an event that are no time zones."""
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"):
        found = event.get(name, [])
        for each in found if isinstance(found, list) else [found]:
            moments = [one.dt for one in getattr(each, "dts", [each])]
            firsts = [one[0] if isinstance(one, tuple) else one for one in moments]
            if "TZID" in each.params and any(isinstance(one, datetime) and one.tzinfo is None for one in firsts):
                yield str(each.params["TZID"])


@lru_cache(maxsize=16)
def _roots(text: str) -> tuple[Any, ...]:
    """The calendars of a file."""
    from icalendar import Calendar

    return tuple(each for each in Calendar.from_ical(text, multiple=True) if each.name == "VCALENDAR")


@lru_cache(maxsize=64)
def _occurrences(text: str, low: date, high: date) -> tuple[tuple[date, date, str], ...]:
    """The beginning, end and title of each time that an event of a file comes between two dates, in order."""
    import recurring_ical_events

    found: set[tuple[date, date, str]] = set()
    for root in _roots(text):
        for event in recurring_ical_events.of(root).between(low, high):
            if str(event.get("STATUS", "")).upper() != "CANCELLED":
                found.add((event.start, event.end, _title(event)))
    return tuple(sorted(found, key=lambda each: (str(each[0]), str(each[1]), each[2])))


def _events(root: Any) -> list[Any]:
    return [each for each in root.walk("VEVENT") if str(each.get("STATUS", "")).upper() != "CANCELLED"]


def _title(event: Any) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split()) or "closed"
