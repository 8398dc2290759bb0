"""What is printed: the whole handbook, the booklet of a role, or quick cards, as the data of one document."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from carepolicy.charts import chart_of
from carepolicy.charts.colours import PLAIN
from carepolicy.charts.printed import PAGES, data_of, sheet_anchor
from carepolicy.charts.sheets import sheets_of
from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.book import Book, Sent, calendars_of, year_of
from carepolicy.handbook.history import History, entries_of
from carepolicy.handbook.home import calendar_pages, matrix_of
from carepolicy.handbook.printed.chapter import COLUMNS, Chapter, PrintedLetters, chapter_label
from carepolicy.handbook.printed.pieces import (
    BELOW,
    BookPen,
    Columns,
    Entries,
    Heading,
    Items,
    Paragraph,
    PrintedSheet,
    PrintedStep,
    StepPart,
    TextSpan,
    after,
    joined,
    label,
    plain,
)
from carepolicy.handbook.printed.plan import PlanChapter
from carepolicy.handbook.printed.words import PrintWords, print_words
from carepolicy.handbook.search import spoken
from carepolicy.handbook.shares import share_of
from carepolicy.handbook.steps import always_of, anchor_of, steps_of
from carepolicy.machine.locales import is_right_to_left
from carepolicy.policy.phrases import in_language
from carepolicy.typeset import Typeset, typeset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from carepolicy.charts.plan import Card, Chart
    from carepolicy.handbook.printed.pieces import Piece, TextSpans
    from carepolicy.handbook.shares import HandOver, Notice, Share
    from carepolicy.handbook.steps import Answer, FlowStep, StepHappening
    from carepolicy.policy.model import Flow, Message, Policies

PAPERS = {"A4": "A4", "A3": "A4", "Letter": "Letter"}
"""What a book is printed on by the organisation's paper: nobody holds a book of A3."""

TYPST = {"A4": "a4", "Letter": "us-letter"}
"""What Typst calls them."""

NOTHING: Mapping[str, str] = MappingProxyType({})

SIZES = {"A6": 4, "A5": 2}
"""Cards to a sheet by their size: a quarter of a sheet, or half of it."""

