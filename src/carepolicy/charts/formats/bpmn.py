"""BPMN 2.0 (OMG formal/2013-12-09) with diagram interchange: a lane for each owner, and lines that run around tasks.

A state is a user task with its time limits and the words to say beside it, then the wait for what may come next: a
catch event for each trigger, behind an event-based gateway where there are several. Guards become an exclusive gateway
with conditions. What happens without leaving a state is told in the task's documentation. Ids of sequence flows that
lead to the next state are ``move_…``, so a reader finds the transitions of the policy again. What may happen at any
step, and only tells somebody or ends the case, is an event sub-process, once for all steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from carepolicy.charts.formats.arcs import arcs_of, elapsed_seconds
from carepolicy.charts.formats.plane import CATCH, CHOICE, JOIN, LAST, TASK, WAIT, Block, PlaneLine, PlaneNode, plane_of
from carepolicy.charts.text import clean, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from carepolicy.charts.formats.arcs import Arc, ArcGraph
    from carepolicy.charts.formats.plane import Box, Point
    from carepolicy.policy.model import Policies

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TARGET = "https://carepolicy.invalid/bpmn"
_PREFIXES = {"bpmn": BPMN, "bpmndi": BPMNDI, "dc": DC, "di": DI, "xsi": XSI}

_EVENT, _GATEWAY, _TASK = (36.0, 36.0), (50.0, 50.0), (120.0, 80.0)


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as BPMN XML."""
    for prefix, uri in _PREFIXES.items():
        ElementTree.register_namespace(prefix, uri)
    process = _Process(arcs_of(policies, flow_name, language))
    process.write()
    root = ElementTree.Element(_tag("definitions"), {"id": identifier("set", flow_name), "targetNamespace": TARGET})
    together = _under(root, "collaboration", id=identifier("collaboration", flow_name))
    pool = identifier("pool", flow_name)
    _under(together, "participant", id=pool, name=process.title, processRef=process.key)
    root.append(process.element())
    root.append(_Diagram(process, str(together.get("id")), pool).element())
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


@dataclass(slots=True)
class _ProcessBody:
    """What a process or a sub-process holds: nodes, flows between them, and where they stand."""

    nodes: dict[str, ElementTree.Element] = field(default_factory=dict)
    flows: dict[str, ElementTree.Element] = field(default_factory=dict)
    lines: list[PlaneLine] = field(default_factory=list)

    def node(self, tag: str, key: str, name: str = "") -> ElementTree.Element:
        """A new node."""
        self.nodes[key] = ElementTree.Element(_tag(tag), {"id": key, **({"name": name} if name else {})})
        return self.nodes[key]

    def flow(self, key: str, source: str, target: str, row: int, name: str = "") -> ElementTree.Element:
        """A new flow, which leaves its block in a row."""
        ends = {"sourceRef": source, "targetRef": target}
        self.flows[key] = ElementTree.Element(
            _tag("sequenceFlow"), {"id": key, **({"name": name} if name else {}), **ends}
        )
        self.lines.append(PlaneLine(key, source, target, row, name))
        return self.flows[key]

    def elements(self) -> list[ElementTree.Element]:
        """All nodes, each with the flows that arrive and leave, then all flows."""
        for element in self.nodes.values():
            here = element.get("id")
            lists = [("incoming", "targetRef"), ("outgoing", "sourceRef")]
            flows = self.flows.values()
            listed = [(tag, str(flow.get("id"))) for tag, end in lists for flow in flows if flow.get(end) == here]
            first = 1 if element.find(_tag("documentation")) is not None else 0
            for place, (tag, key) in enumerate(listed, start=first):
                child = ElementTree.Element(_tag(tag))
                child.text = key
                element.insert(place, child)
        return [*self.nodes.values(), *self.flows.values()]


