"""Letters that are not seen. Persian, Sinhala and joined emoji need some (U+200C, U+200D), texts of two directions
others (U+200E, U+200F, isolates); some turn the direction of all that follows, and make it say something else. And what
stands where a value must not be seen."""

from __future__ import annotations

import re
from functools import cache
from unicodedata import name

ISOLATES, END_OF_ISOLATE = "\u2066\u2067\u2068", "\u2069"
"""What sets a text apart from the direction of what is around it, and ends it (UAX #9)."""

OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e")
"""What turns all that follows, whatever it is."""

OUT_OF_USE = frozenset(map(chr, (*range(0x206A, 0x2070), *range(0xFFF9, 0xFFFC), 0xFEFF)))
"""Signs that Unicode advises against in texts; the last is a mark of byte order, of which readers disagree."""

MASK = "***"
"""What stands in messages and records in place of a private value."""

_LIKE_BLANKS = "[\u0085\u00a0\u00ad\u1680\u180e\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]"
"""What looks like a blank, or like nothing, and is not: mostly pasted from a page or a word processor."""

_TURNS = dict.fromkeys(map(ord, (*OVERRIDES, *ISOLATES, END_OF_ISOLATE)))


def isolated(text: str) -> str:
    """A value that keeps to itself amid text of the other direction, as UAX #9 advises where texts are put together."""
    kept = text.translate(_TURNS)
    return f"{ISOLATES[-1]}{kept}{END_OF_ISOLATE}" if kept else ""


def bounded(text: str, mark: str = "") -> str:
    """A text that turns nothing which stands after it: each isolate in it ends, and what turns all is replaced."""
    kept: list[str] = []
    open_isolates = 0
    for each in text:
        if each in ISOLATES:
            open_isolates += 1
        elif each == END_OF_ISOLATE and open_isolates:
            open_isolates -= 1
        elif each == END_OF_ISOLATE or each in OVERRIDES or each in OUT_OF_USE:
            each = mark
        kept.append(each)
    return "".join(kept) + END_OF_ISOLATE * open_isolates


@cache
def _like_blanks() -> re.Pattern[str]:
    return re.compile(_LIKE_BLANKS)


def like_blank(text: str, start: int = 0) -> re.Match[str] | None:
    """The first letter from ``start`` on that looks like a blank or like nothing, and is neither."""
    return _like_blanks().search(text, start)


def called(letter: str) -> str:
    """What a letter is called: ``no-break space (U+00A0)``."""
    return f"{name(letter, 'control character').lower()} (U+{ord(letter):04X})"


def like_blank_told(letter: str) -> tuple[str, str]:
    """What is wrong with a letter that looks like a blank, and what to do."""
    return f"this looks like a space, and is a {called(letter)}", "write a space in its place"


def without_like_blanks(text: str) -> str:
    """A text without letters that nobody sees; those that look like a blank have become blanks."""
    return re.sub(_LIKE_BLANKS, lambda found: " " if found[0].isspace() else "", text)


def shown(text: str) -> str:
    """A text in which what looks like a blank, and is none, is told: ``do‹zero width space (U+200B)›ne``."""
    return text if text.isascii() else re.sub(_LIKE_BLANKS, lambda found: f"‹{called(found[0])}›", text)
