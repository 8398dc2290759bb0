"""CP414: a limit that hangs on a fact which may have no value."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.known import awaited, is_awaited, known_in, reads_of
from carepolicy.checks.limits import at_of
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Limits of clocks, and timers of states, that wait for a fact of which nothing says that it comes."""
    known = known_in(checked)
    for flow in checked.flows.values():
        for clock in flow.clocks.values():
            reached = [name for name in clock.runs_in if (flow.name, name) in known]
            for choice, facts in zip(clock.limits, awaited(checked, clock), strict=True):
                state = next(
                    (
                        name
                        for name in reached
                        if facts
                        and not facts <= known[flow.name, name]
                        and is_awaited(checked, choice.limit, known[flow.name, name])
                    ),
                    None,
                )
                if state is not None:
                    place = checked.place(at_of(choice))
                    yield _finding(checked, choice.limit.all[0], place, f'the clock "{clock.name}"', state)
        for here in flow.states.values():
            for after in here.after:
                facts = reads_of(checked, after.limit)
                if facts and not facts <= known.get((flow.name, here.name), facts):
                    place = checked.key_place(here.at / "after" / after.limit)
                    yield _finding(checked, after.limit, place, "this", here.name)


def _finding(checked: CheckedSet, text: str, place: Place, what: str, state: str) -> Finding:
    fact = min(reads_of(checked, text))
    start = text.find(fact)
    at = checked.inside(place, text, start, start + len(fact)) if start >= 0 else place
    said = f"{fact} may have no value in {state}: {what} never falls due then"
    hint = f"let the events that lead here require {fact}, or add a limit that holds without it"
    return Finding(CODE, said, at, hint, Severity.NOTE)


CODE = "CP414"
RULE = Rule(
    CODE,
    "limit hangs on what may have no value",
    "A limit that is counted from a fact (until order.ship_by, 2 days after order.ship_by) waits where the fact has no "
    "value: the clock runs and never falls due, and nobody is told. The fact is not required by every event that leads "
    "to this state, nor set on every way; a default is of no use here. It is a note, since the fact may come with a "
    "later event, from when on the clock has its due time. Where it must be known from the start, let the event "
    "require it, or give the clock another limit for the time before: "
    "[{when: has(order.ship_by), is: until order.ship_by}, {is: 2 business days}]. Of {first_of: […]} it is enough "
    "that one limit surely falls due.",
    "events:\n  email_received: {carries: {optional: [order.ship_by]}}\n"
    "clocks:\n  first_reply: {limit: 1 business day before order.ship_by}\n",
    "events:\n  email_received: {carries: {required: [customer.email, order.ship_by], optional: [customer.tier]}}\n"
    "clocks:\n  first_reply: {limit: 1 business day before order.ship_by}\n",
    find,
    Severity.NOTE,
)
