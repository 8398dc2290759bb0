"""CP208: a flow that the set does not have."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Flows that are opened and do not exist, and those that are to be excepted from what is common."""
    yield from checked.unknown_names(CODE, "flow", checked.flows)
    for named in checked.named.get("exception", ()):
        name = named.name.partition(".")[0]
        if name not in checked.flows:
            place = checked.inside(checked.place(named.at), named.name, 0, len(name))
            yield unknown(CODE, "flow", name, place, checked.flows)


CODE = "CP208"
RULE = Rule(
    CODE,
    "unknown flow",
    "open: starts a case of another flow of the set, and except: under common: names flows that do not take it up. "
    "A flow is known by the name after `flow:` in its file.",
    "states:\n  answered:\n    after: {2 business days: {to: closed, open: feedback_survy}}\n",
    "states:\n  answered:\n    after: {2 business days: {to: closed, open: feedback_survey}}\n",
    find,
)
