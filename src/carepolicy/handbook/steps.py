"""The steps of a flow as its page tells them: the plan of the chart, with what staff do and say at each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.exits import chart_key
from carepolicy.charts.text import clean, humanised, identifier
from carepolicy.policy.phrases import outcome_of

if TYPE_CHECKING:
    from carepolicy.charts.colours import Shade
    from carepolicy.charts.plan import Card, Chart, Target
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
class Happening:
    """What may happen at a step. ``messages`` are templates that the customer is sent, by name and subject."""

    text: str
    where: Where | None
    effects: str
    messages: tuple[tuple[str, str], ...]
    by_itself: bool
    note: str = ""
    steps: tuple[str, ...] = ()
    say: str = ""
    never: str = ""


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of the list. ``limits`` are pairs of a clock's title and its time in words."""

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
    question: str
    inside: tuple[str, ...]
    ways: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class End:
    """A final state."""

    anchor: str
    title: str
    outcome: str
    note: str
    inside: str
    messages: tuple[tuple[str, str], ...]


def anchor_of(state: str) -> str:
    """The id of a step in its page: stable as long as the state keeps its name."""
    return f"state-{identifier(state)}"


def steps_of(book: Book, flow: Flow, chart: Chart) -> list[FlowStep]:
    """All steps in the order and with the numbers of the chart."""
    words = book.words(flow)
    return [_step(book, flow, chart, words, card) for sheet in chart.sheets for card in sheet.cards]


def ends_of(book: Book, flow: Flow) -> list[End]:
    """All final states in the order of the file."""
    words = book.words(flow)
    found: list[End] = []
    for state in flow.states.values():
        if state.final is not None:
            inside = book.filled(words.effects(state.enter)) if state.enter is not None else ""
            sent = messages_of(book, flow, state.enter)
            title, outcome = (
                words.state(state.name),
                outcome_of(words.policies, words.flow.name, state.name, state.final),
            )
            found.append(End(anchor_of(state.name), title, outcome, clean(state.note), inside, sent))
    return found


def always_of(chart: Chart, book: Book) -> list[tuple[str, Happening]]:
    """What may happen at many steps: where, and what."""
    found: list[tuple[str, Happening]] = []
    for note in chart.notes:
        where = _where(book, note.target) if note.target is not None else None
        found.append((note.where, Happening(note.text, where, book.filled(note.effects), (), False)))
    return found


def messages_of(book: Book, flow: Flow, effects: Effects | None) -> tuple[tuple[str, str], ...]:
    """The messages that effects send: name and subject line."""
    return tuple((name, book.message(flow, name)) for name in effects.send) if effects is not None else ()


def _step(book: Book, flow: Flow, chart: Chart, words: Words, card: Card) -> FlowStep:
    state = flow.states[card.state]
    channel = book.policies.organisation.channels.get(state.channel or "")
    arriving = messages_of(book, flow, state.enter)
    inside = [line for line in card.inside if not line.startswith(f"{chart.labels.entering}:")]
    entering = words.effects(state.enter) if state.enter is not None else ""
    if state.enter is not None and (entering or arriving or state.enter.request):
        inside.insert(0, f"{chart.labels.entering}: {words.effects(state.enter, sends=True)}")
    return FlowStep(
        number=card.number,
        anchor=anchor_of(card.state),
        title=card.title,
        owner=card.owner,
        shade=chart.shades.get(card.role or ""),
        channel=clean(channel.title) if channel is not None else "",
        waits=_waits(book, state),
        limits=tuple(_limits(book, flow, state)),
        steps=tuple(clean(each) for each in state.steps),
        say=state.say.strip(),
        never=clean(state.never),
        note=clean(state.note),
        question=card.question,
        inside=tuple(book.filled(line) for line in inside),
        ways=tuple(_ways(book, flow, state, card)),
    )


def _waits(book: Book, state: State) -> str:
    if state.waits is None:
        return ""
    ui = book.ui
    said = {"customer": ui.customer, "us": ui.us, "carrier": ui.carrier, "partner": ui.partner, "other": ui.other}
    return said.get(state.waits, humanised(state.waits))


def _limits(book: Book, flow: Flow, state: State) -> list[tuple[str, str]]:
    words = book.words(flow)
    found: list[tuple[str, str]] = []
    for clock in flow.clocks.values():
        if state.name in clock.runs_in:
            found.append((words.clock(clock.name), limits_in_words(book, words, clock)))
        elif state.name in clock.pauses_in:
            found.append((words.clock(clock.name), book.ui.paused_here))
    return found


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


def _ways(book: Book, flow: Flow, state: State, card: Card) -> list[Happening]:
    transitions = _by_key(state)
    found: list[Happening] = []
    for leaving in card.exits:
        transition = transitions[leaving.key]
        found.append(
            Happening(
                text=leaving.text,
                where=_where(book, leaving.target),
                effects=book.filled(leaving.effects),
                messages=messages_of(book, flow, transition.effects),
                by_itself=leaving.timer,
                note=clean(transition.note),
                steps=tuple(clean(each) for each in transition.steps),
                say=transition.say.strip(),
                never=clean(transition.never),
            )
        )
    return found


def _by_key(state: State) -> dict[str, Transition]:
    """The transitions of a state by the keys that the chart gives to its ways."""
    groups = [*state.on.items(), *((f"after {after.limit}", after.transitions) for after in state.after)]
    return {
        chart_key(state.name, trigger, index): transition
        for trigger, transitions in groups
        for index, transition in enumerate(transitions)
    }


def _where(book: Book, target: Target) -> Where:
    said = book.ui.to_end if target.number is None else book.ui.to_step
    text = said.format(target.title) if target.number is None else said.format(target.number, target.title)
    return Where(text, target.title, anchor_of(target.state))
