"""Sums and products: of which types they can be, and of which they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.guards.faults import TYPE
from carepolicy.guards.kinds import DURATION, NUMBER, NUMERIC, TEXT, TEXTS, TIME, UNKNOWN, Piece, Type, common

if TYPE_CHECKING:
    from carepolicy.guards.compiler import Compiler

OPERATIONS = {
    "addition_add": "add",
    "addition_sub": "sub",
    "multiplication_mul": "mul",
    "multiplication_div": "div",
    "multiplication_mod": "mod",
}
_SAID = {"add": "added", "sub": "subtracted", "mul": "multiplied", "div": "divided", "mod": "divided"}


def calculated(compiler: Compiler, word: str, left: Piece, right: Piece, start: int, end: int) -> Piece:
    """``left + right`` and the like: no value where there is none to be had."""
    kinds = (left.type.kind, right.type.kind)
    kind = UNKNOWN if "unknown" in kinds else _type(word, left.type, right.type)
    if kind is None:
        place = Piece(UNKNOWN, "", False, start, end)
        texts = word == "add" and "text" in kinds
        hint = "string(...) makes a text of a number" if texts else ""
        compiler.fault(TYPE, f"{left.type} and {right.type} cannot be {_SAID[word]}", place, hint)
        kind = UNKNOWN
    codes = (left.exact, right.exact) if "money" in kinds else (left.code, right.code)
    return Piece(kind, f"{word}({codes[0]}, {codes[1]})", True, start, end)


def _type(word: str, left: Type, right: Type) -> Type | None:
    kinds = (left.kind, right.kind)
    if set(kinds) <= NUMERIC:
        return _of_numbers(word, left, right)
    if word == "add" and set(kinds) <= TEXTS:
        return TEXT
    if word == "add" and kinds == ("list", "list"):
        return common(left, right)
    if kinds in (("time", "duration"), ("duration", "time")) and (word == "add" or (word, kinds[0]) == ("sub", "time")):
        return TIME
    if word in ("add", "sub") and kinds == ("duration", "duration"):
        return DURATION
    return DURATION if word == "sub" and kinds == ("time", "time") else None


def _of_numbers(word: str, left: Type, right: Type) -> Type | None:
    kinds = (left.kind, right.kind)
    if kinds == ("number", "number"):
        return NUMBER
    if word in ("add", "sub", "mod"):
        return common(left, right)
    if kinds == ("money", "number"):
        return left
    if kinds == ("number", "money"):
        return right if word == "mul" else None
    return NUMBER if word == "div" and common(left, right) is not None else None
