"""CP604: a calendar that knows no closed day of next year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from carepolicy.businesstime import CalendarError
from carepolicy.businesstime.closures import read_closures
from carepolicy.businesstime.holidays import holiday_names
from carepolicy.businesstime.zones import is_zone
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import CalendarSpec

SOON = 7
"""The month from which on it is a warning; before it is a note."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Calendars with holidays or closed days, none of which is in the year after ``checked.today``."""
    severity = Severity.WARNING if checked.today.month >= SOON else Severity.NOTE
    for spec in checked.organisation.calendars.values():
        key = next((key for key, there in _sources(spec) if there), None)
        if key is not None and is_zone(spec.timezone) and not _known(spec, checked.today.year + 1):
            text = f'the calendar "{spec.name}" knows no holiday of {checked.today.year + 1}'
            place = checked.key_place(spec.at / key)
            yield Finding(CODE, text, place, _hint(key, checked.today.year + 1), severity)


def _sources(spec: CalendarSpec) -> tuple[tuple[str, bool], ...]:
    """What may hold holidays, in the order in which a finding is shown there."""
    return (("holidays", spec.holidays is not None), ("import", bool(spec.imports)), ("closed", bool(spec.closed)))


def _known(spec: CalendarSpec, year: int) -> bool:
    """Whether any day of a year is closed. True also where that cannot be found out: other rules say why it cannot."""
    times = (time for each in spec.closed for time in each.times(year, year))
    if any(first.year <= year <= last.year for first, last in times):
        return True
    try:
        if spec.holidays is not None and any(
            date.fromordinal(day).year == year for day in holiday_names(spec.holidays, year, year)
        ):
            return True
        closures = [read_closures(file, spec.timezone) for file in spec.imports]
        return any(True for each in closures for _ in (*each.days(year, year), *each.hours(year, year)))
    except CalendarError:
        return True


def _hint(key: str, year: int) -> str:
    if key == "holidays":
        return f"the library of holidays does not reach so far: list those of {year} under closed:"
    if key == "import":
        return f"import a file that holds {year}, or add holidays: {{country: …}}"
    return f"add the closed days of {year}, or holidays: {{country: …}}, which hold for every year"


CODE = "CP604"
RULE = Rule(
    CODE,
    "holidays of next year are not known",
    "A calendar that lists its closed days is true only as far as its list. Limits that begin this year run into "
    "next year, and would count on its holidays as if they were working days. With holidays: {country: …} public "
    "holidays are known for every year. It is a note until June, and a warning from July on.",
    "calendars:\n  phones: {closed: [2020-12-25, 2020-12-26]}\n",
    "calendars:\n  phones: {holidays: {country: GB, subdivision: ENG}, closed: [2020-12-24]}\n",
    find,
    Severity.WARNING,
)
