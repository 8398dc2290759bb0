"""CP502: a role that nobody has."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Roles without a person."""
    for role in checked.organisation.roles.values():
        if not checked.people[role.name]:
            text = f'nobody has the role "{role.name}"'
            yield Finding(CODE, text, checked.key_place(role.at), HINT, Severity.WARNING)


HINT = "name who has it, as in people: [Aoife, Ben]"
CODE = "CP502"
RULE = Rule(
    CODE,
    "role without people",
    "Tasks and notices go to a role, and reach the people who have it. A role that nobody has swallows them. Where a "
    "team or a partner takes the work, name its desk.",
    "roles:\n  night_desk: {title: Night desk, calendar: always}\n",
    "roles:\n  night_desk: {title: Night desk, calendar: always, people: [Partner's night desk], deputy: care_lead}\n",
    find,
    Severity.WARNING,
)
