"""Every list of guarded alternatives, ways of one trigger or limits of a clock, and what is sure of its guards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.checks.graph import Same, graphs, kept_graph
from carepolicy.guards import ExpressionError
from carepolicy.guards.scopes import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.checks.graph import Graph
    from carepolicy.guards.proving import Formula, Ground, Verdict
    from carepolicy.guards.scope import Scope
    from carepolicy.policy.model import Flow, Organisation, Policies, Transition
    from carepolicy.policy.places import At


Said = tuple[str, frozenset[str], frozenset[str]]
"""A guard's text, and the facts of its ground: names of clocks and states are only ever those of its own flow."""


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
    verdicts: tuple[tuple[tuple[int, ...], Verdict], ...]

    @property
    def is_open(self) -> bool:
        """Whether every one of them has a guard."""
        return all(one.when is not None for one in self.each)


def alternatives(policies: Policies) -> tuple[Alternatives, ...]:
    """Every list in which something has a guard, or that no state asks for. Made once for a set."""
    return _alternatives(Same(policies))


@lru_cache(maxsize=1)
def _alternatives(same: Same[Policies]) -> tuple[Alternatives, ...]:
    return tuple(_found(same.kept))


def _found(policies: Policies) -> Iterator[Alternatives]:
    opened = _opened(policies)
    for name, graph in graphs(policies).items():
        have = frozenset[str]() if name in opened else _brought_at_the_start(policies, graph)
        yield from _of_flow(Same(graph.flow), Same(policies.organisation), have)


@lru_cache(maxsize=1000)
def _of_flow(flow: Same[Flow], organisation: Same[Organisation], have: frozenset[str]) -> tuple[Alternatives, ...]:
    """The lists of a flow. They hang on nothing else: where a set is checked again, those of other flows are kept."""
    finder = _Finder(organisation.kept, kept_graph(flow), have, _known(organisation))
    return tuple(finder.found())


@lru_cache(maxsize=1)
def _known(organisation: Same[Organisation]) -> dict[Said, Formula]:
    """What guards say, for one organisation: it fills as they are asked for."""
    return {}


class _Finder:
    """Finds the lists of one flow. ``have`` are the facts that its cases surely have, ``known`` what guards say: many
    flows of a set say the same."""

    def __init__(
        self, organisation: Organisation, graph: Graph, have: frozenset[str], known: dict[Said, Formula]
    ) -> None:
        self.known = known
        self.organisation = organisation
        self.graph = graph
        self.flow = graph.flow
        self.have = have

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
            yield from self._ways(
                trigger, ways, flow.at / "anywhere" / trigger, self._tried(trigger, ways, flow.states)
            )
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
        from carepolicy.guards.proving import TRUE, Ground, judge

        event = self.flow.events.get(trigger) if kind == "event" else None
        scope = scope_of(self.organisation, self.flow, trigger if event is not None else None)
        ground: Ground = Ground(scope, self.have, frozenset(event.required) if event is not None else frozenset())
        try:
            guards = [TRUE if one.when is None else self._formula(one.when, ground) for one in each]
        except (ExpressionError, RecursionError):
            return  # told where it stands by the rules on expressions
        verdicts = tuple((chosen, judge(tuple(guards[index] for index in chosen))) for chosen in tried)
        yield Alternatives(self.flow, trigger, kind, at, tuple(each), scope, verdicts)

    def _formula(self, when: str, ground: Ground) -> Formula:
        from carepolicy.guards.proving import formula_of

        said = (when, ground.have, ground.brings)
        if said not in self.known:
            self.known[said] = formula_of(when, ground)
        return self.known[said]


def _opened(policies: Policies) -> set[str]:
    """The flows whose cases may begin without an event of their own."""
    from carepolicy.checks.walk import acts

    found = {each.flow for _, effects, _ in acts(policies) for each in effects.open}
    return found | {flow.name for flow in policies.flows.values() if flow.every is not None}


def _brought_at_the_start(policies: Policies, graph: Graph) -> frozenset[str]:
    """The facts that every event brings which opens a case, and that nothing sets afterwards."""
    from carepolicy.policy.strata import effects_of

    flow = graph.flow
    starts = {event for state in flow.states.values() for event in state.start_on}
    if not starts or not starts <= flow.events.keys() or flow.moves_to:
        return frozenset()
    always = frozenset.intersection(*(frozenset(flow.events[event].required) for event in starts))
    return always - {fact for effects in effects_of(flow) for fact in effects.set} if always else always
