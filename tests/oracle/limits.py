"""Limits as LANGUAGE.md has them: how they are written, and when one falls due that was used up to here."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from oracle.hours import DAY, MINUTE, SECOND, Hours, clock_face, first_showing

UNITS = {"second": SECOND, "minute": MINUTE, "hour": 60 * MINUTE, "day": DAY, "week": 7 * DAY}
LENGTH = re.compile(r"(\d+) (business )?(second|minute|hour|day|week|month)s?$")
BASIS = {"business_time": "business_time", "business_days": "business_days", "closings": "business_days"}


@dataclass(frozen=True)
class Limit:
    """One limit; ``measure`` is what it counts, ``amount`` how much of it, ``fact`` what it hangs on."""

    measure: str
    amount: int = 0
    strict: bool = False
    fact: str = ""
    way: str = ""
    unit: str = ""

    @property
    def basis(self) -> str:
        return BASIS.get(self.measure, "elapsed")

    @property
    def timed(self) -> bool:
        return self.basis == "elapsed"


def read_limit(text: str) -> Limit:
    strict = text.startswith("less than ")
    text = text.removeprefix("less than ")
    if text.startswith("until "):
        return Limit("until", fact=text.removeprefix("until "), strict=strict)
    if text.startswith("close of business day "):
        return Limit("closings", int(text.split()[-1]) * DAY, strict)
    for way in ("before", "after"):
        length, found, fact = text.partition(f" {way} ")
        if found:
            inner = read_limit(length)
            return Limit("relative", inner.amount, strict, fact, way, inner.measure)
    match = LENGTH.match(text)
    assert match, f"unreadable limit: {text}"
    number, business, unit = int(match[1]), match[2], match[3]
    if unit == "month":
        return Limit("month", number, strict)
    if business:
        return Limit("business_days" if unit == "day" else "business_time", number * UNITS[unit], strict)
    return Limit("elapsed", number * UNITS[unit], strict)


def months_later(hours: Hours, start: int, months: int) -> int:
    """The same date and time of a later month, or its last day."""
    face = clock_face(hours.zone, start)
    year, month = divmod(face.year * 12 + face.month - 1 + months, 12)
    return first_showing(
        hours.zone, face.replace(year=year, month=month + 1, day=min(face.day, monthrange(year, month + 1)[1]))
    )


def named_instant(limit: Limit, value: int | date | None, hours: Hours) -> int | None:
    """The instant of ``until FACT``, or so long before or after it. A date stands for its end."""
    if value is None:
        return None
    at = hours.end_of(value) if isinstance(value, date) else value
    if limit.measure == "until":
        return at
    if limit.unit == "elapsed":
        return at + limit.amount if limit.way == "after" else at - limit.amount
    if limit.way == "after":
        return hours.add(limit.unit, at, Fraction(limit.amount))
    if isinstance(value, date) and limit.unit == "business_days":
        return hours.last_closing(hours.open_day_before(value, limit.amount // DAY))
    return hours.before(limit.unit, at, Fraction(limit.amount), latest=True)


def rest_from(limit: Limit, hours: Hours, begin: int, rest: Fraction, after: date) -> int:
    """When ``rest`` of a length is used up by a clock that goes on at ``begin``; less than nothing: when it was."""
    if limit.timed:
        return begin + int(rest)
    if limit.measure == "closings":
        number = int(rest // DAY)
        if number > 0:
            return hours.closing(begin, number, after)
        return hours.add("business_time", begin, Fraction(0)) if number == 0 else hours.closing_back(begin, 1 - number)
    if rest > 0 or (rest == 0 and not limit.strict):
        return hours.add(limit.measure, begin, rest)
    return hours.before(limit.measure, begin, -rest, latest=False)


def rolled(hours: Hours, due: int) -> int:
    """A due time on a closed day moves to the next open one, at the same time of the day."""
    day = hours.day_of(due, closing=True)
    if hours.is_open(day):
        return due
    return first_showing(hours.zone, clock_face(hours.zone, due) + (hours.next_open_day(day) - day))
