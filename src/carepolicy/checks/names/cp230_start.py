"""CP230: one event that opens a case in two states of a flow."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """The second state of a flow that starts on an event."""
    for flow in checked.flows.values():
        first: dict[str, str] = {}
        for state in flow.states.values():
            for number, event in enumerate(state.start_on):
                if event in first:
                    yield Finding(
                        CODE,
                        f'"{event}" already opens a case in the state {first[event]}',
                        checked.place(state.at / "start_on" / number),
                        "one event opens a case in one state; use transitions with when: to tell cases apart",
                    )
                first.setdefault(event, state.name)


CODE = "CP230"
RULE = Rule(
    CODE,
    "event starts a flow twice",
    "An event that comes in opens one case of a flow, so only one state of the flow may start on it.",
    "states:\n  answered: {start_on: email_received}\n",
    "states:\n  received: {start_on: email_received}\n",
    find,
)
