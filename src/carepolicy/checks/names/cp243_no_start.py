"""CP243: a flow in which no case can begin."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity, quoted
from carepolicy.policy.model import Flow


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Flows of which no state has ``start_on``, also those that others open; told at the state that should have it."""
    for each in checked.each.values():
        flow = each.flow
        if not each.begins:
            targets = {edge.target for edges in each.graph.edges.values() for edge in edges}
            first = next((state for state in flow.states.values() if state.name not in targets), None)
            state = first or next(iter(flow.states.values()))
            text = f"no case of {quoted(flow.name)} can begin: no state has start_on"
            yield Finding(CODE, text, checked.key_place(state.at), _hint(flow, state.name), Severity.WARNING)


def _hint(flow: Flow, state: str) -> str:
    event = next(iter(flow.events), "EVENT")
    return f"write under the state in which a case begins what begins it, such as start_on: {event} under {state}"


CODE = "CP243"
RULE = Rule(
    CODE,
    "no case can begin",
    "A case begins where a state says by start_on: on which event: when the event comes, or when another flow opens "
    "the case. A flow none of whose states says so stands there for nothing. Where it only serves cases of an earlier "
    "version to their end, allow it.",
    "states:\n  received: {start_on: []}\n",
    "states:\n  received: {start_on: email_received}\n",
    find,
    Severity.WARNING,
)
