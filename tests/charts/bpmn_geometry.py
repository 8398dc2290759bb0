"""Measures on the diagram of a BPMN file: which lines run through a box, which boxes and which texts overlap."""

from __future__ import annotations

from itertools import combinations, pairwise
from xml.etree import ElementTree

DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
POINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


def faults(text):
    """All that is wrong with a diagram, as text; empty where nothing is."""
    root = ElementTree.fromstring(text)
    kinds = {each.get("id"): each.tag.removeprefix(BPMN) for each in root.iter() if each.get("id")}
    ends = {
        each.get("id"): {each.get("sourceRef"), each.get("targetRef")} for each in root.iter() if each.get("sourceRef")
    }
    holding = ("participant", "lane", "subProcess")
    boxes = {each.get("bpmnElement"): _box(each.find(f"{DC}Bounds")) for each in root.iter(f"{DI}BPMNShape")}
    lanes = {key: box for key, box in boxes.items() if kinds[key] == "lane"}
    frames = {key: box for key, box in boxes.items() if kinds[key] == "subProcess"}
    whole = next(box for key, box in boxes.items() if kinds[key] == "participant")
    small = {key: box for key, box in boxes.items() if kinds[key] not in holding}
    edges = {each.get("bpmnElement"): _points(each) for each in root.iter(f"{DI}BPMNEdge")}
    texts = {
        each.get("bpmnElement"): _box(label.find(f"{DC}Bounds"))
        for each in root.iter()
        if each.tag in (f"{DI}BPMNShape", f"{DI}BPMNEdge") and (label := each.find(f"{DI}BPMNLabel")) is not None
    }
    told = [f"{one} overlaps {other}" for one, other in _overlapping(small)]
    told += [f"{one} overlaps {other}" for one, other in _overlapping(frames)]
    told += [f"the text of {one} lies on that of {other}" for one, other in _overlapping(texts)]
    told += [
        f"the text of {one} lies on {key}"
        for one, text in texts.items()
        for key, box in small.items()
        if _meet(text, box)
    ]
    told += [f"{key} is outside of the whole" for key, box in {**boxes, **texts}.items() if not _holds(whole, box)]
    told += [
        f"{key} stands in no lane"
        for key, box in small.items()
        if not any(_holds(each, box) for each in lanes.values())
    ]
    for key, points in edges.items():
        told += [
            f"{key} is slanted at {p}" for p, q in pairwise(points) if min(abs(p[0] - q[0]), abs(p[1] - q[1])) > 0.5
        ]
        own = ends[key]
        for other, box in small.items():
            if other not in own and any(_runs_through(p, q, box) for p, q in pairwise(points)):
                told.append(f"{key} runs through {other}")
        for end in own:
            inner = (boxes[end][0] + 2, boxes[end][1] + 2, boxes[end][2] - 2, boxes[end][3] - 2)
            if any(_runs_through(p, q, inner) for p, q in pairwise(points)):
                told.append(f"{key} runs through its own {end}")
    return told


def _box(bounds):
    x, y, width, height = (float(bounds.get(key)) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _points(edge):
    return [(float(each.get("x")), float(each.get("y"))) for each in edge.findall(POINT)]


def _meet(one, other):
    return min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1


def _holds(outer, inner):
    return all(a <= b + 0.5 for a, b in zip(outer[:2], inner[:2], strict=True)) and all(
        a >= b - 0.5 for a, b in zip(outer[2:], inner[2:], strict=True)
    )


def _overlapping(boxes):
    return [(one, other) for one, other in combinations(boxes, 2) if _meet(boxes[one], boxes[other])]


def _runs_through(p, q, box):
    """Whether an upright or level stretch has more than a point inside of a box."""
    left, right = sorted((p[0], q[0]))
    top, bottom = sorted((p[1], q[1]))
    return left < box[2] - 0.5 and right > box[0] + 0.5 and top < box[3] - 0.5 and bottom > box[1] + 0.5
