"""Sheets of paper as pages of Typst: what was laid out, drawn at its place. Nothing is laid out here.

``PAGES`` is a description that other documents may take up too: it needs ``data_of`` some sheets as its data.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from carepolicy.charts.card import FONT as USUAL
from carepolicy.charts.card import font_of
from carepolicy.charts.strips import Area, StripText, Stroke
from carepolicy.charts.text import safe_link
from carepolicy.translations import primary_language
from carepolicy.typeset import FONT, pictured, typeset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.charts.sheets import PaperSheet, Sheets
    from carepolicy.charts.strips import Item
    from carepolicy.typeset import Typeset

PAGES = """
#let at(x, y, body) = place(top + left, dx: x * 1pt, dy: y * 1pt, body)
#let dashes(style, thick) = if style == "dashed" { (3 * thick, 2.2 * thick) } else if style == "dotted" { "dotted" }
#let area(it) = at(it.x, it.y, rect(
  width: it.w * 1pt, height: it.h * 1pt, radius: it.r * 1pt,
  fill: if it.ground != "" { rgb(it.ground) },
  stroke: if it.line != "" {
    (paint: rgb(it.line), thickness: it.thick * 1pt, dash: dashes(it.style, it.thick * 1pt))
  },
))
#let stroke-of(it) = {
  let paint = rgb(it.line)
  for (one, other) in it.points.zip(it.points.slice(1)) {
    place(top + left, line(
      start: one.map(v => v * 1pt), end: other.map(v => v * 1pt), stroke: (paint: paint, thickness: it.thick * 1pt)))
  }
  if it.head.len() > 0 { place(top + left, polygon(fill: paint, ..it.head.map(p => p.map(v => v * 1pt)))) }
}
// A line that was measured to fit by a hair is not broken again: it has a little more room, on the side where it ends.
#let spare = 1
#let said(it) = at(it.x - if it.far != it.rtl { spare } else { 0 }, it.y, block(width: (it.w + spare) * 1pt, {
  set text(size: it.size * 1pt, weight: if it.bold { "bold" } else { "regular" }, fill: rgb(it.colour))
  set align(if it.far { end } else { start })
  let body = it.lines.map(each => box(text(each))).join(linebreak())
  let body = if it.link.starts-with("https:") { link(it.link, body) } else if it.link != "" {
    link(label(it.link), body)
  } else { body }
  if it.level > 0 {
    show heading: set text(size: it.size * 1pt)
    [#heading(level: it.level, outlined: true, body)#if it.anchor != "" { label(it.anchor) }]
  } else { par(body) }
}))
#let sheet(it) = page(width: it.width * 1pt, height: it.height * 1pt, margin: 0pt, header: none, footer: none, {
  set text(
    font: it.fonts, lang: it.language, dir: if it.rtl { rtl } else { ltr }, hyphenate: false,
    top-edge: 0.95em, bottom-edge: -0.25em, ligatures: false)
  set par(leading: 0pt, spacing: 0pt, justify: false)
  show heading: each => each.body
  for each in it.items {
    if each.kind == "said" { said((..each, rtl: it.rtl)) }
    else if each.kind == "area" { area(each) } else { stroke-of(each) }
  }
  if it.qr != none {
    at(it.qr.x, it.qr.y, link(it.qr.address, image(
      bytes(it.qr.svg), format: "svg", width: it.qr.size * 1pt, alt: it.qr.address)))
  }
})
"""
"""How to draw sheets: ``#for each in data.sheets { sheet(each) }``."""

_DOCUMENT = (
    """#let data = json("data.json")
#set document(title: data.title, author: data.author, date: none)
#set text(lang: data.language)
"""
    + PAGES
    + "#for each in data.sheets { sheet(each) }\n"
)


def printed(sheets: Sheets) -> Typeset:
    """All sheets as one PDF with a bookmark for each sheet and step. Raises NoTypesetter, TypesetError."""
    return typeset(_DOCUMENT, _document(sheets))


def shown(sheets: Sheets, kind: str) -> list[bytes]:
    """Each sheet as a picture, "svg" or "png". Raises NoTypesetter, TypesetError."""
    return pictured(_DOCUMENT, _document(sheets), kind)


