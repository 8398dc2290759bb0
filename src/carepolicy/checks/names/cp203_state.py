"""CP203: a state that the flow does not have."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Wherever a state is named: transitions, exceptions, clocks, phases, moves."""
    yield from checked.unknown_names(CODE, "state", lambda each: checked.flows[each.flow].states)


CODE = "CP203"
RULE = Rule(
    CODE,
    "unknown state",
    "A transition leads to a state of the same flow, and a clock runs and pauses in states of its flow. "
    "The name is written exactly as it stands under states:.",
    "states:\n  received:\n    on: {more_info_asked: waiting_for_custmer}\n",
    "states:\n  received:\n    on: {more_info_asked: waiting_for_customer}\n",
    find,
)
