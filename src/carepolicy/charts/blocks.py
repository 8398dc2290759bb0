"""The blocks of a sheet: a step's card with all that may happen at it, and what may happen at any step.

A block is made for a column of a width, in one of two modes: "beside" has the happenings to the right of the card,
"below" under it. Nothing is left out for want of room: a block that is too tall for a column is cut into parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from carepolicy.charts import strips
from carepolicy.charts.colours import shade, text_on
from carepolicy.charts.letters import length
from carepolicy.charts.markup import (
    QUESTION_GROUND,
    TIMER_GROUND,
    TIMER_LINE,
    TIMER_TEXT,
    end_colours,
)
from carepolicy.charts.plan import Happening, Mark
from carepolicy.charts.strips import (
    FAINT,
    PAD,
    PITCH,
    PLAIN,
    SAID,
    SMALL,
    TITLE,
    Area,
    Cell,
    Ink,
    Item,
    Strip,
    StripFrame,
    StripText,
    Stroke,
    Surface,
    lines_of,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from carepolicy.charts.colours import Shade
    from carepolicy.charts.labels import Labels
    from carepolicy.charts.plan import Card, Chart, Exit, Target

NOBODY = shade("#4A4A4A")
INDENT = 15.0
"""How far a side branch stands from the path that it leaves."""
RAIL = 6.0
"""How far inside of a card's edge the line leaves that leads to the next one."""
LEAD = 12.0
"""Room above a card: for the arrow into it, or for where it is come to from."""
_CHANNEL = 9.0
_THERE = 0.44
"""The part of a row that its destination takes."""
_GAP = 3.0
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class PathPlace:
    """How a step stands in the path: ``depth`` of its side branch, and from which step an arrow may lead to it."""

    depth: int
    parent: str


@dataclass(frozen=True, slots=True)
class BlockPart:
    """A block or a part of one, placed from its own top left corner. ``top`` is where its card begins, ``band`` the
    middle of the card's first row, and ``foot`` where the card ends."""

    height: float
    items: tuple[Item, ...]
    state: str = ""
    first: bool = True
    led: bool = False
    top: float = 0.0
    band: float = 0.0
    foot: float = 0.0
    used: float = 1.0
    """Which part of the column's width is taken, on the average over its height."""


def places_of(cards: Sequence[Card]) -> dict[str, PathPlace]:
    """The side branches of a flow: a step that is come to by an arrow stands under the step from which it comes."""
    numbers = {card.state: card.number for card in cards}
    parents: dict[str, str] = {}
    for card in cards:
        for leaving in card.exits:
            there = leaving.target.state if leaving.target is not None else ""
            if leaving.arrow and numbers.get(there, 0) > card.number:
                parents.setdefault(there, card.state)
    children: dict[str, list[str]] = {}
    for card in cards:
        if card.state in parents:
            children.setdefault(parents[card.state], []).append(card.state)
    main = {card.state for card in cards if card.main}
    depths: dict[str, int] = {}
    found: dict[str, PathPlace] = {}
    path: list[str] = []
    for card in cards:
        parent, depth = parents.get(card.state, ""), 0
        if parent in path:
            del path[path.index(parent) + 1 :]
            onward = card.state in main if parent in main else children[parent][-1] == card.state
            depth = depths[parent] + (0 if onward else 1)
            if onward:
                path.pop()
            if depth > _DEEPEST:
                parent, depth = "", _DEEPEST
        else:
            parent, path = "", []
        path.append(card.state)
        depths[card.state] = depth
        found[card.state] = PathPlace(depth, parent)
    return found


