"""CP217: a case that is opened in another flow, and it is not clear where."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.language.flow import EVERY
from carepolicy.policy.model import Flow


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``open:`` of a flow that has no start, has several and none is named, or has not the one that is named."""
    for _, effects, _ in checked.acts:
        for each in effects.open:
            other = checked.flows.get(each.flow)
            if other is None:
                continue
            starts = starts_of(other)
            if each.on is None and len(starts) != 1:
                ways = f"starts on {', '.join(starts)}: say which" if starts else "starts on no event"
                hint = f"write {{flow: {other.name}, on: {starts[0]}}}" if starts else "give a state of it start_on:"
                yield Finding(CODE, f'the flow "{other.name}" {ways}', checked.place(each.at / "flow"), hint)
            elif each.on is not None and each.on in other.events and each.on not in starts:
                place = checked.place(each.at / "on")
                yield unknown(CODE, f"start of {other.name}", each.on, place, starts)


def starts_of(flow: Flow) -> list[str]:
    """The events that open a case of a flow, in the order of the file."""
    return list(dict.fromkeys(event for state in flow.states.values() for event in state.start_on if event != EVERY))


CODE = "CP217"
RULE = Rule(
    CODE,
    "opened flow has no such start",
    "open: begins a case of another flow as if one of its starting events had come. Where the other flow starts on "
    "several events, `open: {flow: NAME, on: EVENT}` says which.",
    "states:\n  answered:\n    after:\n"
    "      2 business days: {to: closed, open: {flow: feedback_survey, on: survey_answered}}\n",
    "states:\n  answered:\n    after:\n"
    "      2 business days: {to: closed, open: {flow: feedback_survey, on: survey_due}}\n",
    find,
)
