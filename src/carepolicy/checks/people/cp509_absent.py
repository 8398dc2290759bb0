"""CP509: an absence of somebody whom no role has."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.likeness import compared, did_you_mean, sole


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Names under ``away:`` that stand under ``people:`` of no role."""
    organisation = checked.organisation
    people = {compared(each): each.strip() for role in organisation.roles.values() for each in role.people}
    for person in organisation.away:
        if compared(person) not in people:
            names = list(people.values())
            place = checked.key_place(organisation.at / "away" / person)
            text = f"nobody of the name {quoted(person)} has a role"
            hint = did_you_mean(person, names)
            yield Finding(CODE, text, place, hint, Severity.WARNING, sole(person, names))


CODE = "CP509"
RULE = Rule(
    CODE,
    "absence of nobody",
    "Under away: stand people by the name that they have under people: of a role. The absence of anybody else would "
    "move no work: the name is misspelt, or who bore it has gone.",
    "away: {Aofie: 2026-08-03/2026-08-14}\n",
    "away: {Aoife: 2026-08-03/2026-08-14}\n",
    find,
    Severity.WARNING,
)
