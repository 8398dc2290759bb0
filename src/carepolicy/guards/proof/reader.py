"""The tree of a guard, which was checked, becomes a formula."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from carepolicy.guards.literals import day, duration, instant, number, quoted
from carepolicy.guards.names import chain
from carepolicy.guards.operators import OPERATORS
from carepolicy.guards.parser import inside, parse
from carepolicy.guards.proof.formulas import (
    FALSE,
    NUMERIC,
    TEXTS,
    TRUE,
    Always,
    Calculated,
    Compared,
    Constant,
    Flagged,
    Formula,
    HasValue,
    Held,
    Opaque,
    Term,
    Variable,
    both,
    either,
    opposite,
)
from carepolicy.policy.addresses import EMAIL, SPELLED

if TYPE_CHECKING:
    from carepolicy.guards.scope import Scope
    from carepolicy.policy.model import Fact

HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
    "==": operators.eq,
    "!=": operators.ne,
}
"""What the operators of comparisons mean for two values of one kind."""

_SIGNS = {"addition_add": "+", "addition_sub": "-", "multiplication_mul": "*", "multiplication_div": "/"}
_TESTS = {"startsWith": "starts", "endsWith": "ends", "contains": "holds"}


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a guard stands: its ``scope``, the facts that surely ``have`` a value there, and those that the event at
    hand surely ``brings``. ``unbound`` are facts whose bounds may be passed, as flows set them to what they reckon."""

    scope: Scope
    have: frozenset[str] = frozenset()
    brings: frozenset[str] = frozenset()
    unbound: frozenset[str] = frozenset()


def formula_of(text: str, ground: Ground) -> Formula:
    """The formula of a guard. Raises ``ExpressionError`` for a text that is none; its names and types are right."""
    return _GuardReader(text, ground).formula(parse(text))


