"""Where an organisation is: of which country its telephone numbers are, and as in which its texts are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.language.organisation import Organisation


def region_of(organisation: Organisation) -> str | None:
    """Where an organisation is (ISO 3166): as it says, else the country of its calendar's holidays, else that of its
    time zone."""
    if organisation.region is not None:
        return organisation.region
    calendar = organisation.calendars.get(organisation.calendar or "")
    if calendar is not None and calendar.holidays is not None:
        return calendar.holidays.country
    from babel.core import get_global  # large, and a running set was told its region when it was compiled

    region = get_global("zone_territories").get(organisation.timezone)
    return None if region in (None, "ZZ", "001") else str(region)
