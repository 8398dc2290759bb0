"""CP403: a clock that can never stop."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Clocks whose running states lead to no state in which they are stopped, nor to a final one."""
    for graph in checked.graphs.values():
        for clock in graph.flow.clocks.values():
            going = set(clock.runs_in) | set(clock.pauses_in)
            begun = graph.reached.intersection(clock.runs_in)
            after = graph.beyond(begun)
            if begun and not clock.restarts_on and after <= going and not graph.closing & after:
                text = f'the clock "{clock.name}" can never stop: it runs or pauses in every state that follows'
                yield Finding(CODE, text, checked.key_place(clock.at), HINT, Severity.WARNING)


HINT = "lead to a state that is not in its runs_in, give the flow a final state, or begin it anew with restarts_on:"
CODE = "CP403"
RULE = Rule(
    CODE,
    "clock can never stop",
    "A clock is met when the case leaves the states in which it runs. Here every state that can follow is one of them, "
    "or one in which it pauses, and none is final: it could only ever be late. A flow that goes on for ever may begin "
    "it anew with restarts_on: in place of that.",
    "clocks:\n  wait: {limit: 2 weeks, runs_in: [parked]}\n"
    "states:\n  answered: {on: {customer_wrote: parked}}\n"
    "  parked: {title: Parked, on: {customer_withdrew: {note: Noted.}, wait.late: {tell: care_lead}}}\n",
    "clocks:\n  wait: {limit: 2 weeks, runs_in: [parked]}\n"
    "states:\n  answered: {on: {customer_wrote: parked}}\n"
    "  parked: {title: Parked, on: {customer_withdrew: closed, wait.late: {tell: care_lead}}}\n",
    find,
    Severity.WARNING,
)
