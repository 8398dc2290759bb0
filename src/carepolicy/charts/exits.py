"""The ways out of a state, each in words, before it is decided how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.charts.words import Words
    from carepolicy.policy.model import Flow, State, Transition


@dataclass(frozen=True, slots=True)
class WayOut:
    """One transition of a state. ``to`` None: the case stays. ``asked``: it answers the state's question.

    ``key`` is unique in the flow and stable: state, trigger and place among the trigger's transitions.
    """

    key: str
    state: str
    trigger: str
    to: str | None
    text: str
    effects: str
    timer: bool
    asked: bool
    draw: str | None


@dataclass(frozen=True, slots=True)
class Shared:
    """A transition of a phase or of the whole flow, told once in a note and not at each state."""

    key: str
    where: str
    text: str
    to: str | None
    effects: str
    timer: bool
    not_at: tuple[str, ...]
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """The transitions of one trigger. ``base``: the trigger in words; ``ask``: the state has a question
    of its own; ``one_of_many``: other triggers of the state answer the same question."""

    trigger: str
    transitions: tuple[Transition, ...]
    base: str
    ask: bool = False
    one_of_many: bool = False


def chart_key(place: str, trigger: str, index: int) -> str:
    """The key of a way on a chart; ``place`` is its state, ``phase-NAME`` or ``anywhere``."""
    return f"{place}-{trigger}-{index}"


def ways_of(words: Words, state: State) -> tuple[WayOut, ...]:
    """The state's own transitions: events in the order of the file, then clocks, then ``after``."""
    events = [trigger for trigger in state.on if not _is_timer(words.flow, trigger)]
    asking = {trigger for trigger in events if _asks(state, state.on[trigger])}
    ways: list[WayOut] = []
    for trigger in events:
        group = _Group(trigger, state.on[trigger], words.trigger(trigger), bool(state.ask), len(asking) > 1)
        ways += _ways(words, state, group, trigger in asking, timer=False)
    for trigger in state.on:
        if trigger not in events:
            ways += _ways(words, state, _Group(trigger, state.on[trigger], words.trigger(trigger)), False, timer=True)
    for after in state.after:
        base = words.labels.after.format(words.limit(after.limit))
        ways += _ways(words, state, _Group(f"after {after.limit}", after.transitions, base), False, timer=True)
    return tuple(ways)


def _ways(words: Words, state: State, group: _Group, asking: bool, *, timer: bool) -> list[WayOut]:
    found: list[WayOut] = []
    for index, transition in enumerate(group.transitions):
        asked = asking and transition.to is not None
        found.append(
            WayOut(
                key=chart_key(state.name, group.trigger, index),
                state=state.name,
                trigger=group.trigger,
                to=transition.to,
                text=_text(words, group, transition, asked),
                effects=words.effects(transition.effects, sends=transition.to is None),
                timer=timer,
                asked=asked,
                draw=transition.draw,
            )
        )
    return found


def question_of(words: Words, state: State, ways: Iterable[WayOut]) -> str:
    """The question that the state's guarded transitions answer: ``ask``, else the guard in words."""
    asked = [way for way in ways if way.asked]
    if not asked:
        return ""
    if state.ask:
        return clean(state.ask)
    transitions = state.on[asked[0].trigger]
    if len({way.trigger for way in asked}) == 1 and _is_yes_or_no(transitions):
        guard = words.guard(transitions[0], asked[0].trigger)
        return guard[:1].upper() + guard[1:] + "?"
    return words.labels.which


def shared_of(words: Words) -> tuple[Shared, ...]:
    """Transitions of phases, then those that hold anywhere, with the states at which they do not."""
    flow = words.flow
    found: list[Shared] = []
    for phase in flow.phases.values():
        where = words.labels.phase.format(clean(phase.title) or phase.name)
        open_states = [name for name in phase.states if name in flow.states and flow.states[name].final is None]
        for trigger, transitions in phase.on.items():
            holds = [name for name in open_states if trigger not in flow.states[name].on]
            found += _shared(words, f"phase-{phase.name}", where, trigger, transitions, open_states, holds)
    everywhere = [name for name, state in flow.states.items() if state.final is None]
    for trigger, transitions in flow.anywhere.items():
        holds = [name for name in everywhere if not _handled(flow, name, trigger)]
        found += _shared(words, "anywhere", words.labels.anywhere, trigger, transitions, everywhere, holds)
    return tuple(found)


def _shared(
    words: Words,
    key: str,
    where: str,
    trigger: str,
    transitions: tuple[Transition, ...],
    states: list[str],
    holds: list[str],
) -> list[Shared]:
    found: list[Shared] = []
    for index, transition in enumerate(transitions):
        here = tuple(name for name in holds if name not in transition.except_ and name != transition.to)
        missing = tuple(name for name in states if name not in here and name != transition.to)
        text = _text(words, _Group(trigger, transitions, words.trigger(trigger)), transition, False)
        effects = words.effects(transition.effects, sends=transition.to is None)
        timer = _is_timer(words.flow, trigger)
        found.append(Shared(chart_key(key, trigger, index), where, text, transition.to, effects, timer, missing, here))
    return found


def _handled(flow: Flow, state: str, trigger: str) -> bool:
    phases = (phase for phase in flow.phases.values() if state in phase.states)
    return trigger in flow.states[state].on or any(trigger in phase.on for phase in phases)


def _is_timer(flow: Flow, trigger: str) -> bool:
    return trigger not in flow.events and trigger.partition(".")[0] in flow.clocks


def _asks(state: State, transitions: tuple[Transition, ...]) -> bool:
    """A question is drawn where a guard decides between two ways, or where the manager wrote one."""
    guarded = any(transition.when is not None for transition in transitions)
    moving = [transition for transition in transitions if transition.to is not None]
    return guarded and bool(moving) and (len(transitions) > 1 or bool(state.ask) or bool(moving[0].answer))


def _is_yes_or_no(transitions: tuple[Transition, ...]) -> bool:
    return (
        len(transitions) == 2
        and transitions[0].when is not None
        and transitions[1].when is None
        and not any(transition.answer for transition in transitions)
    )


def _text(words: Words, group: _Group, transition: Transition, asked: bool) -> str:
    """The words on one arrow: its title, else its answer, else the trigger with its guard in words."""
    title = clean(transition.title)
    answer = clean(transition.answer)
    if not asked:
        plain = title or group.base
        if transition.when is None:
            alone = len(group.transitions) == 1 or title
            return plain if alone else f"{plain} ({words.labels.otherwise.lower()})"
        return words.labels.only_if.format(plain, answer or words.guard(transition, group.trigger))
    said = title or (group.base if group.one_of_many else "")
    answer = answer or _answer(words, group, transition)
    told = words.labels.told_of
    return told.format(answer, said[:1].lower() + said[1:] if title else said) if said else answer


def _answer(words: Words, group: _Group, transition: Transition) -> str:
    if _is_yes_or_no(group.transitions) and not group.ask:
        return words.labels.yes if transition is group.transitions[0] else words.labels.no
    if transition.when is None:
        others = {clean(each.answer).lower() for each in group.transitions if each is not transition}
        return words.labels.no if others == {words.labels.yes.lower()} else words.labels.otherwise
    said = words.guard(transition, group.trigger)
    return said[:1].upper() + said[1:]
