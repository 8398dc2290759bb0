"""Mermaid state diagrams (mermaid.js.org/syntax/stateDiagram.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.charts.colours import shades_of
from carepolicy.charts.formats.arcs import arcs_of, told_whole
from carepolicy.charts.text import clean, identifier

if TYPE_CHECKING:
    from carepolicy.charts.formats.arcs import Arc, ArcGraph
    from carepolicy.policy.model import Policies

_CODES = {character: f"#{ord(character)};" for character in '#;:"<>&{}[]`\\%'}
_ANYWHERE = "at_any_step"


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as a ``stateDiagram-v2``. Ids are ``s_NAME``, so that no name meets a word of Mermaid's.

    Steps have the colour of their owner; the owner, the limits and the words to say are in a note beside each. A phase
    is drawn around its steps, and what may happen at any of them leaves it; what may happen at any step at all leaves a
    state of its own.
    """
    graph = arcs_of(policies, flow_name, language)
    words = graph.words
    lines = ["---", f'title: "{_plain(words.flow_title(flow_name))}"', "---", "stateDiagram-v2", "    direction TB"]
    lines += _states(graph)
    for state in graph.start_states():
        events = [words.event(event) for name, event in graph.starts if name == state]
        lines += [f"    [*] --> {_id(state)}: {_text(event)}" for event in events] or [f"    [*] --> {_id(state)}"]
    for name in graph.cards:
        lines += [_move(graph, _id(name), arc) for arc in graph.own(name) if arc.target is not None]
        lines += _note(_id(name), graph.lines(name))
    for phase, triggers in graph.shared().items():
        arcs = [arc for each in triggers.values() for arc in each]
        source = _phase(phase) if phase else _ANYWHERE
        lines += [_move(graph, source, arc) for arc in arcs if arc.target is not None]
        lines += _note(source, [told_whole(arc, words) for arc in arcs if arc.target is None])
    lines += [f"    {_id(name)} --> [*]" for name, state in graph.flow.states.items() if state.final is not None]
    lines += _owners(graph)
    return "\n".join(lines) + "\n"


def _owners(graph: ArcGraph) -> list[str]:
    """A class for each owner, with the colours of the charts, and whose steps are whose."""
    shades = shades_of(graph.words.policies)
    steps: dict[str, list[str]] = {}
    for card in graph.cards.values():
        if card.role in shades:
            steps.setdefault(str(card.role), []).append(_id(card.state))
    found: list[str] = []
    for role, states in steps.items():
        shade, owner = shades[role], identifier("o", role)
        found.append(f"    classDef {owner} fill:{shade.band},color:{shade.on_band},stroke:{shade.line}")
        found.append(f"    class {','.join(states)} {owner}")
    return found


def _states(graph: ArcGraph) -> list[str]:
    """The states, those of a phase inside of it."""
    alone, boxes = graph.boxes()
    found = [f"    {_state(graph, name)}" for name in alone]
    for phase, names in boxes.items():
        found.append(f'    state "{_text(graph.box_title(phase))}" as {_phase(phase)} {{')
        found += [f"        {_state(graph, name)}" for name in names]
        found.append("    }")
    if "" in graph.shared():
        found.append(f'    state "{_text(graph.words.labels.anywhere)}" as {_ANYWHERE}')
    return found


def _state(graph: ArcGraph, name: str) -> str:
    card = graph.cards.get(name)
    title = f"{card.number} {card.title}" if card is not None else graph.words.state(name)
    return f'state "{_text(title)}" as {_id(name)}'


def _move(graph: ArcGraph, source: str, arc: Arc) -> str:
    return f"    {source} --> {_id(str(arc.target))}: {_text(told_whole(arc, graph.words))}"


def _note(state: str, lines: list[str]) -> list[str]:
    texts = [f"        {_text(line)}" for line in lines]
    return [f"    note right of {state}", *texts, "    end note"] if texts else []


def _id(name: str) -> str:
    return identifier("s", name)


def _phase(name: str) -> str:
    return identifier("p", name)


def _text(text: str) -> str:
    """Text with the characters that steer Mermaid as its numeric codes (``#35;`` is a number sign)."""
    return "".join(_CODES.get(character, character) for character in clean(text))


def _plain(text: str) -> str:
    """A title for the front matter, where Mermaid knows no codes: no markup, and quoted as YAML."""
    return clean(text).replace("<", "‹").replace(">", "›").replace("\\", "\\\\").replace('"', '\\"')
