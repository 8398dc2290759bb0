"""CP202: an event that is not declared where it is named."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.language.flow import CLOCK_EVENTS, EVERY, list_at
from carepolicy.policy.likeness import nearest, sole
from carepolicy.policy.model import Flow
from carepolicy.policy.places import Place


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Triggers, starts and restarts against the flow's own events; raised and watched ones against all flows'."""
    for flow in checked.flows.values():
        yield from _in_flow(checked, flow)
    yield from _in_common(checked)
    declared = {event for flow in checked.flows.values() for event in flow.events}
    for _, effects, _ in checked.acts:
        for each in effects.raises:
            if each.event not in declared:
                yield unknown(CODE, "event", each.event, checked.place(each.at / "event"), declared)
        for opened in effects.open:
            other = checked.flows.get(opened.flow)
            if other is not None and opened.on is not None and opened.on not in other.events:
                place = checked.place(opened.at / "on")
                yield unknown(CODE, f"event of {other.name}", opened.on, place, other.events)
    for watch in checked.organisation.watches.values():
        for name, key in ((watch.count, "count"), (watch.raises, "raise")):
            if name not in declared:
                yield unknown(CODE, "event", name, checked.place(watch.at / key), declared)


def _in_flow(checked: CheckedSet, flow: Flow) -> Iterator[Finding]:
    for name, at in checked.triggers[flow.name]:
        clock, dot, happening = name.partition(".")
        misnamed_clock = bool(dot) and happening in CLOCK_EVENTS and clock not in flow.clocks
        if name not in flow.triggers() and not misnamed_clock:
            yield _unknown_trigger(checked, flow, name, checked.key_place(at))
    known = (*flow.events, *((EVERY,) if flow.every is not None else ()))
    for state in flow.states.values():
        for number, name in enumerate(state.start_on):
            if name not in known:
                yield unknown(CODE, "event", name, checked.place(state.at / "start_on" / number), known)
    for clock_of in flow.clocks.values():
        for number, name in enumerate(clock_of.restarts_on):
            if name not in flow.events:
                place = checked.place(clock_of.at / "restarts_on" / number)
                yield unknown(CODE, "event", name, place, flow.events)


def _in_common(checked: CheckedSet) -> Iterator[Finding]:
    """What flows take up happens on an event that is declared beside it: a clock is a flow's own, and so are events
    that a flow declares."""
    common = checked.organisation.common
    for name, transitions in common.anywhere.items() if common is not None else ():
        if common is None or name in common.events:
            continue
        place = checked.key_place(list_at(transitions))
        owners = [each.name for each in checked.flows.values() if name in each.events]
        if "." in name:
            hint = "a clock is of one flow: say there what happens, under anywhere:"
            yield Finding(CODE, f'unknown event "{name}"', place, hint)
        elif owners and sole(name, common.events) is None:
            hint = f"it is an event of {' and '.join(owners)}: declare it under events: of common: for all flows"
            yield Finding(CODE, f'unknown event "{name}"', place, hint)
        else:
            yield unknown(CODE, "event", name, place, common.events)


def _unknown_trigger(checked: CheckedSet, flow: Flow, name: str, place: Place) -> Finding:
    """What no trigger is: the end of a clock's round in other words, an event of another flow, a misspelt one."""
    clock, dot, end = name.partition(".")
    if dot and clock in flow.clocks:
        near = nearest(end, CLOCK_EVENTS)
        known = ", ".join(f"{clock}.{each}" for each in CLOCK_EVENTS)
        hint = f"known here: {known}" if near is None else f'did you mean "{clock}.{near}"? Known here: {known}'
        better = None if sole(end, CLOCK_EVENTS) is None else f"{clock}.{near}"
        return Finding(CODE, f'unknown event "{name}"', place, hint, replacement=better)
    others = [each.name for each in checked.flows.values() if name in each.events]
    if others and sole(name, flow.triggers()) is None:
        hint = f"it is an event of {' and '.join(others)}: declare it under events: of this flow too"
        return Finding(CODE, f'unknown event "{name}"', place, hint)
    return unknown(CODE, "event", name, place, flow.triggers())


CODE = "CP202"
RULE = Rule(
    CODE,
    "unknown event",
    "A key of on: or anywhere: is an event that the flow declares under events:, or a clock's event: CLOCK.warned, "
    "CLOCK.late or CLOCK.met; under common: in organisation.yaml it is an event of common: itself. "
    "What opens a case, restarts a clock, is raised or is counted by a watch is an event too.",
    "states:\n  received:\n    on: {reply_snt: answered}\n",
    "states:\n  received:\n    on: {reply_sent: answered}\n",
    find,
)
