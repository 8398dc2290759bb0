"""The booklet of a role: its people and hours, then its part in each flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.handbook.home import calendar_pages, matrix_of
from carepolicy.handbook.printed.chapter import COLUMNS, Chapter, chapter_label
from carepolicy.handbook.printed.pieces import Columns, Heading, Items, Paragraph, Pen, after, joined, label, plain
from carepolicy.handbook.shares import share_of
from carepolicy.handbook.steps import anchor_of, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from carepolicy.charts.plan import Chart
    from carepolicy.handbook.book import Book
    from carepolicy.handbook.printed.pieces import Piece, Spans
    from carepolicy.handbook.printed.words import PrintWords
    from carepolicy.handbook.shares import HandOver, Notice, Share
    from carepolicy.policy.model import Flow


class RoleBooklet:
    """Writes the pieces of one role's booklet."""

    def __init__(
        self, book: Book, words: PrintWords, role: str, flows: Sequence[Flow], charts: Mapping[str, Chart]
    ) -> None:
        self._book, self._ui, self._words, self._role = book, book.ui, words, role
        self._flows, self._charts = flows, charts
        self._pen = Pen(book)

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

    def _titles(self, charge: Callable[[Flow], str | None]) -> Spans:
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

    def _place(self, flow: Flow, state: str, numbers: Mapping[str, int]) -> Spans:
        number = numbers.get(state)
        title = self._book.words(flow).state(state)
        return self._pen.own(
            title if number is None else f"{number} {title}", "bold", label(flow.name, anchor_of(state))
        )


def _paragraphs(texts: list[Spans]) -> list[Piece]:
    return [Paragraph(each) for each in texts if each]


def _items(texts: list[Spans]) -> list[Piece]:
    return [Items(tuple(texts))] if texts else []
