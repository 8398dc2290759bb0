"""CP218: work that is assigned to neither a role nor a fact that names a person."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``assign:`` that names no role and no fact, or a fact that is no text."""
    organisation = checked.organisation
    for _, effects, _ in checked.acts:
        name = effects.assign
        if name is None or name in organisation.roles:
            continue
        place = checked.place(effects.at / "assign")
        fact = organisation.facts.get(name)
        if fact is None:
            texts = (each.name for each in organisation.facts.values() if each.type == "text")
            yield unknown(CODE, "role or fact", name, place, (*organisation.roles, *texts))
        elif fact.type not in ("text", "choice"):
            yield Finding(CODE, f'the fact "{name}" is a {fact.type} and cannot name a person', place, HINT)


HINT = "assign to a role, or to a fact of type text"
CODE = "CP218"
RULE = Rule(
    CODE,
    "assigned to nobody",
    "assign: gives the work to a role, or to the person whose name a fact of type text holds.",
    "states:\n  received:\n    enter: {assign: order.total}\n",
    "states:\n  received:\n    enter: {assign: care_lead}\n",
    find,
)
