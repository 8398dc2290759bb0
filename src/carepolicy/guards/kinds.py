"""Types of expressions, and the code that an expression becomes piece by piece, with what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from carepolicy.guards.faults import VALUE, Fault
from carepolicy.guards.parser import span
from carepolicy.policy.addresses import SPELLED

if TYPE_CHECKING:
    from carepolicy.guards.scope import Scope
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
    "phone": "a telephone number",
    "email": "an address of e-mail",
    "list": "a list",
    "unknown": "something unknown",
}

_WRITE = {
    "phone": "write it with its country, such as +44 20 7946 0123; without it, region: of the organisation counts",
    "email": "write one address and nothing else, such as ada@example.org",
}
"""How values are written that are kept in one form."""

NUMBER, TEXT, FLAG = Type("number"), Type("text"), Type("flag")
DATE, TIME, DURATION, UNKNOWN = Type("date"), Type("time"), Type("duration"), Type("unknown")

NUMERIC = frozenset(("number", "money"))
TEXTS = frozenset(("text", "choice", *SPELLED))


def type_of(fact: Fact) -> Type:
    """The type of a fact's value."""
    if fact.type == "list":
        return Type("list", item=_plain(fact.item or "text", fact))
    return _plain(fact.type, fact)


def _plain(kind: str, fact: Fact) -> Type:
    return Type(kind, fact.of if kind == "choice" else (), None, fact.currency if kind == "money" else None)


def common(one: Type, other: Type) -> Type | None:
    """The type that values of both have; None where there is none.

    A number beside money becomes money, and so it must be made exact; lists do not mix the two.
    """
    kinds = {one.kind, other.kind}
    if "unknown" in kinds:
        return other if one.kind == "unknown" else one
    if kinds == {"list"}:
        item = common(one.item or UNKNOWN, other.item or UNKNOWN)
        mixed = item is not None and item.kind == "money" and one.item is not None and other.item is not None
        if item is None or (mixed and "number" in {one.item and one.item.kind, other.item and other.item.kind}):
            return None
        return Type("list", item=item)
    if kinds <= NUMERIC and len({each.currency for each in (one, other) if each.currency}) < 2:
        return NUMBER if kinds == {"number"} else Type("money", currency=one.currency or other.currency)
    if kinds <= TEXTS:
        return one if one == other else TEXT
    return one if one == other else None


@dataclass(frozen=True, slots=True)
class Piece:
    """A checked part of an expression: its type, its Python code, whether it can be without a value, its place
    in the text, and what it is where it is a literal; ``said`` is the text that it always is, of a setting too."""

    type: Type
    code: str
    may_miss: bool
    start: int
    end: int
    literal: str | int | float | bool | None = None
    members: tuple[Piece, ...] = ()
    said: str | None = None

    @property
    def exact(self) -> str:
        """Code whose value can be calculated with money: an exact decimal."""
        if self.literal is not None:
            return f"K[{str(self.literal)!r}]" if self.type.kind == "number" else "None"
        return self.code if self.type.kind != "number" else f"dec({self.code})"


class Draft:
    """An expression that becomes code, and the ``faults`` that are found in it on the way."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.faults: list[Fault] = []
        self._count = 0

    def fresh(self) -> str:
        """A name for a value that the code uses twice."""
        self._count += 1
        return f"_{self._count}"

    def fault(self, code: str, message: str, at: Piece | Any, hint: str = "", replacement: str | None = None) -> None:
        """Note a fault at a piece or node."""
        start, end = (at.start, at.end) if isinstance(at, Piece) else span(at)
        self.faults.append(Fault(code, message, hint, start, end, replacement))

    def spelled(self, kind: str, piece: Piece) -> Piece:
        """A text beside a telephone number or an address, as such are kept."""
        written = piece.literal if isinstance(piece.literal, str) else piece.said
        if written is None or piece.type.kind in SPELLED:
            return piece
        kept = self.scope.spelled(kind, written)
        if kept is None:
            what = f"{self.quoted(written, piece)} is no {_WORDS[kind].split(' ', 1)[1]}"
            self.fault(VALUE, what, piece, _WRITE[kind])
            return replace(piece, type=Type(kind))
        return replace(piece, type=Type(kind), code=repr(kept), literal=kept, said=kept)

    def quoted(self, value: str, like: Piece) -> str:
        """``value`` as a literal in the quotes that the piece ``like`` has in the text."""
        quote = self.text[like.start : like.start + 1]
        return f"'{value}'" if quote == "'" else f'"{value}"'
