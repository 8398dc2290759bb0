"""What a run has caused, in the order of the lines that caused it, whatever had to wait for later lines."""

from __future__ import annotations

from collections import Counter, deque
from io import BytesIO
from itertools import chain, groupby
from operator import attrgetter
from typing import IO, TYPE_CHECKING

from carepolicy.engine.history.log import read_record
from carepolicy.engine.intake import AT_THE_END, BLOCK
from carepolicy.engine.letters import DeadLetters
from carepolicy.engine.record import as_read, as_values, count_of, render, text_of_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from carepolicy.engine.intake import Line
    from carepolicy.engine.record import Record, Written
    from carepolicy.engine.run import Caused, Keep, Run

Stretch = tuple[int, int, int, int]
"""Records that wait in a file: the line and the stratum that caused them, where they begin and where they end."""

WRITTEN_AT_A_TIME = 4096
"""So many records that fell due at the end become text at a time."""


class OrderedRun:
    """A run whose output is in the order of the lines that caused it, whatever had to wait for later lines.

    A set of one stratum without lateness gives its records at once. Otherwise earlier lines may still cause records,
    and those of the lowest stratum wait in a file that ``spool`` makes until all lines are read: one in memory, unless
    something better is handed in. ``dead`` collects dead letters.
    """

    def __init__(self, run: Run, spool: Callable[[], IO[bytes]] = BytesIO) -> None:
        self._run = run
        self._make_spool = spool
        self._direct = run.levels == 1 and run.holding is None
        self._spool: IO[bytes] | None = None
        self._kept: list[Stretch] = []
        self._spooled = 0
        self.records_written = 0
        self.lines_read = 0
        self.dead: list[str] = []
        self._letters = DeadLetters(run.bundle, run.reveal)
        self.tally: Counter[str] = run.tally

    def __enter__(self) -> OrderedRun:
        """The run itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the spool and of worker processes."""
        if self._spool is not None:
            self._spool.close()
        self._run.close()

    def feed(self, lines: Sequence[Line]) -> str:
        """Take numbered lines; the records that may be written now."""
        found = self._fed(lines)
        if self._direct:
            return "".join([self._text(each.records) for each in found])
        if found:
            self._keep(found)
        return ""

    def feed_values(self, lines: Sequence[Line]) -> list[Record]:
        """As ``feed``, the records as values."""
        found = self._fed(lines)
        if self._direct:
            return [as_read(record) for each in found for record in each.values]
        if found:
            self._keep(found)
        return []

    def _fed(self, lines: Sequence[Line]) -> list[Caused]:
        self.lines_read += len(lines)
        found = self._run.feed(lines)
        if self._run.holding is None:
            self._bury()
        return found

    def finish(self, until: int | None) -> Iterator[str]:
        """As ``finish_bytes``, as text."""
        return (each.decode() for each in self.finish_bytes(until))

    def finish_bytes(self, until: int | None) -> Iterator[bytes]:
        """What is left: records that had to wait, in the order of their lines, and what fell due at the end."""
        for each in self._rest(until, self._keep):
            yield each if isinstance(each, bytes) else self._text(each).encode()

    def finish_values(self, until: int | None) -> Iterator[Record]:
        """As ``finish``, the records as values: those that waited in the file are read from there."""
        for each in self._rest(until, None):
            if isinstance(each, bytes):
                yield from map(read_record, each.splitlines())  # of JSON nothing but a line feed ends a line
            else:
                yield from map(as_read, as_values(each))

    def _rest(self, until: int | None, keep: Keep | None) -> Iterator[bytes | list[Written]]:
        """What is left, in order: the lines of what was kept in the file, the others as they are. ``keep`` takes what
        earlier lines cause now; without it that waits in memory."""
        ending = self._run.finish(until, keep)
        self._run.refusals.sort(key=attrgetter("line"))
        self._bury()
        kept = deque(sorted(self._kept))
        for line, several in groupby(ending.caused, key=attrgetter("line")):
            yield from self._unspooled(kept, line)
            yield [record for each in several for record in each.records]
        yield from self._unspooled(kept, AT_THE_END)
        due = ending.due
        yield from (due[begin : begin + WRITTEN_AT_A_TIME] for begin in range(0, len(due), WRITTEN_AT_A_TIME))

    def _bury(self) -> None:
        self.dead += map(self._letters.written, self._run.refusals)
        self._run.refusals.clear()

    def _text(self, records: Sequence[Written]) -> str:
        self.records_written += count_of(records)
        return text_of_all(records)

    def _keep(self, found: Sequence[Caused]) -> None:
        """Let records wait in the file until all lines before theirs are written."""
        if self._spool is None:
            self._spool = self._make_spool()
        lines = render(chain.from_iterable(each.records for each in found))
        texts: list[bytes] = []
        begin, start = 0, self._spooled
        for line, stratum, _, records in found:
            end = begin + len(records)
            text = "".join(lines[begin:end]).encode()
            texts.append(text)
            self._kept.append((line, stratum, start, start := start + len(text)))
            begin = end
        self._spool.write(b"".join(texts))
        self._spooled = start

    def _unspooled(self, kept: deque[Stretch], until: int) -> Iterator[bytes]:
        """What was kept of lines up to one: what lies together in the file is read together."""
        while kept and kept[0][0] <= until and self._spool is not None:
            _, _, start, end = kept.popleft()
            while kept and kept[0][0] <= until and kept[0][2] == end and end - start < BLOCK:
                end = kept.popleft()[3]
            self._spool.seek(start)
            text = self._spool.read(end - start)
            self.records_written += text.count(b"\n")
            yield text

    @property
    def open_cases(self) -> int:
        """How many cases are open now."""
        return self._run.open_cases

    @property
    def late_rounds(self) -> int:
        """How many rounds of clocks became late so far."""
        return self._run.late_rounds
