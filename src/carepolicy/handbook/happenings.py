"""What may happen at a step, by itself or not, with the question that decides and its answers: for the guide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.exits import events_of

if TYPE_CHECKING:
    from carepolicy.charts.words import Words
    from carepolicy.policy.model import State


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
    """All that may happen at a step, as charts tell it: its own events, its timers, those of its phase, those of
    anywhere."""
    return tuple(
        Happening(
            f"{event.key}-0",
            event.text,
            event.timer,
            event.where,
            " – ".join((event.question, *event.settings)),
            tuple(Answer(way.key, way.text, way.to) for way in event.ways),
        )
        for event in events_of(words, state)
    )
