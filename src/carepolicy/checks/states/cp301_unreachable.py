"""CP301: a state that no case ever comes to."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States that no start leads to, over however many others."""
    for graph in checked.graphs.values():
        for state in graph.flow.states.values():
            if state.name not in graph.reached:
                what = "an event" if state.final is None else "a transition"
                text = f'no case ever comes to the state "{state.name}"'
                hint = f"lead {what} to it, open a case in it with start_on:, or take it away"
                yield Finding(CODE, text, checked.key_place(state.at), hint, Severity.WARNING)


CODE = "CP301"
RULE = Rule(
    CODE,
    "state is never reached",
    "No transition from a state in which cases open (start_on:) leads to this state, over however many others. What is "
    "written for it will never happen. Mostly a transition leads elsewhere than was meant, or was forgotten. A state "
    "that is kept for cases of an older version is named under moves_to:, and counts as reached.",
    "states:\n  on_hold:\n    title: On hold\n    on: {customer_wrote: received}\n",
    "states:\n  answered:\n    on: {customer_wrote: on_hold}\n"
    "  on_hold:\n    title: On hold\n    on: {reply_sent: answered}\n",
    find,
    Severity.WARNING,
)
