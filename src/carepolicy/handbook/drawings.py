"""The charts of a handbook: inside of its pages, and as files beside them."""

from __future__ import annotations

import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from carepolicy.charts import chart_of, draw, draw_all, pictures, renderer, sources
from carepolicy.charts.overview import source_of
from carepolicy.charts.render import render
from carepolicy.charts.svg import cleaned
from carepolicy.charts.text import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.policy.model import Policies

_VIEW = re.compile(r'viewBox="\S+ \S+ (\S+) \S+"')
_DRAWN_ID = re.compile(r' id="((?:a_)?state-)')
_CREATED = re.compile(rb"/CreationDate \(D:[^)]*\)")
_POINT = 4 / 3
"""CSS pixels in a point of Graphviz."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One sheet inside of a page: SVG that may be put into HTML, and its natural width in CSS pixels."""

    svg: Markup
    width: int
    subtitle: str = ""


@dataclass(frozen=True, slots=True)
class Drawings:
    """The charts of one flow in one language. ``dots`` and ``others`` are files by their path in the site."""

    pictures: tuple[Picture, ...] = ()
    dots: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)


def draw_flows(
    policies: Policies, wanted: Iterable[tuple[str, str, str]], *, drawn: bool, pdf: bool
) -> dict[tuple[str, str], Drawings]:
    """The charts of all ``wanted`` flows: name, language, and the language's folder. Keys are name and language.

    Without Graphviz, or with ``drawn`` False, there are only DOT files. Raises RenderError.
    """
    each = list(wanted)
    on = drawn and renderer() is not None

    def one(flow: str, language: str, folder: str) -> Drawings:
        return _drawings(policies, flow, language, folder, on, pdf)

    if not on or renderer() != "dot":
        return {(flow, language): one(flow, language, folder) for flow, language, folder in each}
    # Graphviz runs as processes of its own: as many at a time as there are cores.
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        made = pool.map(lambda item: one(*item), each)
        return {(flow, language): drawings for (flow, language, _), drawings in zip(each, made, strict=True)}


def draw_overview(policies: Policies, language: str, folder: str, *, drawn: bool) -> Drawings:
    """The chart of how the flows lead to each other."""
    stem = f"charts/{folder}/all-flows"
    dots = {f"{stem}.dot": source_of(policies, language).encode()}
    if not drawn or renderer() is None:
        return Drawings((), dots)
    with tempfile.TemporaryDirectory() as place:
        path, _ = draw_all(policies, Path(place) / "all.svg", language)
        text = path.read_text(encoding="utf-8")
    return Drawings((_picture(text),), dots, {f"{stem}.svg": text.encode()})


def _drawings(policies: Policies, flow: str, language: str, folder: str, drawn: bool, pdf: bool) -> Drawings:
    texts = sources(policies, flow, language=language)
    stem = f"charts/{folder}/{identifier(flow)}"
    names = [stem] if len(texts) == 1 else [f"{stem}-{page}" for page in range(1, len(texts) + 1)]
    dots = {f"{name}.dot": text.encode() for name, text in zip(names, texts, strict=True)}
    if not drawn:
        return Drawings((), dots)
    chart = chart_of(policies, flow, language=language)
    others = {
        f"{name}.svg": cleaned(render(text, "svg"), chart, sheet).encode()
        for name, text, sheet in zip(names, texts, chart.sheets, strict=True)
    }
    if pdf:
        others |= _pdfs(policies, flow, language, stem)
    shown = zip(pictures(policies, flow, language=language), chart.sheets, strict=True)
    return Drawings(tuple(_picture(svg, sheet.page, sheet.subtitle) for svg, sheet in shown), dots, others)


def _pdfs(policies: Policies, flow: str, language: str, stem: str) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        drawn = draw(policies, flow, Path(place) / Path(stem).with_suffix(".pdf").name, language=language)
        return {f"{Path(stem).parent.as_posix()}/{file.name}": _undated(file.read_bytes()) for file in drawn.files}


def _undated(pdf: bytes) -> bytes:
    """The PDF with one date for all days, of the same length, so that the same policies give the same file."""
    return _CREATED.sub(lambda match: b"/CreationDate (D:20000101000000Z)".ljust(len(match[0])), pdf)


def _picture(svg: str, page: int = 1, subtitle: str = "") -> Picture:
    """The SVG for a page whose own list has the ids of the steps: the drawing's get the number of the sheet."""
    inside = _DRAWN_ID.sub(rf' id="drawn-{page}-\1', svg)
    return Picture(Markup(inside.strip()), natural_width(svg), subtitle)


def natural_width(svg: str) -> int:
    """The width of a drawing at its natural size, in CSS pixels."""
    view = _VIEW.search(svg)
    return round(float(view[1]) * _POINT) if view is not None else 600
