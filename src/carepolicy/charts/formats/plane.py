"""The places of a BPMN diagram: lanes across, steps in columns from left to right, and lines that run around them.

A line leaves a step for the channel on its right. There it goes up or down to the channel above the row of its target,
along that to the channel on the left of the target, and in that one up or down to it. Channels hold nothing but lines,
each on a track of its own, so that no line can run through a box.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.charts.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle: its left upper corner, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class PlaneNode:
    """What stands in a block: at which slot from the left, in which row, and its text outside of it ("" for none)."""

    key: str
    slot: int
    row: int
    width: float
    height: float
    label: str = ""
    above: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A step with what may happen there, an end, or a start. ``note`` is the key of a text above the step."""

    lane: int
    column: int
    nodes: tuple[PlaneNode, ...]
    note: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class PlaneLine:
    """A flow from one node to another; ``row`` is that in which it leaves the block of its source."""

    key: str
    source: str
    target: str
    row: int
    label: str = ""


@dataclass(slots=True)
class Plane:
    """Where everything is: nodes and notes, texts beside them, lines, lanes, and the whole."""

    boxes: dict[str, Box] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)
    lines: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    lanes: list[Box] = field(default_factory=list)
    frames: list[Box] = field(default_factory=list)
    levels: dict[str, float] = field(default_factory=dict)
    """How far down each line leaves its block."""
    whole: Box = field(default_factory=lambda: Box(0, 0, 0, 0))


JOIN, TASK, WAIT, CATCH, CHOICE, LAST = range(6)
"""Slots of a block from left to right: where lines meet, the step, what it waits for, what happens, the question, an
end."""

_SLOTS = (25.0, 140.0, 260.0, 360.0, 485.0, 780.0)
"""The middle of each slot, in pixels from the left of a block."""

_ANSWER, _ANSWER_WIDTH = 570.0, 165.0
_LETTERS, _LETTER, _TEXT_LINE = 23, 6.5, 14.0
_NOTE_LETTERS, _NOTE_WIDTH = 40, 250.0
_TRACK, _GAP, _HEAD, _APART = 12.0, 24.0, 30.0, 10.0


def plane_of(
    blocks: Sequence[Block],
    lines: Sequence[PlaneLine],
    lanes: int,
    beside: Sequence[tuple[Block, Sequence[PlaneLine]]] = (),
) -> Plane:
    """The plane of a process with so many lanes; ``beside`` are blocks apart from it with their own lines, in frames in
    a lane of their own below the others."""
    return _Layout(blocks, lines, lanes).plane(beside)


