"""The coloured difference: the chart of old and new together, with a word, a border and a colour on what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from carepolicy.charts.changes.difference import (
    CHANGED,
    NEW,
    REMOVED,
    Change,
    aspect_called,
    pairs_of,
    sentence,
    way_key,
    word_of,
)
from carepolicy.charts.changes.items import AFTER, ANYWHERE, Placed
from carepolicy.charts.changes.words import change_words
from carepolicy.charts.draw import draw_chart
from carepolicy.charts.exits import chart_key
from carepolicy.charts.plan import ENTER, LEAVE, Mark, chart_of, lines_inside
from carepolicy.charts.text import width
from carepolicy.policy.limit import LimitText
from carepolicy.policy.model import After

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from carepolicy.charts.changes.difference import Difference
    from carepolicy.charts.changes.items import Key
    from carepolicy.charts.changes.words import ChangeWords
    from carepolicy.charts.draw import Drawn
    from carepolicy.charts.plan import Chart
    from carepolicy.policy.model import Flow, Phase, Policies, State, Transition


LINES = {NEW: "#1B6E2E", CHANGED: "#8A5A00", REMOVED: "#A61B12"}
GROUNDS = {NEW: "#DFF3E3", CHANGED: "#FFF1CC", REMOVED: "#FDE8E6"}
_STYLES = {NEW: "solid", CHANGED: "solid", REMOVED: "dotted"}
_LONGEST = 180
"""Columns of a change's words above which a card only says that something changed."""


def chart_of_changes(difference: Difference, flow: str, between: str = "") -> Chart:
    """The plan of the chart of one flow as both sets have it; ``between`` says in the footer which sets these are."""
    policies, keys = union_of(difference, flow)
    words = change_words(difference.language, difference.new.own_words)
    marks = marks_of(difference, flow, words, keys)
    chart = chart_of(policies, flow, language=difference.language)
    chart = replace(chart, marks=_with_lines(difference, chart, marks))
    kinds = {change.kind for change in difference.drawn(flow)}
    legend = tuple((word_of(words, kind), GROUNDS[kind]) for kind in LINES if kind in kinds)
    footer = tuple(part for part in (*chart.footer[:-1], between) if part)
    return replace(chart, title=words.of_flow.format(chart.title), footer=footer, legend=legend)


def marks_of(difference: Difference, flow: str, words: ChangeWords, keys: dict[str, Key]) -> dict[str, Mark]:
    """Marks by state, and by the chart's key of a way."""
    old, new = difference.old.flows.get(flow), difference.new.flows.get(flow)
    changes = difference.drawn(flow)
    marks: dict[str, Mark] = {}
    renamed = difference.renamed.get(flow, {})
    before = {renamed.get(name, name) for name in old.states} if old is not None else set()
    after = set(new.states) if new is not None else set()
    for state in after | before:
        if state not in before or state not in after:
            marks[state] = _mark(words, NEW if state in after else REMOVED, ())
            continue
        here = [each for each in changes if state in each.states and each.part != "way"]
        if here:
            below = (_short(words, each) for each in here if not _has_line(new, each))
            marks[state] = _mark(words, CHANGED, dict.fromkeys(below))
    by_key: dict[Key, list[Change]] = {}
    for change in changes:
        by_key.setdefault(change.key, []).append(change)
    for on_chart, key in keys.items():
        found = by_key.get(key, [])
        if found:
            rows = [_short(words, each) for each in found if each.kind == CHANGED]
            marks[on_chart] = _mark(words, found[0].kind, dict.fromkeys(rows))
    return marks


def _mark(words: ChangeWords, kind: str, rows: Iterable[str]) -> Mark:
    told = tuple((row, GROUNDS[kind]) for row in rows)
    return Mark(word_of(words, kind), LINES[kind], _STYLES[kind], told, GROUNDS[kind])


def _has_line(flow: Flow | None, change: Change) -> bool:
    """Whether a change is one of what a step does on arrival or on leaving, which is a line of its card."""
    when = change.aspect.partition("_")[0]
    return (
        flow is not None and when in (ENTER, LEAVE) and getattr(flow.states.get(change.state), when, None) is not None
    )


def _with_lines(difference: Difference, chart: Chart, marks: dict[str, Mark]) -> dict[str, Mark]:
    """The marks, with those of the lines inside of each card."""
    words = change_words(difference.language, difference.new.own_words)
    changes = difference.drawn(chart.flow)
    old = difference.old.flows.get(chart.flow)
    renamed = {now: before for before, now in difference.renamed.get(chart.flow, {}).items()}
    found = dict(marks)
    for card in (card for sheet in chart.sheets for card in sheet.cards):
        own = dict(marks)
        before = old.states.get(renamed.get(card.state, card.state)) if old is not None else None
        for when in (ENTER, LEAVE):
            here = [each for each in changes if each.state == card.state and each.aspect.startswith(f"{when}_")]
            if here and before is not None:
                new = getattr(before, when) is None
                rows = [] if new else [_short(words, each) for each in here]
                own[when] = _mark(words, NEW if new else CHANGED, dict.fromkeys(rows))
        told = ((text, _of_line(words, keys, own)) for keys, text in lines_inside(chart.labels, card))
        lines = {text: mark for text, mark in told if mark is not None}
        if lines:
            found[card.state] = replace(found.get(card.state, Mark()), lines=lines)
    return found


