"""XState version 5 machine configurations as JSON (stately.ai/docs/machines)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from carepolicy.charts.formats.arcs import arcs_of, elapsed_seconds
from carepolicy.charts.text import clean

if TYPE_CHECKING:
    from carepolicy.charts.formats.arcs import Arc, ArcGraph
    from carepolicy.policy.model import Effects, Policies, Tell

_START = "carepolicy_start"

NOTE = "Only a calendar knows how long these delays are: give each to setup({delays}), or XState takes it for 0."


def text_of(policies: Policies, flow_name: str, language: str | None) -> str:
    """The flow as the argument of ``createMachine``.

    A guard is ``{"type": "cel", "params": {"expression": …}}``; an effect is an action of the types send, tell,
    request, open, raise_event, assign_to, extend and set. Elapsed waits are in milliseconds; those in business
    time are named delays (``setup({delays: {"2 business days": …}})``), since only a calendar knows their length.
    """
    graph = arcs_of(policies, flow_name, language)
    starts = graph.start_states()
    states: dict[str, Any] = {name: _state(graph, name) for name in graph.flow.states}
    if len(starts) > 1:
        begin = {event: {"target": state} for state, event in graph.starts}
        states = {_START: {"on": begin}, **states}
    machine = {
        "id": flow_name,
        "version": str(graph.flow.version),
        "description": graph.words.flow_title(flow_name),
        "initial": starts[0] if len(starts) == 1 else _START,
        "states": states,
    }
    delays = _named_delays(graph)
    if delays:
        machine["meta"] = {"delays": delays, "note": NOTE}
    return json.dumps(machine, ensure_ascii=False, indent=2) + "\n"


def _named_delays(graph: ArcGraph) -> list[str]:
    """The waits in business time, which whoever runs the machine has to supply."""
    limits = {arc.limit for name in graph.flow.states for arc in graph.of(name) if arc.limit is not None}
    return sorted(each for each in limits if elapsed_seconds(each) is None)


def _state(graph: ArcGraph, name: str) -> dict[str, Any]:
    state = graph.flow.states[name]
    made: dict[str, Any] = {"description": graph.words.state(name)}
    if state.final is not None:
        return {"type": "final", **made}
    made["meta"] = {"owner": state.owner, "say": clean(state.say)}
    for effects, key in ((state.enter, "entry"), (state.leave, "exit")):
        if effects is not None:
            made[key] = _actions(effects)
    events: dict[str, list[dict[str, Any]]] = {}
    waits: dict[str, list[dict[str, Any]]] = {}
    for arc in graph.of(name):
        if arc.limit is None:
            events.setdefault(arc.trigger, []).append(_transition(arc))
        else:
            seconds = elapsed_seconds(arc.limit)
            delay = arc.limit if seconds is None else str(seconds * 1000)
            waits.setdefault(delay, []).append(_transition(arc))
    return made | ({"on": events} if events else {}) | ({"after": waits} if waits else {})


def _transition(arc: Arc) -> dict[str, Any]:
    made: dict[str, Any] = {"description": clean(arc.text)}
    if arc.target is not None:
        made["target"] = arc.target
        if arc.target == arc.source:
            made["reenter"] = True
    if arc.when is not None:
        made["guard"] = {"type": "cel", "params": {"expression": arc.when}}
    actions = _actions(arc.transition.effects)
    return made | ({"actions": actions} if actions else {})


def _told(tell: Tell) -> dict[str, Any]:
    told = {"role": tell.role, "say": tell.say}
    return {**told, "in_hours": True} if tell.in_hours else told


def _actions(effects: Effects) -> list[dict[str, Any]]:
    made: list[tuple[str, dict[str, Any]]] = [("set", {"fact": fact, "to": to}) for fact, to in effects.set.items()]
    made += [("send", {"template": template}) for template in effects.send]
    made += [("tell", _told(tell)) for tell in effects.tell]
    made += [("request", {"action": each.action, "with": dict(each.arguments)}) for each in effects.request]
    made += [("open", {"flow": each.flow, "on": each.on}) for each in effects.open]
    made += [("raise_event", {"event": each.event, "subject": each.subject}) for each in effects.raises]
    made += [("extend", {"clock": each.clock, "by": each.by}) for each in effects.extend]
    made += [("assign_to", {"to": effects.assign})] if effects.assign is not None else []
    return [{"type": kind, "params": params} for kind, params in made]
