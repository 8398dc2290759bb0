"""What an audit counts of the records of a run, case by case; what comes of it stands in ``counts``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carepolicy.audit.counts import (
    DIMENSIONS,
    WEEKDAYS,
    ClockMeasure,
    Deviation,
    Due,
    FlowMeasure,
    StateMeasure,
    Verdicts,
    add_flow,
)
from carepolicy.engine.instants import HOUR, SECOND, NoInstant, datetime_of, hour_start, read_instant, rest_of_hour

if TYPE_CHECKING:
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle, Program


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a clock that has ended, was late, or runs: for tables of all rounds."""

    flow: str
    subject: str
    clock: str
    verdict: str
    when: int
    used: float
    limit: float | None
    owner: str
    channel: str
    arrived: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Handed:
    """An open case as one process hands it to another, which goes on measuring it.

    ``arrived`` and ``since`` are when it began and when it came to its ``state``; ``before`` is the state before that,
    ``seen`` are all in which it has been. ``rounds`` are its clocks, and ``facts`` those by which is counted.
    """

    flow: str
    subject: str
    arrived: int
    since: int
    state: str
    before: str
    seen: tuple[str, ...]
    late_here: bool
    rounds: Mapping[str, tuple[int | None, bool]]
    facts: Mapping[str, Any]


class _Place:
    """A state of a flow as measures meet it: who owns it, the moves out of it, by the identity of their data, and how
    long cases were there (microseconds) since this was last added up."""

    __slots__ = ("bit", "channel", "measure", "moves", "name", "owner", "times")

    def __init__(self, name: str, number: int, owner: str, channel: str, measure: StateMeasure | None) -> None:
        self.name = name
        self.bit = 1 << number
        self.owner = owner
        self.channel = channel
        self.measure = measure
        self.moves: dict[int, _Move] = {}
        self.times: list[int] = []

    def add_up(self) -> None:
        """Add the times that were noted to those that are there."""
        if self.measure is not None:
            self.measure.time.add_some([each if each > 0 else 0 for each in self.times])
        self.times.clear()


class _Move:
    """A move from one state to another by an event, and how often it was taken since this was last added up."""

    __slots__ = ("count", "data", "to")

    def __init__(self, data: Mapping[str, Any], to: _Place) -> None:
        self.data = data
        self.to = to
        self.count = 0


class _Decided:
    """Verdicts of a clock since they were last added up: how many by state, arrival and verdict, and what seconds the
    rounds that ended had used."""

    __slots__ = ("counts", "used")

    def __init__(self) -> None:
        self.counts: dict[tuple[_Place, _Arrival, str], int] = {}
        self.used: list[float] = []


class _Case:
    """What is known of a case that is open."""

    __slots__ = ("arrival", "arrived", "before", "facts", "late_here", "place", "rounds", "seen", "since", "table")

    def __init__(self, table: _Table, arrived: int, place: _Place, facts: Mapping[str, Any]) -> None:
        self.table = table
        self.arrived = self.since = arrived
        self.arrival: _Arrival | None = None
        self.place = self.before = place
        self.facts = facts
        self.late_here = False
        self.seen = place.bit
        self.rounds: dict[str, tuple[int | None, bool]] = {}

    def place_at(self, now: int) -> _Place:
        """The state in which what ends now was worked on: a move is told before the clocks that it ends."""
        return self.before if self.since == now else self.place


