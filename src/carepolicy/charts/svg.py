"""Graphviz's SVG made fit for people: titles in words, a description, fonts that exist, a size that scales."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from carepolicy.charts.card import told
from carepolicy.charts.text import clean, identifier, width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.charts.plan import Chart, Sheet

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONTS = 'Arial, "Liberation Sans", Arimo, Helvetica, sans-serif'
_KEEP = re.compile(r"state-[a-z0-9_]+\Z")


_HEADING = re.compile(
    r'(<g id="[^"]*" class="cluster">\s*<title>cluster_sheet</title>\s*)<polygon[^>]*/>(?:(?!<g |</g>).)*</g>',
    re.DOTALL,
)
_FRAME = re.compile(
    r'viewBox="\S+ \S+ (?P<wide>\S+) [^"]*"(?P<between>[^>]*>\s*'
    r'<g id="graph0" class="graph" transform="[^"]*translate\()'
    r'(?P<x>[-\d.]+)[ ,](?P<y>[-\d.]+)(?P<end>\)">\s*(?:<title>[^<]*</title>\s*)?)<polygon[^>]*/>'
)
_SHAPE = re.compile(r' (?:points|d)="([^"]*)"')
_PAIR = re.compile(r"(-?[\d.]+),(-?[\d.]+)")
_ROUND = re.compile(r'<ellipse[^>]* cx="([-\d.]+)" cy="([-\d.]+)" rx="([\d.]+)" ry="([\d.]+)"')
_TEXT = re.compile(
    r'<text[^>]* text-anchor="(\w+)" x="([-\d.]+)" y="([-\d.]+)"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)<'
)
_PAD = 8.0
_MOST = 0.9
"""Share of the width below which the heading was the widest."""

_WIDEST = 0.62
"""How wide a letter is at most on average, in shares of its size."""


def without_heading(picture: bytes) -> bytes | None:
    """Graphviz's drawing of a sheet without its heading, cut to what is left: so Graphviz draws but once what a page
    shows and what is in the file beside it.

    None where the drawing is not as it is known, or where the heading was wider than what is below it, which Graphviz
    then puts closer together.
    """
    text, found = _HEADING.subn(r"\1</g>", picture.decode())
    frame = _FRAME.search(text)
    if found != 1 or frame is None:
        return None
    across: list[float] = []
    down: list[float] = []
    for shape in _SHAPE.findall(text, frame.end()):
        for x, y in _PAIR.findall(shape):
            across.append(float(x))
            down.append(float(y))
    for x, y, rx, ry in (map(float, each) for each in _ROUND.findall(text, frame.end())):
        across += (x - rx, x + rx)
        down += (y - ry, y + ry)
    for anchor, x, y, size, said in _TEXT.findall(text, frame.end()):
        wide = width(html.unescape(said)) * float(size) * _WIDEST
        begin = float(x) - {"start": 0.0, "middle": wide / 2, "end": wide}.get(anchor, wide)
        across += (begin, begin + wide)
        down += (float(y) - float(size), float(y) + float(size) / 3)
    if not across:
        return None
    left, top = min(across) - _PAD, min(down) - _PAD
    if max(across) - left < _MOST * float(frame["wide"]):
        return None
    box = f"0.00 0.00 {max(across) + _PAD - left:.2f} {max(down) + _PAD - top:.2f}"
    moved = f'viewBox="{box}"{frame["between"]}{-left:.2f} {-top:.2f}{frame["end"]}'
    return (text[: frame.start()] + moved + text[frame.end() :]).encode()


def cleaned(picture: bytes, chart: Chart, sheet: Sheet, *, linked: bool = False) -> str:
    """The SVG of one sheet, to be put into a page or saved as it is.

    Groups lose Graphviz's titles (node names that browsers show and screen readers read); steps get a
    sentence and keep ``id="state-NAME"``; the drawing has a title and a description. ``linked``: it stands in a
    page whose list has the steps, and each card leads to its own there.
    """
    names = {f"state-{identifier(card.state)}": told(chart, card) for card in sheet.cards}
    names |= {f"state-{identifier(end.state)}": chart.labels.ends.format(end.title) for end in sheet.ends}
    steps = "; ".join(f"{card.number} {card.title} ({card.owner})" for card in sheet.cards)
    title = chart.labels.chart_of.format(chart.title)
    told_steps = chart.labels.steps_told.format(len(sheet.cards), steps)
    links = {identity: f"#{identity}" for identity in names} if linked else {}
    unique = f"{identifier(chart.flow)}-1"
    return made_readable(picture, title, told_steps, names, unique, chart.language, links)


def made_readable(
    picture: bytes,
    title: str,
    description: str,
    names: dict[str, str],
    unique: str,
    language: str,
    links: Mapping[str, str] | None = None,
) -> str:
    """The SVG with ``title`` and ``description``; ``names`` says what to call the groups with these ids, and ``links``
    where they lead. With links its parts say how they hang together: ``data-node`` numbers each node, and
    ``data-way`` has the numbers from and to which a line runs."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(picture)
    for unwanted in ("width", "height"):
        root.attrib.pop(unwanted, None)
    for element in root.iter():
        _tidy(element, names)
    groups = list(root.iter(f"{{{SVG}}}g"))
    if links:
        _number(groups)
    for parent in groups:
        _retitle(parent, names)
    _link_all(root, names, links or {})
    _introduce(root, clean(title), clean(description), unique, language)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _tidy(element: ElementTree.Element, names: dict[str, str]) -> None:
    if element.get("stroke") == "transparent":
        element.set("stroke", "none")
    if element.get("fill") == "transparent":
        element.set("fill", "none")
    family = element.get("font-family")
    if family is not None:
        named = clean(family.split(",")[0]).strip('"')
        element.set("font-family", FONTS if named == "Arial" else f'"{named}", {FONTS}')
    identity = element.get("id")
    if identity is not None and identity not in names:
        own = identity.startswith("a_") and identity[2:] in names
        if not own or element.tag.endswith("}g"):
            del element.attrib["id"]
    element.attrib.pop(f"{{{XLINK}}}title", None)
    if element.tag == f"{{{SVG}}}a" and f"{{{XLINK}}}href" not in element.attrib:
        element.tag = f"{{{SVG}}}g"  # Graphviz makes an anchor for each tooltip; without a target it is none


