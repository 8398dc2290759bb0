"""CP702: something private in a text that stands on charts and in the handbook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from carepolicy.checks.pointing import within
from carepolicy.checks.private import private_in
from carepolicy.checks.rule import Rule
from carepolicy.checks.walk import ways
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.policy.model import Flow, Policies, Transition
    from carepolicy.policy.places import At

_EQUALS = re.compile(r"(?P<fact>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)\s*(?:==|!=)\s*(?P<value>\"[^\"]+\"|'[^']+'|\d+)")


def find(policies: Policies) -> Iterator[Finding]:
    """Private facts in titles, steps and other texts of a flow, and their values in its guards."""
    private = frozenset(fact.name for fact in policies.organisation.facts.values() if fact.private)
    if not private:
        return
    for flow in policies.flows.values():
        for text, at in _texts(flow):
            for each in private_in(policies, text):
                place = within(policies, at, text, each.start, each.end)
                yield Finding(
                    CODE, f"{each.name} is private, and this text is on charts", place, HINT, Severity.WARNING
                )
    for _, way, _ in ways(policies):
        for said in _EQUALS.finditer(way.when or ""):
            if said["fact"].removeprefix("event.") in private:
                place = within(policies, way.at / "when", way.when or "", *said.span("value"))
                text = f"{said['fact']} is private, and the guard writes down whose it is"
                yield Finding(CODE, text, place, "tell such cases by a fact that is not private", Severity.WARNING)


def _texts(flow: Flow) -> Iterator[tuple[str, At]]:
    """The texts of a flow that charts or the handbook print as they are."""
    yield from ((flow.title, flow.at / "title"), (flow.purpose, flow.at / "purpose"))
    yield from ((event.title, event.at / "title") for event in flow.events.values())
    yield from ((clock.title, clock.at / "title") for clock in flow.clocks.values())
    yield from ((phase.title, phase.at / "title") for phase in flow.phases.values())
    for phase in flow.phases.values():
        yield from _said_on(phase.on)
    for state in flow.states.values():
        for key in ("title", "say", "never", "ask", "note"):
            yield getattr(state, key), state.at / key
        yield from ((step, state.at / "steps" / number) for number, step in enumerate(state.steps))
        yield from _said_on(state.on)
        for after in state.after:
            yield from _said(after.transitions)
    yield from _said_on(flow.anywhere)


def _said_on(on: Mapping[str, tuple[Transition, ...]]) -> Iterator[tuple[str, At]]:
    for transitions in on.values():
        yield from _said(transitions)


def _said(transitions: tuple[Transition, ...]) -> Iterator[tuple[str, At]]:
    for way in transitions:
        for key in ("title", "say", "never", "answer", "note"):
            yield getattr(way, key), way.at / key
        yield from ((step, way.at / "steps" / number) for number, step in enumerate(way.steps))


HINT = "leave it out: charts and the handbook say what holds for every customer"
CODE = "CP702"
RULE = Rule(
    CODE,
    "private fact on a chart",
    "Titles, steps and notes are printed on charts and in the handbook, for all to read. They are the same for every "
    "case: a private fact between braces means nothing there, and a guard that compares one with a value writes "
    "somebody's address or name into the policy.",
    "states:\n  overdue:\n    title: 'Late - apologise to {customer.email}'\n",
    "states:\n  overdue:\n    title: Late - apologise first\n",
    find,
    Severity.WARNING,
)
