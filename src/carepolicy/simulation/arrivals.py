"""When cases come: at a rate, at the times of a file, or as an audit found that they did."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from math import log
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carepolicy.audit.textfiles import NoText, TextFile
from carepolicy.businesstime.errors import OutOfRange
from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.instants import NoInstant, datetime_of, parse
from carepolicy.policy.likeness import with_hint
from carepolicy.policy.limit import DAY, HOUR, MINUTE, NANODAYS, SECOND

if TYPE_CHECKING:
    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.simulation.flows import Profile

Arrivals = Callable[[Random], Iterator[tuple[int, "Profile | None"]]]
"""When cases of a flow come, and with which facts where these are known; ``None`` facts are drawn."""

WEEK = 7 * DAY
_UNITS = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK}
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:per|an|a|/)\s*(business\s+)?([a-z]+)\s*", re.IGNORECASE)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class ArrivalsFault(ValueError):
    """What is wrong with what was said of arrivals."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many cases on average in a unit of time, evenly at random: elapsed, open (``business``), or a business day."""

    amount: float
    unit: str
    business: bool

    def times(self, calendar: Calendar, begin: int) -> Callable[[Random], Iterator[int]]:
        """When cases come, from an instant on."""
        if self.business and self.unit == "day":
            return _spaced(NANODAYS / self.amount, calendar.day_position(begin), calendar.day_instant)
        gap = _UNITS[self.unit] / self.amount
        if self.business:
            return _spaced(gap, calendar.position(begin), calendar.instant)
        return _spaced(gap, begin, None)


def _spaced(gap: float, first: int, instant: Callable[[int], int] | None) -> Callable[[Random], Iterator[int]]:
    """Instants a random time apart, ``gap`` on average, in a measure that ``instant`` translates. They end with the
    years that calendars know."""

    def times(chance: Random) -> Iterator[int]:
        place = float(first)
        rate = 1 / gap
        draw = chance.random
        while True:
            place -= log(1.0 - draw()) / rate  # as ``expovariate``, without a call
            try:
                when = int(place) if instant is None else instant(int(place) + 1)
            except OutOfRange:
                return
            yield when

    return times


def rate_of(text: str) -> Rate | None:
    """The rate that a text says, as "12 per hour" or "40 per business day"; None for a text that is none. Raises
    ``ArrivalsFault`` where it nearly is."""
    found = _RATE.fullmatch(text)
    if found is None:
        return None
    unit = found[3].lower()
    unit = unit if unit in _UNITS else unit.removesuffix("s")
    if unit not in _UNITS:
        raise ArrivalsFault(with_hint(f'"{text}": there is no unit "{found[3]}"', unit, _UNITS))
    if unit == "week" and found[2]:
        raise ArrivalsFault(f'"{text}": business time has no weeks; say how many per business day')
    amount = float(found[1])
    if not amount:
        raise ArrivalsFault(f'"{text}": say how many cases come, as in "12 per hour"')
    if amount > _UNITS[unit]:
        raise ArrivalsFault(f'"{text}": more than a case in each microsecond is no rate at which cases come')
    return Rate(amount, unit, bool(found[2]))


@dataclass(frozen=True, slots=True)
class Profiled:
    """So many cases a week on average, by the weekday and the hour at which they came: shares of each."""

    weekly: float
    weekdays: tuple[float, ...]
    hours: tuple[float, ...]

    def times(self, timezone: str, begin: int) -> Callable[[Random], Iterator[int]]:
        """When cases come, from an instant on."""
        zone = ZoneInfo(timezone)
        most = self.weekly * max(self.weekdays) * max(self.hours) / HOUR

        def times(chance: Random) -> Iterator[int]:
            place = float(begin)
            while True:
                place += chance.expovariate(most)
                local = datetime_of(int(place)).astimezone(zone)
                here = self.weekly * self.weekdays[local.weekday()] * self.hours[local.hour] / HOUR
                if chance.random() * most < here:
                    yield int(place)

        return times


