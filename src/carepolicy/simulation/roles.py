"""Roles: who works in them, in which hours, and when they are away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.businesstime.calendar import Calendar

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A person as the staff file tells of one: the kinds of work that they do (None: all of the role's), the times at
    which they are away, and the share of days on which they are absent besides."""

    name: str
    does: frozenset[int] | None
    away: tuple[Stretch, ...]
    absent: float


@dataclass(frozen=True, slots=True)
class Role:
    """A role's staff. ``first`` are the facts and values of cases that are taken first."""

    name: str
    calendar: Calendar
    members: tuple[Member, ...]
    first: tuple[tuple[str, object], ...] = ()


def days_of(calendar: Calendar, begin: int, end: int) -> list[Stretch]:
    """The open days between two instants, each from its first opening to its last closing."""
    span = calendar.span_over(begin, end)
    found = []
    lasts = [*span.firsts[1:], len(span.opens)]
    for first, last in zip(span.firsts, lasts, strict=True):
        if span.opens[first] < end and span.closes[last - 1] > begin:
            found.append((span.opens[first], span.closes[last - 1]))
    return found


def merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Stretches of time in order, those that touch made one."""
    found: list[Stretch] = []
    for first, last in sorted(stretches):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found
