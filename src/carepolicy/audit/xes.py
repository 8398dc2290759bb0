"""Logs in XES (IEEE 1849): traces of events, read as a stream, one trace at a time."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

from carepolicy.audit.tables import LogFault, NotInstalled

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.mapping import Row

NAME, TIME = "concept:name", "time:timestamp"

CASE = "case:"
"""What the names of a trace's attributes begin with, beside those of its events."""

_NAMESPACE = "{*}"


class Repeated(Exception):
    """Two traces of a log have one name: its traces are no cases as they stand."""


@dataclass
class Traces:
    """The events of a log as groups, one for each trace: its subject is the attribute ``concept:name`` of the trace
    (or another, ``case:NAME``). Columns are attributes of events, and those of the trace with ``case:`` before."""

    path: str
    refused: list[tuple[int, str]] = field(default_factory=list)
    columns: tuple[str, ...] = ()

    def __enter__(self) -> Traces:
        """Open the file."""
        try:
            from lxml import etree
        except ImportError:
            raise NotInstalled("lxml") from None
        self._etree = etree
        try:
            file = open(self.path, "rb")
        except OSError as fault:
            raise LogFault(f"{self.path} cannot be read: {fault.strerror}") from None
        begin = file.read(2)
        file.seek(0)
        self.raw = file
        self._file = gzip.open(file) if begin == b"\x1f\x8b" else file
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()
        self.raw.close()

    def demand(self, names: Iterable[str]) -> None:
        """Attributes are optional in XES: what no event has is told as a fault of each row."""

    def groups(self, subject: str, columns: Sequence[str]) -> Iterator[tuple[str | None, list[Row]]]:
        """The events of each trace, in the order of the file; of each its number, and the values of ``columns``. A
        trace whose name has been is added to those before it."""
        name = subject.removeprefix(CASE)
        own = [each.removeprefix(CASE) if each.startswith(CASE) else None for each in columns]
        plain = [None if each.startswith(CASE) else each for each in columns]
        number = 0
        seen: set[str] = set()
        try:
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
                called = attributes.get(name)
                if called is not None and called in seen:
                    raise Repeated(called)
                if called is not None:
                    seen.add(called)
                yield called, rows
        except self._etree.XMLSyntaxError as fault:
            raise LogFault(f"{self.path} is no XML, or is cut short: {fault.msg}") from None
        except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
            raise LogFault(f"{self.path} is cut short: {fault}") from None

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
        """Each trace of the log, which is thrown away afterwards. Entities are not resolved."""
        found = self._etree.iterparse(
            cast("IO[bytes]", self._file), events=("end",), tag=_NAMESPACE + "trace", resolve_entities=False,
            no_network=True, huge_tree=True, remove_comments=True, remove_pis=True,
        )  # fmt: skip
        some = False
        for _, trace in found:
            some = True
            yield trace
            trace.clear()
            while trace.getprevious() is not None:
                del trace.getparent()[0]
        if not some:
            raise LogFault(f"{self.path} holds no trace: it is no XES log, or an empty one")


def _is(element: Any, name: str) -> bool:
    tag = element.tag
    return tag == name or (isinstance(tag, str) and tag.endswith("}" + name))


def _attributes(trace: Any) -> dict[str, str]:
    return {each.get("key"): each.get("value") for each in trace if each.get("key") is not None}
