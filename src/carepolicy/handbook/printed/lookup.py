"""What customers say, from A to Z, with the pages of the flows that help: the search of the site, on paper."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from carepolicy.handbook.printed.chapter import chapter_label
from carepolicy.handbook.printed.pieces import Columns, Entries, Heading, Span, label, plain
from carepolicy.handbook.search import spoken
from carepolicy.handbook.steps import anchor_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.handbook.book import Book
    from carepolicy.handbook.printed.pieces import Piece, Spans

COLUMNS = 3


def lookup_of(book: Book) -> list[Piece]:
    """The chapter of phrases; nothing where no flow has any."""
    found: dict[str, list[str]] = {}
    for phrase, place in _phrases(book):
        places = found.setdefault(phrase, [])
        if place not in places:
            places.append(place)
    if not found:
        return []
    lines = tuple(_line(phrase, found[phrase]) for phrase in sorted(found, key=_order))
    heading = Heading(1, plain(book.ui.search), "lookup", listed=True, fresh=True)
    return [heading, Columns(COLUMNS, (Entries(lines),))]


def _phrases(book: Book) -> Iterator[tuple[str, str]]:
    """Each phrase with the label of the flow, or of the step, that it is said of."""
    for flow in book.policies.flows.values():
        yield from ((phrase, chapter_label(flow.name)) for phrase in spoken(flow.synonyms))
        for state in flow.states.values():
            place = label(flow.name, anchor_of(state.name))
            yield from ((phrase, place) for phrase in spoken(state.synonyms))


def _line(phrase: str, places: list[str]) -> Spans:
    first, *others = places
    return (Span(phrase, "", "", first, True), *(Span("", "", "", place, True) for place in others))


def _order(phrase: str) -> tuple[str, str]:
    """As a dictionary has it: without regard to capitals and accents."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", phrase) if not unicodedata.combining(each))
    return bare.casefold(), phrase
