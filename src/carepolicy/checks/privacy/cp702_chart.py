"""CP702: something private in a text that stands on charts and in the handbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Clock, Event, Flow, Phase, State, Transition
from carepolicy.policy.places import At

_FACT = r"(?:event\.)?(?P<fact{0}>[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+)"
_VALUE = r"(?P<value{0}>\"[^\"]+\"|'[^']+'|\b\d+)"
_SIGN = r"\s*[=!]=\s*"
_EQUALS = re.compile(f"{_FACT.format(1)}{_SIGN}{_VALUE.format(1)}|{_VALUE.format(2)}{_SIGN}{_FACT.format(2)}")


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Private facts in titles, steps and other texts of a flow, and their values in its guards."""
    private = frozenset(fact.name for fact in checked.organisation.facts.values() if fact.private)
    if not private:
        return
    every_way = checked.ways
    said = [each for flow in checked.flows.values() for each in _texts(flow)]
    said += [each for _, way, _ in every_way for each in _of_way(way)]
    for each in said:
        for named in checked.private_in(each.text):
            place = checked.within(_address(each), each.text, named.start, named.end)
            yield Finding(CODE, f"{named.name} is private, and this text is on charts", place, HINT, Severity.WARNING)
    for _, way, _ in every_way:
        for match in _EQUALS.finditer(way.when or ""):
            side = 1 if match["fact1"] is not None else 2
            if match[f"fact{side}"] in private:
                place = checked.within(way.at / "when", way.when or "", *match.span(f"value{side}"))
                text = f"{match[f'fact{side}']} is private, and the guard writes down whose it is"
                yield Finding(CODE, text, place, "tell such cases by a fact that is not private", Severity.WARNING)


class PrintedText(NamedTuple):
    """A text that charts or the handbook print as it is, and its key (of steps: its number) below an address."""

    text: str
    at: At
    key: str | int


def _braced(pieces: Iterable[tuple[str | int, str]], at: At) -> Iterator[PrintedText]:
    """Those texts that have a brace: of thousands hardly any."""
    return (PrintedText(text, at, key) for key, text in pieces if "{" in text)


def _texts(flow: Flow) -> Iterator[PrintedText]:
    yield from _braced((("title", flow.title), ("purpose", flow.purpose)), flow.at)
    titled: tuple[Mapping[str, Event | Clock | Phase], ...] = (flow.events, flow.clocks, flow.phases)
    for group in titled:
        for each in group.values():
            yield from _braced((("title", each.title),), each.at)
    for state in flow.states.values():
        yield from _braced((("title", state.title), ("ask", state.ask)), state.at)
        yield from _card(state)


def _of_way(way: Transition) -> Iterator[PrintedText]:
    yield from _braced((("title", way.title), ("answer", way.answer)), way.at)
    yield from _card(way)


def _card(card: State | Transition) -> Iterator[PrintedText]:
    """What staff are told, of a state or a transition."""
    yield from _braced((("say", card.say), ("never", card.never), ("note", card.note)), card.at)
    yield from _braced(enumerate(card.steps), card.at)


def _address(said: PrintedText) -> At:
    return said.at / said.key if isinstance(said.key, str) else said.at / "steps" / said.key


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
