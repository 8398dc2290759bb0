"""Where a case is surely late: which transitions are taken only then, and which states are entered only so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.checks.graph import Graph
    from carepolicy.checks.guards import Guards
    from carepolicy.policy.model import Effects, Flow, State, Transition


@dataclass(frozen=True, slots=True)
class Taken:
    """A transition as it is taken in the state ``source``. ``late``: only when a promise is broken."""

    source: State
    target: State | None
    transition: Transition
    late: bool

    def groups(self) -> tuple[Effects, ...]:
        """The effects in the order in which they happen: leaving, the transition's own, entering."""
        around = (self.source.leave, self.target.enter) if self.target is not None else (None, None)
        return tuple(each for each in (around[0], self.transition.effects, around[1]) if each is not None)

    def sends(self) -> tuple[str, ...]:
        """The messages that the customer gets with it."""
        return tuple(name for effects in self.groups() for name in effects.send)


def taken_in(graph: Graph, guards: Guards) -> Iterator[Taken]:
    """Every transition of a flow in every state in which it holds, those of phases and ``anywhere`` once for each."""
    flow = graph.flow
    promised = {clock.name for clock in flow.clocks.values() if clock.promise}
    for state in flow.states.values():
        for trigger, transitions in graph.ways[state.name].items():
            clock, _, what = trigger.rpartition(".")
            late = what == "late" and clock in promised
            for each in transitions:
                yield _taken(flow, state, each, late or _only_late(each, promised, guards))
        for after in state.after:
            for each in after.transitions:
                yield _taken(flow, state, each, _only_late(each, promised, guards))


def _taken(flow: Flow, state: State, way: Transition, late: bool) -> Taken:
    return Taken(state, flow.states.get(way.to) if way.to is not None else None, way, late)


def _only_late(way: Transition, promised: set[str], guards: Guards) -> bool:
    return way.when is not None and any(guards.demands_late(way.when, clock) for clock in promised)


def owing(flow: Flow, every_way: Sequence[Taken]) -> frozenset[str]:
    """States in which an apology is owed: every way into them is taken when a promise is broken, and is silent.

    So is a way from another such state. A state in which cases begin is none.
    """
    ways: dict[str, list[Taken]] = {}
    for taken in every_way:
        if taken.target is not None and taken.target.name != taken.source.name:
            ways.setdefault(taken.target.name, []).append(taken)
    found = {name for name in ways if not flow.states[name].start_on and flow.states[name].final is None}
    changed = True
    while changed:
        wrong = {
            name
            for name in found
            if any(each.sends() or not (each.late or each.source.name in found) for each in ways[name])
        }
        found -= wrong
        changed = bool(wrong)
    return frozenset(_reached({name for name in found if any(each.late for each in ways[name])}, ways, found))


def _reached(begun: set[str], ways: dict[str, list[Taken]], found: set[str]) -> set[str]:
    """Those of ``found`` to which lateness comes at all: a mere circle of states owes nothing."""
    waiting = True
    while waiting:
        more = {name for name in found - begun if any(each.source.name in begun for each in ways[name])}
        begun |= more
        waiting = bool(more)
    return begun
