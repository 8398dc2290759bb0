"""CP501: a state in which nobody acts."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States without an owner, but for final ones, in which there is nothing left to do."""
    for flow in checked.flows.values():
        for state in flow.states.values():
            if state.owner is None and state.final is None:
                hint = f"say who acts here, as in owner: {flow.owner}"
                text = f'the state "{state.name}" has no owner'
                yield Finding(CODE, text, checked.key_place(state.at), hint, Severity.WARNING)


CODE = "CP501"
RULE = Rule(
    CODE,
    "state without an owner",
    "Each state says by owner: which role acts while a case is in it. A case in a state without one is nobody's "
    "task: it is on no list, and has no card for staff. A final state needs none.",
    "states:\n  in_doubt:\n    title: Somebody looks at it\n    on: {reply_sent: answered}\n",
    "states:\n  in_doubt:\n    title: The lead looks at it\n    owner: care_lead\n    on: {reply_sent: answered}\n",
    find,
    Severity.WARNING,
)
