"""Logs in XES (IEEE 1849): traces of events, read as a stream, one trace at a time; several of one name are brought
together beyond memory."""

from __future__ import annotations

import gzip
import os
import pickle
import re
import sqlite3
import zlib
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from carepolicy.audit.blocks import Block
from carepolicy.audit.tables import LogFault, NotInstalled, Steps
from carepolicy.audit.textfiles import GZIP
from carepolicy.audit.traceforms import BLANK, CASE, OWN, Wanted

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.blocks import Row
    from carepolicy.audit.tables import Begin

NAME, TIME = "concept:name", "time:timestamp"

BLOCK = 1 << 18
"""Bytes that are read at a time."""

LONGEST_HEAD = 1 << 22
"""What stands before the first trace has at most so many bytes, or lxml reads the whole log."""

_NAMESPACE = "{*}"

TRIES = 4
"""So often is what remains of a block read at once after a trace that had to be read alone."""

LONGEST_PAUSE = 63
"""So many blocks at the most are read trace by trace where those before had traces that had to be read alone."""

Group = tuple["str | None", "list[Row]"]
"""The name of a trace, and a row for each of its events."""

Found = TypeVar("Found")

Quickly = Callable[[str], tuple[Sequence[Found], "str | None"]]

NAMES_AT_A_TIME = 10_000


class Unsure(Exception):
    """What was given of a log is to be forgotten, and the log read anew to be sure of it: traces have one name, and
    some were given as if they had not; or where traces begin cannot be told from the middle of it."""


class NameSums:
    """Checksums of the traces' names of one stretch of a log, of eight bytes each, in parts by their last byte: names
    that two stretches have are found part by part."""

    def __init__(self) -> None:
        self.parts = [array("Q") for _ in range(256)]

    def add(self, name: str) -> None:
        """Note one more."""
        found = int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        self.parts[found & 255].append(found)


def one_comes_twice(stretches: Iterable[NameSums]) -> bool:
    """Whether a name stands twice in some stretches of a log, or two names have one checksum by chance."""
    for parts in zip(*[each.parts for each in stretches], strict=True):
        if len(set[int]().union(*parts)) != sum(map(len, parts)):
            return True
    return False


