"""Reckoning on dates and the local clock: months, rolling to open days, limits that hang on a fact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from carepolicy.businesstime.errors import OutOfRange
from carepolicy.businesstime.instants import FIRST_ORDINAL, OUT, midnight_of
from carepolicy.businesstime.opentime import OpenTime
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, CLOSE_OF_BUSINESS, DAY, DAY_US, MONTHS, Limit


def later_date(day: date, months: int) -> date:
    """The same date some months on (or back), clamped to the last day of its month."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1969 <= years <= 2201:
        raise OutOfRange(OUT)
    first_of_next = date(years + (month == 11), (month + 1) % 12 + 1, 1)
    last = date.fromordinal(first_of_next.toordinal() - 1).day
    return date(years, month + 1, min(day.day, last))


def months_later(calendar: OpenTime, instant: int, months: int) -> int:
    """The same time of the local clock on the date some months on, clamped to the month's last day."""
    ordinal, time = divmod(calendar.local(instant), DAY_US)
    day = later_date(date.fromordinal(ordinal + FIRST_ORDINAL), months)
    return calendar.utc(midnight_of(day.toordinal()) + time)


def end_of(calendar: OpenTime, day: date) -> int:
    """The instant at which a date ends on the local clock."""
    if not 1970 <= day.year <= 2200:
        raise OutOfRange(OUT)
    return calendar.utc(midnight_of(day.toordinal() + 1))


def rolled(calendar: OpenTime, instant: int, ends_date: bool) -> int:
    """See ``Calendar.roll``."""
    if calendar.is_inside_us(instant):
        return instant
    ordinal, time = divmod(calendar.local(instant - ends_date), DAY_US)
    day = calendar.open_date_from(ordinal + FIRST_ORDINAL, instant)
    if day == ordinal + FIRST_ORDINAL:
        return instant
    return calendar.utc(midnight_of(day + 1) if ends_date else midnight_of(day) + time)


def is_end_of_date(calendar: OpenTime, instant: int) -> bool:
    """Whether a date ends at an instant; the next one may begin later than at midnight, or be left out."""
    return calendar.local(instant - 1) // DAY_US < calendar.local(instant) // DAY_US


def hanging_on(calendar: OpenTime, limit: Limit, facts: Mapping[str, Any]) -> int | None:
    """When a limit that hangs on a fact falls due; None where the fact has no value.

    A date stands for its end, so that the whole day counts.
    """
    value = facts.get(limit.fact or "")
    if isinstance(value, date):
        return _from_date(calendar, limit, value)
    if not isinstance(value, int):
        return None
    if limit.offset is None:
        return value
    return _from_instant(calendar, limit.offset, limit.direction, value)


def _from_date(calendar: OpenTime, limit: Limit, day: date) -> int:
    offset = limit.offset
    if offset is not None and offset.kind == MONTHS:
        return end_of(calendar, later_date(day, limit.direction * offset.amount))
    if offset is not None and offset.kind == CLOSE_OF_BUSINESS:
        # The end of a date is the first instant of the next one: days are counted from the date itself.
        return _from_instant(calendar, offset, limit.direction, end_of(calendar, day) - 1)
    if offset is not None and offset.kind == BUSINESS_DAYS and limit.direction < 0 and offset.amount >= DAY:
        return calendar.day_instant(calendar.position_before_date(day.toordinal()) + DAY - offset.amount)
    end = end_of(calendar, day)
    return end if offset is None else _from_instant(calendar, offset, limit.direction, end)


def _from_instant(calendar: OpenTime, offset: Limit, direction: int, instant: int) -> int:
    """``offset`` after or before an instant. Before: the last instant from which it falls due by then."""
    amount = offset.amount
    if offset.kind == BUSINESS_TIME:
        position = calendar.position(instant)
        return calendar.instant(position + amount) if direction > 0 else calendar.last_instant(position - amount)
    if offset.kind == BUSINESS_DAYS:
        position = calendar.day_position(instant)
        if direction > 0:
            return calendar.day_instant(position + amount)
        return calendar.last_day_instant(position - amount)
    if offset.kind == CLOSE_OF_BUSINESS:
        if direction > 0:
            return calendar.date_instant(calendar.date_position(instant) + amount)
        midnight = calendar.utc(calendar.local(instant) // DAY_US * DAY_US)
        return calendar.date_instant(calendar.date_position(midnight - 1) - amount + DAY)
    if offset.kind == MONTHS:
        return months_later(calendar, instant, direction * amount)
    return instant + direction * amount