def _of_line(words: ChangeWords, keys: tuple[str, ...], marks: Mapping[str, Mark]) -> Mark | None:
    """The mark of a line that tells what has these keys: theirs where all have the same, else that it changed."""
    there = [marks[key] for key in keys if key in marks]
    if not there:
        return None
    if len(there) == len(keys) and len({each.word for each in there}) == 1:
        return replace(there[0], rows=tuple(dict.fromkeys(row for each in there for row in each.rows)))
    return _mark(words, CHANGED, dict.fromkeys(row for each in there for row, _ in each.rows))


def _short(words: ChangeWords, change: Change) -> str:
    """A change without the title of the card on which it stands; a clock's keeps its own."""
    if change.part not in ("step", "end", "way"):
        said = change.text
        return said if width(said) <= _LONGEST else words.altered.format(change.title)
    called = aspect_called(words, change.aspect)
    said = sentence(words, "", change.aspect, change.old, change.new).lstrip(",: ")
    return said if width(said) <= _LONGEST else words.altered.format(called)


def draw_changes(difference: Difference, flow: str, path: Path, between: str) -> Drawn:
    """Write the coloured chart of one flow as .svg, .png, .pdf or .dot. Raises NoRenderer, RenderError and OSError."""
    paper = difference.new.organisation.paper
    return draw_chart(chart_of_changes(difference, flow, between), path, paper=paper)


Value = TypeVar("Value")
_NOTHING: Mapping[str, str] = {}


def union_of(difference: Difference, flow: str) -> tuple[Policies, dict[str, Key]]:
    """The newer set with the flow as both have it, and the comparison's key of each way by its key on the chart.

    What is gone comes after what is there, so that the new flow's main path decides the layout.
    """
    old, new = difference.old.flows.get(flow), difference.new.flows.get(flow)
    renamed = difference.renamed.get(flow, _NOTHING)
    union = _Union(flow, pairs_of(old, new, renamed))
    there = new if new is not None else difference.old.flows[flow]
    if old is not None and new is not None:
        states = {renamed.get(name, name): state for name, state in old.states.items()}
        stopped = {name: replace(clock, runs_in=(), pauses_in=()) for name, clock in old.clocks.items()}
        there = replace(
            new,
            events=_both(old.events, new.events),
            clocks=_both(stopped, new.clocks),
            states=_both(states, new.states),
            phases=union.phases(old.phases, new.phases, states),
        )
    return _named(difference, union.filled(there)), union.keys


def _both(old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, Value]:
    return {**new, **{name: value for name, value in old.items() if name not in new}}


def _named(difference: Difference, flow: Flow) -> Policies:
    """A set with the names of both, so that a role or a message that is gone still has its title."""
    old, new = difference.old, difference.new
    organisation = replace(
        new.organisation,
        roles=_both(old.organisation.roles, new.organisation.roles),
        facts=_both(old.organisation.facts, new.organisation.facts),
        settings=_both(old.organisation.settings, new.organisation.settings),
    )
    messages = {
        language: _both(old.messages.get(language, {}), new.messages.get(language, {}))
        for language in dict.fromkeys((*new.messages, *old.messages))
    }
    flows = {**_both(old.flows, new.flows), flow.name: flow}
    return replace(new, organisation=organisation, messages=messages, flows=flows)


@dataclass(slots=True)
class _Union:
    """Puts pairs of transitions back into their states, phases and the whole flow."""

    flow: str
    pairs: dict[tuple[str, str], list[tuple[Placed | None, Placed | None]]]
    keys: dict[str, Key] = field(default_factory=dict)

    def filled(self, flow: Flow) -> Flow:
        """The flow with the transitions of both sides."""
        states = {name: self._state(name, state) for name, state in flow.states.items()}
        phases = {
            name: replace(phase, on=self._on(f"phase {name}", f"phase-{name}")) for name, phase in flow.phases.items()
        }
        return replace(flow, states=states, phases=phases, anywhere=self._on(ANYWHERE, ANYWHERE))

    @staticmethod
    def phases(old: Mapping[str, Phase], new: Mapping[str, Phase], states: Mapping[str, State]) -> dict[str, Phase]:
        """The phases of both; one that both have keeps the old one's states that are in no new phase."""
        placed = {name for phase in new.values() for name in phase.states}
        made: dict[str, Phase] = {}
        for name, phase in _both(old, new).items():
            before = old[name].states if name in old else ()
            kept = [each for each in before if each in states and each not in placed]
            own = [each for each in phase.states if name in new or each in kept]
            made[name] = replace(phase, states=tuple(dict.fromkeys((*own, *kept))))
        return made

    def _state(self, name: str, state: State) -> State:
        after: dict[str, list[Transition]] = {}
        for slot, pair in enumerate(self.pairs.get((name, AFTER), [])):
            way = self._there(pair)
            group = after.setdefault(way.limit, [])
            self.keys[chart_key(name, f"after {way.limit}", len(group))] = way_key(self.flow, name, AFTER, slot)
            group.append(replace(way.transition, to=way.to))
        timed = tuple(After(LimitText(limit), tuple(group), state.at) for limit, group in after.items())
        return replace(state, name=name, on=self._on(name, name), after=timed)

    def _on(self, place: str, prefix: str) -> dict[str, tuple[Transition, ...]]:
        found: dict[str, tuple[Transition, ...]] = {}
        for (where, trigger), pairs in self.pairs.items():
            if where != place or trigger == AFTER:
                continue
            ways = [self._there(pair) for pair in pairs]
            for slot in range(len(ways)):
                self.keys[chart_key(prefix, trigger, slot)] = way_key(self.flow, place, trigger, slot)
            found[trigger] = tuple(replace(way.transition, to=way.to) for way in ways)
        return found

    @staticmethod
    def _there(pair: tuple[Placed | None, Placed | None]) -> Placed:
        old, new = pair
        found = new if new is not None else old
        assert found is not None
        return found
