"""Guided mode: a flow as screens, one a step, with all that may happen at it as ways on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from carepolicy.charts.exits import keyed
from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.messages import message_anchor
from carepolicy.handbook.steps import anchor_of, starting
from carepolicy.policy.language.flow import EVERY
from carepolicy.policy.phrases import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from carepolicy.charts.plan import Card, Chart, Exit, Happening
    from carepolicy.charts.words import Words
    from carepolicy.handbook.book import Book
    from carepolicy.handbook.messages import MessageGroup
    from carepolicy.handbook.steps import FlowStep
    from carepolicy.policy.model import Effects, Flow, State, Transition


@dataclass(frozen=True, slots=True)
class GuideTarget:
    """A screen to which a way leads: a numbered step, or an end (``number`` None)."""

    anchor: str
    title: str
    number: int | None


@dataclass(frozen=True, slots=True)
class GuideLetter:
    """A message that is sent, and its text; ``address`` is its place on the flow's page, in every language."""

    title: str
    language: str
    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What happens by itself on the way, or on arrival. ``opens`` are guides of other flows: address and title."""

    effects: str = ""
    letters: tuple[GuideLetter, ...] = ()
    opens: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.effects or self.letters or self.opens)


@dataclass(frozen=True, slots=True)
class GuideWay:
    """What staff are told of a way once it is taken; ``to`` None: the case stays at the step it was at."""

    anchor: str
    event: str
    answer: str
    beside: Beside
    steps: tuple[str, ...]
    say: str
    never: str
    note: str
    by_itself: bool
    to: GuideTarget | None


@dataclass(frozen=True, slots=True)
class GuideChoice:
    """A way as a button: where it leads, and the id of that place on the page (its ``GuideWay``, or the step)."""

    key: str
    text: str
    to: GuideTarget | None
    anchor: str


@dataclass(frozen=True, slots=True)
class GuideEvent:
    """Something that may happen. Where a question decides, ``ask`` is the id of its screen, else ""."""

    key: str
    text: str
    by_itself: bool
    question: str
    choices: tuple[GuideChoice, ...]
    ask: str


@dataclass(frozen=True, slots=True)
class Screen:
    """A step on a page of its own: what the page says, what happens on arrival, and all that may happen at the step, in
    groups by where it holds."""

    step: FlowStep
    arrival: Beside
    events: tuple[GuideEvent, ...]
    shared: tuple[tuple[str, tuple[GuideEvent, ...]], ...]

    @property
    def all_events(self) -> Iterator[GuideEvent]:
        """Its own events, and those that may happen at many steps."""
        yield from self.events
        for _, events in self.shared:
            yield from events


@dataclass(frozen=True, slots=True)
class EndScreen:
    """A final state."""

    spot: GuideTarget
    outcome: str
    note: str
    arrival: Beside


@dataclass(frozen=True, slots=True)
class Guide:
    """All screens of a flow. ``asked`` are questions that stand at many steps, each told once."""

    starts: tuple[tuple[str, GuideTarget, bool], ...]
    screens: tuple[Screen, ...]
    asked: tuple[GuideEvent, ...]
    ends: tuple[EndScreen, ...]
    ways: tuple[GuideWay, ...]


def guide_address(flow: str) -> str:
    """The file of a flow's guide, beside its page. No flow's own page is called so: an id has no hyphen."""
    return f"{identifier(flow)}-guide.html"


def guide_of(
    book: Book, flow: Flow, chart: Chart, steps: Sequence[FlowStep], messages: Sequence[MessageGroup]
) -> Guide:
    """The guide of a flow whose page has this chart, these steps and these messages."""
    cards = {anchor_of(card.state): card for sheet in chart.sheets for card in sheet.cards}
    return _Maker(book, flow, cards, steps, messages).guide()


@dataclass(slots=True)
class _Maker:
    """Makes the guide of one flow; ``ways`` and ``asked`` fill up as events are told."""

    book: Book
    flow: Flow
    cards: Mapping[str, Card]
    steps: Sequence[FlowStep]
    messages: Sequence[MessageGroup]
    words: Words = field(init=False)
    transitions: Mapping[str, Transition] = field(init=False)
    spots: Mapping[str, GuideTarget] = field(init=False)
    letters: Mapping[str, MessageGroup] = field(init=False)
    ways: dict[str, GuideWay] = field(default_factory=dict)
    asked: dict[str, GuideEvent] = field(default_factory=dict)
    choices: dict[str, GuideChoice] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.words = self.book.words(self.flow)
        self.transitions = keyed(self.flow)
        numbers = {step.anchor: step.number for step in self.steps}
        self.spots = {
            name: GuideTarget(anchor_of(name), self.words.state(name), numbers.get(anchor_of(name)))
            for name in self.flow.states
        }
        self.letters = {group.name: group for group in self.messages}

    def guide(self) -> Guide:
        screens = tuple(self._screen(step, self.cards[step.anchor]) for step in self.steps)
        ends = tuple(self._end(state) for state in self.flow.states.values() if state.final is not None)
        return Guide(tuple(self._starts()), screens, tuple(self.asked.values()), ends, tuple(self.ways.values()))

    def _starts(self) -> Iterator[tuple[str, GuideTarget, bool]]:
        """What brings a case: its words, the first step, and whether it is brought by time."""
        flow, ui = self.flow, self.book.ui
        begun = tuple(starting(flow))
        for state, event in begun:
            yield self.words.event(event), self.spots[state], event == EVERY
        if not begun:
            yield ui.guide_begin, self.spots[next(iter(flow.states))], False

    def _screen(self, step: FlowStep, card: Card) -> Screen:
        own: list[GuideEvent] = []
        shared: dict[str, list[GuideEvent]] = {}
        for happening in card.events:
            event = self._event(happening, card)
            (shared.setdefault(happening.where, []) if happening.where else own).append(event)
        groups = tuple((where, tuple(events)) for where, events in shared.items())
        return Screen(step, self._beside(self.flow.states[card.state].enter), tuple(own), groups)

    def _event(self, happening: Happening, card: Card) -> GuideEvent:
        choices = tuple(self._choice(happening, answer) for answer in happening.answers)
        question = happening.asked if happening.question else self.words.labels.which if len(choices) > 1 else ""
        ask = f"ask-{_id_of(happening.key)}" if question else ""
        text = happening.text if question else choices[0].text
        event = GuideEvent(happening.key, text, happening.timer, question, choices, ask)
        if not question or not happening.where or self.asked.setdefault(ask, event) == event:
            return event
        event = replace(event, ask=f"{ask}-{identifier(card.state)}")  # a step at which it is asked otherwise
        self.asked[event.ask] = event
        return event

    def _choice(self, happening: Happening, answer: Exit) -> GuideChoice:
        if answer.key not in self.choices:
            to = None if answer.target is None else self.spots[answer.target.state]
            way = self._way(happening, answer, to)
            if to is None or _tells(way):
                self.ways[way.anchor] = way
            anchor = way.anchor if to is None or _tells(way) else to.anchor
            self.choices[answer.key] = GuideChoice(answer.key, answer.text, to, anchor)
        return replace(self.choices[answer.key], text=answer.text)

    def _way(self, happening: Happening, answer: Exit, to: GuideTarget | None) -> GuideWay:
        transition = self.transitions[answer.key]
        return GuideWay(
            anchor=f"way-{_id_of(answer.key)}",
            event=happening.text if happening.question else answer.text,
            answer=answer.text if happening.question else "",
            beside=self._beside(transition.effects, transition.on),
            steps=tuple(clean(each) for each in transition.steps),
            say=self.words.spoken(transition.say),
            never=clean(transition.never),
            note=clean(transition.note),
            by_itself=happening.timer,
            to=to,
        )

    def _beside(self, effects: Effects | None, trigger: str | None = None) -> Beside:
        if effects is None:
            return Beside()
        told = self.words.effects(effects, trigger, sends=False)
        letters = tuple(self._letter(name) for name in effects.send)
        opens = [(_start_of(self.book, each.flow, each.on), each.flow) for each in effects.open]
        for raised in effects.raises:
            opens += [
                (_start_of(self.book, other.name, raised.event), other.name)
                for other in self.book.policies.flows.values()
                if any(raised.event in state.start_on for state in other.states.values())
            ]
        titles = tuple((address, self.words.flow_title(name)) for address, name in dict.fromkeys(opens))
        return Beside(told, letters, titles)

    def _letter(self, name: str) -> GuideLetter:
        address = f"{identifier(self.flow.name)}.html#{message_anchor(name)}"
        sends = self.words.labels.sends.format(self.words.message(name))
        title = sends[:1].upper() + sends[1:]
        group = self.letters.get(name)
        if group is None or not group.messages:
            return GuideLetter(title, self.book.language, "", address)
        first = group.messages[0]
        return GuideLetter(title, first.language, first.text.strip(), address)

    def _end(self, state: State) -> EndScreen:
        outcome = outcome_of(self.book.policies, self.flow.name, state.name, state.final or "")
        return EndScreen(self.spots[state.name], outcome, clean(state.note), self._beside(state.enter))


def _id_of(key: str) -> str:
    """The key of a way as an id; its hyphens part its place, its trigger and its number."""
    return "-".join(map(identifier, key.split("-")))


def _tells(way: GuideWay) -> bool:
    """Whether there is anything to tell of a way but where it leads."""
    return bool(way.beside or way.steps or way.say or way.never or way.note)


def _start_of(book: Book, flow_name: str, event: str | None) -> str:
    """The address of the guide of another flow, at the step at which the event opens a case of it."""
    flow = book.policies.flows.get(flow_name)
    states = [] if flow is None else [each for each in flow.states.values() if each.start_on]
    first = next((each for each in states if event is None or event in each.start_on), None)
    return guide_address(flow_name) + (f"#{anchor_of(first.name)}" if first is not None else "")
