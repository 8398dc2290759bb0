"""CP222: a calendar without any open time in the next two years."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Calendars in which no business limit that starts today could end."""
    for name in checked.calendars.never_open:
        place = checked.key_place(checked.organisation.calendars[name].at)
        yield Finding(CODE, f'the calendar "{name}" is never open in the next two years', place, HINT)


HINT = "give it hours:, or take away what closes it"
CODE = "CP222"
RULE = Rule(
    CODE,
    "calendar is never open",
    "In a calendar that does not open in the next two years no limit in business time could ever end.",
    "calendars:\n  phones: {closed: [2020-01-01/2099-12-31]}\n",
    "calendars:\n  phones: {closed: [2026-08-03/2026-08-07]}\n",
    find,
)
