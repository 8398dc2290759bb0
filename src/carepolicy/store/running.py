"""A run over an input with a store: transactions of many lines, each of which keeps how far the run has come.

A run that was stopped, by whatever, goes on behind the last line that was committed. What it writes (records and
dead letters) is read back from the store where a file of it lacks the end, so that the files of a run
that was stopped and resumed are those of one that was not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from carepolicy.engine.instants import NEVER
from carepolicy.hashing import blake2b
from carepolicy.store.batch import AT_THE_END, Batch
from carepolicy.store.faults import Busy, StoreFault
from carepolicy.store.late import Late
from carepolicy.store.operating import AT_A_TIME, Done, finished
from carepolicy.store.progress import Progress, progress_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.store.batch import Read
    from carepolicy.store.contract import Transaction
    from carepolicy.store.operating import Operation

LATE = '"type":"carepolicy.clock.late"'

READ_SO_FAR = 1 << 16
"""By so many of its first bytes an input is known again."""


class OtherInput(StoreFault):
    """The input is not the one that was read before under this name."""


class Unfinished(StoreFault):
    """An earlier run of the input was stopped, or has read it to its end, and was not told to go on."""


class StoredRun:
    """A run over the input of that ``name``. ``lateness`` is in microseconds, 0 for none."""

    def __init__(self, operation: Operation, name: str, lateness: int) -> None:
        self.operation = operation
        self.progress = Progress()
        self.name = name
        self.deferred = lateness > 0
        self._input = 0
        self._share = 0
        self._shares = 1
        self._lateness = lateness
        self._late: Late | None = None

    def open(self, resume: bool) -> None:
        """Find out how far the input was read. Raises ``Unfinished`` where it was, and ``resume`` is not said."""

        def work(transaction: Transaction) -> None:
            known = transaction.input(self.name)
            if known is None:
                self._input = transaction.open_input(self.name, 1)
                self.progress = Progress()
                return
            self._input, self._shares = known
            self.progress = progress_of(transaction.position(self._input, 0))

        self.operation.attempt(work)
        if self._shares > 1:
            raise Unfinished(f"{self.name} was begun by several workers; go on with --workers")
        self._go_on(resume)
        if self._lateness:
            self._late = Late(self._input, self._lateness, self.operation.sealer)

    def _go_on(self, resume: bool) -> None:
        """Begin another stretch where the last one has come to its end."""
        now = self.progress
        if now.line and not resume:
            raise Unfinished(f"{self.name} was read up to line {now.line:,} already; --resume goes on behind it")
        if now.ended:
            now.begins, now.before, now.letters_before = now.line, now.records, now.letters
            now.ends, now.ended = now.ends + 1, False

    def recognised(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks of the input, once its beginning is found to be that of the one read before."""
        progress = self.progress
        wanted = progress.length or READ_SO_FAR
        source, head = iter(blocks), b""
        while len(head) < wanted and (block := next(source, b"")):
            head += block
            if not progress.fingerprint:
                break
        fingerprint = blake2b(head[:wanted], digest_size=16).hexdigest()
        if not progress.fingerprint:
            progress.fingerprint, progress.length = fingerprint, len(head[:wanted])
        elif progress.fingerprint != fingerprint:
            raise OtherInput(f"{self.name} does not begin as it did when it was read up to line {progress.line:,}")
        if head:
            yield head
        yield from source

    def feed(self, lines: list[tuple[int, bytes]]) -> Done:
        """Take lines in one transaction; those that were taken by an earlier run must have been left out."""

        def work(transaction: Transaction) -> tuple[Done, Progress]:
            self._demand_place(transaction)
            batch = Batch(self.operation.desks(transaction), transaction, self._input)
            batch.take(self._held(transaction, batch, batch.read(lines)))
            return self._close(transaction, batch, lines[-1][0], len(lines))

        done, self.progress = self.operation.attempt(work, self._forget)
        return done

    def finish(self, until: int | None) -> Iterator[Done]:
        """Take what was held back, and fire what falls due by ``until`` (by default the latest time read)."""
        if self._late is not None:
            done, self.progress = self.operation.attempt(self._take_rest, self._forget)
            yield done
        end = self.progress.latest if until is None else until
        more = end > -NEVER

        def work(transaction: Transaction) -> tuple[bool, tuple[Done, Progress]]:
            self._demand_place(transaction)
            batch = Batch(self.operation.desks(transaction), transaction, self._input)
            left = batch.fire(end, AT_A_TIME, AT_THE_END + self.progress.ends)
            return left, self._close(transaction, batch, self.progress.line, 0)

        while more:
            more, (done, self.progress) = self.operation.attempt(work, self._forget)
            yield done

    def end(self) -> None:
        """Note that all was written out."""

        def work(transaction: Transaction) -> None:
            self._demand_place(transaction)
            transaction.keep_position(self.progress.row(self._input, self._share))

        self.progress.ended = True
        self.operation.attempt(work)

    def lines_written(self) -> int:
        """How many records were kept so far that no end of the input caused, in this stretch and all before it."""
        with self.operation.store.reading() as transaction:
            sql = "SELECT count(*) FROM records WHERE input = ? AND position > ? AND position < ?"
            found: int = transaction.rows(sql, (self._input, self.progress.begins, AT_THE_END))[0][0]
        return self.progress.before + found

    def written(self, already: int, until_the_end: bool) -> Iterator[str]:
        """The lines of the present stretch's records in their order, without the first ``already`` of all records;
        those that fell due at the end only with ``until_the_end``."""
        yield from self._lines("records", "line", already - self.progress.before, until_the_end, True)

    def buried(self, already: int) -> Iterator[str]:
        """The dead letters of the present stretch in their order, without the first ``already`` of all."""
        yield from self._lines("dead_letters", "letter", already - self.progress.letters_before, True, False)

    def _lines(self, table: str, column: str, already: int, until_the_end: bool, by_time: bool) -> Iterator[str]:
        bounds = (self._input, self.progress.begins, AT_THE_END)
        ending = (self._input, AT_THE_END + self.progress.ends)
        first = f"FROM {table} WHERE input = ? AND position > ? AND position < ?"
        last = f"FROM {table} WHERE input = ? AND position = ?"
        order = "time, subject, flow, sequence, no" if by_time else "no"
        with self.operation.store.reading() as transaction:
            number = transaction.rows(f"SELECT count(*) {first}", bounds)[0][0]
            for (line,) in transaction.stream(
                f"SELECT {column} {first} ORDER BY position, no LIMIT ? OFFSET ?", (*bounds, number, already)
            ):
                yield line + "\n"
            if until_the_end:
                rest = max(0, already - number)
                for count, (line,) in enumerate(transaction.stream(f"SELECT {column} {last} ORDER BY {order}", ending)):
                    if count >= rest:
                        yield line + "\n"

    # -- within a transaction --------------------------------------------------------------------------------

    def _demand_place(self, transaction: Transaction) -> None:
        """Another process may have gone on with the same input; two may not."""
        if progress_of(transaction.position(self._input, self._share)).line != self.progress.line:
            raise Busy(f"another process is reading {self.name} into this store")

    def _held(self, transaction: Transaction, batch: Batch, read: Read) -> Read:
        if self._late is None:
            return read
        refused = [each for each in read if not isinstance(each[1], tuple)]
        events = [event for _, event, _ in read if isinstance(event, tuple)]
        for event in events:
            batch.hold_back(event)
        released = self._late.release(transaction, events)
        return [*refused, *((event.line, event, b"") for event in released)]

    def _take_rest(self, transaction: Transaction) -> tuple[Done, Progress]:
        self._demand_place(transaction)
        assert self._late is not None, "only a run with lateness holds events back"
        batch = Batch(self.operation.desks(transaction), transaction, self._input)
        batch.take([(event.line, event, b"") for event in self._late.rest(transaction)])
        return self._close(transaction, batch, self.progress.line, 0)

    def _close(self, transaction: Transaction, batch: Batch, line: int, lines: int) -> tuple[Done, Progress]:
        """Keep what a batch did, and how far the run has come by it."""
        done, before = finished(batch), self.progress
        now = replace(
            before,
            line=line,
            latest=max(before.latest, batch.latest),
            events=before.events + lines,
            records=before.records + len(batch.lines),
            lates=before.lates + done.records.count(LATE),
            tally=before.tally + batch.tally,
            letters=before.letters + len(batch.letters),
        )
        transaction.keep_position(now.row(self._input, self._share))
        return done, now

    def _forget(self) -> None:
        if self._late is not None:
            self._late.forget()
