"""Where a value stands: in which file, on which line, at which path of keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """A stretch of a file's text. Lines and columns count from 1; the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class At(NamedTuple):
    """An address inside a policy file: the file, and the keys and indexes that lead to a value.

    ``At("flows/a.yaml", ("states", "received")) / "owner"`` is the address one key further down. A
    ``Source`` turns an address into a ``Place``; an address that is more exact than the text (the
    ``to`` of a transition that was written in its short form) leads to the nearest value above it.
    """

    file: str
    path: Path = ()

    def __truediv__(self, key: str | int) -> At:
        return At(self.file, (*self.path, key))


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one policy file, what it says as plain data, and where each value stands.

    ``keys`` holds the place of each mapping key by the path of its value, ``values`` the place of
    each value. ``written`` is the text of each plain value that is no text in ``data`` (``4``, ``true``).
    """

    file: str
    text: str
    data: object
    keys: dict[Path, Place]
    values: dict[Path, Place]
    written: dict[Path, str] = field(default_factory=dict)

    def data_at(self, path: Path) -> Any:
        """What the file says at ``path``. Raises ``KeyError`` or ``IndexError`` where that leads to nothing."""
        found: Any = self.data
        for key in path:
            found = found[key]
        return found

    def value(self, path: Path) -> Place:
        """The place of the value at ``path``, or of the nearest value above it."""
        return _nearest(self.values, path, self.file)

    def key(self, path: Path) -> Place:
        """The place of the key that leads to ``path``, or of the nearest key above it."""
        return _nearest(self.keys, path, self.file)


def _nearest(places: dict[Path, Place], path: Path, file: str) -> Place:
    while path not in places and path:
        path = path[:-1]
    return places.get(path, Place(file, 1, 1, 1, 1))
