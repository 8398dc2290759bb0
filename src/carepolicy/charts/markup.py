"""Graphviz's HTML-like labels for the parts of a chart. Every text that enters here is escaped here."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.colours import text_on
from carepolicy.charts.text import balanced, escaped, listed, safe_link, width, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.plan import Card, Chart, Exit, Mark, Target

GREY = "#555555"
TIMER_LINE, TIMER_GROUND, TIMER_TEXT = "#A61B12", "#FDE8E6", "#7A120B"
QUESTION_LINE, QUESTION_GROUND = "#6B5900", "#FFF6CC"
GOOD_LINE, GOOD_GROUND, _GOOD_TEXT = "#1B6E2E", "#DFF3E3", "#14501F"
END_GROUND = "#EEEEEE"
CARD_WIDTH = 200
BESIDE = 34
"""Columns of owner and limit up to which they stand side by side."""
FOOT_COLUMNS = 100
LEGEND_COLUMNS = 125
BROKEN = ("dashed", "dotted")
_TAG = re.compile(r"<[^>]*>")
_PLAIN = 'BORDER="0" CELLBORDER="0" CELLSPACING="0"'


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes labels in one direction of script."""

    right_to_left: bool

    def line(self, text: str) -> str:
        """One escaped line; set apart by U+2067 and U+2069 where the script runs to the left."""
        return f"\u2067{escaped(text)}\u2069" if self.right_to_left else escaped(text)

    def lines(self, lines: Sequence[str], align: str = "") -> str:
        """Escaped lines with breaks between them; ``align`` "near" sets each to the side where reading starts."""
        if not align:
            return "<BR/>".join(self.line(line) for line in lines)
        side = "RIGHT" if self.right_to_left else "LEFT"
        return "".join(f'{self.line(line)}<BR ALIGN="{side}"/>' for line in lines)

    @property
    def near(self) -> str:
        """ALIGN of what is read first."""
        return "RIGHT" if self.right_to_left else "LEFT"

    @property
    def far(self) -> str:
        """ALIGN of what is read last."""
        return "LEFT" if self.right_to_left else "RIGHT"

    def row(self, cells: Sequence[str]) -> str:
        """A row of cells in reading order."""
        return f"<TR>{''.join(reversed(cells) if self.right_to_left else cells)}</TR>"

    @property
    def arrow(self) -> str:
        """The sign before a destination."""
        return "←" if self.right_to_left else "→"


def font(text: str, *, size: float | None = None, colour: str | None = None, bold: bool = False) -> str:
    """Marked-up text in a size and colour. ``text`` is already escaped.

    Graphviz's grammar has no empty element of this kind: nothing is written as a space that does not break.
    """
    text = text or "\u00a0"
    if bold:
        text = f"<B>{text}</B>"
    attributes = "" if size is None else f' POINT-SIZE="{size:g}"'
    attributes += "" if colour is None else f' COLOR="{colour}"'
    return f"<FONT{attributes}>{text}</FONT>" if attributes else text


def card(pen: Pen, card: Card, shade: Shade, mark: Mark | None, *, say: str) -> str:
    """A step: the owner's band with the time limit, number and title, the words to say, what happens inside. ``say``
    puts the words to say into quotes; "" leaves them out."""
    rows = [_band(pen, card, shade), _title(pen, card, mark)]
    if say and card.say:
        lines = pen.lines(wrapped(say.format(card.say), 36), "near")
        rows.append(_wide(pen, font(lines, size=12)))
    for text in card.inside:
        rows += _line_inside(pen, text, mark.lines.get(text) if mark is not None else None)
    for text, ground in _rows(mark):
        rows.append(_wide(pen, font(_row_lines(pen, text), size=11, colour=text_on(ground), bold=True), ground))
    return (
        f'<<TABLE {_frame(mark, shade.line, alone=True)} CELLBORDER="0" CELLSPACING="0" CELLPADDING="4"'
        f' BGCOLOR="#FFFFFF">{"".join(rows)}</TABLE>>'
    )


def _line_inside(pen: Pen, text: str, mark: Mark | None) -> list[str]:
    """What happens without leaving a step, with its own word and colour where it has a mark."""
    if mark is None:
        return [_wide(pen, font(pen.lines(wrapped(f"• {text}", 38), "near"), size=11, colour="#444444"))]
    lines = pen.lines(wrapped(f"• {mark.word} {text}", 36), "near")
    found = [_wide(pen, font(lines, size=11, colour=mark.line, bold=True), mark.ground)]
    told = (font(_row_lines(pen, row), size=10, colour=text_on(ground)) for row, ground in mark.rows)
    return [*found, *(_wide(pen, each, mark.ground) for each in told)]


