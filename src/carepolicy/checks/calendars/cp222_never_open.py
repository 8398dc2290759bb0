"""CP222: a calendar without any open time in the next two years."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from carepolicy.businesstime import Calendar
from carepolicy.businesstime.errors import CalendarError
from carepolicy.checks.calendars.cp231_timezone import is_zone
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.model import CalendarSpec, Policies


def find(policies: Policies, today: date) -> Iterator[Finding]:
    """Calendars in which no business limit that starts today could end."""
    start = datetime.combine(today, time(), UTC)
    for spec in policies.organisation.calendars.values():
        if not is_zone(spec.timezone):
            continue
        if not _opens(spec, start):
            place = policies.key_place(spec.at)
            yield Finding(CODE, f'the calendar "{spec.name}" is never open in the next two years', place, HINT)


_known: dict[str, tuple[datetime, bool]] = {}
"""For each calendar that was asked for, when, and whether it opens: two years are long."""


def _opens(spec: CalendarSpec, start: datetime) -> bool:
    """Whether a calendar opens; one that cannot be at all is for another rule."""
    said = repr(spec)
    if said not in _known or _known[said][0] != start:
        try:
            opens = Calendar.from_spec(spec).opens_within(start, 2)
        except CalendarError:
            opens = True
        if len(_known) >= MOST:
            _known.clear()
        _known[said] = (start, opens)
    return _known[said][1]


MOST = 256
HINT = "give it hours:, or take away what closes it"
CODE = "CP222"
RULE = Rule(
    CODE,
    "calendar is never open",
    "In a calendar that does not open in the next two years no limit in business time could ever end.",
    "calendars:\n  phones: {closed: [2020-01-01/2099-12-31]}\n",
    "calendars:\n  phones: {closed: [2026-08-03/2026-08-07]}\n",
    find_on=find,
)
