"""A run shared by several processes: one reads, each of the others keeps the cases of its own subjects.

Which process has a subject is a matter of a checksum of its name, so it is the same in every run; and
since the records are put in the order of the lines, the bytes do not depend on the number of processes.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from operator import attrgetter, itemgetter
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from carepolicy.engine import codes
from carepolicy.engine.intake import AT_THE_END, MERGE, Incoming, Intake, NotTaken, Reading, Refused, make_tuple
from carepolicy.engine.letters import EventRecords, Refusal
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.program import live_program
from carepolicy.engine.run import Caused, Run
from carepolicy.engine.stratum import CountedEvent, Stratum
from carepolicy.machine.bundle import from_bytes, to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

    from carepolicy.engine.case import Raised
    from carepolicy.engine.intake import Line, Row
    from carepolicy.engine.record import Written
    from carepolicy.machine.program import Bundle


class WorkerDied(Exception):
    """A process that shares the work of a run ended before the work was done."""


class EventShare(NamedTuple):
    """An event for one route (a group of programs with the same key) of one worker."""

    event: Incoming
    route: int


Lines = list[tuple[int, "bytes | str"]]
"""Plain lines for one worker, where all that an event concerns is with it: they are read there once more."""


class WorkerAnswer(NamedTuple):
    """What a worker made of its shares: records by line and route, and what else came of them."""

    records: list[tuple[int, int, list[Written]]]
    refusals: list[tuple[Incoming, str, str]]
    raised: list[tuple[int, Raised]]
    counted: list[CountedEvent]
    open_cases: int
    lates: int


def worker_of(subject: str, workers: int) -> int:
    """The number of the worker that keeps a subject's cases."""
    return crc32(subject.encode()) % workers


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
        self._whole = self.levels == 1 and self.holding is None and all(each.key is None for each in bundle.programs)
        self._asked = [False] * workers
        self._read_refusals: list[Refusal] = []
        self._raised_at_the_end: list[Raised] = []
        self._open = [0] * workers
        self._lates = [0] * workers

    def feed(self, lines: Sequence[Line]) -> list[Caused]:
        """Take numbered lines. What is given back are the records of the lines before: while this process
        reads some, the others work on the last."""
        reading = self._without_merges(self.read(lines), lines)
        rows, odd = reading.rows, reading.odd
        done = self._collected()  # what the lines before were refused with
        for _, fault in odd:
            if fault is not None:
                self.refuse(fault)
                self._emit(0, fault.number)
        if rows:
            self.latest = max(self.latest, max(map(itemgetter(3), rows)))
        if self._whole and all(fault is not None for _, fault in odd):
            parts: Sequence[list[Any]] = self._parts(rows, {fault.number for _, fault in odd if fault}, lines)
        else:
            parts = [[] for _ in self._pipes]
            for row in rows:
                event: Incoming = make_tuple(Incoming, row)
                for each in (event,) if self.holding is None else self.holding.add(event):
                    self._share(each, parts)
        read, self.refusals[:] = self.refusals[:], []
        done += self._receive()
        self._release_refusals()
        self._read_refusals = read
        self._send(parts)
        return sorted(done, key=itemgetter(0, 2))

    def _without_merges(self, reading: Reading, lines: Sequence[Line]) -> Reading:
        if not any(row[2] == MERGE for row in reading.rows):
            return reading
        rows: list[Row] = []
        odd = [each for each in reading.odd if each[1] is not None]
        for row in reading.rows:
            if row[2] == MERGE:
                event: Incoming = make_tuple(Incoming, row)
                fault = Refused(codes.MERGE, "several workers cannot join subjects; use one", event._asdict())
                odd.append((0, NotTaken(row[0], fault, next(line for number, line in lines if number == row[0]))))
            else:
                rows.append(row)
        special = [(place, None) for place, row in enumerate(rows) if row[8] or None in row[7].values()]
        return Reading(rows, [*odd, *special])

    def _parts(self, rows: Sequence[Row], refused: set[int], lines: Sequence[Line]) -> list[Lines]:
        """Plain lines by the worker that has their subjects."""
        count = len(self._pipes)
        parts: list[Lines] = [[] for _ in self._pipes]
        read = (line for line in lines if line[0] not in refused) if refused else lines
        for row, line in zip(rows, read, strict=True):
            parts[worker_of(row[1], count)].append(line)
        return parts

    def _release_refusals(self) -> None:
        """Give out what was refused of the lines before, in the order of the lines, as one process does."""
        self.refusals[:] = sorted((*self._read_refusals, *self.refusals), key=attrgetter("line"))
        self._read_refusals = []

    def _share(self, event: Incoming, shares: Sequence[list[Any]]) -> None:
        self.tell_masked(event)
        for route, (key, _) in enumerate(self.strata[0].routes(event.type)):
            name = event.subject if key is None else event.data.get(key)
            if name is not None:
                shares[worker_of(str(name), len(shares))].append(EventShare(event, route))
        self._pass_on(event)

    def _send(self, parts: Sequence[list[Any]]) -> None:
        for number, (pipe, part) in enumerate(zip(self._pipes, parts, strict=True)):
            if part:
                self._ask(number, pipe, part)
                self._asked[number] = True

    def _ask(self, number: int, pipe: Connection, asked: list[Any] | int | bytes) -> None:
        try:
            pipe.send(asked)
        except OSError:
            raise self._died(number) from None

    def _died(self, number: int) -> WorkerDied:
        return WorkerDied(f"worker {number + 1} of {len(self._pipes)} died; what was written so far is not all")

    def _receive(self) -> list[Caused]:
        """What the workers made of what they were sent last."""
        found: list[tuple[int, int, list[Written]]] = []
        for number, pipe in enumerate(self._pipes):
            if self._asked[number]:
                found += self._take(number, pipe)
                self._asked[number] = False
        return [Caused(line, 0, route, records) for line, route, records in found]

    def _take(self, number: int, pipe: Connection) -> list[tuple[int, int, list[Written]]]:
        try:
            answer: WorkerAnswer = pipe.recv()
        except (EOFError, OSError):
            raise self._died(number) from None
        for event, code, reason in answer.refusals:
            self.tally[code] += 1
            self.refusals.append(Refusal(event.line, code, reason, event))
        for line, raised in answer.raised:
            if line == AT_THE_END:
                self._raised_at_the_end.append(raised)
            else:
                self.hand_on_raised(0, [raised], line)
        for counted in answer.counted:
            self.count(0, counted)
        self._open[number], self._lates[number] = answer.open_cases, answer.lates
        return answer.records

    def finish_lowest(self, until: int | None) -> None:
        """Take what is held back, and let fall due what falls due in the lowest stratum."""
        shares: list[list[Any]] = [[] for _ in self._pipes]
        if self.holding is not None:
            for event in self.holding.rest():
                self._share(event, shares)
        self._caused += self._receive()
        self._send(shares)
        self._caused += self._receive()
        for number, pipe in enumerate(self._pipes):
            self._ask(number, pipe, self.latest if until is None else until)
            self._due += [record for _, _, records in self._take(number, pipe) for record in records]
        self.hand_on_raised(0, self._raised_at_the_end, AT_THE_END)
        self._release_refusals()

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


