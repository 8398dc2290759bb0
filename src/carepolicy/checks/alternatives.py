"""Every list of guarded alternatives, ways of one trigger or limits of a clock, and what is sure of its guards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.guards.scope import scope_of
from carepolicy.policy.language.flow import list_at
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.checks.context import CheckedFlow, CheckedSet
    from carepolicy.checks.graph import Graph
    from carepolicy.guards.proof import GuardVerdict
    from carepolicy.guards.scope import Scope
    from carepolicy.policy.model import Flow, Transition
    from carepolicy.policy.places import At


class Alternative(NamedTuple):
    """One of several: its guard (None: it always holds), its address, and that of what it chooses below it."""

    when: str | None
    at: At
    chosen: At


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A list that is tried in order. ``kind``: event, clock (an event of one), after or limit.

    ``verdicts`` are by the indexes of those that are tried together: of ways that hold anywhere, in each state
    others may be excepted. Without any, no state asks for the list at all.
    """

    flow: Flow
    trigger: str
    kind: str
    at: At
    each: tuple[Alternative, ...]
    scope: Scope
    verdicts: tuple[tuple[tuple[int, ...], GuardVerdict], ...]

    @property
    def is_open(self) -> bool:
        """Whether every one of them has a guard."""
        return all(one.when is not None for one in self.each)


def alternatives_in(checked: CheckedSet) -> Sequence[Alternatives]:
    """Every list of a set in which something has a guard, or that no state asks for."""
    return checked.once(_found)


def _found(checked: CheckedSet) -> list[Alternatives]:
    return list(_all_alternatives(checked))


def _all_alternatives(checked: CheckedSet) -> Iterator[Alternatives]:
    opened = {each.flow for _, effects, _ in checked.acts for each in effects.open}
    for name, flow in checked.each.items():
        begins_alone = name in opened or flow.flow.every is not None
        have = frozenset[str]() if begins_alone else _brought_at_the_start(flow.graph)
        yield from flow.once(_alternatives_of, (have, checked.unbound))


def _alternatives_of(flow: CheckedFlow, known: tuple[frozenset[str], frozenset[str]]) -> list[Alternatives]:
    """The lists of a flow whose cases surely have some facts, and in which the bounds of others may be passed."""
    return list(Finder(flow, *known).found())


class Finder:
    """Finds the lists of one flow. ``have`` are the facts that its cases surely have, ``unbound`` those whose bounds
    may be passed."""

    def __init__(self, checked: CheckedFlow, have: frozenset[str], unbound: frozenset[str]) -> None:
        self.graph, self.guards = checked.graph, checked.guards
        self.organisation = checked.organisation
        self.flow = checked.flow
        self.have = have
        self.unbound = unbound

    def found(self) -> Iterator[Alternatives]:
        """Every list of the flow that is worth a look."""
        flow = self.flow
        for state in flow.states.values():
            if state.final is None:
                for trigger, ways in state.on.items():
                    yield from self._ways(trigger, ways, state.at / "on" / trigger, [tuple(range(len(ways)))])
                for after in state.after:
                    at = state.at / "after" / after.limit
                    yield from self._ways(after.limit, after.transitions, at, [tuple(range(len(after.transitions)))])
        for phase in flow.phases.values():
            inside = [name for name in phase.states if name in flow.states]
            for trigger, ways in phase.on.items() if inside else ():
                yield from self._ways(trigger, ways, phase.at / "on" / trigger, self._tried(trigger, ways, inside))
        for trigger, ways in flow.anywhere.items():
            at, tried = list_at(ways), self._tried(trigger, ways, flow.states)
            if tried or at.file == flow.at.file:  # what is common may be handled by every state of one flow
                yield from self._ways(trigger, ways, at, tried)
        for clock in flow.clocks.values():
            limits = [Alternative(each.when, each.at, each.at / "is") for each in clock.limits]
            yield from self._judged(clock.name, "limit", limits, clock.at / "limit", [tuple(range(len(limits)))])

    def _tried(self, trigger: str, ways: Sequence[Transition], states: Iterable[str]) -> list[tuple[int, ...]]:
        """The indexes of the shared ways that are tried together in the states that ask for them."""
        index = {id(way): number for number, way in enumerate(ways)}
        found: dict[tuple[int, ...], None] = {}
        for state in states:
            here = self.graph.ways[state].get(trigger, ())
            if here and all(id(way) in index for way in here):
                found[tuple(index[id(way)] for way in here)] = None
        return list(found)

    def _ways(
        self, trigger: str, ways: Sequence[Transition], at: At, tried: list[tuple[int, ...]]
    ) -> Iterator[Alternatives]:
        kind = "event" if trigger in self.flow.events else "clock" if trigger in self.flow.triggers() else "after"
        each = [Alternative(way.when, way.at, way.at / "to") for way in ways]
        yield from self._judged(trigger, kind, each, at, tried)

    def _judged(
        self, trigger: str, kind: str, each: list[Alternative], at: At, tried: list[tuple[int, ...]]
    ) -> Iterator[Alternatives]:
        if tried and len(each) < 2 and each[0].when is None:
            return
        from carepolicy.guards.proof import TRUE, Ground

        event = self.flow.events.get(trigger) if kind == "event" else None
        scope = scope_of(self.organisation, self.flow, trigger if event is not None else None)
        brings = frozenset[str](event.required if event is not None else ())
        ground: Ground = Ground(scope, self.have, brings, self.unbound)
        formulas = [TRUE if one.when is None else self.guards.formula(one.when, ground) for one in each]
        guards = [formula for formula in formulas if formula is not None]
        if len(guards) == len(each):
            verdicts = tuple((chosen, self.guards.judge(tuple(guards[index] for index in chosen))) for chosen in tried)
            yield Alternatives(self.flow, trigger, kind, at, tuple(each), scope, verdicts)


def _brought_at_the_start(graph: Graph) -> frozenset[str]:
    """The facts that every event that opens a case brings, and that nothing sets afterwards."""
    flow = graph.flow
    starts = {event for state in flow.states.values() for event in state.start_on}
    if not starts or not starts <= flow.events.keys() or flow.moves_to:
        return frozenset()
    always = frozenset.intersection(*(frozenset(flow.events[event].required) for event in starts))
    return always - {fact for effects in effects_of(flow) for fact in effects.set} if always else always
