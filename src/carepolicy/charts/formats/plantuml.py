"""PlantUML state diagrams (plantuml.com/state-diagram)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from carepolicy.charts.formats.arcs import graph_of, told
from carepolicy.charts.text import clean, identifier

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies

_STEERING = re.compile(r"""["<>~\\%!@]|\*\*|//|__|--|==|\.\.|\|\|""")


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as a state diagram; what happens without leaving a state is a line inside of it."""
    graph = graph_of(policies, flow_name, language)
    words = graph.words
    lines = [
        f"@startuml {identifier(flow_name)}",
        f"title {_text(words.flow_title(flow_name))}",
        "hide empty description",
    ]
    lines += [f'state "{_text(words.state(name))}" as {_id(name)}' for name in graph.flow.states]
    for state in graph.start_states():
        events = [words.event(event) for name, event in graph.starts if name == state]
        lines += [f"[*] --> {_id(state)} : {_text(event)}" for event in events] or [f"[*] --> {_id(state)}"]
    for arc in graph.arcs:
        label = _text(told(arc, words))
        if arc.target is not None:
            arrow = "-[dashed]->" if arc.timer else "-->"
            lines.append(f"{_id(arc.source)} {arrow} {_id(arc.target)} : {label}")
        else:
            effects = words.effects(arc.transition.effects, sends=True) or words.labels.records
            lines.append(f"{_id(arc.source)} : {label} / {_text(effects)}")
    lines += [f"{_id(name)} --> [*]" for name, state in graph.flow.states.items() if state.final is not None]
    return "\n".join([*lines, "@enduml"]) + "\n"


def _id(name: str) -> str:
    return identifier("s", name)


def _text(text: str) -> str:
    """Text with PlantUML's own marks written as code points (``<U+0022>``)."""

    def coded(match: re.Match[str]) -> str:
        return "".join(f"<U+{ord(character):04X}>" for character in match[0])

    return _STEERING.sub(coded, clean(text))
