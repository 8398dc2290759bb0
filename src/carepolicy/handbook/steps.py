"""The steps of a flow as its page tells them: the plan of the chart, with what staff do and say at each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carepolicy.charts.exits import keyed
from carepolicy.charts.text import clean, humanised, identifier
from carepolicy.machine.flowmachine import starts_of
from carepolicy.policy.language.flow import EVERY
from carepolicy.policy.phrases import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.plan import Card, Chart, Exit, Happening, Target
    from carepolicy.charts.words import Words
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import Clock, Effects, Flow, State, Transition


@dataclass(frozen=True, slots=True)
class Where:
    """Where a way leads, in words of the page; ``anchor`` is an id of the same page."""

    text: str
    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What follows on an event, or on an answer to its question: where it leads (None: the case stays), what else is
    done, and what staff are to know of it. ``messages`` are those that the customer is sent, by name and subject."""

    text: str
    where: Where | None
    effects: str
    messages: tuple[tuple[str, str], ...]
    note: str = ""
    steps: tuple[str, ...] = ()
    say: str = ""
    never: str = ""


@dataclass(frozen=True, slots=True)
class StepHappening:
    """What may happen at a step. ``place`` says where else it holds ("At any step"), "" for what is the step's own."""

    text: str
    by_itself: bool
    place: str
    question: str
    answers: tuple[Answer, ...]

    @property
    def moves(self) -> bool:
        """Whether an answer leads on."""
        return any(answer.where is not None for answer in self.answers)


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of the list. ``limits`` are pairs of a clock's title and its time in words, the tightest first;
    ``around`` is what is done on arrival and on leaving."""

    number: int
    anchor: str
    title: str
    owner: str
    shade: Shade | None
    channel: str
    waits: str
    limits: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    say: str
    never: str
    note: str
    around: tuple[Answer, ...]
    events: tuple[StepHappening, ...]

    @property
    def next(self) -> tuple[StepHappening, ...]:
        """What leads on."""
        return tuple(event for event in self.events if event.moves)

    @property
    def meanwhile(self) -> tuple[StepHappening, ...]:
        """What does not move the case."""
        return tuple(event for event in self.events if not event.moves)


@dataclass(frozen=True, slots=True)
class End:
    """A final state."""

    anchor: str
    title: str
    outcome: str
    note: str
    inside: str
    messages: tuple[tuple[str, str], ...]


def starting(flow: Flow) -> Iterator[tuple[str, str]]:
    """What brings a case: the name of its first step with the event, or with EVERY where time brings it."""
    begun = [(state.name, event) for state in flow.states.values() for event in state.start_on]
    yield from begun
    if flow.every is not None and all(event != EVERY for _, event in begun):
        yield starts_of(flow)[0], EVERY


def anchor_of(state: str) -> str:
    """The id of a step in its page: stable as long as the state keeps its name."""
    return f"state-{identifier(state)}"


def steps_of(book: Book, flow: Flow, chart: Chart) -> list[FlowStep]:
    """All steps in the order and with the numbers of the chart."""
    words, known = book.words(flow), _StepsTold(book, flow, keyed(flow))
    return [_step(known, chart, words, card) for sheet in chart.sheets for card in sheet.cards]


def ends_of(book: Book, flow: Flow) -> list[End]:
    """All final states in the order of the file."""
    words = book.words(flow)
    found: list[End] = []
    for state in flow.states.values():
        if state.final is not None:
            inside = words.effects(state.enter, sends=False) if state.enter is not None else ""
            sent = messages_of(book, flow, state.enter)
            title, outcome = (
                words.state(state.name),
                outcome_of(words.policies, words.flow.name, state.name, state.final),
            )
            found.append(End(anchor_of(state.name), title, outcome, clean(state.note), inside, sent))
    return found


def always_of(chart: Chart, book: Book) -> list[tuple[str, StepHappening]]:
    """What may happen at many steps: where, and what."""
    flow = book.policies.flows[chart.flow]
    known = _StepsTold(book, flow, keyed(flow))
    return [(note.where, _happening(known, (note.event,))) for note in chart.notes]


def messages_of(book: Book, flow: Flow, effects: Effects | None) -> tuple[tuple[str, str], ...]:
    """The messages that effects send: name and subject line."""
    return tuple((name, book.message(flow, name)) for name in effects.send) if effects is not None else ()


@dataclass(frozen=True, slots=True)
class _StepsTold:
    """A flow while its steps are told. ``answers`` are those that were told: one that holds at many steps is told
    alike at each."""

    book: Book
    flow: Flow
    transitions: Mapping[str, Transition]
    answers: dict[Exit, Answer] = field(default_factory=dict)


def _step(known: _StepsTold, chart: Chart, words: Words, card: Card) -> FlowStep:
    book, flow = known.book, known.flow
    state = flow.states[card.state]
    channel = book.policies.organisation.channels.get(state.channel or "")
    around = ((chart.labels.entering, state.enter), (chart.labels.leaving, state.leave))
    return FlowStep(
        number=card.number,
        anchor=anchor_of(card.state),
        title=card.title,
        owner=card.owner,
        shade=chart.shades.get(card.role or ""),
        channel=clean(channel.title) if channel is not None else "",
        waits=_waits(book, state),
        limits=tuple((each.title, book.ui.paused_here if each.paused else each.words) for each in card.limits),
        steps=tuple(clean(each) for each in state.steps),
        say=words.spoken(state.say),
        never=clean(state.never),
        note=clean(state.note),
        around=tuple(_done(book, flow, words, title, effects) for title, effects in around if effects is not None),
        events=tuple(_happening(known, group) for group in _alike(card)),
    )


def _alike(card: Card) -> list[tuple[Happening, ...]]:
    """The events of a card in order; those that ask the same and answer alike together, where they happen alike."""
    groups: dict[object, list[Happening]] = {}
    for event in card.events:
        alike = (event.where, event.timer, event.likeness) if event.question else event.key
        groups.setdefault(alike, []).append(event)
    return [tuple(group) for group in groups.values()]


def _happening(known: _StepsTold, events: tuple[Happening, ...]) -> StepHappening:
    first = events[0]
    text = f" {known.book.words(known.flow).labels.or_} ".join(event.text for event in events)
    if not first.question and len(first.answers) == 1:
        text = first.answers[0].text
    answers = tuple(_answer(known, each) for each in first.answers)
    return StepHappening(text, first.timer, first.where, first.asked, answers)


def _answer(known: _StepsTold, leaving: Exit) -> Answer:
    found = known.answers.get(leaving)
    if found is None:
        found = known.answers[leaving] = _told(known.book, known.flow, leaving, known.transitions[leaving.key])
    return found


def _told(book: Book, flow: Flow, leaving: Exit, transition: Transition) -> Answer:
    words = book.words(flow)
    return Answer(
        text=leaving.text,
        where=_where(book, leaving.target) if leaving.target is not None else None,
        effects=words.effects(transition.effects, transition.on, sends=False),
        messages=messages_of(book, flow, transition.effects),
        note=clean(transition.note),
        steps=tuple(clean(each) for each in transition.steps),
        say=words.spoken(transition.say),
        never=clean(transition.never),
    )


def _done(book: Book, flow: Flow, words: Words, title: str, effects: Effects) -> Answer:
    """What is done on arrival, or on leaving."""
    return Answer(title, None, words.effects(effects, sends=False), messages_of(book, flow, effects))


def _waits(book: Book, state: State) -> str:
    if state.waits is None:
        return ""
    ui = book.ui
    said = {"customer": ui.customer, "us": ui.us, "carrier": ui.carrier, "partner": ui.partner, "other": ui.other}
    return said.get(state.waits, humanised(state.waits))


def limits_in_words(book: Book, words: Words, clock: Clock) -> str:
    """All limits of a clock and when each holds: "1 business hour if …; 3 business hours otherwise"."""
    return "; ".join(" ".join(part for part in pair if part) for pair in limit_choices(book, words, clock))


def limit_choices(book: Book, words: Words, clock: Clock) -> list[tuple[str, str]]:
    """The limits of a clock, each with the condition under which it holds ("" where it is the only one)."""
    found: list[tuple[str, str]] = []
    for choice in clock.limits:
        condition = ""
        if choice.when is not None:
            condition = book.ui.if_.format(words.worked_out(choice.when))
        elif len(clock.limits) > 1:
            condition = book.ui.else_
        found.append((book.limit(choice.limit), condition))
    return found


def _where(book: Book, target: Target) -> Where:
    said = book.ui.to_end if target.number is None else book.ui.to_step
    text = said.format(target.title) if target.number is None else said.format(target.number, target.title)
    return Where(text, target.title, anchor_of(target.state))
