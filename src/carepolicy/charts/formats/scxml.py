"""State Chart XML (W3C Recommendation of 1 September 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from carepolicy.charts.formats.arcs import arcs_of, elapsed_seconds
from carepolicy.charts.text import clean, humanised

if TYPE_CHECKING:
    from carepolicy.charts.formats.arcs import Arc, ArcGraph
    from carepolicy.policy.model import Effects, Policies

SCXML = "http://www.w3.org/2005/07/scxml"
CARE = "https://carepolicy.invalid/scxml"
_START = "carepolicy.start"


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as SCXML with the data model "x-cel": ``cond`` holds the guard as the policy has it.

    Texts for people are attributes of a namespace of ours, which section 3.2 of the standard allows. A wait
    of elapsed time is sent on entry and cancelled on leaving; business time has no ``delay``: whoever runs
    the chart sends that event.
    """
    ElementTree.register_namespace("", SCXML)
    ElementTree.register_namespace("care", CARE)
    graph = arcs_of(policies, flow_name, language)
    starts = graph.start_states()
    root = _element("scxml", version="1.0", datamodel="x-cel", name=flow_name)
    root.set("initial", starts[0] if len(starts) == 1 else _START)
    root.set(_care("title"), graph.words.flow_title(flow_name))
    root.set(_care("version"), str(graph.flow.version))
    if len(starts) > 1:
        begin = ElementTree.SubElement(root, _tag("state"), {"id": _START})
        for state, event in graph.starts:
            ElementTree.SubElement(begin, _tag("transition"), {"event": event, "target": state})
    for name in graph.flow.states:
        root.append(_state(graph, name))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _state(graph: ArcGraph, name: str) -> ElementTree.Element:
    state = graph.flow.states[name]
    element = _element("final" if state.final is not None else "state", id=name)
    element.set(_care("title"), graph.words.state(name))
    if state.owner is not None:
        element.set(_care("owner"), graph.words.role(state.owner))
    if state.say:
        element.set(_care("say"), clean(state.say))
    for effects, place in ((state.enter, "onentry"), (state.leave, "onexit")):
        if effects is not None:
            _log_effects(graph, ElementTree.SubElement(element, _tag(place)), effects)
    waits = {_event(arc): seconds for arc in graph.of(name) if arc.limit and (seconds := elapsed_seconds(arc.limit))}
    if waits:
        entry = ElementTree.SubElement(element, _tag("onentry"))
        leave = ElementTree.SubElement(element, _tag("onexit"))
        for event, seconds in waits.items():
            ElementTree.SubElement(entry, _tag("send"), {"event": event, "id": event, "delay": f"{seconds}s"})
            ElementTree.SubElement(leave, _tag("cancel"), {"sendid": event})
    for arc in graph.of(name):
        element.append(_transition(graph, arc))
    return element


def _transition(graph: ArcGraph, arc: Arc) -> ElementTree.Element:
    element = _element("transition", event=_event(arc))
    if arc.when is not None:
        element.set("cond", clean(arc.when))
    if arc.target is not None:
        element.set("target", arc.target)
    element.set(_care("title"), clean(arc.text))
    if arc.limit is not None:
        element.set(_care("after"), arc.limit)
    _log_effects(graph, element, arc.transition.effects)
    return element


def _log_effects(graph: ArcGraph, parent: ElementTree.Element, effects: Effects) -> None:
    for template in effects.send:
        _log(parent, graph.words.labels.sends.format(template))
    for tell in effects.tell:
        _log(parent, graph.words.labels.tell.format(graph.words.told(tell)))
    for request in effects.request:
        _log(parent, graph.words.labels.asks_for.format(humanised(request.action)))
    for opened in effects.open:
        _log(parent, graph.words.labels.opens.format(graph.words.flow_title(opened.flow)))


def _log(parent: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(parent, _tag("log"), {"label": clean(text)})


def _event(arc: Arc) -> str:
    """An event's name without the spaces that SCXML reads as a list: ``after.7_days.waiting``."""
    if arc.limit is None:
        return arc.trigger
    return "after." + "_".join(arc.trigger.removeprefix("after ").split()) + f".{arc.source}"


def _element(tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.Element(_tag(tag), {key: clean(value) for key, value in attributes.items()})


def _tag(name: str) -> str:
    return f"{{{SCXML}}}{name}"


def _care(name: str) -> str:
    return f"{{{CARE}}}{name}"
