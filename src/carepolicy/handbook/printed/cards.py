"""Quick cards: one step a card, with what fits into a pocket: owner, limit, what to do and say, never, and the ways."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from carepolicy.handbook.printed.chapter import Chapter
from carepolicy.handbook.printed.pieces import Part, Pen, after, plain
from carepolicy.handbook.steps import steps_of

if TYPE_CHECKING:
    from carepolicy.charts.plan import Card, Chart
    from carepolicy.handbook.book import Book
    from carepolicy.handbook.printed.pieces import Spans, Step
    from carepolicy.handbook.printed.words import PrintWords
    from carepolicy.handbook.steps import FlowStep, Happening
    from carepolicy.policy.model import Flow

SIZES = {"A6": 4, "A5": 2}
"""Cards to a sheet by their size: a quarter of a sheet, or half of it."""


def cards_of(book: Book, words: PrintWords, flow: Flow, chart: Chart, role: str | None) -> list[Step]:
    """A card for each step of a flow, or for those of a role."""
    plans = {card.number: card for sheet in chart.sheets for card in sheet.cards}
    chapter = Chapter(book, words, flow, chart)
    return [
        _card(book, flow, chapter, step, plans[step.number])
        for step in steps_of(book, flow, chart)
        if role is None or plans[step.number].role == role
    ]


def _card(book: Book, flow: Flow, chapter: Chapter, step: FlowStep, plan: Card) -> Step:
    pen = Pen(book)
    ways = Part(book.ui.next, "ways", tuple(_way(pen, book, each) for each in step.ways))
    asked = Part("", "question", (pen.own(step.question, "bold"),))
    parts = [*chapter.limits(step), *chapter.words_of(step)[1:], asked, ways]
    return replace(
        chapter.step(step),
        aside=pen.own(plan.band),
        parts=tuple(each for each in parts if any(each.lines)),
        foot=book.words(flow).flow_title(flow.name),
    )


def _way(pen: Pen, book: Book, way: Happening) -> Spans:
    """An event and where it leads; what else comes of it stands in the handbook."""
    there = way.where.text if way.where is not None else book.ui.stays
    return (*pen.own(way.text), *after(" → ", plain(there, "bold" if way.where is not None else "")))
