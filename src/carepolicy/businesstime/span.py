"""The open time of some whole years as sorted lists."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.businesstime.rules import Day

Packed = tuple[int, int, int, int, tuple[int, ...], bytes]
"""A span as plain numbers: those of ``Span`` up to the lists, how long the lists are, and their numbers as bytes."""


class Span:
    """The open time of some whole years. Questions between ``begin`` and ``end`` can be answered.

    By open stretch: ``opens``, ``closes``, ``lifts`` (its position less its opening), ``befores`` (its position). By
    open day: ``totals`` (open time), ``ends`` (closing instant), ``midnights``, ``ordinals`` (of the date), ``firsts``
    (the index of its first stretch). Nothing of it is ever changed.

    The same once more, as a question needs it at once. By stretch: ``stretches`` (its opening, that of the next or the
    end of the span, its closing, its lift), ``places`` (its position, that of its closing, its lift), ``shares`` (its
    opening, that of the next, its closing, its lift less the position of its day, the day's open time, the day's
    index). By day: ``days`` (position, open time, and of its last stretch position, lift and index). From ``low`` on a
    question is about some stretch.
    """

    # Written out, as every short command imports it: making a frozen dataclass takes as long as all of a small module.
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
    import zlib
    from array import array

    steps = (after - before for each in lists if each for before, after in pairwise((0, *each)))
    return zlib.compress(array("q", steps).tobytes())


def unpacked(packed: Packed) -> Span:
    """The span that was packed."""
    import zlib

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
