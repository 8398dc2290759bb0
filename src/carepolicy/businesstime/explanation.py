"""Why a limit falls due when it does: each interval that counted, and each day that was left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING

from carepolicy.businesstime.instants import EPOCH, FIRST_ORDINAL, MICROSECOND, microseconds
from carepolicy.businesstime.words import told_limit, weekday_in_words
from carepolicy.businesstime.zones import zone_named
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, CLOSE_OF_BUSINESS, DAY, NANODAYS, Limit
from carepolicy.translations import ENGLISH, Translation, msg, primary_language

if TYPE_CHECKING:
    from carepolicy.businesstime.opentime import OpenTime

IN_ENGLISH = Translation(ENGLISH)
_LEFT_OUT, _DUE, _NO_DUE = msg("left out: {}"), msg("due {}"), msg("no due time")
_HEAD = msg("{} from {}, calendar {}")
_NO_VALUE, _FROM_FACT = msg("{} has no value"), msg("counted from {}, {}")
_ELAPSED = msg("elapsed time: opening hours play no part")
_ROLLED = msg("rolled on from {}, which is on a closed day")
_ONE_OFF, _CLOSED_ONE_OFF = msg("one-off hours"), msg("closed by one-off hours")
_OVER = msg("closed at {}, before it began")
_NO_DATE, _DAY_BEFORE = msg("the time zone leaves this date out"), msg("its hours count for the day before")
_CLOSED = (
    msg("Monday is closed"), msg("Tuesday is closed"), msg("Wednesday is closed"), msg("Thursday is closed"),
    msg("Friday is closed"), msg("Saturday is closed"), msg("Sunday is closed"),
)  # fmt: skip
_IN_SEASON, _SEASON = msg("{} in the season {}"), msg("hours of the season {}")
_ON_DAY = msg("{} on {}")
_HOURS, _MINUTES, _SECONDS = msg("{} h"), msg("{} min"), msg("{} s")

CLOCK_KINDS = (BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS)


@dataclass(frozen=True, slots=True)
class CountedTime:
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
        return self.told(IN_ENGLISH)

    def told(self, words: Translation) -> str:
        """On which day from when to when, and how long that is."""
        note = f"  ({self.note})" if self.note else ""
        closing = _clock(self.end) if self.end.date() == self.day else _closing(self.end, self.day, words)
        return f"{_day(self.day, words)}  {_clock(self.begin)}-{closing}  {_length(self.time, words)}{note}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A day of which nothing counted, and why."""

    day: date
    reason: str

    def __str__(self) -> str:
        return self.told(IN_ENGLISH)

    def told(self, words: Translation) -> str:
        """The day and why nothing of it counted."""
        return f"{_day(self.day, words)}  {words.gettext(_LEFT_OUT).format(self.reason)}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a limit came to its due time; datetimes are in the calendar's zone, lists in order of time.

    ``due`` is None where the fact that the limit depends on has no value. ``notes`` say what else moved it.
    """

    limit: str
    calendar: str
    start: datetime
    due: datetime | None
    counted: tuple[CountedTime, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    words: Translation = IN_ENGLISH

    def lines(self) -> list[str]:
        """The explanation as lines of text, in order of time."""
        words, say = self.words, self.words.gettext
        told: list[tuple[date, int, str]] = [(each.day, 0, each.told(words)) for each in self.counted]
        told += [(each.day, 1, each.told(words)) for each in self.left_out]
        due = say(_NO_DUE) if self.due is None else say(_DUE).format(_moment(self.due, words))
        head = say(_HEAD).format(self.limit, _moment(self.start, words), self.calendar)
        return [head, *(f"  {text}" for *_, text in sorted(told, key=lambda each: each[:2])), *self.notes, due]


def explain(
    calendar: OpenTime, start: datetime, limit: Limit, fact: int | None, due: datetime | None,
    rolled: datetime | None, words: Translation = IN_ENGLISH,
) -> Explanation:  # fmt: skip
    """Why a limit that starts at ``start`` falls due at ``due``, and is moved to ``rolled``.

    ``fact`` is the instant of the fact that the limit depends on, in microseconds since 1970; None where it depends on
    none, or where the fact has no value, and then there is no ``due`` either. Told in ``words``.
    """
    say = words.gettext
    called = str(limit) if primary_language(words.language) == ENGLISH else told_limit(str(limit), words)
    zone = zone_named(calendar.rules.timezone)
    begin, notes = start.astimezone(zone), []
    if due is None:
        notes.append(say(_NO_VALUE).format(limit.fact))
        return Explanation(called, calendar.name, begin, None, (), (), tuple(notes), words)
    story = _Story(calendar, zone, words)
    low, high, kind = microseconds(start), microseconds(due), limit.kind
    if fact is not None:
        notes.append(say(_FROM_FACT).format(limit.fact, _moment(story.moment(fact), words)))
        low, high = min(fact, high), max(fact, high)
        kind = limit.offset.kind if limit.offset is not None else kind
    counted: tuple[CountedTime, ...] = ()
    left_out: list[LeftOut] = []
    if kind in CLOCK_KINDS:
        counted = tuple(story.counted(low, high, kind == CLOSE_OF_BUSINESS))
        left_out = list(story.left_out(low, high))
    else:
        notes.append(say(_ELAPSED))
    end = microseconds(due if rolled is None else rolled)
    if end != microseconds(due):
        notes.append(say(_ROLLED).format(_moment(due.astimezone(zone), words)))
        left_out += [each for each in story.left_out(microseconds(due), end) if each not in left_out]
    moved = story.moment(end)
    return Explanation(called, calendar.name, begin, moved, counted, tuple(left_out), tuple(notes), words)


class _Story:
    """Tells the open time and the closed days of a calendar between two instants."""

    def __init__(self, calendar: OpenTime, zone: tzinfo, words: Translation) -> None:
        self.calendar = calendar
        self.words = words
        self.zone = zone

    def moment(self, instant: int) -> datetime:
        return (EPOCH + timedelta(microseconds=instant)).astimezone(self.zone)

    def ordinal(self, instant: int) -> int:
        return self.calendar.local(instant) // DAY + FIRST_ORDINAL

    def counted(self, low: int, high: int, whole_days: bool) -> Iterator[CountedTime]:
        """The stretches between two instants; with ``whole_days`` those of the days after the first's day."""
        span = self.calendar.span_over(low, high)
        index = max(bisect_right(span.opens, low) - 1, 0)
        day_zero = self.calendar.date_position(low) // NANODAYS - span.first_number - 1
        while index < len(span.opens) and span.opens[index] < high:
            *_, day = span.shares[index]
            begin, end = max(span.opens[index], low), min(span.closes[index], high)
            if begin < end and not (whole_days and day <= day_zero):
                yield CountedTime(
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
            return self.words.gettext(_ONE_OFF)
        season = rules.season_of(ordinal)
        return "" if season is None else self.words.gettext(_SEASON).format(season)

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
                yield LeftOut(date.fromordinal(ordinal), self.words.gettext(_OVER).format(_clock(closing)))

    def reason(self, ordinal: int) -> str:
        """Why a date has no open time."""
        rules, closed, say = self.calendar.rules, self.calendar.closed_days, self.words.gettext
        if ordinal not in rules.open and ordinal in closed:
            return closed[ordinal]
        if not rules.hours_of(ordinal, {}):
            season = rules.season_of(ordinal)
            rests = say(_CLOSED[(ordinal - 1) % 7])
            rests = say(_IN_SEASON).format(rests, season) if season else rests
            return say(_CLOSED_ONE_OFF) if ordinal in rules.open else rests
        year = date.fromordinal(ordinal).year
        begin = self.calendar.utc((ordinal - FIRST_ORDINAL) * DAY)
        end = self.calendar.utc((ordinal + 1 - FIRST_ORDINAL) * DAY)
        if begin == end:
            return say(_NO_DATE)
        for closure in rules.closures:
            for low, high, reason in closure.hours(year, year):
                if low < end and begin < high:
                    return reason
        return say(_DAY_BEFORE)


def _clock(at: datetime) -> str:
    if at.microsecond:
        return at.strftime("%H:%M:%S.%f")
    return at.strftime("%H:%M:%S" if at.second else "%H:%M")


def _closing(at: datetime, day: date, words: Translation) -> str:
    midnight = at.date() == day + timedelta(days=1) and not (at.hour or at.minute or at.second or at.microsecond)
    return "24:00" if midnight else words.gettext(_ON_DAY).format(_clock(at), weekday_in_words(at.weekday(), words))


def _day(day: date, words: Translation) -> str:
    return f"{weekday_in_words(day.weekday(), words)} {day:%Y-%m-%d}"


def _moment(at: datetime, words: Translation) -> str:
    return f"{_day(at.date(), words)} {_clock(at)}"


def _length(time: timedelta, words: Translation) -> str:
    seconds, rest = divmod(time // MICROSECOND, 1_000_000)
    parts = [(seconds // 3600, _HOURS), (seconds // 60 % 60, _MINUTES)]
    told = [words.gettext(unit).format(number) for number, unit in parts if number]
    if seconds % 60 or rest or not told:
        amount = f"{seconds % 60}{f'.{rest:06}'.rstrip('0') if rest else ''}"
        told.append(words.gettext(_SECONDS).format(amount))
    return " ".join(told)
