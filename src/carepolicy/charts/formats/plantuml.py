"""PlantUML state diagrams (plantuml.com/state-diagram)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from carepolicy.charts.colours import shades_of
from carepolicy.charts.formats.arcs import arcs_of, told_whole
from carepolicy.charts.text import clean, identifier, wrapped

if TYPE_CHECKING:
    from carepolicy.charts.formats.arcs import Arc, ArcGraph
    from carepolicy.policy.model import Policies

_STEERING = re.compile(r"""["<>~\\%!@]|\*\*|//|__|--|==|\.\.|\|\|""")
_ANYWHERE = "at_any_step"
_COLUMNS = 44


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as a state diagram: owner, limits, words to say and what happens without a move are lines of a state,
    which has the colour of its owner. A phase is a state around its steps; what comes by itself is dashed."""
    graph = arcs_of(policies, flow_name, language)
    words = graph.words
    lines = [
        f"@startuml {identifier(flow_name)}",
        f"title {_text(words.flow_title(flow_name))}",
        "hide empty description",
        *_states(graph),
    ]
    for state in graph.start_states():
        events = [words.event(event) for name, event in graph.starts if name == state]
        lines += [f"[*] --> {_id(state)} : {_text(event)}" for event in events] or [f"[*] --> {_id(state)}"]
    for name in graph.cards:
        lines += [f"{_id(name)} : {line}" for told in graph.lines(name) for line in _broken(told)]
        lines += [_move(graph, _id(name), arc) for arc in graph.own(name) if arc.target is not None]
    for phase, triggers in graph.shared().items():
        arcs = [arc for each in triggers.values() for arc in each]
        source = identifier("p", phase) if phase else _ANYWHERE
        staying = [told_whole(arc, words) for arc in arcs if arc.target is None]
        lines += [f"{source} : {line}" for told in staying for line in _broken(told)]
        lines += [_move(graph, source, arc) for arc in arcs if arc.target is not None]
    lines += [f"{_id(name)} --> [*]" for name, state in graph.flow.states.items() if state.final is not None]
    return "\n".join([*lines, "@enduml"]) + "\n"


def _states(graph: ArcGraph) -> list[str]:
    """The states, those of a phase inside of it."""
    alone, boxes = graph.boxes()
    found = [_state(graph, name) for name in alone]
    for phase, names in boxes.items():
        found.append(f'state "{_text(graph.box_title(phase))}" as {identifier("p", phase)} {{')
        found += [f"  {_state(graph, name)}" for name in names]
        found.append("}")
    if "" in graph.shared():
        found.append(f'state "{_text(graph.words.labels.anywhere)}" as {_ANYWHERE}')
    return found


def _state(graph: ArcGraph, name: str) -> str:
    card = graph.cards.get(name)
    if card is None:
        return f'state "{_text(graph.words.state(name))}" as {_id(name)}'
    shade = shades_of(graph.words.policies).get(card.role or "")
    paint = f" {shade.tint};line:{shade.line.removeprefix('#')}" if shade is not None else ""
    return f'state "{card.number} {_text(card.title)}" as {_id(name)}{paint}'


def _move(graph: ArcGraph, source: str, arc: Arc) -> str:
    arrow = "-[dashed]->" if arc.timer else "-->"
    text = "\\n".join(_broken(told_whole(arc, graph.words)))
    return f"{source} {arrow} {_id(str(arc.target))} : {text}"


def _broken(text: str) -> list[str]:
    """A text in narrow lines: PlantUML breaks none by itself."""
    return [_text(line) for line in wrapped(text, _COLUMNS)]


def _id(name: str) -> str:
    return identifier("s", name)


def _text(text: str) -> str:
    """Text with PlantUML's own marks written as code points (``<U+0022>``)."""

    def coded(match: re.Match[str]) -> str:
        return "".join(f"<U+{ord(character):04X}>" for character in match[0])

    return _STEERING.sub(coded, clean(text))
