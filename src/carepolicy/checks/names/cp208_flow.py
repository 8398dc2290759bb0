"""CP208: a flow that the set does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.pointing import unknown
from carepolicy.checks.rule import Rule
from carepolicy.checks.walk import acts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies


def find(policies: Policies) -> Iterator[Finding]:
    """Flows that are opened and do not exist."""
    for _, effects, _ in acts(policies):
        for each in effects.open:
            if each.flow not in policies.flows:
                yield unknown(CODE, "flow", each.flow, policies.place(each.at / "flow"), policies.flows)


CODE = "CP208"
RULE = Rule(
    CODE,
    "unknown flow",
    "open: starts a case of another flow of the set. A flow is known by the name after `flow:` in its file.",
    "states:\n  answered:\n    after: {2 business days: {to: closed, open: feedback_survy}}\n",
    "states:\n  answered:\n    after: {2 business days: {to: closed, open: feedback_survey}}\n",
    find,
)
