"""CP201: a role that organisation.yaml does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Owners, stewards, deputies, and receivers of notices, that name no role."""
    yield from checked.unknown_names(CODE, "role", checked.organisation.roles)


CODE = "CP201"
RULE = Rule(
    CODE,
    "unknown role",
    "An owner, a deputy or the receiver of a notice is a role that organisation.yaml declares under roles:. "
    "Work that is given to a role that does not exist would reach nobody.",
    "states:\n  received: {owner: care_agnt}\n",
    "states:\n  received: {owner: care_agent}\n",
    find,
)
