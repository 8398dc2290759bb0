"""Open time as sorted lists, and the answers that they give by bisection.

All instants are microseconds since 1970-01-01T00:00Z; positions are microseconds of open time, and
nanodays of business days, since the beginning of the year ``ANCHOR``. What is compiled grows on demand, a
span of whole years, and never moves a position. A calendar is packed with what it has compiled, year by year, and
takes out of that only the years that questions reach.
"""

from __future__ import annotations

import marshal
import pickle
import zlib
from array import array
from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, islice, pairwise
from threading import Lock
from typing import TYPE_CHECKING, Self

from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.businesstime.instants import FIRST_YEAR, HIGH, LAST_YEAR, LOW, OUT, TWO_YEARS, midnight_of
from carepolicy.businesstime.zones import ZoneLine, zone_line, zone_named
from carepolicy.policy.limit import DAY, NANODAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.businesstime.rules import Day, Rules


ANCHOR = 2024
"""The year at whose beginning positions are zero; what is compiled reaches from it to what is asked."""

PACKED_YEARS = (2015, 2035)
"""The years that a packed calendar bears at least, so that it needs no library for them when it is loaded."""

ALIKE = 32
"""So many calendars are kept packed: a set that is compiled again after a change mostly has the calendars it had."""


class OpenTime:
    """The compiled open time of ``rules``, with the questions of the engine. Safe to use from several threads."""

    __slots__ = (
        "_at_instant",
        "_at_position",
        "_closed",
        "_day_at_instant",
        "_first",
        "_growing",
        "_last",
        "_packed",
        "_rules",
        "_span",
        "_zone",
        "name",
    )

    def __init__(self, rules: Rules, name: str) -> None:
        self._rules: Rules | bytes = rules
        self.name = name
        self._growing = Lock()
        self._first, self._last = ANCHOR, ANCHOR - 1
        self._closed: dict[int, str] = {}
        zone = zone_named(rules.timezone)
        at = midnight_of(date(ANCHOR, 1, 1).toordinal())
        self._zone: ZoneLine = zone_line(zone, at - 5 * DAY, at + 5 * DAY)
        self._span = self._nothing()
        self._packed: dict[int, Packed] = {}
        self._forget_places()

    def _nothing(self) -> Span:
        """The span of no year, at the beginning of the anchor."""
        start = self._zone.utc(midnight_of(date(ANCHOR, 1, 1).toordinal()))
        return Span(start, start, 0, 0, [], [], [], [], [])

    @property
    def rules(self) -> Rules:
        """What the calendar says. A packed one reads them when they are first needed: due times do without."""
        rules = self._rules
        if isinstance(rules, bytes):
            self._rules = rules = pickle.loads(rules)
        return rules

    def packed(self) -> bytes:
        """The calendar with what it has compiled, as bytes that are only to be read back by the same Python."""
        rules = pickle.dumps(self.rules)
        with self._growing:
            if self._first > self._last and not self._packed:  # as sets that change have it again and again
                state = _packed_anew(self.name, rules)
                self._take_packed(state)
                return state
        self.prepare(*PACKED_YEARS)
        with self._growing:
            self._grow(min(self._packed, default=ANCHOR), max(self._packed, default=ANCHOR))
        return self._state(rules)

    def _state(self, rules: bytes) -> bytes:
        """What it has compiled, and its rules, as bytes."""
        zone = self._zone
        years = {year: self._pack(year) for year in range(self._first, self._last + 1)}
        return marshal.dumps((self.name, rules, self._closed, (zone.instants, zone.offsets, zone.end), years))

    def _take_packed(self, state: bytes) -> None:
        """Have the packed years of another calendar of the same rules at hand."""
        _, _, self._closed, zone, self._packed = marshal.loads(state)
        self._zone = ZoneLine(*zone)

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The calendar of ``packed``."""
        calendar = cls.__new__(cls)
        calendar.__setstate__(packed)
        return calendar

    def __getstate__(self) -> bytes:
        return self.packed()

    def __setstate__(self, state: bytes) -> None:
        self.name, self._rules, self._closed, zone, self._packed = marshal.loads(state)
        self._growing = Lock()
        self._zone = ZoneLine(*zone)
        self._span = self._nothing()
        self._first, self._last = ANCHOR, ANCHOR - 1
        self._forget_places()

    def _pack(self, year: int) -> Packed:
        ordinals = range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
        return self._span.packed(self._new_year(year) + DAY, self._new_year(year + 1), ordinals)

    def prepare(self, first_year: int, last_year: int) -> None:
        """Compile these years, and all between them and the anchor, ahead of the questions."""
        if first_year < self._first or last_year > self._last:
            with self._growing:
                self._grow(first_year, last_year)

    def _reach(self, instant: int) -> Span:
        if not LOW <= instant < HIGH:
            raise OutOfRange(OUT)
        day = date(1970, 1, 1) + timedelta(microseconds=instant)
        with self._growing:
            self._grow((day - timedelta(days=3)).year, (day + timedelta(days=2)).year)
            return self._span

    def _reach_position(self, position: int, closing: bool) -> Span:
        """Grow until an instant has the position; ``closing`` says which end of a stretch may bear it."""
        with self._growing:
            while True:
                span = self._span
                low, high = span.first_position, span.last_position
                if low < position <= high if closing else low <= position < high:
                    return span
                self._grow_towards(position <= low if closing else position < low)

    def _reach_day(self, number: int) -> Span:
        with self._growing:
            while not 0 <= number - self._span.first_number < len(self._span.days):
                self._grow_towards(number < self._span.first_number)
            return self._span

    def _grow_towards(self, back: bool) -> None:
        """Grow by as many years as there are, so that repeated growth costs no more than one."""
        years = max(self._last - self._first + 1, 1)
        if self._first <= FIRST_YEAR if back else self._last >= LAST_YEAR:
            self._refuse(back)
        self._grow(self._first - years if back else self._first, self._last if back else self._last + years)

    def _refuse(self, back: bool) -> None:
        ends = self._span.ends
        if not ends or (not back and HIGH - ends[-1] > TWO_YEARS):
            raise NeverOpen(f"the calendar {self.name} has no open time that could be counted")
        raise OutOfRange(OUT)

    def _grow(self, first_year: int, last_year: int) -> None:
        """Take up these years, as far as calendars go; the caller holds the lock."""
        first_year, last_year = max(first_year, FIRST_YEAR), min(last_year, LAST_YEAR)
        if self._first > self._last and all(year in self._packed for year in range(first_year, last_year + 1)):
            self._span = joined([unpacked(self._packed[year]) for year in range(first_year, last_year + 1)])
            self._first, self._last = first_year, last_year
        if last_year > self._last:
            self._grow_on(last_year)
        if first_year < self._first:
            self._grow_back(first_year)

    def _grow_on(self, last_year: int) -> None:
        spans = [self._span] if self._first <= self._last else []
        year = self._last + 1
        while year <= last_year and year in self._packed:
            spans.append(unpacked(self._packed[year]))
            year += 1
        if year <= last_year:
            days = self._compile(year, last_year)
            before = spans[-1] if spans else self._span
            number = before.first_number + len(before.days)
            begin, end = self._new_year(year) + DAY, self._new_year(last_year + 1)
            spans.append(build(days, begin, end, before.last_position, number))
        self._span, self._last = joined(spans), last_year

    def _grow_back(self, first_year: int) -> None:
        spans = [self._span]
        year = self._first - 1
        while year >= first_year and year in self._packed:
            spans.insert(0, unpacked(self._packed[year]))
            year -= 1
        if year >= first_year:
            days = self._compile(first_year, year)
            total = sum(closing - opening for day in days for opening, closing in day.stretches)
            position, number = spans[0].first_position - total, spans[0].first_number - len(days)
            begin, end = self._new_year(first_year) + DAY, self._new_year(year + 1)
            spans.insert(0, build(days, begin, end, position, number))
        self._span, self._first = joined(spans), first_year

    def _compile(self, first_year: int, last_year: int) -> list[Day]:
        begin = midnight_of(date(first_year, 1, 1).toordinal()) - 7 * DAY
        end = midnight_of(date(last_year, 12, 31).toordinal()) + 7 * DAY
        if begin < self._zone.instants[0] or end > self._zone.end:
            self._zone = self._zone.joined(zone_named(self.rules.timezone), begin, end)
        closed = self.rules.closed_days(first_year - 1, last_year)
        self._closed = self._closed | closed
        from carepolicy.businesstime.rules import open_days

        return open_days(self.rules, self._zone, first_year, last_year, closed)

    def _new_year(self, year: int) -> int:
        """The first instant of a year. Hours of its eve may still run then, but not a day later."""
        return self._zone.utc(midnight_of(date(year, 1, 1).toordinal()))

    def _forget_places(self) -> None:
        """Questions in a row are often about the same stretch of time: the last stretch of each kind is at hand.

        ``_at_instant``, ``_at_position`` and ``_day_at_instant`` are of ``stretches``, ``places`` and ``shares`` of the
        span, the last with nanodays in place of a day's index. No instant is in the first.
        """
        self._at_instant: tuple[int, int, int, int] = (0, 0, 0, 0)
        self._at_position: tuple[int, int, int] = (0, 0, 0)
        self._day_at_instant: tuple[int, int, int, int, int, int] = (0, 0, 0, 0, 0, 0)

    def position(self, instant: int) -> int:
        """The open time from the anchor to an instant, in microseconds; negative before the anchor."""
        begin, end, close, lift = self._at_instant
        if not begin <= instant < end:
            span = self._span
            if not span.begin <= instant < span.end:
                span = self._reach(instant)
            index = bisect_right(span.opens, instant) - 1
            if index < 0:
                return span.first_position
            _, _, close, lift = self._at_instant = span.stretches[index]
        return lift + (instant if instant < close else close)

    def between_us(self, first: int, last: int) -> int:
        """The open time from one instant to another: as by ``position``, quicker for instants that lie apart."""
        span = self._span
        low, end = span.low, span.end
        if not (low <= first < end and low <= last < end):
            return self.position(last) - self.position(first)
        opens, closes, lifts = span.opens, span.closes, span.lifts
        index = bisect_right(opens, first) - 1
        if first > closes[index]:
            first = closes[index]
        other = bisect_right(opens, last) - 1
        if last > closes[other]:
            last = closes[other]
        return last - first + lifts[other] - lifts[index]

    def instant(self, position: int) -> int:
        """The first instant with that position: at a boundary the closing, not the next opening."""
        begin, end, lift = self._at_position
        if not begin < position <= end:
            span = self._span
            if not span.first_position < position <= span.last_position:
                span = self._reach_position(position, True)
            _, _, lift = self._at_position = span.places[bisect_left(span.befores, position) - 1]
        return position - lift

    def last_instant(self, position: int) -> int:
        """The last instant with that position: at a boundary the next opening, not the closing."""
        span = self._span
        if not span.first_position <= position < span.last_position:
            span = self._reach_position(position, False)
        return position - span.lifts[bisect_right(span.befores, position) - 1]

    def day_position(self, instant: int) -> int:
        """The business days from the anchor to an instant, in nanodays, proportional within each day."""
        begin, end, close, lift, total, days = self._day_at_instant
        if not begin <= instant < end:
            span = self._span
            if not span.begin <= instant < span.end:
                span = self._reach(instant)
            index = bisect_right(span.opens, instant) - 1
            if index < 0:
                return span.first_number * NANODAYS
            begin, end, close, lift, total, day = span.shares[index]
            days = (span.first_number + day) * NANODAYS
            self._day_at_instant = begin, end, close, lift, total, days
        return days + (lift + (instant if instant < close else close)) * NANODAYS // total

    def day_instant(self, position: int) -> int:
        """The first instant with that position in nanodays."""
        number = -(-position // NANODAYS) - 1
        span = self._span
        if not 0 <= number - span.first_number < len(span.days):
            span = self._reach_day(number)
        start, total, before, lift, last = span.days[number - span.first_number]
        found = start - (number * NANODAYS - position) * total // NANODAYS
        return found - (lift if found > before else _lift(span, found, last))

    def last_day_instant(self, position: int) -> int:
        """The last instant whose position in nanodays is no more than this."""
        number = position // NANODAYS
        span = self._span
        if not 0 <= number - span.first_number < len(span.days):
            span = self._reach_day(number)
        start, total, _, _, _ = span.days[number - span.first_number]
        within = -(-(position - number * NANODAYS + 1) * total // NANODAYS) - 1
        return self.last_instant(start + within)

    def days_later(self, instant: int, amount: int, days: int) -> int:
        """As by ``day_position`` and ``day_instant``, some nanodays (not none) later: quicker.

        ``days`` is how many business days the nanodays are where that is whole, else 0.
        """
        span = self._span
        if span.low <= instant < span.end:
            _, _, close, used, total, day = span.shares[bisect_right(span.opens, instant) - 1]
            used += instant if instant < close else close
            try:
                if days and used:
                    start, length, before, lift, last = span.days[day + days]
                    if length == total:  # days alike, as most are
                        found = start + used
                        return found - (lift if found > before else _lift(span, found, last))
                    used = -(-(used * NANODAYS // total) * length // NANODAYS)
                else:
                    share = used * NANODAYS // total + amount
                    if share > NANODAYS:
                        whole, share = divmod(share - 1, NANODAYS)
                        day, share = day + whole, share + 1
                    start, length, before, lift, last = span.days[day]
                    used = -(-share * length // NANODAYS)
            except IndexError:
                return self.day_instant(self.day_position(instant) + amount)
            found = start + used
            return found - (lift if found > before else _lift(span, found, last))
        return self.day_instant(self.day_position(instant) + amount)

    def date_position(self, instant: int) -> int:
        """The open days from the anchor up to the instant's day, that day included, in nanodays.

        The day of an instant in open time is the one on which that opened, else its local date.
        """
        span = self._span
        if not span.begin <= instant < span.end:
            span = self._reach(instant)
        index = bisect_right(span.opens, instant) - 1
        if index >= 0 and instant < span.closes[index]:
            return (span.shares[index][5] + 1 + span.first_number) * NANODAYS
        return (bisect_right(span.midnights, instant) + span.first_number) * NANODAYS

    def position_before_date(self, ordinal: int) -> int:
        """The open days from the anchor up to a date, that date left out, in nanodays."""
        span = self.span_over(self.utc(midnight_of(ordinal)))
        return (bisect_left(span.ordinals, ordinal) + span.first_number) * NANODAYS

    def closing_position(self, instant: int) -> int:
        """The open days from the anchor that have closed by an instant (its own closing included), in nanodays."""
        span = self._span
        if not span.begin <= instant < span.end:
            span = self._reach(instant)
        return (bisect_right(span.ends, instant) + span.first_number) * NANODAYS

    def date_instant(self, position: int) -> int:
        """The closing instant of the open day with that number, in nanodays rounded up."""
        number = -(-position // NANODAYS) - 1
        span = self._span
        if not 0 <= number - span.first_number < len(span.ends):
            span = self._reach_day(number)
        return span.ends[number - span.first_number]

    def next_opening_us(self, instant: int) -> int:
        """The first open instant that is not before ``instant``. Raises ``NeverOpen``, ``OutOfRange``."""
        return self.last_instant(self.position(instant))

    def is_open_us(self, instant: int) -> bool:
        """Whether an instant lies in open time. An opening instant does, a closing instant does not."""
        span = self._span
        if not span.begin <= instant < span.end:
            span = self._reach(instant)
        index = bisect_right(span.opens, instant) - 1
        return index >= 0 and instant < span.closes[index]

    @property
    def closed_days(self) -> dict[int, str]:
        """Why it is closed, by the ordinal of the date, over the years that are compiled."""
        return self._closed

    def span_over(self, *instants: int) -> Span:
        """The compiled open time, grown so that it covers these instants."""
        for instant in instants:
            self.position(instant)
        return self._span

    def local(self, instant: int) -> int:
        """What the local clock shows at an instant, as the microseconds that UTC would have then."""
        if not self._span.begin <= instant < self._span.end:
            self._reach(instant)
        return self._zone.local(instant)

    def utc(self, local: int) -> int:
        """The first instant at which the local clock shows ``local`` or later."""
        if not self._span.begin + DAY <= local < self._span.end - DAY:
            self._reach(local)
        return self._zone.utc(local)

    def open_date_from(self, ordinal: int, instant: int) -> int:
        """The ordinal of the first open date that is not before one on which ``instant`` lies."""
        self.next_opening_us(instant)
        span = self._span
        while not span.ordinals or span.ordinals[-1] < ordinal:
            span = self._reach_day(span.first_number + len(span.ordinals))
        return span.ordinals[bisect_left(span.ordinals, ordinal)]

    def is_inside_us(self, instant: int) -> bool:
        """Whether an instant lies in open time or is the end of some."""
        return self.is_open_us(instant) or self.position(instant) > self.position(max(instant - 1, LOW))


def _lift(span: Span, position: int, last: int) -> int:
    """The lift of the stretch that a position belongs to, of a day whose last stretch is later."""
    befores = span.befores
    last -= 1
    while befores[last] >= position:
        last -= 1
    return span.lifts[last]


Packed = tuple[int, int, int, int, tuple[int, ...], bytes]
"""A span as plain numbers: those of ``Span`` up to the lists, how long the lists are, and their numbers as bytes."""


class Span:
    """The open time of some whole years. Questions between ``begin`` and ``end`` can be answered.

    By open stretch: ``opens``, ``closes``, ``lifts`` (its position less its opening), ``befores`` (its position). By
    open day: ``totals`` (open time), ``ends`` (closing instant), ``midnights``, ``ordinals`` (of the date), ``firsts``
    (the index of its first stretch). Nothing of it is ever changed.

    The same numbers stand once more as rows, one for each kind of question:

    - ``stretches``, by stretch: its opening; the next opening, or the end of the span; its closing; its lift.
    - ``places``, by stretch: its position; the position of its closing; its lift.
    - ``shares``, by stretch: its opening; the next opening, or the end of the span; its closing; its lift less the
      position of its day; the open time of the day; the index of the day.
    - ``days``, by day: its position; its open time; of its last stretch the position, the lift and the index.

    From ``low`` on every instant is in a stretch, or behind one.
    """

    __slots__ = (
        "befores",
        "begin",
        "closes",
        "days",
        "end",
        "ends",
        "first_number",
        "first_position",
        "firsts",
        "last_position",
        "lifts",
        "low",
        "midnights",
        "opens",
        "ordinals",
        "places",
        "shares",
        "stretches",
        "totals",
    )

    def __init__(
        self,
        begin: int,
        end: int,
        first_position: int,
        first_number: int,
        opens: list[int],
        closes: list[int],
        firsts: list[int],
        midnights: list[int],
        ordinals: list[int],
    ) -> None:
        self.begin, self.end = begin, end
        self.first_position, self.first_number = first_position, first_number
        self.opens, self.closes, self.firsts = opens, closes, firsts
        self.midnights, self.ordinals = midnights, ordinals
        self.befores, self.last_position = _running(opens, closes, first_position)
        self.lifts = [before - opening for before, opening in zip(self.befores, opens, strict=True)]
        lasts = [*firsts[1:], len(opens)] if firsts else []
        starts = [self.befores[first] for first in firsts]
        self.ends = [closes[last - 1] for last in lasts]
        self.totals = [after - before for before, after in pairwise((*starts, self.last_position))]
        self.days = [
            (start, total, self.befores[last - 1], self.lifts[last - 1], last - 1)
            for start, total, last in zip(starts, self.totals, lasts, strict=True)
        ]
        nexts = (*opens[1:], end)[: len(opens)]
        afters = (*self.befores[1:], self.last_position)[: len(opens)]
        self.stretches = list(zip(opens, nexts, closes, self.lifts, strict=True))
        self.places = list(zip(self.befores, afters, self.lifts, strict=True))
        self.shares = [
            (opens[at], nexts[at], closes[at], self.lifts[at] - start, total, day)
            for day, (first, last, start, total) in enumerate(zip(firsts, lasts, starts, self.totals, strict=True))
            for at in range(first, last)
        ]
        self.low = max(begin, opens[0]) if opens else end

    def packed(self, begin: int, end: int, ordinals: range) -> Packed:
        """The open days among some dates as a span between two instants."""
        first, last = bisect_left(self.ordinals, ordinals.start), bisect_left(self.ordinals, ordinals.stop)
        low = self.firsts[first] if first < len(self.firsts) else len(self.opens)
        high = self.days[last - 1][4] + 1 if first < last else low
        lists = (
            self.opens[low:high],
            self.closes[low:high],
            [each - low for each in self.firsts[first:last]],
            self.midnights[first:last],
            self.ordinals[first:last],
        )
        position = self.befores[low] if low < len(self.befores) else self.last_position
        return begin, end, position, self.first_number + first, tuple(map(len, lists)), _bytes(lists)


def _running(opens: list[int], closes: list[int], position: int) -> tuple[list[int], int]:
    """The position of each stretch, of which the first has this one, and the position of the last one's closing."""
    lengths = (closing - opening for opening, closing in zip(opens, closes, strict=True))
    befores = list(accumulate(lengths, initial=position))
    return befores, befores.pop()


