"""CP604: a calendar that knows no closed day of next year."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from carepolicy.businesstime import CalendarError
from carepolicy.businesstime.closures import read_closures
from carepolicy.businesstime.holidays import holiday_names
from carepolicy.checks.calendars.cp231_timezone import is_zone
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.model import CalendarSpec, Policies

SOON = 7
"""The month from which on it is a warning; before it is a note."""


def find(policies: Policies, today: date) -> Iterator[Finding]:
    """Calendars with holidays or closed days, none of which is in the year after ``today``."""
    severity = Severity.WARNING if today.month >= SOON else Severity.NOTE
    for spec in policies.organisation.calendars.values():
        key = next((key for key, there in _sources(spec) if there), None)
        if key is not None and is_zone(spec.timezone) and not _known(spec, today.year + 1):
            text = f'the calendar "{spec.name}" knows no holiday of {today.year + 1}'
            place = policies.key_place(spec.at / key)
            yield Finding(CODE, text, place, _hint(key, today.year + 1), severity)


def _sources(spec: CalendarSpec) -> tuple[tuple[str, bool], ...]:
    """What may hold holidays, in the order in which a finding is shown there."""
    return (("holidays", spec.holidays is not None), ("import", bool(spec.imports)), ("closed", bool(spec.closed)))


def _known(spec: CalendarSpec, year: int) -> bool:
    """Whether any day of a year is closed; also where that cannot be told, which other rules say."""
    if any(first.year <= year <= last.year for first, last in spec.closed):
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
    severity=Severity.WARNING,
    find_on=find,
)
