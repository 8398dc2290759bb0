"""The coloured difference: the chart of old and new together, with a word, a border and a colour on what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from carepolicy.charts.changes.compare import CHANGED, NEW, REMOVED, Change, aspect_called, sentence
from carepolicy.charts.changes.telling import word_of
from carepolicy.charts.changes.union import union_of
from carepolicy.charts.changes.words import change_words
from carepolicy.charts.draw import draw_plan
from carepolicy.charts.plan import Mark, chart_of
from carepolicy.charts.text import width

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from carepolicy.charts.changes.compare import Difference
    from carepolicy.charts.changes.items import Key
    from carepolicy.charts.changes.words import ChangeWords
    from carepolicy.charts.draw import Drawn
    from carepolicy.charts.order import Groups
    from carepolicy.charts.plan import Chart

LINES = {NEW: "#1B6E2E", CHANGED: "#8A5A00", REMOVED: "#A61B12"}
GROUNDS = {NEW: "#DFF3E3", CHANGED: "#FFF1CC", REMOVED: "#FDE8E6"}
_STYLES = {NEW: "solid", CHANGED: "solid", REMOVED: "dotted"}
_LONGEST = 90
"""Columns of a change's words above which a card only says that something changed."""


def chart_of_changes(difference: Difference, flow: str, between: str = "", groups: Groups | None = None) -> Chart:
    """The plan of the chart of one flow as both sets have it; ``between`` says in the footer which sets these are."""
    policies, keys = union_of(difference, flow)
    words = change_words(difference.language)
    marks = marks_of(difference, flow, words, keys)
    chart = chart_of(policies, flow, language=difference.language, marks=marks, groups=groups)
    kinds = {change.kind for change in difference.of(flow)}
    legend = tuple((word_of(words, kind), GROUNDS[kind]) for kind in LINES if kind in kinds)
    footer = tuple(part for part in (*chart.footer[:-1], between) if part)
    return replace(chart, title=words.of_flow.format(chart.title), footer=footer, legend=legend)


def marks_of(difference: Difference, flow: str, words: ChangeWords, keys: dict[str, Key]) -> dict[str, Mark]:
    """Marks by state, and by the chart's key of a way."""
    old, new = difference.old.flows.get(flow), difference.new.flows.get(flow)
    changes = difference.of(flow)
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
            marks[state] = _mark(words, CHANGED, dict.fromkeys(_short(words, each) for each in here))
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
    return Mark(word_of(words, kind), LINES[kind], _STYLES[kind], told)


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
    return draw_plan(lambda groups: chart_of_changes(difference, flow, between, groups), path, paper=paper)
