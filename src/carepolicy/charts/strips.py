"""What stands on a sheet of paper: texts whose lines are broken, areas and strokes; and strips of them, which stack.

All lengths are points before the sheet is enlarged. A strip is never torn: a stack is cut between its strips.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from carepolicy.charts.letters import broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PITCH = 1.2
"""From one line to the next, in sizes of the letters."""

SMALL, PLAIN, SAID, TITLE = 8.0, 8.5, 9.5, 12.5
"""Sizes of letters in points. Nothing on a sheet is smaller than the first."""

INK, FAINT = "#111111", "#444444"
PAD = 3.0
_TALLEST = 110.0
"""Points above which a row is made of several strips, so that a column of any height can hold it."""


@dataclass(frozen=True, slots=True)
class StripText:
    """A paragraph. ``level``: of a heading, which is a bookmark too; ``anchor`` names it for links of the sheet.

    ``link`` is the anchor that it leads to, or an address of https. ``far``: set to the side where lines end.
    """

    x: float
    y: float
    width: float
    lines: tuple[str, ...]
    size: float = PLAIN
    bold: bool = False
    colour: str = INK
    far: bool = False
    link: str = ""
    level: int = 0
    anchor: str = ""

    @property
    def height(self) -> float:
        """From the top of the first line to the bottom of the last."""
        return len(self.lines) * self.size * PITCH


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle, with a ground, a border or both. ``style`` of the border: solid, dashed or dotted."""

    x: float
    y: float
    width: float
    height: float
    ground: str = ""
    line: str = ""
    thick: float = 0.7
    style: str = "solid"
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line of straight stretches, with an arrow's head at its end or without."""

    points: tuple[tuple[float, float], ...]
    colour: str = FAINT
    arrow: bool = True


Item = StripText | Area | Stroke


@dataclass(frozen=True, slots=True)
class StripFrame:
    """The border around the strips of one thing; each thing has a frame of its own."""

    line: str
    thick: float = 0.7
    style: str = "solid"


@dataclass(frozen=True, slots=True)
class Strip:
    """A slice of a stack over its whole width. ``keep``: the next strip stands on the same sheet."""

    height: float
    items: tuple[Item, ...] = ()
    frame: StripFrame | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Ink:
    """How letters look."""

    size: float = PLAIN
    bold: bool = False
    colour: str = INK


Line = tuple[str, Ink]


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a row: from ``x`` on ``width`` points wide, on a ground, with its lines."""

    x: float
    width: float
    lines: tuple[Line, ...]
    ground: str = ""
    link: str = ""
    far: bool = False
    level: int = 0
    anchor: str = ""


def lines_of(text: str, width: float, ink: Ink) -> tuple[Line, ...]:
    """A text broken into lines for a cell that is ``width`` points wide, its padding included."""
    return tuple((line, ink) for line in broken(text, width - 2 * PAD, ink.size, ink.bold))


def row(cells: Sequence[Cell], frame: StripFrame | None = None, *, keep: bool = False) -> list[Strip]:
    """A row of cells of one height; several strips where it is very tall."""
    left = [list(cell.lines) for cell in cells]
    strips: list[Strip] = []
    while not strips or any(left):
        taken = [_taken(lines) for lines in left]
        left = [lines[len(first) :] for lines, first in zip(left, taken, strict=True)]
        height = max((sum(ink.size for _, ink in lines) * PITCH for lines in taken), default=0.0) + 2 * PAD
        items: list[Item] = [Area(cell.x, 0, cell.width, height, cell.ground) for cell in cells if cell.ground]
        for cell, lines in zip(cells, taken, strict=True):
            items += _texts(cell if not strips else replace(cell, level=0, anchor=""), lines)
        strips.append(Strip(height, tuple(items), frame, keep))
    return strips


def _taken(lines: Sequence[Line]) -> list[Line]:
    taken: list[Line] = []
    height = 0.0
    for line in lines:
        height += line[1].size * PITCH
        if taken and height > _TALLEST:
            break
        taken.append(line)
    return taken


def _texts(cell: Cell, lines: Sequence[Line]) -> Iterable[StripText]:
    y = PAD
    for ink, run in groupby(lines, key=lambda line: line[1]):
        texts = tuple(text for text, _ in run if text)  # an empty line only keeps room
        said = StripText(
            cell.x + PAD, y, cell.width - 2 * PAD, texts, ink.size, ink.bold, ink.colour, cell.far, cell.link,
            cell.level, cell.anchor,
        )  # fmt: skip
        y += said.height
        yield said


def gap(height: float, items: tuple[Item, ...] = (), *, keep: bool = False) -> Strip:
    """Room between two things."""
    return Strip(height, items, None, keep)


def height_of(strips: Iterable[Strip]) -> float:
    """How tall a stack is."""
    return sum(strip.height for strip in strips)


def cut(strips: Sequence[Strip], room: float) -> list[list[Strip]]:
    """A stack as parts of at most ``room`` points, cut where strips may be parted."""
    parts: list[list[Strip]] = [[]]
    for together in _kept(strips):
        if parts[-1] and height_of(parts[-1]) + height_of(together) > room:
            parts.append([])
        parts[-1] += together
    return parts


def _kept(strips: Sequence[Strip]) -> Iterable[list[Strip]]:
    run: list[Strip] = []
    for strip in strips:
        run.append(strip)
        if not strip.keep or height_of(run) > 2 * _TALLEST:
            yield run
            run = []
    if run:
        yield run


def moved(item: Item, x: float, y: float) -> Item:
    """An item at another place."""
    if isinstance(item, Stroke):
        return replace(item, points=tuple((px + x, py + y) for px, py in item.points))
    return replace(item, x=item.x + x, y=item.y + y)


@dataclass(slots=True)
class Surface:
    """Items being placed, grounds first, borders and texts on them."""

    items: list[Item] = field(default_factory=list)

    def stack(self, strips: Sequence[Strip], x: float, y: float, width: float) -> float:
        """Places strips below each other, with a border around those of one frame. Gives the y below them."""
        top = y
        framed: list[tuple[StripFrame, float, float]] = []
        for strip in strips:
            self.items += (moved(item, x, y) for item in strip.items)
            if strip.frame is not None:
                if framed and framed[-1][0] is strip.frame and abs(framed[-1][2] - y) < 0.01:
                    framed[-1] = (strip.frame, framed[-1][1], y + strip.height)
                else:
                    framed.append((strip.frame, y, y + strip.height))
            y += strip.height
        for frame, begin, end in framed:
            self.items.append(Area(x, begin, width, end - begin, "", frame.line, frame.thick, frame.style))
        return y if strips else top
