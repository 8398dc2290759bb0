"""CP227: a flow whose cases are kept by a fact that is not declared."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``subject:`` of flows that are not opened by time (there it is the subject itself)."""
    facts = checked.organisation.facts
    for flow in checked.flows.values():
        if flow.subject is not None and flow.every is None and flow.subject not in facts:
            yield unknown(CODE, "fact", flow.subject, checked.place(flow.at / "subject"), facts)


CODE = "CP227"
RULE = Rule(
    CODE,
    "subject is an unknown fact",
    "subject: names the fact that holds together the events of one case, such as customer.id. It is declared under "
    "facts: of organisation.yaml.",
    "subject: complaint.cuase\n",
    "subject: complaint.cause\n",
    find,
)
