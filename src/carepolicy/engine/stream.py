"""A stream of events through a policy set: line by line, stratum by stratum.

``Run.feed`` takes lines in their order and gives back the records that each caused; ``Run.finish`` lets
timers fall due and works through the higher strata. What comes out does not depend on how the
lines of different subjects are mixed, except for its order, which is that of the lines.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import orjson

from carepolicy.engine import codes
from carepolicy.engine.desk import Desk, raised_as_incoming
from carepolicy.engine.eventrecords import EventRecords
from carepolicy.engine.holding import Holding
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import MERGE, Intake, Refused
from carepolicy.engine.letters import DeadLetters
from carepolicy.engine.live import LiveProgram
from carepolicy.engine.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.engine.intake import Incoming
    from carepolicy.machine.program import Bundle

AT_THE_END = NEVER
"""The number of the line that causes what falls due at the end."""


class Caused(NamedTuple):
    """Records of a higher stratum and the line that caused them."""

    line: int
    stratum: int
    order: int
    text: str


class Ending(NamedTuple):
    """What is known only when all lines are read: records that earlier lines caused (in the order of the
    lines), and what fell due at the end (in the order of time, subject, flow and sequence)."""

    caused: list[Caused]
    due: str


class Run:
    """One run over a stream. ``dead`` collects dead letters, ``tally`` counts events by what became of them.

    ``lateness`` (microseconds) is how long a subject's events are held back and sorted.
    """

    def __init__(self, bundle: Bundle, reveal: bool = False, lateness: int = 0) -> None:
        self.bundle = bundle
        self.intake = Intake(bundle)
        self.records = EventRecords(bundle.organisation)
        self.letters = DeadLetters(bundle, reveal)
        programs = [LiveProgram(place, program, bundle) for place, program in enumerate(bundle.programs)]
        self.levels = 1 + max((each.stratum for each in (*bundle.programs, *bundle.watches)), default=0)
        self.desks = [
            Desk(bundle, [each for each in programs if each.stratum == level], self.records, reveal)
            for level in range(self.levels)
        ]
        self.watches = [Watching(bundle, level) for level in range(self.levels)]
        self.waiting: list[list[tuple[int, int, int, Incoming]]] = [[] for _ in range(self.levels)]
        self.holding = Holding(lateness) if lateness else None
        self.dead: list[str] = []
        self.tally: Counter[str] = Counter()
        self.latest = -NEVER
        self._order = 0

    def feed(self, number: int, line: bytes | str) -> str:
        """Take the line of that number; the records that it caused in the lowest stratum, as lines.

        With lateness, what is given back may have been caused by earlier lines; see ``released``.
        """
        try:
            event = self.intake.read(number, line)
        except Refused as refused:
            return self.refuse(number, refused, line)
        return self.give(event) if self.holding is None else self._hold(event)

    def refuse(self, number: int, refused: Refused, line: bytes | str) -> str:
        """Write down that a line was not taken."""
        self.tally[refused.code] += 1
        self.dead.append(self.letters.refused(number, refused, line))
        return self.records.refused(refused, line)

    def give(self, event: Incoming) -> str:
        """Take an event that was read; the records that it caused in the lowest stratum."""
        self.tally["read"] += 1
        if event.masked:
            self.tally[codes.CARD] += 1
            self.dead.append(self.letters.untaken(event, codes.CARD, "a card number was masked; the event was taken"))
        if event.time > self.latest:
            self.latest = event.time
        desk = self.desks[0]
        text = desk.merge(event) if event.type == MERGE else desk.take(event)
        if desk.refusals:
            self._drop(desk)
        if self.levels > 1:
            self._pass_on(event)
            self._collect(0, event.line)
        return text

    def _hold(self, event: Incoming) -> str:
        assert self.holding is not None
        return "".join(self.give(released) for released in self.holding.add(event))

    def _pass_on(self, event: Incoming) -> None:
        """Keep an event for the higher strata that declare it; they go through theirs in time order."""
        for level in range(1, self.levels):
            if self.desks[level].routes(event.type):
                self._order += 1
                self.waiting[level].append((event.time, event.line, self._order, event))

    def _collect(self, level: int, line: int) -> None:
        """Hand on what a stratum raised, and what a watch may count."""
        desk = self.desks[level]
        for raised in desk.stepper.raised:
            self._raise(level, raised_as_incoming(raised, line))
        desk.stepper.raised.clear()
        for counted in desk.counted:
            for higher in range(level + 1, self.levels):
                self.watches[higher].note(counted)
        desk.counted.clear()

    def _raise(self, level: int, event: Incoming) -> None:
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
        caused: list[Caused] = []
        due: list[str] = []
        if self.holding is not None:
            caused.extend(Caused(event.line, 0, 0, self.give(event)) for event in self.holding.rest())
        end = self.latest if until is None else until
        for level, desk in enumerate(self.desks):
            for event in self._events_of(level):
                text = desk.take(event)
                self._drop(desk)
                self._collect(level, event.line)
                if event.line == AT_THE_END:
                    due.append(text)
                else:
                    self._order += 1
                    caused.append(Caused(event.line, level, self._order, text))
            due.extend(desk.finish(end))
            self._collect(level, AT_THE_END)
        caused.sort(key=lambda each: (each.line, each.stratum, each.order))
        return Ending(caused, "".join(in_order_of_time(due)))

    def _events_of(self, level: int) -> Iterator[Incoming]:
        """The events of a higher stratum in the order of time, with those that its watches raise."""
        for event in self.watches[level].raised():
            self._raise(level, event)
        for _, _, _, event in sorted(self.waiting[level], key=lambda each: each[:3]):
            yield event
        self.waiting[level].clear()

    @property
    def open_cases(self) -> int:
        """How many cases are open now."""
        return sum(len(subject.cases) for desk in self.desks for subject in desk.subjects.values())

    @property
    def late_rounds(self) -> int:
        """How many rounds of clocks became late so far."""
        return sum(desk.stepper.lates for desk in self.desks)


def in_order_of_time(texts: Iterable[str]) -> list[str]:
    """Lines of records by (time, subject, flow, sequence)."""
    lines = [line for text in texts for line in text.splitlines(keepends=True)]

    def key(line: str) -> tuple[str, str, str, int]:
        record = orjson.loads(line)
        return record.get("time", ""), record.get("subject", ""), record.get("flow", ""), record.get("sequence", 0)

    return sorted(lines, key=key)
