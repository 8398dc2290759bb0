"""A flow as plain states and arcs, as the other formats need it: phases and ``anywhere`` written out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.words import Words, words_of
from carepolicy.policy.language.flow import transitions_of

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Policies, Transition

_ELAPSED = re.compile(r"(\d+) (second|minute|hour|day|week)s?\Z")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}


@dataclass(frozen=True, slots=True)
class Arc:
    """One transition of one state; ``place`` among those of its trigger; ``limit`` is set on those of ``after``."""

    source: str
    trigger: str
    place: int
    transition: Transition
    text: str
    limit: str | None
    timer: bool

    @property
    def target(self) -> str | None:
        """The next state, or None where the case stays."""
        return self.transition.to

    @property
    def when(self) -> str | None:
        """The guard as written."""
        return self.transition.when


@dataclass(frozen=True, slots=True)
class Graph:
    """A flow for export: its words, its first states with their events, and all arcs in a stable order."""

    flow: Flow
    words: Words
    starts: tuple[tuple[str, str], ...]
    arcs: tuple[Arc, ...]

    def of(self, state: str) -> tuple[Arc, ...]:
        """The arcs that leave a state, and those that stay in it."""
        return tuple(arc for arc in self.arcs if arc.source == state)

    def start_states(self) -> tuple[str, ...]:
        """States in which a case may begin; the first of the file where none says so."""
        named = dict.fromkeys(state for state, _ in self.starts)
        return tuple(named) or tuple(self.flow.states)[:1]


def graph_of(policies: Policies, flow_name: str, language: str | None) -> Graph:
    """The graph of a flow. Raises UnknownFlow."""
    words = words_of(policies, flow_name, language)
    flow = words.flow
    starts = tuple((name, event) for name, state in flow.states.items() for event in state.start_on)
    arcs: list[Arc] = []
    for name, state in flow.states.items():
        for trigger, transitions in transitions_of(flow, name).items():
            arcs += _arcs(words, name, trigger, transitions, words.trigger(trigger), None)
        for after in state.after:
            said = words.labels.after.format(words.limit(after.limit))
            limit = words.limit(after.limit)
            arcs += _arcs(words, name, f"after {after.limit}", after.transitions, said, limit)
    return Graph(flow, words, starts, tuple(arcs))


def elapsed_seconds(limit: str) -> int | None:
    """A limit of elapsed time in seconds; None for business time, months and dates."""
    match = _ELAPSED.match(limit)
    return None if match is None else int(match[1]) * _SECONDS[match[2]]


def told(arc: Arc, words: Words) -> str:
    """What is written on an arc: the trigger, and the answer or the guard in words where there is one."""
    if arc.transition.when is None:
        return arc.text
    answer = arc.transition.answer or words.guard(arc.transition, arc.trigger)
    return words.labels.only_if.format(arc.text, answer)


def _arcs(
    words: Words, state: str, trigger: str, transitions: tuple[Transition, ...], said: str, limit: str | None
) -> list[Arc]:
    timer = limit is not None or (trigger not in words.flow.events and trigger.partition(".")[0] in words.flow.clocks)
    return [
        Arc(state, trigger, place, each, each.title or said, limit, timer) for place, each in enumerate(transitions)
    ]
