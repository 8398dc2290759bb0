"""The YAML documents of one file: several scenarios may stand in it, each after a line with ``---``."""

from __future__ import annotations

import re
from itertools import pairwise

_DIVIDER = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_LIVE = re.compile(r"^(?![ \t]*(#|$|---|%))", re.MULTILINE)


def documents(text: str) -> list[str]:
    """The YAML documents of a text, each with blank lines in place of what stands before it.

    So each keeps its lines' numbers. What holds only comments is no document, unless it is the whole text.
    """
    starts = [0, *(each.start() for each in _DIVIDER.finditer(text)), len(text)]
    parts = []
    lines = 0
    for start, end in pairwise(starts):
        part = text[start:end]
        if _LIVE.search(part.rstrip()):
            parts.append("\n" * lines + part)
        lines += part.count("\n")
    return parts or [text]
