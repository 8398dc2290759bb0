"""Records put in order by subject, flow and sequence, however many there are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from typing import IO

import orjson

from carepolicy.engine.record import Record

CHUNK = 64 << 20
"""Bytes of lines that are sorted in memory at a time; what is more waits in temporary files."""

Key = tuple[str, str, int, int]
Keyed = tuple[Key, bytes]


def in_order(records: Iterable[tuple[Record, bytes]], chunk: int = CHUNK) -> Iterator[bytes]:
    """The lines of records by subject, flow and sequence, those of events that reached no case by their time."""
    with ExitStack() as stack:
        runs: list[Iterable[Keyed]] = []
        held: list[Keyed] = []
        size = 0
        for record, line in records:
            held.append(((record.subject, record.flow, record.sequence, record.at), line))
            size += len(line)
            if size >= chunk:
                runs.append(_spilled(sorted(held), stack.enter_context(tempfile.TemporaryFile())))
                held, size = [], 0
        runs.append(sorted(held))
        for _, line in merge(*runs):
            yield line


def _spilled(held: list[Keyed], file: IO[bytes]) -> Iterator[Keyed]:
    """Lines that wait in a file, each behind its key. They are written now, and read when they are asked for."""
    for key, line in held:
        file.write(orjson.dumps(key) + b"\t" + line.rstrip(b"\r\n") + b"\n")
    file.seek(0)
    return _read(file)


def _read(file: IO[bytes]) -> Iterator[Keyed]:
    for each in file:
        key, _, line = each.rstrip(b"\n").partition(b"\t")
        subject, flow, sequence, at = orjson.loads(key)
        yield (subject, flow, sequence, at), line
