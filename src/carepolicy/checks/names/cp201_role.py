"""CP201: a role that organisation.yaml does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.checks.context import CheckedSet
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Owners, stewards, deputies, and receivers of notices, that name no role."""
    roles = checked.organisation.roles
    for role in roles.values():
        if role.deputy is not None and role.deputy not in roles:
            yield unknown(CODE, "role", role.deputy, checked.place(role.at / "deputy"), roles)
    for name, at in _named(checked):
        if name not in roles:
            yield unknown(CODE, "role", name, checked.place(at), roles)


def _named(checked: CheckedSet) -> Iterator[tuple[str, At]]:
    for flow in checked.flows.values():
        yield flow.owner, flow.at / "owner"
        if flow.steward is not None:
            yield flow.steward, flow.at / "steward"
        for state in flow.states.values():
            if state.owner is not None:
                yield state.owner, state.at / "owner"
    for _, effects, _ in checked.acts:
        yield from ((each.role, each.at / "role") for each in effects.tell)


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
