"""CP303: a state that nothing leads out of."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States that are not final, and that no transition leads out of."""
    for graph in checked.graphs.values():
        for state in graph.flow.states.values():
            if is_dead_end(graph, state.name):
                text = f'nothing leads out of the state "{state.name}", and it is not final'
                yield Finding(CODE, text, checked.key_place(state.at), HINT)


def is_dead_end(graph: Graph, state: str) -> bool:
    """Whether a case stays in a state for ever. In a flow that is never closed, a state in which something happens
    is none."""
    here = graph.flow.states[state]
    if here.final is not None or any(edge.target != state for edge in graph.edges[state]):
        return False
    goes_on = all(each.final is None for each in graph.flow.states.values())
    return not (goes_on and (graph.ways[state] or here.after))


HINT = "lead an event or a time (after:) to another state, or end the case here with final: OUTCOME"
CODE = "CP303"
RULE = Rule(
    CODE,
    "dead end",
    "A case that comes here stays for ever: no event, no clock and no time leads to another state, and the state is "
    "not final. Nobody would be told, and the customer would hear nothing more.",
    "states:\n  answered:\n    on: {customer_wrote: parked}\n  parked: {title: Parked}\n"
    "anywhere:\n  customer_withdrew: {to: closed, except: [answered, parked]}\n",
    "states:\n  answered:\n    on: {customer_wrote: parked}\n"
    "  parked: {title: Parked, after: {30 days: closed_unanswered}}\n"
    "anywhere:\n  customer_withdrew: {to: closed, except: [answered, parked]}\n",
    find,
)
