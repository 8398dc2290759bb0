"""The charts of a handbook: inside of its pages, and as files beside them."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from carepolicy.charts import draw, renderer
from carepolicy.charts.card import dot_of
from carepolicy.charts.overview import readable, source_of
from carepolicy.charts.plan import chart_in
from carepolicy.charts.render import in_parallel, render
from carepolicy.charts.svg import cleaned, without_heading
from carepolicy.charts.text import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from carepolicy.charts.plan import Chart
    from carepolicy.charts.words import Words
    from carepolicy.policy.model import Policies

_VIEW = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')
_DRAWN_ID = re.compile(r' id="((?:a_)?(?:state|flow)-)')
_CREATED = re.compile(rb"/CreationDate \(D:[^)]*\)")
_POINT = 4 / 3
"""CSS pixels in a point of Graphviz."""

_PRINTED = (527.0, 694.0)
"""Points across and down that a chart has on a printed page (A4 less its margins and a line for the caption)."""

_SMALLEST = 0.8
"""Scale under which a chart is not printed: its smallest text, of 10 points, would be under 8."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing inside of a page: SVG that may be put into HTML, and its natural width in CSS pixels.

    ``large``: on a page of paper its text would be too small to read.
    """

    svg: Markup
    width: int
    large: bool = False


@dataclass(frozen=True, slots=True)
class Drawings:
    """A chart in one language, as one picture. ``dots`` and ``others`` are files by their path in the site."""

    chart: Chart | None = None
    picture: Picture | None = None
    dots: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _DrawingPlan:
    """A chart to be drawn: its file without an ending, and its DOT text."""

    chart: Chart
    stem: str
    alone: str


def draw_flows(
    flows: Iterable[Words], folder: str, *, drawn: bool, pdf: bool, told: Callable[[int], None] = lambda charts: None
) -> dict[str, Drawings]:
    """The charts of flows whose words are given, by name; ``folder`` is that of their language. ``told`` hears of each.

    Without Graphviz, or with ``drawn`` False, there are only DOT files. Raises RenderError.
    """
    on = drawn and renderer() is not None
    plans = [(words, _planned(words, f"charts/{folder}/{identifier(words.flow.name)}")) for words in flows]
    svgs = in_parallel(_drawn, [plan for _, plan in plans]) if on else iter(())
    found: dict[str, Drawings] = {}
    for words, plan in plans:
        flow = words.flow.name
        dots = {f"{plan.stem}.dot": plan.alone.encode()}
        if on:
            alone, inside = next(svgs)
            others = {f"{plan.stem}.svg": alone.encode()}
            others |= _pdfs(words.policies, flow, words.language, plan.stem) if pdf else {}
            found[flow] = Drawings(plan.chart, picture_of(inside), dots, others)
        else:
            found[flow] = Drawings(plan.chart, None, dots)
        told(1)
    return found


def _drawn(plan: _DrawingPlan) -> tuple[str, str]:
    """The SVG of a chart as a file, and as it stands in a page."""
    (sheet,) = plan.chart.sheets
    drawing = render(plan.alone, "svg")
    inside = without_heading(drawing) or render(dot_of(plan.chart, sheet, heading=False), "svg")
    return cleaned(drawing, plan.chart, sheet), cleaned(inside, plan.chart, sheet, linked=True)


def _planned(words: Words, stem: str) -> _DrawingPlan:
    chart = chart_in(words)
    (sheet,) = chart.sheets
    return _DrawingPlan(chart, stem, dot_of(chart, sheet))


def draw_overview(policies: Policies, language: str, folder: str, *, drawn: bool) -> Drawings:
    """The chart of how the flows lead to each other."""
    stem = f"charts/{folder}/all-flows"
    dots = {f"{stem}.dot": source_of(policies, language).encode()}
    if not drawn or renderer() is None:
        return Drawings(None, None, dots)
    drawing = render(source_of(policies, language), "svg")
    pages = {flow: f"flows/{identifier(flow)}.html" for flow in policies.flows}
    inside = readable(policies, drawing, language, pages)
    return Drawings(None, picture_of(inside), dots, {f"{stem}.svg": readable(policies, drawing, language).encode()})


def _pdfs(policies: Policies, flow: str, language: str, stem: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        drawn = draw(policies, flow, Path(place) / f"{identifier(flow)}.pdf", language=language)
        return {f"{Path(stem).parent.as_posix()}/{file.name}": _undated(file.read_bytes()) for file in drawn.files}


def _undated(pdf: bytes) -> bytes:
    """The PDF with one date for all days, of the same length, so that the same policies give the same file."""
    return _CREATED.sub(lambda match: b"/CreationDate (D:20000101000000Z)".ljust(len(match[0])), pdf)


def picture_of(svg: str) -> Picture:
    """The SVG for a page whose own list has the ids of the steps: the drawing's are others."""
    inside = _DRAWN_ID.sub(r' id="drawn-\1', svg)
    view = _VIEW.search(svg)
    scale = min(_PRINTED[0] / float(view[1]), _PRINTED[1] / float(view[2])) if view is not None else 1.0
    return Picture(Markup(inside.strip()), natural_width(svg), scale < _SMALLEST)


def natural_width(svg: str) -> int:
    """The width of a drawing at its natural size, in CSS pixels."""
    view = _VIEW.search(svg)
    return round(float(view[1]) * _POINT) if view is not None else 600
