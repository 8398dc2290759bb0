"""CP802: a title that is too long for its card."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity

LONGEST = 60
"""Characters: three lines of a card."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Titles of states and events that fill more than three lines of a card."""
    for flow in checked.flows.values():
        titled = [(each.title, each.at / "title") for each in flow.states.values()]
        titled += [(each.title, each.at / "title") for each in flow.events.values()]
        for title, at in titled:
            if len(title) > LONGEST:
                place = checked.within(at, title, LONGEST, len(title))
                text = f"the title has {len(title)} characters, and a card has room for {LONGEST}"
                yield Finding(CODE, text, place, "keep it short, and say the rest in steps: or note:", Severity.NOTE)


CODE = "CP802"
RULE = Rule(
    CODE,
    "title is too long for a card",
    "A chart is read at a glance: the title of a state or an event has room for 60 characters, three lines of a card. "
    "What must be done stands under steps:, and why under note:.",
    "states:\n  overdue: {title: The e-mail is late and the customer is waiting so apologise before all else}\n",
    "states:\n  overdue: {title: Late - apologise first}\n",
    find,
    Severity.NOTE,
)
