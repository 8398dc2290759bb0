"""CP234: a clock that is to run and to stand still in the same state."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States in both ``runs_in`` and ``pauses_in`` of a clock."""
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            for number, state in enumerate(clock.pauses_in):
                if state in clock.runs_in:
                    yield Finding(
                        CODE,
                        f'the clock {clock.name} already runs in "{state}"',
                        checked.place(clock.at / "pauses_in" / number),
                        "name each state in runs_in or in pauses_in, not in both",
                    )


CODE = "CP234"
RULE = Rule(
    CODE,
    "clock both runs and pauses",
    "In each state a clock runs, pauses or is stopped. A state in both lists says two of these at once.",
    "clocks:\n  first_reply: {runs_in: [received], pauses_in: [received]}\n",
    "clocks:\n  first_reply: {runs_in: [received], pauses_in: [waiting_for_customer]}\n",
    find,
)
