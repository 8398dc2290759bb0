"""The charts of a handbook: inside of its pages, and as files beside them."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from carepolicy.charts import chart_of, draw, draw_all, renderer
from carepolicy.charts.card import dot_of
from carepolicy.charts.overview import source_of
from carepolicy.charts.render import in_parallel, render
from carepolicy.charts.svg import cleaned
from carepolicy.charts.text import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.charts.plan import Chart, Sheet
    from carepolicy.policy.model import Policies

_VIEW = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')
_DRAWN_ID = re.compile(r' id="((?:a_)?state-)')
_CREATED = re.compile(rb"/CreationDate \(D:[^)]*\)")
_POINT = 4 / 3
"""CSS pixels in a point of Graphviz."""

_PRINTED = (527.0, 694.0)
"""Points across and down that a chart has on a printed page (A4 less its margins and a line for the caption)."""

_SMALLEST = 0.4
"""Scale under which a chart is not printed: its smallest text would be under 4 points."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One sheet inside of a page: SVG that may be put into HTML, and its natural width in CSS pixels.

    ``large``: on a page of paper its text would be too small to read.
    """

    svg: Markup
    width: int
    subtitle: str = ""
    large: bool = False


@dataclass(frozen=True, slots=True)
class Drawings:
    """The charts of one flow in one language. ``dots`` and ``others`` are files by their path in the site."""

    chart: Chart | None = None
    pictures: tuple[Picture, ...] = ()
    dots: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet to be drawn: its file without an ending, and its DOT text as a file and inside of a page."""

    stem: str
    sheet: Sheet
    alone: str
    inside: str


def draw_flows(
    policies: Policies, wanted: Iterable[tuple[str, str, str]], *, drawn: bool, pdf: bool
) -> dict[tuple[str, str], Drawings]:
    """The charts of all ``wanted`` flows: name, language, and the language's folder. Keys are name and language.

    Without Graphviz, or with ``drawn`` False, there are only DOT files. Raises RenderError.
    """
    on = drawn and renderer() is not None
    charts: dict[tuple[str, str], Chart] = {}
    sheets: dict[tuple[str, str], list[_Sheet]] = {}
    for flow, language, folder in wanted:
        charts[flow, language] = chart = chart_of(policies, flow, language=language)
        stem = f"charts/{folder}/{identifier(flow)}"
        sheets[flow, language] = [_planned(chart, sheet, stem, inside=on) for sheet in chart.sheets]
    jobs = [(charts[key], each) for key, group in sheets.items() for each in group] if on else []
    svgs = iter(in_parallel(_drawn, jobs))
    found: dict[tuple[str, str], Drawings] = {}
    for (flow, language), group in sheets.items():
        chart = charts[flow, language]
        dots = {f"{each.stem}.dot": each.alone.encode() for each in group}
        if not on:
            found[flow, language] = Drawings(chart, (), dots)
            continue
        drawings = [(each, *next(svgs)) for each in group]
        others = {f"{each.stem}.svg": alone.encode() for each, alone, _ in drawings}
        others |= _pdfs(policies, flow, language, group[0].stem) if pdf else {}
        shown = tuple(_picture(inside, each.sheet.page, each.sheet.subtitle) for each, _, inside in drawings)
        found[flow, language] = Drawings(chart, shown, dots, others)
    return found


def _drawn(job: tuple[Chart, _Sheet]) -> tuple[str, str]:
    """The SVG of a sheet as a file, and as it stands in a page."""
    chart, each = job
    alone, inside = (cleaned(render(text, "svg"), chart, each.sheet) for text in (each.alone, each.inside))
    return alone, inside


def _planned(chart: Chart, sheet: Sheet, stem: str, *, inside: bool) -> _Sheet:
    name = stem if sheet.pages == 1 else f"{stem}-{sheet.page}"
    return _Sheet(name, sheet, dot_of(chart, sheet), dot_of(chart, sheet, heading=False) if inside else "")


def draw_overview(policies: Policies, language: str, folder: str, *, drawn: bool) -> Drawings:
    """The chart of how the flows lead to each other."""
    stem = f"charts/{folder}/all-flows"
    dots = {f"{stem}.dot": source_of(policies, language).encode()}
    if not drawn or renderer() is None:
        return Drawings(None, (), dots)
    with tempfile.TemporaryDirectory() as place:
        path, _ = draw_all(policies, Path(place) / "all.svg", language)
        text = path.read_text(encoding="utf-8")
    return Drawings(None, (_picture(text),), dots, {f"{stem}.svg": text.encode()})


def _pdfs(policies: Policies, flow: str, language: str, stem: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        drawn = draw(policies, flow, Path(place) / f"{identifier(flow)}.pdf", language=language)
        return {f"{Path(stem).parent.as_posix()}/{file.name}": _undated(file.read_bytes()) for file in drawn.files}


def _undated(pdf: bytes) -> bytes:
    """The PDF with one date for all days, of the same length, so that the same policies give the same file."""
    return _CREATED.sub(lambda match: b"/CreationDate (D:20000101000000Z)".ljust(len(match[0])), pdf)


def _picture(svg: str, page: int = 1, subtitle: str = "") -> Picture:
    """The SVG for a page whose own list has the ids of the steps: the drawing's get the number of the sheet."""
    inside = _DRAWN_ID.sub(rf' id="drawn-{page}-\1', svg)
    view = _VIEW.search(svg)
    scale = min(_PRINTED[0] / float(view[1]), _PRINTED[1] / float(view[2])) if view is not None else 1.0
    return Picture(Markup(inside.strip()), natural_width(svg), subtitle, scale < _SMALLEST)


def natural_width(svg: str) -> int:
    """The width of a drawing at its natural size, in CSS pixels."""
    view = _VIEW.search(svg)
    return round(float(view[1]) * _POINT) if view is not None else 600
