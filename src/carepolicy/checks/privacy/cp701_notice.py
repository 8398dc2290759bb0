"""CP701: a notice that shows a role what it may not see."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Placeholders of private facts in notices to roles that may not see them."""
    roles = checked.organisation.roles
    for _, effects, _ in checked.acts:
        for tell in effects.tell:
            role = roles.get(tell.role)
            for each in checked.private_in(tell.say):
                if role is not None and each.name not in role.may_see:
                    place = checked.within(tell.at / "say", tell.say, each.start, each.end)
                    hint = f"leave it out, or add it to may_see: of {role.name}"
                    text = f'the role "{role.name}" may not see {each.name}'
                    yield Finding(CODE, text, place, hint, Severity.WARNING)


CODE = "CP701"
RULE = Rule(
    CODE,
    "private fact in a notice to a role that may not see it",
    "A role sees of what is private only what may_see: lists. A notice that names more would hand it to all who have "
    "the role. Leave it out - {case} is enough to find it - or let the role see it.",
    "states:\n  received:\n"
    "    on: {first_reply.late: {to: overdue, tell: {role: care_lead, say: 'Write to {customer.email}.'}}}\n",
    "states:\n  received:\n"
    "    on: {first_reply.late: {to: overdue, tell: {role: care_lead, say: 'Write to the customer of {case}.'}}}\n",
    find,
    Severity.WARNING,
)
