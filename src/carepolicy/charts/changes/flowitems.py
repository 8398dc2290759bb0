"""The parts of a flow as items: the flow itself, its events, clocks, steps, ends and ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.charts.changes.items import Called, Item, Key, aspects_of, text, texts
from carepolicy.charts.changes.pairing import AFTER, Placed
from carepolicy.charts.text import clean, humanised
from carepolicy.guards.scope import scope_of
from carepolicy.guards.words import in_words

LIMIT = "limit:"
"""Begins the aspect of a limit; the condition under which it holds follows, in words."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from carepolicy.charts.changes.items import Aspect, Side
    from carepolicy.charts.words import Words
    from carepolicy.policy.model import Clock, Effects, Event, Flow, State


def called_in(side: Side, words: Words) -> Called:
    """What the things are called that a flow names."""

    def quoted(title: Callable[[str], str]) -> Callable[[str], str]:
        return lambda name: f"“{title(name)}”"

    channels = side.policies.organisation.channels
    titles: dict[str, Callable[[str], str]] = {
        "role": words.role,
        "fact": words.fact,
        "event": words.event,
        "calendar": humanised,
        "channel": lambda name: clean(channels[name].title) if name in channels else humanised(name),
        "waiter": humanised,
        "state": quoted(words.state),
        "message": quoted(words.message),
        "assignee": words.assigned,
        "expression": words.worked_out,
    }
    return Called(titles, words.limit, lambda name: side.state(words.flow.name, name))


def flow_item(side: Side, flow: Flow) -> Item:
    """The flow itself."""
    words = side.words(flow)
    valid = flow.valid_from.isoformat() if flow.valid_from is not None else ""
    aspects = {
        **aspects_of(flow, called_in(side, words)),
        "valid_from": (valid, valid),
        "promise": text(flow.promise),
        "order": (flow.order, ", ".join(flow.order)),
        "moves_to": (
            tuple(flow.moves_to.items()),
            ", ".join(f"{humanised(gone)} → {words.state(to)}" for gone, to in flow.moves_to.items()),
        ),
        "phases": (
            tuple((phase.name, clean(phase.title), phase.states) for phase in flow.phases.values()),
            ", ".join(clean(phase.title) or phase.name for phase in flow.phases.values()),
        ),
    }
    return Item("flow", words.flow_title(flow.name), flow.name, "", aspects)


def event_item(side: Side, flow: Flow, event: Event) -> Item:
    """What may happen in a flow."""
    words = side.words(flow)
    carries = tuple(words.fact(name) for name in (*event.required, *event.optional))
    aspects = {
        **aspects_of(event, called_in(side, words)),
        "carries": ((event.required, event.optional), ", ".join(carries)),
    }
    return Item("event", words.event(event.name), flow.name, "", aspects)


def clock_item(side: Side, flow: Flow, clock: Clock) -> Item:
    """A promise in time."""
    words = side.words(flow)
    share = "" if clock.target is None else f"{clock.target * 100:g} %"
    again = words.labels.again_continue if clock.again == "continue" else words.labels.again_restart
    aspects = {
        **_limits(words, clock),
        **aspects_of(clock, called_in(side, words)),
        "target": (clock.target, share),
        "again": (clock.again, again),
        "rolls": texts(tuple(humanised(choice.rolls or "") for choice in clock.limits)),
    }
    runs_in = tuple(side.state(flow.name, name) for name in clock.runs_in)
    return Item("clock", words.clock(clock.name), flow.name, "", aspects, runs_in)


def state_item(side: Side, flow: Flow, state: State) -> Item:
    """A step or an end."""
    words = side.words(flow)
    aspects = {
        **aspects_of(state, called_in(side, words)),
        "outcome": text(state.final and humanised(state.final)),
        **{f"enter_{name}": value for name, value in effect_aspects(side, words, state.enter).items()},
        **{f"leave_{name}": value for name, value in effect_aspects(side, words, state.leave).items()},
    }
    kind = "step" if state.final is None else "end"
    return Item(kind, words.state(state.name), flow.name, side.state(flow.name, state.name), aspects)


