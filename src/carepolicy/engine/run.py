"""The one runner: events go through a policy set, line by line, stratum by stratum.

A ``Run`` reads lines, gives each event to the lowest stratum, and hands on what is raised there, or what a watch raises
over it, to the strata above. What it remembers is a ``Memory``, which is handed in. When the higher strata work is its
schedule:

- after all lines, in the order of time: what comes out does not depend on how the lines of different subjects are
  mixed, except for its order, which is that of the lines (streams, scenarios);
- at once, after each line: as things happen (stores).
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable
from enum import Enum
from heapq import heappop, heappush
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from carepolicy.engine import codes
from carepolicy.engine.case import LiveProgram
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.intake import (
    AT_THE_END,
    MERGE,
    Incoming,
    Intake,
    NotTaken,
    Reading,
    duplicate,
    is_too_long,
    make_tuple,
)
from carepolicy.engine.letters import EventRecords, Refusal
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.program import live_program
from carepolicy.engine.record import as_values
from carepolicy.engine.stratum import NO_EVENTS, Stratum, raised_as_incoming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.engine.case import Raised
    from carepolicy.engine.intake import Line, Row
    from carepolicy.engine.memory import Memory
    from carepolicy.engine.record import Hearer, Record, Written
    from carepolicy.engine.stratum import CountedEvent
    from carepolicy.machine.program import Bundle, WatchTable

_time_of = itemgetter(3)
_place_of = itemgetter(0, 1, 2)

MOST_WATCHED = 256
"""So many instants of one value a watch remembers, or one more than its bound: what is beyond that is above the bound
anyway. It is more than most bounds, so that a set with another one can be installed."""

KEPT_AT_A_TIME = 256
"""So many events' records wait before they are kept together."""


class Schedule(Enum):
    """When the higher strata work."""

    AFTER_ALL_LINES = "after all lines"
    AT_ONCE = "at once"


class Caused(NamedTuple):
    """Records of a stratum, and the line that caused them.

    Lines that follow each other share an entry where all but the last of them caused nothing in higher strata; then
    ``line`` is the first of them.
    """

    line: int
    stratum: int
    order: int
    records: list[Written]

    @property
    def values(self) -> list[Record]:
        """The records as values."""
        return as_values(self.records)


Keep = Callable[[list[Caused]], None]
"""Takes what lines caused."""

Waiting = tuple[int, int, int, "Row", bool]
"""An event that waits for a higher stratum: its time and line, how many have come to wait before it, and whether it may
go the shortest way: a line brought it, and its data takes no value away."""


class Ending(Struct, frozen=True):
    """What is known only when all lines are read: records that earlier lines caused (in the order of the
    lines), and what fell due at the end (in the order of time, subject, flow and sequence)."""

    caused: list[Caused]
    due: list[Written]

    @property
    def due_values(self) -> list[Record]:
        """What fell due at the end, as values."""
        return as_values(self.due)


