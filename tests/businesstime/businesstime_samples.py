"""Calendars that the tests of business time share."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from carepolicy.businesstime import Calendar
from carepolicy.policy.model import Holidays, Interval
from carepolicy.policy.places import At

AT = At("organisation.yaml", ("calendars", "office"))
Hours = tuple[tuple[Interval, ...], ...]


def hours(*texts: str) -> tuple[Interval, ...]:
    """``09:00-12:30`` as seconds; a closing at or before its opening is on the next day."""
    found = []
    for text in texts:
        opening, closing = (int(each[:2]) * 3600 + int(each[3:]) * 60 for each in text.split("-"))
        found.append((opening, closing if closing > opening else closing + 86_400))
    return tuple(found)


def week(
    monday_to_friday: tuple[Interval, ...], saturday: tuple[Interval, ...] = (), sunday: tuple[Interval, ...] = ()
) -> Hours:
    return (monday_to_friday,) * 5 + (saturday, sunday)


NINE_TO_FIVE = week(hours("09:00-17:00"))
GB = Holidays("GB", "ENG", (), (), AT)


def office(timezone: str = "Europe/London", **more: object) -> Calendar:
    """Monday to Friday, 09:00 to 17:00."""
    return Calendar(timezone, NINE_TO_FIVE, name="office", **more)


def at(text: str, zone: str = "Europe/London", fold: int = 0) -> datetime:
    """A local time as an aware datetime."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
