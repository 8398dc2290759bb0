"""CP410: a thank-you that would begin a promise anew."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Clock, State

CUSTOMER = "customer"


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States after a promise was kept, in which whatever the customer does begins it again."""
    for graph in checked.graphs.values():
        promises = [clock for clock in graph.flow.clocks.values() if clock.promise]
        for state in graph.flow.states.values():
            clock = next((each for each in promises if _was_kept(graph, each, state)), None)
            if clock is None:
                continue
            again = [event for event in _said(graph, state.name) if _begins(graph, clock, state.name, event)]
            if again and len(again) == len(_said(graph, state.name)):
                text = f'a thank-you would begin "{clock.title}" anew: "{again[0]}" starts it after it was kept'
                place = checked.key_place(state.at / "on" / again[0])
                hint = "add an event for a word of thanks that stays here, or write again: continue for the clock"
                yield Finding(CODE, text, place, hint, Severity.NOTE)


def _was_kept(graph: Graph, clock: Clock, state: State) -> bool:
    """Whether a case comes to a state from one in which a clock runs, and the clock is stopped there."""
    idle = state.final is None and state.waits != CUSTOMER and state.name not in (*clock.runs_in, *clock.pauses_in)
    return (
        idle
        and clock.again == "restart"
        and any(edge.target == state.name for name in clock.runs_in for edge in graph.edges.get(name, ()))
    )


def _said(graph: Graph, state: str) -> list[str]:
    """The events of the customer that are handled in a state."""
    events = graph.flow.events
    return [name for name in graph.ways[state] if name in events and events[name].by == CUSTOMER]


def _begins(graph: Graph, clock: Clock, state: str, event: str) -> bool:
    """Whether every way that an event may take leads to a state in which a clock runs."""
    ways = graph.ways[state][event]
    return all(way.to in clock.runs_in for way in ways) and ways[-1].when is None


CODE = "CP410"
RULE = Rule(
    CODE,
    "a thank-you begins a promise anew",
    "The promise was kept: the clock is stopped in this state. Whatever the customer writes now leads back to where "
    'the clock runs, a "thank you" too, and the case is soon late although nobody waits. Give the customer\'s word of '
    "thanks an event that stays here, guard the way back, or let the clock go on where it was (`again: continue`).",
    "states:\n  answered:\n    on: {customer_wrote: received, customer_thanked: received}\n",
    "states:\n  answered:\n    on: {customer_wrote: received, customer_thanked: {note: It needs no answer.}}\n",
    find,
    Severity.NOTE,
)