class _Process:
    """The process of a flow, and the blocks of which its diagram is made."""

    def __init__(self, graph: ArcGraph) -> None:
        self.graph = graph
        self.key = identifier("flow", graph.flow.name)
        self.title = graph.words.flow_title(graph.flow.name)
        self.main = _ProcessBody()
        self.blocks: list[Block] = []
        self.beside: dict[str, tuple[ElementTree.Element, Block, _ProcessBody]] = {}
        self.notes: dict[str, tuple[str, str]] = {}
        """By its key the task that a note is of, and its text."""
        self.lanes = _lanes_of(graph)
        self.lane_of: dict[str, int] = {}
        self._apart = {trigger: arcs for trigger, arcs in graph.alike().items() if self._ends(arcs)}
        self._columns = _columns_of(graph, self._apart)
        self._arriving = self._arrivals()
        self._joined = {name for name, arriving in self._arriving.items() if arriving > 1}
        """States at which several flows arrive: these merge in sight, at a gateway before the task or end."""

    def _ends(self, arcs: Sequence[Arc]) -> bool:
        """Whether arcs lead to no step."""
        return all(arc.target is None or self.graph.flow.states[arc.target].final is not None for arc in arcs)

    def write(self) -> None:
        """Write all of it."""
        graph, words = self.graph, self.graph.words
        starts = graph.starts or tuple((state, "") for state in graph.start_states())
        for first, event in starts:
            key = identifier("start", first, event)
            start = self.main.node("startEvent", key, words.event(event) if event else words.labels.start)
            if event:
                _under(start, "messageEventDefinition", id=f"{key}_message")
            self.main.flow(identifier("begin", first, event), key, self._door(first), 0)
            self._block(self._lane(first), 0, [PlaneNode(key, JOIN, 0, *_EVENT, str(start.get("name")))])
        for name in graph.order:
            if graph.flow.states[name].final is None:
                self._step(name)
            elif self._arriving.get(name):
                self._end(name)
        for trigger in self._apart:
            self._at_any_step(trigger)

    def element(self) -> ElementTree.Element:
        """The process as XML."""
        element = ElementTree.Element(_tag("process"), {"id": self.key, "name": self.title, "isExecutable": "false"})
        lanes = _under(element, "laneSet", id=identifier("lanes", self.graph.flow.name))
        for number, name in enumerate(self.lane_names()):
            lane = _under(lanes, "lane", id=f"lane_{number}", name=name)
            for key in (*self.main.nodes, *self.beside):
                if self.lane_of[key] == number:
                    _under(lane, "flowNodeRef").text = key
        element.extend(self.main.elements())
        for sub, _, part in self.beside.values():
            sub.extend(part.elements())
            element.append(sub)
        for key, (task, text) in self.notes.items():
            _under(_under(element, "textAnnotation", id=key), "text").text = text
            _under(element, "association", id=f"of_{key}", sourceRef=task, targetRef=key)
        return element

    def lane_names(self) -> list[str]:
        """What the lanes are called: by their owners, and that of what may happen at any step."""
        names = [self.graph.words.role(role) for role in self.lanes]
        return [*names, self.graph.words.labels.anywhere] if self.beside else names

    def _arrivals(self) -> dict[str, int]:
        """How many flows arrive at a state."""
        count: dict[str, int] = {}
        graph = self.graph
        for first, _ in graph.starts or tuple((state, "") for state in graph.start_states()):
            count[first] = count.get(first, 0) + 1
        for name in graph.flow.states:
            for arcs in self._moving(name):
                stays = all(arc.when is not None for arc in arcs)
                for door in [arc.target or name for arc in arcs] + [name] * stays:
                    count[door] = count.get(door, 0) + 1
        return count

    def _moving(self, name: str) -> list[list[Arc]]:
        """What may happen at a state and leads on, by trigger, but for what is told once for all steps."""
        if self.graph.flow.states[name].final is not None:
            return []
        triggers: dict[str, list[Arc]] = {}
        for arc in self.graph.of(name):
            triggers.setdefault(arc.trigger, []).append(arc)
        moving = {key: arcs for key, arcs in triggers.items() if any(arc.target for arc in arcs)}
        return [arcs for key, arcs in moving.items() if key not in self._apart]

    def _end(self, name: str) -> None:
        key = identifier("state", name)
        title = self.graph.words.state(name)
        self.main.node("endEvent", key, title)
        nodes = [PlaneNode(key, TASK, 0, *_EVENT, title)]
        self._block(self._lane(name), self._columns[name], self._met(name, nodes))

    def _step(self, name: str) -> None:
        words, card = self.graph.words, self.graph.cards[name]
        key = identifier("state", name)
        task = self.main.node("userTask", key, f"{card.number} {card.title}")
        told = [f"{card.owner}.", *(f"{line}." for line in self.graph.limits(name)), clean(card.say)]
        told += [f"{arc.text}: {words.effects(arc.transition.effects, sends=True) or words.labels.records}."
                 for arc in self.graph.of(name) if arc.target is None and arc.trigger not in self._apart]  # fmt: skip
        _under(task, "documentation").text = "\n".join(part for part in told if part)
        moving = self._moving(name)
        nodes = self._met(name, [PlaneNode(key, TASK, 0, *_TASK)])
        source = key
        if not moving:
            stop = identifier("stop", name)
            self.main.node("endEvent", stop, card.title)
            self.main.flow(identifier("to_stop", name), key, stop, 0)
            nodes.append(PlaneNode(stop, CATCH, 0, *_EVENT, card.title))
        if len(moving) > 1:
            source = identifier("wait", name)
            self.main.node("eventBasedGateway", source)
            self.main.flow(identifier("to_wait", name), key, source, 0)
            nodes.append(PlaneNode(source, WAIT, 0, *_GATEWAY))
        row = 0
        for place, arcs in enumerate(moving):
            row = self._trigger(nodes, place, row, arcs, source)
        note = "\n".join((*self.graph.limits(name), words.labels.quoted.format(clean(card.say)) if card.say else ""))
        noted = identifier("note", name) if note.strip() else ""
        if noted:
            self.notes[noted] = (key, note.strip())
        self._block(self._lane(name), self._columns[name], nodes, noted, note.strip())

    def _met(self, name: str, nodes: list[PlaneNode]) -> list[PlaneNode]:
        """The nodes with a gateway before them where several flows arrive."""
        if name not in self._joined:
            return nodes
        key = identifier("state", name)
        self.main.node("exclusiveGateway", f"join_{key}")
        self.main.flow(f"from_join_{key}", f"join_{key}", key, 0)
        return [PlaneNode(f"join_{key}", JOIN, 0, *_GATEWAY), *nodes]

    def _trigger(self, nodes: list[PlaneNode], place: int, row: int, arcs: list[Arc], source: str) -> int:
        """What follows a trigger; returns the next free row."""
        name = arcs[0].source
        catch = identifier("on", name, str(place))
        said = self._said(arcs[0])
        _define(self.main.node("intermediateCatchEvent", catch, said), arcs[0])
        self.main.flow(identifier("to_on", name, str(place)), source, catch, row)
        nodes.append(PlaneNode(catch, CATCH, row, *_EVENT, said))
        if len(arcs) == 1 and arcs[0].when is None and arcs[0].target is not None:
            self.main.flow(identifier("move", name, str(place), "0"), catch, self._door(arcs[0].target), row)
            return row + 1
        choice = identifier("choice", name, str(place))
        question = self._question(name, arcs[0].trigger)
        gateway = self.main.node("exclusiveGateway", choice, question)
        self.main.flow(identifier("to_choice", name, str(place)), catch, choice, row)
        nodes.append(PlaneNode(choice, CHOICE, row, *_GATEWAY, question, above=True))
        for index, arc in enumerate(arcs):
            key = identifier("move" if arc.target is not None else "stay", name, str(place), str(index))
            self._choice(
                gateway, arc, self.main.flow(key, choice, self._door(arc.target or name), row, self._answer(arc))
            )
            row += 1
        if all(arc.when is not None for arc in arcs):
            stays = identifier("stay", name, str(place))
            self.main.flow(stays, choice, self._door(name), row, self.graph.words.labels.otherwise)
            gateway.set("default", stays)
            row += 1
        return row

    def _at_any_step(self, trigger: str) -> None:
        """What may happen at any step, once: an event sub-process. Where an answer lets the case stay, it does not
        interrupt, and what ends the case says so."""
        words, arcs = self.graph.words, self._apart[trigger]
        key = identifier("any", trigger)
        said = self._said(arcs[0])
        sub = ElementTree.Element(_tag("subProcess"), {"id": key, "name": said, "triggeredByEvent": "true"})
        part = _ProcessBody()
        staying = any(arc.target is None for arc in arcs) or all(arc.when is not None for arc in arcs)
        start = part.node("startEvent", f"{key}_start", said)
        if staying:
            start.set("isInterrupting", "false")
        _define(start, arcs[0])
        nodes = [PlaneNode(f"{key}_start", CATCH, 0, *_EVENT, said)]
        source, gateway = f"{key}_start", None
        if len(arcs) > 1 or arcs[0].when is not None:
            source, question = f"{key}_choice", words.labels.which
            gateway = part.node("exclusiveGateway", source, question)
            part.flow(f"to_{source}", f"{key}_start", source, 0)
            nodes.append(PlaneNode(source, CHOICE, 0, *_GATEWAY, question, above=True))
        for row, arc in enumerate(arcs):
            end, title = f"{key}_end_{row}", self._outcome(arc)
            ending = part.node("endEvent", end, title)
            if arc.target is not None and staying:
                _under(ending, "terminateEventDefinition", id=f"{end}_ends")
            named = self._answer(arc) if gateway is not None else ""
            flow = part.flow(f"{key}_way_{row}", source, end, row, named)
            if gateway is not None:
                self._choice(gateway, arc, flow)
            nodes.append(PlaneNode(end, LAST, row, *_EVENT, title))
        if gateway is not None and gateway.get("default") is None:
            last = f"{key}_end_{len(arcs)}"
            part.node("endEvent", last, words.labels.stays)
            part.flow(f"{key}_stay", source, last, len(arcs), words.labels.otherwise)
            gateway.set("default", f"{key}_stay")
            nodes.append(PlaneNode(last, LAST, len(arcs), *_EVENT, words.labels.stays))
        self.beside[key] = (sub, Block(0, 0, tuple(nodes)), part)
        self.lane_of[key] = len(self.lanes)

    def _outcome(self, arc: Arc) -> str:
        """What comes of an answer: the end of the case, and what is done besides."""
        words = self.graph.words
        effects = words.effects(arc.transition.effects, sends=True)
        ends = words.state(arc.target) if arc.target is not None else "" if effects else words.labels.records
        return ", ".join(part for part in (ends, effects) if part)

    def _choice(self, gateway: ElementTree.Element, arc: Arc, flow: ElementTree.Element) -> None:
        if arc.when is None:
            gateway.set("default", str(flow.get("id")))
            return
        _expression(flow, "conditionExpression", clean(arc.when))

    def _answer(self, arc: Arc) -> str:
        return clean(arc.transition.answer) or self.graph.words.guard(arc.transition, arc.trigger)

    def _said(self, arc: Arc) -> str:
        words = self.graph.words
        return words.trigger(arc.trigger) if arc.limit is None else words.labels.after.format(arc.limit)

    def _question(self, name: str, trigger: str) -> str:
        """What the manager asks at a step, of what the step itself decides."""
        state = self.graph.flow.states[name]
        return (clean(state.ask) if trigger in state.on else "") or self.graph.words.labels.which

    def _door(self, name: str) -> str:
        """Where a flow to a state arrives."""
        key = identifier("state", name)
        return f"join_{key}" if name in self._joined else key

    def _lane(self, name: str) -> int:
        """The lane of a state; an end stands in that of a step that leads to it."""
        state = self.graph.flow.states[name]
        if state.final is None:
            return self.lanes.index(state.owner)
        before = next((arc.source for arc in self.graph.arcs if arc.target == name), None)
        return self.lanes.index(self.graph.flow.states[before].owner) if before is not None else 0

    def _block(self, lane: int, column: int, nodes: Sequence[PlaneNode], note: str = "", text: str = "") -> None:
        self.blocks.append(Block(lane, column, tuple(nodes), note, text))
        self.lane_of |= {node.key: lane for node in nodes}


