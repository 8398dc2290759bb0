"""CP304: a way out of a final state."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Events and times that are written for a final state, and its effects on leaving."""
    for flow in checked.flows.values():
        for state in flow.states.values():
            if state.final is None:
                continue
            keys = [state.at / "on" / trigger for trigger in state.on]
            keys += [state.at / "after" / after.limit for after in state.after]
            keys += [state.at / "leave"] if state.leave is not None else []
            for at in keys:
                text = f'"{state.name}" is final: a case there is closed, and this never happens'
                yield Finding(CODE, text, checked.key_place(at), HINT)


HINT = "take it away, or take final: away if the case goes on"
CODE = "CP304"
RULE = Rule(
    CODE,
    "way out of a final state",
    "A case in a final state is closed: it takes no event, its clocks are stopped, and it is never left. A customer "
    "who writes again opens a new case. What is to go on after this state needs a state that is not final.",
    "states:\n  closed:\n    on: {customer_wrote: received}\n",
    "states:\n  answered:\n    on: {customer_wrote: received}\n",
    find,
)
