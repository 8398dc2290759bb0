"""CP306: an event of a clock that is handled, and that the clock never sends."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``CLOCK.warned`` of a clock without ``warn_at``."""
    for flow in checked.flows.values():
        for name, at in checked.triggers[flow.name]:
            clock = flow.clocks.get(name.removesuffix(".warned")) if name.endswith(".warned") else None
            if clock is not None and not clock.warn_at:
                text = f'the clock "{clock.name}" never warns: it has no warn_at'
                hint = f"write warn_at: [80%] for the clock {clock.name}, or take this away"
                yield Finding(CODE, text, checked.key_place(at), hint, Severity.WARNING)


CODE = "CP306"
RULE = Rule(
    CODE,
    "handled event never comes",
    "CLOCK.warned comes when a share of the clock's limit is used that its warn_at: names. A clock without warn_at: "
    "warns nobody, so what is written here never happens. (An event that is handled and not declared is CP202.)",
    "clocks:\n  answer:\n    limit: 2 business days\n    runs_in: [received]\n"
    "states:\n  received:\n    on: {answer.warned: {tell: care_lead}, answer.late: {tell: care_lead}}\n",
    "clocks:\n  answer:\n    limit: 2 business days\n    runs_in: [received]\n    warn_at: [80%]\n"
    "states:\n  received:\n    on: {answer.warned: {tell: care_lead}, answer.late: {tell: care_lead}}\n",
    find,
    Severity.WARNING,
)
