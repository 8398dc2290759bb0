"""The comments of a file: what the YAML library reads over, and what no edit may lose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.places import Place, Source

_HASH = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, its line (from 1) and column (from 0); ``alone`` where nothing stands before it on its line."""

    line: int
    column: int
    text: str
    alone: bool


def comments_of(source: Source) -> list[Comment]:
    """Every comment of a file, in its order."""
    spans = _spans(source)
    within = text_lines(source)
    found = []
    for number, line in enumerate(source.text.split("\n"), 1):
        if number in within or "#" not in line:
            continue
        for each in _HASH.finditer(line):
            if not any(start <= each.start() < end for start, end in spans.get(number, ())):
                found.append(Comment(number, each.start(), each[0].rstrip(), not line[: each.start()].strip()))
                break
    return found


def text_lines(source: Source) -> set[int]:
    """The lines, from 1, that are the inside of a text: the lines of a block scalar, or of one in quotes.

    What stands on them belongs to the text to the last blank, and a ``#`` there begins no comment.
    """
    lines = source.text.split("\n")
    found: set[int] = set()
    for place in _scalars(source):
        if place.end_line == place.line:
            continue
        block = lines[place.line - 1][place.column - 1 : place.column] in ("|", ">")
        # The end of a block scalar is where the next token stands; the comments and lines before that are none of it.
        last = _last_of_block(lines, place) if block else place.end_line - 1
        found.update(range(place.line + 1, last + 1))
        if not block:
            found.add(place.end_line)
    return found


def _last_of_block(lines: list[str], place: Place) -> int:
    """The last line of a block scalar: lines further in than the first of them, and blank ones between."""
    first = next((line for line in lines[place.line : place.end_line] if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    last = place.line
    for number in range(place.line + 1, min(place.end_line, len(lines)) + 1):
        line = lines[number - 1]
        if line.strip() and len(line) - len(line.lstrip(" ")) < max(indent, 1):
            break
        if line.strip():
            last = number
    return last


def _scalars(source: Source) -> Iterator[Place]:
    containers = {path[:-1] for path in (*source.values, *source.keys) if path}
    yield from (place for path, place in source.values.items() if path not in containers)


def _spans(source: Source) -> dict[int, list[tuple[int, int]]]:
    """Columns, from 0, that keys and texts take on each line."""
    found: dict[int, list[tuple[int, int]]] = {}
    for place in (*source.keys.values(), *_scalars(source)):
        if place.line == place.end_line:
            found.setdefault(place.line, []).append((place.column - 1, place.end_column - 1))
        elif place.line < place.end_line:
            found.setdefault(place.end_line, []).append((0, place.end_column - 1))
            opens = source.text.split("\n", place.line)[place.line - 1][place.column - 1 :][:1]
            if opens in ("'", '"'):
                found.setdefault(place.line, []).append((place.column - 1, 1 << 30))
    return found
