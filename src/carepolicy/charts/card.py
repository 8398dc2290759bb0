"""The style "card": a path of cards down the page, with chips in place of long arrows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import graphviz

from carepolicy.charts import markup
from carepolicy.charts.colours import PLAIN, shade
from carepolicy.charts.markup import GREY, Pen, destination, font, target_colours
from carepolicy.charts.text import escaped, identifier, width, wrapped
from carepolicy.translations import primary_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.plan import Card, Chart, EntryArrow, Exit, Happening, Mark, Note, Sheet, Target


FONT = "Arial"
_SCRIPT_FONTS = {"ar": "Noto Sans Arabic", "fa": "Noto Sans Arabic", "ur": "Noto Sans Arabic", "he": "Noto Sans Hebrew"}
NOBODY = shade("#4A4A4A")
_FAN = 3
_TIMED = {"style": "dashed", "color": markup.TIMER_LINE}


def dot_of(chart: Chart, sheet: Sheet, say: bool = True, heading: bool = True) -> str:
    """The DOT text of one sheet. ``say`` False leaves out the words to say, for a smaller page."""
    return Drawing(chart, sheet, Pen(chart.right_to_left), say).text(heading)


def font_of(language: str) -> str:
    """A font that has the script of a language and that both the building and the reading side can have."""
    return _SCRIPT_FONTS.get(primary_language(language), FONT)


def empty_graph(chart: Chart, name: str) -> graphviz.Digraph:
    """A graph with the settings that all styles share."""
    face = font_of(chart.language)
    graph = graphviz.Digraph(name=identifier(name) or "chart")
    graph.attr("graph", rankdir="TB", bgcolor="white", fontname=face, charset="UTF-8", pad="0.1")
    graph.attr("node", fontname=face, fontsize="11")
    graph.attr("edge", fontname=face, fontsize="11", color="#444444", arrowsize="0.7", penwidth="1.2")
    return graph


@dataclass(slots=True)
class Drawing:
    """One sheet being written. Lines are kept back until all nodes stand, each in its own part of the sheet."""

    chart: Chart
    sheet: Sheet
    pen: Pen
    say: bool
    edges: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def text(self, heading: bool) -> str:
        """The whole DOT text."""
        graph = empty_graph(self.chart, f"{self.chart.flow}_1")
        graph.attr("graph", splines=self.lines(), nodesep="0.2", ranksep="0.18", labelloc="b", labeljust="l",
                   **self.patience())  # fmt: skip
        with graph.subgraph(name="cluster_sheet") as body:
            body.attr(pencolor="transparent", labelloc="t", margin="4")
            if heading:
                body.attr(label=heading_of(self.pen, self.chart, self.sheet))
            self.nodes(body)
            for tail, head, attributes in (*self.edges, *self._ties()):
                body.edge(tail, head, **attributes)
        graph.attr("graph", label=self._foot())
        return str(graph.source)

    def nodes(self, body: graphviz.Digraph) -> None:
        """All that stands on the sheet, in reading order."""
        for state, entries in self.entries():
            self.entry(body, state, entries)
        for card in self.sheet.cards:
            self.card(body, card)
        for end in self.sheet.ends:
            self.end(body, end)

    def lines(self) -> str:
        """Right angles where few lines leave each node, else straight stretches.

        Graphviz routes right angles one by one, and lines that fan out of one node then cut each other;
        straight stretches follow the planar order of the layout. No line has a label, so both are safe.
        """
        return "ortho" if all(_is_calm(card) for card in self.sheet.cards) else "polyline"

    def patience(self) -> dict[str, str]:
        """How hard Graphviz is to look for an order without crossings, where that is more than usual."""
        return {}

    def _ties(self) -> list[tuple[str, str, dict[str, str]]]:
        """Unseen edges from a short side branch to each tree that nothing on the sheet leads to.

        Without them such a tree stands at the very top, and its tall cards push the start away from the first step.
        """
        arrows = {each.target.state for card in self.sheet.cards for each in card.exits if each.arrow and each.target}
        entered = {entry.state for entry in self.sheet.entries}
        started = {entry.state for entry in self.sheet.entries if entry.start}
        leaves = [card for card in self.sheet.cards if not card.main and not any(each.arrow for each in card.exits)]
        ties: list[tuple[str, str, dict[str, str]]] = []
        for card in self.sheet.cards[1:]:
            if card.state in arrows | started:
                continue
            above = next((leaf for leaf in leaves if leaf.number < card.number and leaf.state in arrows), None)
            if above is not None:
                leaves.remove(above)
                head = identifier("into" if card.state in entered else "state", card.state)
                ties.append((identifier("state", above.state), head, {"style": "invis", "weight": "0"}))
        return ties

    def _foot(self) -> str:
        cards = self.sheet.cards
        roles = list(dict.fromkeys(card.role for card in cards if card.role is not None))
        kinds = ["question"] if any(event.question for card in cards for event in card.own if event.moves) else []
        timed = any(leaving.timer for card in cards for leaving in card.exits)
        kinds += ["timer"] if timed else []
        page = self.chart.labels.page.format(1, 1)
        return markup.foot(self.pen, self.chart, roles, kinds, page)

    def entries(self) -> list[tuple[str, list[EntryArrow]]]:
        """Entries by state: several events that open a case at one card share one arrow."""
        states = dict.fromkeys(entry.state for entry in self.sheet.entries)
        return [(state, [entry for entry in self.sheet.entries if entry.state == state]) for state in states]

    def entry(self, graph: graphviz.Digraph, state: str, entries: list[EntryArrow]) -> None:
        """How cases come to a card from outside of the sheet."""
        pill = identifier("into", state)
        timer = all(entry.timer for entry in entries)
        text = f" {self.chart.labels.or_} ".join(entry.text for entry in entries)
        main = {"group": "main"} if self._is_main(state) else {}
        if any(entry.start for entry in entries):
            dot = identifier("start", state)
            tip = self._tip(self.chart.labels.start)
            graph.node(dot, label="", shape="circle", width="0.18", height="0.18", fixedsize="true", style="filled",
                       fillcolor="#111111", color="#111111", tooltip=tip, **main)  # fmt: skip
            self._edge(dot, pill, arrowhead="none", weight="20")
        self._pill(graph, pill, markup.pill(self.pen, text, "", timer=timer), text, main)
        self._edge(pill, identifier("state", state), weight="20")

    def _is_main(self, state: str) -> bool:
        return any(card.main for card in self.sheet.cards if card.state == state)

    def card(self, graph: graphviz.Digraph, card: Card) -> None:
        """A step with its question, the texts of its arrows and its chips."""
        main = {"group": "main"} if card.main else {}
        here = identifier("state", card.state)
        say = self.chart.labels.quoted if self.say else ""
        label = markup.card(self.pen, card, self._shade(card.role), self.chart.marks.get(card.state), say=say)
        look = markup.framed(self.chart.marks.get(card.state)) | main
        graph.node(here, label=label, id=f"state-{identifier(card.state)}",
                   tooltip=self._tip(told(self.chart, card)), **look)  # fmt: skip
        plain, asked = _drawn(card)
        for key, group in _bundles(card, plain, len(asked)):
            self._exit(graph, card, key, group, here)
        for events in asked:
            source = self._question(graph, card, events, main)
            for key, group in _bundles(card, events[0].answers, 0):
                self._exit(graph, card, key, group, source)

    def _question(
        self, graph: graphviz.Digraph, card: Card, events: Sequence[Happening], main: Mapping[str, str]
    ) -> str:
        """What happens, and below it the question that it puts."""
        event = events[0]
        here, ask = identifier("state", card.state), identifier("ask", event.key)
        leads = any(each.main for each in event.answers)
        main = main if leads else {}
        label = markup.question(self.pen, event.question, event.settings)
        for timer in (False, True):
            alike = [each for each in events if each.timer is timer]
            if not alike:
                continue
            pill = identifier("event", alike[0].key)
            text = f" {self.chart.labels.or_} ".join(each.text for each in alike)
            straight = main if timer is event.timer else {}
            line = _TIMED if timer else {}
            self._pill(graph, pill, markup.pill(self.pen, text, "", timer=timer), text, straight, timer=timer)
            self._edge(here, pill, arrowhead="none", weight="20" if straight else "2", **line)
            self._edge(pill, ask, weight="20" if straight or timer is event.timer else "2", **line)
        graph.node(ask, label=label, shape="diamond", style="filled", margin="0",
                   fillcolor=markup.QUESTION_GROUND, color=markup.QUESTION_LINE, penwidth="1.6",
                   tooltip=self._tip(event.asked), **main)  # fmt: skip
        return ask

    def _exit(self, graph: graphviz.Digraph, card: Card, key: str, group: Sequence[Exit], source: str) -> None:
        leaving = group[0]
        timed = all(each.timer for each in group)
        line = _TIMED if timed else {}
        node = identifier("exit", card.state, key)
        target = leaving.target
        if not leaving.arrow or target is None:
            alone = len(group) == 1
            chips = [self._chip(each, card, alone=alone) for each in group]
            label = markup.stack(chips, markup.TIMER_LINE if timed else "#767676")
            told_chips = "; ".join(self._told_chip(each, card) for each in group)
            look = markup.framed(self.chart.marks.get(leaving.key) if alone else None)
            graph.node(node, label=label, tooltip=self._tip(told_chips), **look)
            self._edge(source, node, **line)
            return
        main = {"group": "main"} if leaving.main else {}
        weight = "20" if leaving.main else "1"
        mark = self.chart.marks.get(leaving.key)
        label = markup.pill(self.pen, leaving.text, leaving.effects, timer=leaving.timer, mark=mark)
        framed = {"color": mark.line, "penwidth": "3", "style": _pill_style(mark)} if mark and mark.line else {}
        self._pill(graph, node, label, leaving.text, main | framed, timer=leaving.timer)
        kind = "state" if target.number is not None else "end"
        self._edge(source, node, arrowhead="none", weight=weight, **line)
        self._edge(node, identifier(kind, target.state), weight=weight, **line)

    def _told_chip(self, leaving: Exit, card: Card) -> str:
        there = leaving.target.title if leaving.target is not None else self._stays(card)
        return self.chart.labels.told_of.format(leaving.text, there)

    def _stays(self, card: Card) -> str:
        return self.chart.labels.stays_at.format(card.number)

    def _edge(self, tail: str, head: str, **attributes: str) -> None:
        self.edges.append((tail, head, attributes))

    def _chip(self, leaving: Exit, card: Card, *, alone: bool) -> str:
        target = leaving.target
        mark = self.chart.marks.get(leaving.key)
        if target is None:
            colours = markup.step_colours(self._shade(card.role))
            return markup.chip(self.pen, leaving, colours, self._stays(card), mark=mark, alone=alone)
        here = target.number is not None or target in self.sheet.ends
        link = (f"#state-{identifier(target.state)}", target.title) if here else ("", "")
        colours = markup.target_colours(target, self._shade(target.role))
        there = markup.destination(self.pen, target)
        return markup.chip(self.pen, leaving, colours, there, link, mark, alone=alone)

    def _pill(
        self, graph: graphviz.Digraph, name: str, label: str, text: str, main: Mapping[str, str], *, timer: bool = False
    ) -> None:
        ground, line = (markup.TIMER_GROUND, markup.TIMER_LINE) if timer else ("white", "#767676")
        look = {"style": "rounded,filled", "fillcolor": ground, "color": line, "penwidth": "0.8"} | dict(main)
        graph.node(name, label=label, shape="box", margin="0.08,0.04", height="0.1", width="0.1",
                   tooltip=self._tip(text), **look)  # fmt: skip

    def end(self, graph: graphviz.Digraph, end: Target) -> None:
        """An end that is drawn as a box."""
        line, ground, _ = markup.end_colours(end)
        mark = self.chart.marks.get(end.state)
        line = mark.line if mark is not None and mark.line else line
        graph.node(identifier("end", end.state), label=markup.ending(self.pen, end, mark), shape="box",
                   style="rounded,filled", peripheries="2", penwidth="2", color=line, fillcolor=ground, group="main",
                   id=f"state-{identifier(end.state)}", margin="0.15,0.06", height="0.3",
                   tooltip=self._tip(self.chart.labels.ends.format(end.title)))  # fmt: skip

    def _shade(self, role: str | None) -> Shade:
        return self.chart.shades.get(role or "", NOBODY)

    def _tip(self, text: str) -> str:
        return str(graphviz.escape(escaped(text)))


def _pill_style(mark: Mark) -> str:
    return f"rounded,filled,{mark.style}" if mark.style in ("dashed", "dotted") else "rounded,filled"


def told(chart: Chart, card: Card) -> str:
    """A card as one sentence: "Step 4, Investigate. Complaint specialist. 5 business days."."""
    parts = [f"{chart.labels.step.format(card.number)}, {card.title}", card.owner, card.band]
    mark = chart.marks.get(card.state)
    if mark is not None:
        parts += [mark.word, *(text for text, _ in mark.rows)]
        for line, each in mark.lines.items():
            parts += [chart.labels.told_of.format(each.word, line), *(text for text, _ in each.rows)]
    return " ".join(part.rstrip(".") + "." for part in parts if part)


def _drawn(card: Card) -> tuple[list[Exit], list[tuple[Happening, ...]]]:
    """What leads on from a card itself, and the questions that it puts, each with the events that put it."""
    groups = list(card.drawn())
    plain = [answer for events in groups if not events[0].question for answer in events[0].answers]
    return plain, [events for events in groups if events[0].question]


def _is_calm(card: Card) -> bool:
    """Whether right angles are safe: two lines from a node, or on the main path one more to either side."""
    plain, asked = _drawn(card)
    for exits, below in ((plain, len(asked)), *((events[0].answers, 0) for events in asked)):
        leading = [group[0] for _, group in _bundles(card, exits, below)]
        chips = sum(not leaving.arrow for leaving in leading)
        lines = len(leading) + below
        if below > 1 or lines > _FAN or (lines == _FAN and (chips > 1 or not card.main)):
            return False
    return True


def _bundles(card: Card, exits: Sequence[Exit], below: int) -> list[tuple[str, list[Exit]]]:
    """Exits of one node with the names of theirs; ``below`` are its other lines.

    Where more than three leave it, its chips share a frame, those that happen by themselves apart; where that is
    still too many, all of its chips are in one frame. More lines than that would cross.
    """
    found: list[tuple[str, list[Exit]]] = []
    framed: dict[bool, list[Exit]] = {}
    arrows = sum(each.arrow for each in exits) + below
    for leaving in exits:
        key = leaving.key.removeprefix(f"{card.state}-")
        kind = leaving.timer and arrows + 2 <= _FAN
        if leaving.arrow or len(exits) + below <= _FAN:
            found.append((key, [leaving]))
        elif kind in framed:
            framed[kind].append(leaving)
        else:
            framed[kind] = [leaving]
            found.append((key, framed[kind]))
    return found


_COLUMNS = 56
"""Text columns of one column of notes."""

_ONE, _TWO = 12, 18
"""Lines of notes up to which they stand in one column beside the title, or in two below it."""

_SLACK = 3
"""Lines by which a column may be longer than an even share, so that none is begun for a single note."""

_WIDE = 9
"""Cards from which on a sheet is wide enough for three columns of notes."""


def heading_of(pen: Pen, chart: Chart, sheet: Sheet) -> str:
    """The label above a sheet. Many notes stand below the title in columns of about the same height."""
    blocks = [_block(pen, chart, note) for note in sheet.notes(chart)]
    columns = _in_columns(pen, blocks, chart.labels.told_of, wide=len(sheet.cards) >= _WIDE)
    beside = len(columns) == 1
    text = font(pen.lines(wrapped(chart.title, 24 if beside else 40), "near"), size=20, bold=True)
    cells = [f'<TD VALIGN="TOP" ALIGN="{pen.near}" BALIGN="{pen.near}">{text}</TD>']
    notes = [f'<TD VALIGN="TOP">{column}</TD>' for column in columns]
    if beside:
        rows = pen.row([*cells, *notes])
    else:
        rows = pen.row(cells)
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="0">{pen.row(notes)}</TABLE>'
        rows += pen.row([f'<TD ALIGN="{pen.near}">{table}</TD>']) if notes else ""
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="6" CELLPADDING="2">{rows}</TABLE>>'


Block = tuple[str, str, int]
"""A note: where it holds, its marked-up text, and how many lines that takes."""


def _in_columns(pen: Pen, blocks: list[Block], told_of: str, *, wide: bool) -> list[str]:
    lines = sum(block[2] for block in blocks)
    count = 1 if lines <= _ONE else 2 if lines <= _TWO or not wide else 3
    if not blocks:
        return []
    height = max(-(-lines // count), *(block[2] for block in blocks)) + _SLACK
    columns: list[list[Block]] = [[]]
    filled = 0
    for block in blocks:
        if columns[-1] and filled + block[2] > height and len(columns) < count:
            columns.append([])
            filled = 0
        columns[-1].append(block)
        filled += block[2]
    return [_column(pen, column, told_of) for column in columns]


def _column(pen: Pen, blocks: list[Block], told_of: str) -> str:
    """One cell: rows of their own would be stretched to the height of the column beside it."""
    lines: list[str] = []
    last = ""
    for where, text, _ in blocks:
        if lines:
            lines.append(f'{font("&#160;", size=3 if where == last else 6)}<BR ALIGN="{pen.near}"/>')
        if where != last:
            last = where
            title = pen.lines(wrapped(told_of.format(where, "").rstrip(), _COLUMNS), "near")
            lines.append(font(title, size=11, bold=True))
            lines.append(f'{font("&#160;", size=2)}<BR ALIGN="{pen.near}"/>')
        lines.append(text)
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="{GREY}" BGCOLOR="#FFFFFF">'
        f'<TR><TD ALIGN="{pen.near}" BALIGN="{pen.near}" VALIGN="TOP">{"".join(lines)}</TD></TR></TABLE>'
    )


def _block(pen: Pen, chart: Chart, note: Note) -> Block:
    """An event of many steps: on one line with what follows, or with its question and a line for each answer."""
    event, told_of = note.event, chart.labels.told_of
    if not event.question:
        lines = [line for each in event.answers for line in _answer(pen, chart, each, "• ")]
    else:
        lines = [font(pen.line(line), size=11) for line in _hung("• ", told_of.format(event.text, event.asked))]
        lines += [f"{_INDENT}{line}" for each in event.answers for line in _answer(pen, chart, each, "– ")]
    return note.where, "".join(f'{line}<BR ALIGN="{pen.near}"/>' for line in lines), len(lines)


def _answer(pen: Pen, chart: Chart, leaving: Exit, bullet: str) -> list[str]:
    """Marked-up lines: what happens, what follows from it, and where it leads."""
    mark = chart.marks.get(leaving.key)
    colour = mark.line if mark is not None else None
    effects = leaving.effects or (chart.labels.records if leaving.target is None else "")
    text = chart.labels.told_of.format(leaving.text, effects) if effects else leaving.text
    text = f"{mark.word} {text}" if mark is not None and mark.word else text
    lines = _hung(bullet, text)
    said = [font(pen.line(line), size=11, colour=colour) for line in lines]
    target = leaving.target
    if target is None:
        return said
    _, _, ink = target_colours(target, chart.shades.get(target.role or "", PLAIN))
    there = destination(pen, target)
    there = there if target.number is not None else f"{pen.arrow} {there}"
    if width(lines[-1]) + width(there) < _COLUMNS:
        bold = font(pen.line(there), size=11, colour=ink, bold=True)
        pair = (bold, said[-1]) if pen.right_to_left else (said[-1], bold)
        return [*said[:-1], " ".join(pair)]
    return [*said, *(font(pen.line(line), size=11, colour=ink, bold=True) for line in _hung("", there))]


_INDENT = "&#160;&#160;&#160;"


def _hung(bullet: str, text: str) -> list[str]:
    """Lines of a note, the first behind its bullet."""
    first, *rest = wrapped(text, _COLUMNS - 2) or [""]
    return [f"{bullet}{first}", *rest]