class _Arrival:
    """Month, weekday and hour at which cases arrive, in the organisation's time zone."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, str, str]) -> None:
        self.names = names


NO_FACTS: Mapping[str, Any] = {}
NO_INSTANTS: Mapping[str, int] = {}

QUARTER = HOUR // 4

FEW_DECIDED = 20_000
"""So many groups of verdicts are counted, by state, time of arrival and verdict, before they are added up."""

MANY = 4_096
"""So many durations are noted before they are counted: few at a time take as long as many."""

MOVED = "case.moved"

MOST_QUARTERS = 10_000
"""So many quarters of an hour are remembered with their names."""


class Measures:
    """Counts what records tell. ``facts_of`` says what is known of subjects whose records come; ``by`` names facts by
    which late rounds are counted too; ``told`` hears of each round that is decided. All figures are there once it has
    finished; to another process go the figures alone."""

    def __init__(self, bundle: Bundle, by: Sequence[str] = (), told: Callable[[Round], None] | None = None) -> None:
        self.flows: dict[str, FlowMeasure] = {}
        self.facts_of: Mapping[str, Mapping[str, Any]] = {}
        self.by = tuple(by)
        self.unexpected = 0
        self.rejected: Counter[str] = Counter()
        self.duplicates = 0
        self._told = told
        self._zone = ZoneInfo(bundle.timezone)
        self._arrivals: dict[int, _Arrival] = {}
        self._equal: dict[tuple[str, str, str], _Arrival] = {}
        self._tables: dict[str, _Table] = {}
        for each in bundle.programs:
            table = _Table(each)
            self._tables[each.flow], self.flows[each.flow] = table, table.flow

    def __getstate__(self) -> dict[str, Any]:
        """The figures, for another process."""
        return {name: getattr(self, name) for name in ("flows", "unexpected", "rejected", "duplicates")}

    # -- records -------------------------------------------------------------------------------------------

    def take(self, records: Iterable[Record], instants: Mapping[str, int] = NO_INSTANTS) -> None:
        """Count what happened, in its order. Of some texts of times ``instants`` says what they mean."""
        counted, tables = _COUNTED, self._tables
        program: Any = None
        subject = when = ""
        now = 0
        case: _Case | None = None
        for record in records:
            kind = record.kind
            if kind not in counted:
                continue
            count = _OF_CASES.get(kind)
            if count is None and kind != MOVED:
                _OTHERS[kind](self, record)
                program = None  # its case may be another now
                continue
            if record.subject is not subject or record.program is not program:
                program, subject = record.program, record.subject
                case = tables[program.flow].cases.get(subject)
            if case is None:
                continue
            if record.when is not when:
                when = record.when
                now = instants.get(when) or _instant(when)
            if count is not None:
                count(self, record, case, now)
                continue
            place, data = case.place, record.data  # a move: what comes most often
            move = place.moves.get(id(data)) or case.table.move(place, data)
            move.count += 1
            place.times.append(now - case.since)
            if case.late_here:
                case.late_here = False
                if place.measure is not None:
                    place.measure.late += 1
            to = move.to
            case.before, case.place, case.since = place, to, now
            if not case.seen & to.bit:
                case.seen |= to.bit
            elif to.measure is not None:
                to.measure.again += 1
        self._add_up_many()

    def _add_up_many(self) -> None:
        """Add up what was noted apart, where it is much."""
        for table in self._tables.values():
            for place in table.places():
                if len(place.times) >= MANY:
                    place.add_up()
            for clock, decided in table.decided.items():
                if len(decided.used) >= MANY or len(decided.counts) > FEW_DECIDED:
                    table.add_up(clock)

    def _opened(self, record: Record) -> None:
        table, subject = self._tables[record.flow], record.subject
        flow = table.flow
        now = _instant(record.when)
        flow.cases += 1
        flow.first = now if flow.first is None else min(now, flow.first)
        flow.last = now if flow.last is None else max(now, flow.last)
        if subject in table.closed:
            flow.reopened += 1
        place = table.place(record.data["state"])
        table.cases[subject] = _Case(table, now, place, self.facts_of.get(subject, NO_FACTS))
        if place.measure is not None:
            place.measure.visits += 1

    def _closed(self, record: Record) -> None:
        table = self._tables[record.flow]
        case = table.cases.pop(record.subject, None)
        if case is not None:
            flow = table.flow
            flow.outcomes[record.data["outcome"]] += 1
            flow.duration.add(max(_instant(record.when) - case.arrived, 0))
            table.note_closed(record.subject)

    def _clock_started(self, record: Record, case: _Case, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        before = case.rounds.get(clock)
        if before is None:
            case.table.flow.clocks[clock].rounds += 1
        case.rounds[clock] = (data.due, before is not None and before[1])

    def _clock_went_on(self, record: Record, case: _Case, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        case.rounds[clock] = (data.due, case.rounds.get(clock, (None, False))[1])

    def _clock_late(self, record: Record, case: _Case, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        due, late = case.rounds.get(clock, (None, False))
        case.rounds[clock] = (data.due or due, True)
        here = case.place_at(now)
        if here is case.place:
            case.late_here = True
        elif here.measure is not None:
            here.measure.late += 1
        if not late:
            measure = case.table.flow.clocks[clock]
            measure.late += 1
            measure.late_subjects.add(record.subject)
            self._decided(record, case, clock, "late", now)

    def _clock_met(self, record: Record, case: _Case, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        case.rounds.pop(clock, None)
        case.table.flow.clocks[clock].met += 1
        case.table.decided[clock].used.append(data.used)
        self._decided(record, case, clock, "met", now)

    def _clock_ended(self, record: Record, case: _Case, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        case.rounds.pop(clock, None)
        case.table.decided[clock].used.append(data.used)

    def _clock_cancelled(self, record: Record, case: _Case, now: int) -> None:
        data: Any = record.data
        _, late = case.rounds.pop(data.basis.clock, (None, False))
        if not late:
            case.table.flow.clocks[data.basis.clock].cancelled += 1

    def _event_unexpected(self, record: Record) -> None:
        self.unexpected += 1
        table = self._tables.get(record.flow)
        if table is None:
            return
        data = record.data
        state, event = data.get("state") or "", data["event"]["type"]
        deviation = table.flow.deviations.get((state, event))
        if deviation is None:
            deviation = table.flow.deviations[state, event] = Deviation()
        deviation.count += 1
        deviation.subjects.add(record.subject)
        measure = table.flow.states.get(state)
        if measure is not None and table.comes_later(state, event):
            measure.skipped += 1

    def _event_rejected(self, record: Record) -> None:
        self.rejected[record.data["code"]] += 1

    def _event_duplicate(self, record: Record) -> None:
        self.duplicates += 1

    def _message(self, record: Record) -> None:
        self.flows[record.flow].sent[record.data["template"]] += 1

    def admit(self, flow: str, clock: str | None = None) -> None:
        """Count a flow, or a clock of it, that the policies do not have, since only older versions of them had it."""
        table = self._tables.get(flow)
        if table is None:
            table = self._tables[flow] = _Table(None)
            self.flows[flow] = table.flow
        if clock is not None and clock not in table.decided:
            table.flow.clocks[clock], table.decided[clock] = ClockMeasure(None), _Decided()

    # -- by what -------------------------------------------------------------------------------------------

    def _decided(self, record: Record, case: _Case, clock: str, verdict: str, now: int) -> None:
        """Count a verdict by who owned the case, and by when and with what it came."""
        place = case.place_at(now)
        counts = case.table.decided[clock].counts
        arrival = case.arrival
        if arrival is None:
            arrival = case.arrival = self._arrival(case.arrived)
        group = place, arrival, verdict
        counts[group] = counts.get(group, 0) + 1
        if self.by:
            by = case.table.flow.clocks[clock].by
            by.update({} if by else {dimension: {} for dimension in DIMENSIONS})  # these stand first
            for fact in self.by:
                _count(by, fact, _told(case.facts.get(fact)), verdict)
        if self._told is not None:
            data: Any = record.data
            self._told(
                Round(
                    record.flow, record.subject, clock, verdict, now, data.used, data.limit, place.owner,
                    place.channel, case.arrived, case.facts,
                )
            )  # fmt: skip

    def _arrival(self, instant: int) -> _Arrival:
        """Month, weekday and hour of an instant."""
        quarter = instant // QUARTER  # some zones are off by quarters of an hour
        found = self._arrivals.get(quarter)
        if found is None:
            local = datetime_of(instant).astimezone(self._zone)
            names = f"{local.year:04}-{local.month:02}", WEEKDAYS[local.weekday()], f"{local.hour:02}"
            if len(self._arrivals) > MOST_QUARTERS:
                self._arrivals.clear()
            found = self._arrivals[quarter] = self._equal.setdefault(names, _Arrival(names))
        return found

    # -- variants, and the end -----------------------------------------------------------------------------

    def saw(self, subject: str, kinds: Sequence[str], times: Sequence[int]) -> None:
        """Count the events of a subject, by types and times in their order, as a variant of each flow that they belong
        to."""
        for table in self._tables.values():
            if not table.by_subject:
                continue
            if table.events.issuperset(kinds):
                own = tuple(kinds)
                first, last = times[0], times[-1]
            else:
                mine = [place for place, kind in enumerate(kinds) if kind in table.events]
                if not mine:
                    continue
                own = tuple(kinds[place] for place in mine)
                first, last = times[mine[0]], times[mine[-1]]
            table.flow.trace_time.add(max(last - first, 0))
            variants = table.flow.variants
            variant = variants.get(own)
            if variant is None:
                variant = variants[own] = Deviation()
            variant.count += 1
            variant.subjects.add(subject)

    def finish(self) -> None:
        """Count what is open when all records are taken, and add up what was counted apart."""
        for table in self._tables.values():
            for clock in table.decided:
                table.add_up(clock)
            table.add_up_moves()
            flow = table.flow
            for subject, case in table.cases.items():
                flow.open += 1
                measure = case.place.measure
                if measure is not None:
                    measure.open += 1
                    measure.late += case.late_here
                for clock, (due, late) in case.rounds.items():
                    if not late:
                        flow.clocks[clock].running += 1
                    if due is not None:
                        flow.due.append(Due(due, subject, clock, late))
            table.cases.clear()

    def hand_over(self) -> tuple[list[Handed], dict[str, set[str]]]:
        """What is known of the open cases, which are these measures' no longer; and of each flow the subjects whose
        cases closed and may be opened again."""
        found = []
        for flow, table in self._tables.items():
            for subject, case in table.cases.items():
                facts = {fact: case.facts[fact] for fact in self.by if fact in case.facts}
                here, before, seen = case.place.name, case.before.name, table.names_of(case.seen)
                found.append(
                    Handed(
                        flow, subject, case.arrived, case.since, here, before, seen, case.late_here, case.rounds, facts
                    )
                )
            table.cases.clear()
        return found, {flow: table.closed for flow, table in self._tables.items() if table.closed}

    def go_on(self, handed: Iterable[Handed], closed: Mapping[str, set[str]]) -> None:
        """Go on with what others have handed over."""
        for each in handed:
            table = self._tables[each.flow]
            case = _Case(table, each.arrived, table.place(each.state), each.facts)
            case.before, case.since, case.late_here = table.place(each.before), each.since, each.late_here
            for state in each.seen:
                case.seen |= table.place(state).bit
            case.rounds = dict(each.rounds)
            table.cases[each.subject] = case
        for flow, subjects in closed.items():
            self._tables[flow].closed = subjects

    def add(self, other: Measures) -> None:
        """Add what another has counted of other subjects."""
        self.unexpected += other.unexpected
        self.rejected.update(other.rejected)
        self.duplicates += other.duplicates
        for name, theirs in other.flows.items():
            add_flow(self.flows.setdefault(name, FlowMeasure()), theirs)


class _Table:
    """What the measures ask of a program, and what they know of its cases that are open. ``closed`` are subjects
    of whose cases one has closed: all, or of a flow of the lowest stratum, whose subjects come one after another, the
    last; ``decided`` counts verdicts until they are added up, by their clock."""

    def __init__(self, program: Program | None) -> None:
        self.events = frozenset[str]() if program is None else program.events
        self.by_subject = program is not None and program.key is None
        states = [] if program is None else [*program.states]
        self._owners = {each.name: (each.owner or "", each.channel or "") for each in states}
        self._names = [each.name for each in states]
        self._ways = {each.name: each.ways for each in states}
        self._later: dict[tuple[str, str], bool] = {}
        self._places: dict[str, _Place] = {}
        self.flow = FlowMeasure(
            clocks={clock.name: ClockMeasure(clock.target) for clock in ([] if program is None else program.clocks)},
            states={each.name: StateMeasure() for each in states if each.final is None},
        )
        self.cases: dict[str, _Case] = {}
        self.closed: set[str] = set()
        self._remembers = program is not None and program.stratum > 0
        self.decided = {clock: _Decided() for clock in self.flow.clocks}

    def note_closed(self, subject: str) -> None:
        """Note that a case has closed."""
        if not self._remembers:
            self.closed.clear()
        self.closed.add(subject)

    def places(self) -> Iterable[_Place]:
        """The states that were met."""
        return self._places.values()

    def place(self, state: str) -> _Place:
        """A state of the flow."""
        found = self._places.get(state)
        if found is None:
            owner, channel = self._owners.get(state, ("", ""))
            measure = self.flow.states.get(state)
            found = self._places[state] = _Place(state, len(self._places), owner, channel, measure)
        return found

    def names_of(self, seen: int) -> tuple[str, ...]:
        """The states that a case has seen, by the bits of a number."""
        return tuple(name for name, place in self._places.items() if seen & place.bit)

    def move(self, place: _Place, data: Mapping[str, Any]) -> _Move:
        """The move out of a state that a record tells. Data of moves is there before any case, and once."""
        found = place.moves[id(data)] = _Move(data, self.place(data["to"]))
        return found

    def add_up_moves(self) -> None:
        """Add the moves that were taken to the flow's, and to the visits of the states where they led."""
        for place in self._places.values():
            place.add_up()
            for move in place.moves.values():
                self.flow.ways[place.name, move.data["on"], move.to.name] += move.count
                if move.to.measure is not None:
                    move.to.measure.visits += move.count
                move.count = 0

    def add_up(self, clock: str) -> None:
        """Add the verdicts of a clock to those that are there, by each dimension, and what time its rounds used."""
        measure, decided = self.flow.clocks[clock], self.decided[clock]
        for (place, arrival, verdict), count in decided.counts.items():
            for dimension, value in zip(DIMENSIONS, (place.owner, place.channel, *arrival.names), strict=True):
                _count(measure.by, dimension, value, verdict, count)
        measure.used.add_some([round(each * SECOND) for each in decided.used])
        decided.counts.clear()
        decided.used.clear()

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


