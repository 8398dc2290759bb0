"""Types of expressions, and the code that an expression becomes piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.model import Fact


@dataclass(frozen=True, slots=True)
class Type:
    """A type. ``of`` are the values of a choice, ``item`` is the type of a list's members."""

    kind: str
    of: tuple[str, ...] = ()
    item: Type | None = None
    currency: str | None = None

    def __str__(self) -> str:
        return f"list of {self.item}" if self.item is not None else _WORDS.get(self.kind, self.kind)


_WORDS = {
    "number": "a number",
    "money": "money",
    "text": "a text",
    "choice": "a choice",
    "flag": "true or false",
    "date": "a date",
    "time": "a time",
    "duration": "a duration",
    "list": "a list",
    "unknown": "something unknown",
}

NUMBER, MONEY, TEXT, FLAG = Type("number"), Type("money"), Type("text"), Type("flag")
DATE, TIME, DURATION, UNKNOWN = Type("date"), Type("time"), Type("duration"), Type("unknown")


def type_of(fact: Fact) -> Type:
    """The type of a fact's value."""
    if fact.type == "list":
        return Type("list", item=_plain(fact.item or "text", fact))
    return _plain(fact.type, fact)


def _plain(kind: str, fact: Fact) -> Type:
    return Type(kind, fact.of if kind == "choice" else (), None, fact.currency if kind == "money" else None)


@dataclass(frozen=True, slots=True)
class Piece:
    """A checked part of an expression: its type, its Python code, whether it can be without a value, its place
    in the text, and what it is where it is a literal."""

    type: Type
    code: str
    may_miss: bool
    start: int
    end: int
    literal: str | int | float | bool | None = None
    members: tuple[Piece, ...] = ()
