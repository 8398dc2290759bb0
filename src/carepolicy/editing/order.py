"""The order of keys in a mapping of the language: what it is called first, what happens last.

The language ranks its keys: those of one rank stay as the writer had them. Names (of states, events, facts) stay where
they are: their order is the writer's, and that of lists of transitions has a meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.policy.language.keys import Fields, in_order
from carepolicy.policy.language.kinds import occurrences

if TYPE_CHECKING:
    from carepolicy.policy.places import Path, Place, Source


def ordered(source: Source, kind: str) -> str | None:
    """The text with one mapping put in order, or None where all are. Call it again with what it gave.

    Mappings that have comments where they cannot be moved with their keys are left as they are.
    """
    for inside, path, _, _ in occurrences(kind, source.data):
        if isinstance(inside.shape, Fields) and isinstance(inside.data, dict):
            keys = list(inside.data)
            wanted = in_order(keys, inside.shape.keys)
            if wanted != keys and (text := _moved(source, path, keys, wanted)) is not None:
                return text
    return None


def _moved(source: Source, path: Path, keys: list[str], wanted: list[str]) -> str | None:
    whole = source.values[path]
    lines = source.text.split("\n")
    if lines[whole.line - 1][whole.column - 1 : whole.column] == "{":
        return _moved_in_braces(source, path, keys, wanted, lines) if whole.line == whole.end_line else None
    return _moved_in_block(source, path, keys, wanted, lines)


def _moved_in_braces(source: Source, path: Path, keys: list[str], wanted: list[str], lines: list[str]) -> str:
    """Entries of a mapping on one line change places; what stands between them stays."""
    number = source.values[path].line - 1
    line = lines[number]
    spans = {key: _entry(source, (*path, key)) for key in keys}
    said = {key: line[start:end] for key, (start, end) in spans.items()}
    for slot, key in reversed(list(zip(keys, wanted, strict=True))):
        start, end = spans[slot]
        line = line[:start] + said[key] + line[end:]
    return "\n".join([*lines[:number], line, *lines[number + 1 :]])


def _entry(source: Source, path: Path) -> tuple[int, int]:
    value = source.values[path]
    return source.keys[path].column - 1, max(value.end_column, source.keys[path].end_column) - 1


def _moved_in_block(source: Source, path: Path, keys: list[str], wanted: list[str], lines: list[str]) -> str | None:
    """Entries of a mapping in block style change places, with the comments right above them and the blank lines."""
    places = [source.keys[(*path, key)] for key in keys]
    column = places[0].column - 1
    starts = [_head(lines, each) for each in places]
    # What stands above the first key of a file is about the file, and blank lines above any first key part nothing.
    starts[0] = places[0].line - 1
    while path and lines[starts[0] - 1].lstrip().startswith("#"):
        starts[0] -= 1
    end = _last(source.values[(*path, keys[-1])])
    ends = [*starts[1:], max(end, starts[-1] + 1)]
    parts = {key: lines[start:stop] for key, start, stop in zip(keys, starts, ends, strict=True)}
    lead = lines[places[0].line - 1][:column]
    first, opening = parts[keys[0]], parts[wanted[0]]
    if lead.strip() and wanted[0] != keys[0]:
        if len(first) > 1 and first[0].lstrip().startswith("#"):
            return None
        if opening[0].lstrip().startswith("#") or not opening[0].strip():
            return None
        parts[keys[0]] = [" " * column + first[0][column:], *first[1:]]
        parts[wanted[0]] = [lead + opening[0][column:], *opening[1:]]
    moved = [line for key in wanted for line in parts[key]]
    if not moved[0].strip() and starts[0] > 0:
        moved = moved[1:]
    return "\n".join([*lines[: starts[0]], *moved, *lines[starts[0] + sum(map(len, parts.values())) :]])


def _head(lines: list[str], key: Place) -> int:
    """The first line, from 0, of what belongs to a key: comments right above it, and blank lines above those."""
    start = key.line - 1
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    while start > 0 and not lines[start - 1].strip():
        start -= 1
    return start


def _last(value: Place) -> int:
    """The line, from 0, after the last one of a value; the end of a block scalar is the start of a later line."""
    return value.end_line - 1 if value.end_column == 1 and value.end_line > value.line else value.end_line
