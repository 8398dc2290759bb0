"""Walks over a flow: every transition, every group of effects, each with the event whose data it may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


def ways(policies: Policies) -> Iterator[Way]:
    """Every transition of every flow."""
    for flow in policies.flows.values():
        for state in flow.states.values():
            yield from _triggered(flow, state.on)
            for after in state.after:
                yield from (Way(flow, each, None) for each in after.transitions)
        for phase in flow.phases.values():
            yield from _triggered(flow, phase.on)
        yield from _triggered(flow, flow.anywhere)


def acts(policies: Policies) -> Iterator[Acts]:
    """Every group of effects of every flow: of transitions, of entering a state and of leaving it."""
    for flow in policies.flows.values():
        for state in flow.states.values():
            yield from (Acts(flow, each, None) for each in (state.enter, state.leave) if each is not None)
    yield from (Acts(way.flow, way.transition.effects, way.event) for way in ways(policies))


def triggers(flow: Flow) -> Iterator[tuple[str, At]]:
    """Every key of ``on:`` and ``anywhere:``, with the address that it leads to."""
    for state in flow.states.values():
        yield from ((name, state.at / "on" / name) for name in state.on)
    for phase in flow.phases.values():
        yield from ((name, phase.at / "on" / name) for name in phase.on)
    yield from ((name, flow.at / "anywhere" / name) for name in flow.anywhere)


def _triggered(flow: Flow, on: Mapping[str, tuple[Transition, ...]]) -> Iterator[Way]:
    for trigger, transitions in on.items():
        event = trigger if trigger in flow.events else None
        yield from (Way(flow, each, event) for each in transitions)
