"""CP232: a calendar that cannot be worked out: holidays of a country that is none, hours that end before they begin."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """What business time refuses of each calendar whose time zone is known."""
    for name, fault in checked.calendars.faults.items():
        at = fault.at or checked.organisation.calendars[name].at
        yield Finding(CODE, fault.reason, checked.place(at), fault.hint)


CODE = "CP232"
RULE = Rule(
    CODE,
    "calendar cannot be worked out",
    "Hours open between 00:00 and 23:59 and close later, within 24 hours. Public holidays are those of a country by "
    "its two letters (ISO 3166-1) and, where there are differences, of a subdivision (ISO 3166-2). Imported files "
    "are iCalendar (RFC 5545).",
    "calendars:\n  office:\n    holidays: {country: EN}\n",
    "calendars:\n  office:\n    holidays: {country: GB}\n",
    find,
)
