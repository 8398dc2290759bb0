"""A run over one input that several processes share, each on its own connection to a store.

The input is dealt out in shares by its events' subjects, several to a worker. A worker takes a share that nobody has
(an advisory lock, which the server takes back at once when the worker's connection ends), reads the input from where
the share was left, and takes the share's events. So events of one subject are taken in their order, by one worker
at a time, and what a dead worker had is gone on with by the next one that is free. Each transaction keeps the
share's place in the input, as that of a single run does.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from array import array
from dataclasses import replace
from itertools import pairwise
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import orjson

from carepolicy.engine.intake import LONGEST_LINE, MERGE, numbered_lines
from carepolicy.store.faults import StoreFault
from carepolicy.store.live.inputs import (
    Input,
    Progress,
    digest_of,
    is_whole,
    keep_progress,
    known_input,
    new_input,
    progress_of,
    summed,
)
from carepolicy.store.live.operation import Operation
from carepolicy.store.live.run import StoredRun, Unfinished
from carepolicy.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import SpawnProcess
    from typing import IO

    from carepolicy.store.contract import Transaction
    from carepolicy.store.live.inputs import KnownInput

SHARES_OF_ONE = 4
"""Shares for each worker: so many that a dead one's work is soon spread, few enough to read the input seldom."""

BLOCK = 1 << 18
PAUSE = 0.05
"""Seconds until a worker that found no share free looks again."""

PARTS, BITS = 256, 64
"""Digests of ids are sorted in so many parts, so that few need to be in memory twice."""


class Survey(NamedTuple):
    """What was seen of a log before workers share it. For each event eight bytes were remembered.

    ``size`` is that of all lines with a line break, ``lines`` their number, ``rest`` what stands behind them.
    ``merges`` says that an event may join two subjects, ``crossing`` counts ids under which several subjects stand."""

    size: int
    lines: int
    rest: bytes
    merges: bool
    crossing: int


def survey(file: IO[bytes]) -> Survey:
    """Look through what is left of a file; afterwards it stands where it stood before."""
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
    return Survey(size, lines, rest, merges, crossing)


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


class OpenLine(NamedTuple):
    """What was taken although no line break stood behind it: the line, and a digest of it; 0 where nothing was."""

    line: int
    digest: str

    def is_line(self, number: int, text: bytes) -> bool:
        """Whether a line is this one, and has not grown since."""
        return number == self.line and digest_of(text) == self.digest


class Job(NamedTuple):
    """What a worker must know. ``size`` is up to where it reads."""

    url: str
    path: str
    name: str
    input: int
    shares: int
    batch: int
    size: int
    rest: OpenLine


class Stopped(StoreFault):
    """A worker could not go on, and has said why."""


