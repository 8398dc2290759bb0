"""How a flow lies on sheets of paper: which steps stand on which sheet, and where everything is on it.

It is worked out once, of the chart, the paper and the language, without a renderer: so "sheet 2, step 5" is one place
on a wall, in a booklet and in a talk on the phone. No letter is smaller than 8 points. Of all ways to cut the
flow into sheets, upright or across, in one column or several, that with the fewest sheets is taken; then the one whose
letters can be enlarged most.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from carepolicy.charts import strips
from carepolicy.charts.blocks import INDENT, LEAD, RAIL, BlockMaker, BlockPart, happenings_of, letter_of, places_of
from carepolicy.charts.colours import text_on
from carepolicy.charts.letters import broken, length
from carepolicy.charts.markup import QUESTION_GROUND, TIMER_GROUND, TIMER_TEXT
from carepolicy.charts.strips import (
    FAINT,
    PAD,
    PITCH,
    SMALL,
    Cell,
    Ink,
    Item,
    Strip,
    StripText,
    Stroke,
    Surface,
    lines_of,
    moved,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from carepolicy.charts.plan import Card, Chart, EntryArrow, Target

PAPERS = {"A4": (595.28, 841.89), "A3": (841.89, 1190.55), "Letter": (612.0, 792.0)}
"""Width and height in points of 1/72 inch: ISO 216 A4 and A3, ANSI A (Letter), upright."""

MARGIN = 28.0
"""Points of white on each side of a sheet (about 1 cm)."""

SMALLEST = SMALL
"""Points of the smallest letters of any sheet."""

USED = 0.78
"""The part of a sheet's width that blocks are to take, where some layout lets them: with it, over 70 % is used however
lines into a card are counted."""

_SCALES = (1.0, 1.04, 1.08, 1.12, 1.16, 1.2, 1.25, 1.3, 1.36, 1.42, 1.5, 1.6, 1.7, 1.8, 2.0, 2.2)
_GUTTER = 14.0
_BESIDE, _BELOW = (340.0, 680.0), (212.0, 340.0)
"""Widths of a column in which happenings stand beside the card, and below it."""
_NARROW, _EVEN = 0.33, 0.8
"""The part of a wide column that a card takes where, as usual, less than the second of the width would be used."""
_QR = 54.0
_HEADING = 17.0
_ROOM_BETWEEN = 3.0
_STRETCH = 12.0
"""Most that the room between two blocks grows where a sheet is not full."""
_TITLED = 24.0
"""Room of the line that stands above what is told once for several steps."""


class UnknownPaper(ValueError):
    """A paper other than those of ``PAPERS``."""


@dataclass(frozen=True, slots=True)
class PaperSheet:
    """One sheet of paper, in points from its upper left corner. ``body`` is from where to where things stand."""

    number: int
    states: tuple[str, ...]
    items: tuple[Item, ...]
    body: tuple[float, float]
    qr: tuple[float, float, float] | None = None
    """Where the QR code of the flow's page stands, and how wide it is."""


@dataclass(frozen=True, slots=True)
class Sheets:
    """A flow on paper. ``scale`` is how much larger everything is than its smallest size."""

    chart: Chart
    paper: str
    width: float
    height: float
    scale: float
    sheets: tuple[PaperSheet, ...]
    sheet_of: Mapping[str, int]
    """The first sheet on which a step stands, by its state."""


@dataclass(frozen=True, slots=True)
class _SheetLayout:
    """A way to lay out all sheets of a flow."""

    width: float
    height: float
    columns: int
    scale: float
    card: float = 0.41
    """The part of a wide column that the card takes."""

    @property
    def across(self) -> float:
        """Width between the margins, before everything is enlarged."""
        return (self.width - 2 * MARGIN) / self.scale

    @property
    def down(self) -> float:
        return (self.height - 2 * MARGIN) / self.scale

    @property
    def column(self) -> float:
        return (self.across - (self.columns - 1) * _GUTTER) / self.columns

    @property
    def beside(self) -> float:
        """The part of a column that the card takes where happenings stand beside it, else 0."""
        return self.card if self.column >= _BESIDE[0] else 0.0

    @property
    def fits(self) -> bool:
        """Whether a column is neither too narrow nor too wide to be read."""
        return _BELOW[0] <= self.column <= _BESIDE[1]


