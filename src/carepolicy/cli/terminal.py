"""What is safe and readable on a terminal: colour only where it is wanted, text without hidden commands."""

from __future__ import annotations

import os
import unicodedata

MARK = "\N{REPLACEMENT CHARACTER}"


def no_colour() -> bool:
    """Whether the terminal knows no colour, or ``NO_COLOR`` forbids it as https://no-color.org has it: by any text."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def plain(text: str) -> str:
    """``text`` with a mark in place of every control character, and of what turns the direction of the rest of a line,
    so that a file cannot steer the terminal.

    Spaces of other widths, as between a time and its PM, are plain spaces. Letters that are not seen stay.
    """
    if text.isprintable():
        return text
    from carepolicy.unseen import bounded

    return "".join(each if each.isprintable() or each == "\t" else _shown(each) for each in bounded(text, MARK))


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    return character if category == "Cf" else " " if category == "Zs" else MARK


def width(text: str) -> int:
    """How many columns ``text`` takes on a terminal: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(each) for each in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
