"""The plan of a chart: what is on it, in words and in order, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.colours import shades_of
from carepolicy.charts.exits import WayOut, question_of, shared_of, ways_of
from carepolicy.charts.order import FEWEST, Tree, divided, halved, joins_of, success_of, title_of, tree_of
from carepolicy.charts.text import clean
from carepolicy.charts.words import Words, words_of
from carepolicy.machine.locales import is_right_to_left
from carepolicy.policy.language.flow import EVERY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.exits import Shared
    from carepolicy.charts.labels import Labels
    from carepolicy.charts.order import Groups
    from carepolicy.policy.model import Flow, Policies, State


@dataclass(frozen=True, slots=True)
class Target:
    """Where a way leads: a numbered step, or an end (``number`` None). ``sheet`` is set on other sheets."""

    state: str
    number: int | None
    title: str
    role: str | None
    good: bool
    sheet: int | None


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a card as drawn: ``arrow`` or a chip. ``asked``: it hangs on the question."""

    key: str
    text: str
    effects: str
    timer: bool
    asked: bool
    arrow: bool
    main: bool
    target: Target


@dataclass(frozen=True, slots=True)
class Card:
    """A step. ``band`` is the time limit in words; ``inside`` are things that happen without leaving it."""

    state: str
    number: int
    title: str
    role: str | None
    owner: str
    band: str
    say: str
    inside: tuple[str, ...]
    trigger: str
    question: str
    exits: tuple[Exit, ...]
    main: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """How a case comes to a card from outside of the sheet: by a start, from another sheet, from anywhere."""

    text: str
    state: str
    start: bool
    timer: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A transition that is told once for many steps: those of ``states``."""

    where: str
    text: str
    effects: str
    target: Target | None
    states: frozenset[str] = frozenset()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: its cards in order, the entries into it, and the ends that are drawn as boxes."""

    page: int
    pages: int
    subtitle: str
    cards: tuple[Card, ...]
    entries: tuple[Entry, ...]
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
    kind (solid, dashed, dotted); ``rows`` are texts below the title, each on a ground colour.
    """

    word: str = ""
    line: str | None = None
    style: str = "solid"
    rows: tuple[tuple[str, str], ...] = ()


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


_BAND = 44
"""Columns of a card's band above which only the first of several limits is told."""


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What the cards of all sheets need to know about the flow."""

    words: Words
    ways: Mapping[str, tuple[WayOut, ...]]
    numbers: Mapping[str, int]
    pages: Mapping[str, int]
    success: str | None


def chart_of(
    policies: Policies,
    flow_name: str,
    *,
    language: str | None = None,
    split: bool = True,
    marks: Mapping[str, Mark] | None = None,
    groups: Groups | None = None,
) -> Chart:
    """The plan of a flow's chart. Raises UnknownFlow.

    ``split`` divides a flow of more than twelve steps into sheets, by phase where there are phases; ``groups``
    are the sheets themselves, as ``finer`` gives them. A step's number is the same however it is divided.
    """
    words = words_of(policies, flow_name, language)
    policies, flow = words.policies, words.flow
    ways = {name: ways_of(words, state) for name, state in flow.states.items()}
    starts = [name for name, state in flow.states.items() if state.start_on]
    tree = tree_of(flow, ways, flow.states, starts)
    usual = divided(flow, tree)
    order = [name for names in usual for name in names]
    groups = groups or (usual if split else [order])
    numbers = {name: number for number, name in enumerate(order, start=1)}
    pages = {name: page for page, names in enumerate(groups, start=1) for name in names}
    drawing = _Drawing(words, ways, numbers, pages, success_of(flow))
    shared = shared_of(words)
    sheets = tuple(_sheet(drawing, shared, page, len(groups), names) for page, names in enumerate(groups, start=1))
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
        notes=tuple(_note(drawing, each) for each in shared if each.states),
        marks=marks or {},
    )


def finer(chart: Chart, small: set[int]) -> Groups | None:
    """Sheets of a chart with those of the pages ``small`` cut in two; None where none of them can be cut."""
    entered = {
        leaving.target.state: card.state
        for sheet in chart.sheets
        for card in sheet.cards
        for leaving in card.exits
        if leaving.arrow
    }
    groups: Groups = []
    for sheet in chart.sheets:
        names = [card.state for card in sheet.cards]
        runs = halved(names, entered) if sheet.page in small and len(names) > FEWEST else [names]
        groups += runs
    return groups if len(groups) > len(chart.sheets) else None


def _footer(policies: Policies, flow: Flow, words: Words) -> tuple[str, ...]:
    parts = [clean(policies.organisation.name), clean(flow.title), flow.name, words.labels.version.format(flow.version)]
    parts.append(words.labels.owner.format(words.role(flow.owner)))
    if flow.valid_from is not None:
        parts.append(words.labels.valid.format(flow.valid_from.isoformat()))
    return (*parts, policies.digest[:8]) if policies.digest else tuple(parts)


def _sheet(drawing: _Drawing, shared: tuple[Shared, ...], page: int, pages: int, names: list[str]) -> Sheet:
    flow = drawing.words.flow
    starts = [name for name in names if flow.states[name].start_on]
    entered = [name for name in names if _from_other_sheet(drawing, name, names)]
    tree = tree_of(flow, drawing.ways, names, [*starts, *(name for name in entered if name not in starts)])
    joins = joins_of(tree, drawing.ways)
    ends: list[Target] = []
    cards = [_card(drawing, tree, joins, page, flow.states[name], ends) for name in names]
    entries = _entries(drawing, shared, tree, names)
    subtitle = title_of(flow, names) if pages > 1 else ""
    return Sheet(page, pages, subtitle, tuple(cards), tuple(entries), tuple(ends), frozenset(joins))


def _from_other_sheet(drawing: _Drawing, name: str, names: list[str]) -> bool:
    sources = {way.state for ways in drawing.ways.values() for way in ways if way.to == name and way.state != name}
    return bool(sources) and not sources & set(names)


def _entries(drawing: _Drawing, shared: tuple[Shared, ...], tree: Tree, names: list[str]) -> list[Entry]:
    words = drawing.words
    every = words.flow.every
    found: list[Entry] = []
    for name in names:
        events = words.flow.states[name].start_on
        if events:
            found += [Entry(words.event(event), name, True, event == EVERY) for event in events]
        elif every is not None and drawing.numbers[name] == 1:
            found.append(Entry(words.labels.every.format(words.limit(every)), name, True, True))
        elif name in tree.roots:
            found += _entries_of_root(drawing, shared, name, names)
    return found


def _entries_of_root(drawing: _Drawing, shared: tuple[Shared, ...], name: str, names: list[str]) -> list[Entry]:
    labels = drawing.words.labels
    steps = {way.state for ways in drawing.ways.values() for way in ways if way.to == name and way.state != name}
    away = [step for step in steps if step not in names and step in drawing.numbers]
    if away:
        told = ", ".join(str(number) for number in sorted(drawing.numbers[step] for step in away)[:4])
        return [Entry(labels.from_step.format(told), name, False, False)]
    told_by = next((each for each in shared if each.to == name and each.states), None)
    if told_by is not None:
        return [Entry(labels.told_of.format(told_by.where, told_by.text), name, False, told_by.timer)]
    return []


def _card(drawing: _Drawing, tree: Tree, joins: set[str], page: int, state: State, ends: list[Target]) -> Card:
    words = drawing.words
    ways = drawing.ways[state.name]
    exits: list[Exit] = []
    for way in ways:
        if way.to is None:
            continue
        target = _target(drawing, way.to, page)
        arrow = _is_arrow(drawing, tree, joins, way, target, ends)
        main = way.to in tree.main and tree.parent.get(way.to) is way
        main = main or (target.number is None and arrow and state.name in tree.main[-1:])
        exits.append(Exit(way.key, way.text, way.effects, way.timer, way.asked, arrow, main, target))
    triggers = list(dict.fromkeys(way.trigger for way in ways if way.asked))
    return Card(
        state=state.name,
        number=drawing.numbers[state.name],
        title=words.state(state.name),
        role=state.owner,
        owner=words.role(state.owner),
        band=_band(drawing, state),
        say=clean(state.say),
        inside=_inside(words, state, ways),
        trigger=words.trigger(triggers[0]) if len(triggers) == 1 and not _told_in_full(state, triggers[0]) else "",
        question=question_of(words, state, ways),
        exits=tuple(exits),
        main=state.name in tree.main,
    )


def _told_in_full(state: State, trigger: str) -> bool:
    """Whether the manager wrote the question and each answer: then the event's name adds nothing."""
    return bool(state.ask) and all(transition.answer for transition in state.on[trigger])


