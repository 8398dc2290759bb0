"""CP404: a clock of which nobody hears anything, neither that it warns nor that it is late."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Clocks of which ``CLOCK.late`` is a trigger in no state, nor ``CLOCK.warned`` where they warn."""
    for flow in checked.flows.values():
        heard = {name for name, _ in checked.triggers[flow.name]}
        for clock in flow.clocks.values():
            warns = bool(clock.warn_at) and f"{clock.name}.warned" in heard
            if not warns and f"{clock.name}.late" not in heard:
                text = f'nothing happens when the clock "{clock.name}" is late'
                where = clock.runs_in[0] if clock.runs_in else "a state in which it runs"
                hint = f"write {clock.name}.late: {{tell: {flow.owner}}} under on: of {where}"
                yield Finding(CODE, text, checked.key_place(clock.at), hint, Severity.WARNING)


CODE = "CP404"
RULE = Rule(
    CODE,
    "nobody hears that a clock is late",
    "When a clock is late, no state says what then happens, and none hears its warning either: nobody is told, and the "
    "case goes on as if the promise had been kept. Say under on: of a state in which it runs what CLOCK.late leads to, "
    "whom it tells, and what the customer is sent. A clock whose warning is heard is let be: whoever is told in time "
    "that it runs out knows of it, and that it was late is in the records and in the report all the same.",
    "clocks:\n  answer:\n    limit: 2 business days\n    runs_in: [received]\n",
    "clocks:\n  answer:\n    limit: 2 business days\n    runs_in: [received]\n"
    "states:\n  received:\n    on: {answer.late: {tell: care_lead}}\n",
    find,
    Severity.WARNING,
)
