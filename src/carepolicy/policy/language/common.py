"""The language of ``common:`` in organisation.yaml: what is said once for every flow, and how a flow takes it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from carepolicy.policy.language.flow import Event, Flow, Transition, ways
from carepolicy.policy.language.keys import Mapped, located, mapping, named
from carepolicy.policy.language.shapes import TRIGGER
from carepolicy.policy.places import At

COMMON = ways("common", "common_ways")


@mapping("what every flow has: {events: …, anywhere: …}", piece="common")
class Common(Mapped):
    """What is said once for every flow: events, and what happens on them in every state that is not final."""

    events: Mapping[str, Event] = named(
        Event, "events by name", "What may happen in every flow that takes it up.", defines="event", codes=("CP246",),
        example="{card_seen: {title: A card number is seen, by: system}}", rank=1,
    )  # fmt: skip
    anywhere: Mapping[str, tuple[Transition, ...]] = named(
        COMMON, "events and where they lead",
        "What holds in every state of every flow that is not final, where nothing of the flow handles the event.",
        names=TRIGGER, example="{card_seen: {tell: care_lead, except: [feedback_survey]}}",
        codes=("CP202", "CP203", "CP246"), rank=2,
    )  # fmt: skip
    at: At = located()


def taken_up(flow: Flow, common: Common) -> Flow:
    """The flow with what it takes up of what is common: the flow itself where that is nothing.

    A trigger of its own ``anywhere`` replaces the common one; one of a state or a phase does where it stands. An event
    that it declares stays its own, and one that it only names is the common one.
    """
    if not flow.takes_common:
        return flow
    known = flow.events.keys() | common.events.keys()
    anywhere: dict[str, tuple[Transition, ...]] = {}
    for trigger, transitions in common.anywhere.items():
        ways = tuple(_in_flow(flow, each) for each in transitions if flow.name not in each.except_)
        if ways and trigger in known and trigger not in flow.anywhere:
            anywhere[trigger] = ways
    used = anywhere.keys() | _named_events(flow)
    events = {name: event for name, event in common.events.items() if name in used and name not in flow.events}
    if not events and not anywhere:
        return flow
    return replace(flow, events={**flow.events, **events}, anywhere={**flow.anywhere, **anywhere})


def _in_flow(flow: Flow, way: Transition) -> Transition:
    """A common way as one of ``anywhere`` of a flow: of the exceptions, the flow's own states are left."""
    own = f"{flow.name}."
    return replace(way, except_=tuple(each.removeprefix(own) for each in way.except_ if each.startswith(own)))


def _named_events(flow: Flow) -> set[str]:
    """Every name that stands where a flow may name an event."""
    found = {name for state in flow.states.values() for name in (*state.on, *state.start_on)}
    found.update(name for phase in flow.phases.values() for name in phase.on)
    found.update(name for clock in flow.clocks.values() for name in clock.restarts_on)
    return found | flow.anywhere.keys()
