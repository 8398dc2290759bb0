"""The plan of a chart: what is on it, in words and in order, before anything is drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from carepolicy.businesstime import LimitError
from carepolicy.charts.address import address_of
from carepolicy.charts.colours import shades_of
from carepolicy.charts.exits import ANYWHERE, WayOut, events_of, keyed, own_ways
from carepolicy.charts.order import joins_of, ordered, success_of, tree_of
from carepolicy.charts.text import clean
from carepolicy.charts.words import Words, words_of
from carepolicy.checks.limits import length
from carepolicy.machine.compiler import calendar_of
from carepolicy.machine.locales import is_right_to_left
from carepolicy.policy.language.flow import EVERY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.exits import StepEvent
    from carepolicy.charts.labels import Labels
    from carepolicy.charts.order import Tree
    from carepolicy.policy.model import Clock, Flow, LimitChoice, Policies, State


@dataclass(frozen=True, slots=True)
class Target:
    """Where a way leads: a numbered step, or an end (``number`` None)."""

    state: str
    number: int | None
    title: str
    role: str | None
    good: bool


@dataclass(frozen=True, slots=True)
class Exit:
    """A way of an event: ``text`` is its answer where there is a question, else what happens. ``target`` None: the case
    stays. ``effects``: all that happens besides, in words. It is drawn as an ``arrow`` or a chip."""

    key: str
    text: str
    effects: str
    timer: bool
    arrow: bool
    main: bool
    target: Target | None


@dataclass(frozen=True, slots=True)
class Happening:
    """What may happen at a step, with all that may follow: ``answers`` are the ways that the answer to ``question``
    decides between ("" where nothing decides).

    ``where`` is "" for what the step itself says, else "At any step" or "At any step of …". ``settings`` are those,
    with their values, on which the answer hangs and that neither the question nor an answer names.
    """

    key: str
    text: str
    timer: bool
    where: str
    question: str
    settings: tuple[str, ...]
    answers: tuple[Exit, ...]

    @property
    def asked(self) -> str:
        """The question, and after it the settings on which the answer hangs."""
        return " – ".join((self.question, *self.settings))

    @property
    def moves(self) -> bool:
        """Whether an answer leads on."""
        return any(answer.target is not None for answer in self.answers)

    @property
    def likeness(self) -> object:
        """Equal where two events ask the same and go on alike; an event without a question is like none."""
        if not self.question:
            return self.key
        return self.question, self.settings, tuple((each.text, each.effects, each.target) for each in self.answers)


@dataclass(frozen=True, slots=True)
class Card:
    """A step. ``limits``: each clock that runs or stands still there, the tightest first; ``band`` tells the tightest
    alone. ``events``: all that may happen there, its own first. ``enter`` and ``leave`` are effects in words,
    ``inside`` the lines of what needs no way out: other limits, arrival, events that do not move the case."""

    state: str
    number: int
    title: str
    role: str | None
    owner: str
    limits: tuple[StepClock, ...]
    band: str
    say: str
    enter: str
    leave: str
    inside: tuple[str, ...]
    events: tuple[Happening, ...]
    main: bool

    @property
    def own(self) -> tuple[Happening, ...]:
        """The events of the step itself."""
        return tuple(event for event in self.events if not event.where)

    @property
    def exits(self) -> tuple[Exit, ...]:
        """The ways of the step itself that lead on."""
        return tuple(answer for event in self.own for answer in event.answers if answer.target is not None)

    def drawn(self) -> Iterator[tuple[Happening, ...]]:
        """Its own events that lead on; those that ask the same and answer alike together."""
        groups: dict[object, list[Happening]] = {}
        for event in self.own:
            if event.moves:
                groups.setdefault(event.likeness, []).append(event)
        return map(tuple, groups.values())


@dataclass(frozen=True, slots=True)
class EntryArrow:
    """How a case comes to a card from outside of the picture: by a start, or from anywhere."""

    text: str
    state: str
    start: bool
    timer: bool


@dataclass(frozen=True, slots=True)
class Note:
    """An event that is told once for many steps: those of ``states``. ``where`` says at which it holds."""

    where: str
    event: Happening
    states: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture: its cards in order, the entries into it, and the ends that are drawn as boxes."""

    cards: tuple[Card, ...]
    entries: tuple[EntryArrow, ...]
    ends: tuple[Target, ...]
    joins: frozenset[str]

    def notes(self, chart: Chart) -> tuple[Note, ...]:
        """The notes of a chart that hold at a step of this sheet."""
        here = {card.state for card in self.cards}
        return tuple(note for note in chart.notes if note.states & here)