def _document(sheets: Sheets) -> dict[str, Any]:
    chart = sheets.chart
    return {
        "title": chart.title,
        "author": chart.footer[0] if chart.footer else "",
        "language": primary_language(chart.language),
        "sheets": data_of(sheets),
    }


def data_of(sheets: Sheets) -> list[dict[str, Any]]:
    """Sheets as ``PAGES`` reads them: plain values in points."""
    return [_data(sheets, sheet) for sheet in sheets.sheets]


def _data(sheets: Sheets, sheet: PaperSheet) -> dict[str, Any]:
    chart = sheets.chart
    states = {
        item.anchor for each in sheets.sheets for item in each.items if isinstance(item, StripText) and item.anchor
    }
    return {
        "width": sheets.width,
        "height": sheets.height,
        "language": primary_language(chart.language),
        "rtl": chart.right_to_left,
        "fonts": [FONT, *(each for each in (font_of(chart.language),) if each != USUAL)],
        "items": [_item(chart.flow, states, sheets.scale, item) for item in sheet.items],
        "qr": _qr(sheets, sheet),
    }


def _item(flow: str, states: set[str], scale: float, item: Item) -> dict[str, Any]:
    if isinstance(item, Area):
        return {"kind": "area", "x": _n(item.x), "y": _n(item.y), "w": _n(item.width), "h": _n(item.height),
                "ground": item.ground, "line": item.line, "thick": item.thick, "style": item.style,
                "r": _n(item.radius)}  # fmt: skip
    if isinstance(item, Stroke):
        *before, last = item.points
        head = _arrowhead(before[-1], last, scale) if item.arrow else ()
        points = [*before, _short(before[-1], last, 3 * scale)] if item.arrow else item.points
        return {"kind": "stroke", "line": item.colour, "thick": 1.1 * scale,
                "points": [[_n(x), _n(y)] for x, y in points], "head": [[_n(x), _n(y)] for x, y in head]}  # fmt: skip
    known = item.link in states
    link = sheet_anchor(flow, item.link) if known else safe_link(item.link) or ""
    return {"kind": "said", "x": _n(item.x), "y": _n(item.y), "w": _n(item.width), "size": _n(item.size),
            "lines": list(item.lines), "bold": item.bold, "colour": item.colour, "far": item.far, "level": item.level,
            "link": link, "anchor": sheet_anchor(flow, item.anchor) if item.anchor else ""}  # fmt: skip


def sheet_anchor(flow: str, state: str) -> str:
    """What a step is called among the places of a document to which links lead."""
    return f"{flow}/{state}"


def _n(value: float) -> float:
    return round(value, 2)


def _short(begin: tuple[float, float], end: tuple[float, float], by: float) -> tuple[float, float]:
    """The end of a line that stops under its arrow's head."""
    (x, y), (u, v) = begin, end
    far = max(abs(u - x) + abs(v - y), 0.01)
    return u - (u - x) / far * by, v - (v - y) / far * by


def _arrowhead(begin: tuple[float, float], end: tuple[float, float], scale: float) -> Sequence[tuple[float, float]]:
    (x, y), (u, v) = _short(begin, end, 5 * scale), end
    far = max(abs(u - x) + abs(v - y), 0.01)
    across, down = -(v - y) / far * 2.4 * scale, (u - x) / far * 2.4 * scale
    return (u, v), (x + across, y + down), (x - across, y - down)


def _qr(sheets: Sheets, sheet: PaperSheet) -> dict[str, Any] | None:
    """The code of the flow's page, at the first step of this sheet; nothing where segno is not there."""
    if sheet.qr is None or find_spec("segno") is None:
        return None
    import segno  # optional: part of carepolicy[render]

    address = f"{sheets.chart.address}#state-{sheet.states[0]}" if sheet.states else sheets.chart.address
    picture = io.BytesIO()
    segno.make(address, error="m", micro=False).save(picture, kind="svg", border=2, xmldecl=False, svgns=True)
    x, y, size = sheet.qr
    return {"x": _n(x), "y": _n(y), "size": _n(size), "address": address, "svg": picture.getvalue().decode()}