@dataclass
class Traces:
    """The events of one or several logs as groups, one for each trace: its subject is the attribute ``concept:name`` of
    the trace (or another, ``case:NAME``). Columns are attributes of events, and those of the trace with ``case:``
    before. ``repeated`` counts, once groups are read, the traces whose name a trace before them has. Of several parts
    (by the checksum of the name) ``part`` is the number of this one, and how many there are. ``watch`` hears how many
    bytes are read for the first time, and how many events have been given.

    A log is read twice, first for its names. It is read once where this is not to be ``sure``: then ``Unsure`` is
    raised where traces turn out to have one name, and what was given is to be forgotten. Of a log that is read once, in
    ``stretches``, a part is one stretch of its bytes: events have their numbers within it, of which there are
    ``number``, and whether traces of several stretches have one name is for others to find in ``sums``.
    """

    paths: Sequence[str]
    refused: list[tuple[int, str]] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    repeated: int = 0
    part: tuple[int, int] = (0, 1)
    watch: Begin | None = None
    sure: bool = True
    stretches: bool = False
    number: int = 0
    sums: NameSums = field(default_factory=NameSums)

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

    def groups(self, subject: str, columns: Sequence[str]) -> Iterator[Group]:
        """The events of each subject, in the order of the files; of each its number, and the values of ``columns``. Of
        several traces with one name the events are one group; these groups come after all others."""
        for block in self.blocks(subject, columns):
            yield from block.groups()

    def blocks(self, subject: str, columns: Sequence[str]) -> Iterator[Block]:
        """As ``groups``, of many subjects at a time."""
        wanted = Wanted(subject.removeprefix(CASE), columns, *((0, 1) if self.stretches else self.part))
        if self.stretches:
            yield from self._in_stretch(wanted)
            return
        with closing(sqlite3.connect("", isolation_level=None)) as shelf:  # its file goes when it is closed
            try:
                shelf.execute("CREATE TABLE trace (place INTEGER, name TEXT, rows BLOB)")
                shelf.execute("BEGIN")
                yield from (self._surely if self.sure else self._hoping)(_Names(shelf), wanted)
                for group in _of_shelf(shelf):
                    yield wanted.block(*group)
            except sqlite3.Error as fault:
                raise LogFault(f"{self.paths[0]} cannot be sorted by its traces' names: {fault}") from None

    def _in_stretch(self, wanted: Wanted) -> Iterator[Block]:
        """The traces of this part, the names of which are noted."""
        number, of = self.part
        steps = self._reading(self._size * (number + 1) // of - self._size * number // of)
        for block in self._of_each(lambda log: log.blocks(wanted), steps):
            for name in block.names:
                if name is not None:
                    self.sums.add(name)
            yield block
        self.number = self._events

    def _hoping(self, names: _Names, wanted: Wanted) -> Iterator[Block]:
        """Each trace, in the hope that none has the name of another."""
        for block in self._of_each(lambda log: log.blocks(wanted), self._reading(self._size)):
            for name in block.names:
                if name is not None:
                    names.add(name)
            yield block
        if names.several():
            raise Unsure

    def _surely(self, names: _Names, wanted: Wanted) -> Iterator[Block]:
        """Each trace whose name no other has; the others go on the shelf."""
        counts = self.watch is not None
        for name in self._of_each(lambda log: log.names(wanted, counts), self._reading(self._size)):
            if name is not None:
                names.add(name, check=False)
        several = names.several()
        self.repeated = sum(count - 1 for _, count in several)
        places = {name: place for place, (name, _) in enumerate(several)}
        steps = Steps(self.watch, "events", self._events // self.part[1])
        for block in self._of_each(lambda log: log.blocks(wanted)):
            if places.keys().isdisjoint(block.names):
                yield block
            else:
                for name, rows in block.groups():
                    if name in places:
                        told = places[name], name, pickle.dumps(rows)
                        names.shelf.execute("INSERT INTO trace VALUES (?, ?, ?)", told)
                    else:
                        yield wanted.block(name, rows)
            steps(len(block))

    def _reading(self, size: int) -> Steps | None:
        """What hears of bytes that are read, if anybody does."""
        return None if self.watch is None else Steps(self.watch, "bytes read", size)

    def sample(self, most: int) -> list[dict[str, str | None]]:
        """The first events, by attribute."""
        found: list[dict[str, str | None]] = []
        for trace in self._of_each(lambda log: log.traces()):
            own: dict[str, str | None] = {f"{CASE}{name}": value for name, value in _attributes(trace).items()}
            found += [{**own, **_attributes(event)} for event in trace if _is(event, "event")]
            if len(found) >= most:
                break
        return found

    def _of_each(self, asked: Callable[[_Log], Iterator[Found]], steps: Steps | None = None) -> Iterator[Found]:
        """What is asked of each log, one after the other; ``steps`` hears of bytes that are read for it."""
        self._events = 0
        for path in self.paths:
            with open(path, "rb") as file:
                log = _Log(path, file, self._etree, self._events, self.part if self.stretches else None)
                read = 0
                try:
                    for found in asked(log):
                        if steps is not None and (here := file.tell() - log.begin) != read:
                            steps(here - read)
                            read = here
                        yield found
                except self._etree.XMLSyntaxError as fault:
                    raise LogFault(f"{path} is no XML, or is cut short: {fault.msg}") from None
                except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
                    raise LogFault(f"{path} is cut short: {fault}") from None
                self._events = log.number


_HEAD = re.compile(rf"{BLANK}<trace>((?:{BLANK}{OWN})*+){BLANK}(?=<event>|\Z)")
_ATTRIBUTE = re.compile(r'key="([^"]*)" value="([^"]*)"')
_AFTER_EVENTS = re.compile(r"</event>\s*<(?!event>|/trace>)", re.ASCII)
_EVENT = re.compile(r"<event[\s/>]", re.ASCII)
_STRANGE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)")
_END = re.compile(rb"\s*</log>\s*")
_BETWEEN = re.compile(rb"[ \t\n\r]*")
_CONTROL = bytes(each for each in range(32) if each not in b"\t\n\r")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")
_BYTES_BUT_NEWLINES = bytes(each for each in range(256) if each != 10)


_PARSED = {
    "resolve_entities": False, "no_network": True, "huge_tree": True, "remove_comments": True, "remove_pis": True,
}  # fmt: skip
"""How lxml reads XML."""


class _Names:
    """The names of traces, beyond memory."""

    def __init__(self, shelf: sqlite3.Connection) -> None:
        self.shelf = shelf
        self._waiting: list[tuple[str]] = []
        self._count = 0
        self._next = NAMES_AT_A_TIME
        shelf.execute("CREATE TABLE name (name TEXT)")

    def add(self, name: str, check: bool = True) -> None:
        """Note one more. Raises ``Unsure`` where a ``check``, which is made at ever longer intervals, finds a name
        twice."""
        self._waiting.append((name,))
        if len(self._waiting) == NAMES_AT_A_TIME:
            self._put()
            if check and self._count >= self._next:
                self._next *= 4
                if self.several():
                    raise Unsure

    def _put(self) -> None:
        self.shelf.executemany("INSERT INTO name VALUES (?)", self._waiting)
        self._count += len(self._waiting)
        self._waiting.clear()

    def several(self) -> list[tuple[str, int]]:
        """The names that several traces have, in the order of the first of each, and how many have them."""
        self._put()
        several = "SELECT name, count(*) FROM name GROUP BY name HAVING count(*) > 1 ORDER BY min(rowid)"
        return self.shelf.execute(several).fetchall()


class _Log:
    """One log. Nearly all of it is read quickly: by a regular expression that takes an event whole, as nearly all
    programs write it. What it does not take, lxml reads, and from where it is not sure what belongs to which trace, all
    of the rest; so what is read of a log, and what is told where it is no XML, is what lxml reads and tells.

    ``number`` counts events; reading begins at the byte ``begin``. Of several stretches only one is read, if any.
    """

    def __init__(
        self, path: str, file: IO[bytes], etree: Any, number: int, stretch: tuple[int, int] | None = None
    ) -> None:
        begin = file.read(2)
        file.seek(0)
        self._path = path
        self._etree = etree
        self._file = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if begin == GZIP else file
        self._root = b""
        self._stretch = stretch
        self._end = _END
        self._left: int | None = None
        self._waits = self._pause = 0
        self.begin = 0
        self.number = number

    def names(self, wanted: Wanted, counts: bool = False) -> Iterator[str | None]:
        """The name of each trace of a part. Whether events are counted too is said by ``counts``."""

        def quickly(text: str) -> tuple[list[str | None], str | None]:
            if _AFTER_EVENTS.search(text) is not None:
                return [], text
            ends = text.count("</trace>")
            names: list[str | None] = [*wanted.first.findall(text)] if ends else []
            if len(names) <= ends:
                head = None if ends else _HEAD.match(text)
                if head is None:
                    return [], text
                names = [dict(_ATTRIBUTE.findall(head[1])).get(wanted.name)]
            self.number += len(_EVENT.findall(text)) if counts else 0
            return names, None

        found = self._read(quickly, lambda trace: self._group(trace, wanted)[0])
        return (name for name in found if wanted.takes(name))

    def blocks(self, wanted: Wanted) -> Iterator[Block]:
        """The traces of a part, with a row of each of their events."""

        def quickly(text: str) -> tuple[list[Block], str | None]:
            block, left = wanted.read(text, self.number + 1)
            if block is None:
                return [], left
            self.number += len(block)
            return [block], left

        for block in self._read(quickly, lambda trace: wanted.block(*self._group(trace, wanted)), covers=True):
            takes = [*map(wanted.takes, block.names)]
            if all(takes):
                yield block
            elif any(takes):
                yield block.only(takes)

    def _group(self, trace: Any, wanted: Wanted) -> Group:
        attributes = _attributes(trace)
        of_trace = [attributes.get(each) if each is not None else None for each in wanted.own]
        rows: list[Row] = []
        for event in trace:
            if not _is(event, "event"):
                continue
            self.number += 1
            said = {each.get("key"): each.get("value") for each in event}
            values = [of_trace[place] if key is None else said.get(key) for place, key in enumerate(wanted.plain)]
            rows.append((self.number, None, *values))
        return attributes.get(wanted.name), rows

    # -- quickly -------------------------------------------------------------------------------------------

    def _read(self, quickly: Quickly[Found], slowly: Callable[[Any], Found], covers: bool = False) -> Iterator[Found]:
        """What is made of the traces: ``quickly`` of the first of a text, which gives also what remains of it, or else
        of an element. What goes ``quickly`` ``covers`` all that stands there, or some of it."""
        marks = _is_strange if covers else _marks
        head, rest = self._begun()
        if self._stretch is not None and head:
            rest = self._go_to_stretch(len(head), *self._stretch)
        done = len(head)
        while head:
            block = self._next(max(BLOCK, len(rest)))
            data = rest + block
            cut = data.rfind(b"</trace>")
            if cut >= 0:
                text = _text(data[:cut], covers)
                if text is None:
                    break
                left = yield from self._of_text(text, quickly, slowly, marks)
                if left is not None:
                    done += cut - len(left.encode())
                    break
                done += cut + len("</trace>")
                data = data[cut + len("</trace>") :]
            rest = data
            if not block:
                if self._end.fullmatch(rest):
                    return
                break
        yield from self._others(slowly, len(head), done)

    def _of_text(
        self, text: str, quickly: Quickly[Found], slowly: Callable[[Any], Found], marks: Callable[[str], bool]
    ) -> Generator[Found, None, str | None]:
        """What is made of the traces of a text; what remains from where it is not sure which trace it belongs to."""
        odd = marks(text)
        tries = 0 if odd or self._waits else TRIES
        self._waits = max(0, self._waits - 1)
        left: str | None = text
        while left is not None:
            if tries:
                found, left = quickly(left)
                yield from found
                if left is None:
                    self._pause = 0
                    return None
                tries -= 1
                if not tries:
                    self._waits = self._pause = min(2 * self._pause + 1, LONGEST_PAUSE)
            pieces = left.split("</trace>", 1 if tries else -1)
            alone = pieces[:1] if tries else pieces
            for number, piece in enumerate(alone):
                found, remains = ([], piece) if odd and marks(piece) else quickly(piece)
                yield from found
                if remains is not None:
                    trace = self._single(piece)
                    if trace is None:
                        return "</trace>".join(pieces[number:])
                    yield slowly(trace)
            left = pieces[1] if len(pieces) > len(alone) else None
        return None

    def _next(self, most: int) -> bytes:
        """The next bytes; none at the end of the log, or of its stretch."""
        if self._left is None:
            return self._file.read(most)
        block = self._file.read(min(most, self._left))
        self._left -= len(block)
        return block

    def _others(self, slowly: Callable[[Any], Found], head: int, done: int) -> Iterator[Found]:
        """What is made of the traces that cannot be read quickly. Raises ``Unsure`` where only a stretch is read."""
        if self._stretch is not None:
            raise Unsure
        return map(slowly, self.traces(head, done))

    def _go_to_stretch(self, head: int, number: int, of: int) -> bytes:
        """Go to the first trace of one of several stretches, which end where the next begins."""
        size = os.fstat(self._file.fileno()).st_size
        begin, end = [
            head if not each else self._trace_from(head + (size - head) * each // of, size)
            for each in (number, number + 1)
        ]
        if end < size or begin == size:
            self._end = _BETWEEN
        self._file.seek(begin)
        self.begin, self._left = begin, end - begin
        return b""

    def _trace_from(self, at: int, size: int) -> int:
        """Where the first trace begins from a place on; the end of the log where none does, so all but the first
        stretch may be empty."""
        self._file.seek(at)
        data = b""
        while (found := data.find(b"<trace>")) < 0:
            block = self._file.read(BLOCK)
            if not block:
                return size
            at += max(0, len(data) - len(b"<trace"))
            data = data[-len(b"<trace") :] + block
        return at + found

    def _begun(self) -> tuple[bytes, bytes]:
        """What stands before the first trace, and what was read beyond; the first is empty where lxml is to read all:
        where it is not in UTF-8, is no beginning of a log, or has what may be another thing than it looks."""
        data = b""
        while (at := data.find(b"<trace")) < 0:
            block = self._file.read(BLOCK)
            if not block or len(data) > LONGEST_HEAD:
                return b"", b""
            data += block
        head = data[:at]
        encoding = _ENCODING.match(head.removeprefix(b"\xef\xbb\xbf"))
        root = re.search(rb"<log(?:\s[^>]*)?>", head)
        known = encoding is None or encoding[1].lower() in (b"utf-8", b"us-ascii", b"ascii")
        odd = b"<!DOCTYPE" in head or b"<![" in head or head.count(b"<!--") != head.count(b"-->")
        if root is None or not known or odd or _text(head) is None:
            return b"", b""
        try:
            log = self._etree.fromstring(head + b"</log>", self._parser())
        except self._etree.XMLSyntaxError:
            return b"", b""
        if next(log.iter(_NAMESPACE + "trace"), None) is not None:  # written with a prefix
            return b"", b""
        self._root = root[0]
        return head, data[at:]

    def _single(self, text: str) -> Any:
        """The trace of a text that ends before its end tag; None where it is not just that."""
        if "<!" in text or "<?" in text:
            return None
        try:
            log = self._etree.fromstring(self._root + text.encode() + b"</trace></log>", self._parser())
        except self._etree.XMLSyntaxError:
            return None
        found = [*log.iter(_NAMESPACE + "trace")]
        return found[0] if len(found) == len(log) == 1 and found[0].getparent() is log else None

    # -- slowly --------------------------------------------------------------------------------------------

    def _parser(self) -> Any:
        return self._etree.XMLParser(**_PARSED)

    def traces(self, head: int = 0, done: int = 0) -> Iterator[Any]:
        """Each trace as an element, which is thrown away afterwards; without those that stand between the bytes
        ``head`` and ``done``. Entities are not resolved."""
        self._file.seek(0)
        found = self._etree.iterparse(
            cast("IO[bytes]", _Without(self._file, head, done)), events=("end",), tag=_NAMESPACE + "trace",
            **_PARSED,
        )  # fmt: skip
        some = done > head
        for _, trace in found:
            some = True
            yield trace
            trace.clear()
            while trace.getprevious() is not None:
                del trace.getparent()[0]
        if not some:
            raise LogFault(f"{self._path} holds no trace: it is no XES log, or an empty one")


class _Without:
    """A file without the bytes from ``begin`` to ``end``, but for their line breaks: the rest is in its own lines."""

    def __init__(self, file: IO[bytes], begin: int, end: int) -> None:
        self._file = file
        self._begin, self._end = begin, end
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """So many bytes at most; none at the end alone."""
        while True:
            if self._at < self._begin:
                data = self._file.read(min(size, self._begin - self._at) if size > 0 else self._begin - self._at)
            elif self._at < self._end:
                data = self._file.read(min(BLOCK, self._end - self._at))
                self._at += len(data)
                lines = data.translate(None, _BYTES_BUT_NEWLINES)
                if lines:
                    return lines
                continue
            else:
                data = self._file.read(size)
            self._at += len(data)
            return data


def _marks(text: str) -> bool:
    """Whether a text may have comments, sections or instructions in it, or is strange."""
    marked = ("!" in text and "<!" in text) or ("?" in text and "<?" in text)
    return marked or _is_strange(text)


def _is_strange(text: str) -> bool:
    """Whether a text has what stands for a text that it does not say."""
    return "&" in text and _STRANGE.search(text) is not None


def _text(data: bytes, covered: bool = False) -> str | None:
    """The text of bytes in UTF-8; None where they are no such text, or have what XML may not, unless that is
    ``covered``: looked at by who takes it."""
    if not covered and len(data.translate(None, _CONTROL)) != len(data):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def may_be_stretched(paths: Sequence[str]) -> bool:
    """Whether logs can be read from their middle: one of them, in a file that gzip has not packed."""
    if len(paths) != 1:
        return False
    with open(paths[0], "rb") as file:
        return file.seekable() and file.read(2) != GZIP


def _size(path: str) -> int:
    """How many bytes a file has that can be read."""
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size
    except OSError as fault:
        raise LogFault(f"{path} cannot be read: {fault.strerror}") from None


def _of_shelf(shelf: sqlite3.Connection) -> Iterator[Group]:
    """The rows of each name."""
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
