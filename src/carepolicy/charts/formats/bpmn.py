"""BPMN 2.0 (OMG formal/2013-12-09) with diagram interchange, laid out by the package bpmn-io.

A state is a user task, then the wait for what may come next: a catch event for each trigger, behind an
event-based gateway where there are several. Guards become an exclusive gateway with conditions. What
happens without leaving a state is told in the task's documentation. Ids of sequence flows that lead to the
next state are ``move_…``, so a reader finds the transitions of the policy again.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from carepolicy.charts.formats.arcs import elapsed_seconds, graph_of
from carepolicy.charts.render import NoRenderer
from carepolicy.charts.text import clean, identifier

if TYPE_CHECKING:
    from carepolicy.charts.formats.arcs import Arc, Graph
    from carepolicy.policy.model import Policies, State

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
TARGET = "https://carepolicy.invalid/bpmn"
HOW = "BPMN needs the package bpmn-io: install carepolicy[formats]"


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as BPMN XML. Raises NoRenderer where bpmn-io is not installed."""
    if importlib.util.find_spec("bpmn_io") is None:
        raise NoRenderer(HOW)
    from bpmn_io import layout_process

    return _indented(str(layout_process(process_of(policies, flow_name, language))))


def process_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The process alone, without a diagram."""
    ElementTree.register_namespace("bpmn", BPMN)
    ElementTree.register_namespace("xsi", XSI)
    graph = graph_of(policies, flow_name, language)
    root = ElementTree.Element(_tag("definitions"), {"id": identifier("set", flow_name), "targetNamespace": TARGET})
    attributes = {
        "id": identifier("flow", flow_name),
        "name": graph.words.flow_title(flow_name),
        "isExecutable": "false",
    }
    process = ElementTree.SubElement(root, _tag("process"), attributes)
    _Writer(graph, process).write()
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


@dataclass(slots=True)
class _Writer:
    graph: Graph
    process: ElementTree.Element
    nodes: dict[str, ElementTree.Element] = field(default_factory=dict)
    flows: list[ElementTree.Element] = field(default_factory=list)

    def write(self) -> None:
        graph = self.graph
        starts = graph.starts or tuple((state, "") for state in graph.start_states())
        for first, event in starts:
            start = self._node("startEvent", identifier("start", first, event), graph.words.event(event) or "Start")
            if event:
                ElementTree.SubElement(start, _tag("messageEventDefinition"), {"id": f"{start.get('id')}_message"})
        for name, state in graph.flow.states.items():
            self._state(name, state)
        for first, event in starts:
            self._flow(identifier("begin", first, event), identifier("start", first, event), self._door(first))
        for name, state in graph.flow.states.items():
            if state.final is None:
                self._ways(name)
        self._join_what_meets()
        for element in (*self.nodes.values(), *self.flows):
            self.process.append(element)
        self._list_flows()

    def _state(self, name: str, state: State) -> None:
        words = self.graph.words
        if state.final is not None:
            self._node("endEvent", self._door(name), words.state(name))
            return
        task = self._node("userTask", self._door(name), words.state(name))
        told = [f"{words.role(state.owner)}.", clean(state.say)]
        told += [
            f"{arc.text}: {words.effects(arc.transition.effects, sends=True) or words.labels.records}."
            for arc in self.graph.of(name)
            if arc.target is None
        ]
        ElementTree.SubElement(task, _tag("documentation")).text = "\n".join(part for part in told if part)

    def _ways(self, name: str) -> None:
        triggers: dict[str, list[Arc]] = {}
        for arc in self.graph.of(name):
            triggers.setdefault(arc.trigger, []).append(arc)
        moving = {trigger: arcs for trigger, arcs in triggers.items() if any(arc.target for arc in arcs)}
        source = self._door(name)
        if not moving:
            self._node("endEvent", identifier("stop", name), self.graph.words.state(name))
            self._flow(identifier("to_stop", name), source, identifier("stop", name))
        if len(moving) > 1:
            wait = identifier("wait", name)
            self._node("eventBasedGateway", wait)
            self._flow(identifier("to_wait", name), source, wait)
            source = wait
        for place, arcs in enumerate(moving.values()):
            self._trigger(name, place, arcs, source)

    def _trigger(self, name: str, place: int, arcs: list[Arc], source: str) -> None:
        catch = identifier("on", name, str(place))
        element = self._node("intermediateCatchEvent", catch, self._said(arcs[0]))
        if arcs[0].timer:
            self._timer(element, arcs[0])
        else:
            ElementTree.SubElement(element, _tag("messageEventDefinition"), {"id": f"{catch}_message"})
        self._flow(identifier("to_on", name, str(place)), source, catch)
        if len(arcs) == 1 and arcs[0].when is None and arcs[0].target is not None:
            self._flow(identifier("move", name, str(place), "0"), catch, self._door(arcs[0].target))
            return
        choice = identifier("choice", name, str(place))
        gateway = self._node("exclusiveGateway", choice, self._question(name))
        self._flow(identifier("to_choice", name, str(place)), catch, choice)
        for index, arc in enumerate(arcs):
            self._choice(gateway, arc, place, index)
        if all(arc.when is not None for arc in arcs):
            stays = identifier("stay", name, str(place))
            self._flow(stays, choice, self._door(name), self.graph.words.labels.otherwise)
            gateway.set("default", stays)

    def _choice(self, gateway: ElementTree.Element, arc: Arc, place: int, index: int) -> None:
        words = self.graph.words
        kind = "move" if arc.target is not None else "stay"
        key = identifier(kind, arc.source, str(place), str(index))
        name = clean(arc.transition.answer) or words.guard(arc.transition, arc.trigger)
        flow = self._flow(key, str(gateway.get("id")), self._door(arc.target or arc.source), name)
        if arc.when is None:
            gateway.set("default", key)
            return
        kind_of = {f"{{{XSI}}}type": "bpmn:tFormalExpression"}
        ElementTree.SubElement(flow, _tag("conditionExpression"), kind_of).text = clean(arc.when)

    def _timer(self, element: ElementTree.Element, arc: Arc) -> None:
        timer = ElementTree.SubElement(element, _tag("timerEventDefinition"), {"id": f"{element.get('id')}_timer"})
        seconds = None if arc.limit is None else elapsed_seconds(arc.limit)
        kind_of = {f"{{{XSI}}}type": "bpmn:tFormalExpression"}
        duration = ElementTree.SubElement(timer, _tag("timeDuration"), kind_of)
        duration.text = f"PT{seconds}S" if seconds is not None else clean(arc.limit or arc.trigger)

    def _join_what_meets(self) -> None:
        """A gateway before each task or end at which several flows arrive, so that they merge in sight."""
        for key in list(self.nodes):
            element = self.nodes[key]
            arriving = [flow for flow in self.flows if flow.get("targetRef") == key]
            if len(arriving) < 2 or element.tag not in (_tag("userTask"), _tag("endEvent")):
                continue
            join = f"join_{key}"
            self._node("exclusiveGateway", join)
            for flow in arriving:
                flow.set("targetRef", join)
            self._flow(f"from_{join}", join, key)

    def _list_flows(self) -> None:
        for element in self.nodes.values():
            here = element.get("id")
            lists = [("incoming", "targetRef"), ("outgoing", "sourceRef")]
            listed = [(tag, str(flow.get("id"))) for tag, end in lists for flow in self.flows if flow.get(end) == here]
            first = 1 if element.find(_tag("documentation")) is not None else 0
            for place, (tag, key) in enumerate(listed, start=first):
                child = ElementTree.Element(_tag(tag))
                child.text = key
                element.insert(place, child)

    def _said(self, arc: Arc) -> str:
        words = self.graph.words
        return words.trigger(arc.trigger) if arc.limit is None else words.labels.after.format(arc.limit)

    def _question(self, name: str) -> str:
        return clean(self.graph.flow.states[name].ask) or self.graph.words.labels.which

    def _door(self, name: str) -> str:
        return identifier("state", name)

    def _node(self, tag: str, key: str, name: str = "") -> ElementTree.Element:
        element = ElementTree.Element(_tag(tag), {"id": key, **({"name": name} if name else {})})
        self.nodes[key] = element
        return element

    def _flow(self, key: str, source: str, target: str, name: str = "") -> ElementTree.Element:
        ends = {"sourceRef": source, "targetRef": target}
        element = ElementTree.Element(_tag("sequenceFlow"), {"id": key, **ends, **({"name": name} if name else {})})
        self.flows.append(element)
        return element


def _indented(text: str) -> str:
    for event_prefix, uri in (("bpmndi", "http://www.omg.org/spec/BPMN/20100524/DI"),
                              ("dc", "http://www.omg.org/spec/DD/20100524/DC"),
                              ("di", "http://www.omg.org/spec/DD/20100524/DI")):  # fmt: skip
        ElementTree.register_namespace(event_prefix, uri)
    root = ElementTree.fromstring(text.encode())
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _tag(name: str) -> str:
    return f"{{{BPMN}}}{name}"