def profile_of(audit: Mapping[str, Any], flow: str) -> Profiled:
    """How cases of a flow came, by an audit. Raises ``ArrivalsFault``."""
    found = audit["flows"].get(flow)
    if found is None or not found["cases"] or not audit.get("from"):
        raise ArrivalsFault(f"the audit has no cases of {flow}")
    try:
        first, last = parse(audit["from"]), parse(audit["to"])
    except NoInstant as fault:
        raise ArrivalsFault(f"the audit does not say from when to when its events are: {fault}") from None
    weeks = max((last - first) / WEEK, 1 / 7)
    by: dict[str, Any] = max((each["by"] for each in found["clocks"].values()), key=_counted, default={})
    weekdays = _shares(by.get("weekday", {}), WEEKDAYS)
    hours = _shares(by.get("hour", {}), [f"{number:02}" for number in range(24)])
    return Profiled(found["cases"] / weeks, weekdays, hours)


def _counted(by: Mapping[str, Any]) -> int:
    return sum(each["met"] + each["late"] for each in by.get("weekday", {}).values())


def _shares(counts: Mapping[str, Any], names: Sequence[str]) -> tuple[float, ...]:
    numbers = [counts[name]["met"] + counts[name]["late"] if name in counts else 0 for name in names]
    total = sum(numbers)
    return tuple(each / total if total else 1 / len(names) for each in numbers)


@dataclass(frozen=True, slots=True)
class Listed:
    """Cases of a file: of which flow, when, with which facts as texts, and in which line."""

    flow: str | None
    when: int
    facts: Mapping[str, str]
    line: int


def read_times(path: str, timezone: str) -> list[Listed]:
    """The cases of a CSV file with a column ``time``, perhaps one ``flow``, and others named for facts. Raises
    ``ArrivalsFault``, which names the line."""
    zone = ZoneInfo(timezone)
    found = []
    try:
        file = TextFile.seen(path, None, True)
        with file.opened() as text:
            mark = max(",;\t", key=file.begins.partition("\n")[0].count)
            rows = csv.DictReader(text, delimiter=mark, strict=True)
            names = [(name or "").strip() for name in rows.fieldnames or ()]
            if "time" not in names:
                raise ArrivalsFault(with_hint(f"{path}:1: no column is called time", "time", names))
            rows.fieldnames = names
            for row in rows:
                if None in row:
                    raise ArrivalsFault(f"{path}:{rows.line_num}: this row has more columns than the first line")
                told = {name: (value or "").strip() for name, value in row.items()}
                when = _instant(told.pop("time"), zone, f"{path}:{rows.line_num}")
                flow = told.pop("flow", "") or None
                found.append(Listed(flow, when, {name: value for name, value in told.items() if value}, rows.line_num))
    except csv.Error as fault:
        raise ArrivalsFault(f"{path}:{rows.line_num}: {fault}") from None
    except UnicodeError:
        raise ArrivalsFault(f"{path} is not written in {file.encoding}: save it as CSV in UTF-8") from None
    except NoText as fault:
        raise ArrivalsFault(f"{path} {fault}") from None
    if not found:
        raise ArrivalsFault(f"{path}: no case stands in it")
    return found


def _instant(text: str, zone: ZoneInfo, place: str) -> int:
    try:
        named = datetime.fromisoformat(text)
        return microseconds((named if named.tzinfo is not None else named.replace(tzinfo=zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        raise ArrivalsFault(f'{place}: "{text}" is no time; write it as 2026-03-06 16:30') from None


def drawn(times: Callable[[Random], Iterator[int]]) -> Arrivals:
    """Cases at drawn times, with drawn facts."""
    return lambda chance: zip(times(chance), repeat(None))


def listed(cases: Sequence[tuple[int, Profile | None]]) -> Arrivals:
    """Cases at known times: the same in each run."""
    return lambda chance: iter(cases)
