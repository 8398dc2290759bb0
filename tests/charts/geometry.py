"""Measures on a laid-out chart: which boxes overlap, which arrows cross, which arrows run over a box.

Positions are Graphviz's own (``-Tjson``), in points. Texts of a card chart all stand in nodes, so that no text
is covered where no two nodes overlap and no arrow runs through a node that is not its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import combinations, pairwise

SLACK = 1.0
NEAR = 6.0


@dataclass(frozen=True)
class Box:
    name: str
    left: float
    bottom: float
    right: float
    top: float

    def grown(self, by):
        return Box(self.name, self.left - by, self.bottom - by, self.right + by, self.top + by)

    def holds(self, point):
        return self.left <= point[0] <= self.right and self.bottom <= point[1] <= self.top


@dataclass(frozen=True)
class Line:
    tail: str
    head: str
    points: tuple

    def segments(self):
        return list(zip(self.points, self.points[1:], strict=False))


def layout(source):
    """Boxes and lines of a DOT text as Graphviz lays it out."""
    from carepolicy.charts.render import render

    data = json.loads(render(source, "json"))
    objects = data.get("objects", [])
    boxes = {each["_gvid"]: _box(each) for each in objects if "pos" in each and "width" in each}
    lines = []
    for edge in data.get("edges", []):
        curves = [op["points"] for op in edge.get("_draw_", []) if op["op"] in "bB"]
        points = [point for curve in curves for point in _flat(curve)]
        lines.append(Line(boxes[edge["tail"]].name, boxes[edge["head"]].name, tuple(points)))
    return list(boxes.values()), lines


def overlaps(boxes):
    """Pairs of nodes whose boxes share more than a hair."""
    found = []
    for one, other in combinations(boxes, 2):
        across = min(one.right, other.right) - max(one.left, other.left)
        down = min(one.top, other.top) - max(one.bottom, other.bottom)
        if across > SLACK and down > SLACK:
            found.append((one.name, other.name))
    return found


def crossings(boxes, lines):
    """Pairs of arrows that cut each other, away from a node that both touch."""
    by_name = {box.name: box for box in boxes}
    found = []
    for one, other in combinations(lines, 2):
        shared = [by_name[name].grown(NEAR) for name in {one.tail, one.head} & {other.tail, other.head}]
        for here in _meetings(one, other):
            if not any(box.holds(here) for box in shared) and not _along_together(one, other, shared):
                found.append(((one.tail, one.head), (other.tail, other.head), here))
                break
    return found


def runs_over(boxes, lines):
    """Arrows that run through a node which is neither their tail nor their head."""
    found = []
    for line in lines:
        for box in boxes:
            inner = box.grown(-2 * SLACK)
            if box.name not in (line.tail, line.head) and any(inner.holds(point) for point in _dense(line)):
                found.append(((line.tail, line.head), box.name))
    return found


def faults(source):
    """All that is wrong with a chart's layout, as text; empty where nothing is."""
    boxes, lines = layout(source)
    told = [f"{one} overlaps {other}" for one, other in overlaps(boxes)]
    told += [f"{one} crosses {other} at {here}" for one, other, here in crossings(boxes, lines)]
    return told + [f"{line} runs over {name}" for line, name in runs_over(boxes, lines)]


def _box(node):
    x, y = (float(part) for part in node["pos"].split(","))
    width, height = 36 * float(node["width"]), 36 * float(node["height"])
    return Box(node["name"], x - width, y - height, x + width, y + height)


def _flat(points):
    flat = [tuple(points[0])]
    for start in range(0, len(points) - 3, 3):
        a, b, c, d = points[start : start + 4]
        for step in range(1, 9):
            t = step / 8
            u = 1 - t
            flat.append(tuple(u**3 * a[i] + 3 * u * u * t * b[i] + 3 * u * t * t * c[i] + t**3 * d[i] for i in (0, 1)))
    return flat


def _dense(line):
    for (x1, y1), (x2, y2) in line.segments():
        steps = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) / 2))
        for step in range(steps + 1):
            yield (x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps)


def _meetings(one, other):
    for p, q in one.segments():
        for r, s in other.segments():
            here = _cut(p, q, r, s)
            if here is not None:
                yield here


def _cut(p, q, r, s):
    """Where two stretches cut each other, the ends included; None where they are parallel or apart."""
    across = (q[0] - p[0]) * (s[1] - r[1]) - (q[1] - p[1]) * (s[0] - r[0])
    if abs(across) < 1e-9:
        return None
    t = ((r[0] - p[0]) * (s[1] - r[1]) - (r[1] - p[1]) * (s[0] - r[0])) / across
    u = ((r[0] - p[0]) * (q[1] - p[1]) - (r[1] - p[1]) * (q[0] - p[0])) / across
    if 0 <= t <= 1 and 0 <= u <= 1:
        return (p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]))
    return None


def _along_together(one, other, shared):
    """Arrows out of one node may share their first stretch: that is a fork, not a crossing."""
    if not shared:
        return False
    mine, theirs = list(_dense(one)), list(_dense(other))
    away = [point for point in mine if not any(box.holds(point) for box in shared)]
    near = [min(abs(x - a) + abs(y - b) for a, b in theirs) < 3 for x, y in away]
    flips = sum(before != after for before, after in pairwise(near))
    return flips <= 1