@dataclass(frozen=True, slots=True)
class Mark:
    """An overlay for a coloured difference or for figures of an audit, by a step's name or the key of a way.

    ``word`` stands in the card before the title ("NEW"); ``line`` is the border's colour and ``style`` its
    kind (solid, dashed, dotted); ``rows`` are texts below the title, each on a ground colour. ``lines`` are marks of
    lines inside of the card, by their text: the word before the line, which stands on ``ground``, and rows below it.
    """

    word: str = ""
    line: str | None = None
    style: str = "solid"
    rows: tuple[tuple[str, str], ...] = ()
    ground: str = ""
    lines: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole flow as it is to be drawn; ``footer`` is printed on each sheet before the page number."""

    flow: str
    title: str
    footer: tuple[str, ...]
    labels: Labels
    language: str
    right_to_left: bool
    shades: Mapping[str, Shade]
    roles: Mapping[str, str]
    sheets: tuple[Sheet, ...]
    notes: tuple[Note, ...]
    marks: Mapping[str, Mark]
    legend: tuple[tuple[str, str], ...] = ()
    """What the marks mean, each a text and its ground; it stands before the page number."""
    address: str = ""
    """Where the flow's page is in the handbook, "" where the organisation does not say where that is read."""


@dataclass(frozen=True, slots=True)
class _CardContext:
    """What the cards of all sheets need to know about the flow."""

    words: Words
    events: Mapping[str, tuple[StepEvent, ...]]
    ways: Mapping[str, tuple[WayOut, ...]]
    into: Mapping[str, list[tuple[WayOut, str | None]]]
    numbers: Mapping[str, int]
    success: str | None


def chart_of(
    policies: Policies,
    flow_name: str,
    *,
    language: str | None = None,
    marks: Mapping[str, Mark] | None = None,
) -> Chart:
    """The plan of a flow's chart, as one picture; ``sheets_of`` cuts it into sheets of paper. Raises UnknownFlow."""
    return chart_in(words_of(policies, flow_name, language), marks)


def chart_in(words: Words, marks: Mapping[str, Mark] | None = None) -> Chart:
    """The plan of the chart of a flow whose words are given."""
    policies, flow = words.policies, words.flow
    events = {name: events_of(words, state) for name, state in flow.states.items()}
    ways = {name: own_ways(each) for name, each in events.items()}
    starts = [name for name, state in flow.states.items() if state.start_on]
    tree = tree_of(flow, ways, flow.states, starts)
    order = ordered(flow, tree)
    numbers = {name: number for number, name in enumerate(order, start=1)}
    drawing = _CardContext(words, events, ways, _ways_into(flow, events), numbers, success_of(flow))
    notes = tuple(_notes(drawing))
    sheets = (_sheet(drawing, notes, order),)
    roles = {card.role: words.role(card.role) for sheet in sheets for card in sheet.cards if card.role is not None}
    return Chart(
        flow=flow.name,
        title=clean(flow.title) or flow.name,
        footer=_footer(policies, flow, words),
        labels=words.labels,
        language=words.language,
        right_to_left=is_right_to_left(words.language),
        shades=shades_of(policies, roles),
        roles=roles,
        sheets=sheets,
        notes=notes,
        marks=marks or {},
        address=address_of(policies, flow.name, words.language),
    )


def _footer(policies: Policies, flow: Flow, words: Words) -> tuple[str, ...]:
    parts = [clean(policies.organisation.name), clean(flow.title), flow.name, words.labels.version.format(flow.version)]
    parts.append(words.labels.owner.format(words.role(flow.owner)))
    if flow.valid_from is not None:
        parts.append(words.labels.valid.format(flow.valid_from.isoformat()))
    return (*parts, policies.digest[:8]) if policies.digest else tuple(parts)


