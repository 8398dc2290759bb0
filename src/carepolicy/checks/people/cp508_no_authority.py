"""CP508: a transition gives money away where the one who acts has no authority."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.known import spots_in
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Transitions with ``spends:`` in states whose owner's role says no ``authority:``."""
    told: set[At] = set()
    for spot in spots_in(checked):
        name = spot.state.owner or spot.flow.owner
        role = checked.organisation.roles.get(name)
        if spot.spending is not None and role is not None and role.authority is None and spot.at not in told:
            told.add(spot.at)
            text = f"{name}, who acts in {spot.state.name}, has no authority: to give money away"
            hint = f"say in organisation.yaml how much {name} may decide on, as in authority: 50"
            yield Finding(CODE, text, checked.key_place(spot.at / "spends"), hint)


CODE = "CP508"
RULE = Rule(
    CODE,
    "money is given away without an authority",
    "A transition says by spends: how much it gives away. Whether that is too much the authority: of the role says "
    "that acts in the state, the owner of the state or else of the flow. This role has none: give it one in "
    "organisation.yaml, or let somebody act here who has. Until then the engine would refuse any amount.",
    "states:\n  overdue:\n    on: {reply_sent: {to: answered, spends: settings.goodwill_limit}}\n",
    "states:\n  received:\n    on: {reply_sent: {to: answered, spends: settings.goodwill_limit}}\n",
    find,
)
