"""CP231: a time zone that the IANA database does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from carepolicy.checks.pointing import unknown
from carepolicy.checks.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies


def find(policies: Policies) -> Iterator[Finding]:
    """The zone of the organisation, and of each calendar that has its own."""
    organisation = policies.organisation
    if not is_zone(organisation.timezone):
        place = policies.place(organisation.at / "timezone")
        yield unknown(CODE, "time zone", organisation.timezone, place, available_timezones())
    for calendar in organisation.calendars.values():
        if calendar.timezone != organisation.timezone and not is_zone(calendar.timezone):
            place = policies.place(calendar.at / "timezone")
            yield unknown(CODE, "time zone", calendar.timezone, place, available_timezones())


def is_zone(name: str) -> bool:
    """Whether the IANA time zone database has ``name``."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


CODE = "CP231"
RULE = Rule(
    CODE,
    "unknown time zone",
    "Time zones are named as in the IANA time zone database: a region and a city, such as Europe/London. "
    "Abbreviations such as CET or BST do not say when the clocks change.",
    "timezone: Europe/Londn\n",
    "timezone: Europe/London\n",
    find,
)
