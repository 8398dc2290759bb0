"""Open time that is compiled as far as questions reach, a span of whole years at a time.

What is compiled never moves a position. A calendar is pickled with what it has compiled.
"""

from __future__ import annotations

import pickle
from array import array
from dataclasses import replace
from datetime import date, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.bounds import FIRST_YEAR, HIGH, LAST_YEAR, LOW, OUT, TWO_YEARS, midnight_of
from carepolicy.businesstime.compiling import Day, open_days
from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.businesstime.limit import DAY_US
from carepolicy.businesstime.span import LISTS, NUMBERS, Span, build, join
from carepolicy.businesstime.zones import ZoneLine, zone_line, zone_named

if TYPE_CHECKING:
    from carepolicy.businesstime.rules import Rules

ANCHOR = 2024
"""The year at whose beginning positions are zero; what is compiled always reaches from it to what is asked."""

PACKED_YEARS = (2015, 2035)
"""The years that a pickled calendar bears at least, so that it needs no library for them when it is loaded."""


class GrowingTime:
    """The compiled open time of ``rules``, which grows on demand. Safe to use from several threads."""

    __slots__ = ("_closed", "_first", "_growing", "_last", "_rules", "_span", "_zone", "name")

    def __init__(self, rules: Rules, name: str) -> None:
        self._rules: Rules | bytes = rules
        self.name = name
        self._growing = Lock()
        self._first, self._last = ANCHOR, ANCHOR - 1
        self._closed: dict[int, str] = {}
        zone = zone_named(rules.timezone)
        at = midnight_of(date(ANCHOR, 1, 1).toordinal())
        self._zone: ZoneLine = zone_line(zone, at - 5 * DAY_US, at + 5 * DAY_US)
        start = self._zone.utc(at)
        self._span: Span = build([], start, start, 0, 0)

    @property
    def rules(self) -> Rules:
        """What the calendar says. One that was pickled reads them when they are first needed: due times do without."""
        rules = self._rules
        if isinstance(rules, bytes):
            self._rules = rules = pickle.loads(rules)
        return rules

    def __getstate__(self) -> dict[str, Any]:
        self.prepare(*PACKED_YEARS)
        span, zone = self._span, self._zone
        return {
            "name": self.name,
            "rules": pickle.dumps(self.rules),
            "years": (self._first, self._last),
            "closed": self._closed,
            "zone": (array("q", zone.instants), array("q", zone.offsets), zone.end),
            "numbers": {name: getattr(span, name) for name in NUMBERS},
            "lists": {name: array("q", getattr(span, name)) for name in LISTS},
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.name, self._rules, self._closed = state["name"], state["rules"], state["closed"]
        self._first, self._last = state["years"]
        self._growing = Lock()
        instants, offsets, end = state["zone"]
        self._zone = ZoneLine(instants.tolist(), offsets.tolist(), end)
        self._span = Span(**state["numbers"], **{name: values.tolist() for name, values in state["lists"].items()})

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
            while not 0 <= number - self._span.first_number < len(self._span.starts):
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
        """Compile up to these years, as far as calendars go; the caller holds the lock."""
        first_year, last_year = max(first_year, FIRST_YEAR), min(last_year, LAST_YEAR)
        span = self._span
        if last_year > self._last:
            days = self._compile(self._last + 1, last_year)
            number = span.first_number + len(span.starts)
            after = build(days, span.end, self._new_year(last_year + 1), span.last_position, number)
            if self._last < self._first:
                after = replace(after, begin=self._new_year(self._first) + DAY_US)
                span = after
            else:
                span = join(span, after)
            self._last = last_year
        if first_year < self._first:
            days = self._compile(first_year, self._first - 1)
            total = sum(closing - opening for day in days for opening, closing in day.pieces)
            position, number = span.first_position - total, span.first_number - len(days)
            begin = self._new_year(first_year) + DAY_US
            span = join(build(days, begin, span.begin, position, number), span)
            self._first = first_year
        self._span = span

    def _compile(self, first_year: int, last_year: int) -> list[Day]:
        begin = midnight_of(date(first_year, 1, 1).toordinal()) - 7 * DAY_US
        end = midnight_of(date(last_year, 12, 31).toordinal()) + 7 * DAY_US
        if begin < self._zone.instants[0] or end > self._zone.end:
            self._zone = self._zone.joined(zone_named(self.rules.timezone), begin, end)
        closed = self.rules.closed_days(first_year - 1, last_year)
        self._closed = self._closed | closed
        return open_days(self.rules, self._zone, first_year, last_year, closed)

    def _new_year(self, year: int) -> int:
        """The first instant of a year. Hours of its eve may still run then, but not a day later."""
        return self._zone.utc(midnight_of(date(year, 1, 1).toordinal()))