class _Diagram:
    """Where everything of a process stands."""

    def __init__(self, process: _Process, together: str, pool: str) -> None:
        self._process = process
        self._together = together
        self._pool = pool

    def element(self) -> ElementTree.Element:
        """The diagram as XML."""
        process = self._process
        beside = [(block, part.lines) for _, block, part in process.beside.values()]
        made = plane_of(process.blocks, process.main.lines, len(process.lanes), beside)
        diagram = ElementTree.Element(f"{{{BPMNDI}}}BPMNDiagram", {"id": "diagram"})
        plane = _under(diagram, "BPMNPlane", BPMNDI, id="plane", bpmnElement=self._together)
        _shape(plane, self._pool, made.whole, isHorizontal="true")
        for number, lane in enumerate(made.lanes):
            _shape(plane, f"lane_{number}", lane, isHorizontal="true")
        for key, frame in zip(process.beside, made.frames, strict=True):
            _shape(plane, key, frame, isExpanded="true")
        parts = (process.main, *(part for _, _, part in process.beside.values()))
        for part in parts:
            for key, node in part.nodes.items():
                _shape(plane, key, made.boxes[key], made.labels.get(key), **_looks(node))
        for key, (task, _) in process.notes.items():
            _shape(plane, key, made.boxes[key])
            note, below = made.boxes[key], made.boxes[task]
            x = below.middle[0]
            _edge(plane, f"of_{key}", [(x, below.y), (x, note.y + note.height)], None)
        for part in parts:
            for key in part.flows:
                _edge(plane, key, made.lines[key], made.labels.get(key))
        return diagram


