"""CP204: a fact that organisation.yaml does not declare."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Facts that are set, raised, counted by or from, that limit, or that hold an address; guards have other codes."""
    facts = checked.organisation.facts
    yield from checked.unknown_names(CODE, "fact", facts)
    for written in checked.limits:
        limit = checked.limit(written.text)
        for name in limit.reads if limit is not None else ():
            if name not in facts:
                start = max(0, written.text.find(name))
                place = checked.inside(written.place, written.text, start, start + len(name))
                yield unknown(CODE, "fact", name, place, facts)


CODE = "CP204"
RULE = Rule(
    CODE,
    "unknown fact",
    "Facts are declared once, with their type, under facts: of organisation.yaml, and named everywhere by their "
    "full dotted name.",
    "states:\n  received:\n    on: {reply_sent: {to: answered, set: {complaint.atempts: 0}}}\n",
    "states:\n  received:\n    on: {reply_sent: {to: answered, set: {complaint.attempts: 0}}}\n",
    find,
)
