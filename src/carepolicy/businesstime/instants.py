"""Instants: microseconds since 1970-01-01T00:00Z, and the years that calendars know, 1970 to 2200."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from carepolicy.businesstime.errors import OutOfRange
from carepolicy.policy.limit import DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST_ORDINAL = date(1970, 1, 1).toordinal()

FIRST_YEAR, LAST_YEAR = 1969, 2201
"""The years that may be compiled: one more at either end, since zones begin and end theirs earlier or later."""

LOW, HIGH = 0, (date(LAST_YEAR, 1, 1).toordinal() - FIRST_ORDINAL) * DAY

TWO_YEARS = 731 * DAY
"""A calendar without open time for so long is an error."""

OUT = "calendars know the years 1970 to 2200, and the time asked for lies outside of them"


def midnight_of(ordinal: int) -> int:
    """The local reading of the clock at which a date begins."""
    return (ordinal - FIRST_ORDINAL) * DAY


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime. Raises ``ValueError`` for a naive one."""
    try:
        return (at - EPOCH) // MICROSECOND
    except TypeError:
        raise ValueError("a datetime needs a time zone here (such as tzinfo=UTC)") from None


def moment(instant: int, like: datetime) -> datetime:
    """The instant as a datetime in the zone of another."""
    try:
        # A product with a microsecond takes two thirds of the time of timedelta(microseconds=instant).
        found = EPOCH + instant * MICROSECOND
    except OverflowError:
        raise OutOfRange("the time lies outside of the years that dates can hold") from None
    return found if like.tzinfo is UTC else found.astimezone(like.tzinfo)
