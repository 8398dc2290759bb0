"""CP223: flows and watches that raise events to each other in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.rule import Rule
from carepolicy.checks.states.cp311_feeds_itself import feeding
from carepolicy.checks.walk import acts
from carepolicy.policy.findings import Finding
from carepolicy.policy.strata import CycleOfRaises, strata_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Place


def find(policies: Policies) -> Iterator[Finding]:
    """Every ``raise`` that is a part of a circle."""
    if any(each.flow not in policies.flows for _, effects, _ in acts(policies) for each in effects.open):
        return
    try:
        strata_of(policies)
    except CycleOfRaises as circle:
        names = {name for _, name in circle.nodes}
        told = ", ".join(f"{kind} {name}" for kind, name in circle.nodes)
        for place in _raises(policies, names):
            yield Finding(CODE, f"events are raised in a circle: {told}", place, HINT)


def _raises(policies: Policies, names: set[str]) -> Iterator[Place]:
    heard = {event for flow in policies.flows.values() if flow.name in names for event in flow.events}
    heard |= {each.count for each in policies.organisation.watches.values() if each.name in names}
    for flow, effects, _ in acts(policies):
        for each in effects.raises:
            if flow.name in names and each.event in heard:
                yield policies.place(each.at / "event")
    itself = {watch.name for watch, _ in feeding(policies)}  # told as CP311
    for watch in policies.organisation.watches.values():
        if watch.name in names - itself and watch.raises in heard:
            yield policies.place(watch.at / "raise")


HINT = "let one of them act in its own flow in place of raising an event"
CODE = "CP223"
RULE = Rule(
    CODE,
    "events raised in a circle",
    "Flows form strata: an order's flow may raise events to a customer's, and that to the organisation's, never "
    "back. A circle could raise events without end, and a past log could not be replayed in order.",
    "states:\n  received:\n    on:\n"
    "      reply_sent: {to: answered, raise: {event: customer_wrote, subject: complaint.cause}}\n",
    "states:\n  received:\n    on:\n"
    "      reply_sent: {to: answered, raise: {event: chronic_problem_found, subject: complaint.cause}}\n",
    find,
)
