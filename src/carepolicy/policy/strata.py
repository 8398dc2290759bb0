"""Strata: which flows hear of what others raise, so that a replay can go level by level."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Effects, Flow, Policies

Node = tuple[str, str]
"""("flow", name) or ("watch", name)."""


class CycleOfRaises(Exception):
    """Flows or watches that raise events to each other in a circle; ``nodes`` are those in it."""

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__("events are raised in a circle: " + " -> ".join(name for _, name in nodes))
        self.nodes = nodes


def strata_of(policies: Policies) -> dict[Node, int]:
    """The stratum of every flow and watch: one above the highest that raises an event to it.

    Flows whose cases are keyed by a fact stand at least one above those keyed by the event's subject:
    their events come from many subjects, and are in order only when all have been sorted by time.
    Flows that open each other work on one subject side by side and share a stratum. Raises
    ``CycleOfRaises`` where no order exists.
    """
    hears = _edges(policies)
    group = _groups(policies)
    level: dict[Node, int] = dict.fromkeys(group.values(), 0)
    for flow in policies.flows.values():
        if flow.subject is not None and flow.every is None:
            level[group["flow", flow.name]] = 1
    edges = {(group[a], group[b]) for a, heard in hears.items() for b in heard}
    for _ in range(len(level) + 2):
        changed = False
        for low, high in edges:
            if level[high] <= level[low]:
                level[high] = level[low] + 1
                changed = True
        if not changed:
            return {node: level[group[node]] for node in group}
    round_trips = {node for node in level if _comes_back(node, edges)}
    raise CycleOfRaises(sorted(node for node in group if group[node] in round_trips))


def _comes_back(node: Node, edges: set[tuple[Node, Node]]) -> bool:
    """Whether what a node raises comes back to it, over however many others."""
    reached: set[Node] = set()
    waiting = {node}
    while waiting:
        waiting = {high for low, high in edges if low in waiting} - reached
        reached |= waiting
    return node in reached


def _edges(policies: Policies) -> dict[Node, set[Node]]:
    """From each flow or watch to those that take up what it raises, or count its events."""
    listening: dict[str, set[Node]] = {}
    for flow in policies.flows.values():
        for event in flow.events:
            listening.setdefault(event, set()).add(("flow", flow.name))
    for watch in policies.organisation.watches.values():
        listening.setdefault(watch.count, set()).add(("watch", watch.name))
    found: dict[Node, set[Node]] = {}
    for flow in policies.flows.values():
        raised = {each.event for effects in effects_of(flow) for each in effects.raises}
        found[("flow", flow.name)] = {node for event in raised for node in listening.get(event, ())}
    for watch in policies.organisation.watches.values():
        found[("watch", watch.name)] = set(listening.get(watch.raises, ()))
        for flow in policies.flows.values():
            if watch.count in flow.events:
                found[("flow", flow.name)].add(("watch", watch.name))
    return found


def _groups(policies: Policies) -> Mapping[Node, Node]:
    """Each node's representative: flows that open each other, or that one event reaches, are one group by key."""
    leader: dict[Node, Node] = {("flow", name): ("flow", name) for name in policies.flows}
    leader.update({("watch", name): ("watch", name) for name in policies.organisation.watches})
    for flow in policies.flows.values():
        opened = {each.flow for effects in effects_of(flow) for each in effects.open}
        for other in opened & set(policies.flows):
            old, new = leader[("flow", other)], leader[("flow", flow.name)]
            for node, its in leader.items():
                if its == old:
                    leader[node] = new
    return leader


def effects_of(flow: Flow) -> Iterator[Effects]:
    """Every group of effects in a flow: of transitions, of entering and of leaving."""
    for state in flow.states.values():
        yield from (each for each in (state.enter, state.leave) if each is not None)
        for transitions in state.on.values():
            yield from (each.effects for each in transitions)
        for after in state.after:
            yield from (each.effects for each in after.transitions)
    for phase in flow.phases.values():
        for transitions in phase.on.values():
            yield from (each.effects for each in transitions)
    for transitions in flow.anywhere.values():
        yield from (each.effects for each in transitions)