def _number(groups: list[ElementTree.Element]) -> None:
    """Tell from which node to which each line runs, by numbers, while Graphviz's titles still name them."""
    numbers: dict[str, str] = {}
    for kind in ("node", "edge"):
        for group in groups:
            if group.get("class") != kind:
                continue
            title = group.findtext(f"{{{SVG}}}title") or ""
            if kind == "node":
                group.set("data-node", numbers.setdefault(title, str(len(numbers))))
                continue
            tail, _, head = title.partition("->")
            ends = [numbers.get(end.partition(":")[0], "") for end in (tail, head)]
            group.set("data-way", " ".join(ends))


def _link_all(root: ElementTree.Element, names: dict[str, str], links: Mapping[str, str]) -> None:
    """Let named groups be links, one after the other in the order of the names, as the keyboard comes to them."""
    places = {name: place for place, name in enumerate(names)}
    for parent in root.iter(f"{{{SVG}}}g"):
        linked = [child for child in parent if child.get("id") in links]
        for child in sorted(linked, key=lambda each: places[each.attrib["id"]]):
            _link(child, names[child.attrib["id"]], links[child.attrib["id"]])
            parent.remove(child)
            parent.append(child)


def _link(group: ElementTree.Element, said: str, address: str) -> None:
    """Put what is drawn in a group into a link."""
    link = ElementTree.Element(f"{{{SVG}}}a", {f"{{{XLINK}}}href": address, "aria-label": said})
    for child in list(group):
        if child.tag != f"{{{SVG}}}title":
            group.remove(child)
            link.append(child)
    group.append(link)


def _retitle(group: ElementTree.Element, names: dict[str, str]) -> None:
    for child in list(group):
        if child.tag == f"{{{SVG}}}title":
            group.remove(child)
    said = names.get(group.get("id", ""))
    if said is not None:
        title = ElementTree.Element(f"{{{SVG}}}title")
        title.text = said
        group.insert(0, title)


def _introduce(root: ElementTree.Element, title: str, description: str, unique: str, language: str) -> None:
    root.set("role", "group")
    root.set("lang", language)
    # Its coordinates are counted from the left, also on a page that is read from the right: words in it are isolated.
    root.set("direction", "ltr")
    root.set("{http://www.w3.org/XML/1998/namespace}lang", language)
    root.set("aria-labelledby", f"chart-title-{unique} chart-desc-{unique}")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": f"chart-{tag}-{unique}"})
        element.text = text
        root.insert(place, element)
