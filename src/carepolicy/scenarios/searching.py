"""The shortest ways through a flow: a search over what may happen to a case, on the engine itself.

Breadth first: from each situation every event that its state listens to, with every sort of data that makes a
difference to a guard, and the wait until the case's next timer. A situation is where a case is, which guards hold for
it and how its clocks stand; one that was met before is not gone on from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.desk import Desk
from carepolicy.engine.eventrecords import EventRecords
from carepolicy.engine.instants import NEVER, SECOND, text_of
from carepolicy.engine.intake import Intake
from carepolicy.engine.live import LiveProgram
from carepolicy.engine.values import NO_DATA
from carepolicy.scenarios.candidates import Candidates, counted, guards_of
from carepolicy.scenarios.tracing import trace

if TYPE_CHECKING:
    from carepolicy.engine.case import Case
    from carepolicy.engine.subject import Subject
    from carepolicy.policy.model import Flow
    from carepolicy.scenarios.candidates import Data
    from carepolicy.scenarios.coverage import Way
    from carepolicy.scenarios.stage import Stage
    from carepolicy.scenarios.tracing import Seen

START = "2026-03-02 10:00"
"""The Monday on which suggested scenarios begin, in the organisation's zone."""

BETWEEN = 5 * 60 * SECOND
"""Between two events five minutes pass: time enough to tell them apart, and too little for most limits."""

MOST_STEPS = 20_000
"""Steps that are tried before the search gives up on what it has not found."""


@dataclass(frozen=True, slots=True)
class Move:
    """What happens next, at an instant: an event with its data, or (None) nothing but that time passes until then."""

    at: int
    event: str | None
    data: Data


Path = tuple[Move, ...]


class Search:
    """Searches one flow for paths that take ways of it."""

    def __init__(self, stage: Stage, flow: Flow) -> None:
        bundle = stage.bundle
        self.flow = flow
        self.start = stage.instant(START)
        programs = [LiveProgram(place, each, bundle) for place, each in enumerate(bundle.programs)]
        self.program = next(each for each in programs if each.flow == flow.name)
        self.seen: set[Seen] = set()
        trace([self.program], self.seen)
        mates = [each for each in programs if each.stratum == self.program.stratum and each.every is None]
        self.desk = Desk(bundle, mates, EventRecords(bundle))
        self.intake = Intake(bundle)
        self.guards = guards_of(stage.policies.organisation, flow)
        self.counted = sorted(counted(flow))
        self.visits = sorted({state for guard in self.guards for state in guard.reads_visits})
        self.candidates = Candidates(stage.policies.organisation, flow, self.guards, self.start)
        self._number = 0

    def find(self, wanted: set[Way]) -> Iterator[tuple[Way, Path]]:
        """A shortest path for each wanted way that is found, as it is found. ``wanted`` keeps what was not."""
        known: set[Any] = set()
        waiting: deque[Path] = deque([()])
        steps = 0
        while waiting and wanted and steps < MOST_STEPS:
            path = waiting.popleft()
            for move in self._moves(path):
                steps += 1
                case, _ = self._play((*path, move))
                for way in self._taken() & wanted:
                    wanted.discard(way)
                    yield way, (*path, move)
                situation = None if case is None or case.closed else self._situation(case)
                if situation is not None and situation not in known:
                    known.add(situation)
                    waiting.append((*path, move))

    def _taken(self) -> set[Way]:
        return {(each[2], each[3], each[4]) for each in self.seen if each[0] == "way"}

    def _moves(self, path: Path) -> list[Move]:
        """What may happen after a path."""
        now = path[-1].at + BETWEEN if path else self.start
        name = self._name(self._number + 1)
        if not path:
            return [Move(now, event, data) for event in self.program.starts for data in self._options(event, name)]
        case, _ = self._play(path)
        if case is None or case.closed:
            return []
        moves = [
            Move(now, event, data)
            for event in case.state.ways
            if event in self.flow.events
            for data in self._options(event, name)
        ]
        return moves if case.next == NEVER else [*moves, Move(max(case.next, path[-1].at), None, {})]

    def _options(self, event: str, subject: str) -> list[Data]:
        declared = self.flow.events.get(event)
        return [] if declared is None else self.candidates.options(declared, subject)

    def _name(self, number: int) -> str:
        return f"search-{number}"

    def _play(self, path: Path) -> tuple[Case | None, Subject]:
        """Let a path happen to a subject of its own; ``seen`` then holds what its last move went through."""
        self._number += 1
        name, key = self._name(self._number), self.program.key
        subject = self.desk.subject(key, name)
        case: Case | None = None
        for number, move in enumerate(path):
            self.seen.clear()
            if move.event is None:
                self.desk.stepper.fire(subject, move.at, True)
            else:
                data = {**move.data, key: name} if key is not None and key in move.data else move.data
                told = {"id": f"{name}-{number}", "source": "/search", "subject": name, "type": move.event}
                line = orjson.dumps({**told, "time": text_of(move.at), "data": data})
                self.desk.take(self.intake.read(number, line))
            case = subject.cases.get(self.program.place, case)
        for used in (self.desk.out, self.desk.refusals, self.desk.counted, self.desk.stepper.raised):
            used.clear()
        del self.desk.subjects[name if key is None else (key, name)]
        return case, subject

    def _situation(self, case: Case) -> Any:
        """All that makes a difference to what may happen to a case next."""
        guards = tuple(bool(each.function(case.facts, NO_DATA, case)) for each in self.guards)
        clocks = tuple((held.running, held.late, held.warned) if held is not None else None for held in case.rounds)
        numbers = tuple(str(case.facts.get(fact)) for fact in self.counted)
        visits = tuple(case.visits(state) for state in self.visits)
        return case.state.name, guards, clocks, numbers, visits, len(case.afters)
