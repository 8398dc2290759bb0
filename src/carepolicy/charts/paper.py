"""A drawing of Graphviz on one sheet of paper of exact size: the overview of all flows. Flows have ``sheets``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from carepolicy.charts.sheets import MARGIN, PAPERS, SMALLEST, UnknownPaper
from carepolicy.typeset import FONT, typeset

_TEXT = 10.0
"""Points of the smallest text of a drawing at its natural size."""

_MOST = 1.25
_VIEW = re.compile(r'viewBox="\S+ \S+ (\S+) (\S+)"')

_PAGE = f"""
#let data = json("data.json")
#set document(title: data.title, date: none)
#set page(width: data.width * 1pt, height: data.height * 1pt, margin: {MARGIN:g}pt)
#set text(font: "{FONT}", lang: data.language)
#place(top + left, image(
  bytes(data.picture), format: "svg", width: data.across * 1pt, height: data.down * 1pt, alt: data.title))
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet of paper: the PDF, how many points tall its smallest text is printed, and advice ("" for none)."""

    pdf: bytes
    text: float
    advice: str = ""


def too_small(page: Page, paper: str) -> str:
    """A note where a page's text is smaller than can be read on a wall; "" where it can."""
    if page.text >= SMALLEST - 0.05:
        return page.advice
    larger = "take --paper A3, or " if paper != "A3" else ""
    said = f"note: the smallest text is {page.text:.1f} points on {paper}"
    return f"{said}, and below 8 it is hard to read; {larger}look at it on a screen"


def fitted(picture: str, paper: str, title: str, language: str) -> Page:
    """A drawing as a page of PDF of exactly the paper's size, upright or across, whichever shows larger text."""
    if paper not in PAPERS:
        raise UnknownPaper(f'there is no paper "{paper}": choose one of {", ".join(PAPERS)}')
    view = _VIEW.search(picture)
    wide, tall = (float(view[1]), float(view[2])) if view is not None else (100.0, 100.0)
    short, long = PAPERS[paper]
    best, size = 0.0, (short, long)
    for across, down in ((short, long), (long, short)):
        scale = min((across - 2 * MARGIN) / wide, (down - 2 * MARGIN) / tall, _MOST)
        if scale > best * 1.1:  # upright unless lying down is clearly larger
            best, size = scale, (across, down)
    data = {"title": title, "language": language.partition("-")[0], "width": size[0], "height": size[1],
            "picture": picture, "across": wide * best, "down": tall * best}  # fmt: skip
    made = typeset(_PAGE, data)
    return Page(made.pdf, best * _TEXT, made.advice)
