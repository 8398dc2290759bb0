"""Records read back from lines of JSON, and put in order by subject, flow and sequence, however many there are.

What is no record is left out and told of by its line number."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge
from typing import IO, Any

import orjson

from carepolicy.engine.instants import NoInstant, parse
from carepolicy.engine.intake import LONGEST_LINE, numbered_lines
from carepolicy.engine.record import PREFIX, NoProgram, ProgramId, Record, Told

_CLOCK = ("clock", "used", "basis")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "case.opened": ("state",),
    "case.moved": ("from", "to", "on"),
    "case.closed": ("state", "outcome"),
    **{
        f"clock.{what}": _CLOCK
        for what in (
            "started", "paused", "resumed", "warned", "late", "met", "ended", "restarted", "extended", "cancelled",
        )
    },
    "task.assigned": ("state", "role"),
    "message.requested": ("template", "channel"),
    "notice.requested": ("role", "text"),
    "action.requested": ("action",),
    "event.unexpected": ("event", "code", "reason"),
    "event.rejected": ("event", "code", "reason"),
    "event.duplicate": ("event", "code", "reason"),
}  # fmt: skip
"""What the data of each kind of record must bear to be understood."""

_NUMBERS = ("used", "limit", "over")
_OBJECTS = ("event", "with")
_MAY_BE_NULL = ("channel", "language", "to", "subject", "text", "role", "person")
"""Fields of the data of messages and tasks that may be known to be nothing."""
_OF_EVENTS = "event."


class NoRecord(ValueError):
    """A line that is no record; the message says why."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that was left out, counted from 1, and why."""

    line: int
    reason: str


def read_records(blocks: Iterable[bytes], skipped: list[Skipped]) -> Iterator[tuple[Record, bytes]]:
    """The records in blocks of bytes, each with its line, in the order of the lines.

    What is no record is added to ``skipped``.
    """
    for lines in numbered_lines(blocks):
        for number, line in lines:
            try:
                record = read_record(line)
            except NoRecord as fault:
                skipped.append(Skipped(number, str(fault)))
            else:
                yield record, line


def read_record(line: bytes) -> Record:
    """The record that a line of JSON holds. Raises ``NoRecord``."""
    if len(line) > LONGEST_LINE:
        raise NoRecord("it is longer than 1 MiB")
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise NoRecord("it is no JSON") from None
    if not isinstance(found, dict):
        raise NoRecord("it is no JSON object")
    kind = _text(found, "type")
    if not kind.startswith(PREFIX):
        raise NoRecord(f'its type "{kind[:60]}" is none of a record; `carepolicy run` writes records')
    kind = kind.removeprefix(PREFIX)
    data = _data(kind, found.get("data", {}))
    if "sequence" not in found and kind.startswith(_OF_EVENTS):
        return _caseless(kind, found, data)
    subject, time, flow = _text(found, "subject"), _text(found, "time"), _text(found, "flow")
    version, sequence = _number(found, "flowversion"), _number(found, "sequence")
    try:
        parse(time)
    except NoInstant as fault:
        raise NoRecord(f"its time: {fault}") from None
    return Record(_program(flow, version, _told(found, "source")), subject, sequence, kind, time, data)


def _caseless(kind: str, found: Mapping[str, Any], data: Told) -> Record:
    """The record of an event that reached no case: it has of subject, time and flow what the event had."""
    subject, time = _told(found, "subject"), _told(found, "time")
    try:
        parse(time)
    except NoInstant:
        time = ""
    lacks = tuple(name for name in ("subject", "time") if not isinstance(found.get(name), str))
    program = NoProgram(_told(found, "id"), _told(found, "source"), _told(found, "flow"), lacks)
    return Record(program, subject, 0, kind, time, data)


@lru_cache(maxsize=1024)
def _program(flow: str, version: int, source: str) -> ProgramId:
    return ProgramId(flow, version, source)


def _told(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise NoRecord(f"its {name} is {'missing' if value is None else 'no text'}")
    return value


def _number(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise NoRecord(f"its {name} is {'missing' if value is None else 'no whole number'}")
    return value


def _data(kind: str, data: object) -> Told:
    """The data of a record, with what its kind needs, and each field of its type."""
    if not isinstance(data, dict):
        raise NoRecord("its data is no object")
    if kind not in NEEDED:
        raise NoRecord(f'there are no records of type "{PREFIX}{kind[:60]}"')
    for name in NEEDED[kind]:
        if name not in data:
            raise NoRecord(f"its data lacks {name}")
    for name, value in data.items():
        if not _is_right(name, value):
            raise NoRecord(f"{name} in its data is not of the right type")
    if "due" in data:
        try:
            parse(data["due"])
        except NoInstant as fault:
            raise NoRecord(f"due in its data: {fault}") from None
    return Told(data)


def _is_right(name: str, value: object) -> bool:
    if value is None:
        return name in _MAY_BE_NULL
    if name in _NUMBERS:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, dict if name in _OBJECTS else str)


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
