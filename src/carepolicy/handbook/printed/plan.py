"""The communication plan as the first chapter: why, by which channels, how fast, who, when, and what is written."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean
from carepolicy.handbook.home import calendar_pages, matrix_of
from carepolicy.handbook.messages import message_anchor
from carepolicy.handbook.printed.chapter import chapter_label
from carepolicy.handbook.printed.pieces import (
    BookPen,
    Columns,
    Heading,
    Items,
    Paragraph,
    PrintedTable,
    after,
    joined,
    label,
    plain,
)
from carepolicy.handbook.promises import promises_of
from carepolicy.handbook.settings import settings_of
from carepolicy.handbook.shares import effects_with_places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carepolicy.handbook.book import Book
    from carepolicy.handbook.printed.pieces import Piece, TextSpans
    from carepolicy.handbook.printed.words import PrintWords
    from carepolicy.policy.model import Flow, State


class PlanChapter:
    """Writes the chapter that stands before the flows; ``numbers`` are those of the steps, by flow and state."""

    def __init__(self, book: Book, words: PrintWords, numbers: Mapping[tuple[str, str], int]) -> None:
        self._book, self._ui, self._words, self._numbers = book, book.ui, words, numbers
        self._pen = BookPen(book)
        self._flows = list(book.policies.flows.values())

    def pieces(self) -> list[Piece]:
        """The whole chapter; a section about which the set says nothing is left out."""
        words, ui = self._words, self._ui
        sections = [
            (words.purposes, "purposes", self._purposes()),
            (ui.channels, "channels", self._channels()),
            (words.waits, "waits", self._waits()),
            (words.stewards, "stewards", self._stewards()),
            (ui.who, "who", self._who()),
            (ui.calendars, "calendars", self._calendars()),
            (ui.settings, "settings", self._settings()),
            (words.written, "written", self._written()),
            (words.noted, "noted", self._noted()),
            (ui.glossary, "glossary", self._glossary()),
        ]
        found: list[Piece] = [Heading(1, plain(words.plan), "plan", listed=True, fresh=True)]
        for title, anchor, pieces in sections:
            if pieces:
                found += [Heading(2, plain(title), f"plan-{anchor}", listed=True), *pieces]
        return found

    def _purposes(self) -> list[Piece]:
        own = self._pen.own
        rows = [
            (self._title(flow, "bold"), own(flow.purpose), own(self._book.role(flow.owner))) for flow in self._flows
        ]
        head = (self._ui.flow, self._words.purpose, self._ui.owner)
        return _table((3, 6, 2), head, rows)

    def _channels(self) -> list[Piece]:
        own = self._pen.own
        rows = [
            (
                own(clean(each.title) or each.name, "bold"),
                own(each.address),
                own(self._book.calendar_title(each.calendar) if each.calendar else ""),
            )
            for each in self._book.policies.organisation.channels.values()
        ]
        return _table((3, 5, 3), (self._words.channel, self._words.address, self._words.staffed), rows)

    def _waits(self) -> list[Piece]:
        own, ui = self._pen.own, self._ui
        rows: list[tuple[TextSpans, ...]] = []
        for name, promises in groupby(promises_of(self._book), key=lambda each: each.flow):
            rows.append((self._title(self._book.policies.flows[name], "bold"),))
            rows += [
                (
                    (*own(each.title, "", label(each.flow, each.anchor)), *after(" – ", own(each.promise, "quiet"))),
                    plain(each.limit),
                    plain(each.calendar),
                    plain(each.target),
                )
                for each in promises
            ]
        return _table((6, 5, 2.2, 1.1), (ui.promise, ui.limit, ui.counted_in, ui.target), rows)

    def _stewards(self) -> list[Piece]:
        """Each flow that has a steward, with its times: complaints and surveys among them."""
        words = self._words
        times: dict[str, list[TextSpans]] = {}
        for each in promises_of(self._book):
            told = self._pen.pair(each.title, *plain(each.limit, "bold"))
            times.setdefault(each.flow, []).append(told)
        rows = [
            (self._people(flow.steward), self._title(flow), joined(times.get(flow.name, []), "; "))
            for flow in sorted(self._flows, key=lambda each: each.steward or "")
            if flow.steward is not None
        ]
        return _table((3, 3, 6), (self._ui.steward, self._ui.flow, words.times), rows)

    def _people(self, role: str | None) -> TextSpans:
        known = self._book.policies.organisation.roles.get(role or "")
        people = ", ".join(clean(each) for each in known.people) if known is not None else ""
        return (*self._pen.own(self._book.role(role), "bold"), *after(" – ", plain(people)))

    def _who(self) -> list[Piece]:
        """Two tables: the roles of each flow by the letters of RACI, and the people of each role."""
        own, ui = self._pen.own, self._ui
        roles = matrix_of(self._book)
        rows = [
            (
                self._title(flow),
                *(
                    joined([own(each.title) for each in roles if letter in each.letters[place]], ", ")
                    for letter in "ARCI"
                ),
            )
            for place, flow in enumerate(self._flows)
        ]
        head = (ui.flow, *(f"{letter} – {word}" for letter, word in zip("ARCI", self._letters(), strict=True)))
        people = [
            (own(each.title, "bold"), plain(each.people), own(each.deputy), plain(each.authority)) for each in roles
        ]
        return [
            *([Paragraph(plain(ui.who_note), "quiet")] if roles else []),
            *_table((3, 2, 4, 2, 3), head, rows if roles else []),
            *_table((3, 5, 3, 2), (ui.role, ui.people, ui.deputy, ui.authority), people),
        ]

    def _letters(self) -> tuple[str, ...]:
        return self._ui.accountable, self._ui.responsible, self._ui.consulted, self._ui.informed

    def _calendars(self) -> list[Piece]:
        cards: list[Piece] = []
        for each in calendar_pages(self._book):
            ui, own = self._ui, self._pen.own
            cards.append(Heading(3, own(each.title), f"calendar-{each.name}"))
            zone = self._pen.pair(ui.timezone, *plain(each.timezone))
            cards.append(Paragraph((*plain(each.hours), *after(" · ", zone))))
            for year in each.years:
                none = plain(ui.closed_none.format(year.year))
                cards.append(Paragraph(plain(ui.closed_in.format(year.year), "bold") if year.closed else none))
                cards.append(Items(tuple((*plain(day), *after(" – ", own(why, "quiet"))) for day, why in year.closed)))
                if year.special:
                    cards.append(Paragraph(plain(ui.one_off.format(year.year), "bold")))
                    cards.append(Items(tuple(plain(f"{day}: {hours}") for day, hours in year.special)))
        return [Columns(2, tuple(cards))] if cards else []

    def _settings(self) -> list[Piece]:
        """What the house has decided once, and the flows in which it counts."""
        own, ui = self._pen.own, self._ui
        rows = [
            (own(each.title, "bold"), own(each.value), own(", ".join(flow for flow, _ in each.uses)))
            for each in settings_of(self._book)
        ]
        table = _table((6, 3, 5), (ui.setting, ui.value, ui.used_in), rows)
        return [Paragraph(plain(ui.settings_note), "quiet"), *table] if table else []

    def _written(self) -> list[Piece]:
        """Every message, under the flow that sends it, and the steps at which it goes out."""
        rows: list[tuple[TextSpans, ...]] = []
        for flow in self._flows:
            sent = sorted(self._sent(flow).items())
            rows += [(self._title(flow, "bold"),)] if sent else []
            for name, places in sent:
                subject = plain(self._book.message(flow, name), "", label(flow.name, message_anchor(name)), True)
                rows.append((subject, plain(", ".join(places))))
        return [Columns(2, tuple(_table((5, 2), (self._words.message, self._words.sent), rows)))] if rows else []

    def _sent(self, flow: Flow) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for state, _, effects in effects_with_places(self._book.words(flow), flow):
            for name in effects.send:
                place = self._words.any_step if state is None else self._place(flow, state)
                if place not in found.setdefault(name, []):
                    found[name].append(place)
        return found

    def _place(self, flow: Flow, state: State) -> str:
        number = self._numbers.get((flow.name, state.name))
        return self._words.step.format(number) if number is not None else self._book.words(flow).state(state.name)

    def _noted(self) -> list[Piece]:
        """What each flow's events bear, and how long it is kept."""
        rows = []
        for flow in self._flows:
            names = dict.fromkeys(name for each in flow.events.values() for name in (*each.required, *each.optional))
            facts = ", ".join(dict.fromkeys(self._book.fact(name) for name in names))
            if facts:
                rows.append((self._title(flow), self._pen.own(facts)))
        keep = self._book.policies.organisation.keep
        kept = plain(self._words.kept.format(self._book.limit(keep))) if keep else ()
        return [*([Paragraph(kept)] if kept else []), *_table((3, 9), (self._ui.flow, self._words.noted_facts), rows)]

    def _glossary(self) -> list[Piece]:
        glossary = self._book.policies.organisation.glossary
        items = tuple(
            (*self._pen.own(term, "bold"), *after(" – ", self._pen.own(text))) for term, text in glossary.items()
        )
        return [Items(items)] if items else []

    def _title(self, flow: Flow, look: str = "") -> TextSpans:
        """A flow's title, as a link to its chapter with the page."""
        return self._pen.own(self._book.words(flow).flow_title(flow.name), look, chapter_label(flow.name), page=True)


def _table(widths: tuple[float, ...], head: tuple[str, ...], rows: Sequence[tuple[TextSpans, ...]]) -> list[Piece]:
    """A table, or nothing where it has no row; a column that says nothing in any row is left out.

    A row of one text is a heading over those that follow.
    """
    kept = [place for place in range(len(head)) if any(row[place] for row in rows if len(row) > 1)]
    if not rows:
        return []
    return [
        PrintedTable(
            tuple(widths[place] for place in kept),
            tuple(plain(head[place], "bold") for place in kept),
            tuple(row if len(row) == 1 else tuple(row[place] for place in kept) for row in rows),
        )
    ]
