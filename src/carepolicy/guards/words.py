"""Expressions in words, for people who read charts: "order total is over 100 GBP"; and the cases that proofs find."""

from __future__ import annotations

import re
from datetime import date, timedelta
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.instants import EPOCH
from carepolicy.guards.compiler import Compiler
from carepolicy.guards.faults import ExpressionError
from carepolicy.guards.names import chain
from carepolicy.guards.parser import inside, parse
from carepolicy.guards.proof.assignments import OTHER
from carepolicy.translations import ENGLISH, Translation, locale_of, msg, msgs, pmsg, primary_language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.guards.proof.assignments import Assignment
    from carepolicy.guards.proof.formulas import Variable
    from carepolicy.guards.scope import Scope
    from carepolicy.policy.model import Setting

_SAID = {
    "relation_lt": msg("{} is under {}"),
    "relation_le": msg("{} is at most {}"),
    "relation_gt": msg("{} is over {}"),
    "relation_ge": msg("{} is at least {}"),
    "relation_eq": msg("{} is {}"),
    "relation_ne": msg("{} is not {}"),
}
_SAID_OF_TIME = {
    "relation_lt": msg("{} is before {}"),
    "relation_le": msg("{} is not after {}"),
    "relation_gt": msg("{} is after {}"),
    "relation_ge": msg("{} is not before {}"),
}
_SAID_SUMS = {
    "addition_add": msg("{} plus {}"),
    "addition_sub": msg("{} minus {}"),
    "multiplication_mul": msg("{} times {}"),
    "multiplication_div": msg("{} divided by {}"),
    "multiplication_mod": msg("{} modulo {}"),
}
_OPPOSITE = {"relation_eq": "relation_ne", "relation_ne": "relation_eq"}
_YES, _NO = msg("yes"), msg("no")
_JOINED = {"conditionalor": msg("{} or {}"), "conditionaland": msg("{} and {}")}

_NOT, _NOT_ALL = msg("not {}"), msg("not ({})")
_MINUS = msg("minus {}")
_CHOICE = msg("{} if {}, else {}")
_AMONG = (msg("{} is among {}"), msg("{} is not among {}"))
_VISITED = (msg("the case has been in {}"), msg("the case has not been in {}"))
_LATE = (pmsg("condition", "{} is late"), pmsg("condition", "{} is not late"))
_LEFT = msg("time left on {}")
_AGE, _VISITS = msg("the age of the case"), msg("number of times in {}")
_ALWAYS = (msg("always"), msg("never"))
_NOTHING, _EMPTY = msg("nothing"), msg("empty")
_OTHER_CALL = msg("{} of {}")
_QUOTED = msg("“{}”")

_SAID_CALLS: dict[tuple[str, int], tuple[str, str]] = {
    ("has", 1): (msg("{0} is known"), msg("{0} is not known")),
    ("size", 1): (msg("size of {0}"), msg("size of {0}")),
    ("startsWith", 2): (msg("{0} starts with {1}"), msg("{0} does not start with {1}")),
    ("endsWith", 2): (msg("{0} ends with {1}"), msg("{0} does not end with {1}")),
    ("contains", 2): (msg("{0} contains {1}"), msg("{0} does not contain {1}")),
    ("matches", 2): (msg("{0} matches {1}"), msg("{0} does not match {1}")),
    ("lowerAscii", 1): (msg("{0} in small letters"), msg("{0} in small letters")),
    ("upperAscii", 1): (msg("{0} in capitals"), msg("{0} in capitals")),
    ("int", 1): (msg("{0} as a whole number"), msg("{0} as a whole number")),
    ("double", 1): (msg("{0} as a number"), msg("{0} as a number")),
    ("string", 1): (msg("{0} as text"), msg("{0} as text")),
    ("timestamp", 1): ("{0}", "{0}"),
    ("date", 1): ("{0}", "{0}"),
    ("duration", 1): ("{0}", "{0}"),
}
"""By name and number of what is given, the receiver of a method first: what holds, and its opposite."""

