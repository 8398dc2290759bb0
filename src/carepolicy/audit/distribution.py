"""How long things took: counts of durations that can be added up in any order, with their quantiles."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

MOST = 20_000
"""So many different durations are counted one by one; of more, those that differ by less than a thousandth are one."""

AT_A_TIME = 4_096
"""So many durations are noted before they are counted."""

_FINE = 1 << 10
"""Steps within each doubling of a duration, where durations are rounded."""


def rounded(value: int) -> int:
    """A duration to within a thousandth: the middle of the step in which it lies. Small ones stay as they are."""
    shift = max(0, value.bit_length() - _FINE.bit_length())
    return value if shift == 0 else ((value >> shift) << shift) + (1 << shift) // 2


class Distribution:
    """Counts by duration (whole microseconds, none below zero).

    Once there are more than ``MOST`` different durations, all of them are rounded. So it does not matter in which order
    they came, and parts that were counted apart add up to the same figures, to the digit.
    """

    __slots__ = ("_counts", "_is_rounded", "_waiting")

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._is_rounded = False
        self._waiting: list[int] = []

    def add(self, value: int) -> None:
        """Count a duration."""
        self._waiting.append(value)
        if len(self._waiting) == AT_A_TIME:
            self._add_up()

    def add_some(self, values: Sequence[int]) -> None:
        """Count several durations."""
        if self._is_rounded:
            values = [rounded(value) for value in values]
        self._counts.update(values)
        if len(self._counts) > MOST and not self._is_rounded:
            self._round()

    def add_all(self, other: Distribution) -> None:
        """Count what another has counted."""
        self._add_up()
        if other._is_rounded:
            self._round()
        for value, times in other.counts.items():
            self._add(value, times)

    @property
    def counts(self) -> dict[int, int]:
        """How many there are of each duration."""
        self._add_up()
        return self._counts

    def _add_up(self) -> None:
        """Count what was only noted: few at a time take as long as many."""
        waiting, self._waiting = self._waiting, []
        self.add_some(waiting)

    def _add(self, value: int, times: int) -> None:
        counts = self._counts
        if self._is_rounded:
            value = rounded(value)
        counts[value] = counts.get(value, 0) + times
        if len(counts) > MOST and not self._is_rounded:
            self._round()

    def _round(self) -> None:
        if self._is_rounded:
            return
        self._is_rounded = True
        before, self._counts = self._counts, Counter()
        for value, times in before.items():
            self._add(value, times)

    def quantiles(self, shares: Iterable[float]) -> list[float | None]:
        """The durations in seconds below which these shares lie, between two neighbours in proportion (as the median of
        an even number is their middle); None of nothing."""
        counts = self.counts
        if not counts:
            return [None for _ in shares]
        values = sorted(counts)
        ends = [*accumulate(counts[value] for value in values)]
        return [_at(values, ends, share * (ends[-1] - 1)) for share in shares]

    def summary(self) -> dict[str, float | None]:
        """The median, the ninetieth and the ninety-ninth percentile, in seconds."""
        middle, high, highest = self.quantiles((0.5, 0.9, 0.99))
        return {"p50": middle, "p90": high, "p99": highest}


def _at(values: list[int], ends: list[int], place: float) -> float:
    """The value at a place of the sorted list, in seconds; between two places in proportion."""
    below = math.floor(place)
    first, second = _value_at(values, ends, below), _value_at(values, ends, math.ceil(place))
    return round((first + (second - first) * (place - below)) / 1e6, 6)


def _value_at(values: list[int], ends: list[int], place: int) -> int:
    return values[bisect_right(ends, place)]


def wilson(hits: int, total: int) -> tuple[float, float] | None:
    """The interval in which a share lies with a confidence of 95 %; None of nothing.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927), with z = 1.959964.
    """
    if not total:
        return None
    z = 1.959964
    share = hits / total
    middle = share + z * z / (2 * total)
    reach = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
