"""CP413: an effect hands on a value that there may not be."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.known import Spot, Value, has_value, spots_in, where_told
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Values of ``set``, ``request`` and ``raise`` that read what may have no value."""
    required = {
        (event.name, fact)
        for flow in checked.flows.values()
        for event in flow.events.values()
        for fact in event.required
    }
    told: set[tuple[At, int]] = set()
    for spot in spots_in(checked):
        for value in spot.values(checked):
            if value.kind in ("spends", "set", "request", "subject") or (value.kind, value.name) in required:
                for finding, start in _of(checked, spot, value):
                    if (value.at, start) not in told:
                        told.add((value.at, start))
                        yield finding


def _of(checked: CheckedSet, spot: Spot, value: Value) -> Iterator[tuple[Finding, int]]:
    found = checked.guards.lacking(value.text, lambda name: has_value(spot.facts, value.names, name))
    then, severity = _what_then(value)
    for lack in found:
        place = checked.within(value.at, value.text, lack.start, lack.end)
        said = f"{lack.name} may have no value {where_told(spot)}: {then}"
        hint = f"say what then, as in has({lack.name}) ? {lack.name} : …, or let the events require it"
        yield Finding(CODE, said, place, hint, severity), lack.start


def _what_then(value: Value) -> tuple[str, Severity]:
    """What happens where the value is missing, and how bad that is."""
    match value.kind:
        case "set":
            return f"{value.name} has none afterwards", Severity.NOTE
        case "request":
            return f"{value.name} is empty in the request", Severity.WARNING
        case "spends":
            return "nobody knows then how much is given away, and it is refused", Severity.WARNING
        case "subject":
            return "nothing is raised then", Severity.WARNING
    return f"{value.kind} must carry {value.name}, and would be rejected", Severity.WARNING


CODE = "CP413"
RULE = Rule(
    CODE,
    "value may be missing where it is handed on",
    "What a request hands to a service, whom an event is raised for, or what that event must carry, is worked out of a "
    "fact that may have no value here: it is not required by every event that leads here, not set on every way, and "
    "has no default. A request then hands over null, an event is not raised or is rejected, and nobody hears of it. "
    "Say what then (`has(order.total) ? order.total : 0`), take the way only under a guard with has(…), or let the "
    "event require it. Of `set:` it is a note: the fact has no value afterwards.",
    "events:\n  email_received: {carries: {required: [customer.email], optional: [order.total]}}\n"
    "states:\n  received:\n    on: {reply_sent: {to: answered, request: {note_total: {total: order.total}}}}\n",
    "events:\n  email_received: {carries: {required: [customer.email], optional: [order.total]}}\n"
    "states:\n  received:\n    on:\n      reply_sent:\n"
    "        - {when: has(order.total), to: answered, request: {note_total: {total: order.total}}}\n"
    "        - {to: answered}\n",
    find,
    Severity.WARNING,
)
