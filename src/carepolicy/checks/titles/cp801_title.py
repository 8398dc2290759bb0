"""CP801: a state or event without a title."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """States and events that charts can only call by their names."""
    for flow in checked.flows.values():
        for what, group in (("state", flow.states), ("event", flow.events)):
            for each in group.values():
                title = each.at / "title"
                if title.path not in checked.sources[title.file].values:
                    text = f'the {what} "{each.name}" has no title'
                    hint = f"say it as people do, such as title: {each.title}"
                    yield Finding(CODE, text, checked.key_place(each.at), hint, Severity.NOTE)


CODE = "CP801"
RULE = Rule(
    CODE,
    "missing title",
    "People read titles, on charts, in the handbook and in lists of cases. Without one they read the name, which is "
    "made for files.",
    "states:\n  archived: {final: archived}\n",
    "states:\n  archived: {title: Put away for good, final: archived}\n",
    find,
    Severity.NOTE,
)
