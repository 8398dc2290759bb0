"""What may happen at a step, in words: each event with its question and its answers, before it is decided how it is
drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean
from carepolicy.policy.language.flow import transitions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.charts.words import Words
    from carepolicy.policy.model import Flow, State, Transition

ANYWHERE = "anywhere"
"""The place of a key whose transition holds at any step of the flow."""
AFTER = "after"
"""What a trigger begins with that is a limit of ``after``."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """One transition. ``to`` None: the case stays. ``source``: the key of the event whose question it answers, "" where
    nothing is asked.

    ``key`` is unique in the flow and stable: state, trigger and place among the trigger's transitions.
    """

    key: str
    state: str
    trigger: str
    to: str | None
    text: str
    effects: str
    timer: bool
    source: str
    draw: str | None

    @property
    def asked(self) -> bool:
        """Whether it is the answer to a question."""
        return bool(self.source)


@dataclass(frozen=True, slots=True)
class StepEvent:
    """An event of a step, of time too, with all that may follow. ``where``: "" at the step itself, else "At any step"
    or "At any step of …". ``settings``: those that a guard names and that neither question nor answers tell."""

    key: str
    trigger: str
    text: str
    timer: bool
    where: str
    question: str
    settings: tuple[str, ...]
    ways: tuple[WayOut, ...]


@dataclass(frozen=True, slots=True)
class _TriggerGroup:
    """The transitions of one trigger that hold at a state, each with its place in the list of the file."""

    place: str
    trigger: str
    transitions: tuple[tuple[int, Transition], ...]
    timer: bool

    @property
    def key(self) -> str:
        return f"{self.place}-{self.trigger}"

    @property
    def guards(self) -> tuple[str | None, ...]:
        return tuple(each.when for _, each in self.transitions)

    @property
    def guarded(self) -> bool:
        return any(guard is not None for guard in self.guards)

    @property
    def answered(self) -> bool:
        return any(each.answer for _, each in self.transitions)


def chart_key(place: str, trigger: str, index: int) -> str:
    """The key of a way on a chart; ``place`` is its state, ``phase-NAME`` or ``anywhere``."""
    return f"{place}-{trigger}-{index}"


def keyed(flow: Flow) -> dict[str, Transition]:
    """Every transition of a flow by the key that the chart gives to its way."""
    places: list[tuple[str, Mapping[str, tuple[Transition, ...]]]] = []
    for name, state in flow.states.items():
        places += [(name, state.on), (name, {f"{AFTER} {each.limit}": each.transitions for each in state.after})]
    places += [(f"phase-{name}", phase.on) for name, phase in flow.phases.items()]
    return {
        chart_key(place, trigger, index): transition
        for place, triggers in (*places, (ANYWHERE, flow.anywhere))
        for trigger, transitions in triggers.items()
        for index, transition in enumerate(transitions)
    }


def events_of(words: Words, state: State) -> tuple[StepEvent, ...]:
    """All that may happen at a step: its own events in the order of the file, its clocks, its ``after``; then what
    holds in its phase, and anywhere."""
    if state.final is not None:
        return ()
    groups = [*_own(words.flow, state), *_shared(words.flow, state)]
    asked = _asked(state, groups)
    return tuple(_event(words, state, group, asked.get(group.key)) for group in groups)


def own_ways(events: Iterable[StepEvent]) -> tuple[WayOut, ...]:
    """The ways of a step itself, in the order of its events."""
    return tuple(way for event in events if not event.where for way in event.ways)


def _own(flow: Flow, state: State) -> Iterator[_TriggerGroup]:
    timers = [trigger for trigger in state.on if _is_timer(flow, trigger)]
    for trigger in (*(each for each in state.on if each not in timers), *timers):
        numbered = tuple(enumerate(state.on[trigger]))
        yield _TriggerGroup(state.name, trigger, numbered, trigger in timers)
    waits: dict[str, list[Transition]] = {}
    for after in state.after:
        waits.setdefault(after.limit, []).extend(after.transitions)
    for limit, transitions in waits.items():
        yield _TriggerGroup(state.name, f"{AFTER} {limit}", tuple(enumerate(transitions)), True)


def _shared(flow: Flow, state: State) -> Iterator[_TriggerGroup]:
    """What holds here without standing here: of the first phase that handles an event, else of the whole flow."""
    for trigger, transitions in transitions_of(flow, state.name).items():
        if trigger in state.on:
            continue
        phases = (phase for phase in flow.phases.values() if state.name in phase.states and trigger in phase.on)
        phase = next(phases, None)
        place, every = (ANYWHERE, flow.anywhere) if phase is None else (f"phase-{phase.name}", phase.on)
        held = {id(each) for each in transitions}
        numbered = tuple((index, each) for index, each in enumerate(every[trigger]) if id(each) in held)
        yield _TriggerGroup(place, trigger, numbered, _is_timer(flow, trigger))


def _base(words: Words, trigger: str) -> str:
    """What happens, in words."""
    name, _, limit = trigger.partition(" ")
    return words.labels.after.format(words.limit(limit)) if name == AFTER and limit else words.trigger(trigger)


def _is_timer(flow: Flow, trigger: str) -> bool:
    return trigger not in flow.events and trigger.partition(".")[0] in flow.clocks


def _asked(state: State, groups: list[_TriggerGroup]) -> dict[str, str]:
    """To which events the state's own question belongs: to the first whose guarded ways have answers, else the first
    with guards, those of the step itself before those of its phase and of any step; and to each other that decides
    by the same guards."""
    deciding = [group for group in groups if group.guarded]
    if not state.ask or not deciding:
        return {}
    first = next((group for group in deciding if group.answered), deciding[0])
    return {group.key: clean(state.ask) for group in deciding if group.guards == first.guards}


def _event(words: Words, state: State, group: _TriggerGroup, ask: str | None) -> StepEvent:
    asks = group.guarded and (len(group.transitions) > 1 or bool(ask) or group.answered)
    ways = tuple(_way(words, state, group, index, asks, ask) for index, _ in group.transitions)
    question = (ask or _question(words, state, group)) if asks else ""
    told = f"{question} {' '.join(way.text for way in ways)}"
    named = (words.settings_in(guard, group.trigger) for guard in group.guards if guard is not None)
    settings = dict.fromkeys(setting for each in named for setting in each if setting not in told)
    where = _where(words, group.place) if group.place != state.name else ""
    return StepEvent(
        group.key, group.trigger, _base(words, group.trigger), group.timer, where, question, tuple(settings), ways
    )


def _where(words: Words, place: str) -> str:
    phase = words.flow.phases.get(place.removeprefix("phase-"))
    if place == ANYWHERE or phase is None:
        return words.labels.anywhere
    return words.labels.phase.format(clean(phase.title) or phase.name)


def _way(words: Words, state: State, group: _TriggerGroup, index: int, asks: bool, ask: str | None) -> WayOut:
    transition = dict(group.transitions)[index]
    return WayOut(
        key=chart_key(group.place, group.trigger, index),
        state=state.name,
        trigger=group.trigger,
        to=transition.to,
        text=_answer_text(words, group, transition, ask) if asks else _text(words, group, transition),
        effects=words.effects(transition.effects, group.trigger),
        timer=group.timer,
        source=group.key if asks else "",
        draw=transition.draw,
    )


def _question(words: Words, state: State, group: _TriggerGroup) -> str:
    """The question of an event that its step has none for: that of a step which shares the event or has one that
    decides by the same guards, else one made of the guard."""
    asks = _asks_elsewhere(words.flow, state, group)
    if asks:
        return asks
    if _is_yes_or_no(group):
        first = group.transitions[0][1]
        guard = words.guard(first, group.trigger)
        return words.labels.asks.format(guard[:1].upper() + guard[1:])
    return words.labels.which


def _asks_elsewhere(flow: Flow, state: State, group: _TriggerGroup) -> str:
    """The question that another step has for an event, or for one that decides by the same guards; "" for none."""
    alike = ""
    for other in flow.states.values():
        if other is state or not other.ask or other.final is not None:
            continue
        groups = [*_own(flow, other), *_shared(flow, other)]
        asked = _asked(other, groups)
        if group.place != state.name and group.key in asked:
            return asked[group.key]
        if group.answered and any(each.key in asked and each.guards == group.guards for each in groups):
            alike = alike or clean(other.ask)
    return alike


def _is_yes_or_no(group: _TriggerGroup) -> bool:
    return (
        len(group.transitions) == 2
        and group.transitions[0][1].when is not None
        and group.transitions[1][1].when is None
        and not group.answered
    )


def _text(words: Words, group: _TriggerGroup, transition: Transition) -> str:
    """The words of a way that answers no question: its title, else what happens; with the one guard in words."""
    plain = clean(transition.title) or _base(words, group.trigger)
    if transition.when is None:
        return plain
    return words.labels.only_if.format(plain, words.guard(transition, group.trigger))


def _answer_text(words: Words, group: _TriggerGroup, transition: Transition, ask: str | None) -> str:
    """The words of an answer, with the title of the way where it has one."""
    answer, title = clean(transition.answer) or _answer(words, group, transition, ask), clean(transition.title)
    return words.labels.told_of.format(answer, title[:1].lower() + title[1:]) if title else answer


def _answer(words: Words, group: _TriggerGroup, transition: Transition, ask: str | None) -> str:
    if _is_yes_or_no(group) and not ask:
        return words.labels.yes if transition is group.transitions[0][1] else words.labels.no
    if transition.when is None:
        others = {clean(each.answer).lower() for _, each in group.transitions if each is not transition}
        return words.labels.no if others == {words.labels.yes.lower()} else words.labels.otherwise
    said = words.guard(transition, group.trigger)
    return said[:1].upper() + said[1:]
