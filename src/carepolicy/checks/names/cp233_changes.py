"""CP233: a state that is said to be renamed or gone, and is still there."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Old names in ``renamed_from:`` and ``moves_to:`` that are names of states now."""
    for flow in checked.flows.values():
        for state in flow.states.values():
            if state.renamed_from in flow.states:
                place = checked.place(state.at / "renamed_from")
                yield Finding(CODE, f'the state "{state.renamed_from}" is still there', place, HINT)
        for old in flow.moves_to:
            if old in flow.states:
                place = checked.key_place(flow.at / "moves_to" / old)
                yield Finding(CODE, f'the state "{old}" is still there', place, HINT)


HINT = "open cases stay in a state that still exists; name the old state that is gone"
CODE = "CP233"
RULE = Rule(
    CODE,
    "renamed or moved state is still there",
    "renamed_from: and moves_to: say where open cases go whose state a new version of the flow no longer has. "
    "A state that is still there needs neither.",
    "moves_to: {answered: closed}\n",
    "moves_to: {replied: closed}\n",
    find,
)
