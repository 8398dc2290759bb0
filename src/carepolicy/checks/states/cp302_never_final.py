"""CP302: a state from which no case can ever be closed."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph, circles
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Circles of states that no final state can be reached from, each told once, and flows that have none."""
    for graph in checked.graphs.values():
        flow = graph.flow
        if not any(state.final is not None for state in flow.states.values()):
            place = checked.key_place(flow.at / "states")
            text = f'no state of the flow "{flow.name}" is final: its cases are never closed'
            yield Finding(CODE, text, place, "give the last state final: OUTCOME", Severity.WARNING)
            continue
        for trap in _traps(graph):
            names = ", ".join(f'"{name}"' for name in trap)
            text = f"a case that comes here goes round {names} for ever: none leads to a final state"
            place = checked.key_place(flow.states[trap[0]].at)
            yield Finding(CODE, text, place, "lead one of these states on to a final one")


def _traps(graph: Graph) -> list[list[str]]:
    """The circles of states that are never left. What only leads to one is not at fault itself."""
    onward = {name: graph.targets(name) for name in graph.edges if name not in graph.closing}
    return [group for group in circles(onward) if len(group) > 1 and graph.beyond(group) == set(group)]


CODE = "CP302"
RULE = Rule(
    CODE,
    "state cannot reach a final one",
    "Every way out of these states leads round to one of them, and none to a state with final:. A case would stay open "
    "for ever, its clocks would never stop, and its facts would never be erased. A flow without any final state is "
    "warned of once: it may be meant to go on for ever.",
    "states:\n  answered:\n    on: {customer_wrote: asking}\n"
    "  asking:\n    title: Ask back\n    on: {reply_sent: checking}\n"
    "  checking:\n    title: Check\n    on: {reply_sent: asking}\n"
    "anywhere:\n  customer_withdrew: {to: closed, except: [answered, asking, checking]}\n",
    "states:\n  answered:\n    on: {customer_wrote: asking}\n"
    "  asking:\n    title: Ask back\n    on: {reply_sent: checking}\n"
    "  checking:\n    title: Check\n    on: {reply_sent: closed}\n"
    "anywhere:\n  customer_withdrew: {to: closed, except: [answered, asking, checking]}\n",
    find,
)
