"""What is printed: the whole handbook, the booklet of a role, or quick cards, as the data of one document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from carepolicy.charts import chart_of
from carepolicy.charts.printed import PAGES, anchor_of, data_of
from carepolicy.charts.sheets import sheets_of
from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.book import Book, Sent, calendars_of, year_of
from carepolicy.handbook.history import History, entries_of
from carepolicy.handbook.printed.cards import SIZES, cards_of
from carepolicy.handbook.printed.chapter import Chapter, Letters
from carepolicy.handbook.printed.lookup import lookup_of
from carepolicy.handbook.printed.pieces import Heading, Items, Paragraph, Pen, Sheet, Span, label, plain
from carepolicy.handbook.printed.plan import Plan
from carepolicy.handbook.printed.role import RoleBooklet
from carepolicy.handbook.printed.words import PrintWords, print_words
from carepolicy.handbook.steps import anchor_of as step_anchor
from carepolicy.machine.locales import is_right_to_left
from carepolicy.policy.phrases import in_language
from carepolicy.typeset import Typeset, typeset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from carepolicy.handbook.printed.pieces import Piece
    from carepolicy.policy.model import Flow, Message, Policies

PAPERS = {"A4": "A4", "A3": "A4", "Letter": "Letter"}
"""What a book is printed on by the organisation's paper: nobody holds a book of A3."""

TYPST = {"A4": "a4", "Letter": "us-letter"}
"""What Typst calls them."""


NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Document:
    """All that the page description reads."""

    title: str
    organisation: str
    language: str
    right_to_left: bool
    paper: str
    edition: str
    as_of: str
    contents: str
    page_of: str
    page_ref: str
    continued: str
    cover: bool
    to_a_sheet: int
    pieces: tuple[Piece, ...]


