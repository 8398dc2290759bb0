"""CP803: two states of a flow that people cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States, and events, whose title another of the same flow has already."""
    for flow in checked.flows.values():
        for what, group in (("state", flow.states), ("event", flow.events)):
            first: dict[str, str] = {}
            for each in group.values():
                title = " ".join(each.title.casefold().split())
                if title in first:
                    text = f'the {what} "{first[title]}" has this title too'
                    hint = "say what makes the two different"
                    yield Finding(CODE, text, checked.place(each.at / "title"), hint, Severity.NOTE)
                first.setdefault(title, each.name)


CODE = "CP803"
RULE = Rule(
    CODE,
    "one title twice",
    "On a chart, in a list of cases and in the handbook people see titles only. Two states, or two events, of a flow "
    "that are called the same cannot be told apart.",
    "states:\n  closed_unanswered: {title: Closed}\n",
    "states:\n  closed_unanswered: {title: Closed without an answer}\n",
    find,
    Severity.NOTE,
)