def _sheet(drawing: _CardContext, notes: tuple[Note, ...], names: list[str]) -> Sheet:
    flow = drawing.words.flow
    starts = [name for name in names if flow.states[name].start_on]
    tree = tree_of(flow, drawing.ways, names, starts)
    joins = joins_of(tree, drawing.ways)
    ends: list[Target] = []
    cards = [_card(drawing, tree, joins, flow.states[name], ends) for name in names]
    entries = _entries(drawing, notes, tree, names)
    return Sheet(tuple(cards), tuple(entries), tuple(ends), frozenset(joins))


def _entries(drawing: _CardContext, notes: tuple[Note, ...], tree: Tree, names: list[str]) -> list[EntryArrow]:
    words = drawing.words
    every = words.flow.every
    found: list[EntryArrow] = []
    for name in names:
        events = words.flow.states[name].start_on
        if events:
            found += [EntryArrow(words.event(event), name, True, event == EVERY) for event in events]
        elif every is not None and drawing.numbers[name] == 1:
            found.append(EntryArrow(words.labels.every.format(words.limit(every)), name, True, True))
        elif name in tree.roots:
            found += _entries_of_root(drawing, notes, name)
    return found


def _entries_of_root(drawing: _CardContext, notes: tuple[Note, ...], name: str) -> list[EntryArrow]:
    labels = drawing.words.labels
    for note in notes:
        for answer in note.event.answers:
            if answer.target is not None and answer.target.state == name:
                told = labels.told_of.format(note.event.text, answer.text) if note.event.question else answer.text
                return [EntryArrow(labels.told_of.format(note.event.where, told), name, False, answer.timer)]
    return []


def _card(drawing: _CardContext, tree: Tree, joins: set[str], state: State, ends: list[Target]) -> Card:
    words = drawing.words

    def leading(way: WayOut) -> Exit:
        if way.to is None:
            return _exit(drawing, way)
        target = _target(drawing, way.to)
        arrow = _is_arrow(drawing, tree, joins, way, target, ends)
        main = way.to in tree.main and tree.parent.get(way.to) is way
        main = main or (target.number is None and arrow and state.name in tree.main[-1:])
        return replace(_exit(drawing, way), arrow=arrow, main=main)

    events = tuple(
        _happening(event, [_exit(drawing, way) if event.where else leading(way) for way in event.ways])
        for event in drawing.events[state.name]
    )
    limits = _limits_of(words, state, drawing.into.get(state.name, ()))
    card = Card(
        state=state.name,
        number=drawing.numbers[state.name],
        title=words.state(state.name),
        role=state.owner,
        owner=words.role(state.owner),
        limits=limits,
        band=_band_of(words, state, limits),
        say=words.filled(state.say),
        enter=words.effects(state.enter) if state.enter is not None else "",
        leave=words.effects(state.leave) if state.leave is not None else "",
        inside=(),
        events=events,
        main=state.name in tree.main,
    )
    return replace(card, inside=(*_limit_lines(words, limits), *(text for _, text in lines_inside(words.labels, card))))


def _ways_into(flow: Flow, events: Mapping[str, tuple[StepEvent, ...]]) -> dict[str, list[tuple[WayOut, str | None]]]:
    """The ways that lead from another step to each state, those of phases and of any step too, with their guards."""
    transitions = keyed(flow)
    found: dict[str, list[tuple[WayOut, str | None]]] = {}
    for way in (way for each in events.values() for event in each for way in event.ways):
        if way.to is not None and way.to != way.state:
            found.setdefault(way.to, []).append((way, transitions[way.key].when))
    return found


def _exit(drawing: _CardContext, way: WayOut) -> Exit:
    """A way as a chip; into an end come the effects of its beginning."""
    target = _target(drawing, way.to) if way.to is not None else None
    effects = way.effects
    end = drawing.words.flow.states[way.to] if way.to is not None else None
    if end is not None and end.final is not None and end.enter is not None:
        there = drawing.words.effects(end.enter)
        effects = ", ".join(dict.fromkeys(each for each in (effects, there) if each))
    return Exit(way.key, way.text, effects, way.timer, False, False, target)


