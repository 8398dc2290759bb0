"""What stands above a chart: its title, and the notes that hold at many of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.charts.colours import PLAIN
from carepolicy.charts.markup import GREY, Pen, destination, font, target_colours
from carepolicy.charts.text import width, wrapped

if TYPE_CHECKING:
    from carepolicy.charts.plan import Chart, Note, Sheet

_COLUMNS = 56
"""Text columns of one column of notes."""

_ONE, _TWO = 12, 18
"""Lines of notes up to which they stand in one column beside the title, or in two below it."""

_WIDE = 9
"""Cards from which on a sheet is wide enough for three columns of notes."""


def heading(pen: Pen, chart: Chart, sheet: Sheet) -> str:
    """The label above a sheet. Many notes stand below the title in columns of about the same height."""
    title = f"{chart.title} – {sheet.subtitle}" if sheet.subtitle else chart.title
    blocks = [_block(pen, chart, note) for note in sheet.notes(chart)]
    columns = _in_columns(pen, blocks, wide=len(sheet.cards) >= _WIDE)
    beside = len(columns) == 1
    text = font(pen.lines(wrapped(title, 24 if beside else 40), "near"), size=20, bold=True)
    cells = [f'<TD VALIGN="TOP" ALIGN="{pen.near}" BALIGN="{pen.near}">{text}</TD>']
    notes = [f'<TD VALIGN="TOP">{column}</TD>' for column in columns]
    if beside:
        rows = pen.row([*cells, *notes])
    else:
        rows = pen.row(cells)
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="0">{pen.row(notes)}</TABLE>'
        rows += pen.row([f'<TD ALIGN="{pen.near}">{table}</TD>']) if notes else ""
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="6" CELLPADDING="2">{rows}</TABLE>>'


Block = tuple[str, str, int]
"""A note: where it holds, its marked-up text, and how many lines that takes."""


def _in_columns(pen: Pen, blocks: list[Block], *, wide: bool) -> list[str]:
    lines = sum(block[2] for block in blocks)
    count = 1 if lines <= _ONE else 2 if lines <= _TWO or not wide else 3
    if not blocks:
        return []
    columns: list[list[Block]] = [[]]
    filled = 0
    for block in blocks:
        if columns[-1] and filled + block[2] / 2 > len(columns) * lines / count:
            columns.append([])
        columns[-1].append(block)
        filled += block[2]
    return [_column(pen, column) for column in columns]


def _column(pen: Pen, blocks: list[Block]) -> str:
    rows: list[str] = []
    last = ""
    for where, text, _ in blocks:
        if where != last:
            last = where
            rows.append(_row(pen, font(pen.lines(wrapped(f"{where}:", _COLUMNS), "near"), size=11, bold=True)))
        rows.append(_row(pen, text))
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="{GREY}" BGCOLOR="#FFFFFF">'
        f"{''.join(rows)}</TABLE>"
    )


def _block(pen: Pen, chart: Chart, note: Note) -> Block:
    mark = chart.marks.get(note.key)
    text = f"{note.text}: {note.effects}" if note.effects else note.text
    text = f"• {mark.word} {text}" if mark is not None and mark.word else f"• {text}"
    colour = mark.line if mark is not None else None
    lines = wrapped(text, _COLUMNS)
    if note.target is None:
        return note.where, font(pen.lines(lines, "near"), size=11, colour=colour), len(lines)
    _, _, ink = target_colours(note.target, chart.shades.get(note.target.role or "", PLAIN))
    there = destination(pen, note.target, chart.labels.sheet_step)
    there = there if note.target.number is not None else f"{pen.arrow} {there}"
    bold = [font(pen.line(line), size=11, colour=ink, bold=True) for line in wrapped(there, _COLUMNS)]
    said = [font(pen.line(line), size=11, colour=colour) for line in lines]
    if len(bold) == 1 and width(lines[-1]) + width(there) < _COLUMNS:
        pair = (bold[0], said[-1]) if pen.right_to_left else (said[-1], bold[0])
        ended = [*said[:-1], " ".join(pair)]
    else:
        ended = [*said, *bold]
    return note.where, "".join(f'{line}<BR ALIGN="{pen.near}"/>' for line in ended), len(ended)


def _row(pen: Pen, content: str) -> str:
    return f'<TR><TD ALIGN="{pen.near}" BALIGN="{pen.near}">{content}</TD></TR>'
