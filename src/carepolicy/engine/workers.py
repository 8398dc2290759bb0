"""A worker of a run that is shared by several processes: it keeps the cases of its own subjects."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from carepolicy.engine.columns import Columns
from carepolicy.engine.desk import Counted, Desk
from carepolicy.engine.eventrecords import EventRecords
from carepolicy.engine.intake import Incoming, Intake
from carepolicy.engine.live import LiveProgram
from carepolicy.engine.plainlines import take_rows
from carepolicy.engine.stream import AT_THE_END
from carepolicy.machine.bundle import from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from carepolicy.engine.columns import Row
    from carepolicy.engine.record import Record
    from carepolicy.engine.subject import Raised
    from carepolicy.machine.program import Bundle


class Share(NamedTuple):
    """An event for one route (a group of programs with the same key) of one worker."""

    event: Incoming
    route: int


class Part(NamedTuple):
    """Plain lines for one worker, with their numbers."""

    numbers: list[int]
    lines: list[bytes | str]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.numbers)


class Answer(NamedTuple):
    """What a worker made of its shares."""

    records: list[tuple[int, int, list[Record]]]
    refusals: list[tuple[Incoming, str, str]]
    raised: list[tuple[int, Raised]]
    counted: list[Counted]
    open_cases: int
    lates: int


def worker_of(subject: str, workers: int) -> int:
    """The number of the worker that keeps a subject's cases."""
    return crc32(subject.encode()) % workers


def work(pipe: Connection, reveal: bool, number: int, workers: int) -> None:
    """A worker: takes a bundle, then lists of shares, and at last the instant until which timers fall due."""
    try:
        bundle = from_bytes(pipe.recv())
    except (EOFError, OSError):
        return
    programs = [LiveProgram(place, program, bundle) for place, program in enumerate(bundle.programs)]
    lowest = [program for program in programs if program.stratum == 0]
    records = EventRecords(bundle)
    desk = Desk(bundle, lowest, records, reveal, owns=lambda name: worker_of(name, workers) == number)
    taker = _Taker(desk, bundle)
    while True:
        try:
            asked: Any = pipe.recv()
        except (EOFError, OSError):
            return
        answer = taker.answer(asked)
        with suppress(OSError):  # the one that asked may have ended
            pipe.send(answer)


class _Taker:
    """What a worker does with what it is asked."""

    def __init__(self, desk: Desk, bundle: Bundle) -> None:
        self._desk = desk
        self._intake = Intake(bundle)
        self._columns = Columns(self._intake, bundle)

    def answer(self, asked: list[Share] | Part | int) -> Answer:
        """What a worker made of shares or lines, or of the time until which timers fall due."""
        desk = self._desk
        records: list[tuple[int, int, list[Record]]] = []
        raised: list[tuple[int, Raised]] = []
        if isinstance(asked, int):
            records = [(AT_THE_END, 0, desk.finish(asked))]
            raised = [(AT_THE_END, each) for each in desk.stepper.raised]
            desk.stepper.raised.clear()
        elif isinstance(asked, Part):
            records = self._take_part(asked)
        else:
            for event, route in asked:
                desk.take_route(event, route)
                desk.let_go(event.subject)
                records.append((event.line, route, desk.written()))
                raised.extend((event.line, each) for each in desk.stepper.raised)
                desk.stepper.raised.clear()
        counts = sum(len(subject.cases) for subject in desk.subjects.values())
        answer = Answer(records, list(desk.refusals), raised, list(desk.counted), counts, desk.stepper.lates)
        desk.refusals.clear()
        desk.counted.clear()
        return answer

    def _take_part(self, part: Part) -> list[tuple[int, int, list[Record]]]:
        found = self._columns.read(part.numbers, part.lines)
        assert found is not None, "lines that are handed on were plain when they were read"
        self._intake.forget_ids()  # the one that handed them on remembers them
        desk = self._desk
        ends: list[int] = []

        def marked() -> Iterator[Row]:
            for row in found[1]:
                yield row
                ends.append(len(desk.out))

        take_rows(desk, marked(), self._take_fully)
        out, begin = desk.out, 0
        records: list[tuple[int, int, list[Record]]] = []
        for number, end in zip(part.numbers, ends, strict=True):
            records.append((number, 0, out[begin:end]))
            begin = end
        out.clear()
        return records

    def _take_fully(self, event: Incoming) -> None:
        self._desk.take(event)
        self._desk.let_go(event.subject)