class Volume:
    """The policies in one language, ready to be printed. ``told`` hears of each flow that is done.

    ``flows`` are those that are printed, by default all; ``as_of`` is the day that stands on each page; what changed
    ``since`` an earlier set is a chapter of the handbook. The same
    policies, day and fonts give the same bytes. Raises CalendarError; its methods NoTypesetter and TypesetError.
    """

    def __init__(
        self,
        policies: Policies,
        language: str,
        *,
        year: int | None = None,
        as_of: date | None = None,
        flows: Sequence[str] = (),
        since: Policies | None = None,
        told: Callable[[int], None] = lambda flows: None,
    ) -> None:
        own = in_language(policies, language)
        year = year or year_of(policies)
        sent = Sent(replace(own, messages=_messages_in(own, language)), year)
        self.book = Book(own, language, year, calendars_of(policies), shared=sent)
        self.words: PrintWords = print_words(language, policies.own_words)
        self._as_of, self._told = as_of, told
        self._whole, self._since = not flows, since
        self._policies = policies
        self._flows = [flow for name, flow in own.flows.items() if not flows or name in flows]
        self._charts = {flow.name: chart_of(policies, flow.name, language=language) for flow in self._flows}

    def handbook(self) -> Typeset:
        """The communication plan, and a chapter for each flow; of chosen flows the chapters alone."""
        numbers = {
            (name, card.state): card.number
            for name, chart in self._charts.items()
            for sheet in chart.sheets
            for card in sheet.cards
        }
        pieces = Plan(self.book, self.words, numbers).pieces() if self._whole else []
        letters = Letters()
        for flow in self._flows:
            pieces += Chapter(self.book, self.words, flow, self._charts[flow.name], letters).pieces(self._sheets(flow))
            self._told(1)
        pieces += [*self._changes(), *lookup_of(self.book)] if self._whole else []
        return self._set("book.typ", self.book.ui.handbook, pieces, cover=self._whole, moved=letters.moved)

    def _sheets(self, flow: Flow) -> tuple[Sheet, ...]:
        """The sheets of a flow's chart; what leads to a step on them leads to its text in the book."""
        chart = self._charts[flow.name]
        found = sheets_of(chart, PAPERS[self.book.policies.organisation.paper])
        places = {anchor_of(flow.name, name): label(flow.name, step_anchor(name)) for name in flow.states}
        drawings = (_untitled(each, places) for each in data_of(found))
        return tuple(Sheet(each, f"{label(flow.name, 'sheet')}-{page}") for page, each in enumerate(drawings, 1))

    def _changes(self) -> list[Piece]:
        """What changed since an earlier set, where one is named."""
        if self._since is None:
            return []
        ui, pen = self.book.ui, Pen(self.book)
        history = History(self._policies, self._since)
        found = {name: history.since(flow, self.book.language) for name, flow in self._policies.flows.items()}
        pieces: list[Piece] = [Heading(1, plain(ui.changes), "changes", listed=True, fresh=True)]
        for entry in entries_of(self.book, history, found):
            new = entry.since.version is None
            told = tuple((*plain(word, "bold"), Span(" "), *plain(text)) for _, word, text in entry.since.lines)
            told = told or (plain(ui.new_flow if new else ui.changed_nothing),)
            pieces += [Heading(2, pen.own(entry.title), f"changes-{identifier(entry.key)}"), Items(told)]
        return pieces if len(pieces) > 1 else [*pieces, Paragraph(plain(ui.no_changes))]

    def role(self, role: str) -> Typeset:
        """The booklet of a role."""
        booklet = RoleBooklet(self.book, self.words, role, self._flows, self._charts)
        self._told(len(self._flows))
        return self._set("book.typ", self.words.booklet.format(self.book.role(role)), booklet.pieces())

    def cards(self, size: str, role: str | None = None) -> Typeset:
        """Quick cards of a size, of all steps or of those of a role."""
        pieces: list[Piece] = []
        for flow in self._flows:
            pieces += cards_of(self.book, self.words, flow, self._charts[flow.name], role)
            self._told(1)
        title = self.words.card if role is None else f"{self.words.card}, {self.book.role(role)}"
        return self._set("cards.typ", title, pieces, to_a_sheet=SIZES[size])

    def _set(
        self,
        markup: str,
        title: str,
        pieces: list[Piece],
        *,
        cover: bool = False,
        to_a_sheet: int = 0,
        moved: Mapping[str, str] = NOTHING,
    ) -> Typeset:
        policies, words = self.book.policies, self.words
        document = Document(
            title=title,
            organisation=clean(policies.organisation.name),
            language=self.book.ui_language,
            right_to_left=is_right_to_left(self.book.ui_language),
            paper=TYPST[PAPERS[policies.organisation.paper]],
            edition=words.edition.format(policies.digest[:8]) if policies.digest else "",
            as_of=words.as_of.format(self.book.day(self._as_of)) if self._as_of is not None else "",
            contents=words.contents,
            page_of=words.page_of,
            page_ref=words.page_ref,
            continued=words.continued,
            cover=cover,
            to_a_sheet=to_a_sheet,
            pieces=tuple(pieces),
        )
        folder = files("carepolicy.handbook.printed") / "markup"
        parts = {each.name: each.read_bytes() for each in folder.iterdir() if each.name != markup}
        parts["sheets.typ"] = PAGES.encode()
        told = msgspec.to_builtins(document)
        _link(told["pieces"], set(_labels(told["pieces"])), moved)
        return typeset((folder / markup).read_text(encoding="utf-8"), told, parts)


def _messages_in(policies: Policies, language: str) -> dict[str, Mapping[str, Message]]:
    """Messages by language: those of one, and of the others only what it lacks, since nothing else is printed."""
    said = policies.messages.get(language, {})
    found: dict[str, Mapping[str, Message]] = {language: said} if said else {}
    known = set(said)
    for other, texts in policies.messages.items():
        if set(texts) - known:
            found.setdefault(other, texts if not known else {name: texts[name] for name in texts if name not in known})
            known |= set(texts)
    return found


def _untitled(drawing: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """A sheet without bookmarks of its own, since the steps of the book have them, and with links into the book."""
    items = [
        {**item, "level": 0, "link": places.get(item["link"], item["link"])} if item["kind"] == "said" else item
        for item in drawing["items"]
    ]
    return {**drawing, "items": items}


def _labels(tree: object) -> Iterator[str]:
    """The labels that places in a document have."""
    if isinstance(tree, dict):
        yield tree.get("label", "")
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for each in tree:
            yield from _labels(each)


def _link(tree: object, known: set[str], moved: Mapping[str, str]) -> None:
    """Lead links to what has moved, and take away those that lead to no place: a booklet has not every step."""
    if isinstance(tree, dict):
        to = tree.get("to", "")
        to = moved.get(to, to)
        if "to" in tree:
            tree["to"] = to if to in known else ""
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for each in tree:
            _link(each, known, moved)
