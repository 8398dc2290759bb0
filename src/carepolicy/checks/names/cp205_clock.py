"""CP205: a clock that the flow does not have."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.language.flow import CLOCK_EVENTS


def find(checked: CheckedSet) -> Iterator[Finding]:
    """The clock in ``CLOCK.late`` and its like, and the clock that a transition extends."""
    for flow in checked.flows.values():
        for name, at in checked.triggers[flow.name]:
            clock, dot, happening = name.partition(".")
            if dot and happening in CLOCK_EVENTS and clock not in flow.clocks:
                place = checked.inside(checked.key_place(at), name, 0, len(clock))
                yield unknown(CODE, "clock", clock, place, flow.clocks)
    for flow, effects, _ in checked.acts:
        for each in effects.extend:
            if each.clock not in flow.clocks:
                yield unknown(CODE, "clock", each.clock, checked.place(each.at / "clock"), flow.clocks)


CODE = "CP205"
RULE = Rule(
    CODE,
    "unknown clock",
    "A clock's event (CLOCK.warned, CLOCK.late, CLOCK.met) and an extension name a clock of the same flow.",
    "states:\n  received:\n    on: {frst_reply.late: overdue}\n",
    "states:\n  received:\n    on: {first_reply.late: overdue}\n",
    find,
)
