"""What a calendar says (hours by weekday, holidays, closed ranges, closures, one-off hours), and the days it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

from carepolicy.businesstime.closures import Closures
from carepolicy.businesstime.errors import CalendarError
from carepolicy.businesstime.holidays import holiday_names
from carepolicy.businesstime.instants import midnight_of
from carepolicy.businesstime.zones import ZoneLine
from carepolicy.policy.language.calendar import hours_on, season_of
from carepolicy.policy.limit import SECOND

if TYPE_CHECKING:
    from carepolicy.policy.language.calendar import Closing, Season
    from carepolicy.policy.model import Holidays, Interval
    from carepolicy.policy.places import At


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a calendar. ``open`` wins over every rule that closes a whole day, and over seasons.

    ``hours[0]`` is Monday, in seconds after local midnight; ``open`` maps the ordinal of a date to its hours.
    """

    timezone: str
    hours: tuple[tuple[Interval, ...], ...]
    holidays: Holidays | None
    closed: tuple[Closing, ...]
    open: Mapping[int, tuple[Interval, ...]]
    closures: tuple[Closures, ...]
    seasons: tuple[Season, ...] = ()

    def hours_of(self, ordinal: int, closed: Mapping[int, str]) -> tuple[Interval, ...]:
        """The hours of a date, where ``closed`` are the dates on which it is closed."""
        if ordinal in self.open:
            return self.open[ordinal]
        if ordinal in closed:
            return ()
        if self.seasons:
            return hours_on(date.fromordinal(ordinal), self.hours, self.seasons)
        return self.hours[(ordinal - 1) % 7]

    def season_of(self, ordinal: int) -> Season | None:
        """The season that gives the hours of a date; None where nothing, or what is more special, does."""
        return None if ordinal in self.open else season_of(date.fromordinal(ordinal), self.seasons)

    def closed_days(self, first_year: int, last_year: int) -> dict[int, str]:
        """Why it is closed on whole days of these years, by the ordinal of the date."""
        first, last = date(first_year, 1, 1).toordinal(), date(last_year, 12, 31).toordinal()
        found: dict[int, str] = {}
        for closure in self.closures:
            for begin, end, reason in closure.days(first_year, last_year):
                for ordinal in range(max(begin, first), min(end, last) + 1):
                    found[ordinal] = reason
        for closing in self.closed:
            for begin_date, end_date in closing.times(first_year, last_year):
                reason = f"closed {begin_date}" + (f" to {end_date}" if end_date != begin_date else "")
                reason = f"{closing.title} ({reason})" if closing.title else reason
                for ordinal in range(max(begin_date.toordinal(), first), min(end_date.toordinal(), last) + 1):
                    found[ordinal] = reason
        if self.holidays is not None:
            found |= holiday_names(self.holidays, first_year, last_year)
        return found


def check_hours(
    hours: tuple[tuple[Interval, ...], ...],
    one_off: Mapping[date, tuple[Interval, ...]],
    at: At | None,
    seasons: tuple[Season, ...] = (),
) -> None:
    """Raise ``CalendarError`` for hours that cannot be."""
    if any(len(week) != 7 for week in (hours, *(each.hours for each in seasons))):
        raise CalendarError("a calendar has the hours of seven weekdays", "", at)
    for one, other in combinations(seasons, 2):
        if one.meets(other):
            raise CalendarError(f"the seasons {one} and {other} overlap", "end one before the other begins", at)
    said = [*zip(WEEKDAYS, hours, strict=True), *((str(day), each) for day, each in one_off.items())]
    for season in seasons:
        said += [(f"{name} ({season})", each or ()) for name, each in zip(WEEKDAYS, season.hours, strict=True)]
    for name, intervals in said:
        for opening, closing in intervals:
            if not (0 <= opening < 86_400 and opening < closing <= opening + 86_400):
                hint = "a day opens between 00:00 and 23:59, and closes later and within 24 hours"
                raise CalendarError(f"the hours of {name} cannot be", hint, at)


Stretch = tuple[int, int]
"""The first instant of some open time and the end of it."""


@dataclass(frozen=True, slots=True)
class Day:
    """An open day: the ordinal of its date, its first instant, and its open stretches in order.

    A stretch belongs to the day on which it opens. Where hours overlap (a night shift that runs into
    the next morning's hours), the time belongs to what opened first, so that no time counts twice.
    """

    ordinal: int
    midnight: int
    stretches: tuple[Stretch, ...]


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
        stretches: list[Stretch] = []
        for opening, closing in sorted(hours):
            begin = max(zone.utc(midnight + opening * SECOND), reached)
            end = zone.utc(midnight + closing * SECOND)
            if begin < end:
                stretches.append((begin, end))
                reached = end
        if cuts:
            stretches = _without(stretches, cuts)
        if stretches and ordinal >= first:
            found.append(Day(ordinal, zone.utc(midnight), tuple(stretches)))
    return found


def _without(stretches: list[Stretch], cuts: list[Stretch]) -> list[Stretch]:
    """The stretches less the cuts, which are in the order of their beginnings."""
    for cut_begin, cut_end in cuts:
        if not stretches or cut_begin >= stretches[-1][1]:
            break
        if cut_end > stretches[0][0]:
            stretches = [
                rest
                for begin, end in stretches
                for rest in ((begin, min(end, cut_begin)), (max(begin, cut_end), end))
                if rest[0] < rest[1]
            ]
    return stretches
