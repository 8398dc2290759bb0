"""What a role has to do with a flow: its steps, what it hands on and is handed, what it is told, what it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.charts.plan import Card, Chart, Exit, Happening, Target
    from carepolicy.charts.words import Words
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Effects, Flow, State, Transition


@dataclass(frozen=True, slots=True)
class HandOver:
    """A way from a step of one role to a step of another: states by their names, and the other role's title."""

    source: str
    text: str
    target: str
    other: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a role is told, or that a case is given to it (``given``): where, upon what, and in which words.

    ``state`` is None where that may happen at many steps; ``upon`` is "" on arrival.
    """

    state: str | None
    upon: str
    text: str
    in_hours: bool = False
    given: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A role's part in a flow. ``cards`` are its steps in the order of the chart."""

    cards: tuple[Card, ...]
    handed_on: tuple[HandOver, ...]
    handed_in: tuple[HandOver, ...]
    notices: tuple[Notice, ...]

    def __bool__(self) -> bool:
        return bool(self.cards or self.handed_in or self.notices)


def share_of(book: Book, flow: Flow, chart: Chart, role: str) -> Share:
    """What a role has to do with a flow; the chart is the flow's in the language of the book."""
    cards = [card for sheet in chart.sheets for card in sheet.cards]
    crossing = [
        (card, _hand_over(card, event, leaving, target), target)
        for card in cards
        for event in card.own
        for leaving in event.answers
        if (target := leaving.target) is not None and target.number is not None and target.role != card.role
    ]
    return Share(
        cards=tuple(card for card in cards if card.role == role),
        handed_on=tuple(
            replace(way, other=book.words(flow).role(target.role))
            for card, way, target in crossing
            if card.role == role
        ),
        handed_in=tuple(way for _, way, target in crossing if target.role == role),
        notices=tuple(dict.fromkeys(_notices(book, flow, role))),
    )


def _hand_over(card: Card, event: Happening, leaving: Exit, target: Target) -> HandOver:
    """A way to another role's step, as that role sees it."""
    said = f"{event.text}: {leaving.text}" if event.question else leaving.text
    return HandOver(card.state, said, target.state, card.owner)


def _notices(book: Book, flow: Flow, role: str) -> Iterator[Notice]:
    words = book.words(flow)
    for state, upon, effects in effects_with_places(words, flow):
        for tell in effects.tell:
            if tell.role == role:
                yield Notice(state.name if state else None, upon, clean(words.spoken(tell.say)), tell.in_hours)
        if effects.assign == role:
            yield Notice(state.name if state else None, upon, "", given=True)


def effects_with_places(words: Words, flow: Flow) -> Iterator[tuple[State | None, str, Effects]]:
    """All effects of a flow: the state in which they come about (None: of a phase or of anywhere) and upon what."""
    for state in flow.states.values():
        yield from ((state, "", each) for each in (state.enter, state.leave) if each is not None)
        for trigger, ways in state.on.items():
            yield from ((state, words.trigger(trigger), way.effects) for way in ways)
        for after in state.after:
            upon = words.labels.after.format(words.limit(after.limit))
            yield from ((state, upon, way.effects) for way in after.transitions)
    for trigger, ways in _everywhere(flow):
        yield from ((None, words.trigger(trigger), way.effects) for way in ways)


def _everywhere(flow: Flow) -> Iterable[tuple[str, tuple[Transition, ...]]]:
    yield from flow.anywhere.items()
    for phase in flow.phases.values():
        yield from phase.on.items()
