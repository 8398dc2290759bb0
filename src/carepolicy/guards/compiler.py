"""A tree becomes Python: each part is checked for its type and turned into code that cannot raise.

A fact without a value is None in the code. A comparison with it is false; what is calculated from it has no
value either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.guards.calls import call, method
from carepolicy.guards.faults import CALL, PARSE, TYPE, VALUE, Fault
from carepolicy.guards.kinds import DURATION, FLAG, MONEY, NUMBER, TEXT, TIME, UNKNOWN, Piece, Type
from carepolicy.guards.names import Names
from carepolicy.policy.findings import did_you_mean, nearest

if TYPE_CHECKING:
    from carepolicy.guards.scope import Scope

Node = Any
"""A lark tree or token."""

_COMPARES = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
}
_SUMS = {"addition_add": "add", "addition_sub": "sub"}
_PRODUCTS = {"multiplication_mul": "mul", "multiplication_div": "div", "multiplication_mod": "mod"}
_NUMERIC = ("number", "money")
_TEXTS = ("text", "choice")


class Compiler:
    """Compiles one expression; ``faults`` and what it ``reads`` are collected on the way."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.faults: list[Fault] = []
        self.names = Names(scope, self)
        self._count = 0

    def fresh(self) -> str:
        """A name for a value that the code uses twice."""
        self._count += 1
        return f"_{self._count}"

    def fault(self, code: str, message: str, at: Piece | Node, hint: str = "", replacement: str | None = None) -> None:
        """Note a fault at a piece or node."""
        start, end = (at.start, at.end) if isinstance(at, Piece) else _span(at)
        self.faults.append(Fault(code, message, hint, start, end, replacement))

    # -- from the top of the grammar down ----------------------------------------------------------

    def expr(self, node: Node) -> Piece:
        """``a ? b : c``, or what stands below it."""
        if len(node.children) == 1:
            return self.either(node.children[0])
        condition = self.flag(self.either(node.children[0]))
        yes, no = self.either(node.children[1]), self.expr(node.children[2])
        kind = self._common(yes, no)
        if kind is None:
            self.fault(TYPE, f"one way gives {yes.type}, the other {no.type}", no)
            kind = UNKNOWN
        code = f"({yes.code} if {condition.code} else {no.code})"
        return Piece(kind, code, yes.may_miss or no.may_miss, *_span(node))

    def either(self, node: Node) -> Piece:
        """``a || b``, over any number of parts."""
        return self._chain(node, "or", self.both)

    def both(self, node: Node) -> Piece:
        """``a && b``, over any number of parts."""
        return self._chain(node, "and", self.relation)

    def _chain(self, node: Node, word: str, below: Any) -> Piece:
        parts: list[Node] = []
        place = node
        while len(place.children) == 2:
            parts.append(place.children[1])
            place = place.children[0]
        first = below(place.children[0])
        if not parts:
            only: Piece = first
            return only
        pieces = [self.flag(first), *(self.flag(below(each)) for each in reversed(parts))]
        return Piece(FLAG, "(" + f" {word} ".join(each.code for each in pieces) + ")", False, *_span(node))

    def relation(self, node: Node) -> Piece:
        """A comparison, or what stands below it."""
        if len(node.children) == 1:
            return self.sums(node.children[0])
        operator = _COMPARES[node.children[0].data]
        left, right = self.relation(node.children[0].children[0]), self.sums(node.children[1])
        start, end = _span(node)
        if operator == "in":
            return self._member(left, right, start, end)
        self._comparable(operator, left, right)
        return self._compared(operator, left, right, start, end)

    def _compared(self, operator: str, left: Piece, right: Piece, start: int, end: int) -> Piece:
        money = "money" in (left.type.kind, right.type.kind)
        codes = [_exact(each) if money else each.code for each in (left, right)]
        checks = []
        for number, each in enumerate((left, right)):
            if each.may_miss and not (operator == "==" and not (left.may_miss and right.may_miss)):
                name = self.fresh()
                checks.append(f"({name} := {codes[number]}) is not None")
                codes[number] = name
        return Piece(FLAG, "(" + " and ".join([*checks, f"{codes[0]} {operator} {codes[1]}"]) + ")", False, start, end)

    def _comparable(self, operator: str, left: Piece, right: Piece) -> None:
        kinds = {left.type.kind, right.type.kind}
        if "unknown" in kinds:
            return
        for one, other in ((left, right), (right, left)):
            if one.type.kind == "choice" and isinstance(other.literal, str):
                self._has_value(one.type, other)
        alike = len(kinds) == 1 or kinds <= set(_NUMERIC) or kinds <= set(_TEXTS)
        if not alike:
            self.fault(TYPE, f"{left.type} is compared with {right.type}", right, self._type_hint(left, right))
        elif operator not in ("==", "!=") and kinds & {"flag", "choice", "list"}:
            self.fault(TYPE, f"{left.type} has no order: {operator} does not compare it", left)
        elif left.type.currency and right.type.currency and left.type.currency != right.type.currency:
            self.fault(TYPE, f"{left.type.currency} is compared with {right.type.currency}", right)

    def _type_hint(self, left: Piece, right: Piece) -> str:
        if left.type.kind in _NUMERIC and isinstance(right.literal, str):
            return f"write {right.literal} without quotes"
        if left.type.kind == "time" and right.type.kind == "date":
            return "compare a time with timestamp(...)"
        return "compare a date with date(...)" if left.type.kind == "date" else ""

    def _has_value(self, kind: Type, other: Piece) -> None:
        value = str(other.literal)
        if value not in kind.of:
            near = nearest(value, kind.of)
            said = f'there is no value "{value}" here'
            self.fault(VALUE, said, other, did_you_mean(value, kind.of), None if near is None else f'"{near}"')

    def _member(self, left: Piece, right: Piece, start: int, end: int) -> Piece:
        if right.type.kind == "list" and right.type.item is not None:
            for each in right.members:
                self._comparable("==", left, each)
            if (
                not right.members
                and left.type.kind not in (right.type.item.kind, "unknown")
                and not ({left.type.kind, right.type.item.kind} <= set(_TEXTS))
            ):
                self.fault(TYPE, f"{left.type} is looked for in a {right.type}", left)
        elif right.type.kind not in ("unknown", "list"):
            self.fault(TYPE, f"in needs a list, and this is {right.type}", right)
        return Piece(FLAG, f"holds({right.code}, {left.code})", False, start, end)

    def sums(self, node: Node) -> Piece:
        """``a + b`` and ``a - b``, or what stands below."""
        if len(node.children) == 1:
            return self.products(node.children[0])
        word = _SUMS[node.children[0].data]
        left, right = self.sums(node.children[0].children[0]), self.products(node.children[1])
        kind = _sum_type(word, left.type, right.type)
        return self._calculated(node, word, kind, left, right)

    def products(self, node: Node) -> Piece:
        """``a * b``, ``a / b`` and ``a % b``, or what stands below."""
        if len(node.children) == 1:
            return self.unary(node.children[0])
        word = _PRODUCTS[node.children[0].data]
        left, right = self.products(node.children[0].children[0]), self.unary(node.children[1])
        return self._calculated(node, word, _product_type(word, left.type, right.type), left, right)

    def _calculated(self, node: Node, word: str, kind: Type | None, left: Piece, right: Piece) -> Piece:
        if kind is None:
            if "unknown" not in (left.type.kind, right.type.kind):
                said = {"add": "added", "sub": "subtracted", "mul": "multiplied", "div": "divided", "mod": "divided"}[
                    word
                ]
                self.fault(TYPE, f"{left.type} and {right.type} cannot be {said}", node)
            kind = UNKNOWN
        money = "money" in (left.type.kind, right.type.kind)
        codes = [_exact(each) if money else each.code for each in (left, right)]
        return Piece(kind, f"{word}({codes[0]}, {codes[1]})", True, *_span(node))

    def unary(self, node: Node) -> Piece:
        """``!a`` and ``-a``, or what stands below."""
        if len(node.children) == 1:
            return self.member(node.children[0])
        below = self.unary(node.children[1])
        start, end = _span(node)
        if node.children[0].data == "unary_not":
            return Piece(FLAG, f"(not {self.flag(below).code})", False, start, end)
        if below.type.kind not in (*_NUMERIC, "duration", "unknown"):
            self.fault(TYPE, f"{below.type} has no sign", below)
        return Piece(below.type, f"neg({below.code})", below.may_miss, start, end)

    def member(self, node: Node) -> Piece:
        """A name, a method call, a list, a literal, something in brackets."""
        inner = node.children[0]
        if inner.data == "primary":
            return self._primary(inner.children[0])
        if inner.data == "member_dot":
            return self.names.dotted(inner)
        if inner.data == "member_dot_arg":
            arguments = inner.children[2].children if len(inner.children) > 2 else []
            return method(self, inner, inner.children[0], inner.children[1], arguments)
        self.fault(PARSE, "indexes and objects are not for expressions of policies", inner)
        return Piece(UNKNOWN, "None", True, *_span(node))

    def _primary(self, node: Node) -> Piece:
        start, end = _span(node)
        if node.data == "literal":
            return self._literal(node.children[0], start, end)
        if node.data == "paren_expr":
            return self.expr(node.children[0])
        if node.data == "ident":
            return self.names.single(node)
        if node.data == "ident_arg":
            return call(self, node, node.children[0], node.children[1].children if len(node.children) > 1 else [])
        if node.data == "list_lit":
            return self._list(node, start, end)
        self.fault(PARSE, "this is not for expressions of policies", node)
        return Piece(UNKNOWN, "None", True, start, end)

    def _list(self, node: Node, start: int, end: int) -> Piece:
        members = tuple(self.expr(each) for each in node.children[0].children) if node.children else ()
        kind = members[0].type if members else UNKNOWN
        for each in members[1:]:
            if self._common(members[0], each) is None:
                self.fault(TYPE, f"a list of {kind} holds {each.type}", each)
        code = "(" + "".join(f"{each.code}, " for each in members) + ")"
        return Piece(Type("list", item=kind), code, False, start, end, None, members)

    def _literal(self, token: Node, start: int, end: int) -> Piece:
        text = str(token)
        if token.type == "BOOL_LIT":
            return Piece(FLAG, str(text == "true"), False, start, end, text == "true")
        if token.type in ("INT_LIT", "UINT_LIT"):
            number = int(text.rstrip("uU"), 0) if "x" in text.lower() else int(text.rstrip("uU"))
            return Piece(NUMBER, repr(number), False, start, end, number)
        if token.type == "FLOAT_LIT" and abs(float(text)) < 1e300:
            return Piece(NUMBER, repr(float(text)), False, start, end, float(text))
        if token.type in ("STRING_LIT", "MLSTRING_LIT"):
            said = _unquoted(text)
            if said is not None:
                return Piece(TEXT, repr(said), False, start, end, said)
        hint = "ask has(...) whether there is a value" if token.type == "NULL_LIT" else ""
        self.fault(TYPE, f"{text} cannot stand in an expression of a policy", token, hint)
        return Piece(UNKNOWN, "None", True, start, end)

    # -- for all of them ---------------------------------------------------------------------------

    def flag(self, piece: Piece) -> Piece:
        """The piece, which must be true or false."""
        if piece.type.kind not in ("flag", "unknown"):
            self.fault(TYPE, f"true or false is needed here, and this is {piece.type}", piece)
        return piece

    def wants(self, piece: Piece, *kinds: str) -> Piece:
        """The piece, which must be of one of the kinds."""
        if piece.type.kind not in (*kinds, "unknown"):
            self.fault(CALL, f"{Type(kinds[0])} is needed here, and this is {piece.type}", piece)
        return piece

    def _common(self, one: Piece, other: Piece) -> Type | None:
        kinds = {one.type.kind, other.type.kind}
        if len(kinds) == 1:
            return one.type if one.literal is None else other.type
        if kinds <= set(_NUMERIC):
            return MONEY
        if kinds <= set(_TEXTS):
            return TEXT
        return UNKNOWN if "unknown" in kinds else None


