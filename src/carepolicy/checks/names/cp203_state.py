"""CP203: a state that the flow does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.language.flow import list_at
from carepolicy.policy.language.kinds import Reference


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Wherever a state is named: transitions, exceptions, clocks, phases, moves; and in what flows take up."""
    yield from checked.unknown_names(CODE, "state", lambda each: _known(checked, each))
    for flow in checked.flows.values():
        for transitions in flow.anywhere.values():
            for each in transitions if list_at(transitions).file != flow.at.file else ():
                if each.to is not None and each.to not in flow.states and each.to in _everywhere(checked):
                    text = f'the flow "{flow.name}" takes this up, and has no state "{each.to}"'
                    hint = f"give it one, name it under except:, or let it handle {each.on} itself"
                    yield Finding(CODE, text, checked.place(each.at / "to"), hint)
    for named in checked.named.get("exception", ()):
        name, _, state = named.name.partition(".")
        if state and name in checked.flows and state not in checked.flows[name].states:
            place = checked.inside(checked.place(named.at), named.name, len(name) + 1, len(named.name))
            yield unknown(CODE, "state", state, place, checked.flows[name].states)


def _known(checked: CheckedSet, named: Reference) -> Mapping[str, object]:
    """The states of the flow that is meant; of what is common those that any flow has."""
    return checked.flows[named.flow].states if named.flow else _everywhere(checked)


def _everywhere(checked: CheckedSet) -> dict[str, None]:
    return dict.fromkeys(name for flow in checked.flows.values() for name in flow.states)


CODE = "CP203"
RULE = Rule(
    CODE,
    "unknown state",
    "A transition leads to a state of the same flow, and a clock runs and pauses in states of its flow. "
    "The name is written exactly as it stands under states:. What is common to all flows leads to a "
    "state that each flow has which takes it up.",
    "states:\n  received:\n    on: {more_info_asked: waiting_for_custmer}\n",
    "states:\n  received:\n    on: {more_info_asked: waiting_for_customer}\n",
    find,
)