def _happening(event: StepEvent, answers: Iterable[Exit]) -> Happening:
    return Happening(event.key, event.text, event.timer, event.where, event.question, event.settings, tuple(answers))


def _is_arrow(
    drawing: _CardContext, tree: Tree, joins: set[str], way: WayOut, target: Target, ends: list[Target]
) -> bool:
    """An arrow for the first way into a step, for a planar join, and once for the end meant to be reached."""
    if way.draw == "chip":
        return False
    if way.draw == "arrow":
        return target.number is not None or _drawn_end(target, ends)
    if target.number is not None:
        return tree.parent.get(target.state) is way or way.key in joins
    last = way.state in tree.main[-1:] and target.state == drawing.success
    return last and not ends and _drawn_end(target, ends)


def _drawn_end(target: Target, ends: list[Target]) -> bool:
    if target not in ends:
        ends.append(target)
    return True


def _target(drawing: _CardContext, name: str) -> Target:
    state = drawing.words.flow.states[name]
    title = drawing.words.state(name)
    return Target(name, drawing.numbers.get(name), title, state.owner, name == drawing.success)


def _notes(drawing: _CardContext) -> Iterator[Note]:
    """What holds at many steps, told once: what the flow says of each phase, then of any step."""
    flow = drawing.words.flow
    places = [(f"phase-{phase.name}", phase.states, phase.on) for phase in flow.phases.values()]
    for place, states, triggers in (*places, (ANYWHERE, tuple(flow.states), flow.anywhere)):
        steps = [name for name in states if name in drawing.numbers]
        for trigger in triggers:
            yield from _notes_of(drawing, steps, f"{place}-{trigger}")


def _notes_of(drawing: _CardContext, steps: list[str], key: str) -> Iterator[Note]:
    """One event of many steps: a note for those at which the same of it holds in the same words."""
    groups: dict[object, list[tuple[str, StepEvent]]] = {}
    for name in steps:
        for event in drawing.events[name]:
            if event.key == key:
                told = tuple((way.key, way.text) for way in event.ways)
                groups.setdefault((event.question, told), []).append((name, event))
    for held in groups.values():
        here = {name for name, _ in held}
        missing = sorted(drawing.numbers[name] for name in steps if name not in here)
        event = held[0][1]
        where = event.where
        if missing:
            where += f" ({drawing.words.labels.not_at.format(', '.join(map(str, missing)))})"
        answers = [_exit(drawing, way) for way in event.ways]
        yield Note(where, _happening(event, answers), frozenset(here))


ENTER, LEAVE = "enter", "leave"
"""Keys of the lines of a card that tell what its step does on arrival and on leaving."""


def lines_inside(labels: Labels, card: Card) -> Iterator[tuple[tuple[str, ...], str]]:
    """What happens without leaving the step, each line with the keys of what it tells: on arrival, on leaving, and on
    events that do not move the case."""
    if card.enter:
        yield (ENTER,), labels.told_of.format(labels.entering, card.enter)
    if card.leave:
        yield (LEAVE,), labels.told_of.format(labels.leaving, card.leave)
    for event in card.own:
        if event.moves:
            continue
        told = [labels.told_of.format(each.text, each.effects or labels.records) for each in event.answers]
        keys = [each.key for each in event.answers]
        if event.question:
            yield tuple(keys), labels.told_of.format(event.text, " ".join((event.asked, "; ".join(told))))
        else:
            yield from (((key,), line) for key, line in zip(keys, told, strict=True))


@dataclass(frozen=True, slots=True)
class StepClock:
    """A clock at a step. ``words``: all its limits, each with the condition under which it holds; "paused" where it
    stands still, "already late" where a case comes here only because its time is over.

    ``days`` is how long the shortest of them takes in an ordinary week of its calendar; None where that hangs on
    a fact, or where it stands still.
    """

    clock: str
    title: str
    words: str
    paused: bool
    days: float | None


