"""CP312: flows that open each other by themselves, without end."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph, circles
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Effects, Open


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Circles of flows each of which opens the next when time passes, and ends by itself."""
    known = checked.graphs
    opens = {name: _opens(graph, set(known)) for name, graph in known.items()}
    for group in circles({name: [each.flow for each in found] for name, found in opens.items()}):
        way = " → ".join((*group, group[0]))
        text = f"these flows open each other without end, though nobody does anything: {way}"
        for name in group:
            for each in opens[name]:
                if each.flow in group:
                    yield Finding(CODE, text, checked.place(each.at / "flow"), HINT, Severity.WARNING)


def _opens(graph: Graph, known: set[str]) -> list[Open]:
    """What a flow opens where no event comes and no guard decides, if its own case then ends by itself too."""
    flow = graph.flow
    alone = {state: [edge for edge in edges if _by_itself(graph, edge.transition.on, edge.transition.when)]
             for state, edges in graph.edges.items()}  # fmt: skip
    onward = {state: [edge.target for edge in edges] for state, edges in alone.items()}
    found: list[Open] = []
    seen: list[str] = [name for name in graph.starts if flow.states[name].start_on]
    for state in seen:
        here = flow.states[state]
        groups: list[tuple[Effects | None, str]] = [(here.enter, state)]
        groups += [(edge.transition.effects, edge.target) for edge in alone[state]]
        groups += [(here.leave, edge.target) for edge in alone[state]]
        for effects, after in groups:
            if effects is not None and effects.open and _ends(after, onward, graph):
                found += [each for each in effects.open if each.flow in known]
        seen += [name for name in dict.fromkeys(onward[state]) if name not in seen]
    return list(dict.fromkeys(found))


def _by_itself(graph: Graph, trigger: str, when: str | None) -> bool:
    return when is None and trigger not in graph.flow.events


def _ends(state: str, onward: dict[str, list[str]], graph: Graph) -> bool:
    """Whether a case in a state comes to a final one by itself."""
    seen = [state]
    for name in seen:
        seen += [each for each in dict.fromkeys(onward[name]) if each not in seen]
    return any(graph.flow.states[name].final is not None for name in seen)


HINT = "let one of them be opened by an event, or under a guard that ends it"
CODE = "CP312"
RULE = Rule(
    CODE,
    "flows open each other without end",
    "Each of these flows opens the next when some time has passed, and ends by itself; the last opens the first again. "
    "Nobody has to do anything for it, so that a customer would be written to for ever. (While a case is open for a "
    "subject, open: begins no second one.)",
    "states:\n  received:\n    on: {first_reply.late: {to: closed, open: {flow: email_inquiry, on: email_received}}}\n",
    "states:\n  received:\n    on: {reply_sent: {to: closed, open: feedback_survey}}\n",
    find,
    Severity.WARNING,
)
