"""Quick cards: one step a card, with what fits into a pocket: owner, limit, what to do and say, never, and the ways."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from carepolicy.charts.colours import PLAIN
from carepolicy.handbook.printed.chapter import Chapter
from carepolicy.handbook.printed.pieces import BELOW, Part, Pen, Span, Step, after, label, plain
from carepolicy.handbook.steps import always_of, steps_of

if TYPE_CHECKING:
    from carepolicy.charts.plan import Card, Chart
    from carepolicy.handbook.book import Book
    from carepolicy.handbook.printed.pieces import Spans
    from carepolicy.handbook.printed.words import PrintWords
    from carepolicy.handbook.steps import Answer, FlowStep, Happening
    from carepolicy.policy.model import Flow

SIZES = {"A6": 4, "A5": 2}
"""Cards to a sheet by their size: a quarter of a sheet, or half of it."""


def cards_of(book: Book, words: PrintWords, flow: Flow, chart: Chart, role: str | None) -> list[Step]:
    """A card for each step of a flow, or for those of a role."""
    plans = {card.number: card for sheet in chart.sheets for card in sheet.cards}
    chapter = Chapter(book, words, flow, chart)
    cards = [
        _card(book, flow, chapter, step, plans[step.number])
        for step in steps_of(book, flow, chart)
        if role is None or plans[step.number].role == role
    ]
    return [*cards, *_always(book, flow, chart)] if cards else []


def _always(book: Book, flow: Flow, chart: Chart) -> list[Step]:
    """A card of what may happen at many steps of a flow."""
    pen = Pen(book)
    places: dict[str, list[Spans]] = {}
    for where, event in always_of(chart, book):
        places.setdefault(where, []).extend(_ways(pen, book, event))
    shade = chart.shades.get(flow.owner, PLAIN)
    parts = tuple(Part(where, "ways", tuple(lines)) for where, lines in places.items())
    title, owner = plain(book.ui.always), pen.own(book.role(flow.owner))
    name = book.words(flow).flow_title(flow.name)
    card = Step("", title, label(flow.name, "card-always"), owner, (), shade.band, shade.on_band, parts, name)
    return [card] if parts else []


def _card(book: Book, flow: Flow, chapter: Chapter, step: FlowStep, plan: Card) -> Step:
    pen = Pen(book)
    own = [each for each in step.next if not each.place]
    ways = Part(book.ui.next, "ways", tuple(line for each in own for line in _ways(pen, book, each)))
    parts = [*chapter.limits(step), *chapter.words_of(step)[1:], ways]
    return replace(
        chapter.step(step),
        aside=pen.own(plan.band),
        parts=tuple(each for each in parts if any(each.lines)),
        foot=book.words(flow).flow_title(flow.name),
    )


def _ways(pen: Pen, book: Book, event: Happening) -> list[Spans]:
    """An event and where it leads, or its question and where each answer leads; the rest stands in the handbook."""
    if not event.question:
        return [(*pen.own(event.text), *_there(book, answer)) for answer in event.answers]
    asked = (*pen.own(event.text), Span(f"{book.ui.colon} "), *pen.own(event.question, "bold"))
    return [asked, *((BELOW, *pen.own(answer.text), *_there(book, answer)) for answer in event.answers)]


def _there(book: Book, answer: Answer) -> Spans:
    there = answer.where.text if answer.where is not None else book.ui.stays
    return after(" → ", plain(there, "bold" if answer.where is not None else ""))