class _GuardReader:
    """Reads one guard part by part."""

    def __init__(self, text: str, ground: Ground) -> None:
        self.text = text
        self.ground = ground

    def formula(self, node: Any) -> Formula:
        """A part that is true or false."""
        node = inside(node)
        match node.data:
            case "conditionalor" | "conditionaland":
                parts = [self.formula(each) for each in _joined(node)]
                return either(*parts) if node.data == "conditionalor" else both(*parts)
            case "unary" if node.children[0].data == "unary_not":
                return opposite(self.formula(node.children[1]))
            case "relation":
                return self._relation(node)
            case "expr":
                condition, yes, no = (self.formula(each) for each in node.children)
                return either(both(condition, yes), both(opposite(condition), no))
            case "ident" if node.children[0] in ("true", "false"):
                return Always(node.children[0] == "true")
            case "literal" if str(node.children[0]) in ("true", "false"):
                return Always(str(node.children[0]) == "true")
            case "ident" | "member_dot":
                return self._named(node)
            case "ident_arg" if str(node.children[0]) == "has":
                return self._has(node.children[1].children[0])
            case "member_dot_arg" if str(node.children[1]) in _TESTS:
                of, part = self.term(node.children[0]), self.term(node.children[2].children[0])
                if _is_kind(of, EMAIL) and isinstance(part, Constant):
                    part = Constant(str(part.value).lower())
                if of is not None and part is not None:
                    return Compared(_TESTS[str(node.children[1])], of, part)
        return self._opaque(node)

    def term(self, node: Any) -> Term | None:
        """A part that is an amount, a moment, a length of time or a text; None where it cannot be told."""
        node = inside(node)
        match node.data:
            case "literal":
                return _literal(node.children[0])
            case "ident" | "member_dot":
                named = self._name(chain(node))
                flag = isinstance(named, Held) and named.variable.kind not in NUMERIC | TEXTS
                return None if flag else named
            case "addition" | "multiplication":
                return self._calculated(node)
            case "unary" if node.children[0].data == "unary_neg":
                below = self.term(node.children[1])
                return None if below is None else _folded("-", Constant(Fraction(0)), below)
            case "ident_arg" if str(node.children[0]) in ("timestamp", "date", "duration"):
                return self._moment(str(node.children[0]), node.children[1].children[0])
        return None

    def _calculated(self, node: Any) -> Term | None:
        sign = _SIGNS.get(node.children[0].data)
        left, right = (self.term(each) for each in _two_sides(node))
        if sign is None or left is None or right is None or _is_text(left) or _is_text(right):
            return None
        if sign == "*" and not isinstance(left, Constant) and not isinstance(right, Constant):
            return None
        if sign == "/" and (not isinstance(right, Constant) or not right.value):
            return None
        return _folded(sign, left, right)

    def _moment(self, name: str, node: Any) -> Term | None:
        given = self.term(node)
        if not isinstance(given, Constant) or not isinstance(given.value, str):
            return given
        if name == "date":
            at = day(given.value)
            return None if at is None else Constant(Fraction(at.toordinal()))
        found = duration(given.value) if name == "duration" else instant(given.value)
        return None if found is None else Constant(Fraction(found))

    def _relation(self, node: Any) -> Formula:
        word = OPERATORS[node.children[0].data]
        left, right = _two_sides(node)
        if word == "in":
            return self._among(node, left, right)
        one, other = self._alike(self.term(left), self.term(right))
        if one is not None and other is not None:
            return _compared(word, one, other) or self._opaque(node)
        if word in ("==", "!=") and self._is_flag(left) and self._is_flag(right):
            return self._same(word == "==", left, right)
        return self._opaque(node)

    def _among(self, node: Any, left: Any, right: Any) -> Formula:
        listed, of = inside(right), self.term(left)
        if listed.data != "list_lit" or of is None:
            return self._opaque(node)
        members = [self.term(each) for each in (listed.children[0].children if listed.children else ())]
        pairs = [self._alike(of, each) for each in members]
        found = [None if one is None or each is None else _compared("==", one, each) for one, each in pairs]
        parts = [each for each in found if each is not None]
        return either(*parts) if len(parts) == len(found) else self._opaque(node)

    def _alike(self, one: Term | None, other: Term | None) -> tuple[Term | None, Term | None]:
        """Two sides, a text beside a telephone number or an address as such are kept."""
        for kind in SPELLED:
            if _is_kind(one, kind) and isinstance(other, Constant):
                return one, Constant(self.ground.scope.spelled(kind, str(other.value)) or other.value)
            if _is_kind(other, kind) and isinstance(one, Constant):
                return Constant(self.ground.scope.spelled(kind, str(one.value)) or one.value), other
        return one, other

    def _same(self, alike: bool, left: Any, right: Any) -> Formula:
        """Two flags that both have a value and are alike, or are not."""
        one, other = self.formula(left), self.formula(right)
        told = both(self._told(left), self._told(right))
        same = either(both(one, other), both(opposite(one), opposite(other)))
        return both(told, same if alike else opposite(same))

    def _is_flag(self, node: Any) -> bool:
        """Whether a part is true or false, and not an amount or a text."""
        node = inside(node)
        match node.data:
            case "relation" | "conditionalor" | "conditionaland":
                return True
            case "expr":
                return self._is_flag(node.children[1]) and self._is_flag(node.children[2])
            case "unary":
                return bool(node.children[0].data == "unary_not")
            case "ident" | "member_dot" | "literal" | "ident_arg" | "member_dot_arg":
                return not isinstance(self.formula(node), Opaque)
        return False

    def _told(self, node: Any) -> Formula:
        """Whether a part that is true or false has a value: only a fact can be without."""
        node = inside(node)
        named = self._name(chain(node)) if node.data in ("ident", "member_dot") else None
        return _known(named) if isinstance(named, Held) else TRUE

    def _named(self, node: Any) -> Formula:
        named = self._name(chain(node))
        if isinstance(named, Held) and named.variable.kind == "flag":
            return Flagged(named)
        if isinstance(named, Constant) and isinstance(named.value, bool):
            return Always(named.value)
        return self._opaque(node)

    def _has(self, node: Any) -> Formula:
        named = self._name(chain(inside(node)))
        return _known(named) if isinstance(named, Held) else TRUE if named is not None else self._opaque(node)

    def _name(self, name: str | None) -> Held | Constant | None:
        scope = self.ground.scope
        if name is None:
            return None
        if name in scope.facts:
            return Held(self._fact(scope.facts[name]))
        first, _, rest = name.partition(".")
        if first == "event" and rest in scope.facts:
            return Held(self._fact(scope.facts[rest]), rest not in self.ground.brings)
        if first == "settings" and rest in scope.settings:
            return _constant(scope.settings[rest].value)
        kind = {"case.age": "duration"}.get(name) or {"left": "duration", "late": "flag"}.get(name.rpartition(".")[2])
        if name.startswith("case.visits."):
            return Held(Variable(name, "count"))
        known = kind is not None and (name == "case.age" or first == "clock")
        return Held(Variable(name, kind, (), name.endswith(".left"))) if kind is not None and known else None

    def _fact(self, fact: Fact) -> Variable:
        missing = fact.default is None and fact.name not in self.ground.have | self.ground.brings
        least, most = (None, None) if fact.name in self.ground.unbound else (fact.least, fact.most)
        return Variable(
            fact.name, fact.type, fact.of if fact.type == "choice" else (), missing, fact.private,
            *(None if each is None else Fraction(str(each)) for each in (least, most)),
        )  # fmt: skip

    def _opaque(self, node: Any) -> Opaque:
        meta = node.meta
        return Opaque(" ".join(self.text[meta.start_pos : meta.end_pos].split()))