def _is_arrow(drawing: _Drawing, tree: Tree, joins: set[str], way: WayOut, target: Target, ends: list[Target]) -> bool:
    """An arrow for the first way into a step, for a planar join, and once for the end meant to be reached."""
    if way.draw == "chip":
        return False
    if way.draw == "arrow" and target.sheet is None:
        return target.number is not None or _drawn_end(target, ends)
    if target.number is not None:
        return tree.parent.get(target.state) is way or way.key in joins
    last = way.state in tree.main[-1:] and target.state == drawing.success
    return last and not ends and _drawn_end(target, ends)


def _drawn_end(target: Target, ends: list[Target]) -> bool:
    if target not in ends:
        ends.append(target)
    return True


def _target(drawing: _Drawing, name: str, page: int | None) -> Target:
    state = drawing.words.flow.states[name]
    number = drawing.numbers.get(name)
    other = drawing.pages.get(name)
    sheet = other if page is not None and other != page else None
    return Target(name, number, drawing.words.state(name), state.owner, name == drawing.success, sheet)


def _note(drawing: _Drawing, shared: Shared) -> Note:
    where = shared.where
    missing = [str(drawing.numbers[name]) for name in shared.not_at if name in drawing.numbers]
    if missing:
        where += f" ({drawing.words.labels.not_at.format(', '.join(sorted(missing, key=int)))})"
    target = _target(drawing, shared.to, None) if shared.to is not None else None
    stays = "" if target is not None else drawing.words.labels.records
    return Note(where, shared.text, shared.effects or stays, target, frozenset(shared.states), shared.key)


def _inside(words: Words, state: State, ways: tuple[WayOut, ...]) -> tuple[str, ...]:
    """What happens without leaving the step: on arrival, and on events that do not move the case."""
    arriving = words.effects(state.enter, sends=True) if state.enter is not None else ""
    first = [words.labels.told_of.format(words.labels.entering, arriving)] if arriving else []
    told = words.labels.told_of
    return (*first, *(told.format(way.text, way.effects or words.labels.records) for way in ways if way.to is None))


def _band(drawing: _Drawing, state: State) -> str:
    """The time that counts in a state: the limit of its first clock, else the wait of its first ``after``."""
    words = drawing.words
    flow = words.flow
    waits = words.limit(state.after[0].limit) if state.after else ""
    for clock in flow.clocks.values():
        if state.name in clock.runs_in and clock.limits:
            into = [way.trigger for ways in drawing.ways.values() for way in ways if way.to == state.name]
            late = bool(into) and all(trigger == f"{clock.name}.late" for trigger in into)
            return words.labels.already_late if late else words.limit_of(clock, _BAND)
    if any(state.name in clock.pauses_in for clock in flow.clocks.values()):
        return f"{words.labels.paused}, {waits}" if waits else words.labels.paused
    return waits
