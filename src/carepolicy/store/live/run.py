"""A run over an input with a store: transactions of many lines, each of which keeps how far the run has come.

A run that was stopped, by whatever, goes on behind the last line that was committed. Its files of records and dead
letters may lack their ends then. What they lack is read back from the store, and so they end up the same as those of a
run that was never stopped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import AT_THE_END, Reading
from carepolicy.store.faults import Busy, StoreFault
from carepolicy.store.live.batch import Batch
from carepolicy.store.live.inputs import (
    Progress,
    as_one,
    digest_of,
    keep_progress,
    known_input,
    look,
    me,
    new_input,
    progress_of,
)
from carepolicy.store.live.late import Late
from carepolicy.store.live.operation import AT_A_TIME, Done, finished
from carepolicy.store.sql.statements import LETTERS_WRITTEN, RECORDS_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.store.contract import Transaction
    from carepolicy.store.live.inputs import Input, KnownInput
    from carepolicy.store.live.operation import Operation
    from carepolicy.store.sql.statements import Written


class OtherInput(StoreFault):
    """The input is not the one that was read before under this name."""


class Unfinished(StoreFault):
    """An earlier run of the input was stopped, or has read it to its end, and was not told to go on."""


class StoredRun:
    """A run over the input of that ``name``. ``lateness`` is in microseconds, 0 for none."""

    def __init__(self, operation: Operation, name: str, source: Input, lateness: int) -> None:
        self.operation = operation
        self.source = source
        self.progress = Progress()
        self.name = name
        self.deferred = lateness > 0
        self._input = 0
        self._share = 0
        self._shares = 1
        self._behind = 0
        self._seen_last = False
        self._lateness = lateness
        self._late: Late | None = None

    def open(self, resume: bool) -> None:
        """Find out how far the input was read, and keep others from reading it as well. Raises ``Unfinished`` where it
        was read, and ``resume`` is not said."""
        look(self.operation.store, self.source)
        known = self.operation.attempt(self._find)
        self._input, self._shares = known.number, known.shares
        self._take_over(resume)
        if self._lateness:
            self._late = Late(self._input, self._lateness, self.operation.sealer)

    def _find(self, transaction: Transaction) -> KnownInput:
        found = known_input(transaction, self.source) or new_input(transaction, self.source, self.name, 1)
        if found.shares > 1 and found.progress.ended:
            return as_one(transaction, found)
        if found.shares > 1:
            raise Unfinished(f"{self.name} was begun by several workers; go on with --workers")
        return found

    def _take_over(self, resume: bool) -> None:
        """Be the one that reads the input, behind what was read of it."""
        store = self.operation.store
        if not store.share_is_mine(self._input, self._share):
            raise Busy(f"another process ({self._present().reader or 'of an earlier version'}) reads {self.name}")
        self.progress = self._present()
        self._behind = self.progress.line
        self._go_on(resume)
        self.progress.reader = me()
        self.operation.attempt(self._keep)

    def _present(self) -> Progress:
        """How far the input was read by now."""
        with self.operation.store.reading() as transaction:
            return progress_of(transaction, self._input, self._share)

    def _keep(self, transaction: Transaction) -> None:
        keep_progress(transaction, self.progress, self._input, self._share)

    def _go_on(self, resume: bool) -> None:
        """Begin another stretch where the last one has come to its end."""
        now = self.progress
        if now.line and not resume:
            raise Unfinished(f"{self.name} was read up to line {now.line:,} already; --resume goes on behind it")
        if now.ended:
            now.begins, now.before, now.letters_before = now.line, now.records, now.letters
            now.ends, now.ended = now.ends + 1, False
            with self.operation.store.reading() as transaction:
                now.mark, now.letters_mark = (
                    transaction.rows(asked.last, (self._input, now.line))[0][0] if now.open_end else NEVER
                    for asked in (RECORDS_WRITTEN, LETTERS_WRITTEN)
                )

    def note_files(self, behind: int, letters_behind: int) -> None:
        """Note how many lines the files for records and dead letters had before this input began."""
        self.progress.behind, self.progress.letters_behind = behind, letters_behind
        self.operation.attempt(self._keep)

    @property
    def is_new(self) -> bool:
        """Whether nothing was taken of the input yet."""
        return not (self.progress.line or self.progress.events or self.progress.records)

    def unread(self, lines: Sequence[tuple[int, bytes]]) -> Sequence[tuple[int, bytes]]:
        """Of some lines those that were not taken by an earlier run. Raises ``OtherInput`` where what it has taken is
        not there any more."""
        if not lines or lines[0][0] > self._behind:
            return lines
        return [
            each for each in lines if each[0] > self._behind or (each[0] == self._behind and self._has_grown(each[1]))
        ]

    def _has_grown(self, line: bytes) -> bool:
        """Whether the last line that was taken had no line break and has become another one."""
        now, self._seen_last = self.progress, True
        if not now.last or now.last == digest_of(line):
            return False
        if not now.open_end:
            raise OtherInput(f"line {now.line:,} of {self.name} is not what it was when it was read")
        return True

    def demand_all(self, left: int) -> None:
        """Raises ``OtherInput`` where the input ended before what was taken of it; a half-written line may be ``left``,
        which was taken before if it had no line break then either."""
        if self._behind and not self._seen_last and not (self.progress.open_end and left == self._behind):
            raise OtherInput(f"{self.name} has lost its end: it was read up to line {self._behind:,} before")

    def feed(self, lines: list[tuple[int, bytes]], open_end: bool = False) -> Done:
        """Take lines in one transaction; those that were taken by an earlier run must have been left out. ``open_end``
        says that the last of them has no line break."""

        def work(transaction: Transaction) -> tuple[Done, Progress]:
            self._demand_place(transaction)
            batch = Batch(self.operation.memory(transaction), transaction, self._input)
            batch.take(self._held(transaction, batch, batch.read(lines)))
            number, text = lines[-1]
            return self._close(transaction, batch, number, len(lines), digest_of(text), open_end)

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
            batch = Batch(self.operation.memory(transaction), transaction, self._input)
            left = batch.fire(end, AT_A_TIME, AT_THE_END + self.progress.ends)
            return left, self._close(transaction, batch, self.progress.line, 0)

        while more:
            more, (done, self.progress) = self.operation.attempt(work, self._forget)
            yield done

    def end(self) -> None:
        """Note that all was written out."""

        def work(transaction: Transaction) -> Progress:
            self._demand_place(transaction)
            ended = replace(self.progress, ended=True)
            keep_progress(transaction, ended, self._input, self._share)
            return ended

        self.progress = self.operation.attempt(work)

    def lines_written(self) -> int:
        """How many records were kept so far that no end of the input caused, in this stretch and all before it."""
        with self.operation.store.reading() as transaction:
            found: int = transaction.rows(RECORDS_WRITTEN.number, self._stretch(self.progress.mark))[0][0]
        return self.progress.before + found

    def written(self, already: int, until_the_end: bool) -> Iterator[str]:
        """The lines of the present stretch's records in their order, without the first ``already`` of all records;
        those that fell due at the end only with ``until_the_end``."""
        now = self.progress
        yield from self._lines(RECORDS_WRITTEN, now.mark, already - now.before, until_the_end)

    def buried(self, already: int) -> Iterator[str]:
        """The dead letters of the present stretch in their order, without the first ``already`` of all."""
        now = self.progress
        yield from self._lines(LETTERS_WRITTEN, now.letters_mark, already - now.letters_before, True)

    def _lines(self, asked: Written, mark: int, already: int, until_the_end: bool) -> Iterator[str]:
        bounds, ending = self._stretch(mark), (self._input, AT_THE_END + self.progress.ends)
        with self.operation.store.reading() as transaction:
            number = transaction.rows(asked.number, bounds)[0][0]
            for (line,) in transaction.stream(asked.lines, (*bounds, number, already)):
                yield line + "\n"
            if until_the_end:
                rest = max(0, already - number)
                for count, (line,) in enumerate(transaction.stream(asked.at_the_end, ending)):
                    if count >= rest:
                        yield line + "\n"

    def _stretch(self, mark: int) -> tuple[int, ...]:
        begins = self.progress.begins
        return self._input, begins, AT_THE_END, begins, mark

    # -- within a transaction --------------------------------------------------------------------------------

    def _demand_place(self, transaction: Transaction) -> None:
        """Another process may have gone on with the same input, if it is on a machine that has lost the server for
        long; two may not."""
        if progress_of(transaction, self._input, self._share, own=True) != self.progress:
            raise Busy(f"another process is reading {self.name} into this store")

    def _held(self, transaction: Transaction, batch: Batch, read: Reading) -> Reading:
        if self._late is None:
            return read
        events = read.events
        for event in events:
            batch.hold_back(event)
        return Reading.of(read.faults, self._late.release(transaction, events))

    def _take_rest(self, transaction: Transaction) -> tuple[Done, Progress]:
        self._demand_place(transaction)
        assert self._late is not None, "only a run with lateness holds events back"
        batch = Batch(self.operation.memory(transaction), transaction, self._input)
        batch.take(Reading.of([], self._late.rest(transaction)))
        return self._close(transaction, batch, self.progress.line, 0)

    def _close(
        self, transaction: Transaction, batch: Batch, line: int, lines: int, last: str = "", open_end: bool = False
    ) -> tuple[Done, Progress]:
        """Keep what a batch did, and how far the run has come by it: to a ``line``, of which ``last`` is the digest."""
        done, before = finished(batch), self.progress
        now = replace(
            before,
            line=line,
            latest=max(before.latest, batch.latest),
            events=before.events + lines,
            records=before.records + done.written,
            lates=before.lates + done.lates,
            tally=before.tally + batch.tally,
            letters=before.letters + len(batch.letters),
            last=last or before.last,
            open_end=open_end if last else before.open_end,
        )
        if last:
            self.source.note_beginning(now, line)
        keep_progress(transaction, now, self._input, self._share)
        return done, now

    def _forget(self) -> None:
        if self._late is not None:
            self._late.forget()