def _known(held: Held) -> Formula:
    return HasValue(held) if held.variable.may_miss or held.brought else TRUE


def _compared(word: str, one: Term, other: Term) -> Formula | None:
    """A comparison; worked out where both sides are constants, None where it is of texts by their order."""
    texts = _is_text(one) or _is_text(other)
    if isinstance(one, Constant) and isinstance(other, Constant):
        if type(one.value) is not type(other.value):
            return None
        return TRUE if HOLDS[word](one.value, other.value) else FALSE
    return None if texts and word not in ("==", "!=") else Compared(word, one, other)


def _is_kind(term: Term | None, kind: str) -> bool:
    return isinstance(term, Held) and term.variable.kind == kind


def _is_text(term: Term) -> bool:
    if isinstance(term, Held):
        return term.variable.kind in TEXTS
    return isinstance(term, Constant) and isinstance(term.value, str)


def _folded(sign: str, left: Term, right: Term) -> Term:
    """A calculation, worked out where both sides are numbers."""
    if not isinstance(left, Constant) or not isinstance(right, Constant):
        return Calculated(sign, left, right)
    work = {"+": operators.add, "-": operators.sub, "*": operators.mul, "/": operators.truediv}
    return Constant(work[sign](left.value, right.value))


def _literal(token: Any) -> Constant | None:
    if token.type in ("INT_LIT", "UINT_LIT", "FLOAT_LIT"):
        found = number(str(token))
        return None if found is None else Constant(Fraction(str(found)))
    said = quoted(str(token)) if token.type == "STRING_LIT" else None
    return None if said is None else Constant(said)


def _constant(value: object) -> Constant | None:
    if isinstance(value, (bool, str)):
        return Constant(value)
    return Constant(Fraction(str(value))) if isinstance(value, (int, float, Decimal)) else None


def _joined(node: Any) -> list[Any]:
    """The parts of ``a && b && c``, however many: they are a tree as deep as they are many."""
    parts: list[Any] = []
    while len(node.children) == 2:
        parts.append(node.children[1])
        node = node.children[0]
    return [node, *reversed(parts)]


def _two_sides(node: Any) -> tuple[Any, Any]:
    """The sides of a comparison, sum or product."""
    return node.children[0].children[0], node.children[1]
