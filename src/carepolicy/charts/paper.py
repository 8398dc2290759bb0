"""A chart on a sheet of paper of exact size.

Graphviz's own ``page`` and ``size`` miss A4 by a point or two. So: draw once to learn width and height,
then draw into a ``viewport`` of the paper's size with the scale that fits (CHARTS.md, "Printing").
"""

from __future__ import annotations

import importlib.util
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.render import RenderError, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAPERS = {"A4": (595, 842), "A3": (842, 1191), "Letter": (612, 792)}
"""Width and height in points of 1/72 inch: ISO 216 A4 and A3, ANSI A (Letter), upright."""

MARGIN = 28
"""Points of white on each side of a sheet (about 1 cm)."""

SMALLEST = 7.95
"""Points under which text on a wall sheet is too small; the words to say are left out before that."""

TOO_SMALL = 7.0
"""Points under which text cannot be left on a sheet: the sheet is cut in two."""

_TEXT = 10.0
"""Points of the smallest text of a chart at its natural size."""

_MOST = 1.25


class UnknownPaper(ValueError):
    """A paper other than those of ``PAPERS``."""


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet of paper: the PDF, and how many points tall its smallest text is printed."""

    pdf: bytes
    text: float


def too_small(pages: Sequence[Page], paper: str) -> str:
    """A note where a page's text is smaller than can be read on a wall; "" where it can."""
    smallest = min(page.text for page in pages)
    if smallest >= SMALLEST:
        return ""
    where = f"page {next(n for n, page in enumerate(pages, 1) if page.text == smallest)}: " if len(pages) > 1 else ""
    larger = "take --paper A3, or " if paper != "A3" else ""
    said = f"note: {where}the smallest text is {smallest:.1f} points on {paper}"
    return f"{said}, and below 8 it is hard to read; {larger}say less at its steps"


def exact(write: Callable[[bool], str], paper: str, say: bool | None) -> Page:
    """One page of PDF of exactly the paper's size, upright or across, whichever shows larger text.

    ``write`` gives the DOT text with (True) or without the words to say; ``say`` None lets the size decide.
    """
    if paper not in PAPERS:
        raise UnknownPaper(f'there is no paper "{paper}": choose one of {", ".join(PAPERS)}')
    source = write(say is not False)
    scale, size = _fit(source, paper)
    if say is None and scale * _TEXT < SMALLEST:
        shorter = write(False)
        shorter_scale, shorter_size = _fit(shorter, paper)
        if shorter_scale > scale:
            source, scale, size = shorter, shorter_scale, shorter_size
    return Page(render(_placed(source, scale, size), "pdf"), scale * _TEXT)


def joined(pages: Sequence[bytes]) -> bytes | None:
    """Several PDFs as one, or None where pypdf (part of carepolicy[render]) is not installed."""
    if importlib.util.find_spec("pypdf") is None:
        return None
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    for page in pages:
        writer.append(PdfReader(io.BytesIO(page)))
    whole = io.BytesIO()
    writer.write(whole)
    return whole.getvalue()


def _fit(source: str, paper: str) -> tuple[float, tuple[int, int]]:
    width, height = _extent(source)
    short, long = PAPERS[paper]
    best = (0.0, (short, long))
    for across, down in ((short, long), (long, short)):
        scale = min((across - 2 * MARGIN) / width, (down - 2 * MARGIN) / height, _MOST)
        if scale > best[0] * 1.1:  # upright unless lying down is clearly larger
            best = (scale, (across, down))
    return best


def _extent(source: str) -> tuple[float, float]:
    first = render(source, "plain").decode("utf-8", "replace").split("\n", 1)[0].split()
    if len(first) < 4 or first[0] != "graph":
        raise RenderError("Graphviz gave no size")
    return float(first[2]) * 72, float(first[3]) * 72


def _placed(source: str, scale: float, size: tuple[int, int]) -> str:
    head, brace, rest = source.partition("{")
    settings = f'\n\tgraph [viewport="{size[0]},{size[1]},{scale:.4f}" margin=0 pad=0]'
    return f"{head}{brace}{settings}{rest.replace(' pad=0.1', '', 1)}"