def chip(
    pen: Pen,
    leaving: Exit,
    colours: tuple[str, str, str],
    there: str,
    link: tuple[str, str] = ("", ""),
    mark: Mark | None = None,
    *,
    alone: bool = True,
) -> str:
    """What happens, and below it where that leads, in the colours of the destination's owner: one table. ``link`` is an
    address and its title."""
    line, ground, ink = colours
    top = _marked(pen, mark)
    top += font(pen.lines(balanced(leaving.text, 24)), size=11, colour=TIMER_TEXT if leaving.timer else None)
    if leaving.effects:
        top += "<BR/>" + font(pen.lines(balanced(leaving.effects, 28)), size=10, colour="#444444")
    paint = f' BGCOLOR="{TIMER_GROUND}"' if leaving.timer else ""
    bottom = font(pen.lines(wrapped(there, 26)), size=11, colour=ink, bold=True)
    href = f' HREF="{escaped(link[0])}" TITLE="{escaped(link[1])}"' if safe_link(link[0]) else ""
    inside = "".join(_wide(pen, font(_row_lines(pen, text), size=10), paper) for text, paper in _rows(mark))
    frame = _frame(mark, line, alone=alone)
    return (
        f'<TABLE {frame} CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" BGCOLOR="#FFFFFF"{href}>'
        f'<TR><TD{paint}>{top}</TD></TR><TR><TD BGCOLOR="{ground}">{bottom}</TD></TR>{inside}</TABLE>'
    )


def stack(chips: Sequence[str], line: str) -> str:
    """Chips as one label: a single one as it is, several below each other in a frame of the colour ``line``."""
    if len(chips) == 1:
        return f"<{chips[0]}>"
    rows = "".join(f"<TR><TD>{each}</TD></TR>" for each in chips)
    return f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="2" CELLPADDING="1" COLOR="{line}">{rows}</TABLE>>'


def destination(pen: Pen, target: Target) -> str:
    """ "→ 5 Manager decides" or "■ Closed"."""
    if target.number is None:
        return f"■ {target.title}"
    return f"{pen.arrow} {target.number} {target.title}"


def pill(pen: Pen, text: str, effects: str, *, timer: bool, mark: Mark | None = None) -> str:
    """The text of an arrow."""
    label = _marked(pen, mark) + font(pen.lines(balanced(text, 24)), size=11, colour=TIMER_TEXT if timer else None)
    if effects:
        label += "<BR/>" + font(pen.lines(balanced(effects, 28)), size=10, colour="#444444")
    for said, _ in _rows(mark):
        label += "<BR/>" + font(pen.lines(balanced(said, 28)), size=10)
    return f"<{label}>"


def question(pen: Pen, text: str, settings: Sequence[str] = ()) -> str:
    """The text of a diamond, and below it the settings on which the answer hangs."""
    columns = 20 if len(text) <= 40 else 26
    label = font(pen.lines(balanced(text, columns)), size=12)
    for setting in settings:
        label += "<BR/>" + font(pen.lines(balanced(setting, columns)), size=10)
    return f"<{label}>"


def foot(pen: Pen, chart: Chart, roles: Sequence[str], kinds: Sequence[str], page: str) -> str:
    """The legend with only what occurs, and below it what this sheet is and whether it is the newest."""
    grounds = {"question": (QUESTION_GROUND, "#111111"), "timer": (TIMER_GROUND, TIMER_TEXT)}
    words = {"question": chart.labels.question, "timer": chart.labels.timer}
    cells = [f"<TD>{font(pen.line(chart.labels.who), size=10, bold=True)}</TD>"] if roles else []
    for role in roles:
        shade = chart.shades[role]
        text = font(pen.lines(wrapped(chart.roles[role], 30)), size=10, colour=shade.on_band, bold=True)
        cells.append(f'<TD BGCOLOR="{shade.band}">{text}</TD>')
    for kind in kinds:
        ground, ink = grounds[kind]
        cells.append(f'<TD BGCOLOR="{ground}">{font(pen.line(words[kind]), size=10, colour=ink)}</TD>')
    for text, ground in chart.legend:
        cells.append(f'<TD BGCOLOR="{ground}">{font(pen.line(text), size=10, colour=text_on(ground))}</TD>')
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="3">'
    runs = _runs(cells)
    rows = [f"{table}{pen.row(run)}</TABLE>" for run in runs]
    columns = min(max((_columns(run) for run in runs), default=0), FOOT_COLUMNS)
    told = listed((*chart.footer, page), max(columns, 40))
    rows.append(font(pen.lines(told, "near"), size=10, colour="#444444"))
    body = "".join(f'<TR><TD ALIGN="{pen.near}" BALIGN="{pen.near}">{row}</TD></TR>' for row in rows)
    return f"<<TABLE {_PLAIN}>{body}</TABLE>>"