def _bytes(lists: Sequence[list[int]]) -> bytes:
    """Sorted lists as bytes: what each number is more than the one before, which is much the same all year."""
    steps = (after - before for each in lists if each for before, after in pairwise((0, *each)))
    return zlib.compress(array("q", steps).tobytes())


def unpacked(packed: Packed) -> Span:
    """The span that was packed."""
    begin, end, position, number, lengths, steps = packed
    numbers = iter(memoryview(zlib.decompress(steps)).cast("q").tolist() if any(lengths) else ())
    lists = (list(accumulate(islice(numbers, length))) for length in lengths)
    return Span(begin, end, position, number, *lists)


def build(days: Sequence[Day], begin: int, end: int, position: int, number: int) -> Span:
    """The span of ``days``, whose first has this position and number."""
    opens = [opening for day in days for opening, _ in day.stretches]
    closes = [closing for day in days for _, closing in day.stretches]
    firsts = list(accumulate((len(day.stretches) for day in days[:-1]), initial=0)) if days else []
    midnights = [day.midnight for day in days]
    return Span(begin, end, position, number, opens, closes, firsts, midnights, [day.ordinal for day in days])


def joined(spans: Sequence[Span]) -> Span:
    """One span of several, each of which begins where the one before it ends."""
    left = spans[0]
    if len(spans) == 1:
        return left
    shifts = accumulate((len(each.opens) for each in spans), initial=0)
    firsts = [shift + first for shift, each in zip(shifts, spans, strict=False) for first in each.firsts]
    return Span(
        left.begin,
        spans[-1].end,
        left.first_position,
        left.first_number,
        [opening for each in spans for opening in each.opens],
        [closing for each in spans for closing in each.closes],
        firsts,
        [midnight for each in spans for midnight in each.midnights],
        [ordinal for each in spans for ordinal in each.ordinals],
    )


@lru_cache(ALIKE)
def _packed_anew(name: str, rules: bytes) -> bytes:
    """A calendar of pickled rules that was asked nothing yet, packed."""
    calendar = OpenTime(pickle.loads(rules), name)
    calendar.prepare(*PACKED_YEARS)
    return calendar._state(rules)
