"""What an audit knows of each flow while records come: its cases that are open, and what is noted before it is counted.

Durations and verdicts are noted in lists, each for itself, and counted many at a time: so a move costs little more than
its place in a list. Where nobody else hears of records, ``CountingCode`` has the engine's written out moves note them
without any record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carepolicy.audit.counts import DIMENSIONS, WEEKDAYS, ClockMeasure, Deviation, FlowMeasure, StateMeasure, Verdicts
from carepolicy.engine.fast.code import Code
from carepolicy.engine.instants import DAY, FIRST_DAY, HOUR, SECOND, datetime_of, text_of

if TYPE_CHECKING:
    from carepolicy.engine.case import LiveProgram
    from carepolicy.engine.record import Known
    from carepolicy.engine.round import LiveLimit
    from carepolicy.machine.program import Program

QUARTER = HOUR // 4
QUARTERS = DAY // QUARTER
"""Some zones are off by quarters of an hour."""

NOT_DUE: tuple[int | None, bool] = (None, False)

MOST_DAYS = MOST_HOURS = 10_000
"""So many days and hours are remembered with what they are in the time zone."""


class LocalHours:
    """Instants by their month, weekday and hour in a time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._offsets: dict[int, int] = {}
        self._names: dict[int, tuple[str, str, str]] = {}

    def counted(self, instants: Sequence[int]) -> tuple[Counter[str], Counter[str], Counter[str]]:
        """How many there are in each month, on each weekday and in each hour of the day."""
        hours: Counter[int] = Counter()
        for quarter, times in Counter([each // QUARTER for each in instants]).items():
            offset = self._offsets.get(quarter // QUARTERS)
            if offset is None:
                offset = self._offset_at(quarter)
            hours[(quarter * QUARTER + offset) // HOUR] += times
        found = Counter[str](), Counter[str](), Counter[str]()
        for hour, times in hours.items():
            for each, name in zip(found, self._names.get(hour) or self._named(hour), strict=True):
                each[name] += times
        return found

    def _offset_at(self, quarter: int) -> int:
        """How far the zone is ahead of UTC in a quarter of an hour. A day is remembered if that is so for all of it."""
        day = quarter // QUARTERS
        begin, here, end = map(self._offset, (day * DAY, quarter * QUARTER, (day + 1) * DAY))
        if begin == end:
            if len(self._offsets) >= MOST_DAYS:
                self._offsets.clear()
            self._offsets[day] = here
        return here

    def _offset(self, instant: int) -> int:
        offset = datetime_of(instant).astimezone(self._zone).utcoffset()
        assert offset is not None, "the time of a zone has an offset"
        return offset // timedelta(microseconds=1)

    def _named(self, hour: int) -> tuple[str, str, str]:
        """What month, weekday and hour of the day an hour is in, by its number since 1970 in the zone."""
        day, within = divmod(hour, 24)
        local = date.fromordinal(FIRST_DAY + day)
        if len(self._names) >= MOST_HOURS:
            self._names.clear()
        found = self._names[hour] = f"{local.year:04}-{local.month:02}", WEEKDAYS[local.weekday()], f"{within:02}"
        return found


class Place:
    """A state of a flow as measures meet it: who owns it, the moves out of it, by the identity of their data; and when
    cases were opened in it since this was last added up."""

    __slots__ = ("bit", "channel", "measure", "moves", "name", "opened", "owner")

    def __init__(self, name: str, number: int, owner: str, channel: str, measure: StateMeasure | None) -> None:
        self.name = name
        self.bit = 1 << number
        self.owner = owner
        self.channel = channel
        self.measure = measure
        self.moves: dict[int, Move] = {}
        self.opened: list[int] = []


class Move:
    """A move from one state to another by an event, and how long cases that took it since this was last added up had
    been in the state (microseconds)."""

    __slots__ = ("data", "times", "to")

    def __init__(self, data: Mapping[str, Any], to: Place) -> None:
        self.data = data
        self.to = to
        self.times: list[int] = []


class Decided:
    """Rounds of a clock since they were last added up: the seconds that those that ended had used, and when the cases
    arrived of those that were met or late in a state."""

    __slots__ = ("arrived", "used")

    def __init__(self) -> None:
        self.arrived: dict[tuple[Place, str], list[int]] = {}
        self.used: list[float] = []

    def of(self, place: Place, verdict: str) -> list[int]:
        """When the cases arrived that had a verdict in a state."""
        found = self.arrived.get((place, verdict))
        if found is None:
            found = self.arrived[place, verdict] = []
        return found


class CountedCase:
    """What is known of a case that is open: when it ``arrived`` and came to its ``place`` (``since``), where it was
    ``before``, the bits of the places that it has ``seen``, whether a clock was late in this one, and its clocks that
    run, each with when it falls due and whether it was late."""

    __slots__ = ("arrived", "before", "facts", "late_here", "place", "rounds", "seen", "since")

    def __init__(self, arrived: int, place: Place, facts: Mapping[str, Any]) -> None:
        self.arrived = self.since = arrived
        self.place = self.before = place
        self.seen = place.bit
        self.facts = facts
        self.late_here = False
        self.rounds: dict[str, tuple[int | None, bool]] = {}

    def place_at(self, now: int) -> Place:
        """The state in which what ends now was worked on: a move is told before the clocks that it ends."""
        return self.before if self.since == now else self.place


class CountedFlow:
    """What the measures ask of a program, and what they know of its cases that are open. ``closed`` are subjects
    of whose cases one has closed: all, or of a flow of the lowest stratum, whose subjects come one after another, the
    last; ``decided`` has verdicts until they are added up, by their clock."""

    def __init__(self, program: Program | None) -> None:
        self.events = frozenset[str]() if program is None else program.events
        self.by_subject = program is not None and program.key is None
        states = [] if program is None else [*program.states]
        self._owners = {each.name: (each.owner or "", each.channel or "") for each in states}
        self._names = [each.name for each in states]
        self._ways = {each.name: each.ways for each in states}
        self._later: dict[tuple[str, str], bool] = {}
        self._places: dict[str, Place] = {}
        self.flow = FlowMeasure(
            clocks={clock.name: ClockMeasure(clock.target) for clock in ([] if program is None else program.clocks)},
            states={each.name: StateMeasure() for each in states if each.final is None},
        )
        self.cases: dict[str, CountedCase] = {}
        self.closed: set[str] = set()
        self._remembers = program is not None and program.stratum > 0
        self._closed_after: dict[str, list[int]] = {}
        self._traces: list[int] = []
        self._subjects: dict[tuple[str, ...], list[str]] = {}
        self.decided = {clock: Decided() for clock in self.flow.clocks}

    # -- cases ---------------------------------------------------------------------------------------------

    def open(self, subject: str, place: Place, now: int, facts: Mapping[str, Any]) -> CountedCase:
        """A case is opened in a state."""
        place.opened.append(now)
        if subject in self.closed:
            self.flow.reopened += 1
        case = self.cases[subject] = CountedCase(now, place, facts)
        return case

    def close(self, subject: str, outcome: str, now: int) -> None:
        """A case is closed."""
        case = self.cases.pop(subject, None)
        if case is not None:
            self.closed_after(outcome).append(now - case.arrived)
            if not self._remembers:
                self.closed.clear()
            self.closed.add(subject)

    def closed_after(self, outcome: str) -> list[int]:
        """How long cases took that had an outcome, since this was last added up."""
        found = self._closed_after.get(outcome)
        if found is None:
            found = self._closed_after[outcome] = []
        return found

    def place(self, state: str) -> Place:
        """A state of the flow."""
        found = self._places.get(state)
        if found is None:
            owner, channel = self._owners.get(state, ("", ""))
            measure = self.flow.states.get(state)
            found = self._places[state] = Place(state, len(self._places), owner, channel, measure)
        return found

    def names_of(self, seen: int) -> tuple[str, ...]:
        """The states that a case has seen, by the bits of a number."""
        return tuple(name for name, place in self._places.items() if seen & place.bit)

    def move(self, place: Place, data: Mapping[str, Any]) -> Move:
        """The move out of a state that a record tells. Data of moves is there before any case, and once."""
        found = place.moves.get(id(data))
        if found is None:
            found = place.moves[id(data)] = Move(data, self.place(data["to"]))
        return found

    def saw(self, subject: str, kinds: Sequence[str], times: Sequence[int]) -> None:
        """Note the events of a subject, by types and times in their order, as a variant, if the flow knows of them."""
        if not self.by_subject:
            return
        if self.events.issuperset(kinds):
            own = tuple(kinds)
            first, last = times[0], times[-1]
        else:
            mine = [place for place, kind in enumerate(kinds) if kind in self.events]
            if not mine:
                return
            own = tuple(kinds[place] for place in mine)
            first, last = times[mine[0]], times[mine[-1]]
        self._traces.append(last - first)
        subjects = self._subjects.get(own)
        if subjects is None:
            self._subjects[own] = [subject]
        else:
            subjects.append(subject)

    # -- what was noted ------------------------------------------------------------------------------------

    def add_up(self, hours: LocalHours) -> None:
        """Add what was noted to what is counted."""
        flow = self.flow
        for place in self._places.values():
            self._add_up_place(place)
        for outcome, times in self._closed_after.items():
            if times:
                flow.outcomes[outcome] += len(times)
                flow.duration.add_some(_from_zero(times))
                times.clear()
        for clock, decided in self.decided.items():
            measure = flow.clocks[clock]
            for (place, verdict), arrived in decided.arrived.items():
                if arrived:
                    _count_verdicts(measure.by, place, verdict, arrived, hours)
                    arrived.clear()
            measure.used.add_some([round(each * SECOND) for each in decided.used])
            decided.used.clear()
        self._add_up_variants()

    def _add_up_variants(self) -> None:
        if not self._traces:
            return
        self.flow.trace_time.add_some(_from_zero(self._traces))
        self._traces.clear()
        variants = self.flow.variants
        for kinds, subjects in self._subjects.items():
            variant = variants.get(kinds)
            if variant is None:
                variant = variants[kinds] = Deviation()
            variant.count += len(subjects)
            variant.subjects.add_some(subjects)
        self._subjects.clear()

    def _add_up_place(self, place: Place) -> None:
        flow, opened = self.flow, place.opened
        if opened:
            flow.cases += len(opened)
            flow.first = min(opened) if flow.first is None else min(flow.first, min(opened))
            flow.last = max(opened) if flow.last is None else max(flow.last, max(opened))
            if place.measure is not None:
                place.measure.visits += len(opened)
            opened.clear()
        for move in place.moves.values():
            times = move.times
            if times:
                flow.ways[place.name, move.data["on"], move.to.name] += len(times)
                if move.to.measure is not None:
                    move.to.measure.visits += len(times)
                if place.measure is not None:
                    place.measure.time.add_some(_from_zero(times))
                times.clear()

    # -- what comes later ----------------------------------------------------------------------------------

    def comes_later(self, state: str, event: str) -> bool:
        """Whether a state that can be reached from this one allows an event that this one does not."""
        known = self._later.get((state, event))
        if known is None:
            known = self._later[state, event] = self._reaches(state, event)
        return known

    def _reaches(self, state: str, event: str) -> bool:
        if state not in self._ways:
            return False
        seen, waiting = {state}, [state]
        while waiting:
            here = waiting.pop()
            if here != state and event in self._ways[here]:
                return True
            for rules in self._ways[here].values():
                for rule in rules:
                    if rule.to is not None and (name := self._names[rule.to]) not in seen:
                        seen.add(name)
                        waiting.append(name)
        return False


class CountingCode(Code):
    """A move that counts what happens, in the place of records of it."""

    def __init__(self, signature: str, flows: Mapping[str, CountedFlow]) -> None:
        super().__init__(signature)
        self._flows = flows

    def begin_records(self, program: LiveProgram) -> None:
        """From here the function has at hand what it counts by."""
        self._flow = self._flows[program.flow]
        self._before: Place | None = None
        self._knows_case = False
        self._depth = self._indent
        self._told = 0
        self.add("rounds = case.rounds", "number = case.sequence")

    def record(self, kind: str, data: Known) -> None:
        """Count what a record would tell."""
        self._number()
        flow = self._flow
        if kind == "case.opened":
            place = self.name(flow.place(data["state"]), "place")
            opened = f"{self.name(flow.open, 'open')}(case.subject, {place}, now, {self.name(NO_FACTS, 'no_facts')})"
            self.add(f"counted = {opened}")
            self._knows_case = True
        elif kind == "case.moved":
            self._move(flow.place(data["from"]), data)
        elif kind == "case.closed":
            self.add(f"{self.name(flow.close, 'close')}(case.subject, {data['outcome']!r}, now)")

    def _number(self) -> None:
        """Number a record: what is told in any case is added to the number later."""
        if self._indent > self._depth:
            self.add("number += 1")
        else:
            self._told += 1

    def call(self, *lines: str) -> None:
        """Call something that may tell of the case itself."""
        told = f" + {self._told}" if self._told else ""
        back = f" - {self._told}" if self._told else ""
        self.add("out = stepper.out", f"case.sequence = number{told}", *lines, f"number = case.sequence{back}")

    def end_records(self) -> None:
        """Note the number of the last record in the case."""
        if self._told:
            self.add(f"number += {self._told}")
            self._told = 0
        super().end_records()

    def when(self) -> str:
        """The text of the time, as an expression: the function may be given none, and makes it where somebody asks."""
        return f"when or {self.name(text_of, 'text_of')}(now)"

    def _move(self, here: Place, data: Known) -> None:
        move = self._flow.move(here, data)
        place, to = self.name(here, "place"), self.name(move.to, "place")
        self._find_case()
        self.add(f"{self.name(move.times.append, 'took')}(now - counted.since)", "if counted.late_here:")
        self.add("    counted.late_here = False")
        if here.measure is not None:
            self.add(f"    {self.name(here.measure, 'measure')}.late += 1")
        self.add(f"counted.before = {place}", f"counted.place = {to}", "counted.since = now")
        self.add(f"if not counted.seen & {move.to.bit}:", f"    counted.seen |= {move.to.bit}")
        if move.to.measure is not None:
            self.add("else:", f"    {self.name(move.to.measure, 'measure')}.again += 1")
        self._before = here

    def _find_case(self) -> None:
        """Have what is known of the case at hand."""
        if not self._knows_case:
            self.add(f"counted = {self.name(self._flow.cases, 'cases')}[case.subject]")
            self._knows_case = self._indent == self._depth

    def clock_record(self, kind: str, limit: LiveLimit, due: str | None, used: str) -> None:
        """Count what a record of a clock's round would tell."""
        self._number()
        self._find_case()
        clock = limit.told.clock
        measure, decided = self._flow.flow.clocks[clock], self._flow.decided[clock]
        if kind == "clock.met":
            self.add(
                f"counted.rounds.pop({clock!r}, None)",
                f"{self.name(measure, 'clock')}.met += 1",
                f"{self.name(decided.used.append, 'used')}({used})",
            )
            assert self._before is not None, "a clock is met by a move"
            self.add(f"{self.name(decided.of(self._before, 'met').append, 'met')}(counted.arrived)")
            return
        if kind == "clock.started":
            self.add(f"{self.name(measure, 'clock')}.rounds += 1")
        held = self.name(NOT_DUE, "not_due") if due is None else f"({due}, False)"
        self.add(f"counted.rounds[{clock!r}] = {held}")


NO_FACTS: Mapping[str, Any] = {}


def _from_zero(times: Sequence[int]) -> Sequence[int]:
    """Durations, of which none is below zero."""
    return times if min(times) >= 0 else [max(each, 0) for each in times]


def _count_verdicts(
    by: dict[str, dict[str, Verdicts]], place: Place, verdict: str, arrived: list[int], hours: LocalHours
) -> None:
    """Count rounds that had a verdict in a state, by who owns it and by when their cases ``arrived``."""
    groups = ({place.owner: len(arrived)}, {place.channel: len(arrived)}, *hours.counted(arrived))
    for dimension, values in zip(DIMENSIONS, groups, strict=True):
        for value, times in values.items():
            count_verdict(by, dimension, value, verdict, times)


def count_verdict(by: dict[str, dict[str, Verdicts]], dimension: str, value: str, verdict: str, times: int = 1) -> None:
    """Count rounds that were met or late."""
    values = by.get(dimension)
    if values is None:
        values = by[dimension] = {}
    found = values.get(value)
    if found is None:
        found = values[value] = Verdicts()
    if verdict == "late":
        found.late += times
    else:
        found.met += times
