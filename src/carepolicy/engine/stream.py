"""A stream of events through a policy set: line by line, stratum by stratum.

``Run.feed_lines`` takes lines in their order and gives back the records that each caused; ``Run.finish`` lets
timers fall due and works through the higher strata. What comes out does not depend on how the
lines of different subjects are mixed, except for its order, which is that of the lines.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.engine import codes
from carepolicy.engine.desk import NO_EVENTS, Desk, raised_as_incoming
from carepolicy.engine.eventrecords import EventRecords
from carepolicy.engine.holding import Holding
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import MERGE, Incoming, Intake, Refused
from carepolicy.engine.letters import DeadLetters
from carepolicy.engine.live import LiveProgram
from carepolicy.engine.plainlines import PlainLines
from carepolicy.engine.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.engine.desk import Counted
    from carepolicy.engine.record import Record
    from carepolicy.engine.subject import Raised
    from carepolicy.machine.program import Bundle

AT_THE_END = NEVER
"""The number of the line that causes what falls due at the end."""


class WorkerDied(Exception):
    """A process that shares the work of a run ended before the work was done."""


class Caused(NamedTuple):
    """Records of a higher stratum and the line that caused them."""

    line: int
    stratum: int
    order: int
    records: list[Record]


class Ending(NamedTuple):
    """What is known only when all lines are read: records that earlier lines caused (in the order of the
    lines), and what fell due at the end (in the order of time, subject, flow and sequence)."""

    caused: list[Caused]
    due: list[Record]


class Run:
    """One run over a stream. ``dead`` collects dead letters, ``tally`` counts events by what became of them.

    ``lateness`` (microseconds) is how long a subject's events are held back and sorted.
    """

    def __init__(self, bundle: Bundle, reveal: bool = False, lateness: int = 0) -> None:
        self.bundle = bundle
        self.intake = Intake(bundle)
        self.records = EventRecords(bundle)
        self.letters = DeadLetters(bundle, reveal)
        programs = [LiveProgram(place, program, bundle) for place, program in enumerate(bundle.programs)]
        strata = [each.stratum for each in bundle.programs] + [each.stratum for each in bundle.watches]
        self.levels = 1 + max(strata, default=0)
        above = frozenset(event for each in bundle.programs if each.stratum > 0 for event in each.events)
        self.desks = [
            Desk(
                bundle,
                [each for each in programs if each.stratum == level],
                self.records,
                reveal,
                shared=NO_EVENTS if level else above,
            )
            for level in range(self.levels)
        ]
        self.watches = [Watching(bundle, level) for level in range(self.levels)]
        self.waiting: list[list[tuple[int, int, int, Incoming]]] = [[] for _ in range(self.levels)]
        self.holding = Holding(lateness) if lateness else None
        self.dead: list[str] = []
        self.tally: Counter[str] = Counter()
        self.latest = -NEVER
        self.read_events = 0
        self._order = 0
        self.plain = PlainLines(self, bundle)

    def feed_lines(self, lines: Sequence[tuple[int, bytes | str]]) -> list[tuple[int, list[Record]]]:
        """Take numbered lines; the records of the lowest stratum in stretches, each with its first line's number and
        ending with one that may cause more. With lateness these may be earlier lines than the ones given."""
        holding, desk = self.holding, self.desks[0]
        if holding is None:
            return self.plain.take_apart(lines)
        found: list[tuple[int, list[Record]]] = []
        for number, line in lines:
            try:
                event = self.intake.read(number, line)
            except Refused as refused:
                found.append((number, [self.refuse(number, refused, line)]))
                continue
            for each in holding.add(event):
                self.give(each)
                found.append((each.line, desk.written()))
        return found

    def feed_directly(self, lines: Sequence[tuple[int, bytes | str]]) -> list[Record]:
        """Take numbered lines of a set of one stratum, without lateness; their records in order."""
        self.plain.take(lines)
        return self.desks[0].written()

    def take_fully(self, event: Incoming) -> None:
        """Give an event to the lowest stratum, and to no other."""
        desk = self.desks[0]
        if event.type == MERGE:
            desk.merge(event)
        else:
            desk.take(event)
            desk.let_go(event.subject)
        if desk.refusals:
            self._drop(desk)

    def refuse(self, number: int, refused: Refused, line: bytes | str) -> Record:
        """Write down that a line was not taken."""
        self.tally[refused.code] += 1
        self.dead.append(self.letters.refused(number, refused, line))
        return self.records.refused(refused, line)

    def give(self, event: Incoming) -> None:
        """Take an event that was read, in the lowest stratum."""
        self.note(event)
        self.take_fully(event)
        if self.levels > 1:
            self.pass_on(event)
            self.collect(0, event.line)

    def note(self, event: Incoming) -> None:
        """Count an event that was read."""
        self.read_events += 1
        if event.masked:
            self._tell_masked(event)
        if event.time > self.latest:
            self.latest = event.time

    def _tell_masked(self, event: Incoming) -> None:
        self.tally[codes.CARD] += 1
        self.dead.append(self.letters.untaken(event, codes.CARD, "a card number was masked; the event was taken"))

    def pass_on(self, event: Incoming) -> None:
        """Keep an event for the higher strata that declare it; they go through theirs in time order."""
        for level in range(1, self.levels):
            if self.desks[level].routes(event.type):
                self._order += 1
                self.waiting[level].append((event.time, event.line, self._order, event))

    def collect(self, level: int, line: int) -> None:
        """Hand on what a stratum raised, and what a watch may count."""
        desk = self.desks[level]
        self.pass_all_raised(level, desk.stepper.raised, line)
        desk.stepper.raised.clear()
        for counted in desk.counted:
            self.count(level, counted)
        desk.counted.clear()

    def pass_all_raised(self, level: int, raised: list[Raised], line: int) -> None:
        """Hand on what a stratum raised. What timers raise at the end has an order of its own, not that in which
        subjects come to have their turn."""
        if line == AT_THE_END:
            raised = sorted(raised, key=lambda each: (each.origin, each.number))
        for each in raised:
            self.pass_raised(level, raised_as_incoming(each, line))

    def count(self, level: int, counted: Counted) -> None:
        """Let the watches of higher strata note an event that was taken."""
        for higher in range(level + 1, self.levels):
            self.watches[higher].note(counted)

    def pass_raised(self, level: int, event: Incoming) -> None:
        """Keep an event that a stratum raised for the higher ones that declare it."""
        taken = False
        for higher in range(level + 1, self.levels):
            if self.desks[higher].routes(event.type):
                taken = True
                self._order += 1
                self.waiting[higher].append((event.time, event.line, self._order, event))
        if not taken:
            self.tally[codes.NO_CASE] += 1

    def _drop(self, desk: Desk) -> None:
        for event, code, reason in desk.refusals:
            self.tally[code] += 1
            self.dead.append(self.letters.untaken(event, code, reason))
        desk.refusals.clear()

    def finish(self, until: int | None = None) -> Ending:
        """Let timers fall due by ``until`` (by default the latest time read), stratum by stratum."""
        found, due = self.lowest(until)
        caused = [Caused(line, 0, 0, records) for line, records in found]
        end = self.latest if until is None else until
        for level in range(1, self.levels):
            desk = self.desks[level]
            for event in self._events_of(level):
                desk.take(event)
                records = desk.written()
                self._drop(desk)
                self.collect(level, event.line)
                if event.line == AT_THE_END:
                    due += records
                else:
                    self._order += 1
                    caused.append(Caused(event.line, level, self._order, records))
            due += desk.finish(end)
            self.collect(level, AT_THE_END)
        caused.sort(key=lambda each: (each.line, each.stratum, each.order))
        return Ending(caused, in_order_of_time(due))

    def lowest(self, until: int | None) -> tuple[list[tuple[int, list[Record]]], list[Record]]:
        """Finish the lowest stratum: records that lines caused, and what fell due at the end."""
        found: list[tuple[int, list[Record]]] = []
        if self.holding is not None:
            for event in self.holding.rest():
                self.give(event)
                found.append((event.line, self.desks[0].written()))
        due = self.desks[0].finish(self.latest if until is None else until)
        self.collect(0, AT_THE_END)
        return found, due

    def _events_of(self, level: int) -> Iterator[Incoming]:
        """The events of a higher stratum in the order of time, with those that its watches raise."""
        for event in self.watches[level].raised():
            self.pass_raised(level, event)
        for _, _, _, event in sorted(self.waiting[level], key=lambda each: each[:3]):
            yield event
        self.waiting[level].clear()

    def close(self) -> None:
        """Let go of what the run holds outside of memory: nothing, in one process."""

    @property
    def open_cases(self) -> int:
        """How many cases are open now."""
        return sum(len(subject.cases) for desk in self.desks for subject in desk.subjects.values())

    @property
    def late_rounds(self) -> int:
        """How many rounds of clocks became late so far."""
        return sum(desk.stepper.lates for desk in self.desks)


def in_order_of_time(records: Iterable[Record]) -> list[Record]:
    """Records by (time, subject, flow, sequence)."""
    return sorted(records, key=lambda each: (each.when, each.subject, each.flow, each.sequence))
