"""Why a limit falls due when it does: each interval that counted, and each day that was left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING

from carepolicy.businesstime.instants import EPOCH, FIRST_ORDINAL, MICROSECOND, microseconds
from carepolicy.businesstime.rules import WEEKDAYS
from carepolicy.businesstime.zones import zone_named
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, CLOSE_OF_BUSINESS, DAY, NANODAYS, Limit

if TYPE_CHECKING:
    from carepolicy.businesstime.opentime import OpenTime

CLOCK_KINDS = (BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS)


@dataclass(frozen=True, slots=True)
class Counted:
    """Open time that counted: on which day, from when to when, and what share of that day it is."""

    day: date
    begin: datetime
    end: datetime
    share: Fraction
    note: str = ""

    @property
    def time(self) -> timedelta:
        """How long it was, in elapsed time."""
        return self.end.astimezone(EPOCH.tzinfo) - self.begin.astimezone(EPOCH.tzinfo)

    def __str__(self) -> str:
        note = f"  ({self.note})" if self.note else ""
        closing = _clock(self.end) if self.end.date() == self.day else _closing(self.end, self.day)
        return f"{self.day:%a %Y-%m-%d}  {_clock(self.begin)}-{closing}  {_length(self.time)}{note}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A day of which nothing counted, and why."""

    day: date
    reason: str

    def __str__(self) -> str:
        return f"{self.day:%a %Y-%m-%d}  left out: {self.reason}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a limit came to its due time; datetimes are in the calendar's zone, lists in order of time.

    ``due`` is None where the fact that the limit depends on has no value. ``notes`` say what else moved it.
    """

    limit: str
    calendar: str
    start: datetime
    due: datetime | None
    counted: tuple[Counted, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """The explanation as lines of text, in order of time."""
        told: list[tuple[date, int, str]] = [(each.day, 0, str(each)) for each in self.counted]
        told += [(each.day, 1, str(each)) for each in self.left_out]
        due = "no due time" if self.due is None else f"due {_moment(self.due)}"
        head = f"{self.limit} from {_moment(self.start)}, calendar {self.calendar}"
        return [head, *(f"  {text}" for *_, text in sorted(told, key=lambda each: each[:2])), *self.notes, due]


def explain(
    calendar: OpenTime, start: datetime, limit: Limit, fact: int | None, due: datetime | None, rolled: datetime | None
) -> Explanation:
    """Why a limit that starts at ``start`` falls due at ``due``, and is moved to ``rolled``.

    ``fact`` is the instant of the fact that the limit depends on, in microseconds since 1970; None where it depends on
    none, or where the fact has no value, and then there is no ``due`` either.
    """
    zone = zone_named(calendar.rules.timezone)
    begin, notes = start.astimezone(zone), []
    if due is None:
        notes.append(f"{limit.fact} has no value")
        return Explanation(str(limit), calendar.name, begin, None, (), (), tuple(notes))
    story = _Story(calendar, zone)
    low, high, kind = microseconds(start), microseconds(due), limit.kind
    if fact is not None:
        notes.append(f"counted from {limit.fact}, {_moment(story.moment(fact))}")
        low, high = min(fact, high), max(fact, high)
        kind = limit.offset.kind if limit.offset is not None else kind
    counted: tuple[Counted, ...] = ()
    left_out: list[LeftOut] = []
    if kind in CLOCK_KINDS:
        counted = tuple(story.counted(low, high, kind == CLOSE_OF_BUSINESS))
        left_out = list(story.left_out(low, high))
    else:
        notes.append("elapsed time: opening hours play no part")
    end = microseconds(due if rolled is None else rolled)
    if end != microseconds(due):
        notes.append(f"rolled on from {_moment(due.astimezone(zone))}, which is on a closed day")
        left_out += [each for each in story.left_out(microseconds(due), end) if each not in left_out]
    return Explanation(str(limit), calendar.name, begin, story.moment(end), counted, tuple(left_out), tuple(notes))


class _Story:
    """Tells the open time and the closed days of a calendar between two instants."""

    def __init__(self, calendar: OpenTime, zone: tzinfo) -> None:
        self.calendar = calendar
        self.zone = zone

    def moment(self, instant: int) -> datetime:
        return (EPOCH + timedelta(microseconds=instant)).astimezone(self.zone)

    def ordinal(self, instant: int) -> int:
        return self.calendar.local(instant) // DAY + FIRST_ORDINAL

    def counted(self, low: int, high: int, whole_days: bool) -> Iterator[Counted]:
        """The stretches between two instants; with ``whole_days`` those of the days after the first's day."""
        span = self.calendar.span_over(low, high)
        index = max(bisect_right(span.opens, low) - 1, 0)
        day_zero = self.calendar.date_position(low) // NANODAYS - span.first_number - 1
        while index < len(span.opens) and span.opens[index] < high:
            *_, day = span.shares[index]
            begin, end = max(span.opens[index], low), min(span.closes[index], high)
            if begin < end and not (whole_days and day <= day_zero):
                yield Counted(
                    date.fromordinal(span.ordinals[day]),
                    self.moment(begin),
                    self.moment(end),
                    Fraction(end - begin, span.totals[day]),
                    self.note(span.ordinals[day]),
                )
            index += 1

    def note(self, ordinal: int) -> str:
        """What is special about the hours of a date, "" where nothing is."""
        rules = self.calendar.rules
        if ordinal in rules.open:
            return "one-off hours"
        season = rules.season_of(ordinal)
        return "" if season is None else f"hours of the season {season}"

    def left_out(self, low: int, high: int) -> Iterator[LeftOut]:
        """The days between two instants that have no open time, and a first day that was over already."""
        span = self.calendar.span_over(low, high)
        first, last = self.ordinal(low), self.ordinal(high)
        open_days = dict(zip(span.ordinals, span.ends, strict=True))
        for ordinal in range(first, last + 1):
            if ordinal not in open_days:
                yield LeftOut(date.fromordinal(ordinal), self.reason(ordinal))
            elif ordinal == first and open_days[ordinal] <= low:
                closing = self.moment(open_days[ordinal])
                yield LeftOut(date.fromordinal(ordinal), f"closed at {_clock(closing)}, before it began")

    def reason(self, ordinal: int) -> str:
        """Why a date has no open time."""
        rules, closed = self.calendar.rules, self.calendar.closed_days
        if ordinal not in rules.open and ordinal in closed:
            return closed[ordinal]
        if not rules.hours_of(ordinal, {}):
            season = rules.season_of(ordinal)
            rests = f"{WEEKDAYS[(ordinal - 1) % 7]} is closed" + (f" in the season {season}" if season else "")
            return "closed by one-off hours" if ordinal in rules.open else rests
        year = date.fromordinal(ordinal).year
        begin = self.calendar.utc((ordinal - FIRST_ORDINAL) * DAY)
        end = self.calendar.utc((ordinal + 1 - FIRST_ORDINAL) * DAY)
        if begin == end:
            return "the time zone leaves this date out"
        for closure in rules.closures:
            for low, high, reason in closure.hours(year, year):
                if low < end and begin < high:
                    return reason
        return "its hours count for the day before"


def _clock(at: datetime) -> str:
    if at.microsecond:
        return at.strftime("%H:%M:%S.%f")
    return at.strftime("%H:%M:%S" if at.second else "%H:%M")


def _closing(at: datetime, day: date) -> str:
    midnight = at.date() == day + timedelta(days=1) and not (at.hour or at.minute or at.second or at.microsecond)
    return "24:00" if midnight else f"{_clock(at)} on {at:%a}"


def _moment(at: datetime) -> str:
    return f"{at:%a %Y-%m-%d} {_clock(at)}"


def _length(time: timedelta) -> str:
    seconds, rest = divmod(time // MICROSECOND, 1_000_000)
    parts = [(seconds // 3600, "h"), (seconds // 60 % 60, "min")]
    told = [f"{number} {unit}" for number, unit in parts if number]
    if seconds % 60 or rest or not told:
        told.append(f"{seconds % 60}{f'.{rest:06}'.rstrip('0') if rest else ''} s")
    return " ".join(told)
