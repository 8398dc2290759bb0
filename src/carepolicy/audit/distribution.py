"""How long things took: counts of durations that can be added up in any order, with their quantiles."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

MOST = 20_000
"""So many different durations are counted one by one; of more, those that differ by less than a thousandth are one."""

_FINE = 1 << 10
"""Steps within each doubling of a duration, where durations are rounded."""


def rounded(value: int) -> int:
    """A duration to within a thousandth: the middle of the step in which it lies. Small ones stay as they are."""
    shift = max(0, value.bit_length() - _FINE.bit_length())
    return value if shift == 0 else ((value >> shift) << shift) + (1 << shift) // 2


class Distribution:
    """Counts by duration (whole microseconds, none below zero).

    Whether durations are rounded hangs only on which there are, and not on the order in which they came, so that parts
    that were counted apart add up to the same figures, to the digit.
    """

    __slots__ = ("counts", "is_rounded", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.is_rounded = False
        self.total = 0

    def add(self, value: int, times: int = 1) -> None:
        """Count a duration."""
        if self.is_rounded:
            value = rounded(value)
        counts = self.counts
        counts[value] = counts.get(value, 0) + times
        self.total += times
        if len(counts) > MOST and not self.is_rounded:
            self._round()

    def add_all(self, other: Distribution) -> None:
        """Count what another has counted."""
        if other.is_rounded and not self.is_rounded:
            self._round()
        for value, times in other.counts.items():
            self.add(value, times)

    def _round(self) -> None:
        self.is_rounded = True
        counts: dict[int, int] = {}
        for value, times in self.counts.items():
            near = rounded(value)
            counts[near] = counts.get(near, 0) + times
        self.counts = counts

    def quantiles(self, shares: Iterable[float]) -> list[float | None]:
        """The durations in seconds below which these shares lie, between two neighbours in proportion (as the median of
        an even number is their middle); None of nothing."""
        if not self.total:
            return [None for _ in shares]
        values = sorted(self.counts)
        ends: list[int] = []
        seen = 0
        for value in values:
            seen += self.counts[value]
            ends.append(seen)
        return [_at(values, ends, share * (self.total - 1)) for share in shares]

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
