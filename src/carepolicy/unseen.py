"""Letters that are not seen. Persian, Sinhala and joined emoji need some (U+200C, U+200D), texts of two directions
others (U+200E, U+200F, isolates); some turn the direction of all that follows, and make it say something else."""

from __future__ import annotations

ISOLATES, END_OF_ISOLATE = "\u2066\u2067\u2068", "\u2069"
"""What sets a text apart from the direction of what is around it, and ends it (UAX #9)."""

OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e")
"""What turns all that follows, whatever it is."""

OUT_OF_USE = frozenset(map(chr, (*range(0x206A, 0x2070), *range(0xFFF9, 0xFFFC), 0xFEFF)))
"""Signs that Unicode advises against in texts; the last is a mark of byte order, of which readers disagree."""

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
