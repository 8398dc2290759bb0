"""CP223: flows and watches that raise events to each other in a circle."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.places import Place
from carepolicy.policy.strata import CycleOfRaises, strata_of


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Every ``raise`` that is a part of a circle."""
    if any(each.flow not in checked.flows for _, effects, _ in checked.acts for each in effects.open):
        return
    try:
        strata_of(checked.policies)
    except CycleOfRaises as circle:
        names = {name for _, name in circle.nodes}
        told = ", ".join(f"{kind} {name}" for kind, name in circle.nodes)
        for place in _raises(checked, names):
            yield Finding(CODE, f"events are raised in a circle: {told}", place, HINT)


def _raises(checked: CheckedSet, names: set[str]) -> Iterator[Place]:
    heard = {event for flow in checked.flows.values() if flow.name in names for event in flow.events}
    heard |= {each.count for each in checked.organisation.watches.values() if each.name in names}
    for flow, effects, _ in checked.acts:
        for each in effects.raises:
            if flow.name in names and each.event in heard:
                yield checked.place(each.at / "event")
    itself = {watch.name for watch, _ in checked.feeding}  # told as CP311
    for watch in checked.organisation.watches.values():
        if watch.name in names - itself and watch.raises in heard:
            yield checked.place(watch.at / "raise")


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