class SharedRun(StoredRun):
    """The run as the process sees it that starts the workers, and that does what comes when all lines are taken."""

    def __init__(self, operation: Operation, name: str, source: Input, log: Survey, workers: int) -> None:
        super().__init__(operation, name, source, 0)
        self.deferred = True
        self._log = log
        self._workers = workers

    def _find(self, transaction: Transaction) -> KnownInput:
        shares = SHARES_OF_ONE * self._workers
        found = known_input(transaction, self.source) or new_input(transaction, self.source, self.name, shares)
        if found.shares == 1:
            raise Unfinished(f"{self.name} was begun by one worker; go on without --workers")
        self._share = found.shares
        return found

    def _present(self) -> Progress:
        """How far the run has come, with what all shares have done."""
        with self.operation.store.reading() as transaction:
            return summed(transaction, self._input, self._shares)

    def _demand_place(self, transaction: Transaction) -> None:
        """This process holds the run's own share for as long as it lives."""

    def take_all(self, path: str, batch: int, final: bool) -> bool:
        """Let workers take all lines of the file, and take what stands behind the last line break; False where that is
        left, since it is no whole event. One that dies is replaced at once."""
        now = self.progress
        rest = OpenLine(now.line if now.open_end else 0, now.last)
        size = self._log.size
        self._let_workers(Job(self.operation.store.url, path, self.name, self._input, self._shares, batch, size, rest))
        self.operation.attempt(self._sum)
        number, text = self._log.lines + 1, self._log.rest
        if not text.strip() or rest.is_line(number, text):
            return True
        if not (final or is_whole(text)):
            return False
        self.progress.alone += 1
        self.feed([(number, text)], open_end=True)
        return True

    def _let_workers(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")

        def start(number: int) -> SpawnProcess:
            process = context.Process(target=work, args=(job, number), daemon=True)
            process.start()
            return process

        crew = {number: start(number) for number in range(self._workers)}
        try:
            while crew:
                wait([each.sentinel for each in crew.values()])
                for number, process in list(crew.items()):
                    if process.is_alive():
                        continue
                    process.join()
                    if process.exitcode == 0:
                        del crew[number]
                    elif process.exitcode is not None and process.exitcode < 0:
                        crew[number] = start(number)
                    else:
                        raise Stopped(f"a worker on {self.name} stopped; --resume goes on behind what was kept")
        finally:
            for process in crew.values():
                process.terminate()
                process.join()

    def _sum(self, transaction: Transaction) -> None:
        self.progress = summed(transaction, self._input, self._shares)
        self.source.note_beginning(self.progress, self._log.lines)
        self._keep(transaction)


def work(job: Job, number: int) -> None:
    """A worker: takes shares, one after the other, until all are done. What stops it is told in a sentence."""
    try:
        _work(job, number)
    except StoreFault as fault:
        print(f"a worker stopped: {fault}", file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)


def _work(job: Job, number: int) -> None:
    store = open_store(job.url)
    operation = Operation(store, None, 0)
    own = list(range(job.shares))
    own = own[number * SHARES_OF_ONE :] + own[: number * SHARES_OF_ONE]
    left = dict.fromkeys(own)
    while left:
        found = False
        for share in list(left):
            if store.share_is_mine(job.input, share):
                found = True
                ShareRun(operation, job, share).take_all()
                store.leave_share(job.input, share)
                del left[share]
        if not found:
            time.sleep(PAUSE)
    store.close()


class ShareRun(StoredRun):
    """One share of an input."""

    def __init__(self, operation: Operation, job: Job, share: int) -> None:
        super().__init__(operation, job.name, Input(()), 0)
        self._job = job
        self._share = share
        self._input = job.input

    def take_all(self) -> None:
        """Take the events of the share that were not taken yet, and note that it is done."""
        with self.operation.store.reading() as transaction:
            self.progress = progress_of(transaction, self._input, self._share)
            ends = progress_of(transaction, self._input, self._job.shares).ends
        if self.progress.ends > ends:
            return
        lines: list[tuple[int, bytes]] = []
        last = self.progress.line
        for number, line in self._lines_of_file():
            last = number
            if number <= self.progress.line or self._job.rest.is_line(number, line):
                continue
            if share_of(line, self._job.shares) == self._share:
                lines.append((number, line))
                if len(lines) == self._job.batch:
                    self.feed(lines)
                    lines = []
        if lines:
            self.feed(lines)
        self._be_done(last, ends + 1)

    def _lines_of_file(self) -> Iterator[tuple[int, bytes]]:
        with open(self._job.path, "rb") as file:
            blocks = (file.read(min(BLOCK, self._job.size - begin)) for begin in range(0, self._job.size, BLOCK))
            for block in numbered_lines(blocks):
                yield from block

    def _be_done(self, line: int, ends: int) -> None:
        def note(transaction: Transaction) -> None:
            self._demand_place(transaction)
            keep_progress(transaction, replace(self.progress, line=line, ends=ends), self._input, self._share)

        self.operation.attempt(note)


def share_of(line: bytes, shares: int) -> int:
    """The share that a line is in, by its subject; what has none is in the first."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return 0
    subject = event.get("subject") if isinstance(event, dict) else None
    return crc32(subject.encode()) % shares if isinstance(subject, str) else 0
