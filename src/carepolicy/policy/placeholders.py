"""Placeholders in messages, notices and promises: ``{customer.name}``, ``{customer.name or "customer"}``,
``{clock.reply.limit:dative}``; ``{{`` and ``}}`` are literal braces."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = re.compile(r"\{\{|\}\}|\{|\}")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
_TEXT = "\"[^\"{}]*\"|'[^'{}]*'|“[^“”{}]*”"
_CASE = "[a-z]+"
_INSIDE = re.compile(rf"\s*{_NAME}(?::{_CASE})?(?:\s+or\s+{_NAME}(?::{_CASE})?)*(?:\s+or\s+(?P<text>{_TEXT}))?\s*")
_WORD = re.compile(rf"(?P<name>{_NAME})(?::(?P<case>{_CASE}))?")


class PlaceholderError(ValueError):
    """A text whose braces do not pair, or hold no name: the reason, and the offsets of what is wrong."""

    def __init__(self, reason: str, start: int, end: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.start = start
        self.end = end


class Name(NamedTuple):
    """A name between braces, its offsets, and the grammatical case in which it is told, if one is named."""

    name: str
    start: int
    end: int
    case: str = ""


class Placeholder(NamedTuple):
    """What stands between braces: ``names`` of which the first that has a value is told, and the text ``otherwise``
    that is told where none has (None: nothing is)."""

    names: tuple[Name, ...]
    otherwise: str | None = None


@lru_cache(maxsize=4096)
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
        placeholder, done = _between_braces(text, brace.start())
        found += ["".join(literal), placeholder]
        literal = []
    literal.append(text[done:])
    return tuple(piece for piece in (*found, "".join(literal)) if piece)


def _between_braces(text: str, start: int) -> tuple[Placeholder, int]:
    """The placeholder that an opening brace begins, and where the text goes on after it."""
    end = text.find("}", start)
    if end < 0:
        raise PlaceholderError("an opening brace has no closing one; write {{ for a brace", start, start + 1)
    said = _INSIDE.fullmatch(text, start + 1, end)
    if said is None:
        raise PlaceholderError(
            'between braces stands a name, such as {customer.name}, or {customer.name or "customer"}', start, end + 1
        )
    quoted = said["text"]
    words = _WORD.finditer(text, start + 1, end if quoted is None else said.start("text"))
    named = [*words][::2]  # between two stands an "or"
    names = tuple(Name(word["name"], *word.span("name"), word["case"] or "") for word in named)
    return Placeholder(names, None if quoted is None else quoted[1:-1]), end + 1


def placeholders(text: str) -> tuple[Placeholder, ...]:
    """The placeholders of ``text``, in order. Raises ``PlaceholderError``."""
    return tuple(piece for piece in pieces(text) if isinstance(piece, Placeholder))


def names_in(text: str) -> tuple[Name, ...]:
    """Every name between braces, in order. Raises ``PlaceholderError``."""
    return tuple(name for placeholder in placeholders(text) for name in placeholder.names)


INCLUDED = "message."
"""What a name begins with that stands for the text of another message of the language: ``{message.signature}``."""


def included_in(text: str) -> tuple[str, ...]:
    """The names of the messages whose texts a text takes in, in order; none where its braces are wrong."""
    if INCLUDED not in text:
        return ()
    try:
        return tuple(name.name.removeprefix(INCLUDED) for name in names_in(text) if name.name.startswith(INCLUDED))
    except PlaceholderError:
        return ()


def with_included(text: str, texts: Callable[[str], str | None]) -> str:
    """``text`` with the texts of other messages in the places of ``{message.NAME}``; one that is not there stays as it
    is written. What is taken in takes nothing in itself."""
    if not included_in(text):
        return text
    found, done = "", 0
    for name in names_in(text):
        said = texts(name.name.removeprefix(INCLUDED)) if name.name.startswith(INCLUDED) else None
        if said is not None:
            found += text[done : text.rindex("{", 0, name.start)] + said.rstrip("\n")
            done = text.index("}", name.end) + 1
    return found + text[done:]


def filled(text: str, told: Callable[[str], str]) -> str:
    """``text`` with what ``told`` says of its first name in the place of each placeholder; as it is where its braces
    are wrong."""
    try:
        found = pieces(text)
    except PlaceholderError:
        return text
    return "".join(each if isinstance(each, str) else told(each.names[0].name) for each in found)
