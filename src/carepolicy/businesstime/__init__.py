"""Business time: calendars of open hours, and limits that are counted in them."""

from carepolicy.businesstime.calendar import Calendar
from carepolicy.businesstime.errors import CalendarError, NeverOpen, OutOfRange
from carepolicy.policy.limit import NANODAYS, Limit, LimitError, parse_limit

__all__ = ["NANODAYS", "Calendar", "CalendarError", "Limit", "LimitError", "NeverOpen", "OutOfRange", "parse_limit"]
