"""CP606: something in an imported calendar that closes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.businesstime import CalendarError
from carepolicy.businesstime.closures import read_closures
from carepolicy.businesstime.zones import is_zone
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """What stands in the iCalendar files of each calendar and is not taken over; a file that is none is CP232's."""
    for spec in checked.organisation.calendars.values():
        for file in spec.imports if is_zone(spec.timezone) else ():
            try:
                unread = list(read_closures(file, spec.timezone).unread())
            except CalendarError:
                continue
            for told in unread:
                yield Finding(CODE, told, checked.place(file.at), HINT, Severity.WARNING)


HINT = "an event of a whole day begins with DTSTART;VALUE=DATE:20261224 and needs no end; or list the day under closed:"
CODE = "CP606"
RULE = Rule(
    CODE,
    "imported closure that closes nothing",
    "Events of an iCalendar file close a calendar from their beginning to their end. An event that ends as it begins "
    "closes nothing (RFC 5545 wants an end that is later), and so do tasks, notes and lists of busy times. Whoever "
    "made the file may have meant whole days.",
    "# calendars/holidays.ics: DTSTART:20260427T000000Z and DTEND:20260427T000000Z\n"
    "calendars:\n  office: {import: [calendars/no_length.ics]}\n",
    "# calendars/holidays.ics: DTSTART;VALUE=DATE:20260427\n"
    "calendars:\n  office: {import: [calendars/whole_day.ics]}\n",
    find,
    Severity.WARNING,
)