@dataclass(frozen=True, slots=True)
class BlockMaker:
    """Makes the blocks of one chart for columns of one width.

    ``beside`` is the share of the width that a card takes where what happens stands beside it; 0 where that is below.
    ``letters`` are the letters of what is told once for several steps, by its key.

    ``sheets`` says on which sheets a step stands, and under "" where what is told once stands; None where there is but
    one sheet. It is empty while nobody knows yet: room for the number of another sheet is kept all the same, so that
    blocks do not grow when it is known.
    """

    chart: Chart
    places: Mapping[str, PathPlace]
    width: float
    beside: float
    room: float
    say: bool
    letters: Mapping[str, str]
    sheets: Mapping[str, tuple[int, ...]] | None

    def block(
        self, card: Card, events: Sequence[Happening], lead: Sequence[Strip], end: Target | None
    ) -> list[BlockPart]:
        """A step: how it is come to, its card, all that may happen at it, and the end that it leads to."""
        indent = self.places[card.state].depth * INDENT
        side = round(self.width * self.beside) - indent
        across = side if self.beside else self.width - indent
        owner = self.chart.shades.get(card.role or "", NOBODY)
        stack = self.card(card, across, owner)
        panel = self.panel(events, self.width - side - indent - _CHANNEL if self.beside else across, card.state)
        if not self.beside:
            stack += [strips.gap(_GAP), *panel] if panel else []
        if end is not None:
            stack += self.end(end, across)
        before = strips.height_of(lead)
        room = self.room - before - LEAD
        stacks = strips.cut(stack, room)
        panels = strips.cut(panel, room) if self.beside and panel else []
        parts = []
        for index in range(max(len(stacks), len(panels), 1)):
            left = stacks[index] if index < len(stacks) else []
            right = panels[index] if index < len(panels) else []
            if index:
                left = [*self._again(card, across), *left]
            parts.append(self._part(card.state, left, right, lead if not index else (), first=not index))
        return parts

    def _part(
        self, state: str, left: Sequence[Strip], right: Sequence[Strip], lead: Sequence[Strip], *, first: bool
    ) -> BlockPart:
        indent = self.places[state].depth * INDENT
        side = round(self.width * self.beside) - indent
        across = side if self.beside else self.width - indent
        surface = Surface()
        top = surface.stack(lead, indent, 0, self.width - indent) + LEAD
        band = top + left[0].height / 2
        foot = surface.stack(left, indent, top, across)
        bottom, used = foot, 1.0
        if right:
            start = indent + side
            if first:
                surface.items.insert(0, Stroke(((start, band), (start + _CHANNEL, band)), arrow=False))
            end = surface.stack(right, start + _CHANNEL, top, self.width - start - _CHANNEL)
            bottom, share = max(foot, end), start / self.width
            used = 1 - abs(foot - end) * (share if foot < end else 1 - share) / bottom
        elif self.beside:
            used = side / self.width
        return BlockPart(bottom, tuple(surface.items), state, first, bool(lead), top, band, foot, used)

    def _again(self, card: Card, width: float) -> list[Strip]:
        owner = self.chart.shades.get(card.role or "", NOBODY)
        text = self.chart.labels.continued.format(f"{card.number} {card.title}")
        lines = lines_of(text, width, Ink(PLAIN, bold=True, colour=owner.on_tint))
        return row([Cell(0, width, lines, owner.tint)], StripFrame(owner.line), keep=True)

    def card(self, card: Card, width: float, owner: Shade) -> list[Strip]:
        """The owner's band with the limit, number and title, the words to say, and what happens inside."""
        mark = self.chart.marks.get(card.state)
        frame = _framed(mark, StripFrame(owner.line, 1.1))
        stack = self._band(card, width, owner, frame)
        stack += _word(mark, width, frame)
        title = f"{card.number}\u2002{card.title}"
        lines = lines_of(title, width, Ink(TITLE, bold=True))
        stack += row([Cell(0, width, lines, level=2, anchor=card.state)], frame, keep=True)
        if self.say and card.say:
            said = self.chart.labels.quoted.format(card.say)
            stack += row([Cell(0, width, lines_of(said, width, Ink(SAID)))], frame)
        for text in card.inside:
            stack += _inside(text, mark.lines.get(text) if mark is not None else None, width, frame)
        stack += _rows(mark, width, frame)
        return stack

    def _band(self, card: Card, width: float, owner: Shade, frame: StripFrame) -> list[Strip]:
        bold, plain = Ink(PLAIN, bold=True, colour=owner.on_band), Ink(PLAIN, colour=owner.on_band)
        named = length(card.owner, PLAIN, bold=True) + 2 * PAD + 0.5
        limited = length(card.band, PLAIN) + 2 * PAD + 0.5
        if not card.band:
            return row([Cell(0, width, lines_of(card.owner, width, bold), owner.band)], frame, keep=True)
        if named + limited > width:
            named = min(named, max(width - limited, width * 0.4))
        under = lines_of(card.band, width, plain)
        if len(lines_of(card.band, width - named, plain)) > max(len(under), 2):
            lines = (*lines_of(card.owner, width, bold), *under)
            return row([Cell(0, width, lines, owner.band)], frame, keep=True)
        cells = [
            Cell(0, named, lines_of(card.owner, named, bold), owner.band),
            Cell(named, width - named, lines_of(card.band, width - named, plain), owner.band, far=True),
        ]
        return row(cells, frame, keep=True)

    def panel(self, events: Sequence[Happening], width: float, here: str) -> list[Strip]:
        """All that may happen at a step: each event with its question and its answers, in a frame."""
        found: list[Strip] = []
        where = ""
        for event in (each for each in events if each.key not in self.letters):
            found += [strips.gap(_GAP)] if found else []
            if event.where != where:
                where = event.where
                lines = lines_of(where, width, Ink(SMALL, bold=True, colour=FAINT))
                found += [*row([Cell(0, width, lines, "#F0F0F0")], keep=True), strips.gap(1, keep=True)]
            found += self.event(event, width, here)
        told = _ranges(sorted((self.letters[each.key] for each in events if each.key in self.letters), key=index_of))
        if told:
            found += [strips.gap(_GAP)] if found else []
            text = self.chart.labels.also_here.format(told)
            lines = self._told_of_sheet(text, "", here, width, Ink(SMALL, colour=FAINT))
            found += row([Cell(0, width, lines, "#F0F0F0")])
        return found

    def event(self, event: Happening, width: float, here: str, letter: str = "") -> list[Strip]:
        """One event: what happens, the question that decides, and for each answer where it leads."""
        frame = StripFrame(TIMER_LINE, 0.9, "dashed") if event.timer else StripFrame("#767676")
        text = f"{letter}\u2002{event.text}" if letter else event.text
        if not event.question and len(event.answers) == 1:
            return [
                *self._answer(event, event.answers[0], text, width, here, frame, 0),
                *self._settings(event, width, frame),
            ]
        ground, ink = (TIMER_GROUND, TIMER_TEXT) if event.timer else ("", strips.INK)
        lines = lines_of(text, width, Ink(PLAIN, bold=True, colour=ink)) if text else ()
        found = row([Cell(0, width, lines, ground)], frame, keep=True) if lines else []
        if event.question:
            asked = lines_of(event.question, width - 9, Ink(PLAIN, bold=True, colour="#3F3500"))
            found += [_diamond(strip) for strip in row([Cell(9, width - 9, asked, QUESTION_GROUND)], frame, keep=True)]
        found += self._settings(event, width, frame, keep=True)
        for answer in event.answers:
            found += self._answer(event, answer, answer.text, width, here, frame, 6)
        return found

    @staticmethod
    def _settings(event: Happening, width: float, frame: StripFrame, *, keep: bool = False) -> list[Strip]:
        """The settings on which an answer hangs and that it does not name."""
        text = "; ".join(event.settings)
        return row([Cell(0, width, lines_of(text, width, Ink(SMALL, colour=FAINT)))], frame, keep=keep) if text else []

    def _answer(
        self, event: Happening, answer: Exit, text: str, width: float, here: str, frame: StripFrame, indent: float
    ) -> list[Strip]:
        mark = self.chart.marks.get(answer.key)
        ground, ink = (TIMER_GROUND, TIMER_TEXT) if event.timer and not event.question else ("", strips.INK)
        there = round(width * _THERE)
        across = width - there - indent
        lines = [(mark.word, Ink(PLAIN, bold=True, colour=mark.line or strips.INK))] if mark and mark.word else []
        lines += lines_of(text, across, Ink(PLAIN, colour=ink))
        effects = answer.effects
        lines += lines_of(effects, across, Ink(SMALL, colour=FAINT)) if effects else ()
        target, paint, link = self._there(answer, there, here)
        cells = [Cell(indent, across, tuple(lines), ground), Cell(width - there, there, target, paint, link)]
        found = row(cells, frame)
        found = [_marked(strip, mark, width) for strip in found] if mark else found
        return [*found, *_rows(mark, width, frame)]

    def _there(self, answer: Exit, width: float, here: str) -> tuple[tuple[strips.Line, ...], str, str]:
        """Where an answer leads, in the colours of the owner there; with the sheet, where that is another."""
        target = answer.target
        if target is None:
            return lines_of(self.chart.labels.stays, width, Ink(SMALL, colour=FAINT)), "", ""
        if target.number is None:
            _, paint, colour = end_colours(target)
            return lines_of(f"■ {target.title}", width, Ink(PLAIN, bold=True, colour=colour)), paint, ""
        owner = self.chart.shades.get(target.role or "", NOBODY)
        arrow = "←" if self.chart.right_to_left else "→"
        ink = Ink(PLAIN, bold=True, colour=owner.on_tint)
        lines = self._told_of_sheet(f"{arrow} {target.number} {target.title}", target.state, here, width, ink)
        return lines, owner.tint, target.state

    def _told_of_sheet(self, text: str, there: str, here: str, width: float, ink: Ink) -> tuple[strips.Line, ...]:
        """A text, with the sheet of ``there`` where that is another than this; as many lines in either case."""
        if self.sheets is None:
            return lines_of(text, width, ink)
        sheets = self.sheets.get(there, ())
        told = self.chart.labels.on_sheet.format(", ".join(map(str, sheets)))
        other = bool(sheets) and not set(sheets) & set(self.sheets.get(here, ()))
        lines = lines_of(f"{text} · {told}" if other else text, width, ink)
        most = lines_of(f"{text} · {self.chart.labels.on_sheet.format('88, 88')}", width, ink)
        return (*lines, *[("", ink)] * (len(most) - len(lines)))

    def end(self, end: Target, width: float) -> list[Strip]:
        """The end that the path leads to, as a box under its last card."""
        line, ground, _ = end_colours(end)
        mark = self.chart.marks.get(end.state)
        arrow = Stroke(((RAIL, 0), (RAIL, LEAD - 1)))
        text = f"{mark.word} {end.title}" if mark is not None and mark.word else end.title
        cells = [Cell(0, width, lines_of(text, width, Ink(SAID, bold=True)), ground)]
        return [strips.gap(LEAD, (arrow,), keep=True), *row(cells, _framed(mark, StripFrame(line, 1.8)))]

    def lead(self, text: str, width: float, *, start: bool, timer: bool) -> list[Strip]:
        """How cases come to a card from outside of the sheet: a dot and the event for a start."""
        ink = Ink(PLAIN, bold=start, colour=TIMER_TEXT if timer else strips.INK)
        lines = lines_of(text, width - 9, ink)
        found = row([Cell(9, width - 9, lines)], keep=True)
        if start:
            dot = Area(2, PAD + 1.4, 7.5, 7.5, "#111111", radius=3.75)
            found[0] = Strip(found[0].height, (*found[0].items, dot), None, keep=True)
        return found

    def shared(self, events: Iterable[Happening], width: float) -> list[list[Strip]]:
        """What is told once for several steps: each event with its letter, under where it holds."""
        found: list[list[Strip]] = []
        where = None
        for event in events:
            stack = self.event(event, width, "", self.letters[event.key])
            if event.where != where:
                where = event.where
                head = lines_of(where, width, Ink(PLAIN, bold=True))
                stack = [*row([Cell(0, width, head, "#E7E7E7")], keep=True), strips.gap(_GAP, keep=True), *stack]
            found += strips.cut([*stack, strips.gap(_GAP)], self.room)
        return found


