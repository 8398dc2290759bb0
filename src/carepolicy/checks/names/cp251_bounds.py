"""CP251: bounds or a pattern of a fact that cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from carepolicy.checks.context import CheckedSet, is_allowed
from carepolicy.checks.rule import Rule
from carepolicy.guards.compiler import pattern_fault
from carepolicy.guards.runtime import is_match
from carepolicy.policy.findings import Finding
from carepolicy.policy.model import Fact


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Bounds that cross or stand at what has no order, patterns of what is no text, and values beyond either."""
    facts = checked.organisation.facts
    for fact in facts.values():
        if fact.least is None and fact.most is None and fact.pattern is None:
            continue
        yield from _of_kind(checked, fact)
        if fact.least is not None and fact.most is not None and fact.least > fact.most:
            text = f'no value of "{fact.name}" is at least {fact.least} and at most {fact.most}'
            yield Finding(CODE, text, checked.place(fact.at / "max"), "exchange min and max")
        elif fact.type in ("number", "money") and _is_outside(fact, str(fact.default)):
            text = f'the default of "{fact.name}" is outside of its bounds'
            yield Finding(CODE, text, checked.place(fact.at / "default"), _told(fact))
        if isinstance(fact.default, str) and fact.type == "text" and _differs(fact, fact.default):
            text = f'the default of "{fact.name}" does not match its pattern'
            yield Finding(CODE, text, checked.place(fact.at / "default"), f"a text that {fact.pattern} matches")
    bounded = any(fact.least is not None or fact.most is not None for fact in facts.values())
    for name, text, at in checked.given if bounded else ():
        given = facts.get(name)
        if given is not None and _is_outside(given, text):
            said = f'"{name}" is given a value outside of its bounds'
            yield Finding(CODE, said, checked.place(at), _told(given))


def _of_kind(checked: CheckedSet, fact: Fact) -> Iterator[Finding]:
    """Keys that say nothing at a fact of this type."""
    kind = fact.item or fact.type
    if kind not in ("number", "money"):
        for key, bound in (("min", fact.least), ("max", fact.most)):
            if bound is not None:
                hint = "for the length of a text write a pattern, such as .{1,80}" if kind == "text" else "take it out"
                text = f'"{key}" stands at "{fact.name}", which is neither a number nor money'
                yield Finding(CODE, text, checked.key_place(fact.at / key), hint)
    if fact.pattern is not None and kind != "text":
        text = f'"pattern" stands at "{fact.name}", which is no text'
        yield Finding(CODE, text, checked.key_place(fact.at / "pattern"), "take it out")


def _differs(fact: Fact, value: str) -> bool:
    return fact.pattern is not None and pattern_fault(fact.pattern) is None and not is_match(fact.pattern, value)


def _is_outside(fact: Fact, text: str) -> bool:
    try:
        return not is_allowed(fact, Decimal(text.strip()))
    except InvalidOperation:
        return False


def _told(fact: Fact) -> str:
    least = "" if fact.least is None else f"at least {fact.least}"
    most = "" if fact.most is None else f"at most {fact.most}"
    return " and ".join(each for each in (least, most) if each)


CODE = "CP251"
RULE = Rule(
    CODE,
    "bounds of a fact cannot be kept",
    "min: and max: bound numbers and amounts of money (of a list, its members), pattern: says what a text must be from "
    "its first letter to its last. What an event brings beyond them is rejected (CP926). So min: is not larger than "
    "max:, neither stands at another type, and the default and what flows set a fact to keep to them.",
    "facts:\n  order.items: {type: number, min: 10, max: 1}\n",
    "facts:\n  order.items: {type: number, min: 1, max: 10}\n",
    find,
)
