"""A run shared by several processes: one reads, each of the others keeps the cases of its own subjects.

Which process has a subject is a matter of a checksum of its name, so it is the same in every run; and
since the records are put in the order of the lines, the bytes do not depend on the number of processes.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from contextlib import contextmanager
from multiprocessing import resource_tracker
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from carepolicy.engine import codes
from carepolicy.engine.intake import MERGE, Incoming, Refused
from carepolicy.engine.letters import line_of
from carepolicy.engine.plainlines import numbers_and_texts
from carepolicy.engine.stream import AT_THE_END, Run, WorkerDied
from carepolicy.engine.workers import Answer, Part, Share, work, worker_of
from carepolicy.machine.bundle import to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from carepolicy.engine.record import Record
    from carepolicy.engine.subject import Raised
    from carepolicy.machine.program import Bundle


class ParallelRun(Run):
    """A ``Run`` whose lowest stratum is worked on by ``workers`` processes."""

    def __init__(self, bundle: Bundle, reveal: bool, lateness: int, workers: int) -> None:
        super().__init__(bundle, reveal, lateness)
        context = multiprocessing.get_context("spawn")
        packed = to_bytes(bundle)
        self._pipes: list[Connection] = []
        self._processes = []
        for number in range(workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, reveal, number, workers), daemon=True)
            with deaf_to_interrupts():
                process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        # What a process is started with is written to it whether or not it lives; this finds out.
        for number, pipe in enumerate(self._pipes):
            self._ask(number, pipe, packed)
        # Where all that an event concerns is with one worker, plain lines are handed on as they are.
        whole = self.levels == 1 and self.holding is None and all(program.key is None for program in bundle.programs)
        self._columns = self.plain.columns if whole else None
        self._asked = [False] * workers
        self._kept: list[tuple[int, list[Record]]] = []
        self._letters: list[str] = []
        self._raised_at_the_end: list[Raised] = []
        self._open = [0] * workers
        self._lates = [0] * workers

    def feed_lines(self, lines: Iterable[tuple[int, bytes | str]]) -> list[tuple[int, list[Record]]]:
        """Take numbered lines. What is given back are the records of the lines before: while this process
        reads some, the others work on the last."""
        shares: list[list[Share]] = [[] for _ in self._pipes]
        texts: list[tuple[int, list[Record]]] = []
        for number, line in lines:
            try:
                event = self.intake.read(number, line)
                if event.type == MERGE:
                    raise Refused(codes.MERGE, "several workers cannot join subjects; use one", event._asdict())
            except Refused as refused:
                texts.append((number, [self.refuse(number, refused, line)]))
                continue
            for each in (event,) if self.holding is None else self.holding.add(event):
                self._share(each, shares)
        read, self.dead[:] = self.dead[:], []
        return self._hand_on(shares, texts, read)

    def feed_directly(self, lines: Sequence[tuple[int, bytes | str]]) -> list[Record]:
        """The records of the lines before, of a set of one stratum."""
        parts = self._parts(lines)
        texts = self.feed_lines(lines) if parts is None else self._hand_on(parts, [], [])
        return [record for _, records in texts for record in records]

    def _parts(self, lines: Sequence[tuple[int, bytes | str]]) -> list[Part] | None:
        """Plain lines by the worker that has their subjects; None where they must be read one by one."""
        if self._columns is None or not lines:
            return None
        numbers, texts = numbers_and_texts(lines)
        found = self._columns.read(numbers, texts)
        if found is None:
            return None
        latest, rows = found
        self.latest = max(self.latest, latest)
        self.read_events += len(lines)
        count = len(self._pipes)
        parts = [Part([], []) for _ in self._pipes]
        for row, text in zip(rows, texts, strict=True):
            part = parts[worker_of(row[1], count)]
            part.numbers.append(row[0])
            part.lines.append(text)
        return parts

    def _hand_on(
        self, shares: Sequence[list[Share] | Part], texts: list[tuple[int, list[Record]]], letters: list[str]
    ) -> list[tuple[int, list[Record]]]:
        """Give the workers their shares of some lines, and get the records of the lines before."""
        done = self._receive()
        self._release_letters()
        self._letters = letters
        self._send(shares)
        self._kept, kept = texts, self._kept
        return sorted((*kept, *done), key=lambda each: each[0]) if kept else done

    def _release_letters(self) -> None:
        """Give out the dead letters of the lines before, in the order of the lines, as one process does."""
        self.dead[:] = sorted((*self._letters, *self.dead), key=line_of)
        self._letters = []

    def _share(self, event: Incoming, shares: list[list[Share]]) -> None:
        self.note(event)
        for route, (key, _) in enumerate(self.desks[0].routes(event.type)):
            name = event.subject if key is None else event.data.get(key)
            if name is not None:
                shares[worker_of(str(name), len(shares))].append(Share(event, route))
        if self.levels > 1:
            self.pass_on(event)

    def _send(self, shares: Sequence[list[Share] | Part]) -> None:
        for number, (pipe, share) in enumerate(zip(self._pipes, shares, strict=True)):
            if share:
                self._ask(number, pipe, share)
                self._asked[number] = True

    def _ask(self, number: int, pipe: Connection, asked: list[Share] | Part | int | bytes) -> None:
        try:
            pipe.send(asked)
        except OSError:
            raise self._died(number) from None

    def _died(self, number: int) -> WorkerDied:
        return WorkerDied(f"worker {number + 1} of {len(self._pipes)} died; what was written so far is not all")

    def _receive(self) -> list[tuple[int, list[Record]]]:
        """What the workers made of what they were sent last, in the order of the lines."""
        texts: list[tuple[int, int, list[Record]]] = []
        for number, pipe in enumerate(self._pipes):
            if self._asked[number]:
                texts.extend(self._take(number, pipe))
                self._asked[number] = False
        texts.sort(key=lambda each: each[:2])  # by line and route; no two are of one line and route
        return [(line, text) for line, _, text in texts]

    def _take(self, number: int, pipe: Connection) -> list[tuple[int, int, list[Record]]]:
        try:
            answer: Answer = pipe.recv()
        except (EOFError, OSError):
            raise self._died(number) from None
        for event, code, reason in answer.refusals:
            self.tally[code] += 1
            self.dead.append(self.letters.untaken(event, code, reason))
        for line, raised in answer.raised:
            if line == AT_THE_END:
                self._raised_at_the_end.append(raised)
            else:
                self.pass_all_raised(0, [raised], line)
        for counted in answer.counted:
            self.count(0, counted)
        self._open[number], self._lates[number] = answer.open_cases, answer.lates
        return answer.records

    def lowest(self, until: int | None) -> tuple[list[tuple[int, list[Record]]], list[Record]]:
        """Finish the lowest stratum: records that lines caused, and what fell due at the end."""
        shares: list[list[Share]] = [[] for _ in self._pipes]
        if self.holding is not None:
            for event in self.holding.rest():
                self._share(event, shares)
        texts = [*self._kept, *self._receive()]
        self._send(shares)
        texts.extend(self._receive())
        due: list[Record] = []
        for number, pipe in enumerate(self._pipes):
            self._ask(number, pipe, self.latest if until is None else until)
            due.extend(record for _, _, records in self._take(number, pipe) for record in records)
        self.pass_all_raised(0, self._raised_at_the_end, AT_THE_END)
        self._release_letters()
        return texts, due

    def close(self) -> None:
        """End the worker processes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()

    @property
    def open_cases(self) -> int:
        """How many cases are open now."""
        return sum(self._open) + super().open_cases

    @property
    def late_rounds(self) -> int:
        """How many rounds of clocks became late so far."""
        return sum(self._lates) + super().late_rounds


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes that are started within take no notice of Ctrl-C: the one that started them ends them. What is pressed
    within is not lost: it is heard when the block has ended."""
    if current_thread() is not main_thread() or sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # the first start of a process would start it, and let interrupts in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