class _Layout:
    def __init__(self, blocks: Sequence[Block], lines: Sequence[PlaneLine], lanes: int) -> None:
        self._blocks = blocks
        self._lines = lines
        self._lanes = lanes
        self._block_of = {node.key: block for block in blocks for node in block.nodes}
        self._node_of = {node.key: node for block in blocks for node in block.nodes}
        self._floor: dict[int, int] = {}
        """By block, how many others are above it in its lane and column."""
        filled: dict[tuple[int, int], int] = {}
        for block in blocks:
            place = block.lane, block.column
            self._floor[id(block)] = filled.get(place, 0)
            filled[place] = self._floor[id(block)] + 1
        self._floors = [max((n for (lane, _), n in filled.items() if lane == each), default=1) for each in range(lanes)]
        self._columns = max((block.column for block in blocks), default=0) + 1
        self._made = Plane()

    def plane(self, beside: Sequence[tuple[Block, Sequence[PlaneLine]]]) -> Plane:
        """The plane."""
        outer = [line for line in self._lines if not self._stays_inside(line)]
        left = self._across(outer)
        top, bottom = self._down(outer)
        for block in self._blocks:
            _place(self._made, block, self._lines, (left[block.column], top[self._floor_of(block.nodes[0].key)]))
        for line in self._lines:
            if self._stays_inside(line):
                _draw_inside(self._made, line)
        self._draw_outside(outer)
        right = max(left[-1], _apart(self._made, beside, bottom, left[-1]))
        below = max((frame.y + frame.height + _GAP for frame in self._made.frames), default=bottom)
        self._finish(right, bottom, below, bool(beside))
        return self._made

    def _stays_inside(self, line: PlaneLine) -> bool:
        source, target = self._node_of[line.source], self._node_of[line.target]
        return self._block_of[line.source] is self._block_of[line.target] and source.slot < target.slot

    def _across(self, outer: Sequence[PlaneLine]) -> list[float]:
        """The left side of each column, and the right side of all; makes the tracks of the channels between them."""
        tracks = [0] * (self._columns + 1)
        self._out: dict[str, int] = {}
        self._into: dict[str, int] = {}
        for line in outer:
            here, there = self._block_of[line.source].column + 1, self._block_of[line.target].column
            self._out[line.key], tracks[here] = tracks[here], tracks[here] + 1
            if here != there:
                self._into[line.key], tracks[there] = tracks[there], tracks[there] + 1
        left: list[float] = []
        at = 2 * _HEAD
        self._channels: list[float] = []
        for column in range(self._columns + 1):
            self._channels.append(at + _GAP / 2)
            at += _GAP + _TRACK * tracks[column]
            left.append(at)
            at += max((_width(block) for block in self._blocks if block.column == column), default=0)
        return left

    def _down(self, outer: Sequence[PlaneLine]) -> tuple[dict[tuple[int, int], float], float]:
        """The upper side of each floor of each lane, and the lower side of all."""
        tracks: dict[tuple[int, int], int] = {}
        self._along: dict[str, int] = {}
        for line in outer:
            if line.key in self._into:
                floor = self._floor_of(line.target)
                self._along[line.key] = tracks.get(floor, 0)
                tracks[floor] = self._along[line.key] + 1
        top: dict[tuple[int, int], float] = {}
        self._ledges: dict[tuple[int, int], float] = {}
        at = 0.0
        for lane in range(self._lanes):
            begun = at
            for number in range(self._floors[lane]):
                floor = lane, number
                self._ledges[floor] = at + _GAP / 2
                at += _GAP + _TRACK * tracks.get(floor, 0)
                top[floor] = at
                there = (block for block in self._blocks if (block.lane, self._floor[id(block)]) == floor)
                at += max((_height(block, self._lines) for block in there), default=60)
            at += _GAP / 2
            self._made.lanes.append(Box(_HEAD, begun, 0, at - begun))
        return top, at

    def _floor_of(self, key: str) -> tuple[int, int]:
        block = self._block_of[key]
        return block.lane, self._floor[id(block)]

    def _draw_outside(self, outer: Sequence[PlaneLine]) -> None:
        for line in outer:
            points = _leaving(self._made, line)
            end = self._made.boxes[line.target]
            y = points[-1][1]
            here = self._block_of[line.source].column + 1
            x = self._channels[here] + _TRACK * self._out[line.key]
            points.append((x, y))
            if line.key in self._into:
                along = self._ledges[self._floor_of(line.target)] + _TRACK * self._along[line.key]
                into = self._channels[self._block_of[line.target].column] + _TRACK * self._into[line.key]
                points += [(x, along), (into, along)]
                x = into
            points += [(x, end.middle[1]), (end.x, end.middle[1])]
            self._made.lines[line.key] = tuple(points)
            _write_on(self._made, line)

    def _finish(self, right: float, bottom: float, below: float, beside: bool) -> None:
        made = self._made
        made.lanes = [Box(lane.x, lane.y, right - lane.x + _GAP, lane.height) for lane in made.lanes]
        if beside:
            made.lanes.append(Box(_HEAD, bottom, right - _HEAD + _GAP, below - bottom))
        made.whole = Box(0, 0, right + _GAP, below)


def _apart(made: Plane, beside: Sequence[tuple[Block, Sequence[PlaneLine]]], bottom: float, right: float) -> float:
    """Frames in rows below the lanes, no row wider than they are where that can be; returns their right side."""
    x, y, tall, widest = 2 * _HEAD, bottom + _GAP, 0.0, right
    for block, lines in beside:
        first = min(_SLOTS[node.slot] - node.width / 2 for node in block.nodes) - 60
        width, height = _width(block) - first + 10, _height(block, lines) + 2 * _GAP + _TEXT_LINE
        if x > 2 * _HEAD and x + width > max(right, 1200):
            x, y, tall = 2 * _HEAD, y + tall + _GAP, 0.0
        made.frames.append(Box(x, y, width, height))
        _place(made, block, lines, (x - first, y + _GAP + _TEXT_LINE))
        for line in lines:
            _draw_inside(made, line)
        x, tall, widest = x + width + _GAP, max(tall, height), max(widest, x + width)
    return widest