def work(pipe: Connection, reveal: bool, number: int, workers: int) -> None:
    """A worker: takes a bundle, then lists of shares or lines, and at last the instant until which timers fall due."""
    try:
        bundle = from_bytes(pipe.recv())
    except (EOFError, OSError):
        return
    worker = _Worker(bundle, reveal, number, workers)
    while True:
        try:
            asked: Any = pipe.recv()
        except (EOFError, OSError):
            return
        answer = worker.answer(asked)
        with suppress(OSError):  # the one that asked may have ended
            pipe.send(answer)


class _Worker:
    """The lowest stratum, for the subjects of one worker."""

    def __init__(self, bundle: Bundle, reveal: bool, number: int, workers: int) -> None:
        programs = [live_program(place, program, bundle) for place, program in enumerate(bundle.programs)]
        lowest = [program for program in programs if program.stratum == 0]
        memory = self._memory = ProcessMemory()
        self._stratum = Stratum(
            bundle,
            lowest,
            EventRecords(bundle, memory),
            memory,
            0,
            reveal,
            lambda name: worker_of(name, workers) == number,
        )
        self._intake = Intake(bundle)

    def answer(self, asked: list[EventShare] | Lines | int) -> WorkerAnswer:
        """What is made of shares or lines, or of the time until which timers fall due."""
        stratum = self._stratum
        records: list[tuple[int, int, list[Written]]] = []
        raised: list[tuple[int, Raised]] = []
        if isinstance(asked, int):
            for subject in self._memory.due(0, asked):
                stratum.stepper.fire(subject, asked, True)
            records = [(AT_THE_END, 0, stratum.written())]
            raised = [(AT_THE_END, each) for each in stratum.stepper.raised]
            stratum.stepper.raised.clear()
        else:
            for each in asked:
                if not isinstance(each, EventShare):
                    records = self._take_lines(asked)
                    break
                event, route = each
                stratum.take_route(event, route)
                stratum.let_go(event.subject)
                records.append((event.line, route, stratum.written()))
                raised.extend((event.line, each) for each in stratum.stepper.raised)
                stratum.stepper.raised.clear()
        counts = sum(len(subject.cases) for subject in stratum.subjects.values())
        answer = WorkerAnswer(
            records, list(stratum.refusals), raised, list(stratum.counted), counts, stratum.stepper.lates
        )
        stratum.refusals.clear()
        stratum.counted.clear()
        return answer

    def _take_lines(self, lines: Sequence[Any]) -> list[tuple[int, int, list[Written]]]:
        rows, odd = self._intake.read_lines(lines)
        assert not odd, "lines that are handed on were plain when they were read"
        stratum, records = self._stratum, []

        def after(row: Row) -> None:
            records.append((row[0], 0, stratum.written()))

        def fully(event: Incoming) -> None:
            stratum.take(event)
            stratum.let_go(event.subject)
            records.append((event.line, 0, stratum.written()))

        stratum.take_rows(rows, fully, True, after)
        return records


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
