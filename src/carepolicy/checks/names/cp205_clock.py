"""CP205: a clock that the flow does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.names.cp202_event import CLOCK_EVENTS
from carepolicy.checks.pointing import inside, unknown
from carepolicy.checks.rule import Rule
from carepolicy.checks.walk import acts, triggers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies


def find(policies: Policies) -> Iterator[Finding]:
    """The clock in ``CLOCK.late`` and its like, and the clock that a transition extends."""
    for flow in policies.flows.values():
        for name, at in triggers(flow):
            clock, dot, happening = name.partition(".")
            if dot and happening in CLOCK_EVENTS and clock not in flow.clocks:
                place = inside(policies, policies.key_place(at), name, 0, len(clock))
                yield unknown(CODE, "clock", clock, place, flow.clocks)
    for flow, effects, _ in acts(policies):
        for each in effects.extend:
            if each.clock not in flow.clocks:
                yield unknown(CODE, "clock", each.clock, policies.place(each.at / "clock"), flow.clocks)


CODE = "CP205"
RULE = Rule(
    CODE,
    "unknown clock",
    "A clock's event (CLOCK.warned, CLOCK.late, CLOCK.met) and an extension name a clock of the same flow.",
    "states:\n  received:\n    on: {frst_reply.late: overdue}\n",
    "states:\n  received:\n    on: {first_reply.late: overdue}\n",
    find,
)
