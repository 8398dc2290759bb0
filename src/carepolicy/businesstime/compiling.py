"""Turns the rules of a calendar into open stretches on the UTC line, day by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from carepolicy.businesstime.bounds import midnight_of
from carepolicy.businesstime.zones import ZoneLine
from carepolicy.policy.limit import SECOND

if TYPE_CHECKING:
    from carepolicy.businesstime.rules import Rules

Piece = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Day:
    """An open day: the ordinal of its date, its first instant, and its open stretches in order.

    A stretch belongs to the day on which it opens. Where hours overlap (a night shift that runs into
    the next morning's hours), the time belongs to what opened first, so that no time counts twice.
    """

    ordinal: int
    midnight: int
    pieces: tuple[Piece, ...]


def open_days(rules: Rules, zone: ZoneLine, first_year: int, last_year: int, closed: Mapping[int, str]) -> list[Day]:
    """The open days of these years.

    ``closed`` also covers the last day of the year before, whose hours may pass midnight; no hours reach
    further than that, so each year's days are the same whichever years are asked for.
    """
    first, last = date(first_year, 1, 1).toordinal(), date(last_year, 12, 31).toordinal()
    cuts = sorted((low, high) for file in rules.closures for low, high, _ in file.hours(first_year - 1, last_year + 1))
    found: list[Day] = []
    reached = midnight_of(first - 3)
    for ordinal in range(first - 1, last + 1):
        hours = rules.hours_of(ordinal, closed)
        if not hours:
            continue
        midnight = midnight_of(ordinal)
        pieces: list[Piece] = []
        for opening, closing in sorted(hours):
            begin = max(zone.utc(midnight + opening * SECOND), reached)
            end = zone.utc(midnight + closing * SECOND)
            if begin < end:
                pieces.append((begin, end))
                reached = end
        if cuts:
            pieces = _without(pieces, cuts)
        if pieces and ordinal >= first:
            found.append(Day(ordinal, zone.utc(midnight), tuple(pieces)))
    return found


def _without(pieces: list[Piece], cuts: list[Piece]) -> list[Piece]:
    """The pieces less the cuts, which are in the order of their beginnings."""
    for cut_begin, cut_end in cuts:
        if not pieces or cut_begin >= pieces[-1][1]:
            break
        if cut_end > pieces[0][0]:
            pieces = [
                part
                for begin, end in pieces
                for part in ((begin, min(end, cut_begin)), (max(begin, cut_end), end))
                if part[0] < part[1]
            ]
    return pieces
