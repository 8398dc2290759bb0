"""Logs in XES (IEEE 1849): traces of events, read as a stream, one trace at a time, and brought together by name beyond
memory."""

from __future__ import annotations

import gzip
import os
import pickle
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

from carepolicy.audit.tables import LogFault, NotInstalled, Steps

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.mapping import Row
    from carepolicy.audit.tables import Begin

NAME, TIME = "concept:name", "time:timestamp"

CASE = "case:"
"""What the names of a trace's attributes begin with, beside those of its events."""

_NAMESPACE = "{*}"


@dataclass
class Traces:
    """The events of one or several logs as groups, one for each trace: its subject is the attribute ``concept:name`` of
    the trace (or another, ``case:NAME``). Columns are attributes of events, and those of the trace with ``case:``
    before. ``repeated`` counts, once groups are read, the traces whose name a trace before them has. ``watch`` hears
    how many bytes are read, and how many events have been given."""

    paths: Sequence[str]
    refused: list[tuple[int, str]] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    repeated: int = 0
    watch: Begin | None = None

    def __enter__(self) -> Traces:
        """See that the files can be opened."""
        try:
            from lxml import etree
        except ImportError:
            raise NotInstalled("lxml") from None
        self._etree = etree
        self._size = sum(map(_size, self.paths))
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is held open between two questions."""

    def demand(self, names: Iterable[str]) -> None:
        """Attributes are optional in XES: what no event has is told as a fault of each row."""

    def groups(self, subject: str, columns: Sequence[str]) -> Iterator[tuple[str | None, list[Row]]]:
        """The events of each subject, in the order of the files; of each its number, and the values of ``columns``. Of
        several traces with one name the events are one group, which stands where the first of them stood."""
        with closing(sqlite3.connect("", isolation_level=None)) as shelf:  # its file goes when it is closed
            try:
                total = self._put_on(shelf, subject, columns)
                steps = Steps(self.watch, "events", total)
                for name, rows in _brought_together(shelf):
                    yield name, rows
                    steps(len(rows))
            except sqlite3.Error as fault:
                raise LogFault(f"{self.paths[0]} cannot be sorted by its traces' names: {fault}") from None

    def _put_on(self, shelf: sqlite3.Connection, subject: str, columns: Sequence[str]) -> int:
        """Lay down each trace at the place of the first of its name; how many events there are."""
        shelf.execute("CREATE TABLE trace (place INTEGER, name TEXT, rows BLOB)")
        shelf.execute("BEGIN")
        places: dict[str | int, int] = {}
        total = 0
        for number, (name, rows) in enumerate(self._groups(subject, columns)):
            place = places.setdefault(number if name is None else name, len(places))
            shelf.execute("INSERT INTO trace VALUES (?, ?, ?)", (place, name, pickle.dumps(rows)))
            self.repeated = number + 1 - len(places)
            total += len(rows)
        return total

    def _groups(self, subject: str, columns: Sequence[str]) -> Iterator[tuple[str | None, list[Row]]]:
        """The same, of each trace as it stands."""
        name = subject.removeprefix(CASE)
        own = [each.removeprefix(CASE) if each.startswith(CASE) else None for each in columns]
        plain = [None if each.startswith(CASE) else each for each in columns]
        number = 0
        for trace in self._traces():
            attributes = _attributes(trace)
            rows: list[Row] = []
            of_trace = [attributes.get(each) if each is not None else None for each in own]
            for event in trace:
                if not _is(event, "event"):
                    continue
                number += 1
                said = {each.get("key"): each.get("value") for each in event}
                values = [of_trace[place] if key is None else said.get(key) for place, key in enumerate(plain)]
                rows.append((number, None, *values))
            yield attributes.get(name), rows

    def sample(self, most: int) -> list[dict[str, str | None]]:
        """The first events, by attribute."""
        found: list[dict[str, str | None]] = []
        for trace in self._traces():
            own: dict[str, str | None] = {f"{CASE}{name}": value for name, value in _attributes(trace).items()}
            found += [{**own, **_attributes(event)} for event in trace if _is(event, "event")]
            if len(found) >= most:
                break
        return found

    def _traces(self) -> Iterator[Any]:
        """Each trace of the logs, which is thrown away afterwards."""
        steps = Steps(self.watch, "bytes read", self._size)
        for path in self.paths:
            with open(path, "rb") as file:
                read = 0
                try:
                    for trace in self._traces_of(path, file):
                        steps(file.tell() - read)
                        read = file.tell()
                        yield trace
                except self._etree.XMLSyntaxError as fault:
                    raise LogFault(f"{path} is no XML, or is cut short: {fault.msg}") from None
                except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
                    raise LogFault(f"{path} is cut short: {fault}") from None

    def _traces_of(self, path: str, file: IO[bytes]) -> Iterator[Any]:
        """Each trace of one log. Entities are not resolved."""
        begin = file.read(2)
        file.seek(0)
        unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if begin == b"\x1f\x8b" else file
        found = self._etree.iterparse(
            unpacked, events=("end",), tag=_NAMESPACE + "trace", resolve_entities=False, no_network=True,
            huge_tree=True, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        some = False
        for _, trace in found:
            some = True
            yield trace
            trace.clear()
            while trace.getprevious() is not None:
                del trace.getparent()[0]
        if not some:
            raise LogFault(f"{path} holds no trace: it is no XES log, or an empty one")


def _size(path: str) -> int:
    """How many bytes a file has that can be read."""
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size
    except OSError as fault:
        raise LogFault(f"{path} cannot be read: {fault.strerror}") from None


def _brought_together(shelf: sqlite3.Connection) -> Iterator[tuple[str | None, list[Row]]]:
    """The rows of each name; of traces without one each by itself."""
    here: int | None = None
    name: str | None = None
    group: list[Row] = []
    for place, called, rows in shelf.execute("SELECT place, name, rows FROM trace ORDER BY place, rowid"):
        if place != here and here is not None:
            yield name, group
            group = []
        here, name = place, called
        group += pickle.loads(rows)
    if here is not None:
        yield name, group


def _is(element: Any, name: str) -> bool:
    tag = element.tag
    return tag == name or (isinstance(tag, str) and tag.endswith("}" + name))


def _attributes(trace: Any) -> dict[str, str]:
    return {each.get("key"): each.get("value") for each in trace if each.get("key") is not None}