def ending(pen: Pen, target: Target, mark: Mark | None = None) -> str:
    """The text of an end that is drawn as a box."""
    return f"<{_marked(pen, mark)}{font(pen.lines(balanced(target.title, 24)), size=13, bold=True)}>"


def end_colours(target: Target) -> tuple[str, str, str]:
    """Line and ground of an end, and the text of a way that leads there."""
    return (GOOD_LINE, GOOD_GROUND, _GOOD_TEXT) if target.good else (GREY, END_GROUND, "#111111")


def _marked(pen: Pen, mark: Mark | None) -> str:
    """The word of a mark on a line of its own, "" where there is none."""
    if mark is None or not mark.word:
        return ""
    return font(pen.line(mark.word), size=11, colour=mark.line or "#111111", bold=True) + "<BR/>"


def _rows(mark: Mark | None) -> tuple[tuple[str, str], ...]:
    return () if mark is None else mark.rows


def _row_lines(pen: Pen, text: str) -> str:
    return pen.lines(wrapped(text, 36), "near")


def framed(mark: Mark | None) -> dict[str, str]:
    """Attributes of a node whose mark has a broken border. A table's own STYLE is not used for it: Graphviz 14 reads
    past the end of that attribute and writes what it finds there."""
    if mark is None or not mark.line or mark.style not in BROKEN:
        return {"shape": "plain"}
    return {"shape": "box", "margin": "0.03", "style": mark.style, "color": mark.line, "penwidth": "3"}


def _frame(mark: Mark | None, line: str, *, alone: bool) -> str:
    """Border of a table: thick and in the mark's colour where there is a mark; none where its node has one."""
    if mark is None or not mark.line:
        return f'BORDER="1" COLOR="{line}"'
    return 'BORDER="0"' if alone and mark.style in BROKEN else f'BORDER="3" COLOR="{mark.line}"'


def _band(pen: Pen, card: Card, shade: Shade) -> str:
    """One coloured row: the owner and the limit side by side, a long limit below the owner.

    The two texts sit in a table of their own, so that no seam shows between them.
    """
    beside = width(card.owner) + width(card.band) <= BESIDE
    owner = font(pen.lines(wrapped(card.owner, 32), "near"), size=11, colour=shade.on_band, bold=True)
    cells = [f'<TD ALIGN="{pen.near}" BALIGN="{pen.near}">{owner}</TD>']
    below = ""
    if card.band and beside:
        limit = font(pen.line(card.band), size=11, colour=shade.on_band)
        cells.append(f'<TD ALIGN="{pen.far}" BALIGN="{pen.far}">{limit}</TD>')
    elif card.band:
        limit = font(pen.lines(wrapped(card.band, 38), "near"), size=11, colour=shade.on_band)
        below = f'<TR><TD ALIGN="{pen.near}" BALIGN="{pen.near}">{limit}</TD></TR>'
    inner = f'<TABLE {_PLAIN} CELLPADDING="1">{pen.row(cells)}{below}</TABLE>'
    return f'<TR><TD BGCOLOR="{shade.band}" WIDTH="{CARD_WIDTH}">{inner}</TD></TR>'


def _title(pen: Pen, card: Card, mark: Mark | None) -> str:
    """Number, title and the overlay's word. The number is inside of the isolated line, so it stays in front."""
    lines = wrapped(card.title, 20) or [""]
    text = font(pen.lines([f"{card.number}\u2002{lines[0]}", *lines[1:]], "near"), size=16, bold=True)
    if mark is not None and mark.word:
        word = font(pen.line(mark.word), size=12, colour=mark.line or "#111111", bold=True)
        text = f'{word}<BR ALIGN="{pen.near}"/>{text}'
    return _wide(pen, text)


def _wide(pen: Pen, content: str, ground: str = "") -> str:
    paint = f' BGCOLOR="{ground}"' if ground else ""
    return f'<TR><TD ALIGN="{pen.near}" BALIGN="{pen.near}"{paint}>{content}</TD></TR>'


def step_colours(shade: Shade) -> tuple[str, str, str]:
    """Line, ground and text of a step in the colours of its owner."""
    return shade.line, shade.tint, shade.on_tint


def target_colours(target: Target, shade: Shade) -> tuple[str, str, str]:
    """Line, ground and text of a destination: in its owner's colours, an end in its own."""
    return step_colours(shade) if target.number is not None else end_colours(target)


def _runs(cells: list[str]) -> list[list[str]]:
    """Rows of the legend of about the same number of cells, as few as the width of the foot allows."""
    rows = -(-_columns(cells) // LEGEND_COLUMNS) or 1
    size = -(-len(cells) // rows) or 1
    return [cells[start : start + size] for start in range(0, len(cells), size)]


def _columns(cells: Sequence[str]) -> int:
    return sum(width(html.unescape(_TAG.sub("", cell))) + 4 for cell in cells)
