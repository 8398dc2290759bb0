"""A flow as plain states and arcs, as the other formats need it: phases and ``anywhere`` written out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.charts.plan import chart_of
from carepolicy.charts.text import clean
from carepolicy.charts.words import Words, words_of
from carepolicy.policy.language.flow import transitions_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.charts.plan import Card
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
class ArcGraph:
    """A flow for export: its words, its first states with their events, and all arcs in a stable order.

    ``cards`` are its steps as a chart has them, in reading order.
    """

    flow: Flow
    words: Words
    starts: tuple[tuple[str, str], ...]
    arcs: tuple[Arc, ...]
    cards: Mapping[str, Card]

    def of(self, state: str) -> tuple[Arc, ...]:
        """The arcs that leave a state, and those that stay in it."""
        return tuple(arc for arc in self.arcs if arc.source == state)

    @property
    def order(self) -> tuple[str, ...]:
        """The states in reading order: the steps as they are numbered, then the ends."""
        return tuple(dict.fromkeys((*self.cards, *self.flow.states)))

    def limits(self, state: str) -> tuple[str, ...]:
        """The time limits of a step in words, the tightest first."""
        told = self.words.labels.told_of
        return tuple(told.format(limit.title, limit.words) for limit in self.cards[state].limits)

    def open_states(self, phase: str = "") -> list[str]:
        """The states of a phase, or of the flow, that are no ends."""
        names = self.flow.phases[phase].states if phase else tuple(self.flow.states)
        return [name for name in names if name in self.flow.states and self.flow.states[name].final is None]

    def phase_of(self, state: str) -> str:
        """The first phase that a step is in; "" for none."""
        return next((name for name in self.flow.phases if state in self.open_states(name)), "")

    def alike(self, phase: str = "") -> dict[str, tuple[Arc, ...]]:
        """What may happen at any step of a phase, or of the flow, and is the same at all of them: by trigger."""
        names = self.open_states(phase)
        shared = self.flow.phases[phase].on if phase else self.flow.anywhere
        here = {name: transitions_of(self.flow, name) for name in names}
        same = (key for key, ways in shared.items() if names and all(here[name].get(key) == ways for name in names))
        return {key: tuple(arc for arc in self.of(names[0]) if arc.trigger == key) for key in same}

    def shared(self) -> dict[str, dict[str, tuple[Arc, ...]]]:
        """What is told once for all steps of a phase, or of the flow (""), by the phase and the trigger."""
        found = {phase: self.alike(phase) for phase in ("", *self.flow.phases) if phase == "" or self._is_apart(phase)}
        return {phase: arcs for phase, arcs in found.items() if arcs}

    def _is_apart(self, phase: str) -> bool:
        """Whether no step of a phase is in one before it: it can be drawn around its steps."""
        return bool(self.open_states(phase)) and all(self.phase_of(name) == phase for name in self.open_states(phase))

    def own(self, state: str) -> list[Arc]:
        """The arcs of a step but for those that are told once for all."""
        shared = self.shared()
        told = {*shared.get("", {}), *shared.get(self.phase_of(state), {})}
        return [arc for arc in self.of(state) if arc.trigger not in told]

    def boxes(self) -> tuple[list[str], dict[str, list[str]]]:
        """The states in no phase that is drawn, and those of each phase that is, by the phase."""
        found: dict[str, list[str]] = {"": []}
        for name in self.order:
            phase = self.phase_of(name)
            found.setdefault(phase if phase and self._is_apart(phase) else "", []).append(name)
        return found.pop(""), found

    def box_title(self, phase: str) -> str:
        """What a phase is called."""
        return clean(self.flow.phases[phase].title) or phase

    def lines(self, state: str) -> list[str]:
        """What is told of a step beside its title: who acts, its limits, the words to say, what comes besides."""
        words, card = self.words, self.cards[state]
        told = words.labels.told_of
        lines = [card.owner, *self.limits(state), words.labels.quoted.format(clean(card.say)) if card.say else ""]
        lines += [told.format(words.labels.entering, card.enter)] if card.enter else []
        lines += [told.format(words.labels.leaving, card.leave)] if card.leave else []
        lines += [told_whole(arc, words) for arc in self.own(state) if arc.target is None]
        return [line for line in lines if line]

    def start_states(self) -> tuple[str, ...]:
        """States in which a case may begin; the first of the file where none says so."""
        named = dict.fromkeys(state for state, _ in self.starts)
        return tuple(named) or tuple(self.flow.states)[:1]


def arcs_of(policies: Policies, flow_name: str, language: str | None) -> ArcGraph:
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
    chart = chart_of(policies, flow_name, language=language)
    cards = {card.state: card for sheet in chart.sheets for card in sheet.cards}
    return ArcGraph(flow, words, starts, tuple(arcs), cards)


def elapsed_seconds(limit: str) -> int | None:
    """A limit of elapsed time in seconds; None for business time, months and dates."""
    match = _ELAPSED.match(limit)
    return None if match is None else int(match[1]) * _SECONDS[match[2]]


def told(arc: Arc, words: Words) -> str:
    """What is written on an arc: the trigger, then the question with the answer, or the guard in words."""
    state, answer = words.flow.states[arc.source], clean(arc.transition.answer)
    if answer:
        ask = clean(state.ask) if arc.trigger in state.on else ""
        return words.labels.told_of.format(arc.text, f"{ask} {answer}".strip())
    if arc.transition.when is None:
        return arc.text
    return words.labels.only_if.format(arc.text, words.guard(arc.transition, arc.trigger))


def told_whole(arc: Arc, words: Words) -> str:
    """What is written on an arc, and all that happens besides, as UML writes it: "Reply sent / tell Care lead"."""
    effects = words.effects(arc.transition.effects, sends=True)
    effects = effects or ("" if arc.target is not None else words.labels.records)
    return f"{told(arc, words)} / {effects}" if effects else told(arc, words)


def _arcs(
    words: Words, state: str, trigger: str, transitions: tuple[Transition, ...], said: str, limit: str | None
) -> list[Arc]:
    timer = limit is not None or (trigger not in words.flow.events and trigger.partition(".")[0] in words.flow.clocks)
    return [
        Arc(state, trigger, place, each, each.title or said, limit, timer) for place, each in enumerate(transitions)
    ]