def sheets_of(chart: Chart, paper: str = "A4", *, say: bool = True) -> Sheets:
    """The sheets of a chart that is planned whole; ``say`` False leaves out the words to say. Raises UnknownPaper."""
    if paper not in PAPERS:
        raise UnknownPaper(f'there is no paper "{paper}": choose one of {", ".join(PAPERS)}')
    found = _Work(chart, say)
    short, long = PAPERS[paper]
    layouts = [_SheetLayout(*size, columns, 1.0) for size in ((short, long), (long, short)) for columns in range(1, 7)]
    for several in (False, True):  # on one sheet nothing has to say on which sheet it stands
        trials = [_LayoutTrial(found, layout, several=several) for layout in layouts if layout.fits]
        trials += [
            _LayoutTrial(found, replace(trial.layout, card=_NARROW), several=several)
            for trial in trials
            if trial.layout.beside and min(trial.used) < _EVEN
        ]
        fewest = min(len(trial.cuts) for trial in trials)
        if fewest == 1 or several:
            break
    best = [_enlarged(trial, fewest) for trial in trials if len(trial.cuts) == fewest]
    return _drawn(max(best, key=_worth), paper)


def _enlarged(trial: _LayoutTrial, most: int) -> _LayoutTrial:
    """The same layout with the largest letters with which it needs no more than ``most`` sheets."""
    smaller, larger = 0, len(_SCALES)
    while larger - smaller > 1:
        middle = (smaller + larger) // 2
        layout = replace(trial.layout, scale=_SCALES[middle])
        tried = _LayoutTrial(trial.work, layout, several=trial.several) if layout.fits else None
        if tried is not None and len(tried.cuts) <= most:
            smaller, trial = middle, tried
        else:
            larger = middle
    return trial


def _worth(trial: _LayoutTrial) -> tuple[bool, float, int]:
    """Its width used, large letters, full sheets, and upright ones where these are about the same."""
    upright = trial.layout.width < trial.layout.height
    used = min(trial.used)
    value = trial.layout.scale * (0.5 + 0.3 * min(trial.fullness) + 0.2 * used) + (0.03 if upright else 0)
    return used >= USED, round(value, 6), -trial.layout.columns


class _Work:
    """What is the same for every layout: the cards, what happens at them, and what is told once for several."""

    def __init__(self, chart: Chart, say: bool) -> None:
        self.chart, self.say = chart, say
        (sheet,) = chart.sheets
        self.cards: tuple[Card, ...] = sheet.cards
        self.ends: tuple[Target, ...] = sheet.ends
        self.places = places_of(self.cards)
        self.happenings = {card.state: happenings_of(card, chart.labels) for card in self.cards}
        every = [event for card in self.cards for event in self.happenings[card.state] if event.where]
        counted = Counter(event.key for event in every)
        often = {event.key: event for event in every if counted[event.key] > 1}
        self.shared = tuple(sorted(often.values(), key=lambda event: event.where == chart.labels.anywhere))
        self.letters = {event.key: letter_of(index) for index, event in enumerate(self.shared)}
        self.entries: dict[str, list[EntryArrow]] = {}
        for entry in sheet.entries:
            self.entries.setdefault(entry.state, []).append(entry)
        self.sources: dict[str, list[int]] = {}
        for card in self.cards:
            for event in self.happenings[card.state]:
                for answer in event.answers:
                    if answer.target is not None and not event.where and card.number not in self.into(answer.target):
                        self.into(answer.target).append(card.number)

    def into(self, target: Target) -> list[int]:
        """The numbers of the steps from which a step is come to."""
        return self.sources.setdefault(target.state, [])

    def end_of(self, card: Card) -> Target | None:
        """The end that is drawn under a card: where the path stops there."""
        if any(place.parent == card.state for place in self.places.values()):
            return None
        drawn = (leaving.target for leaving in card.exits if leaving.main and leaving.target in self.ends)
        return next(drawn, None)


