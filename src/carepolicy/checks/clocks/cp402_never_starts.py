"""CP402: a clock that can never start, or not where it says so."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Clock


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Clocks without a state to run in, with states that are never reached only, or with final ones."""
    for graph in checked.graphs.values():
        for clock in graph.flow.clocks.values():
            yield from _of(checked, graph, clock)


def _of(checked: CheckedSet, graph: Graph, clock: Clock) -> Iterator[Finding]:
    states = graph.flow.states
    final = [name for name in clock.runs_in if states[name].final is not None] if _known(graph, clock) else []
    running = [name for name in clock.runs_in if name not in final]
    place = checked.key_place(clock.at / "runs_in")
    if not running:
        text = f'the clock "{clock.name}" can never start: it runs in no state that is not final'
        yield Finding(CODE, text, place, "name the states in which it runs under runs_in:")
        return
    for number, name in enumerate(clock.runs_in):
        if name in final:
            text = f'the clock "{clock.name}" never runs in "{name}": a final state stops all clocks'
            at = checked.place(clock.at / "runs_in" / number)
            yield Finding(CODE, text, at, "take the state away here", Severity.WARNING)
    if not graph.reached.intersection(running):
        text = f'the clock "{clock.name}" can never start: no case comes to a state in which it runs'
        yield Finding(CODE, text, place, "lead to one of these states, or name others", Severity.WARNING)


def _known(graph: Graph, clock: Clock) -> bool:
    return all(name in graph.flow.states for name in clock.runs_in)


CODE = "CP402"
RULE = Rule(
    CODE,
    "clock can never start",
    "A clock runs in the states under runs_in:. Here there are none, or they are all final (which stops every clock), "
    "or no case ever comes to one of them. The promise would be on paper only: nothing would ever be late. A single "
    "final state among others, and states that are never reached, are warned of.",
    "clocks:\n  first_reply: {runs_in: [closed]}\n",
    "clocks:\n  first_reply: {runs_in: [received, overdue]}\n",
    find,
)