_AMOUNT = re.compile(r"([0-9.]+)(h|ms|us|ns|m|s)")
_UNITS = {
    "h": msgs("{} hour", "{} hours"),
    "m": msgs("{} minute", "{} minutes"),
    "s": msgs("{} second", "{} seconds"),
    "ms": msgs("{} millisecond", "{} milliseconds"),
    "us": msgs("{} microsecond", "{} microseconds"),
    "ns": msgs("{} nanosecond", "{} nanoseconds"),
}

_SAID_MACROS = {
    "all": msg("for every {1} of {0}, {2}"),
    "exists": msg("for some {1} of {0}, {2}"),
    "exists_one": msg("for exactly one {1} of {0}, {2}"),
    "map": msg("{2} for every {1} of {0}"),
    "filter": msg("every {1} of {0} where {2}"),
}

_ENGLISH = Translation(ENGLISH)
_CAPITALS = frozenset({"de", "lb"})
"""Languages whose nouns have a capital in the middle of a sentence too."""


def in_words(text: str, scope: Scope, words: Translation = _ENGLISH) -> str:
    """An expression as a person would say it in the language of ``words``; one with faults is given back as it is."""
    try:
        tree = parse(text)
        tried = Compiler(text, scope)
        tried.expr(tree)
    except ExpressionError:
        return text
    return text if tried.faults else ExpressionWords(text, scope, words).of(tree)


def settings_in_words(text: str, scope: Scope, words: Translation = _ENGLISH) -> tuple[str, ...]:
    """The settings that an expression names, each with its value, in the order in which they are said."""
    try:
        said = ExpressionWords(text, scope, words)
        said.of(parse(text))
    except ExpressionError:
        return ()
    return tuple(dict.fromkeys(said.settings))


def case_in_words(case: Assignment, scope: Scope) -> str:
    """A case as a person would say it: "order total is 99 GBP and severity has no value"; "" where all is private.

    Of a private fact neither name nor value is told.
    """
    told = []
    for variable, value in case.values.items():
        if variable.private:
            continue
        name = in_words(variable.name, scope)
        if value is None:
            told.append(f"{name} has no value")
        elif not case.brings.get(variable, True):
            told.append(f"the event does not bring {name}")
        elif isinstance(value, bool):
            told.append(name if value else in_words(f"!{variable.name}", scope))
        elif value == OTHER:
            told.append(f"{name} is another text")
        else:
            told.append(f"{name} is {_value_in_words(variable, value, scope)}")
    return " and ".join(told)


def _value_in_words(variable: Variable, value: Fraction | str, scope: Scope) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    try:
        match variable.kind:
            case "date":
                return date.fromordinal(int(value)).isoformat()
            case "time":
                return (EPOCH + timedelta(microseconds=int(value))).isoformat()
            case "duration":
                return str(timedelta(microseconds=int(value)))
    except (OverflowError, ValueError):
        return "far away"
    fact = scope.facts.get(variable.name)
    number = str(value) if value.denominator == 1 else f"{float(value):g}"
    return f"{number} {fact.currency}" if fact is not None and fact.currency else number


