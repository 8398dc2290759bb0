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
from dataclasses import replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING
from zlib import crc32

import orjson

from carepolicy.engine.lines import numbered_lines
from carepolicy.named import NamedTuple
from carepolicy.store.faults import Busy, StoreFault
from carepolicy.store.progress import Progress, progress_of
from carepolicy.store.running import StoredRun, Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from multiprocessing.context import SpawnProcess

    from carepolicy.store.contract import Transaction
    from carepolicy.store.operating import Operation

SHARES_OF_ONE = 4
"""Shares for each worker: so many that a dead one's work is soon spread, few enough to read the input seldom."""

BLOCK = 1 << 18
PAUSE = 0.05
"""Seconds until a worker that found no share free looks again."""


class Job(NamedTuple):
    """What a worker must know."""

    url: str
    path: str
    name: str
    input: int
    shares: int
    batch: int


class Stopped(StoreFault):
    """A worker could not go on, and has said why."""


class SharedRun(StoredRun):
    """The run as the process sees it that starts the workers, and that does what comes when all lines are taken."""

    def __init__(self, operation: Operation, name: str, workers: int) -> None:
        super().__init__(operation, name, 0)
        self.deferred = True
        self.shares = SHARES_OF_ONE * workers

    def open(self, resume: bool) -> None:
        """Find out how far the input was read. Raises ``Unfinished`` where it was, and ``resume`` is not said."""

        def work(transaction: Transaction) -> None:
            known = transaction.input(self.name)
            if known is None:
                self._input = transaction.open_input(self.name, self.shares)
            else:
                self._input, self.shares = known
            self._share = self.shares
            self.progress = self._summed(transaction)

        self.operation.attempt(work)
        if self.shares == 1:
            raise Unfinished(f"{self.name} was begun by one worker; go on without --workers")
        if not self.operation.store.share_is_mine(self._input, self.shares):
            raise Busy(f"another process is reading {self.name} into this store")
        self._go_on(resume)
        self.operation.attempt(self._keep)

    def _summed(self, transaction: Transaction) -> Progress:
        """This run's own progress, with what all shares have done."""
        now = progress_of(transaction.position(self._input, self.shares))
        for share in range(self.shares):
            part = progress_of(transaction.position(self._input, share))
            now.line, now.latest = max(now.line, part.line), max(now.latest, part.latest)
            now.events = part.events if share == 0 else now.events + part.events
        ours = (self._input,)
        now.records = transaction.rows("SELECT count(*) FROM records WHERE input = ?", ours)[0][0]
        late = "SELECT count(*) FROM records WHERE input = ? AND type = 'carepolicy.clock.late'"
        now.lates = transaction.rows(late, ours)[0][0]
        now.tally.clear()
        now.tally.update(
            dict(transaction.rows("SELECT code, count(*) FROM dead_letters WHERE input = ? GROUP BY code", ours))
        )
        now.letters = now.tally.total()
        return now

    def _keep(self, transaction: Transaction) -> None:
        transaction.keep_position(self.progress.row(self._input, self._share))

    def _demand_place(self, transaction: Transaction) -> None:
        """This process holds the run's own share for as long as it lives."""

    def recognise(self, blocks: Iterable[bytes]) -> None:
        """Find out whether the input begins as it did when it was read before."""
        next(self.recognised(blocks), b"")
        self.operation.attempt(self._keep)

    def take_all(self, path: str, workers: int, batch: int) -> None:
        """Let workers take all lines of the file. One that dies is replaced at once."""
        job = Job(self.operation.store.url, path, self.name, self._input, self.shares, batch)
        context = multiprocessing.get_context("spawn")

        def start(number: int) -> SpawnProcess:
            process = context.Process(target=work, args=(job, number), daemon=True)
            process.start()
            return process

        crew = {number: start(number) for number in range(workers)}
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
        self.operation.attempt(self._sum)

    def _sum(self, transaction: Transaction) -> None:
        self.progress = self._summed(transaction)


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
    from carepolicy.store.opening import open_store
    from carepolicy.store.operating import Operation

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
        super().__init__(operation, job.name, 0)
        self._job = job
        self._share = share
        self._input = job.input

    def take_all(self) -> None:
        """Take the events of the share that were not taken yet, and note that it is done."""
        with self.operation.store.reading() as transaction:
            self.progress = progress_of(transaction.position(self._input, self._share))
            ends = progress_of(transaction.position(self._input, self._job.shares)).ends
        if self.progress.ends > ends:
            return
        lines: list[tuple[int, bytes]] = []
        last = self.progress.line
        for number, line in self._lines_of_file():
            last = number
            if number > self.progress.line and share_of(line, self._job.shares) == self._share:
                lines.append((number, line))
                if len(lines) == self._job.batch:
                    self.feed(lines)
                    lines = []
        if lines:
            self.feed(lines)
        self._be_done(last, ends + 1)

    def _lines_of_file(self) -> Iterator[tuple[int, bytes]]:
        with open(self._job.path, "rb") as file:
            for block in numbered_lines(iter(lambda: file.read(BLOCK), b"")):
                yield from block

    def _be_done(self, line: int, ends: int) -> None:
        def note(transaction: Transaction) -> None:
            self._demand_place(transaction)
            transaction.keep_position(replace(self.progress, line=line, ends=ends).row(self._input, self._share))

        self.operation.attempt(note)


def share_of(line: bytes, shares: int) -> int:
    """The share that a line is in, by its subject; what has none is in the first."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return 0
    subject = event.get("subject") if isinstance(event, dict) else None
    return crc32(subject.encode()) % shares if isinstance(subject, str) else 0