def _count(by: dict[str, dict[str, Verdicts]], dimension: str, value: str, verdict: str, times: int = 1) -> None:
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


def _told(value: Any) -> str:
    """A value of a fact as the name of a group."""
    if value is None:
        return ""
    return ", ".join(map(_told, value)) if isinstance(value, tuple) else str(value)


def _instant(text: str) -> int:
    try:
        hour, _, rest = text.partition(":")
        return hour_start[hour] + rest_of_hour[rest]
    except NoInstant:
        return read_instant(text)[0]


_OF_CASES: Mapping[str, Callable[[Measures, Record, _Case, int], None]] = {
    "clock.started": Measures._clock_started,
    "clock.paused": Measures._clock_went_on,
    "clock.resumed": Measures._clock_went_on,
    "clock.restarted": Measures._clock_went_on,
    "clock.extended": Measures._clock_went_on,
    "clock.late": Measures._clock_late,
    "clock.met": Measures._clock_met,
    "clock.ended": Measures._clock_ended,
    "clock.cancelled": Measures._clock_cancelled,
}
"""What is counted of a case that is open, by the kind of record."""

_OTHERS: Mapping[str, Callable[[Measures, Record], None]] = {
    "case.opened": Measures._opened,
    "case.closed": Measures._closed,
    "event.unexpected": Measures._event_unexpected,
    "event.rejected": Measures._event_rejected,
    "event.duplicate": Measures._event_duplicate,
    "message.requested": Measures._message,
}

_COUNTED = frozenset({MOVED, *_OF_CASES, *_OTHERS})
