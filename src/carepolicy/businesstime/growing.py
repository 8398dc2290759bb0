"""Open time that is compiled as far as questions reach, a span of whole years at a time.

What is compiled never moves a position. A calendar is packed with what it has compiled, year by year, and takes out
of that only the years that questions reach.
"""

from __future__ import annotations

import marshal
from _thread import allocate_lock  # threading.Lock, without the rest of its module
from datetime import date, timedelta
from typing import TYPE_CHECKING

from carepolicy.businesstime.bounds import FIRST_YEAR, HIGH, LAST_YEAR, LOW, OUT, TWO_YEARS, midnight_of
from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.businesstime.span import Packed, Span, build, joined, unpacked
from carepolicy.businesstime.zones import ZoneLine, zone_line, zone_named
from carepolicy.policy.limit import DAY_US

if TYPE_CHECKING:
    from typing import Self

    from carepolicy.businesstime.compiling import Day
    from carepolicy.businesstime.rules import Rules

ANCHOR = 2024
"""The year at whose beginning positions are zero; what is compiled reaches from it to what is asked."""

PACKED_YEARS = (2015, 2035)
"""The years that a packed calendar bears at least, so that it needs no library for them when it is loaded."""


class GrowingTime:
    """The compiled open time of ``rules``, which grows on demand. Safe to use from several threads."""

    __slots__ = ("_closed", "_first", "_growing", "_last", "_packed", "_rules", "_span", "_zone", "name")

    def __init__(self, rules: Rules, name: str) -> None:
        self._rules: Rules | bytes = rules
        self.name = name
        self._growing = allocate_lock()
        self._first, self._last = ANCHOR, ANCHOR - 1
        self._closed: dict[int, str] = {}
        zone = zone_named(rules.timezone)
        at = midnight_of(date(ANCHOR, 1, 1).toordinal())
        self._zone: ZoneLine = zone_line(zone, at - 5 * DAY_US, at + 5 * DAY_US)
        self._span = self._nothing()
        self._packed: dict[int, Packed] = {}

    def _nothing(self) -> Span:
        """The span of no year, at the beginning of the anchor."""
        start = self._zone.utc(midnight_of(date(ANCHOR, 1, 1).toordinal()))
        return Span(start, start, 0, 0, [], [], [], [], [])

    @property
    def rules(self) -> Rules:
        """What the calendar says. A packed one reads them when they are first needed: due times do without."""
        rules = self._rules
        if isinstance(rules, bytes):
            import pickle

            self._rules = rules = pickle.loads(rules)
        return rules

    def packed(self) -> bytes:
        """The calendar with what it has compiled, as bytes that are only to be read back by the same Python."""
        import pickle

        self.prepare(*PACKED_YEARS)
        with self._growing:
            self._grow(min(self._packed, default=ANCHOR), max(self._packed, default=ANCHOR))
        zone = self._zone
        years = {year: self._pack(year) for year in range(self._first, self._last + 1)}
        state = (
            self.name, pickle.dumps(self.rules), self._closed, (zone.instants, zone.offsets, zone.end), years,
        )  # fmt: skip
        return marshal.dumps(state)

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
        self._growing = allocate_lock()
        self._zone = ZoneLine(*zone)
        self._span = self._nothing()
        self._first, self._last = ANCHOR, ANCHOR - 1

    def _pack(self, year: int) -> Packed:
        ordinals = range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
        return self._span.packed(self._new_year(year) + DAY_US, self._new_year(year + 1), ordinals)

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
            begin, end = self._new_year(year) + DAY_US, self._new_year(last_year + 1)
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
            total = sum(closing - opening for day in days for opening, closing in day.pieces)
            position, number = spans[0].first_position - total, spans[0].first_number - len(days)
            begin, end = self._new_year(first_year) + DAY_US, self._new_year(year + 1)
            spans.insert(0, build(days, begin, end, position, number))
        self._span, self._first = joined(spans), first_year

    def _compile(self, first_year: int, last_year: int) -> list[Day]:
        begin = midnight_of(date(first_year, 1, 1).toordinal()) - 7 * DAY_US
        end = midnight_of(date(last_year, 12, 31).toordinal()) + 7 * DAY_US
        if begin < self._zone.instants[0] or end > self._zone.end:
            self._zone = self._zone.joined(zone_named(self.rules.timezone), begin, end)
        from carepolicy.businesstime.compiling import open_days

        closed = self.rules.closed_days(first_year - 1, last_year)
        self._closed = self._closed | closed
        return open_days(self.rules, self._zone, first_year, last_year, closed)

    def _new_year(self, year: int) -> int:
        """The first instant of a year. Hours of its eve may still run then, but not a day later."""
        return self._zone.utc(midnight_of(date(year, 1, 1).toordinal()))