def _width(block: Block) -> float:
    last = max(block.nodes, key=lambda node: node.slot)
    ends = {CHOICE: _ANSWER + _ANSWER_WIDTH, LAST: _SLOTS[LAST] + 80}
    lone = {JOIN: 130.0}
    note = _SLOTS[TASK] - 60 + _NOTE_WIDTH if block.note else 0
    return max(note, ends.get(last.slot, lone.get(last.slot, _SLOTS[last.slot] + 80)))


def _lines_of(label: str, letters: int = _LETTERS) -> int:
    return len(wrapped(label, letters)) if label else 0


def _note_height(block: Block) -> float:
    return _TEXT_LINE * _lines_of(block.text, _NOTE_LETTERS) + 2 * _APART + _GAP if block.note else 0


def _height(block: Block, lines: Sequence[PlaneLine]) -> float:
    return sum(map(sum, _heights(block, lines))) + _note_height(block)


def _heights(block: Block, lines: Sequence[PlaneLine]) -> list[tuple[float, float]]:
    """For each row of a block the height above and below its middle."""
    own = {node.key for node in block.nodes}
    up: dict[int, float] = {}
    down: dict[int, float] = {}
    for node in block.nodes:
        text = _TEXT_LINE * _lines_of(node.label) + 6 if node.label else 0
        up[node.row] = max(up.get(node.row, 14), node.height / 2 + (text if node.above else 0))
        down[node.row] = max(down.get(node.row, 14), node.height / 2 + (0 if node.above else text))
    for line in lines:
        if line.source in own:
            up[line.row] = max(up.get(line.row, 14), _TEXT_LINE * _lines_of(line.label) + 6)
            down.setdefault(line.row, 14)
    return [(up.get(row, 14) + _APART, down.get(row, 14) + _APART) for row in range(max(up) + 1)]


def _place(made: Plane, block: Block, lines: Sequence[PlaneLine], corner: Point) -> None:
    left, top = corner
    noted = _note_height(block)
    if block.note:
        made.boxes[block.note] = Box(left + _SLOTS[TASK] - 60, top, _NOTE_WIDTH, noted - _GAP)
    middles: list[float] = []
    at = top + noted
    for up, down in _heights(block, lines):
        middles.append(at + up)
        at += up + down
    for node in block.nodes:
        x, y = left + _SLOTS[node.slot], middles[node.row]
        made.boxes[node.key] = Box(x - node.width / 2, y - node.height / 2, node.width, node.height)
        if node.label:
            height, width = _TEXT_LINE * _lines_of(node.label), _LETTERS * _LETTER
            under = y - node.height / 2 - 4 - height if node.above else y + node.height / 2 + 4
            made.labels[node.key] = Box(x - width / 2, under, width, height)
    own = {node.key for node in block.nodes}
    made.levels |= {line.key: middles[line.row] for line in lines if line.source in own}


def _leaving(made: Plane, line: PlaneLine) -> list[Point]:
    """The begin of a line: from the right of its source, or from below it down to a row of its own."""
    source, level = made.boxes[line.source], made.levels[line.key]
    x, y = source.middle
    return [(source.x + source.width, y)] if abs(level - y) < 1 else [(x, source.y + source.height), (x, level)]


def _draw_inside(made: Plane, line: PlaneLine) -> None:
    """A line to the right in its own block, where nothing stands between."""
    end = made.boxes[line.target]
    made.lines[line.key] = (*_leaving(made, line), (end.x, end.middle[1]))
    _write_on(made, line)


def _write_on(made: Plane, line: PlaneLine) -> None:
    """The text of a line, above it where it leaves."""
    if line.label:
        source, level = made.boxes[line.source], made.levels[line.key]
        height = _TEXT_LINE * _lines_of(line.label)
        x = source.middle[0] + _ANSWER - _SLOTS[CHOICE]
        made.labels[line.key] = Box(x, level - height - 4, _ANSWER_WIDTH, height)