def _lanes_of(graph: ArcGraph) -> list[str | None]:
    """The owners in the order in which they first act."""
    states = graph.flow.states
    return list(dict.fromkeys(states[name].owner for name in graph.order if states[name].final is None)) or [None]


def _columns_of(graph: ArcGraph, apart: Mapping[str, object]) -> dict[str, int]:
    """How many steps from a start a state is; one that nothing leads to stands after the one before it."""
    found = dict.fromkeys(graph.start_states(), 1)
    for root in (*found, *graph.order):
        found.setdefault(root, max(found.values(), default=0) + (1 if graph.flow.states[root].final is None else 0))
        queue = [root]
        for name in queue:
            for arc in graph.of(name):
                if arc.target is not None and arc.target not in found and arc.trigger not in apart:
                    found[arc.target] = found[name] + 1
                    queue.append(arc.target)
    return found


def _define(event: ElementTree.Element, arc: Arc) -> None:
    """What an event waits for: a message, or a time."""
    if not arc.timer:
        _under(event, "messageEventDefinition", id=f"{event.get('id')}_message")
        return
    timer = _under(event, "timerEventDefinition", id=f"{event.get('id')}_timer")
    seconds = None if arc.limit is None else elapsed_seconds(arc.limit)
    _expression(timer, "timeDuration", f"PT{seconds}S" if seconds is not None else clean(arc.limit or arc.trigger))


