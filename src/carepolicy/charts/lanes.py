"""The style "lanes": one column an owner, so that everyone sees what is theirs and where work changes hands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from carepolicy.charts import markup
from carepolicy.charts.card import NOBODY, Drawing
from carepolicy.charts.plan import Entry
from carepolicy.charts.text import escaped, identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    import graphviz

    from carepolicy.charts.plan import Card, Chart, Exit, Sheet


def dot_of(chart: Chart, sheet: Sheet, say: bool = True, heading: bool = True) -> str:
    """The DOT text of one sheet. Best on A3: lanes are wide.

    No arrow leads from lane to lane: a hand-over is a chip on one side and "From step 4" on the other, and so is
    an arrow that joins the main path again. Lines between lanes would have to cross what stands in them.
    """
    lane_of = {card.state: card.role for card in sheet.cards}
    entries = list(sheet.entries)
    cards: list[Card] = []
    for card in sheet.cards:
        for leaving in card.exits:
            if leaving.arrow and _crosses(lane_of, card, leaving):
                told = chart.labels.from_step.format(card.number)
                entries.append(Entry(told, leaving.target.state if leaving.target else "", False, leaving.timer))

        def within(leaving: Exit, card: Card = card) -> Exit:
            stays = not _crosses(lane_of, card, leaving) and leaving.key not in sheet.joins
            return replace(leaving, arrow=leaving.arrow and stays)

        cards.append(card.with_exits(within))
    sheet = replace(sheet, cards=tuple(cards), entries=tuple(entries))
    return _Lanes(chart, sheet, markup.Pen(chart.right_to_left), say).text(heading)


def _crosses(lane_of: Mapping[str, str | None], card: Card, leaving: Exit) -> bool:
    """Whether a way leads into another lane."""
    return leaving.target is not None and lane_of.get(leaving.target.state, card.role) != card.role


class _Lanes(Drawing):
    __slots__ = ()

    def nodes(self, body: graphviz.Digraph) -> None:
        """Lanes in the order in which their owners first act; ends stand in the lane from which they are reached.

        The owner's name is a node beside the first card: a lane's own label would lie under the arrows into it.
        """
        lanes: dict[str | None, list[Card]] = {}
        for card in self.sheet.cards:
            lanes.setdefault(card.role, []).append(card)
        entries = dict(self.entries())
        for place, (role, cards) in enumerate(lanes.items()):
            shade = self.chart.shades.get(role or "", NOBODY)
            with body.subgraph(name=identifier("cluster_lane", str(place))) as lane:
                lane.attr(label="", pencolor=shade.line, bgcolor=shade.tint, margin="10")
                title = markup.font(escaped(cards[0].owner), size=16, colour=shade.on_tint, bold=True)
                lane.node(f"head_{place}", label=f"<{title}>", shape="plain")
                for card in cards:
                    if card.state in entries:
                        self.entry(lane, card.state, entries[card.state])
                    self.card(lane, card)
                for end in self.sheet.ends:
                    if self._lane_of_end(end.state) == role:
                        self.end(lane, end)

    def _ties(self) -> list[tuple[str, str, dict[str, str]]]:
        """Unseen edges from where a lane is first entered, so that lanes follow each other down the sheet."""
        lane_of = {card.state: card.role for card in self.sheet.cards}
        pills = {entry.state for entry in self.sheet.entries if not entry.start}
        entered = {card.role for card in self.sheet.cards[:1]}
        ties: list[tuple[str, str, dict[str, str]]] = []
        for card in self.sheet.cards:
            for leaving in card.exits:
                target = leaving.target.state if leaving.target is not None else ""
                lane = lane_of.get(target, card.role)
                if lane not in entered and target in pills:
                    entered.add(lane)
                    source, head = identifier("state", card.state), identifier("into", target)
                    ties.append((source, head, {"style": "invis", "weight": "0"}))
        return ties

    def lines(self) -> str:
        """Straight stretches: lines from lane to lane have far to go."""
        return "polyline"

    def patience(self) -> dict[str, str]:
        """Frames within the sheet make an order harder to find."""
        return {"mclimit": "10"}

    def _lane_of_end(self, state: str) -> str | None:
        for card in self.sheet.cards:
            if any(
                leaving.arrow and leaving.target is not None and leaving.target.state == state for leaving in card.exits
            ):
                return card.role
        return None