def way_item(side: Side, flow: Flow, way: Placed) -> Item:
    """A transition of a state, a phase or the whole flow; it is called by where it stands and what happens."""
    words = side.words(flow)
    transition = way.transition
    own = {there: here for here, there in side.renamed.get(flow.name, {}).items()}
    state = "" if own.get(way.place, way.place) not in flow.states else way.place
    guard = "" if transition.when is None else words.guard(transition, way.trigger)
    there = words.labels.stays if transition.to is None else words.state(transition.to)
    happens = _happens(words, way)
    waits = words.limit(way.limit) if way.limit else happens
    called = words.labels.timed.format(there) if way.trigger == AFTER and transition.to is not None else happens
    leads: dict[str, Aspect] = {"to": (way.to, there)}
    aspects = {
        **leads,
        "happens": ((way.trigger, waits if way.limit else ""), waits),
        **aspects_of(transition, called_in(side, words)),
        **leads,
        "when": (transition.when, clean(transition.answer) or guard),
        **effect_aspects(side, words, transition.effects),
    }
    return Item("way", f"{_place(words, way, state, own)}: {called}", flow.name, state, aspects)


def effect_aspects(side: Side, words: Words, effects: Effects | None) -> dict[str, Aspect]:
    """What effects do, each kind in words."""
    if effects is None:
        return {}
    scope = scope_of(words.policies.organisation, words.flow)
    opens = tuple((each.flow, each.on, each.keep_time) for each in effects.open)
    raised = tuple((each.event, each.subject, tuple(each.data.items())) for each in effects.raises)
    tells = (f"{words.role(tell.role)}{f' (“{words.filled(tell.say)}”)' if tell.say else ''}" for tell in effects.tell)
    asked = tuple((each.action, tuple(each.arguments.items())) for each in effects.request)
    return {
        **aspects_of(effects, called_in(side, words)),
        "tell": (tuple((tell.role, clean(tell.say)) for tell in effects.tell), ", ".join(tells)),
        "request": (asked, ", ".join(humanised(each.action) for each in effects.request)),
        "open": (opens, ", ".join(f"“{words.flow_title(each.flow)}”" for each in effects.open)),
        "raise": (raised, ", ".join(f"“{words.event(each.event)}”" for each in effects.raises)),
        "extend": (
            tuple((each.clock, each.by, each.at_most) for each in effects.extend),
            ", ".join(f"{words.clock(each.clock)}: {words.limit(each.by)}" for each in effects.extend),
        ),
        "set": (
            tuple(effects.set.items()),
            ", ".join(f"{words.fact(name)}: {in_words(value, scope)}" for name, value in effects.set.items()),
        ),
    }


def key_of(kind: str, flow: str, *names: str) -> Key:
    """The key of a part of a flow."""
    return (kind, flow, *names)


def _happens(words: Words, way: Placed) -> str:
    """The trigger without its limit, which a change of the clock tells by itself."""
    if way.trigger == AFTER:
        return words.labels.timer[:1].upper() + words.labels.timer[1:]
    clock, _, what = way.trigger.partition(".")
    if way.trigger not in words.flow.events and clock in words.flow.clocks and what == "late":
        return words.labels.late_plain.format(words.clock(clock))
    return words.trigger(way.trigger)


def _place(words: Words, way: Placed, state: str, own: dict[str, str]) -> str:
    if state:
        return words.state(own.get(state, state))
    phase = words.flow.phases.get(way.place.removeprefix("phase "))
    title = clean(phase.title) if phase is not None and phase.title else ""
    return words.labels.phase.format(title) if title else words.labels.anywhere


def _limits(words: Words, clock: Clock) -> dict[str, Aspect]:
    """An aspect for each condition under which a limit holds: "limit:otherwise"."""
    scope = scope_of(words.policies.organisation, words.flow)
    found: dict[str, Aspect] = {}
    for choice in clock.limits:
        condition = words.labels.otherwise.lower() if len(clock.limits) > 1 else ""
        if choice.when is not None:
            condition = words.labels.condition.format(clean(in_words(choice.when, scope)))
        limit = words.limit(choice.limit)
        before = found.get(f"{LIMIT}{condition}", (None, ""))[1]
        found[f"{LIMIT}{condition}"] = text(f"{before} / {limit}" if before else limit)
    return found
