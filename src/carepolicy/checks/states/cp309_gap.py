"""CP309: guarded alternatives that leave cases over."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.alternatives import alternatives_in
from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.guards.words import case_in_words
from carepolicy.policy.findings import Finding, Severity


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Lists in which every way has a guard, and for which there is a case that none takes."""
    for found in alternatives_in(checked):
        anew = any(found.trigger in clock.restarts_on for clock in found.flow.clocks.values())
        if found.kind == "limit" or not found.is_open or anew:
            continue
        gap = next((verdict.gap for _, verdict in found.verdicts if verdict.gap is not None), None)
        if gap is None:
            continue
        told = case_in_words(gap, found.scope)
        where = f"where {told}" if told else "for some cases"
        if found.kind == "event":
            text = f'{where}, nothing happens on "{found.trigger}": it is recorded as unexpected'
            severity = Severity.WARNING
        else:
            text, severity = f'{where}, nothing happens on "{found.trigger}"', Severity.NOTE
        yield Finding(CODE, text, checked.key_place(found.at), HINT, severity)


HINT = "add a last way without when:; {note: …} says that nothing is to happen"
CODE = "CP309"
_OPTIONAL = "events:\n  email_received: {carries: {required: [customer.email], optional: [order.total]}}\n"
RULE = Rule(
    CODE,
    "alternatives leave a gap",
    "Every alternative has a guard, and there are cases for which none holds. The event is then recorded as unexpected "
    "and nothing is done, as if nobody had thought of it. Mostly a fact may be missing: a comparison with it is false, "
    "and so is the opposite comparison. The message tells one such case. For an event of a clock, or a time that has "
    "passed, this is a note: nothing is lost there.",
    f"{_OPTIONAL}states:\n  waiting_for_customer:\n    on:\n      customer_wrote:\n"
    "        - {when: order.total > 100, to: received, assign: care_lead}\n"
    "        - {when: order.total <= 100, to: received}\n",
    f"{_OPTIONAL}states:\n  waiting_for_customer:\n    on:\n      customer_wrote:\n"
    "        - {when: order.total > 100, to: received, assign: care_lead}\n"
    "        - {to: received}\n",
    find,
    Severity.WARNING,
)
