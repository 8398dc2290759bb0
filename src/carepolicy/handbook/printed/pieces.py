"""What printed pages are made of: headings, paragraphs, lists, tables, steps and sheets, as data for the typesetter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from carepolicy.charts.text import clean, identifier
from carepolicy.translations import primary_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.handbook.book import Book


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A run of text. ``look``: "", "bold" or "quiet". ``lang`` is its language where the page has another one.

    ``to`` is the label it leads to; with ``page`` the number of that page stands after it. ``label`` is its own.
    """

    text: str
    look: str = ""
    lang: str = ""
    to: str = ""
    page: bool = False
    label: str = ""


TextSpans = tuple[TextSpan, ...]

BELOW = TextSpan("", "below")
"""Begins a line of a list that stands below the one before it: an answer to its question."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, with its label. ``aside`` stands beside it at the head of each page that it begins.

    ``listed`` says whether the contents name it, ``fresh`` whether it begins a page.
    """

    level: int
    text: TextSpans
    label: str
    aside: str = ""
    listed: bool = False
    fresh: bool = False
    kind: str = "heading"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. ``look``: "", "quiet", or "lead" and "about", which stand at the head of what follows."""

    text: TextSpans
    look: str = ""
    kind: str = "paragraph"


@dataclass(frozen=True, slots=True)
class Items:
    """A list with bullets."""

    items: tuple[TextSpans, ...]
    kind: str = "items"


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table with a head that is repeated on each page; ``widths`` are shares of the line."""

    widths: tuple[float, ...]
    head: tuple[TextSpans, ...]
    rows: tuple[tuple[TextSpans, ...], ...]
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class StepPart:
    """A part of a step or a card. ``look``: "limits", "list", "ways", "quote", "never", "note" or "question"."""

    title: str
    look: str
    lines: tuple[TextSpans, ...]


@dataclass(frozen=True, slots=True)
class PrintedStep:
    """A step: a band in its owner's colour, number and title, and its parts in reading order."""

    number: str
    title: TextSpans
    label: str
    owner: TextSpans
    aside: TextSpans
    band: str
    on_band: str
    parts: tuple[StepPart, ...]
    foot: str = ""
    kind: str = "step"


@dataclass(frozen=True, slots=True)
class PrintedLetter:
    """A message to customers: its subject line, and paragraphs; ``asides`` stand below it."""

    title: TextSpans
    label: str
    lines: tuple[str, ...]
    asides: tuple[TextSpans, ...]
    kind: str = "letter"


@dataclass(frozen=True, slots=True)
class PrintedSheet:
    """A sheet of a flow's chart on a page of its own, as ``charts.printed`` draws it; ``label`` is its place."""

    drawing: Mapping[str, Any]
    label: str
    kind: str = "sheet"


@dataclass(frozen=True, slots=True)
class Entries:
    """Lines of an index."""

    lines: tuple[TextSpans, ...]
    kind: str = "entries"


@dataclass(frozen=True, slots=True)
class Columns:
    """Pieces that run in columns."""

    count: int
    pieces: tuple[Piece, ...]
    kind: str = "columns"


Piece = Heading | Paragraph | Items | Entries | PrintedTable | PrintedStep | PrintedLetter | PrintedSheet | Columns


@dataclass(frozen=True, slots=True)
class BookPen:
    """Writes spans for a book: texts of the policy are marked with their language where the page has another one."""

    book: Book

    def own(self, text: str, look: str = "", to: str = "", page: bool = False) -> TextSpans:
        """A text of the policy; nothing where it is empty."""
        said = clean(text)
        if not said:
            return ()
        spoken = self.book.spoken_of(said)
        same = primary_language(spoken) == primary_language(self.book.ui_language)
        return (TextSpan(said, look, "" if same else spoken, to, page),)

    def pair(self, name: str, *text: TextSpan) -> TextSpans:
        """A name and what is said of it: "Limit: 3 business hours"."""
        return (TextSpan(f"{name}{self.book.ui.colon} ", "quiet"), *text) if text else ()


def plain(text: str, look: str = "", to: str = "", page: bool = False) -> TextSpans:
    """A text in the language of the page; nothing where it is empty."""
    said = clean(text)
    return (TextSpan(said, look, "", to, page),) if said else ()


def joined(parts: list[TextSpans], between: str) -> TextSpans:
    """Texts with a sign between them, without the empty ones."""
    found: list[TextSpan] = []
    for part in parts:
        if part and found:
            found.append(TextSpan(between))
        found += part
    return tuple(found)


def after(sign: str, text: TextSpans) -> TextSpans:
    """A text behind a sign, or nothing."""
    return (TextSpan(sign), *text) if text else ()


def quiet(text: TextSpans) -> TextSpans:
    """The same text, set less loudly where it has no look of its own."""
    return tuple(replace(each, look=each.look or "quiet") for each in text)


def label(flow: str, anchor: str) -> str:
    """The label of a place in a flow: anchors are ids of one page of the site, labels are those of the whole book."""
    return f"{identifier(flow)}--{anchor}"
