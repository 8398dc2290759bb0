"""A flow that holds what the old and the new one hold, so that both can be drawn in one layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from carepolicy.charts.changes.compare import pairs_of, way_key
from carepolicy.charts.changes.pairing import AFTER, ANYWHERE, Placed
from carepolicy.policy.limit import LimitText
from carepolicy.policy.model import After

if TYPE_CHECKING:
    from carepolicy.charts.changes.compare import Difference
    from carepolicy.charts.changes.items import Key
    from carepolicy.policy.model import Flow, Phase, Policies, State, Transition

Value = TypeVar("Value")
_NOTHING: Mapping[str, str] = {}


def union_of(difference: Difference, flow: str) -> tuple[Policies, dict[str, Key]]:
    """The newer set with the flow as both have it, and the comparison's key of each way by its key on the chart.

    What is gone comes after what is there, so that the new flow's main path decides the layout.
    """
    old, new = difference.old.flows.get(flow), difference.new.flows.get(flow)
    renamed = difference.renamed.get(flow, _NOTHING)
    union = _Union(flow, pairs_of(old, new, renamed))
    there = new if new is not None else difference.old.flows[flow]
    if old is not None and new is not None:
        states = {renamed.get(name, name): state for name, state in old.states.items()}
        stopped = {name: replace(clock, runs_in=(), pauses_in=()) for name, clock in old.clocks.items()}
        there = replace(
            new,
            events=_both(old.events, new.events),
            clocks=_both(stopped, new.clocks),
            states=_both(states, new.states),
            phases=union.phases(old.phases, new.phases, states),
        )
    return _named(difference, union.filled(there)), union.keys


def _both(old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, Value]:
    return {**new, **{name: value for name, value in old.items() if name not in new}}


def _named(difference: Difference, flow: Flow) -> Policies:
    """A set with the names of both, so that a role or a message that is gone still has its title."""
    old, new = difference.old, difference.new
    organisation = replace(
        new.organisation,
        roles=_both(old.organisation.roles, new.organisation.roles),
        facts=_both(old.organisation.facts, new.organisation.facts),
        settings=_both(old.organisation.settings, new.organisation.settings),
    )
    messages = {
        language: _both(old.messages.get(language, {}), new.messages.get(language, {}))
        for language in dict.fromkeys((*new.messages, *old.messages))
    }
    flows = {**_both(old.flows, new.flows), flow.name: flow}
    return replace(new, organisation=organisation, messages=messages, flows=flows)


@dataclass(slots=True)
class _Union:
    """Puts pairs of transitions back into their states, phases and the whole flow."""

    flow: str
    pairs: dict[tuple[str, str], list[tuple[Placed | None, Placed | None]]]
    keys: dict[str, Key] = field(default_factory=dict)

    def filled(self, flow: Flow) -> Flow:
        """The flow with the transitions of both sides."""
        states = {name: self._state(name, state) for name, state in flow.states.items()}
        phases = {
            name: replace(phase, on=self._on(f"phase {name}", f"phase-{name}")) for name, phase in flow.phases.items()
        }
        return replace(flow, states=states, phases=phases, anywhere=self._on(ANYWHERE, ANYWHERE))

    @staticmethod
    def phases(old: Mapping[str, Phase], new: Mapping[str, Phase], states: Mapping[str, State]) -> dict[str, Phase]:
        """The phases of both; one that both have keeps the old one's states that are in no new phase."""
        placed = {name for phase in new.values() for name in phase.states}
        made: dict[str, Phase] = {}
        for name, phase in _both(old, new).items():
            before = old[name].states if name in old else ()
            kept = [each for each in before if each in states and each not in placed]
            own = [each for each in phase.states if name in new or each in kept]
            made[name] = replace(phase, states=tuple(dict.fromkeys((*own, *kept))))
        return made

    def _state(self, name: str, state: State) -> State:
        after: dict[str, list[Transition]] = {}
        for slot, pair in enumerate(self.pairs.get((name, AFTER), [])):
            way = self._there(pair)
            group = after.setdefault(way.limit, [])
            self.keys[f"{name}-after {way.limit}-{len(group)}"] = way_key(self.flow, name, AFTER, slot)
            group.append(replace(way.transition, to=way.to))
        timed = tuple(After(LimitText(limit), tuple(group), state.at) for limit, group in after.items())
        return replace(state, name=name, on=self._on(name, name), after=timed)

    def _on(self, place: str, prefix: str) -> dict[str, tuple[Transition, ...]]:
        found: dict[str, tuple[Transition, ...]] = {}
        for (where, trigger), pairs in self.pairs.items():
            if where != place or trigger == AFTER:
                continue
            ways = [self._there(pair) for pair in pairs]
            for slot in range(len(ways)):
                self.keys[f"{prefix}-{trigger}-{slot}"] = way_key(self.flow, place, trigger, slot)
            found[trigger] = tuple(replace(way.transition, to=way.to) for way in ways)
        return found

    @staticmethod
    def _there(pair: tuple[Placed | None, Placed | None]) -> Placed:
        old, new = pair
        found = new if new is not None else old
        assert found is not None
        return found
