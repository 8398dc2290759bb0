"""CP203: a state that the flow does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.checks.context import CheckedSet
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Flow
    from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Wherever a state is named: transitions, exceptions, clocks, phases, moves."""
    for flow, way, _ in checked.ways:
        named = [(way.to, way.at / "to")] if way.to is not None else []
        named += [(name, way.at / "except" / number) for number, name in enumerate(way.except_)]
        for name, at in named:
            if name not in flow.states:
                yield unknown(CODE, "state", name, checked.place(at), flow.states)
    for flow in checked.flows.values():
        for name, at in _named(flow):
            if name not in flow.states:
                yield unknown(CODE, "state", name, checked.place(at), flow.states)


def _named(flow: Flow) -> Iterator[tuple[str, At]]:
    for clock in flow.clocks.values():
        for key, names in (("runs_in", clock.runs_in), ("pauses_in", clock.pauses_in)):
            yield from ((name, clock.at / key / number) for number, name in enumerate(names))
    for phase in flow.phases.values():
        yield from ((name, phase.at / "states" / number) for number, name in enumerate(phase.states))
    yield from ((new, flow.at / "moves_to" / old) for old, new in flow.moves_to.items())


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
