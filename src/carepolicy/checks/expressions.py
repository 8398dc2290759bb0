"""Every guard and expression of a set: its text, its place, what it may name and what it is to give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.guards.compiler import check_expression
from carepolicy.guards.faults import TYPE, VALUE, Fault
from carepolicy.guards.scope import scope_of
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.likeness import did_you_mean, sole
from carepolicy.policy.vocabulary import amount_meant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.checks.context import CheckedSet
    from carepolicy.guards.scope import Scope
    from carepolicy.policy.model import Fact, Flow
    from carepolicy.policy.places import At

_SETTING = re.compile(r"\bsettings\.([a-z][a-z0-9_]*)")
_LITERAL = re.compile(r"\s*(?P<quoted>\"[^\"\\]*\"|'[^'\\]*')\s*")


_OF_A_PLACE = ("clock", "case", "event")
"""What a name begins with that means something else in each flow, or on each event."""


class WrittenExpression(NamedTuple):
    """An expression as the manager wrote it. ``wanted`` is the type of its result, None where any will do.

    ``fact`` is the fact that takes the result up, where there is one.
    """

    text: str
    at: At
    scope: Scope
    wanted: str | None
    fact: Fact | None


def find(checked: CheckedSet) -> Iterator[Finding]:
    """What is wrong with the expressions of a set, each fault at its very word."""
    sound = checked.guards.sound
    for written in expressions(checked):
        checked.guards.tree(written.text)
        key = _key(written)
        if key in sound:
            continue
        faults = check_expression(written.text, written.scope, written.wanted) or _not_a_choice(written)
        if not faults:
            sound.add(key)
        for fault in faults:
            of_setting = _of_a_setting(checked, written.text) if fault.code == TYPE else None
            if of_setting is not None:
                yield of_setting
                continue
            place = checked.within(written.at, written.text, fault.start, fault.end)
            yield Finding(fault.code, fault.message, place, fault.hint, replacement=fault.replacement)


def _of_a_setting(checked: CheckedSet, text: str) -> Finding | None:
    """The fault of a setting such as ``20 €``, a text where an expression wants a number; told where it stands."""
    for name in _SETTING.findall(text):
        setting = checked.organisation.settings.get(name)
        meant = amount_meant(setting.value) if setting is not None and isinstance(setting.value, str) else None
        if setting is not None and meant is not None:
            said = f"{quoted(setting.value)} is a text, and settings.{name} is used as a number or an amount"
            return Finding(TYPE, said, checked.place(setting.at), f"write {meant}")
    return None


def _key(written: WrittenExpression) -> tuple[object, ...]:
    """What the soundness of an expression depends on, besides the facts and settings, which a set has once.

    Flows say much the same in many places: what was sound once need not be compiled again.
    """
    text, scope = written.text, written.scope
    here = (scope.clocks, scope.states, scope.event) if any(each in text for each in _OF_A_PLACE) else None
    return text, written.wanted, written.fact.name if written.fact is not None else None, here


def _not_a_choice(written: WrittenExpression) -> tuple[Fault, ...]:
    """The fault of a text that is given to a choice and is none of its values."""
    literal = _LITERAL.fullmatch(written.text)
    if written.fact is None or not written.fact.of or literal is None:
        return ()
    value, known = literal["quoted"][1:-1], written.fact.of
    if value in known:
        return ()
    near = sole(value, known)
    return (
        Fault(
            VALUE,
            f'"{value}" is no value of {written.fact.name}',
            did_you_mean(value, known),
            *literal.span("quoted"),
            None if near is None else f'"{near}"',
        ),
    )


def expressions(checked: CheckedSet) -> Iterator[WrittenExpression]:
    """All guards (which give a flag), and all values of ``spends``, ``set``, ``request`` and ``raise``."""
    organisation = checked.organisation
    for flow, way, event in checked.ways:
        if way.when is not None:
            yield WrittenExpression(way.when, way.at / "when", scope_of(organisation, flow, event), "flag", None)
    for flow in checked.flows.values():
        yield from _of_clocks(checked, flow)
    for flow, effects, event in checked.acts:
        scope = scope_of(organisation, flow, event)
        if effects.spends is not None:
            yield WrittenExpression(effects.spends, effects.at / "spends", scope, "money", None)
        for name, text in effects.set.items():
            yield _taken_up(checked, name, text, effects.at / "set" / name, scope)
        for asked in effects.request:
            for name, text in asked.arguments.items():
                yield WrittenExpression(text, effects.at / "request" / asked.action / name, scope, None, None)
        for raised in effects.raises:
            yield WrittenExpression(raised.subject, raised.at / "subject", scope, "text", None)
            for name, text in raised.data.items():
                yield _taken_up(checked, name, text, raised.at / "data" / name, scope)


def _of_clocks(checked: CheckedSet, flow: Flow) -> Iterator[WrittenExpression]:
    scope = scope_of(checked.organisation, flow)
    for clock in flow.clocks.values():
        for choice in clock.limits:
            if choice.when is not None:
                yield WrittenExpression(choice.when, choice.at / "when", scope, "flag", None)


def _taken_up(checked: CheckedSet, name: str, text: str, at: At, scope: Scope) -> WrittenExpression:
    fact = checked.organisation.facts.get(name)
    return WrittenExpression(text, at, scope, fact.type if fact is not None else None, fact)
