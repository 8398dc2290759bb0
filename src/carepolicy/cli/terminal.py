"""What goes to the terminal and into files that people open: colour only where it is wanted, text without hidden
commands, bars for long work, tables in columns and as CSV."""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
import unicodedata
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from carepolicy.cli.status import Loudness, no_colour
from carepolicy.files import FORMULAS, named
from carepolicy.policy.characters import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

MARK = "\N{REPLACEMENT CHARACTER}"


def plain(text: str) -> str:
    """``text`` with a mark in place of every control character, and of what turns the direction of the rest of a line,
    so that a file cannot steer the terminal.

    Spaces of other widths, as between a time and its PM, are plain spaces. Letters that are not seen stay.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\t" else _shown(each) for each in bounded(text, MARK))


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    return character if category == "Cf" else " " if category == "Zs" else MARK


def width(text: str) -> int:
    """How many columns ``text`` takes on a terminal: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(each) for each in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns, a line each, with two blanks between the columns; ``rows`` are made ``plain``."""
    cells = [[plain(cell) for cell in row] for row in rows]
    wide = [max(map(width, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell + " " * (wide[place] - width(cell)) for place, cell in enumerate(row)).rstrip() for row in cells
    )
    return "".join(f"{line}\n" for line in lines)


def breadth() -> int | None:
    """How many columns the terminal has to which standard output goes; None where it goes elsewhere, as through a
    pipe, where lines stay whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fitted(line: str, columns: int | None) -> list[str]:
    """A line as lines that a terminal of so many columns does not break: what goes on stands further in."""
    if columns is None or width(line) <= columns:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
    return textwrap.wrap(line, max(columns, 20), subsequent_indent=indent, break_on_hyphens=False) or [line]


def csv_rows(entries: Iterable[Mapping[str, str]], fields: Sequence[str]) -> Iterator[str]:
    """CSV (RFC 4180) that no spreadsheet takes for formulas: the head, and a row for each entry as it comes, each with
    its line break."""
    import csv

    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\r\n")
    writer.writeheader()
    for each in entries:
        yield out.getvalue()
        out.seek(0)
        out.truncate()
        writer.writerow({name: _cell(value) for name, value in each.items()})
    yield out.getvalue()


def _cell(value: str) -> str:
    return "'" + value if value.startswith(FORMULAS) else value


@contextmanager
def progress(what: str, total: int, worth: int = 0) -> Iterator[Callable[[int], None]]:
    """A function that is called with how much more is done of ``total``; less than ``worth`` gets no bar."""
    if total < max(worth, 1) or Loudness.quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, no_color=no_colour()), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Say on a terminal that something is being done whose length nobody knows."""
    if Loudness.quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True, no_color=no_colour()).status(what):
        yield


@contextmanager
def parts(what: str) -> Iterator[Callable[[str, int], Callable[[int], None]] | None]:
    """A function that begins a part of long work: it takes what is done in it and how much there is of it (0 where
    nobody knows), ends the part before, and gives what ``progress`` gives. Before the first, ``busy`` says what. None
    where no bar is drawn."""
    with ExitStack() as shown:

        def begin(part: str, total: int) -> Callable[[int], None]:
            shown.close()
            if not total:
                shown.enter_context(busy(f"{what}: {part}"))
            return shown.enter_context(progress(f"{what}: {part}", total))

        shown.enter_context(busy(what))
        yield None if Loudness.quiet or not sys.stderr.isatty() else begin


def write_all(texts: Mapping[Path, str], mode: str = "w") -> None:
    """Write texts to their files, whose folders are made, and then name the files, since a reader of names may go away.
    ``mode`` "x" writes over nothing."""
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with named(path), path.open(mode, encoding="utf-8", newline="\n") as file:
            file.write(text)
    for path in texts:
        click.echo(str(path))
