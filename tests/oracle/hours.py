"""Opening hours, counted by walking from day to day: no positions, no years made ready, nothing shared with carepolicy.

Instants are whole microseconds since 1970. A day of a calendar is its local date; an interval that passes midnight
belongs to the day on which it opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FARTHEST = 800  # days: no clock of a random set reaches beyond


class TooFar(Exception):
    """It would take years of walking: the sets that get there extend a clock again and again."""


Interval = tuple[int, int]


def instant(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def clock_face(zone: ZoneInfo, instant: int) -> datetime:
    """What the clocks on the wall show, without an offset."""
    return moment(instant).astimezone(zone).replace(tzinfo=None)


@cache
def first_showing(zone: ZoneInfo, face: datetime) -> int:
    """The first instant at which the clocks on the wall show a time, or have just passed over it."""
    middle = instant(face.replace(tzinfo=UTC))
    minute = middle - 26 * 60 * MINUTE
    step = 30 * MINUTE
    while clock_face(zone, minute + step) < face:
        minute += step
    while clock_face(zone, minute) < face:
        minute += MINUTE
    return minute


@dataclass
class Hours:
    """The open hours of one calendar of organisation.yaml, as PyYAML reads it."""

    spec: dict[str, Any]
    zone: ZoneInfo
    _days: dict[date, list[Interval]] = field(default_factory=dict)

    def day(self, day: date) -> list[Interval]:
        """The intervals that open on a date, in order."""
        if day not in self._days:
            reached = max((end for _, end in self._told(day - timedelta(days=1))), default=-(2**62))
            told = [(max(begin, reached), end) for begin, end in self._told(day)]
            self._days[day] = [(begin, end) for begin, end in told if begin < end or begin != reached]
        return self._days[day]

    def _told(self, day: date) -> list[Interval]:
        """The intervals of a date as they are said, also where a night before reaches into them."""
        return [self._on_the_line(day, said) for said in self._said_for(day)]

    def _said_for(self, day: date) -> list[str]:
        for each, hours in self.spec.get("open", {}).items():
            if date.fromisoformat(each) == day:
                return listed(hours)
        for each in listed(self.spec.get("closed", [])):
            if comes(each["dates"] if isinstance(each, dict) else each, day):
                return []
        weeks = [week for season, week in self.spec.get("seasons", {}).items() if comes(season, day)]
        for week in (*weeks, self.spec["hours"]):
            for days, hours in week.items():
                first, _, last = days.partition("-")
                if WEEKDAYS.index(first) <= day.weekday() <= WEEKDAYS.index(last or first):
                    return listed(hours)
        return []

    def _on_the_line(self, day: date, said: str) -> Interval:
        opens, closes = map(minutes, said.split("-"))
        if closes <= opens:
            closes += 24 * 60
        midnight = datetime.combine(day, datetime.min.time())
        begin, end = (first_showing(self.zone, midnight + timedelta(minutes=each)) for each in (opens, closes))
        return begin, max(begin, end)

    def date(self, instant: int) -> date:
        return clock_face(self.zone, instant).date()

    def day_of(self, instant: int, closing: bool = False) -> date:
        """The day of an instant: that of the interval in which it lies (or at whose closing), else its date."""
        own = self.date(instant)
        for day in (own - timedelta(days=1), own):
            if any(begin <= instant < end or (closing and instant == end) for begin, end in self.day(day)):
                return day
        return own

    def end_of(self, day: date) -> int:
        return first_showing(self.zone, datetime.combine(day + timedelta(days=1), datetime.min.time()))

    def opening(self, instant: int) -> int:
        """An instant inside of open time, else the next opening; a closing is outside."""
        for day in self.from_day(self.date(instant) - timedelta(days=1)):
            for begin, end in self.day(day):
                if begin < end and instant < end:
                    return max(begin, instant)
        raise TooFar

    def is_open(self, day: date) -> bool:
        return any(begin < end for begin, end in self.day(day))

    def last_closing(self, day: date) -> int:
        return max(end for _, end in self.day(day))

    def length(self, day: date) -> int:
        return sum(end - begin for begin, end in self.day(day))

    def from_day(self, day: date, step: int = 1) -> Iterator[date]:
        """A date, and those after it (or before it, with a step of -1)."""
        for number in range(FARTHEST):
            yield day + timedelta(days=step * number)

    def next_open_day(self, day: date) -> date:
        return next(each for each in self.from_day(day + timedelta(days=1)) if self.is_open(each))

    def open_day_before(self, day: date, number: int) -> date:
        """The nth open day before a date."""
        open_days = (each for each in self.from_day(day - timedelta(days=1), -1) if self.is_open(each))
        return next(islice(open_days, number - 1, None))

    def worth(self, measure: str, day: date) -> Fraction:
        """What a microsecond of open time counts on a day: itself, or its share of a day of 24 hours."""
        return Fraction(1) if measure == "business_time" else Fraction(DAY, self.length(day))

    def counted(self, measure: str, begin: int, end: int) -> Fraction:
        """The open time between two instants, in microseconds, or in days of 86,400 seconds each."""
        total = Fraction(0)
        if begin >= end:
            return total
        for day in self.from_day(self.date(begin) - timedelta(days=1)):
            if day > self.date(end):
                return total
            for opens, closes in self.day(day):
                within = min(end, closes) - max(begin, opens)
                if within > 0:
                    total += within * self.worth(measure, day)
        raise TooFar("too long to walk through")

    def add(self, measure: str, begin: int, amount: Fraction) -> int:
        """The first instant at which so much open time has passed; nothing outside of hours is the next opening."""
        for day in self.from_day(self.date(begin) - timedelta(days=1)):
            for opens, closes in self.day(day):
                if closes < begin or opens == closes:
                    continue
                start = max(begin, opens)
                worth = self.worth(measure, day)
                if (closes - start) * worth >= amount:
                    return start + rounded_up(amount / worth)
                amount -= (closes - start) * worth
        raise TooFar("this calendar does not open again")

    def before(self, measure: str, end: int, amount: Fraction, latest: bool) -> int:
        """The instant from which so much open time passed until ``end``: of several, the first or the last."""
        for day in self.from_day(self.date(end), -1):
            for opens, closes in reversed(self.day(day)):
                if opens >= end or opens == closes:
                    continue
                stop = min(end, closes)
                worth = self.worth(measure, day)
                room = (stop - opens) * worth
                if room > amount or (latest and room == amount):
                    return stop - int(amount / worth)
                amount -= room
        raise TooFar("this calendar was never open")

    def closing(self, start: int, number: int, after: date) -> int:
        """The closing of the nth open day that closes after ``start``, of days later than ``after``."""
        for day in self.from_day(self.date(start) - timedelta(days=1)):
            if day > after and self.is_open(day) and self.last_closing(day) > start:
                number -= 1
                if number == 0:
                    return self.last_closing(day)
        raise TooFar("this calendar does not close again")

    def closings(self, begin: int, end: int, after: date) -> int:
        """How many open days, of those later than ``after``, closed later than ``begin`` and by ``end``."""
        number = 0
        for day in self.from_day(self.date(begin) - timedelta(days=1)):
            if day > self.date(end):
                break
            number += day > after and self.is_open(day) and begin < self.last_closing(day) <= end
        return number

    def closing_back(self, end: int, number: int) -> int:
        """The nth closing at or before ``end``, counted back."""
        for day in self.from_day(self.date(end), -1):
            if self.is_open(day) and self.last_closing(day) <= end:
                number -= 1
                if number == 0:
                    return self.last_closing(day)
        raise TooFar("this calendar never closed")


def comes(said: str, day: date) -> bool:
    """Whether a date is among those that are written as one or two; what bears no year comes every year."""
    first, _, last = said.partition("/")
    last = last or first
    told = day.isoformat() if len(first) == 10 else day.isoformat()[5:]
    return first <= told <= last if first <= last else told >= first or told <= last


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def minutes(text: str) -> int:
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def rounded_up(amount: Fraction) -> int:
    return -(-amount.numerator // amount.denominator)
