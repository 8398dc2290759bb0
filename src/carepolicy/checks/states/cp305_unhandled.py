"""CP305: an event that is declared, and that nothing happens on."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Flow


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Events that open no case, lead nowhere, begin no clock anew, and are not counted by a watch.

    Not of a flow in which no case can begin: there the first event is one of these, and the fault is another.
    """
    counted = {watch.count for watch in checked.organisation.watches.values()}
    for flow in (each.flow for each in checked.each.values() if each.begins):
        heard = counted | _heard(checked, flow)
        for event in flow.events.values():
            if event.name not in heard:
                text = f'nothing happens on the event "{event.name}" in any state'
                yield Finding(CODE, text, checked.key_place(event.at), HINT, Severity.WARNING)


def _heard(checked: CheckedSet, flow: Flow) -> set[str]:
    found = {name for name, _ in checked.triggers[flow.name]}
    found.update(event for state in flow.states.values() for event in state.start_on)
    found.update(event for clock in flow.clocks.values() for event in clock.restarts_on)
    return found


HINT = "say under on: of a state what it leads to, or take the event away"
CODE = "CP305"
RULE = Rule(
    CODE,
    "event is never handled",
    "The flow says that this may happen, and not what then happens: no state handles it, it opens no case, begins no "
    "clock anew and is counted by no watch. Every such event would be recorded as unexpected.",
    "events:\n  customer_phoned: {title: The customer phones, by: customer}\n",
    "events:\n  customer_phoned: {title: The customer phones, by: customer}\n"
    "states:\n  received:\n    on: {customer_phoned: {tell: care_agent}}\n",
    find,
    Severity.WARNING,
)
