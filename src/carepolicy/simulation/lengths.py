"""Lengths of time as they are drawn: how long work takes, and how long others take to act."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, log1p, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.language.staff import Length
    from carepolicy.policy.limit import LimitText

Draw = Callable[[float], int]
"""Makes a length of time in microseconds of a number that lies evenly between 0 and 1."""

_NORMAL = NormalDist()
_Z90 = _NORMAL.inv_cdf(0.9)
_LEAST, _MOST = 1e-12, 1 - 1e-12


def exponential(mean: float) -> Draw:
    """Lengths as of calls: most are short."""

    def draw(share: float) -> int:
        try:
            return round(-mean * log1p(-share))
        except ValueError:  # 1 itself, to which a number may be rounded
            return round(-mean * log1p(2.0**-53 - 1))

    return draw


def fixed(mean: float) -> Draw:
    """All alike."""
    length = round(mean)
    return lambda share: length


def lognormal(median_log: float, sigma: float) -> Draw:
    """Lengths whose logarithms are normal, as those of most work are."""
    inverse = _NORMAL.inv_cdf

    def draw(share: float) -> int:
        if not _LEAST < share < _MOST:
            share = min(max(share, _LEAST), _MOST)
        return round(exp(median_log + sigma * inverse(share)))

    return draw


def from_percentiles(p50: float, p90: float) -> Draw:
    """Lognormal lengths of which half do not exceed ``p50``, and nine of ten not ``p90``, in microseconds."""
    if p50 <= 0 or p90 <= p50:
        return fixed(max(p50, 0))
    return lognormal(log(p50), log(p90 / p50) / _Z90)


def drawn_as(length: Length) -> Draw:
    """How a length that a staff file gives is drawn."""
    mean = _amount(length.mean)
    if length.spread == "fixed":
        return fixed(mean)
    if length.p90 is not None:
        # With z the normal quantile of 0.9: ln(p90 / mean) = z * sigma - sigma² / 2, and the smaller sigma is meant.
        ratio = log(_amount(length.p90) / mean)
        sigma = _Z90 - sqrt(max(_Z90 * _Z90 - 2 * ratio, 0.0))
        return lognormal(log(mean) - sigma * sigma / 2, sigma)
    return exponential(mean)


def _amount(text: LimitText) -> int:
    """The microseconds of a length, which the check of the staff file has found right."""
    return 0 if text.limit is None else int(text.limit.amount)
