"""What may happen at a step, by itself or not, with the question that decides and its answers: for the guide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.exits import chart_key
from carepolicy.charts.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.charts.words import Words
    from carepolicy.policy.model import State, Transition


@dataclass(frozen=True, slots=True)
class Answer:
    """One way on. ``target`` is the next state, None where the case stays."""

    key: str
    text: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Happening:
    """An event or a timer. ``where`` is "" for the step's own; ``question`` is "" where nothing decides."""

    key: str
    text: str
    timer: bool
    where: str
    question: str
    answers: tuple[Answer, ...]


def happenings_of(words: Words, state: State) -> tuple[Happening, ...]:
    """All that may happen at a step: its own events, its timers, those of its phase, those of anywhere."""
    found = [_happening(words, state, *each) for each in _groups(words, state)]
    own = [each for each in found if not each.where]
    own.sort(key=lambda each: each.timer)
    return (*own, *(each for each in found if each.where))


_Group = tuple[str, str, str, bool, list[tuple[int, "Transition"]]]
"""Place, trigger, where, whether it is a timer, and the transitions with their places in the list."""


def _groups(words: Words, state: State) -> Iterator[_Group]:
    flow = words.flow
    seen: set[str] = set()
    for trigger, transitions in state.on.items():
        seen.add(trigger)
        yield state.name, trigger, "", _is_timer(words, trigger), list(enumerate(transitions))
    for after in state.after:
        yield state.name, f"after {after.limit}", "", True, list(enumerate(after.transitions))
    for phase in flow.phases.values():
        if state.name in phase.states:
            where = words.labels.phase.format(clean(phase.title) or phase.name)
            for trigger, transitions in phase.on.items():
                if trigger not in seen:
                    seen.add(trigger)
                    yield f"phase-{phase.name}", trigger, where, _is_timer(words, trigger), list(enumerate(transitions))
    for trigger, transitions in flow.anywhere.items():
        open_here = [(index, each) for index, each in enumerate(transitions) if state.name not in each.except_]
        if trigger not in seen and open_here:
            yield "anywhere", trigger, words.labels.anywhere, _is_timer(words, trigger), open_here


def _is_timer(words: Words, trigger: str) -> bool:
    return trigger not in words.flow.events and trigger.partition(".")[0] in words.flow.clocks


def _happening(
    words: Words, state: State, place: str, trigger: str, where: str, timer: bool, ways: list[tuple[int, Transition]]
) -> Happening:
    limit = trigger.removeprefix("after ")
    text = words.trigger(trigger) if limit == trigger else words.labels.after.format(words.limit(limit))
    event = None if limit != trigger else trigger
    answers = tuple(
        Answer(chart_key(place, trigger, index), _answer(words, each, event, len(ways) > 1), each.to)
        for index, each in ways
    )
    decided = len(ways) > 1 or ways[0][1].when is not None
    question = "" if not decided else (clean(state.ask) if not where and state.ask else words.labels.which)
    return Happening(chart_key(place, trigger, 0), text, timer, where, question, answers)


def _answer(words: Words, transition: Transition, trigger: str | None, several: bool) -> str:
    said = clean(transition.answer) or clean(transition.title)
    if not said and transition.when is not None:
        said = words.worked_out(transition.when, trigger)
        said = said[:1].upper() + said[1:]
    return said or (words.labels.otherwise if several else "")
