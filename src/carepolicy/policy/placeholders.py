"""Placeholders in messages, notices and promises: ``{customer.name}``; ``{{`` and ``}}`` are literal braces."""

from __future__ import annotations

import re
from functools import lru_cache

from carepolicy.named import NamedTuple

_PIECE = re.compile(r"\{\{|\}\}|\{|\}")
_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*")


class PlaceholderError(ValueError):
    """A text whose braces do not pair, or hold no name: the reason, and the offsets of what is wrong."""

    def __init__(self, reason: str, start: int, end: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.start = start
        self.end = end


class Placeholder(NamedTuple):
    """A name between braces; ``start`` and ``end`` are the offsets of the name itself."""

    name: str
    start: int
    end: int


def pieces(text: str) -> tuple[str | Placeholder, ...]:
    """``text`` as literal stretches and placeholders, in order. Raises ``PlaceholderError``."""
    found: list[str | Placeholder] = []
    literal: list[str] = []
    done = 0
    while brace := _PIECE.search(text, done):
        literal.append(text[done : brace.start()])
        if brace.group() in ("{{", "}}"):
            literal.append(brace.group()[0])
            done = brace.end()
            continue
        if brace.group() == "}":
            raise PlaceholderError(
                "a closing brace has no opening one; write }} for a brace", brace.start(), brace.end()
            )
        placeholder = _named(text, brace.start())
        found += ["".join(literal), placeholder]
        literal = []
        done = text.index("}", placeholder.end) + 1
    literal.append(text[done:])
    return tuple(piece for piece in (*found, "".join(literal)) if piece)


def _named(text: str, start: int) -> Placeholder:
    end = text.find("}", start)
    if end < 0:
        raise PlaceholderError("an opening brace has no closing one; write {{ for a brace", start, start + 1)
    name = _NAME.fullmatch(text, start + 1, end)
    if name is None:
        raise PlaceholderError("between braces stands a name, such as {customer.name}", start, end + 1)
    return Placeholder(name[1], name.start(1), name.end(1))


@lru_cache(maxsize=20_000)
def placeholders(text: str) -> tuple[Placeholder, ...]:
    """The placeholders of ``text``, in order. Raises ``PlaceholderError``."""
    return tuple(piece for piece in pieces(text) if isinstance(piece, Placeholder))