def _exact(piece: Piece) -> str:
    """Code whose value can be calculated with money: an exact decimal."""
    if piece.literal is not None:
        return f'D("{piece.literal}")'
    return piece.code if piece.type.kind == "money" else f"dec({piece.code})"


def _sum_type(word: str, left: Type, right: Type) -> Type | None:
    kinds = (left.kind, right.kind)
    if kinds == ("number", "number"):
        return NUMBER
    if set(kinds) <= set(_NUMERIC):
        return left if left.kind == "money" else right
    if word == "add" and set(kinds) <= set(_TEXTS):
        return TEXT
    if word == "add" and kinds == ("list", "list"):
        return left
    if kinds in (("time", "duration"), ("duration", "time")) and (word == "add" or kinds[0] == "time"):
        return TIME
    if kinds == ("duration", "duration") or (word == "sub" and kinds == ("time", "time")):
        return DURATION
    return None


def _product_type(word: str, left: Type, right: Type) -> Type | None:
    kinds = (left.kind, right.kind)
    if kinds == ("number", "number"):
        return NUMBER
    if kinds == ("money", "number"):
        return left
    if kinds == ("number", "money") and word == "mul":
        return right
    return NUMBER if kinds == ("money", "money") and word == "div" else None


def _unquoted(text: str) -> str | None:
    """The value of a string literal; None where its escapes cannot be read."""
    from celpy.evaluation import celstr
    from lark import Token

    try:
        return str(celstr(Token("STRING_LIT", text)))
    except (ValueError, IndexError, KeyError, OverflowError):
        return None


def _span(node: Node) -> tuple[int, int]:
    """The offsets of a tree or token."""
    meta = getattr(node, "meta", None)
    if meta is not None:
        return (0, 0) if getattr(meta, "empty", False) else (meta.start_pos, meta.end_pos)
    return node.start_pos, node.end_pos
