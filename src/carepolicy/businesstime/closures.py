"""Closures that a calendar imports from an iCalendar file (RFC 5545)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.errors import CalendarError
from carepolicy.businesstime.limit import DAY_US
from carepolicy.businesstime.zones import EPOCH, MICROSECOND, zone_named

if TYPE_CHECKING:
    from carepolicy.policy.model import ImportedFile

MIDNIGHT = time()
UNTIL_UTC = re.compile(r"UNTIL=(\d{8}T\d{6})Z")
TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")


@dataclass(frozen=True, slots=True)
class Closure:
    """One event of an iCalendar file, and when it comes again.

    ``begin`` is the local reading of the clock at which it begins (midnight for a closure of whole
    days), in the zone ``zone``; it lasts ``length`` microseconds. ``rule`` is an RRULE without its name,
    ``left_out`` the readings at which it does not come.
    """

    reason: str
    whole_days: bool
    begin: datetime
    length: int
    zone: str
    rule: str | None
    left_out: tuple[datetime, ...]

    def days(self, first_year: int, last_year: int) -> Iterator[tuple[int, int]]:
        """The first and last ordinal of each closure of whole days that touches these years."""
        if self.whole_days:
            more = max(-(-self.length // DAY_US) - 1, 0)
            for begin in self._begins(first_year, last_year):
                yield begin.toordinal(), begin.toordinal() + more

    def hours(self, first_year: int, last_year: int) -> Iterator[tuple[int, int]]:
        """The first instant and the end of each closure of hours that touches these years."""
        if not self.whole_days:
            zone = zone_named(self.zone)
            for begin in self._begins(first_year, last_year):
                instant = (begin.replace(tzinfo=zone) - EPOCH) // MICROSECOND
                yield instant, instant + self.length

    def _begins(self, first_year: int, last_year: int) -> Iterator[datetime]:
        length = timedelta(microseconds=self.length)
        low, high = datetime(first_year, 1, 1) - length - timedelta(days=2), datetime(last_year + 1, 1, 3)
        if self.rule is None:
            if low <= self.begin <= high:
                yield self.begin
            return
        from dateutil.rrule import rrulestr

        for begin in rrulestr(self.rule, dtstart=self.begin).between(low, high, inc=True):
            if begin not in self.left_out:
                yield begin


def read_closures(file: ImportedFile, timezone: str) -> tuple[Closure, ...]:
    """The closures of an iCalendar file; times without a zone are in ``timezone``.

    Cancelled events close nothing. Raises ``CalendarError`` for what is no iCalendar file, for an event
    without a readable start, and for a rule that comes again more often than daily.
    """
    from icalendar import Calendar

    try:
        roots = [each for each in Calendar.from_ical(file.text, multiple=True) if each.name == "VCALENDAR"]
    except (ValueError, KeyError, IndexError, AttributeError) as fault:
        raise CalendarError(f"`{file.path}` is not an iCalendar file ({fault})", "", file.at) from None
    if not roots:
        raise CalendarError(f"`{file.path}` is not an iCalendar file (it has no whole VCALENDAR)", "", file.at)
    events = [event for root in roots for event in root.walk("VEVENT")]
    kept = (each for each in events if str(each.get("STATUS", "")).upper() != "CANCELLED")
    return tuple(_closure(event, file, timezone) for event in kept)


def _closure(event: Any, file: ImportedFile, timezone: str) -> Closure:
    title = " ".join(str(event.get("SUMMARY", "")).split()) or "closed"

    def wrong(what: str) -> CalendarError:
        return CalendarError(f"the event `{title}` of `{file.path}` {what}", "", file.at)

    try:
        start, end = event.start, event.end
    except (ValueError, KeyError, AttributeError, TypeError) as fault:
        raise wrong(f"has no readable start and end ({fault})") from None
    whole_days = not isinstance(start, datetime)
    length = (_utc(end, timezone) - _utc(start, timezone)) // MICROSECOND
    if whole_days:
        length = (end.toordinal() - start.toordinal()) * DAY_US
    if length < 0 or (whole_days and length == 0):
        raise wrong("ends before it begins")
    zone = timezone if whole_days or start.tzinfo is None else _zone_name(start.tzinfo)
    if zone is None:
        if event.get("RRULE") is not None:
            raise wrong("comes again in a time zone that is not known by its name")
        zone = "UTC"
    begin = _reading(start, zone)
    rule = _rule(event, zone, wrong)
    return Closure(f"{title} ({file.path})", whole_days, begin, length, zone, rule, _left_out(event, zone))


def _rule(event: Any, zone: str, wrong: Any) -> str | None:
    found = event.get("RRULE")
    if found is None:
        return None
    if isinstance(found, list):
        raise wrong("has more than one RRULE")
    rule = found.to_ical().decode()
    if found.get("FREQ", [""])[0] in TOO_OFTEN:
        raise wrong("comes again more often than daily")

    def local(match: re.Match[str]) -> str:
        until = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).astimezone(zone_named(zone))
        return f"UNTIL={until:%Y%m%dT%H%M%S}"

    return UNTIL_UTC.sub(local, rule)


def _left_out(event: Any, zone: str) -> tuple[datetime, ...]:
    found = event.get("EXDATE", [])
    lists = found if isinstance(found, list) else [found]
    return tuple(_reading(each.dt, zone) for group in lists for each in group.dts)


def _reading(moment: date | datetime, zone: str) -> datetime:
    """What the clock of ``zone`` shows at a moment, without a zone; a moment without one is a reading already."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, MIDNIGHT)
    return moment if moment.tzinfo is None else moment.astimezone(zone_named(zone)).replace(tzinfo=None)


def _utc(moment: date | datetime, zone: str) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, MIDNIGHT, UTC)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone_named(zone))).astimezone(UTC)


def _zone_name(zone: tzinfo) -> str | None:
    if zone is UTC:
        return "UTC"
    name = getattr(zone, "key", None)
    return name if isinstance(name, str) else None
