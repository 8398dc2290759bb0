"""Data that events may bring so that guards hold and fail: values at and around what the guards compare with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import DAY, text_of
from carepolicy.guards import compile_expression
from carepolicy.guards.scopes import scope_of
from carepolicy.scenarios.coverage import ways_of

if TYPE_CHECKING:
    from carepolicy.guards import Expression
    from carepolicy.policy.model import Event, Fact, Flow, Organisation

MOST = 32
"""Combinations that are tried for one guard; a guard over many facts has more than a search can go through."""

_TEXT = re.compile(r""""([^"\\]*)"|'([^'\\]*)'""")
_NUMBER = re.compile(r"(?<![\w.\"'])\d+(\.\d+)?(?![\w\"'])")
_SETTING = re.compile(r"\bsettings\.(\w+)")

Data = dict[str, Any]
"""What an event brings, as JSON has it, by dotted name."""


def guards_of(organisation: Organisation, flow: Flow) -> list[Expression]:
    """Every guard of a flow, of its transitions and of its clocks' limits, each text once for each event."""
    found: dict[tuple[str, str | None], Expression] = {}
    for rule, ways in ways_of(flow).values():
        if rule.when is not None:
            trigger = next((trigger for _, trigger, _ in ways if trigger in flow.events), None)
            scope = scope_of(organisation, flow, trigger)
            found[rule.when, trigger] = compile_expression(rule.when, scope, "flag")
    for clock in flow.clocks.values():
        for limit in clock.limits:
            if limit.when is not None:
                found[limit.when, None] = compile_expression(limit.when, scope_of(organisation, flow), "flag")
    return list(found.values())


class Candidates:
    """Values for the events of one flow; times are around ``start``, in microseconds since 1970."""

    def __init__(self, organisation: Organisation, flow: Flow, guards: list[Expression], start: int) -> None:
        self._facts = organisation.facts
        self._settings = {name: each.value for name, each in organisation.settings.items()}
        self._guards = guards
        self._start = start
        self._texts: dict[str, list[str]] = {}
        self._numbers: dict[str, list[Decimal]] = {}
        for guard in guards:
            for fact in sorted(guard.reads | guard.reads_event):
                self._learn(fact, guard.text)
        self._key = flow.subject if flow.every is None else None

    def _learn(self, fact: str, text: str) -> None:
        texts = [first or second for first, second in _TEXT.findall(text)]
        numbers = [Decimal(each.group()) for each in _NUMBER.finditer(_TEXT.sub("", text))]
        for name in _SETTING.findall(text):
            try:
                numbers.append(Decimal(str(self._settings.get(name))))
            except InvalidOperation:
                texts.append(str(self._settings.get(name)))
        self._texts.setdefault(fact, []).extend(texts)
        self._numbers.setdefault(fact, []).extend(numbers)

    def options(self, event: Event, subject: str) -> list[Data]:
        """What ``event`` may bring: what it must, and for each guard the ways in which its facts may be.

        The plainest come first, and none comes twice.
        """
        base: Data = {fact: self.values(fact)[0] for fact in event.required}
        carried = (*event.required, *event.optional)
        if self._key is not None and self._key in carried:
            base[self._key] = subject
        found = [base, *(base | each for each in self._of_guards(carried))]
        return list({repr(sorted(each.items())): each for each in found}.values())

    def _of_guards(self, carried: tuple[str, ...]) -> Iterator[Data]:
        for guard in self._guards:
            facts = sorted((guard.reads | guard.reads_event).intersection(carried) - {self._key})
            if facts:
                for values in islice(product(*(self.values(fact) for fact in facts)), MOST):
                    yield dict(zip(facts, values, strict=True))

    def values(self, name: str) -> list[Any]:
        """Values of a fact, a plain one first."""
        fact = self._facts[name]
        if fact.type == "list":
            members = self._single(fact, fact.item or "text")
            return [members[:1], members, []]
        return self._single(fact, fact.type)

    def _single(self, fact: Fact, kind: str) -> list[Any]:
        match kind:
            case "choice":
                return list(fact.of)
            case "flag":
                return [True, False]
            case "number":
                near = [each + step for each in self._numbers.get(fact.name, ()) for step in (0, 1, -1)]
                return list(dict.fromkeys([*map(_plain, near), 1]))
            case "money":
                near = [each + step for each in self._numbers.get(fact.name, ()) for step in (0, 1, -1)]
                return list(dict.fromkeys([*(str(each) for each in near), "10.00"]))
            case "date":
                return [text_of(self._start + days * DAY)[:10] for days in (2, 0, -2, 40)]
            case "time":
                return [text_of(self._start + days * DAY) for days in (2, -2, 40)]
        said = "someone@example.org" if "email" in fact.name else "something"
        return list(dict.fromkeys([*self._texts.get(fact.name, ()), said]))


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def counted(flow: Flow) -> frozenset[str]:
    """The facts that the flow's own effects set, such as a number of attempts."""
    effects = [each.effects for each, _ in ways_of(flow).values()]
    effects += [each for state in flow.states.values() for each in (state.enter, state.leave) if each is not None]
    names: Mapping[str, None] = {fact: None for each in effects for fact in each.set}
    return frozenset(names)
