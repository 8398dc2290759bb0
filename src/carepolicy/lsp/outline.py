"""A file at a glance: what it defines, in the order of its lines, and which of its blocks can be folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.policy.places import Path, Place, Source

SECTIONS = {
    "flow": ("events", "clocks", "states", "phases"),
    "organisation": ("calendars", "roles", "channels", "facts", "watches", "settings"),
    "messages": ("messages",),
    "scenario": (),
}
"""What the keys below are names of things, by the kind of file."""


class Entry(NamedTuple):
    """A thing that a file defines: its name and title, where both stand, and what is below it."""

    name: str
    title: str
    whole: Place
    key: Place
    below: tuple[Entry, ...]


def entries(source: Source, kind: str) -> list[Entry]:
    """The sections of a file with the things that they define; of a scenario its own name."""
    data = source.data
    if not isinstance(data, dict):
        return []
    if kind == "scenario":
        return [_entry(source, ("scenario",), str(data["scenario"]), ())] if "scenario" in data else []
    found = []
    for section in SECTIONS.get(kind, ()):
        things = data.get(section)
        if (section,) in source.keys and isinstance(things, dict):
            below = (_entry(source, (section, name), _title(said), ()) for name, said in things.items())
            found.append(_entry(source, (section,), "", tuple(below)))
    return sorted(found, key=lambda each: each.key)


def folds(sources: Iterable[Source]) -> Iterator[tuple[int, int]]:
    """The first and last line, both from 1, of each block of several lines that a key leads to."""
    for source in sources:
        lines = source.text.splitlines()
        for path, key in source.keys.items():
            last = _last_line(source, path, lines)
            if last > key.line:
                yield key.line, last


def _entry(source: Source, path: Path, title: str, below: tuple[Entry, ...]) -> Entry:
    key = source.key(path)
    last = _last_line(source, path, source.text.splitlines())
    end = source.value(path)
    column = end.end_column if end.end_line == last else 1
    return Entry(str(path[-1]), title, key._replace(end_line=max(last, key.end_line), end_column=column), key, below)


def _last_line(source: Source, path: Path, lines: list[str]) -> int:
    """The last line with text of the value at a path: a block of YAML reaches to where the next one begins."""
    value = source.value(path)
    last = value.end_line - (value.end_column == 1)
    while last > value.line and (
        last > len(lines) or not lines[last - 1].strip() or lines[last - 1].lstrip()[0] == "#"
    ):
        last -= 1
    return last


def _title(said: object) -> str:
    title = said.get("title") or said.get("subject") if isinstance(said, dict) else None
    return title if isinstance(title, str) else ""
