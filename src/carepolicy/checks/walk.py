"""Walks over a flow: every transition, every group of effects, each with the event whose data it may read."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.checks.graph import Same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.policy.model import Effects, Flow, Policies, Transition
    from carepolicy.policy.places import At


class Way(NamedTuple):
    """A transition, and the event that triggers it; None where a clock or the passing of time does."""

    flow: Flow
    transition: Transition
    event: str | None


class Acts(NamedTuple):
    """A group of effects, and the event whose data they may read; None where there is no such event."""

    flow: Flow
    effects: Effects
    event: str | None


class Walked(NamedTuple):
    """A set, and what a walk over it finds."""

    policies: Policies
    ways: tuple[Way, ...]
    acts: tuple[Acts, ...]


_LAST: list[Walked] = []
"""The last walk. Twenty rules walk over one set in turn, and a set never changes."""


def ways(policies: Policies) -> tuple[Way, ...]:
    """Every transition of every flow."""
    return _walked(policies).ways


def acts(policies: Policies) -> tuple[Acts, ...]:
    """Every group of effects of every flow: of transitions, of entering a state and of leaving it."""
    return _walked(policies).acts


def _walked(policies: Policies) -> Walked:
    last = _LAST[0] if _LAST else None
    if last is None or last.policies is not policies:
        all_ways = tuple(_ways(policies))
        last = Walked(policies, all_ways, tuple(_acts(policies, all_ways)))
        _LAST[:] = [last]
    return last


def _ways(policies: Policies) -> Iterator[Way]:
    for flow in policies.flows.values():
        for state in flow.states.values():
            yield from _triggered(flow, state.on)
            for after in state.after:
                yield from (Way(flow, each, None) for each in after.transitions)
        for phase in flow.phases.values():
            yield from _triggered(flow, phase.on)
        yield from _triggered(flow, flow.anywhere)


def _acts(policies: Policies, all_ways: tuple[Way, ...]) -> Iterator[Acts]:
    for flow in policies.flows.values():
        for state in flow.states.values():
            yield from (Acts(flow, each, None) for each in (state.enter, state.leave) if each is not None)
    yield from (Acts(way.flow, way.transition.effects, way.event) for way in all_ways)


def triggers(flow: Flow) -> tuple[tuple[str, At], ...]:
    """Every key of ``on:`` and ``anywhere:``, with the address that it leads to."""
    return _keys(Same(flow))


@lru_cache(maxsize=1000)
def _keys(same: Same[Flow]) -> tuple[tuple[str, At], ...]:
    return tuple(_each_key(same.kept))


def _each_key(flow: Flow) -> Iterator[tuple[str, At]]:
    for state in flow.states.values():
        yield from ((name, state.at / "on" / name) for name in state.on)
    for phase in flow.phases.values():
        yield from ((name, phase.at / "on" / name) for name in phase.on)
    yield from ((name, flow.at / "anywhere" / name) for name in flow.anywhere)


def _triggered(flow: Flow, on: Mapping[str, tuple[Transition, ...]]) -> Iterator[Way]:
    for trigger, transitions in on.items():
        event = trigger if trigger in flow.events else None
        yield from (Way(flow, each, event) for each in transitions)