class _LayoutTrial:
    """A layout tried: its blocks, and where they are cut into sheets."""

    def __init__(
        self, work: _Work, layout: _SheetLayout, *, several: bool, sheets: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        self.work, self.layout, self.several = work, layout, several
        self.head = _head(work, layout)
        self.foot = _foot(work.chart, layout)
        self.room = layout.down - self.head.height - strips.height_of(self.foot)
        known = sheets if sheets is not None else {} if several else None
        self.maker = BlockMaker(
            work.chart, work.places, layout.column, layout.beside, self.room, work.say, work.letters, known
        )  # fmt: skip
        self.parts = [part for card in work.cards for part in self._block(card)]
        self.columns = layout.columns if layout.columns > 1 else max(1, round(layout.across / 270))
        self.narrow = (layout.across - (self.columns - 1) * _GUTTER) / self.columns
        stacks = replace(self.maker, width=self.narrow, room=self.room - _TITLED).shared(work.shared, self.narrow)
        if layout.columns > 1:  # what is told once goes on in the columns of the steps
            self.parts += _told_below(work.chart.labels.any_step, stacks, self.narrow)
            stacks = []
        self.stacks = stacks
        self._heights = [part.height for part in self.parts]
        self._stack_heights = [strips.height_of(stack) for stack in stacks]

    @cached_property
    def cuts(self) -> list[tuple[int, int]]:
        """From which to which thing each sheet holds: blocks in order, then what is told once."""
        return _cuts(len(self.parts) + len(self.stacks), self._held)

    @property
    def fullness(self) -> list[float]:
        """Which part of each sheet is taken."""
        return [dict(self._held(begin)).get(end, 0.0) for begin, end in self.cuts]

    @property
    def used(self) -> list[float]:
        """Which part of its width each sheet uses, on the average over the height to which it is filled."""
        found = []
        for cut in self.cuts:
            blocks, stacks = self._split(*cut)
            parts, columns = self.parts[blocks], self.layout.columns
            below = _lowest(self._stack_heights[stacks], self.columns, 0)
            height = _lowest([part.height for part in parts], columns, _ROOM_BETWEEN)
            area = (
                sum(part.used * part.height for part in parts) / columns
                + sum(self._stack_heights[stacks]) / self.columns
            )
            found.append(area / (height + below) if height + below else 1.0)
        return found

    def _held(self, begin: int) -> Iterator[tuple[int, float]]:
        """Up to which things a sheet may hold that starts with one, each with the part of the sheet that is taken."""
        count, columns = len(self._heights), self.layout.columns
        column, used, total = 0, 0.0, 0.0
        for end in range(begin, count):
            height = self._heights[end]
            if used and used + _ROOM_BETWEEN + height > self.room:
                column, used = column + 1, height
            else:
                used += height + (_ROOM_BETWEEN if used else 0)
            if column >= columns:
                return
            total += height
            yield end + 1, min(total / (columns * self.room), 1.0)
        first = max(begin - count, 0)
        above = _lowest(self._heights[begin:], columns, _ROOM_BETWEEN) + _TITLED
        for end in range(first, len(self._stack_heights)):
            heights, room = self._stack_heights[first : end + 1], self.room - above
            if (max(heights) > room or len(_columns(heights, room, 0)) > self.columns) and (
                end > first or begin < count
            ):
                return
            yield count + end + 1, min((above + sum(heights) / self.columns) / self.room, 1.0)

    def _split(self, begin: int, end: int) -> tuple[slice, slice]:
        count = len(self.parts)
        return slice(begin, min(end, count)), slice(max(begin - count, 0), max(end - count, 0))

    def _block(self, card: Card) -> list[BlockPart]:
        work = self.work
        entries = work.entries.get(card.state, [])
        lead: list[Strip] = []
        if entries:
            text = f" {work.chart.labels.or_} ".join(dict.fromkeys(entry.text for entry in entries))
            start, timer = any(entry.start for entry in entries), all(entry.timer for entry in entries)
            width = self.layout.column - work.places[card.state].depth * INDENT
            lead = self.maker.lead(text, width, start=start, timer=timer)
        return self.maker.block(card, work.happenings[card.state], lead, work.end_of(card))

    def sheets(self) -> dict[str, tuple[int, ...]]:
        """On which sheets each step stands, and under "" what is told once."""
        found: dict[str, tuple[int, ...]] = {}
        for number, (begin, end) in enumerate(self.cuts, start=1):
            blocks, stacks = self._split(begin, end)
            for state in dict.fromkeys(part.state for part in self.parts[blocks]):  # "" too, of what is told once
                found[state] = (*found.get(state, ()), number)
            if self.stacks[stacks]:
                found[""] = (*found.get("", ()), number)
        return found


def _cuts(count: int, held: Callable[[int], Iterable[tuple[int, float]]]) -> list[tuple[int, int]]:
    """The fewest runs of things that fit, and of these the ones that leave sheets equally full."""
    best: list[tuple[int, float, int] | None] = [(0, 0.0, 0), *[None] * count]
    for begin in range(count):
        before = best[begin]
        if before is None:
            continue
        for end, share in held(begin):
            option = (before[0] + 1, before[1] + (1 - share) ** 2, begin)
            best[end] = option if (known := best[end]) is None else min(known, option)
    cuts: list[tuple[int, int]] = []
    end = count
    while end and (found := best[end]) is not None:
        cuts.append((found[2], end))
        end = found[2]
    return cuts[::-1] or [(0, 0)]


def _lowest(heights: Sequence[float], columns: int, between: float) -> float:
    """The least height of columns that hold these things in order."""
    if not heights:
        return 0.0
    if columns == 1:
        return sum(heights) + between * (len(heights) - 1)
    low, high = max(heights), sum(heights) + between * (len(heights) - 1)
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if len(_columns(heights, middle, between)) <= columns else (middle, high)
    return high


def _columns(heights: Sequence[float], room: float, between: float) -> list[list[int]]:
    """Things in order in columns of at most ``room``: the places of those of each column."""
    found: list[list[int]] = [[]]
    used = 0.0
    for place, height in enumerate(heights):
        more = height + (between if found[-1] else 0)
        if found[-1] and used + more > room + 0.01:
            found.append([])
            used, more = 0.0, height
        found[-1].append(place)
        used += more
    return found


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands at the top of each sheet."""

    height: float
    items: tuple[Item, ...]
    badge: float
    qr: float


def _head(work: _Work, layout: _SheetLayout) -> _Head:
    """The flow's title, what the sheet is and whether it is the newest; at the far side its number and a QR code."""
    chart = work.chart
    qr = _QR if work.chart.address else 0.0
    badge = max(length(chart.labels.sheet.format(88, 88), 11, bold=True) + 2 * PAD + 1, qr)
    across = layout.across - badge - 2 * PAD
    title = Cell(0, across, lines_of(chart.title, across, Ink(_HEADING, bold=True)), level=1)
    facts = " · ".join(part for part in chart.footer if part != chart.title)
    wide = across if qr else layout.across + 2 * PAD
    small = Cell(0, wide, lines_of(facts, wide, Ink(SMALL, colour=FAINT)))
    surface = Surface()
    bottom = surface.stack([*row([title]), *row([small])], -PAD, -PAD, across)
    return _Head(max(bottom, qr + 11 * PITCH + 2 if qr else 0) + 3, tuple(surface.items), badge, qr)


def _foot(chart: Chart, layout: _SheetLayout) -> list[Strip]:
    """The legend, with only what occurs."""
    (sheet,) = chart.sheets
    signs = [
        (text, shade.band, shade.on_band) for role, text in chart.roles.items() if (shade := chart.shades.get(role))
    ]
    events = [event for card in sheet.cards for event in card.events]
    if any(event.question for event in events):
        signs.append((f"? {chart.labels.question}", QUESTION_GROUND, strips.INK))
    if any(event.timer for event in events):
        signs.append((chart.labels.timer, TIMER_GROUND, TIMER_TEXT))
    signs += [(text, ground, text_on(ground)) for text, ground in chart.legend]
    cells: list[list[Cell]] = [[]]
    x = 0.0
    for text, ground, ink in signs:
        wide = min(length(text, SMALL, bold=True) + 2 * PAD + 1, layout.across)
        if cells[-1] and x + wide > layout.across:
            cells.append([])
            x = 0.0
        cells[-1].append(Cell(x, wide, lines_of(text, wide, Ink(SMALL, bold=True, colour=ink)), ground))
        x += wide + 4
    return [strips.gap(6), *(strip for line in cells if line for strip in (*row(line), strips.gap(2)))]


def _drawn(trial: _LayoutTrial, paper: str) -> Sheets:
    """The sheets of a layout, everything at its place, with the numbers of sheets where those are known by now."""
    if trial.several:
        known = _LayoutTrial(trial.work, trial.layout, several=True, sheets=trial.sheets())
        known.cuts = trial.cuts
        trial = known
    sheets = tuple(_sheet(trial, number, cut) for number, cut in enumerate(trial.cuts, start=1))
    first: dict[str, int] = {}
    for sheet in sheets:
        for state in sheet.states:
            first.setdefault(state, sheet.number)
    layout = trial.layout
    return Sheets(
        trial.work.chart, paper, layout.width, layout.height, layout.scale, sheets, first
    )  # fmt: skip


def _sheet(trial: _LayoutTrial, number: int, cut: tuple[int, int]) -> PaperSheet:
    layout, chart = trial.layout, trial.work.chart
    blocks, stacks = trial._split(*cut)
    surface = Surface(list(trial.head.items))
    badge = chart.labels.sheet.format(number, len(trial.cuts))
    where = layout.across - trial.head.badge
    surface.items.append(StripText(where, 0, trial.head.badge, (badge,), 11, bold=True, far=True))
    top = trial.head.height
    parts = trial.parts[blocks]
    below = _lowest(trial._stack_heights[stacks], trial.columns, 0) + _TITLED if trial.stacks[stacks] else 0.0
    used = _zone(trial, surface, parts, top, trial.room - below)
    if trial.stacks[stacks]:
        used = _told_once(trial, surface, trial.stacks[stacks], used)
    bottom = layout.down - strips.height_of(trial.foot)
    surface.stack(trial.foot, 0, bottom, layout.across)
    scale = layout.scale
    items = tuple(_placed(item, layout, chart.right_to_left) for item in surface.items)
    qr = None
    if trial.head.qr:
        x = 0.0 if chart.right_to_left else layout.across - trial.head.qr
        qr = (MARGIN + x * scale, MARGIN + (11 * PITCH + 2) * scale, trial.head.qr * scale)
    body = (MARGIN + top * scale, MARGIN + used * scale)
    states = tuple(dict.fromkeys(part.state for part in parts if part.state))
    return PaperSheet(number, states, items, body, qr)


def _zone(trial: _LayoutTrial, surface: Surface, parts: Sequence[BlockPart], top: float, room: float) -> float:
    """The blocks of a sheet in columns, with the arrows between them. Gives the y below them."""
    layout = trial.layout
    heights = [part.height for part in parts]
    lowest = _lowest(heights, layout.columns, _ROOM_BETWEEN)
    columns = _columns(heights, lowest, _ROOM_BETWEEN)
    gaps = max((sum(bool(parts[place].state) for place in places) for places in columns), default=1)
    between = _ROOM_BETWEEN + max(0.0, min((room - lowest) / max(gaps, 1), _STRETCH))
    bottom = top
    for index, places in enumerate(columns):
        x = index * (layout.column + _GUTTER)
        y = top
        standing: list[tuple[BlockPart, float]] = []
        for place in places:
            part = parts[place]
            standing.append((part, y))
            surface.items += (moved(item, x, y) for item in part.items)
            y += part.height + (between if part.state else _ROOM_BETWEEN)
        surface.items += (moved(item, x, 0) for item in _arrows(trial.work, standing, layout.column))
        bottom = max([bottom, *(begin + part.height for part, begin in standing)])
    return bottom


def _arrows(work: _Work, standing: Sequence[tuple[BlockPart, float]], width: float) -> Iterator[Item]:
    """How each block of a column is come to: from a card above it, else in words."""
    feet: dict[str, float] = {}
    for part, y in standing:
        if not part.state:
            continue
        place = work.places[part.state]
        x = place.depth * INDENT + RAIL
        if part.led:
            yield Stroke(((x, y + part.top - LEAD + 1), (x, y + part.top)))
        if part.first and place.parent in feet:
            above = work.places[place.parent].depth * INDENT + RAIL
            foot = feet[place.parent]
            if above == x and not part.led:
                yield Stroke(((above, foot), (x, y + part.top)))
            elif above < x:
                yield Stroke(((above, foot), (above, y + part.band), (x - RAIL, y + part.band)))
        elif part.first and not part.led and work.sources.get(part.state):
            yield Stroke(((x, y + 1), (x, y + part.top)))
            numbers = ", ".join(map(str, work.sources[part.state][:6]))
            lines = broken(work.chart.labels.from_step.format(numbers), width - x - 12, SMALL)
            yield StripText(x + 8, y + 0.5, width - x - 12, lines[:1], SMALL, colour=FAINT)
        feet[part.state] = y + part.foot


def _told_below(title: str, stacks: Sequence[list[Strip]], width: float) -> list[BlockPart]:
    """What may happen at several steps, as blocks that follow those of the steps; the first under a title."""
    found: list[BlockPart] = []
    for stack in stacks:
        surface = Surface()
        if not found:
            surface.items.append(StripText(0, 8, width, (title,), strips.SAID, bold=True, level=2))
        bottom = surface.stack(stack, 0, 0 if found else _TITLED, width)
        found.append(BlockPart(bottom, tuple(surface.items)))
    return found


def _told_once(trial: _LayoutTrial, surface: Surface, stacks: Sequence[list[Strip]], top: float) -> float:
    """What may happen at several steps, in columns under everything else. Gives the y below it."""
    title = trial.work.chart.labels.any_step
    surface.items.append(StripText(0, top + 8, trial.layout.across, (title,), strips.SAID, bold=True, level=2))
    heights = [strips.height_of(stack) for stack in stacks]
    columns = _columns(heights, _lowest(heights, trial.columns, 0), 0)
    bottom = top
    for index, places in enumerate(columns):
        run = [strip for place in places for strip in stacks[place]]
        x = index * (trial.narrow + _GUTTER)
        bottom = max(bottom, surface.stack(run, x, top + _TITLED, trial.narrow))
    return bottom


def _placed(item: Item, layout: _SheetLayout, right_to_left: bool) -> Item:
    """An item where it stands on the paper: enlarged, between the margins, mirrored where lines begin at the right."""
    scale = layout.scale

    def across(x: float, width: float = 0.0) -> float:
        return MARGIN + (layout.across - x - width if right_to_left else x) * scale

    if isinstance(item, Stroke):
        return replace(item, points=tuple((across(x), MARGIN + y * scale) for x, y in item.points))
    placed = replace(item, x=across(item.x, item.width), y=MARGIN + item.y * scale, width=item.width * scale)
    if isinstance(placed, StripText):
        return replace(placed, size=placed.size * scale)
    return replace(placed, height=placed.height * scale, thick=placed.thick * scale, radius=placed.radius * scale)