class Run:
    """One run of a policy set over events. ``refusals`` collects what was not taken, until somebody empties it;
    ``tally`` counts it by its code. ``latest`` is the latest time read.

    ``lateness`` (microseconds) is how long a subject's events are held back and sorted. ``programs`` are those of the
    ``bundle`` where they are there already, ``older`` those of earlier sets by which open cases still live. ``owns``
    says of which subjects flows open cases by time. ``as_lines`` lets the run write records as lines at once (passages)
    where it makes its own programs, for somebody who is soon to write them. A ``hearer`` hears what happens at once:
    then nothing comes of what the run takes but refusals.
    """

    def __init__(
        self,
        bundle: Bundle,
        reveal: bool = False,
        lateness: int = 0,
        memory: Memory | None = None,
        schedule: Schedule = Schedule.AFTER_ALL_LINES,
        programs: Sequence[LiveProgram] | None = None,
        older: Sequence[LiveProgram] = (),
        owns: Callable[[str], bool] = lambda name: True,
        as_lines: bool = False,
        hearer: Hearer | None = None,
    ) -> None:
        self.bundle = bundle
        self.reveal = reveal
        self.memory: Memory = ProcessMemory() if memory is None else memory
        self.intake = Intake(bundle)
        self.records = EventRecords(bundle, self.memory)
        assert hearer is None or programs is None, "programs that several runs share tell no hearer"
        self.hearer = hearer
        as_lines = as_lines and programs is None
        if programs is None:
            programs = [live_program(place, program, bundle) for place, program in enumerate(bundle.programs)]
        self.programs = programs
        self.at_once = schedule is Schedule.AT_ONCE
        self.strata = self._strata_of(older, owns, as_lines, hearer)
        self.levels = len(self.strata)
        self.watches = [Watches(bundle, level, self.memory) for level in range(self.levels)]
        self.holding = ReorderBuffer(lateness) if lateness else None
        self.refusals: list[Refusal] = []
        self.tally: Counter[str] = Counter()
        self.latest = -NEVER
        self._waiting: list[list[Waiting]] = [[] for _ in range(self.levels)]
        self._levels: dict[str, tuple[int, ...]] = {}
        self._caused: list[Caused] = []
        self._due: list[Written] = []
        self._order = 0
        self._begin = 0

    def _strata_of(
        self, older: Sequence[LiveProgram], owns: Callable[[str], bool], as_lines: bool, hearer: Hearer | None
    ) -> list[Stratum]:
        """The strata, the lowest first; programs of earlier sets work in those of today."""
        strata = [each.stratum for each in self.bundle.programs] + [each.stratum for each in self.bundle.watches]
        above = frozenset(event for each in (*self.programs, *older) if each.stratum > 0 for event in each.events)
        found = [
            Stratum(
                self.bundle,
                [each for each in self.programs if each.stratum == level],
                self.records,
                self.memory,
                level,
                self.reveal,
                owns,
                NO_EVENTS if level else above,
                as_lines,
                hearer,
            )
            for level in range(1 + max(strata, default=0))
        ]
        for program in older:
            found[min(program.stratum, len(found) - 1)].add(program)
        return found

    # -- what comes in -----------------------------------------------------------------------------------

    def feed(self, lines: Sequence[Line]) -> list[Caused]:
        """Take numbered lines; the records that they caused until now. With lateness these may be of earlier lines."""
        return self.take(self.read(lines))

    def read(self, lines: Sequence[Line]) -> Reading:
        """The events on numbered lines, noted as taken; those that were taken before are refused."""
        return self.claimed(Reading(*self.intake.read_lines(lines)), lines)

    def claimed(self, reading: Reading, lines: Sequence[Line]) -> Reading:
        """What was read on some lines, noted as taken; what was before is refused."""
        again = self.memory.claim(reading.rows)
        if not again:
            return reading
        return reading.without(lines, lambda place, row, line: duplicate(line) if place in again else None)

    def take(self, reading: Reading) -> list[Caused]:
        """Take what was read, in its order; the records that it caused until now. Only where a hearer hears of all that
        happens, and nothing waits for higher strata, may rows stand without their texts."""
        rows, odd = reading.rows, reading.odd
        give: Callable[[Incoming], None] = self.give
        if reading.ids is not None:
            assert self.hearer is not None, "records tell the text of a time"
            assert self.levels == 1, "what waits is whole"
            give = self._giving(reading.ids)
        if rows:
            self.latest = max(self.latest, max(map(_time_of, rows)))
        done = 0
        for place, fault in odd:
            self._take_rows(rows[done:place], give)
            done = place
            if fault is not None:
                self.refuse(fault)
            else:
                self._take_row(rows[place])
                done += 1
        self._take_rows(rows[done:] if done else rows, give)
        if not self.at_once and self.holding is None:
            self._emit(0, self._begin)
        return self._collected()

    def _giving(self, ids: Callable[[Incoming], str]) -> Callable[[Incoming], None]:
        """What gives events that may lack the text of their time and their id."""

        def give(event: Incoming) -> None:
            self.give(event if event.when else event.whole(ids))

        return give

    def _take_rows(self, rows: Sequence[Row], give: Callable[[Incoming], None]) -> None:
        if self.holding is not None:
            for row in rows:
                self._take_row(row)
        elif rows:
            if not self._begin:
                self._begin = rows[0][0]
            lowest = rows if self.at_once or self.levels == 1 else self._without_higher(rows)
            self.strata[0].take_rows(lowest, give, self.at_once, self.after)

    def _without_higher(self, rows: Sequence[Row]) -> Iterator[Row]:
        """The events that concern the lowest stratum; the others are kept for the higher ones at their turn."""
        out, known = self.strata[0].out, self._levels
        for row in rows:
            levels = known.get(row[2])
            if levels is None:
                levels = self._only_higher(row[2])
            if not levels:
                yield row
                continue
            if out:
                self._emit(0, self._begin)
            self._begin = row[0] + 1
            for level in levels:
                self._order += 1
                self._waiting[level].append((row[3], row[0], self._order, row, True))

    def _only_higher(self, kind: str) -> tuple[int, ...]:
        """The strata that a type of event concerns, where none of them is the lowest."""
        found = tuple(level for level, stratum in enumerate(self.strata) if stratum.routes(kind))
        levels = self._levels[kind] = () if 0 in found else found
        return levels

    def _take_row(self, row: Row) -> None:
        event: Incoming = make_tuple(Incoming, row)
        for each in (event,) if self.holding is None else self.holding.add(event):
            self.give(each)

    def refuse(self, fault: NotTaken) -> None:
        """Write down that a line was not taken."""
        number, refused, line = fault.number, fault.refused, fault.line
        self.tally[refused.code] += 1
        self.refusals.append(Refusal(number, refused.code, refused.reason, refused, line))
        self.strata[0].out.append(self.records.refused(refused, line))
        if self.at_once or self.holding is not None:
            self._emit(0, number)
        elif not self._begin:
            self._begin = number

    def give(self, event: Incoming) -> None:
        """Take an event by the lowest stratum, and what it causes in higher ones as the schedule has it."""
        self.tell_masked(event)
        self.give_to(0, event)
        shared = event.type in self.strata[0].shared
        if shared:
            self._pass_on(event)
        if self.at_once:
            self._work_at_once(event.line)
        elif self.holding is not None:
            self._end_stretch(event.line, event.line)
        elif shared or self.strata[0].stepper.raised or self.strata[0].counted:
            self._end_stretch(self._begin, event.line)

    def tell_masked(self, event: Incoming) -> None:
        """Note it where a card number was masked in an event."""
        if event.masked:
            reason = "a card number was masked; the event was taken"
            self.tally[codes.CARD] += 1
            self.refusals.append(Refusal(event.line, codes.CARD, reason, event))

    def give_to(self, level: int, event: Incoming) -> None:
        """Give an event to one stratum."""
        stratum = self.strata[level]
        if event.type == MERGE:
            stratum.merge(event)
        else:
            stratum.take(event)
            if not level:
                stratum.let_go(event.subject)
        for each, code, reason in stratum.refusals:
            self.tally[code] += 1
            self.refusals.append(Refusal(each.line, code, reason, each))
        stratum.refusals.clear()

    def after(self, row: Row) -> None:
        """An event has gone the shortest way."""
        if self.at_once:
            self._work_at_once(row[0])
        elif self.levels > 1:
            self._end_stretch(self._begin, row[0])

    def _end_stretch(self, begin: int, line: int) -> None:
        """What follows is told apart from what the lines from ``begin`` to ``line`` caused."""
        if self.levels > 1:
            self._hand_on(0, line)
        self._emit(0, begin)
        self._begin = line + 1

    # -- what comes of it --------------------------------------------------------------------------------

    def _pass_on(self, event: Incoming, above: int = 0) -> bool:
        """Keep an event for the higher strata that declare it; whether one does."""
        taken = False
        for level in range(above + 1, self.levels):
            if self.strata[level].routes(event.type):
                taken = True
                self._order += 1
                plain = not event.raised and None not in event.data.values()
                self._waiting[level].append((event.time, event.line, self._order, event[:], plain))
        return taken

    def waiting(self) -> list[tuple[int, Waiting]]:
        """What waits for higher strata, with the number of its stratum; it waits here no longer."""
        found = [(level, each) for level, waiting in enumerate(self._waiting) for each in waiting]
        for waiting in self._waiting:
            waiting.clear()
        return found

    def wait(self, level: int, waiting: Waiting) -> None:
        """Let an event wait for a higher stratum."""
        self._waiting[level].append(waiting)

    def _hand_on(self, level: int, line: int) -> None:
        """Hand on what a stratum raised, and what watches may count."""
        stratum = self.strata[level]
        if stratum.stepper.raised:
            self.hand_on_raised(level, stratum.stepper.raised, line)
            stratum.stepper.raised.clear()
        if stratum.counted:
            for counted in stratum.counted:
                self.count(level, counted)
            stratum.counted.clear()

    def hand_on_raised(self, level: int, raised: Sequence[Raised], line: int) -> None:
        """Hand on what a stratum raised. What timers raise at the end has an order of its own, not that in which
        subjects come to have their turn."""
        if line == AT_THE_END:
            raised = sorted(raised, key=lambda each: (each.origin, each.number))
        for each in raised:
            self.pass_raised(level, raised_as_incoming(each, line))

    def pass_raised(self, level: int, event: Incoming) -> None:
        """Keep an event that a stratum, or a watch of it, raised for the higher ones that declare it."""
        if not self._pass_on(event, level):
            self.tally[codes.NO_CASE] += 1

    def count(self, level: int, counted: CountedEvent) -> None:
        """Let the watches of higher strata note an event that was taken."""
        for higher in range(level + 1, self.levels):
            self.watches[higher].note(counted)

    def _work_at_once(self, line: int) -> None:
        """All that an event has caused, up to the highest stratum."""
        if self.levels > 1:
            self._hand_on(0, line)
            self._emit(0, line)
            self._work_through(None)
        else:
            self._emit(0, line)

    def _work_through(self, until: int | None, keep: Keep | None = None) -> None:
        """Let the higher strata work, in the order of time; and, by ``until``, what falls due in them."""
        for level in range(1, self.levels):
            for event in self.watches[level].raised():
                self.pass_raised(level, event)
            waiting = self._waiting[level]
            if waiting:
                self._waiting[level] = []
                self._take_waiting(level, waiting, keep)
            if until is not None:
                self._fire(level, until)
                if keep is not None:
                    keep(self._collected())

    def _take_waiting(self, level: int, waiting: list[Waiting], keep: Keep | None) -> None:
        """Take what has waited for a higher stratum, in the order of time. What is taken is let go of at once."""
        waiting.sort(reverse=True)
        stratum = self.strata[level]
        out, raised, counted = stratum.out, stratum.stepper.raised, stratum.counted

        def after(row: Row) -> None:
            line = row[0]
            if raised or counted:
                self._hand_on(level, line)
            if out:
                if line == AT_THE_END:
                    self._due += out
                else:
                    self._order += 1
                    self._caused.append(make_tuple(Caused, (line, level, self._order, out[:])))
                out.clear()
                if keep is not None and len(self._caused) >= KEPT_AT_A_TIME:
                    keep(self._collected())

        def fully(event: Incoming) -> None:
            self.give_to(level, self._at_present(level, event) if self.at_once and event.raised else event)
            after(event)

        def plain() -> Iterator[Row]:
            while waiting:
                _, _, _, row, short = waiting.pop()
                if short:
                    yield row
                else:
                    fully(make_tuple(Incoming, row))

        if self.at_once:  # a store notes of each event what each stratum makes of it
            while waiting:
                fully(make_tuple(Incoming, waiting.pop()[3]))
        else:
            stratum.take_rows(plain(), fully, True, after)

    def _at_present(self, level: int, event: Incoming) -> Incoming:
        """A raised event that comes when its key has already seen later ones happens to it when it comes."""
        if is_too_long(event.subject):
            return event  # nothing can be known of it, and the stratum refuses it
        stratum = self.strata[level]
        last = max((stratum.subject(key, event.subject).last for key, _ in stratum.routes(event.type)), default=-NEVER)
        return event if event.time >= last else event._replace(time=last, when=text_of(last))

    # -- what falls due ------------------------------------------------------------------------------------

    def finish(self, until: int | None = None, keep: Keep | None = None) -> Ending:
        """Let timers fall due by ``until`` (by default the latest time read), stratum by stratum. ``keep`` takes what
        earlier lines caused as it comes, which is in the ending otherwise."""
        self.finish_lowest(until)
        if keep is not None:
            keep(sorted(self._collected(), key=_place_of))
        self._work_through(self.latest if until is None else until, keep)
        caused = sorted(self._collected(), key=_place_of)
        due, self._due = self._due, []
        return Ending(caused, in_order_of_time(due))

    def finish_lowest(self, until: int | None) -> None:
        """Take what is held back, and let fall due what falls due in the lowest stratum."""
        if self.holding is not None:
            for event in self.holding.rest():
                self.give(event)
        self._fire(0, self.latest if until is None else until)

    def _fire(self, level: int, until: int) -> None:
        stratum = self.strata[level]
        for subject in self.memory.due(level, until):
            stratum.stepper.fire(subject, until, True)
        self._hand_on(level, AT_THE_END)
        self._emit(level, AT_THE_END)

    def abandon(self) -> None:
        """Forget what was begun, as when a transaction is undone."""
        for stratum in self.strata:
            stratum.abandon()
        for watches in self.watches:
            watches.abandon()
        for waiting in self._waiting:
            waiting.clear()
        for begun in (self.refusals, self.tally, self._caused, self._due):
            begun.clear()

    # -- what goes out -------------------------------------------------------------------------------------

    def _emit(self, level: int, line: int) -> None:
        """What a stratum has written was caused by a line."""
        out = self.strata[level].out
        if out:
            self.emit(level, line, out[:])
            out.clear()

    def emit(self, level: int, line: int, records: list[Written]) -> None:
        """Records of a stratum were caused by a line."""
        if line == AT_THE_END:
            self._due += records
        else:
            self._order += 1
            self._caused.append(make_tuple(Caused, (line, level, self._order, records)))

    def _collected(self) -> list[Caused]:
        self._begin = 0
        caused, self._caused = self._caused, []
        return caused

    def close(self) -> None:
        """Let go of what the run holds outside of memory: nothing, in one process."""

    @property
    def open_cases(self) -> int:
        """How many cases are open now."""
        return sum(len(subject.cases) for stratum in self.strata for subject in stratum.subjects.values())

    @property
    def late_rounds(self) -> int:
        """How many rounds of clocks became late so far."""
        return sum(stratum.stepper.lates for stratum in self.strata)