def _expression(parent: ElementTree.Element, tag: str, text: str) -> None:
    child = ElementTree.SubElement(parent, _tag(tag), {f"{{{XSI}}}type": "bpmn:tFormalExpression"})
    child.text = text


def _looks(node: ElementTree.Element) -> dict[str, str]:
    return {"isMarkerVisible": "true"} if node.tag == _tag("exclusiveGateway") else {}


def _shape(plane: ElementTree.Element, key: str, box: Box, label: Box | None = None, **looks: str) -> None:
    shape = _under(plane, "BPMNShape", BPMNDI, id=f"{key}_shape", bpmnElement=key, **looks)
    _bounds(shape, box)
    if label is not None:
        _bounds(_under(shape, "BPMNLabel", BPMNDI), label)


def _edge(plane: ElementTree.Element, key: str, points: Iterable[Point], label: Box | None) -> None:
    edge = _under(plane, "BPMNEdge", BPMNDI, id=f"{key}_edge", bpmnElement=key)
    for x, y in points:
        _under(edge, "waypoint", DI, x=f"{x:g}", y=f"{y:g}")
    if label is not None:
        _bounds(_under(edge, "BPMNLabel", BPMNDI), label)


def _bounds(parent: ElementTree.Element, box: Box) -> None:
    _under(parent, "Bounds", DC, **{key: f"{value:g}" for key, value in box._asdict().items()})


def _under(parent: ElementTree.Element, tag: str, space: str = BPMN, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{{{space}}}{tag}", attributes)


def _tag(name: str) -> str:
    return f"{{{BPMN}}}{name}"
