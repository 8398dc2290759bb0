"""CP226: an event that carries a fact which is not declared."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Facts under ``carries:`` of every event of every flow."""
    facts = checked.organisation.facts
    common = checked.organisation.common
    events = [event for flow in checked.flows.values() for event in flow.events.values()]
    for event in (*events, *(common.events.values() if common is not None else ())):
        for key, names in (("required", event.required), ("optional", event.optional)):
            for number, name in enumerate(names):
                if name not in facts:
                    place = checked.place(event.at / "carries" / key / number)
                    yield unknown(CODE, "fact", name, place, facts)


CODE = "CP226"
RULE = Rule(
    CODE,
    "event carries an unknown fact",
    "What an event may carry is declared, with its type, under facts: of organisation.yaml.",
    "events:\n  customer_wrote: {carries: {optional: [customer.teir]}}\n",
    "events:\n  customer_wrote: {carries: {optional: [customer.tier]}}\n",
    find,
)