def in_order_of_time(records: Iterable[Written]) -> list[Written]:
    """Records by (time, subject, flow, sequence)."""
    return sorted(records, key=attrgetter("when", "subject", "program.flow", "sequence"))


class Watches:
    """The watches of one stratum: each raises an event when a chronic problem shows.

    They look at the events that were counted in the order of time, whatever their subjects, when their stratum works.
    """

    def __init__(self, bundle: Bundle, stratum: int, memory: Memory) -> None:
        self._bundle = bundle
        self._memory = memory
        self._watches = [watch for watch in bundle.watches if watch.stratum == stratum]
        self._noted: dict[str, dict[tuple[str, str], tuple[int, int, str]]] = {each.name: {} for each in self._watches}

    def note(self, counted: CountedEvent) -> None:
        """Remember an event that was taken, where a watch counts its type and it has a value.

        An event that flows of several keys took counts once.
        """
        for watch in self._watches:
            if watch.counts == counted.type:
                value = counted.watched_by(watch, self._bundle)
                if value is not None:
                    self._noted[watch.name].setdefault(counted.identity, (counted.time, counted.line, value))

    def abandon(self) -> None:
        """Forget what was noted and not looked at."""
        for noted in self._noted.values():
            noted.clear()

    def raised(self) -> Iterator[Incoming]:
        """The events that the watches raise over what was noted; their subject is the value watched."""
        for watch in self._watches:
            noted = self._noted[watch.name]
            if noted:
                self._noted[watch.name] = {}
                for time, line, value in sorted(noted.values()):
                    event = self.look(watch, time, line, value)
                    if event is not None:
                        yield event

    def look(self, watch: WatchTable, time: int, line: int, value: str) -> Incoming | None:
        """Let a watch look at an event that it counts for a value, the next in the order of time; the event that it
        raises, where it does."""
        if not self._reaches(watch, value, time):
            return None
        key, data = f"{watch.name}/{value}/{time}", {watch.by: value}
        return Incoming(line, value, watch.raises, time, text_of(time), "/carepolicy", key, data, raised=True)

    def _reaches(self, watch: WatchTable, value: str, time: int) -> bool:
        """A watch raises once when the number within its window reaches the bound, and again only after the number has
        fallen below it."""
        window = list(self._memory.watched(watch.name, value))
        insort(window, time)
        calendar = self._bundle.calendars[watch.calendar]
        while (calendar.add_us(window[0], watch.within) or NEVER) < window[-1]:
            del window[0]
        del window[: -max(watch.reaches + 1, MOST_WATCHED)]
        self._memory.keep_watched(watch.name, value, window)
        return len(window) == watch.reaches and time >= window[0]


