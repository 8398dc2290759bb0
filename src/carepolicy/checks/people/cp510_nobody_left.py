"""CP510: days on which everybody of a role is away, and nobody stands in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.language.absence import Absence
from carepolicy.policy.likeness import compared
from carepolicy.policy.model import Role


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Of each role the first day from today on, at which everybody is away and so is everybody who stands in."""
    organisation = checked.organisation
    away = {compared(person): found for person, found in organisation.away.items()}
    days = sorted({day for found in away.values() for each in found for day in (each.first, checked.today)})
    told: set[str] = set()
    for role in organisation.roles.values() if away else ():
        if role.name in told:
            continue  # it stands in for one that is told of
        empty = next((day for day in days if day >= checked.today and _is_left_alone(checked, role, away, day)), None)
        if empty is None:
            continue
        absence = next((each for person in role.people if (each := _absence(away, person, empty)) is not None), None)
        if absence is None:
            continue
        told.update((role.name, role.deputy or ""))
        if role.deputy is None:
            text = f'everybody of the role "{role.name}" is away on {empty}, and nobody stands in'
            hint = "name a role that stands in, by deputy:"
        else:
            until = f" (until {_last(checked, role, away, empty)})"
            text = f'everybody of the role "{role.name}" is away on {empty}{until}, and so is its deputy'
            hint = f'let somebody of "{role.deputy}" be there, or name another deputy'
        yield Finding(CODE, text, checked.place(absence.at), hint, Severity.WARNING)


def _is_left_alone(checked: CheckedSet, role: Role, away: dict[str, tuple[Absence, ...]], day: date) -> bool:
    """Whether nobody of a role, nor of those that stand in for it, is there on a day."""
    roles, tried = checked.organisation.roles, list[str]()
    left: Role | None = role
    while left is not None and left.name not in tried:
        if not left.people or any(_absence(away, person, day) is None for person in left.people):
            return False
        tried.append(left.name)
        left = roles.get(left.deputy or "")
    return True


def _absence(away: dict[str, tuple[Absence, ...]], person: str, day: date) -> Absence | None:
    return next((each for each in away.get(compared(person), ()) if each.first <= day <= each.last), None)


def _last(checked: CheckedSet, role: Role, away: dict[str, tuple[Absence, ...]], day: date) -> date:
    """The last day in a row on which it is so."""
    last = max(each.last for found in away.values() for each in found)
    while day < last and _is_left_alone(checked, role, away, day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


CODE = "CP510"
RULE = Rule(
    CODE,
    "everybody is away",
    "While everybody of a role is away its work goes to its deputy. Where there is none, or the people of the deputy "
    "are away on the same day, it stays with a role in which nobody is there: its cases stand still, and its promises "
    "are broken. Absences that are over are not looked at.",
    "away: {Aoife: 2126-08-03/2126-08-14, Ben: 2126-08-10, Chidi: 2126-08-10/2126-08-11}\n",
    "away: {Aoife: 2126-08-03/2126-08-14, Ben: 2126-08-10, Chidi: 2126-08-11}\n",
    find,
    Severity.WARNING,
)
