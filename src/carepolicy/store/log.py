"""A log that several workers may read at once: where it ends, and whether they would say what one says.

It is looked through before they begin. For each event eight bytes are remembered.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import orjson

from carepolicy.engine.intake import LONGEST_LINE, MERGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

PARTS, BITS = 256, 64
"""Digests of ids are sorted in so many parts, so that few need to be in memory twice."""


class Log(NamedTuple):
    """``size`` is that of all lines with a line break, ``lines`` their number, ``rest`` what stands behind them.
    ``merges`` says that an event may join two subjects, ``crossing`` counts ids under which several subjects stand."""

    size: int
    lines: int
    rest: bytes
    merges: bool
    crossing: int


def survey(file: IO[bytes]) -> Log:
    """Look through what is left of a file, which stands where it stood again."""
    start = file.tell()
    digests = [array("Q") for _ in range(PARTS)]
    read, size, lines, rest, merges = 0, 0, 0, b"", False
    for line in _lines(file):
        read, rest = read + len(line), line
        if line.endswith(b"\n"):
            size, lines, rest = read, lines + 1, b""
        event = _event(line)
        if event is not None:
            merges = merges or event.kind == MERGE
            digests[event.digest % PARTS].append(event.digest)
    file.seek(start)
    twice = {digest for part in digests for digest in _twice(sorted(part))}
    crossing = _crossing(file, twice) if twice else 0
    file.seek(start)
    return Log(size, lines, rest, merges, crossing)


class _Event(NamedTuple):
    kind: object
    identity: tuple[str, str]
    subject: str

    @property
    def digest(self) -> int:
        return hash(self.identity) & (1 << BITS) - 1


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file; one that is longer than an event may be comes in pieces."""
    while line := file.readline(LONGEST_LINE + 2):
        yield line


def _event(line: bytes) -> _Event | None:
    try:
        event = orjson.loads(line)
        source, identity, subject = event["source"], event["id"], event["subject"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    if not (isinstance(source, str) and isinstance(identity, str) and isinstance(subject, str)):
        return None
    return _Event(event.get("type"), (source, identity), subject)


def _twice(ordered: list[int]) -> Iterator[int]:
    return (one for one, other in pairwise(ordered) if one == other)


def _crossing(file: IO[bytes], twice: set[int]) -> int:
    """How many of the ids with these digests have several subjects."""
    subjects: dict[tuple[str, str], set[str]] = {}
    for line in _lines(file):
        event = _event(line)
        if event is not None and event.digest in twice:
            subjects.setdefault(event.identity, set()).add(event.subject)
    return sum(len(each) > 1 for each in subjects.values())
