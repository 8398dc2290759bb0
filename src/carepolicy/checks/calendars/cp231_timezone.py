"""CP231: a time zone that the IANA database does not have."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import available_timezones

from carepolicy.businesstime.zones import is_zone
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.likeness import sole
from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """The zone of the organisation, and of each calendar that has its own."""
    organisation = checked.organisation
    if not is_zone(organisation.timezone):
        yield _unknown(checked, organisation.timezone, organisation.at / "timezone")
    for calendar in organisation.calendars.values():
        if calendar.timezone != organisation.timezone and not is_zone(calendar.timezone):
            yield _unknown(checked, calendar.timezone, calendar.at / "timezone")


def _unknown(checked: CheckedSet, name: str, at: At) -> Finding:
    """A city that is spelt wrongly; or one that has no zone of its name: then the zones of the country are told."""
    zones = {zone.rpartition("/")[2].lower(): zone for zone in sorted(available_timezones())}
    near = sole(name.rpartition("/")[2].lower().replace(" ", "_"), zones)
    text, place = f'unknown time zone "{name}"', checked.place(at)
    if near is not None:
        return Finding(CODE, text, place, f'did you mean "{zones[near]}"?', replacement=zones[near])
    here = _zones_of(checked)
    if here:
        return Finding(CODE, text, place, f"zones where the holidays are: {', '.join(here)}")
    return Finding(CODE, text, place, "a zone is named by a region and its largest city, such as Europe/London")


def _zones_of(checked: CheckedSet) -> list[str]:
    """The zones of the countries whose public holidays are kept."""
    from babel.core import get_global

    specs = checked.organisation.calendars.values()
    countries = {each.holidays.country for each in specs if each.holidays is not None}
    zones = get_global("zone_territories")
    return sorted(zone for zone, country in zones.items() if country in countries and is_zone(zone))[:8]


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
