"""The comparison of two sets as one page that needs no other file: the changes in words, and the coloured charts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from carepolicy.charts.changes.difference import count_of, title_of, word_of
from carepolicy.charts.changes.overlay import GROUNDS, LINES, chart_of_changes
from carepolicy.charts.changes.words import change_words
from carepolicy.charts.draw import svgs_of
from carepolicy.charts.render import how_to_draw, renderer
from carepolicy.charts.text import identifier
from carepolicy.handbook.drawings import natural_width
from carepolicy.handbook.site import direction_of, environment_of
from carepolicy.handbook.ui import ui_of
from carepolicy.translations import ENGLISH

if TYPE_CHECKING:
    from carepolicy.charts.changes.difference import Change, Difference

_ID = re.compile(r' id="((?:a_)?state-)')
_LINK = re.compile(r'href="#state-')


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change: its word, colours, sentence, and the address of the card on which it is marked ("" for none)."""

    word: str
    kind: str
    text: str
    link: str


@dataclass(frozen=True, slots=True)
class Section:
    """The changes of one flow, or those that all share; ``sheets`` are pairs of an SVG and its natural width."""

    anchor: str
    title: str
    lines: tuple[ChangeLine, ...]
    sheets: tuple[tuple[Markup, int], ...]


def page_of(difference: Difference, old: str, new: str) -> str:
    """The page; without Graphviz it has the words alone. Raises RenderError."""
    own = difference.new.own_words
    words, ui = change_words(difference.language, own), ui_of(difference.language, own)
    language = difference.language if ui != ui_of(ENGLISH) else ENGLISH
    sections = [_section(difference, flow, f"{old} → {new}") for flow in difference.flows()]
    shared = difference.of("")
    if shared:
        lines = tuple(_line(difference, change, "") for change in shared)
        sections.append(Section("shared", title_of(difference, ""), lines, ()))
    page = environment_of().get_template("comparison.html")
    return page.render(
        ui=ui,
        words=words,
        sections=sections,
        count=count_of(difference),
        between=words.legend_title.format(old, new),
        organisation=difference.new.organisation,
        ui_language=language,
        direction=direction_of(language),
        lines=LINES,
        grounds=GROUNDS,
        advice="" if renderer() else how_to_draw(),
        style=Markup((files("carepolicy.handbook") / "assets" / "handbook.css").read_text(encoding="utf-8")),
    )


def _section(difference: Difference, flow: str, between: str) -> Section:
    anchor = f"flow-{identifier(flow)}"
    sheets: list[tuple[Markup, int]] = []
    drawn: set[str] = set()
    if renderer() is not None:
        chart = chart_of_changes(difference, flow, between)
        for sheet, svg in zip(chart.sheets, svgs_of(chart), strict=True):
            own = _LINK.sub(f'href="#{anchor}-state-', _ID.sub(rf' id="{anchor}-\1', svg))
            sheets.append((Markup(own.strip()), natural_width(svg)))
            drawn |= {card.state for card in sheet.cards}
    lines = (_line(difference, each, _link(anchor, each, drawn)) for each in difference.of(flow))
    return Section(anchor, title_of(difference, flow), tuple(lines), tuple(sheets))


def _link(anchor: str, change: Change, drawn: set[str]) -> str:
    shown = next((state for state in change.states if state in drawn), None)
    return f"#{anchor}-state-{identifier(shown)}" if shown is not None else ""


def _line(difference: Difference, change: Change, link: str) -> ChangeLine:
    words = change_words(difference.language, difference.new.own_words)
    return ChangeLine(word_of(words, change.kind), change.kind, change.text, link)
