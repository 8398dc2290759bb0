"""A flow as a graph: which states lead to which, where cases begin, and what can be reached from there."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.policy.language.flow import transitions_of
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.policy.model import After, Flow, Policies, Transition, Watch


class Edge(NamedTuple):
    """A transition to a state (perhaps the same, left and entered again), and the timer that brings it about, if one
    does."""

    target: str
    transition: Transition
    after: After | None


@dataclass(frozen=True, slots=True)
class Graph:
    """The states of a flow and the edges between them. Names of states that there are not are left out.

    ``ways`` are the transitions that hold in a state, by trigger; ``starts`` the states in which a case may begin, or
    be put when it moves from another version; ``reached`` what can be reached from there; ``closing`` the states from
    which a final one can be reached.
    """

    flow: Flow
    ways: Mapping[str, Mapping[str, tuple[Transition, ...]]]
    edges: Mapping[str, tuple[Edge, ...]]
    starts: tuple[str, ...]
    reached: frozenset[str]
    closing: frozenset[str]

    def targets(self, state: str) -> list[str]:
        """The states that one leads to, in the order of the file, each once."""
        return list(dict.fromkeys(edge.target for edge in self.edges[state]))

    def beyond(self, states: Iterable[str]) -> frozenset[str]:
        """The states that can be reached from some, these included."""
        return _spread(states, {state: self.targets(state) for state in self.edges})


def graph_of(flow: Flow) -> Graph:
    """The graph of one flow, in time that grows with the number of its transitions."""
    edges: dict[str, tuple[Edge, ...]] = {}
    ways = {name: transitions_of(flow, name) for name in flow.states}
    for state in flow.states.values():
        timed: list[tuple[Transition, After | None]] = [
            (way, None) for each in ways[state.name].values() for way in each
        ]
        if state.final is None:
            timed += [(way, after) for after in state.after for way in after.transitions]
        found = [Edge(way.to, way, after) for way, after in timed if way.to is not None and way.to in flow.states]
        edges[state.name] = tuple(found)
    starts = [state.name for state in flow.states.values() if state.start_on] or list(flow.states)[:1]
    starts += [name for name in flow.moves_to.values() if name in flow.states]
    back: dict[str, list[str]] = {name: [] for name in flow.states}
    for name, each in edges.items():
        for edge in each:
            back[edge.target].append(name)
    final = [state.name for state in flow.states.values() if state.final is not None]
    onward = {name: [edge.target for edge in each] for name, each in edges.items()}
    entered = tuple(dict.fromkeys(starts))
    return Graph(flow, ways, edges, entered, _spread(entered, onward), _spread(final, back))


def _spread(begin: Iterable[str], onward: Mapping[str, list[str]]) -> frozenset[str]:
    """What can be reached from ``begin``, this included."""
    found = set(begin)
    waiting = deque(found)
    while waiting:
        for name in onward[waiting.popleft()]:
            if name not in found:
                found.add(name)
                waiting.append(name)
    return frozenset(found)


def circles(onward: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of names that lead to each other in a circle, or to themselves, each in the order of ``onward``."""
    order = {name: number for number, name in enumerate(onward)}
    found = [sorted(group, key=order.__getitem__) for group in components(onward)]
    return sorted(
        (group for group in found if len(group) > 1 or group[0] in onward[group[0]]), key=lambda each: order[each[0]]
    )


def components(onward: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """The strongly connected components, each after all others that it leads to; names that are no keys are left out.

    By Tarjan's way of 1972, without recursion, in time linear in the size of the graph.
    """
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    placed: set[str] = set()
    for root in onward:
        if root in number:
            continue
        work = [(root, iter([each for each in onward[root] if each in onward]))]
        number[root] = lowest[root] = len(number)
        stack.append(root)
        while work:
            name, rest = work[-1]
            child = next(rest, None)
            if child is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[name])
                if lowest[name] == number[name]:
                    cut = len(stack) - 1
                    while stack[cut] != name:  # it stands near the end: to look from there keeps the time linear
                        cut -= 1
                    placed.update(stack[cut:])
                    yield stack[cut:]
                    del stack[cut:]
            elif child not in number:
                number[child] = lowest[child] = len(number)
                stack.append(child)
                work.append((child, iter([each for each in onward[child] if each in onward])))
            elif child not in placed:
                lowest[name] = min(lowest[name], number[child])


def feeding_watches(policies: Policies) -> Iterator[tuple[Watch, list[str]]]:
    """Each watch that feeds itself, and the events from what it raises to what it counts."""
    leads = _leads(policies)
    for watch in policies.organisation.watches.values():
        before: dict[str, str | None] = {watch.raises: None}
        waiting = [watch.raises]
        for event in waiting:
            for other in leads.get(event, ()):
                if other not in before:
                    before[other] = event
                    waiting.append(other)
        if watch.count in before:
            way: list[str] = []
            at: str | None = watch.count
            while at is not None:
                way.insert(0, at)
                at = before[at]
            yield watch, way


def _leads(policies: Policies) -> Mapping[str, list[str]]:
    """For each event, the events that may follow from it: flows that hear it raise them, or watches that count it."""
    found: dict[str, list[str]] = {}
    for flow in policies.flows.values():
        raised = list(dict.fromkeys(each.event for effects in effects_of(flow) for each in effects.raises))
        for event in flow.events if raised else ():
            found.setdefault(event, []).extend(raised)
    for watch in policies.organisation.watches.values():
        found.setdefault(watch.count, []).append(watch.raises)
    return found
