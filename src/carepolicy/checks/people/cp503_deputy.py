"""CP503: a role of one person for whom nobody stands in."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Role


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Roles of one person without a deputy, or whose deputy is that same person."""
    roles = checked.organisation.roles
    for role in roles.values():
        people = checked.people[role.name]
        if len(people) != 1:
            continue
        (person,) = people
        if role.deputy is None:
            text = f'only {person} has the role "{role.name}", and nobody stands in'
            place = checked.place(role.at / "people" / 0)
            yield Finding(CODE, text, place, _hint(checked, role), Severity.WARNING)
        elif role.deputy in roles and checked.people[role.deputy] == {person}:
            text = f'the deputy of the role "{role.name}" is {person} again'
            place = checked.place(role.at / "deputy")
            yield Finding(CODE, text, place, _hint(checked, role), Severity.WARNING)


def _hint(checked: CheckedSet, role: Role) -> str:
    able = [name for name, people in checked.people.items() if people - checked.people[role.name]]
    return f"name a role that stands in, as in deputy: {able[0]}" if able else "name a second person, or a deputy"


CODE = "CP503"
RULE = Rule(
    CODE,
    "one person, and no deputy",
    "When the one person who has a role is ill or away, its cases stand still and its promises are broken. Name a "
    "second person, or by deputy: a role of other people that stands in.",
    "roles:\n  billing_clerk: {title: Billing clerk, calendar: office, people: [Iris]}\n",
    "roles:\n  billing_clerk: {title: Billing clerk, calendar: office, people: [Iris], deputy: care_lead}\n",
    find,
    Severity.WARNING,
)
