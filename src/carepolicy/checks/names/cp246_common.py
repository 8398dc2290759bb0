"""CP246: what is said for every flow, and no flow takes up."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.language.flow import list_at
from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Common events that no flow has from there, and common ways that no flow has."""
    common = checked.organisation.common
    if common is None:
        return
    flows = checked.flows.values()
    taken = {list_at(ways) for flow in flows for ways in flow.anywhere.values()}
    events = {event.at for flow in flows for event in flow.events.values()}
    for name, ways in common.anywhere.items():
        if name in common.events and list_at(ways) not in taken:
            yield _finding(f"no flow takes up what is common on {name}", checked, list_at(ways))
    misspelt = not common.anywhere.keys() <= common.events.keys()  # one fault, which CP202 tells
    for event in () if misspelt else common.events.values():
        if event.at not in events and event.name not in common.anywhere:
            yield _finding(f'no flow uses the common event "{event.name}"', checked, event.at)


def _finding(text: str, checked: CheckedSet, at: At) -> Finding:
    return Finding(CODE, text, checked.key_place(at), HINT, Severity.WARNING)


HINT = "take it away; or let a flow take it up that says common: false, handles it itself, or is excepted"
CODE = "CP246"
RULE = Rule(
    CODE,
    "no flow takes up what is common",
    "What stands under common: in organisation.yaml every flow takes up, unless it says common: false, handles the "
    "event itself or is named under except:. A common event without a way under anywhere: is for flows that name it. "
    "Here no flow is left.",
    "common:\n  events:\n    letter_came: {title: A letter comes, by: customer}\n",
    "common:\n  events:\n    letter_came: {title: A letter comes, by: customer}\n"
    "  anywhere:\n    letter_came: {tell: care_lead}\n",
    find,
    Severity.WARNING,
)
