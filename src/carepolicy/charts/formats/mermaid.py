"""Mermaid state diagrams (mermaid.js.org/syntax/stateDiagram.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.charts.formats.arcs import graph_of, told
from carepolicy.charts.text import clean, identifier

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies

_CODES = {character: f"#{ord(character)};" for character in '#;:"<>&{}[]`\\%'}


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as a ``stateDiagram-v2``. Ids are ``s_NAME``, so that no name meets a word of Mermaid's."""
    graph = graph_of(policies, flow_name, language)
    words = graph.words
    lines = ["---", f'title: "{_plain(words.flow_title(flow_name))}"', "---", "stateDiagram-v2", "    direction TB"]
    lines += [f'    state "{_text(words.state(name))}" as {_id(name)}' for name in graph.flow.states]
    for state in graph.start_states():
        events = [words.event(event) for name, event in graph.starts if name == state]
        lines += [f"    [*] --> {_id(state)}: {_text(event)}" for event in events] or [f"    [*] --> {_id(state)}"]
    for arc in graph.arcs:
        label = _text(told(arc, words))
        if arc.target is not None:
            lines.append(f"    {_id(arc.source)} --> {_id(arc.target)}: {label}")
        else:
            effects = _text(words.effects(arc.transition.effects, sends=True) or words.labels.records)
            lines += [f"    note right of {_id(arc.source)}", f"        {label}, {effects}", "    end note"]
    lines += [f"    {_id(name)} --> [*]" for name, state in graph.flow.states.items() if state.final is not None]
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    return identifier("s", name)


def _text(text: str) -> str:
    """Text with the characters that steer Mermaid as its numeric codes (``#35;`` is a number sign)."""
    return "".join(_CODES.get(character, character) for character in clean(text))


def _plain(text: str) -> str:
    """A title for the front matter, where Mermaid knows no codes: no markup, and quoted as YAML."""
    return clean(text).replace("<", "‹").replace(">", "›").replace("\\", "\\\\").replace('"', '\\"')
