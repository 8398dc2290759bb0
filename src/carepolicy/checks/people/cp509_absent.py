"""CP509: an absence of somebody whom no role has."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.language.absence import compared
from carepolicy.policy.likeness import did_you_mean, sole


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Names under ``away:`` that stand under ``people:`` of no role."""
    organisation = checked.organisation
    people = {compared(each): each.strip() for role in organisation.roles.values() for each in role.people}
    for person in organisation.away:
        if compared(person) not in people:
            names = list(people.values())
            place = checked.key_place(organisation.at / "away" / person)
            text = f"nobody of the name {quoted(person)} has a role"
            yield Finding(CODE, text, place, did_you_mean(person, names), replacement=sole(person, names))


CODE = "CP509"
RULE = Rule(
    CODE,
    "absence of nobody",
    "Under away: stand people by the name that they have under people: of a role. The absence of anybody else would "
    "move no work.",
    "away: {Aofie: 2026-08-03/2026-08-14}\n",
    "away: {Aoife: 2026-08-03/2026-08-14}\n",
    find,
)
