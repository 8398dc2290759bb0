"""CP401: a state in which the customer waits, and no clock runs."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding

CUSTOMER = "customer"


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States with ``waits: customer`` that no clock runs in, and final ones."""
    for flow in checked.flows.values():
        running = {name for clock in flow.clocks.values() for name in clock.runs_in}
        for state in flow.states.values():
            if state.waits != CUSTOMER:
                continue
            place = checked.place(state.at / "waits")
            if state.final is not None:
                text = "the customer waits here, and the case is closed: no clock runs"
                yield Finding(CODE, text, place, "take waits: away, or let the case go on")
            elif state.name not in running:
                text = f'the customer waits in "{state.name}", and no clock runs'
                yield Finding(CODE, text, place, _hint(checked.graphs[flow.name], state.name))


def _hint(graph: Graph, state: str) -> str:
    pausing = next((clock.name for clock in graph.flow.clocks.values() if state in clock.pauses_in), None)
    if pausing is not None:
        return f"the clock {pausing} only pauses here: move the state to its runs_in, or write waits: us"
    name = _clock_beside(graph, state)
    where = f"add {state} to runs_in of {name}" if name is not None else "give the flow a clock that runs here"
    return f"{where}, or write waits: us if we wait"


def _clock_beside(graph: Graph, state: str) -> str | None:
    """The clock that runs in most of the states that lead to one or that it leads to; None where none runs there."""
    edges = graph.edges
    beside = {edge.target for edge in edges[state]}
    beside |= {name for name, each in edges.items() if any(edge.target == state for edge in each)}
    counts = {name: len(beside.intersection(clock.runs_in)) for name, clock in graph.flow.clocks.items()}
    best = max(counts, key=lambda name: counts[name], default=None)
    return best if best is not None and counts[best] else None


CODE = "CP401"
RULE = Rule(
    CODE,
    "customer waits and no clock runs",
    "`waits: customer` says that the customer waits for us in this state. Then a clock has to run: what is not "
    "measured is forgotten, and nobody is told when it takes too long. Where we wait for the customer, or for "
    "someone else, write `waits: us`, or whom we wait for.",
    "states:\n  answered:\n    waits: customer\n",
    "states:\n  received:\n    waits: customer\n  answered:\n    waits: us\n",
    find,
)
