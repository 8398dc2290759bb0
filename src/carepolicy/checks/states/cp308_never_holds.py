"""CP308: a guard that holds for no case."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.alternatives import alternatives_in
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Guards of ways and of limits that are false whatever the facts are."""
    for found in alternatives_in(checked):
        never = {tried[index] for tried, verdict in found.verdicts for index in verdict.never}
        for index in sorted(never):
            one = found.each[index]
            if one.when is not None:
                yield Finding(CODE, "this guard holds for no case", checked.place(one.at / "when"), HINT)


HINT = "its parts shut each other out: mend it, or take it away with what it guards"
CODE = "CP308"
RULE = Rule(
    CODE,
    "guard never holds",
    "Whatever the facts are, this guard is false: its parts contradict each other, it asks for a value beyond those "
    "that there are, or for a missing fact that the event must bring. What it guards never happens. Mostly `&&` stands "
    "where `||` is meant.",
    "states:\n  waiting_for_customer:\n    on:\n      customer_wrote:\n"
    "        - {when: order.total > 100 && order.total < 50, to: received, assign: care_lead}\n"
    "        - {to: received}\n",
    "states:\n  waiting_for_customer:\n    on:\n      customer_wrote:\n"
    "        - {when: order.total > 100 || order.total < 50, to: received, assign: care_lead}\n"
    "        - {to: received}\n",
    find,
)
