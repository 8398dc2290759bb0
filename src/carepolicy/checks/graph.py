"""A flow as a graph: which states lead to which, where cases begin, and what can be reached from there."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from carepolicy.policy.resolve import transitions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carepolicy.policy.model import After, Flow, Organisation, Policies, Transition


class Step(NamedTuple):
    """A transition to a state (perhaps the same, left and entered again), and the timer that brings it about, if one
    does."""

    target: str
    transition: Transition
    after: After | None


@dataclass(frozen=True, slots=True)
class Graph:
    """The states of a flow and the steps between them. Names of states that there are not are left out.

    ``ways`` are the transitions that hold in a state, by trigger; ``starts`` the states in which a case may begin, or
    be put when it moves from another version; ``reached`` what can be reached from there; ``closing`` the states from
    which a final one can be reached.
    """

    flow: Flow
    ways: Mapping[str, Mapping[str, tuple[Transition, ...]]]
    steps: Mapping[str, tuple[Step, ...]]
    starts: tuple[str, ...]
    reached: frozenset[str]
    closing: frozenset[str]

    def targets(self, state: str) -> list[str]:
        """The states that one leads to, in the order of the file, each once."""
        return list(dict.fromkeys(step.target for step in self.steps[state]))

    def beyond(self, states: Iterable[str]) -> frozenset[str]:
        """The states that can be reached from some, these included."""
        return _spread(states, {state: self.targets(state) for state in self.steps})


Kept = TypeVar("Kept", bound="Policies | Flow | Organisation")


class Same(Generic[Kept]):
    """A set or a flow as the key of a cache: by what it is, since comparing what it says would take longer than the
    work. A set that is checked again after a change has the same flows but for those that changed."""

    __slots__ = ("kept",)

    def __init__(self, kept: Kept) -> None:
        self.kept: Kept = kept

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.kept is other.kept

    def __hash__(self) -> int:
        return id(self.kept)


def graphs(policies: Policies) -> Mapping[str, Graph]:
    """The graph of every flow, by name. They are made once for a set, and shared by the rules."""
    return _graphs(Same(policies))


@lru_cache(maxsize=1)
def _graphs(same: Same[Policies]) -> dict[str, Graph]:
    return {name: kept_graph(Same(flow)) for name, flow in same.kept.flows.items()}


@lru_cache(maxsize=1000)
def kept_graph(same: Same[Flow]) -> Graph:
    """The graph of a flow, made once for as long as the flow is the same."""
    return graph_of(same.kept)


def graph_of(flow: Flow) -> Graph:
    """The graph of one flow, in time that grows with the number of its transitions."""
    steps: dict[str, tuple[Step, ...]] = {}
    ways = {name: transitions_of(flow, name) for name in flow.states}
    for state in flow.states.values():
        timed: list[tuple[Transition, After | None]] = [
            (way, None) for each in ways[state.name].values() for way in each
        ]
        if state.final is None:
            timed += [(way, after) for after in state.after for way in after.transitions]
        found = [Step(way.to, way, after) for way, after in timed if way.to is not None and way.to in flow.states]
        steps[state.name] = tuple(found)
    starts = [state.name for state in flow.states.values() if state.start_on] or list(flow.states)[:1]
    starts += [name for name in flow.moves_to.values() if name in flow.states]
    back: dict[str, list[str]] = {name: [] for name in flow.states}
    for name, each in steps.items():
        for step in each:
            back[step.target].append(name)
    final = [state.name for state in flow.states.values() if state.final is not None]
    onward = {name: [step.target for step in each] for name, each in steps.items()}
    entered = tuple(dict.fromkeys(starts))
    return Graph(flow, ways, steps, entered, _spread(entered, onward), _spread(final, back))


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
    from carepolicy.checks.components import components

    order = {name: number for number, name in enumerate(onward)}
    found = [sorted(group, key=order.__getitem__) for group in components(onward)]
    return sorted(
        (group for group in found if len(group) > 1 or group[0] in onward[group[0]]), key=lambda each: order[each[0]]
    )
