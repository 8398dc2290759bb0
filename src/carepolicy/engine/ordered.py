"""Records in the order of the lines that caused them, whatever had to wait for later lines."""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from types import TracebackType
from typing import IO, TYPE_CHECKING

from carepolicy.engine.letters import line_of
from carepolicy.engine.record import text_of_all
from carepolicy.engine.stream import Caused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from carepolicy.engine.record import Record
    from carepolicy.engine.stream import Run


class OrderedRun:
    """A run whose output is in order.

    A set of one stratum without lateness gives its records at once. Otherwise earlier lines may still
    cause records, and those of the lowest stratum wait in a file that ``spool`` makes until all lines are read: one in
    memory, unless something better is handed in.
    """

    def __init__(self, run: Run, spool: Callable[[], IO[bytes]] = BytesIO) -> None:
        self._run = run
        self._make_spool = spool
        self._direct = run.levels == 1 and run.holding is None
        self._spool: IO[bytes] | None = None
        self._kept: list[tuple[int, int, int]] = []
        self.records_written = 0
        self.lines_read = 0
        self.dead = run.dead
        self._letters: list[str] = []
        self.tally: Counter[str] = run.tally

    def __enter__(self) -> OrderedRun:
        """The run itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the spool and of worker processes."""
        if self._spool is not None:
            self._spool.close()
        self._run.close()

    def feed(self, lines: Sequence[tuple[int, bytes | str]]) -> str:
        """Take numbered lines; the records that may be written now."""
        self.lines_read += len(lines)
        if self._direct:
            return self._rendered(self._run.feed_directly(lines))
        for number, records in self._run.feed_lines(lines):
            if records:
                self._keep(number, self._rendered(records))
        if self._run.holding is not None:
            self._letters += self.dead
            self.dead.clear()
        return ""

    def finish(self, until: int | None) -> Iterator[str]:
        """What is left: records that had to wait, in the order of their lines, and what fell due at the end."""
        ending = self._run.finish(until)
        if not self._direct:
            self.dead[:] = sorted((*self._letters, *self.dead), key=line_of)
        yield from self._merged(ending.caused)
        yield self._rendered(ending.due)

    def _rendered(self, records: list[Record]) -> str:
        self.records_written += len(records)
        return text_of_all(records)

    def _keep(self, number: int, text: str) -> None:
        if self._spool is None:
            self._spool = self._make_spool()
        start = self._spool.tell()
        self._kept.append((number, start, self._spool.write(text.encode())))

    def _merged(self, caused: list[Caused]) -> Iterator[str]:
        later = iter(sorted(caused, key=lambda each: (each.line, each.stratum, each.order)))
        waiting = next(later, None)
        for number, text in self._unspooled():
            while waiting is not None and waiting.line < number:
                yield self._rendered(waiting.records)
                waiting = next(later, None)
            yield text
        while waiting is not None:
            yield self._rendered(waiting.records)
            waiting = next(later, None)

    def _unspooled(self) -> Iterator[tuple[int, str]]:
        if self._spool is None:
            return
        for number, start, size in sorted(self._kept):
            self._spool.seek(start)
            yield number, self._spool.read(size).decode()

    @property
    def open_cases(self) -> int:
        """How many cases are open now."""
        return self._run.open_cases

    @property
    def late_rounds(self) -> int:
        """How many rounds of clocks became late so far."""
        return self._run.late_rounds
