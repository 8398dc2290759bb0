"""CP208: a flow that the set does not have."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Flows that are opened and do not exist."""
    yield from checked.unknown_names(CODE, "flow", checked.flows)


CODE = "CP208"
RULE = Rule(
    CODE,
    "unknown flow",
    "open: starts a case of another flow of the set. A flow is known by the name after `flow:` in its file.",
    "states:\n  answered:\n    after: {2 business days: {to: closed, open: feedback_survy}}\n",
    "states:\n  answered:\n    after: {2 business days: {to: closed, open: feedback_survey}}\n",
    find,
)
