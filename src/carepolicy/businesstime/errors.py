"""What can go wrong with a calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.places import At


class CalendarError(ValueError):
    """A calendar that cannot be: an unknown zone or country, hours that end before they begin, a bad file.

    ``reason`` says what is wrong, and ``hint`` the nearest right thing ("" where there is none). ``at`` is the address
    of the fault in the policy files, None for a calendar that was built in Python.
    """

    def __init__(self, reason: str, hint: str = "", at: At | None = None) -> None:
        super().__init__(f"{reason}; {hint}" if hint else reason)
        self.reason = reason
        self.hint = hint
        self.at = at


class NeverOpen(ValueError):
    """The calendar has no open time in the two years that follow the instant asked about."""


class OutOfRange(ValueError):
    """An instant outside of the years 1970 to 2200, which calendars know."""
