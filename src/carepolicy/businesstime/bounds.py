"""The years that calendars know, 1970 to 2200, in microseconds since 1970-01-01T00:00Z."""

from __future__ import annotations

from datetime import date

from carepolicy.policy.limit import DAY_US

FIRST_ORDINAL = date(1970, 1, 1).toordinal()

FIRST_YEAR, LAST_YEAR = 1969, 2201
"""The years that may be compiled: one more at either end, since zones begin and end theirs earlier or later."""

LOW, HIGH = 0, (date(LAST_YEAR, 1, 1).toordinal() - FIRST_ORDINAL) * DAY_US

TWO_YEARS = 731 * DAY_US
"""A calendar without open time for so long is an error."""

OUT = "calendars know the years 1970 to 2200, and the time asked for lies outside of them"


def midnight_of(ordinal: int) -> int:
    """The local reading of the clock at which a date begins."""
    return (ordinal - FIRST_ORDINAL) * DAY_US
