"""CP310: transitions that take no time and lead back to where they began."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Edge, Graph, circles
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.limit import UNTIL
from carepolicy.policy.model import Clock


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Circles of unguarded transitions, each of which falls due at once where an instant that a fact holds is past."""
    for graph in checked.graphs.values():
        at_once = {state: _at_once(checked, graph, state) for state in graph.edges}
        if not any(at_once.values()):
            continue
        onward = {state: [edge.target for edge in edges] for state, edges in at_once.items()}
        for group in circles(onward):
            edge = next(edge for edge in at_once[group[0]] if edge.target in group)
            way = " → ".join(f'"{name}"' for name in (*group, group[0]))
            text = f"once its instants are past, a case goes round {way} for ever, in no time"
            yield Finding(CODE, text, checked.place(edge.transition.at / "to"), HINT)


def _at_once(checked: CheckedSet, graph: Graph, state: str) -> list[Edge]:
    """The edges out of a state that fall due on entering it, where a limit's fact is past."""
    found = []
    for edge in graph.edges[state]:
        if edge.transition.when is not None:
            continue
        if edge.after is not None:
            if _hangs_on_a_fact(checked, edge.after.limit):
                found.append(edge)
            continue
        name, _, happening = edge.transition.on.partition(".")
        clock = graph.flow.clocks.get(name)
        if clock is not None and happening in ("late", "warned") and _begins_anew(checked, clock, state, edge.target):
            found.append(edge)
    return found


def _begins_anew(checked: CheckedSet, clock: Clock, state: str, target: str) -> bool:
    """Whether a clock starts again whenever a case comes back, since it is stopped where the edge leads."""
    runs = state in clock.runs_in and target not in (*clock.runs_in, *clock.pauses_in) and clock.again == "restart"
    return runs and any(_hangs_on_a_fact(checked, choice.limit) for choice in clock.limits)


def _hangs_on_a_fact(checked: CheckedSet, text: str) -> bool:
    limit = checked.limit(text)
    return limit is not None and any(each.kind == UNTIL for each in limit.all)


HINT = "let one of them wait for an event, or for a length of time, such as 1 business day"
CODE = "CP310"
RULE = Rule(
    CODE,
    "loop that takes no time",
    "A limit that hangs on a fact (`until order.ship_by`) is over at once where that instant is past. Here such limits "
    "lead from state to state and back to the first, without an event, a guard or a length of time between. A case "
    "would go round for ever at one instant.",
    "states:\n  answered:\n    after: {until order.ship_by: {to: waiting_for_customer}}\n"
    "  waiting_for_customer:\n    after: {1 day after order.ship_by: {to: answered}}\n",
    "states:\n  answered:\n    after: {until order.ship_by: {to: waiting_for_customer}}\n"
    "  waiting_for_customer:\n    after: {1 day: {to: answered}}\n",
    find,
)
