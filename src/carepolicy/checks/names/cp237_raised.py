"""CP237: an event that is raised with data which no flow lets it carry, or without data that one requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.model import Event
from carepolicy.policy.places import Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """What is raised, by a transition or a watch, against what flows say of the event."""
    heard: dict[str, list[Event]] = {}
    for flow in checked.flows.values():
        for event in flow.events.values():
            heard.setdefault(event.name, []).append(event)
    for _, effects, _ in checked.acts:
        for each in effects.raises:
            places = {name: checked.key_place(each.at / "data" / name) for name in each.data}
            yield from _of(checked, heard.get(each.event), checked.place(each.at / "event"), places)
    for watch in checked.organisation.watches.values():
        places = {watch.by: checked.place(watch.at / "by")}
        yield from _of(checked, heard.get(watch.raises), checked.place(watch.at / "raise"), places)


def _of(checked: CheckedSet, heard: list[Event] | None, raised: Place, data: Mapping[str, Place]) -> Iterator[Finding]:
    """The faults of one event that is raised with ``data``, whose names stand at these places."""
    if heard is None:
        return
    event = heard[0].name
    carried = {fact for each in heard for fact in (*each.required, *each.optional)}
    if not checked.organisation.facts.keys() >= carried | data.keys():
        return  # a name is misspelt, which other rules tell
    for name, place in data.items():
        if name not in carried:
            yield unknown(CODE, f"data of {event}", name, place, carried)
    for name in sorted({fact for each in heard for fact in each.required} - set(data)):
        yield Finding(CODE, f"{event} must carry {name}, and is raised without it", raised, HINT)


HINT = "give it under data:, or make it optional where the event is declared"
CODE = "CP237"
RULE = Rule(
    CODE,
    "event is raised with the wrong data",
    "A raised event is taken up like any other: it may carry what a flow declares under carries: of that event, and "
    "must carry what a flow requires. Otherwise it would be rejected when the case is live.",
    "states:\n  received:\n    on:\n"
    "      reply_sent: {to: answered, raise: {event: chronic_problem_found, subject: complaint.cause}}\n",
    "states:\n  received:\n    on:\n"
    "      reply_sent:\n        to: answered\n        raise:\n          event: chronic_problem_found\n"
    "          subject: complaint.cause\n          data: {complaint.cause: complaint.cause}\n",
    find,
)
