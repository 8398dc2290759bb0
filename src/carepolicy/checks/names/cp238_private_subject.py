"""CP238: cases, or counts of a watch, that are kept under the value of a private fact."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.faults import ExpressionError
from carepolicy.guards.scope import scope_of
from carepolicy.policy.findings import Finding


def find(checked: CheckedSet) -> Iterator[Finding]:
    """``subject:`` of flows, ``by:`` of watches, and subjects of what is raised."""
    private = {fact.name for fact in checked.organisation.facts.values() if fact.private}
    if not private:
        return
    for flow in checked.flows.values():
        if flow.every is None and flow.subject in private:
            yield Finding(CODE, _text(flow.subject), checked.place(flow.at / "subject"), HINT)
    for watch in checked.organisation.watches.values():
        if watch.by in private:
            yield Finding(CODE, _text(watch.by), checked.place(watch.at / "by"), HINT)
    for flow, effects, event in checked.acts:
        for each in effects.raises:
            try:
                read = compile_expression(each.subject, scope_of(checked.organisation, flow, event), "text")
            except ExpressionError:
                continue  # what is wrong with it is told by another rule
            for name in sorted(private & (read.reads | read.reads_event)):
                start = each.subject.find(name)
                place = checked.within(each.at / "subject", each.subject, start, start + len(name))
                yield Finding(CODE, _text(name), place, HINT)


def _text(name: str) -> str:
    return f"{name} is private, and what it names would be kept and shown under its value"


HINT = "take a number of the customer that is not private, such as customer.id"
CODE = "CP238"
RULE = Rule(
    CODE,
    "cases kept by a private fact",
    "The fact of subject:, the fact by which a watch counts, and the subject of what is raised name a case. A name "
    "stands in every record, in lists, in the outbox and in what is sent, and is what cases are found by: it is not "
    "masked, not encrypted, and stays when the customer is erased. So it must not be private. Give customers a number, "
    "and let the events bring it.",
    "facts:\n  complaint.cause: {type: text, private: true}\nwatches:\n  repeated_cause: {by: complaint.cause}\n",
    "facts:\n  complaint.cause: {type: text}\nwatches:\n  repeated_cause: {by: complaint.cause}\n",
    find,
)