def _limits_of(words: Words, state: State, into: Iterable[tuple[WayOut, str | None]]) -> tuple[StepClock, ...]:
    """The clocks that run at a step, the tightest first, those that hang on a fact after them; then those that stand
    still. ``into`` are the ways that lead to it, each with its guard."""
    ways = list(into)
    found: list[StepClock] = []
    for clock in words.flow.clocks.values():
        title = words.clock(clock.name)
        if state.name in clock.runs_in:
            if _is_late(clock, ways):
                found.append(StepClock(clock.name, title, words.labels.already_late, False, 0))
            elif clock.limits:
                told = _limit_words(words, clock)
                found.append(StepClock(clock.name, title, told, False, _shortest(words, clock, state)))
        elif state.name in clock.pauses_in:
            found.append(StepClock(clock.name, title, words.labels.paused, True, None))
    return tuple(sorted(found, key=_tightness))


def _band_of(words: Words, state: State, limits: tuple[StepClock, ...]) -> str:
    """What the band of a card says: the tightest clock that runs, by name where there are several; else that one
    stands still, and how long the case waits."""
    if limits and not limits[0].paused:
        return _limit_line(words, limits[0]) if len(limits) > 1 else limits[0].words
    waits = _wait(words, state)
    if not limits:
        return waits
    paused = words.labels.paused
    return f"{paused}, {waits}" if waits else paused


def _limit_lines(words: Words, limits: tuple[StepClock, ...]) -> tuple[str, ...]:
    """The limits that the band does not tell, each as a line of the card."""
    if limits and limits[0].paused:
        return tuple(_limit_line(words, limit) for limit in limits) if len(limits) > 1 else ()
    return tuple(_limit_line(words, limit) for limit in limits[1:])


def _limit_line(words: Words, limit: StepClock) -> str:
    """A limit with the name of its clock."""
    return words.labels.told_of.format(limit.title, limit.words)


def _limit_words(words: Words, clock: Clock) -> str:
    """All limits of a clock and when each holds: "1 business hour if …, 3 business hours otherwise"."""
    said: list[str] = []
    for choice in clock.limits:
        limit = words.limit(choice.limit)
        if choice.when is not None:
            said.append(words.labels.limit_if.format(limit, words.worked_out(choice.when)))
        else:
            said.append(words.labels.limit_else.format(limit) if len(clock.limits) > 1 else str(limit))
    return ", ".join(said)


def _tightness(limit: StepClock) -> tuple[bool, bool, float]:
    return limit.paused, limit.days is None, limit.days or 0


def _is_late(clock: Clock, into: list[tuple[WayOut, str | None]]) -> bool:
    """Whether a case comes here only after the clock is late: by its event, or by a guard that asks for it."""
    asked = re.compile(rf"(?<![!\w.])clock\.{re.escape(clock.name)}\.late\b(?!\s*[=!?])")
    late = f"{clock.name}.late"
    return bool(into) and all(
        way.trigger == late or (guard is not None and "||" not in guard and asked.search(guard) is not None)
        for way, guard in into
    )


def _wait(words: Words, state: State) -> str:
    """How long a case waits here at most: the shortest ``after`` that leads away, else the shortest of all."""
    moving = [each for each in state.after if any(way.to is not None for way in each.transitions)]
    lengths = [(_length(words, each.limit, None), each.limit) for each in moving or state.after]
    if not lengths:
        return ""
    return words.limit(min(lengths, key=lambda pair: (pair[0] is None, pair[0] or 0))[1])


def _shortest(words: Words, clock: Clock, state: State) -> float | None:
    lengths = [_length(words, choice.limit, _calendar(words, clock, state, choice)) for choice in clock.limits]
    return min((each for each in lengths if each is not None), default=None)


def _calendar(words: Words, clock: Clock, state: State, choice: LimitChoice) -> str | None:
    return calendar_of(words.policies.organisation, words.flow, clock, state.owner or words.flow.owner, choice)


def _length(words: Words, text: str, calendar: str | None) -> float | None:
    organisation = words.policies.organisation
    try:
        limit = organisation.limit(text)
    except LimitError:
        return None
    named = calendar or words.flow.calendar or organisation.calendar
    return length(limit, organisation.calendars.get(named or ""))