def happenings_of(card: Card, labels: Labels) -> tuple[Happening, ...]:
    """All that stands beside a card: its own events that lead on, those that ask and answer alike as one; then those
    of its phase and of any step. What does not move the case stands in the card."""
    own = [
        replace(group[0], text=f" {labels.or_} ".join(dict.fromkeys(event.text for event in group)))
        for group in card.drawn()
    ]
    return (*own, *(event for event in card.events if event.where))


def _ranges(letters: Sequence[str]) -> str:
    """Letters with runs of three and more as one: "A–C, F"."""
    order = [*letters]
    told: list[str] = []
    while order:
        run = 1
        while run < len(order) and index_of(order[run]) == index_of(order[0]) + run:
            run += 1
        told += [f"{order[0]}–{order[run - 1]}"] if run > 2 else order[:run]
        order = order[run:]
    return ", ".join(told)


def letter_of(index: int) -> str:
    """A, B, … Z, AA, AB, …"""
    return chr(65 + index) if index < 26 else letter_of(index // 26 - 1) + chr(65 + index % 26)


def index_of(letter: str) -> int:
    """The place of a letter that ``letter_of`` gave."""
    place = 0
    for each in letter:
        place = place * 26 + ord(each) - 64
    return place - 1


def _diamond(strip: Strip) -> Strip:
    """A question's row, with the sign of a question before it."""
    middle = PAD + PLAIN * PITCH / 2
    ground = Area(0, 0, 9, strip.height, QUESTION_GROUND)
    sign = StripText(PAD, middle - SMALL * PITCH / 2, 9, ("?",), SMALL, bold=True, colour="#6B5900")
    return Strip(strip.height, (ground, *strip.items, sign), strip.frame, strip.keep)


def _framed(mark: Mark | None, usual: StripFrame) -> StripFrame:
    return StripFrame(mark.line, 2.2, mark.style) if mark is not None and mark.line else usual


def _word(mark: Mark | None, width: float, frame: StripFrame) -> list[Strip]:
    if mark is None or not mark.word:
        return []
    ink = Ink(SAID, bold=True, colour=mark.line or strips.INK)
    return row([Cell(0, width, lines_of(mark.word, width, ink))], frame, keep=True)


def _inside(text: str, mark: Mark | None, width: float, frame: StripFrame) -> list[Strip]:
    """What happens without leaving a step, with its own word and ground where it has a mark."""
    if mark is None:
        return row([Cell(0, width, lines_of(f"• {text}", width, Ink(SMALL, colour=FAINT)))], frame)
    ink = Ink(SMALL, bold=True, colour=mark.line or strips.INK)
    lines = lines_of(f"• {mark.word} {text}", width, ink)
    return [*row([Cell(0, width, lines, mark.ground)], frame), *_rows(mark, width, frame)]


def _rows(mark: Mark | None, width: float, frame: StripFrame) -> list[Strip]:
    found: list[Strip] = []
    for text, ground in mark.rows if mark is not None else ():
        lines = lines_of(text, width, Ink(SMALL, bold=True, colour=text_on(ground)))
        found += row([Cell(0, width, lines, ground)], frame)
    return found


def _marked(strip: Strip, mark: Mark, width: float) -> Strip:
    if not mark.line:
        return strip
    border = Area(0.8, 0.8, width - 1.6, strip.height - 1.6, "", mark.line, 1.6, mark.style)
    return Strip(strip.height, (*strip.items, border), strip.frame, strip.keep)
