"""Text for charts: its width on paper, its breaks into lines, and its safe form in markup."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"[ \t\r\n\f\v\u0085\u2028\u2029]+")

_STICKS = re.compile(r"(?<=[«‹]) | (?=[»›?!:;%])")
"""Spaces at which no line may be broken: French has them inside of its quotation marks and before its marks."""

_HYPHENATED = 0x0590
"""Scripts below this code point (Latin, Greek, Cyrillic, Armenian) show a break inside of a word by a hyphen."""


def width(text: str) -> int:
    """Columns that a text takes: 2 for wide characters (UAX 11), 0 for marks that sit on others."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


@lru_cache(maxsize=16_384)
def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@lru_cache(maxsize=16_384)
def clean(text: str) -> str:
    """One line without control characters: what XML and Graphviz both accept."""
    return _SPACES.sub(" ", _UNSEEN.sub("", text)).strip()


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most ``columns`` columns. A word that is longer is broken, with a hyphen between letters."""
    return list(_wrapped(text, columns))


@lru_cache(maxsize=16_384)
def _wrapped(text: str, columns: int) -> tuple[str, ...]:
    lines: list[str] = []
    line = ""
    for word in _STICKS.sub("\u00a0", clean(text)).split(" "):
        for piece in _pieces(word, columns):
            if line and width(line) + 1 + width(piece) > columns:
                lines.append(line)
                line = piece
            else:
                line = f"{line} {piece}" if line else piece
    return (*lines, line) if line else tuple(lines)


def balanced(text: str, columns: int) -> list[str]:
    """As ``wrapped``, with lines of nearly equal length: fewer orphans in pills and questions."""
    lines = wrapped(text, columns)
    narrow = columns
    while len(lines) > 1 and narrow > 8:
        trial = wrapped(text, narrow - 1)
        if len(trial) > len(lines) or _breaks(trial) > _breaks(lines):
            break
        lines, narrow = trial, narrow - 1
    return lines


def listed(parts: Iterable[str], columns: int) -> list[str]:
    """Parts set apart by middle dots, with breaks between parts where a line would be wider than ``columns``."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and width(longer) <= columns:
            lines[-1] = longer
        else:
            lines += wrapped(part, columns)
    return lines


def escaped(text: str) -> str:
    """A text made safe for XML, SVG and Graphviz's HTML-like labels."""
    return html.escape(clean(text), quote=True)


def humanised(name: str) -> str:
    """A name of the language as words: ``more_info_asked`` is "More info asked"."""
    words = name.replace("_", " ").replace(".", " ").strip()
    return words[:1].upper() + words[1:]


@lru_cache(maxsize=16_384)
def identifier(*parts: str) -> str:
    """An id of [a-z0-9_] only; other characters become their code point, so that ids stay distinct."""
    return "_".join("".join(_safe(character) for character in part) for part in parts)


def safe_link(link: str) -> str | None:
    """The link where it is https or relative, else None."""
    link = clean(link)
    if link.lower().startswith("https://"):
        return link
    relative = not re.match(r"[a-zA-Z][a-zA-Z0-9+.\-]*:", link) and not link.startswith(("//", "\\"))
    return link if link and relative else None


def _safe(character: str) -> str:
    if character.isascii() and (character.islower() or character.isdigit() or character == "_"):
        return character
    return f"x{ord(character):x}"


def _breaks(lines: list[str]) -> int:
    return sum(line.endswith(("-", "\u2011")) for line in lines)


def _pieces(word: str, columns: int) -> list[str]:
    if width(word) <= columns:
        return [word]
    pieces: list[str] = []
    piece = ""
    for character in word:
        if width(piece + character) > columns - 1:
            hyphen = "-" if piece[-1:].isalpha() and ord(piece[-1]) < _HYPHENATED else ""
            pieces.append(piece + hyphen)
            piece = character
        else:
            piece += character
    return [*pieces, piece] if piece else pieces