class ReorderBuffer:
    """Holds each subject's events until one of the subject is ``lateness`` microseconds later."""

    def __init__(self, lateness: int) -> None:
        self._lateness = lateness
        self._held: dict[str, list[tuple[int, int, Incoming]]] = {}
        self._latest: dict[str, int] = {}

    def add(self, event: Incoming) -> Iterator[Incoming]:
        """Hold an event; the events of its subject that are held no longer, in the order of time."""
        held = self._held.setdefault(event.subject, [])
        heappush(held, (event.time, event.line, event))
        latest = self._latest[event.subject] = max(event.time, self._latest.get(event.subject, event.time))
        while held and held[0][0] <= latest - self._lateness:
            yield heappop(held)[2]

    def held_of(self, subject: str) -> tuple[int, list[Incoming]]:
        """The latest time of a subject's events, and those that are held."""
        return self._latest[subject], [event for _, _, event in sorted(self._held[subject], key=lambda each: each[:2])]

    def take_back(self, subject: str, latest: int, events: Iterable[Incoming]) -> None:
        """Hold what ``held_of`` has told, in a run that goes on."""
        self._latest[subject] = latest
        self._held[subject] = [(event.time, event.line, event) for event in events]

    def rest(self) -> Iterator[Incoming]:
        """All events that are still held: subject by subject, each in the order of time."""
        for held in self._held.values():
            while held:
                yield heappop(held)[2]