LOOKUP_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class PrintedDocument:
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
        pieces = PlanChapter(self.book, self.words, numbers).pieces() if self._whole else []
        letters = PrintedLetters()
        for flow in self._flows:
            pieces += Chapter(self.book, self.words, flow, self._charts[flow.name], letters).pieces(self._sheets(flow))
            self._told(1)
        pieces += [*self._changes(), *lookup_of(self.book)] if self._whole else []
        return self._set("book.typ", self.book.ui.handbook, pieces, cover=self._whole, moved=letters.moved)

    def _sheets(self, flow: Flow) -> tuple[PrintedSheet, ...]:
        """The sheets of a flow's chart; what leads to a step on them leads to its text in the book."""
        chart = self._charts[flow.name]
        found = sheets_of(chart, PAPERS[self.book.policies.organisation.paper])
        places = {sheet_anchor(flow.name, name): label(flow.name, anchor_of(name)) for name in flow.states}
        drawings = (_untitled(each, places) for each in data_of(found))
        return tuple(PrintedSheet(each, f"{label(flow.name, 'sheet')}-{page}") for page, each in enumerate(drawings, 1))

    def _changes(self) -> list[Piece]:
        """What changed since an earlier set, where one is named."""
        if self._since is None:
            return []
        ui, pen = self.book.ui, BookPen(self.book)
        history = History(self._policies, self._since)
        found = {name: history.since(flow, self.book.language) for name, flow in self._policies.flows.items()}
        pieces: list[Piece] = [Heading(1, plain(ui.changes), "changes", listed=True, fresh=True)]
        for entry in entries_of(self.book, history, found):
            new = entry.since.version is None
            told = tuple((*plain(word, "bold"), TextSpan(" "), *plain(text)) for _, word, text in entry.since.lines)
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
        document = PrintedDocument(
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


def cards_of(book: Book, words: PrintWords, flow: Flow, chart: Chart, role: str | None) -> list[PrintedStep]:
    """A card for each step of a flow, or for those of a role."""
    plans = {card.number: card for sheet in chart.sheets for card in sheet.cards}
    chapter = Chapter(book, words, flow, chart)
    cards = [
        _card(book, flow, chapter, step, plans[step.number])
        for step in steps_of(book, flow, chart)
        if role is None or plans[step.number].role == role
    ]
    return [*cards, *_always(book, flow, chart)] if cards else []


def _always(book: Book, flow: Flow, chart: Chart) -> list[PrintedStep]:
    """A card of what may happen at many steps of a flow."""
    pen = BookPen(book)
    places: dict[str, list[TextSpans]] = {}
    for where, event in always_of(chart, book):
        places.setdefault(where, []).extend(_ways(pen, book, event))
    shade = chart.shades.get(flow.owner, PLAIN)
    parts = tuple(StepPart(where, "ways", tuple(lines)) for where, lines in places.items())
    title, owner = plain(book.ui.always), pen.own(book.role(flow.owner))
    name = book.words(flow).flow_title(flow.name)
    card = PrintedStep("", title, label(flow.name, "card-always"), owner, (), shade.band, shade.on_band, parts, name)
    return [card] if parts else []


def _card(book: Book, flow: Flow, chapter: Chapter, step: FlowStep, plan: Card) -> PrintedStep:
    pen = BookPen(book)
    own = [each for each in step.next if not each.place]
    ways = StepPart(book.ui.next, "ways", tuple(line for each in own for line in _ways(pen, book, each)))
    parts = [*chapter.limits(step), *chapter.words_of(step)[1:], ways]
    return replace(
        chapter.step(step),
        aside=pen.own(plan.band),
        parts=tuple(each for each in parts if any(each.lines)),
        foot=book.words(flow).flow_title(flow.name),
    )


def _ways(pen: BookPen, book: Book, event: StepHappening) -> list[TextSpans]:
    """An event and where it leads, or its question and where each answer leads; the rest stands in the handbook."""
    if not event.question:
        return [(*pen.own(event.text), *_there(book, answer)) for answer in event.answers]
    asked = (*pen.own(event.text), TextSpan(f"{book.ui.colon} "), *pen.own(event.question, "bold"))
    return [asked, *((BELOW, *pen.own(answer.text), *_there(book, answer)) for answer in event.answers)]


def _there(book: Book, answer: Answer) -> TextSpans:
    there = answer.where.text if answer.where is not None else book.ui.stays
    return after(" → ", plain(there, "bold" if answer.where is not None else ""))


def lookup_of(book: Book) -> list[Piece]:
    """The chapter of phrases; nothing where no flow has any."""
    found: dict[str, list[str]] = {}
    for phrase, place in _phrases(book):
        places = found.setdefault(phrase, [])
        if place not in places:
            places.append(place)
    if not found:
        return []
    lines = tuple(_lookup_line(phrase, found[phrase]) for phrase in sorted(found, key=_by_letters))
    heading = Heading(1, plain(book.ui.search), "lookup", listed=True, fresh=True)
    return [heading, Columns(LOOKUP_COLUMNS, (Entries(lines),))]


def _phrases(book: Book) -> Iterator[tuple[str, str]]:
    """Each phrase with the label of the flow, or of the step, that it is said of."""
    for flow in book.policies.flows.values():
        yield from ((phrase, chapter_label(flow.name)) for phrase in spoken(flow.synonyms))
        for state in flow.states.values():
            place = label(flow.name, anchor_of(state.name))
            yield from ((phrase, place) for phrase in spoken(state.synonyms))


def _lookup_line(phrase: str, places: list[str]) -> TextSpans:
    first, *others = places
    return (TextSpan(phrase, "", "", first, True), *(TextSpan("", "", "", place, True) for place in others))


def _by_letters(phrase: str) -> tuple[str, str]:
    """As a dictionary has it: without regard to capitals and accents."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", phrase) if not unicodedata.combining(each))
    return bare.casefold(), phrase


class RoleBooklet:
    """Writes the pieces of one role's booklet."""

    def __init__(
        self, book: Book, words: PrintWords, role: str, flows: Sequence[Flow], charts: Mapping[str, Chart]
    ) -> None:
        self._book, self._ui, self._words, self._role = book, book.ui, words, role
        self._flows, self._charts = flows, charts
        self._pen = BookPen(book)

    def pieces(self) -> list[Piece]:
        """The role itself, and a chapter for each flow with which it has to do."""
        found: list[Piece] = []
        for flow in self._flows:
            share = share_of(self._book, flow, self._charts[flow.name], self._role)
            if share:
                found += self._chapter(flow, share)
        return [Columns(COLUMNS, (*self._about(), *(found or [Paragraph(plain(self._ui.role_nothing))])))]

    def _about(self) -> list[Piece]:
        """Who has the role, who stands in, how much it may decide on, and when it is there."""
        ui, pen = self._ui, self._pen
        row = next(each for each in matrix_of(self._book) if each.name == self._role)
        people = [
            pen.pair(ui.people, *plain(row.people)),
            pen.pair(ui.deputy, *pen.own(row.deputy)),
            pen.pair(ui.authority, *plain(row.authority)),
            pen.pair(ui.role_stands, *pen.own(", ".join(self._stood_in_for()))),
            pen.pair(ui.role_flows, *self._titles(lambda flow: flow.owner)),
            pen.pair(ui.role_stewards, *self._titles(lambda flow: flow.steward)),
        ]
        found: list[Piece] = [Heading(1, pen.own(row.title), "role", listed=True), *_paragraphs(people)]
        calendar = self._book.policies.organisation.roles[self._role].calendar
        for each in calendar_pages(self._book):
            if each.name == (calendar or self._book.policies.organisation.calendar):
                closed = [pair for year in each.years for pair in year.closed]
                found += [
                    Heading(2, plain(ui.calendars), "role-hours"),
                    Paragraph((*pen.own(each.title, "bold"), *after(" – ", plain(each.hours)))),
                    *_items([(*plain(day), *after(" – ", pen.own(why, "quiet"))) for day, why in closed]),
                ]
        return found

    def _stood_in_for(self) -> list[str]:
        roles = self._book.policies.organisation.roles
        return [self._book.role(name) for name, role in roles.items() if role.deputy == self._role]

    def _titles(self, charge: Callable[[Flow], str | None]) -> TextSpans:
        """The titles of the flows of which the role has charge, which lead to their chapters."""
        titles = [
            self._pen.own(self._book.words(flow).flow_title(flow.name), "", chapter_label(flow.name))
            for flow in self._flows
            if charge(flow) == self._role
        ]
        return joined(titles, ", ")

    def _chapter(self, flow: Flow, share: Share) -> list[Piece]:
        ui = self._ui
        chapter = Chapter(self._book, self._words, flow, self._charts[flow.name])
        numbers = {card.state: card.number for sheet in self._charts[flow.name].sheets for card in sheet.cards}
        mine = {card.number for card in share.cards}
        steps = [each for each in steps_of(self._book, flow, self._charts[flow.name]) if each.number in mine]
        told = [each for each in share.notices if not each.given]
        given = [each for each in share.notices if each.given]
        sections: list[tuple[str, str, Sequence[Piece]]] = [
            (ui.role_in, "in", [self._handed(flow, each, numbers, inwards=True) for each in share.handed_in]),
            (ui.role_given, "given", [self._notice(flow, each, numbers) for each in given]),
            (ui.role_steps, "steps", [chapter.step(each) for each in steps] + (chapter.always() if steps else [])),
            (ui.role_on, "on", [self._handed(flow, each, numbers, inwards=False) for each in share.handed_on]),
            (ui.role_told, "told", [self._notice(flow, each, numbers) for each in told]),
        ]
        running: list[Piece] = []
        for title, anchor, pieces in sections:
            if pieces:
                running.append(Heading(2, plain(title), label(flow.name, f"my-{anchor}")))
                running += pieces
        return [*chapter.opening(fresh=False), *running]

    def _handed(self, flow: Flow, each: HandOver, numbers: Mapping[str, int], *, inwards: bool) -> Items:
        """ "4 Weigh it: No → 7 Put it right (Care lead)": from whom, or to whom."""
        other = self._pen.own(each.other, "quiet")
        source, target = (self._place(flow, state, numbers) for state in (each.source, each.target))
        near, far = (after(" – ", other), ()) if inwards else ((), after(" – ", other))
        event = after(f"{self._ui.colon} ", self._pen.own(each.text))
        return Items(((*source, *near, *event, *after(" → ", target), *far),))

    def _notice(self, flow: Flow, each: Notice, numbers: Mapping[str, int]) -> Items:
        """Where and upon what a role is told, or given a case, and in which words."""
        labels = self._book.words(flow).labels
        place = self._place(flow, each.state, numbers) if each.state is not None else plain(labels.anywhere, "bold")
        upon = self._pen.own(each.upon or labels.entering)
        said = self._pen.own(f"“{each.text}”" if each.text else "", "quiet")
        hours = plain(labels.in_hours.format(self._book.role(self._role)) if each.in_hours else "", "quiet")
        return Items(((*place, *after(f"{self._ui.colon} ", upon), *after(" – ", joined([said, hours], ", "))),))

    def _place(self, flow: Flow, state: str, numbers: Mapping[str, int]) -> TextSpans:
        number = numbers.get(state)
        title = self._book.words(flow).state(state)
        return self._pen.own(
            title if number is None else f"{number} {title}", "bold", label(flow.name, anchor_of(state))
        )


def _paragraphs(texts: list[TextSpans]) -> list[Piece]:
    return [Paragraph(each) for each in texts if each]


def _items(texts: list[TextSpans]) -> list[Piece]:
    return [Items(tuple(texts))] if texts else []