class ExpressionWords:
    """Says one expression, part by part."""

    def __init__(self, text: str, scope: Scope, words: Translation) -> None:
        self.scope = scope
        self.words = words
        self.settings: list[str] = []
        """Those that were said so far, with their values."""
        self.chosen: Mapping[str, str] = {}
        """What the values of the choice at hand are called in the language."""
        self.compiler = Compiler(text, scope)

    def of(self, node: Any, not_: bool = False, unit: str = "") -> str:
        """A part in words; with ``not_`` its opposite; ``unit`` follows a bare number."""
        node = inside(node)
        match node.data:
            case "expr":
                return self.phrase(_NOT_ALL, self._choice(node, unit)) if not_ else self._choice(node, unit)
            case "conditionalor" | "conditionaland":
                return self._joined(node, not_)
            case "relation":
                return self._compared(node, not_)
            case "addition" | "multiplication":
                # What is added to money is money, what it is multiplied with is a number.
                operation, of = node.children[0], unit if node.data == "addition" else ""
                left = self._term(operation.children[0], node.data, of)
                right = self._term(node.children[1], node.data, of, True)
                return self.phrase(_SAID_SUMS[operation.data], left, right)
            case "unary":
                if node.children[0].data == "unary_not":
                    return self.of(node.children[1], not not_)
                return self.phrase(_MINUS, self._term(node.children[1], "multiplication", unit, True))
            case _:
                return self._simple(node, not_, unit)

    def _term(self, node: Any, above: str, unit: str, last: bool = False) -> str:
        """A part of a sum or product, in brackets where it would else be read otherwise."""
        said, kind = self.of(node, unit=unit), inside(node).data
        apart = kind == "expr" or (kind == "addition" and (last or above == "multiplication"))
        return f"({said})" if apart or (last and kind == above) else said

    def _choice(self, node: Any, unit: str) -> str:
        condition, yes, no = node.children
        return self.phrase(_CHOICE, self._side(yes, unit), self._side(condition, ""), self.of(no, unit=unit))

    def _side(self, node: Any, unit: str) -> str:
        """A part beside others, in brackets where one would else not see where it ends."""
        said = self.of(node, unit=unit)
        return f"({said})" if inside(node).data in ("expr", "conditionalor", "conditionaland") else said

    def _joined(self, node: Any, not_: bool) -> str:
        parts = []
        rest = node
        while len(rest.children) == 2:
            parts.append(rest.children[1])
            rest = rest.children[0]
        said = [self._part(each, node.data) for each in (rest, *reversed(parts))]
        joined = reduce(lambda one, other: self.phrase(_JOINED[node.data], one, other), said)
        return self.phrase(_NOT_ALL, joined) if not_ else joined

    def _part(self, node: Any, above: str) -> str:
        mixed = {"conditionalor", "conditionaland"} - {above}
        said = self.of(node)
        return f"({said})" if inside(node).data in {*mixed, "expr"} else said

    def _compared(self, node: Any, not_: bool) -> str:
        left, right = node.children[0].children[0], node.children[1]
        around, self.chosen = self.chosen, self._choices(left) or self._choices(right)
        try:
            return self._told_comparison(node.children[0].data, left, right, not_)
        finally:
            self.chosen = around

    def _choices(self, node: Any) -> Mapping[str, str]:
        """What the values of the facts that stand there are called, where they have words beside them."""
        found: dict[str, str] = {}
        for each in inside(node).iter_subtrees():
            name = chain(each) or ""
            fact = self.scope.facts.get(name) or self.scope.facts.get(name.removeprefix("event."))
            found |= dict(fact.words) if fact is not None else {}
        return found

    def _told_comparison(self, operator: str, left: Any, right: Any, not_: bool) -> str:
        if operator == "relation_in":
            return self._among(left, right, not_)
        for one, other in ((left, right), (right, left)):
            asked = _said_span(inside(other), self.compiler.text)
            if operator in _OPPOSITE and asked in ("true", "false"):
                return self._whether(one, not_ != ((asked == "true") != (operator == "relation_eq")))
        visits = self._visited(operator, left, right)
        if visits is not None:
            return self.phrase(_VISITED[visits[0] == not_], visits[1])
        if not_ and operator not in _OPPOSITE:
            return self.phrase(_NOT_ALL, self._told_comparison(operator, left, right, False))
        operator = _OPPOSITE[operator] if not_ else operator
        kind, unit = self._kind(left, right)
        said = _SAID_OF_TIME.get(operator) if kind in ("date", "time") else None
        return self.phrase(said or _SAID[operator], self._side(left, unit), self._side(right, unit))

    def _kind(self, left: Any, right: Any) -> tuple[str, str]:
        """What two parts are, and the currency that bare numbers among them have."""
        types = [self.compiler.relation_type(each) for each in (left, right)]
        units = [of.currency for each in types for of in (each.item or each,) if of.currency]
        return types[0].kind, f" {units[0]}" if units else ""

    def _whether(self, node: Any, not_: bool) -> str:
        """What is compared with true or false; with ``not_`` its opposite."""
        return self.of(node, True) if not_ else self._side(node, "")

    def _visited(self, operator: str, left: Any, right: Any) -> tuple[bool, str] | None:
        """Whether a comparison asks if a case has been in a state at all, and in which."""
        span = _said_span(inside(left), self.compiler.text)
        asked = {("relation_gt", "0"): True, ("relation_ge", "1"): True, ("relation_eq", "0"): False}
        holds = asked.get((operator, _said_span(inside(right), self.compiler.text)))
        if holds is None or not span.startswith("case.visits."):
            return None
        return holds, self._titled(self.scope.state_titles, span.removeprefix("case.visits."))

    def _titled(self, titles: Mapping[str, str], name: str) -> str:
        """A clock or a state amid other words: its title in quotes, else its name."""
        return self.phrase(_QUOTED, titles[name]) if name in titles else plain(name)

    def _among(self, left: Any, right: Any, not_: bool) -> str:
        among = inside(right)
        unit = self._kind(left, right)[1]
        if among.data == "list_lit" and among.children:
            values = [self._side(each, unit) for each in among.children[0].children]
            first = ", ".join(values[:-1])
            listed = self.phrase(_JOINED["conditionalor"], first, values[-1]) if first else values[0]
            return self.phrase(_SAID["relation_ne" if not_ else "relation_eq"], self._side(left, unit), listed)
        return self.phrase(_AMONG[not_], self._side(left, unit), self._side(right, unit))

    def _simple(self, node: Any, not_: bool, unit: str) -> str:
        """A name, a literal, a call."""
        match node.data:
            case "ident" if node.children[0] in ("true", "false"):
                return self.phrase(_ALWAYS[(node.children[0] == "true") == not_])
            case "ident" | "member_dot":
                return self._name(chain(node) or "", not_, unit)
            case "ident_arg" | "member_dot_arg":
                return self._call(node, not_)
            case "list_lit":
                return ", ".join(map(self.of, node.children[0].children)) if node.children else self.phrase(_NOTHING)
            case "literal":
                token = node.children[0]
                value = self.compiler.literal(token).literal
                if isinstance(value, str):
                    return self._text_value(value)
                return f"{_grouped(value, self.words.language)}{unit}"
        return _said_span(node, self.compiler.text)

    def _name(self, name: str, not_: bool, unit: str) -> str:
        parts = name.split(".")
        if name not in self.scope.facts and len(parts) == 3 and parts[0] == "clock":
            said = self._titled(self.scope.clock_titles, parts[1])
            return self.phrase(_LATE[not_] if parts[2] == "late" else _LEFT, said)
        if name not in self.scope.facts and parts[0] == "settings":
            setting = self.scope.settings.get(parts[1]) if len(parts) == 2 else None
            value = f" ({self._of_setting(setting)}{unit})" if setting is not None else ""
            title = setting.title if setting is not None and self.scope.state_titles else ""
            called = self._amid(title) if title else plain(name.removeprefix("settings."))
            self.settings.append(f"{called}{value}")
            return self._denied(f"{called}{value}", not_)
        if name == "case.age":
            return self.phrase(_AGE)
        if name.startswith("case.visits."):
            return self.phrase(_VISITS, self._titled(self.scope.state_titles, parts[-1]))
        fact = self.scope.facts.get(name) or self.scope.facts.get(name.removeprefix("event."))
        if fact is not None and fact.title:
            return self._denied(self._amid(fact.title), not_)
        return self._denied(plain(name.removeprefix("event.") if fact is not None else name), not_)

    def _of_setting(self, setting: Setting) -> str:
        told = setting.told
        if isinstance(told, bool):
            return self.phrase(_YES if told else _NO)
        if isinstance(told, (int, float)) and primary_language(self.words.language) != ENGLISH:
            return _grouped(told, self.words.language)
        return str(told)

    def _amid(self, title: str) -> str:
        """A title amid other words."""
        keeps = title[:2].isupper() or primary_language(self.words.language) in _CAPITALS
        return title if keeps else title[0].lower() + title[1:]

    def phrase(self, pattern: str, *parts: str) -> str:
        """A phrase in the language, with its parts filled in."""
        return self.words.gettext(pattern).format(*parts)

    def _denied(self, said: str, not_: bool) -> str:
        return self.phrase(_NOT, said) if not_ else said

    def _call(self, node: Any, not_: bool) -> str:
        macro = _said_macro(self, node)
        if macro is not None:
            return self.phrase(_NOT_ALL, macro) if not_ else macro
        if node.data == "ident_arg":
            name, given = str(node.children[0]), [self.of(each) for each in _arguments(node, 1)]
        else:
            name = str(node.children[1])
            given = [self.of(node.children[0]), *(self._text(each) for each in _arguments(node, 2))]
        if name == "duration" and given:
            given[0] = self._duration(given[0])
        patterns = _SAID_CALLS.get((name, len(given)))
        if patterns is None:
            among = (
                reduce(lambda one, other: self.phrase(_JOINED["conditionaland"], one, other), given) if given else ""
            )
            return self._denied(self.phrase(_OTHER_CALL, plain(name), among), not_)
        return self.phrase(patterns[not_], *given)

    def _text(self, node: Any) -> str:
        """An argument; a text keeps its quotes, so that one sees where it begins and ends."""
        inner = inside(node)
        if inner.data == "literal":
            return self.phrase(_QUOTED, str(self.compiler.literal(inner.children[0]).literal))
        return self.of(node)

    def _text_value(self, value: str) -> str:
        """A text in words. A name of the language is put into words; a text with blanks stands in quotes, so that one
        sees where it ends."""
        if not value:
            return self.phrase(_EMPTY)
        if value in self.chosen:
            return self.chosen[value]
        if value.isidentifier():
            return plain(value)
        return self.phrase(_QUOTED, value) if value.split() != [value] else value

    def _duration(self, text: str) -> str:
        """``1h30m`` as 1 hour 30 minutes."""
        amounts = _AMOUNT.findall(text)
        return " ".join(self.words.counted(_UNITS[unit]).format(amount) for amount, unit in amounts) or text


def _arguments(node: Any, place: int) -> list[Any]:
    return node.children[place].children if len(node.children) > place else []


def plain(name: str) -> str:
    """A name as words."""
    return name.replace("_", " ").replace(".", " ")


def _grouped(value: Any, language: str) -> str:
    if primary_language(language) != ENGLISH:
        from babel.numbers import format_decimal

        return format_decimal(value, locale=locale_of(language))
    return f"{value:,}" if isinstance(value, int) else f"{value:,}".removesuffix(".0")


def _said_macro(words: ExpressionWords, node: Any) -> str | None:
    """A macro over a list in words; None for every other call."""
    if node.data != "member_dot_arg" or len(node.children) < 3:
        return None
    pattern, given = _SAID_MACROS.get(str(node.children[1])), node.children[2].children
    if pattern is None or len(given) != 2:
        return None
    return words.phrase(pattern, words.of(node.children[0]), words.of(given[0]), words.of(given[1]))


def _said_span(node: Any, text: str) -> str:
    """What stands in the text at a node, as it is written."""
    return text[node.meta.start_pos : node.meta.end_pos].strip()
