"""What an audit counts: cases, rounds of clocks, visits of states, deviations and variants, as sums that can be added
up in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carepolicy.audit.distribution import Distribution
from carepolicy.engine.instants import HOUR, SECOND, NoInstant, datetime_of, hour_start, read_instant, rest_of_hour

if TYPE_CHECKING:
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle, Program

MOST_SUBJECTS = 1_000
"""So many subjects of late rounds are named, the first by name."""

FEW_SUBJECTS = 10
"""So many subjects are named of each deviation and variant."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DIMENSIONS = ("owner", "channel", "month", "weekday", "hour")
"""By what late rounds are counted, besides facts: who owns the state in which the round ended, its channel, and when
the case arrived, in the organisation's time zone."""


class Named:
    """The first subjects by name, at most so many: those of parts are the same as those of the whole."""

    __slots__ = ("most", "names")

    def __init__(self, most: int, names: Iterable[str] = ()) -> None:
        self.most = most
        self.names: set[str] = set(names)

    def add(self, name: str) -> None:
        """Name one more."""
        self.names.add(name)
        if len(self.names) > 2 * self.most:
            self.names = set(sorted(self.names)[: self.most])

    def in_order(self) -> list[str]:
        """Those that are named."""
        return sorted(self.names)[: self.most]


@dataclass(slots=True)
class Verdicts:
    """Rounds that were met, and those that were late."""

    met: int = 0
    late: int = 0


@dataclass(slots=True)
class ClockMeasure:
    """The rounds of a clock: how many began, were met, late or cancelled, and what time those that ended had used."""

    target: float | None
    rounds: int = 0
    met: int = 0
    late: int = 0
    cancelled: int = 0
    running: int = 0
    used: Distribution = field(default_factory=Distribution)
    late_subjects: Named = field(default_factory=lambda: Named(MOST_SUBJECTS))
    by: dict[str, dict[str, Verdicts]] = field(default_factory=dict)


@dataclass(slots=True)
class StateMeasure:
    """The visits of a state: how many, how many came back to it, in how many a clock was late, at how many the next
    step's event came though the case still stood here, and how long they took."""

    visits: int = 0
    again: int = 0
    late: int = 0
    skipped: int = 0
    open: int = 0
    time: Distribution = field(default_factory=Distribution)


@dataclass(slots=True)
class Deviation:
    """An event that the flow does not allow in a state: how often, and in whose cases."""

    count: int = 0
    subjects: Named = field(default_factory=lambda: Named(FEW_SUBJECTS))


@dataclass(slots=True)
class FlowMeasure:
    """What was seen of one flow."""

    cases: int = 0
    open: int = 0
    reopened: int = 0
    first: int | None = None
    last: int | None = None
    outcomes: Counter[str] = field(default_factory=Counter)
    duration: Distribution = field(default_factory=Distribution)
    trace_time: Distribution = field(default_factory=Distribution)
    clocks: dict[str, ClockMeasure] = field(default_factory=dict)
    states: dict[str, StateMeasure] = field(default_factory=dict)
    ways: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    deviations: dict[tuple[str, str], Deviation] = field(default_factory=dict)
    variants: dict[tuple[str, ...], Deviation] = field(default_factory=dict)
    due: list[Due] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """What falls due in a case that is open at the end: when, of whom, which clock, and whether it is late by now."""

    when: int
    subject: str
    clock: str
    late: bool


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


class _Case:
    """What is known of a case that is open."""

    __slots__ = ("arrived", "before", "facts", "late_here", "rounds", "seen", "since", "state")

    def __init__(self, arrived: int, state: str, facts: Mapping[str, Any]) -> None:
        self.arrived = arrived
        self.since = arrived
        self.state = self.before = state
        self.facts = facts
        self.late_here = False
        self.seen = {state}
        self.rounds: dict[str, tuple[int | None, bool]] = {}

    def state_at(self, now: int) -> str:
        """The state in which what ends now was worked on: a move is told before the clocks that it ends."""
        return self.before if self.since == now else self.state


NO_FACTS: Mapping[str, Any] = {}


class Measures:
    """Counts what records tell. ``facts_of`` says what is known of subjects whose records come; ``by`` names facts by
    which late rounds are counted too; ``told`` hears of each round that is decided."""

    def __init__(self, bundle: Bundle, by: Sequence[str] = (), told: Callable[[Round], None] | None = None) -> None:
        self.flows: dict[str, FlowMeasure] = {}
        self.facts_of: Mapping[str, Mapping[str, Any]] = {}
        self.by = tuple(by)
        self.unexpected = 0
        self.rejected: Counter[str] = Counter()
        self.duplicates = 0
        self._told = told
        self._zone = ZoneInfo(bundle.timezone)
        self._parts: dict[int, tuple[str, str, str]] = {}
        self._tables = {each.flow: _Table(each) for each in bundle.programs}
        self._cases: dict[tuple[str, str], _Case] = {}
        self._before: dict[str, str] = {}
        for each in bundle.programs:
            self._flow(each.flow)

    def _flow(self, name: str) -> FlowMeasure:
        found = self.flows.get(name)
        if found is None:
            found = self.flows[name] = FlowMeasure()
            table = self._tables.get(name)
            if table is not None:
                found.clocks = {clock: ClockMeasure(target) for clock, target in table.targets.items()}
                found.states = {state: StateMeasure() for state in table.working}
        return found

    # -- records -------------------------------------------------------------------------------------------

    def take(self, records: Iterable[Record]) -> None:
        """Count what happened, in its order."""
        cases, flows = self._cases, self.flows
        for record in records:
            of_case = _OF_CASES.get(record.kind)
            if of_case is not None:
                case = cases.get((record.flow, record.subject))
                if case is not None:
                    of_case(self, record, flows[record.flow], case)
            elif record.kind in _OTHERS:
                _OTHERS[record.kind](self, record)

    def _opened(self, record: Record) -> None:
        name, subject = record.flow, record.subject
        flow = self.flows[name]
        now = _instant(record.when)
        state = record.data["state"]
        flow.cases += 1
        flow.first = now if flow.first is None else min(now, flow.first)
        flow.last = now if flow.last is None else max(now, flow.last)
        if self._before.get(name) == subject:
            flow.reopened += 1
        self._cases[name, subject] = _Case(now, state, self.facts_of.get(subject, NO_FACTS))
        measure = flow.states.get(state)
        if measure is not None:
            measure.visits += 1

    def _moved(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        data = record.data
        now = _instant(record.when)
        to = data["to"]
        flow.ways[case.state, data["on"], to] += 1
        self._leave(flow, case, now)
        case.before, case.state, case.since, case.late_here = case.state, to, now, False
        measure = flow.states.get(to)
        if measure is not None:
            measure.visits += 1
            measure.again += to in case.seen
        case.seen.add(to)

    def _leave(self, flow: FlowMeasure, case: _Case, now: int) -> None:
        measure = flow.states.get(case.state)
        if measure is not None:
            measure.time.add(max(now - case.since, 0))
            measure.late += case.late_here

    def _closed(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        del self._cases[record.flow, record.subject]
        now = _instant(record.when)
        flow.outcomes[record.data["outcome"]] += 1
        flow.duration.add(max(now - case.arrived, 0))
        self._before[record.flow] = record.subject

    def _clock_started(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        data = record.data
        clock = data["clock"]
        if clock not in case.rounds:
            flow.clocks[clock].rounds += 1
        case.rounds[clock] = (_due(record), case.rounds.get(clock, (None, False))[1])

    def _clock_went_on(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        clock = record.data["clock"]
        case.rounds[clock] = (_due(record), case.rounds.get(clock, (None, False))[1])

    def _clock_late(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        clock = record.data["clock"]
        due, late = case.rounds.get(clock, (None, False))
        case.rounds[clock] = (_due(record) or due, True)
        if case.state_at(_instant(record.when)) == case.state:
            case.late_here = True
        elif case.before in flow.states:
            flow.states[case.before].late += 1
        if not late:
            measure = flow.clocks[clock]
            measure.late += 1
            measure.late_subjects.add(record.subject)
            self._decided(record, case, measure, "late")

    def _clock_met(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        clock = record.data["clock"]
        case.rounds.pop(clock, None)
        measure = flow.clocks[clock]
        measure.met += 1
        measure.used.add(round(record.data["used"] * SECOND))
        self._decided(record, case, measure, "met")

    def _clock_ended(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        clock = record.data["clock"]
        case.rounds.pop(clock, None)
        flow.clocks[clock].used.add(round(record.data["used"] * SECOND))

    def _clock_cancelled(self, record: Record, flow: FlowMeasure, case: _Case) -> None:
        clock = record.data["clock"]
        _, late = case.rounds.pop(clock, (None, False))
        if not late:
            flow.clocks[clock].cancelled += 1

    def _event_unexpected(self, record: Record) -> None:
        self.unexpected += 1
        flow = self.flows.get(record.flow)
        if flow is None:
            return
        data = record.data
        state, event = data.get("state") or "", data["event"]["type"]
        deviation = flow.deviations.get((state, event))
        if deviation is None:
            deviation = flow.deviations[state, event] = Deviation()
        deviation.count += 1
        deviation.subjects.add(record.subject)
        table = self._tables.get(record.flow)
        measure = flow.states.get(state)
        if table is not None and measure is not None and table.comes_later(state, event):
            measure.skipped += 1

    def _event_rejected(self, record: Record) -> None:
        self.rejected[record.data["code"]] += 1

    def _event_duplicate(self, record: Record) -> None:
        self.duplicates += 1

    def _message(self, record: Record) -> None:
        self.flows[record.flow].sent[record.data["template"]] += 1

    # -- by what -------------------------------------------------------------------------------------------

    def _decided(self, record: Record, case: _Case, measure: ClockMeasure, verdict: str) -> None:
        """Count a verdict by who owned the case, and by when and with what it came."""
        table = self._tables[record.flow]
        state = case.state_at(_instant(record.when))
        owner, channel = table.owners.get(state, ""), table.channels.get(state, "")
        month, weekday, hour = self._arrival(case.arrived)
        values = (owner, channel, month, weekday, hour)
        by = measure.by
        for dimension, value in zip(DIMENSIONS, values, strict=True):
            _count(by, dimension, value, verdict)
        for fact in self.by:
            _count(by, fact, _told(case.facts.get(fact)), verdict)
        if self._told is not None:
            data = record.data
            self._told(
                Round(
                    record.flow, record.subject, data["clock"], verdict, _instant(record.when), data["used"],
                    data.get("limit"), owner, channel, case.arrived, case.facts,
                )
            )  # fmt: skip

    def _arrival(self, instant: int) -> tuple[str, str, str]:
        """Month, weekday and hour of an instant in the organisation's time zone."""
        found = self._parts.get(instant // HOUR * 4 + instant % HOUR // (HOUR // 4))  # some zones are off by quarters
        if found is None:
            local = datetime_of(instant).astimezone(self._zone)
            found = f"{local:%Y-%m}", WEEKDAYS[local.weekday()], f"{local:%H}"
            self._parts[instant // HOUR * 4 + instant % HOUR // (HOUR // 4)] = found
        return found

    # -- variants, and the end -----------------------------------------------------------------------------

    def saw(self, subject: str, events: Sequence[tuple[str, int]]) -> None:
        """Count the events of a subject, by type and time in their order, as a variant of each flow that they belong
        to."""
        for name, table in self._tables.items():
            known = table.events
            if not table.by_subject:
                continue
            own = [each for each in events if each[0] in known]
            if not own:
                continue
            self.flows[name].trace_time.add(max(own[-1][1] - own[0][1], 0))
            sequence = tuple(kind for kind, _ in own)
            variants = self.flows[name].variants
            variant = variants.get(sequence)
            if variant is None:
                variant = variants[sequence] = Deviation()
            variant.count += 1
            variant.subjects.add(subject)

    def finish(self) -> None:
        """Count what is open when all records are taken."""
        for (name, subject), case in self._cases.items():
            flow = self.flows[name]
            flow.open += 1
            measure = flow.states.get(case.state)
            if measure is not None:
                measure.open += 1
                measure.late += case.late_here
            for clock, (due, late) in case.rounds.items():
                if not late:
                    flow.clocks[clock].running += 1
                if due is not None:
                    flow.due.append(Due(due, subject, clock, late))
        self._cases.clear()

    def add(self, other: Measures) -> None:
        """Add what another has counted of other subjects."""
        self.unexpected += other.unexpected
        self.rejected.update(other.rejected)
        self.duplicates += other.duplicates
        for name, theirs in other.flows.items():
            _add_flow(self._flow(name), theirs)


class _Table:
    """What the measures ask of a program."""

    def __init__(self, program: Program) -> None:
        self.events = program.events
        self.by_subject = program.key is None
        states = [*program.states]
        self.owners = {each.name: each.owner or "" for each in states}
        self.channels = {each.name: each.channel or "" for each in states}
        self.working = tuple(each.name for each in states if each.final is None)
        self.targets = {clock.name: clock.target for clock in program.clocks}
        self._names = [each.name for each in states]
        self._ways = {each.name: each.ways for each in states}
        self._later: dict[tuple[str, str], bool] = {}

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


def _count(by: dict[str, dict[str, Verdicts]], dimension: str, value: str, verdict: str) -> None:
    values = by.get(dimension)
    if values is None:
        values = by[dimension] = {}
    found = values.get(value)
    if found is None:
        found = values[value] = Verdicts()
    if verdict == "late":
        found.late += 1
    else:
        found.met += 1


def _told(value: Any) -> str:
    """A value of a fact as the name of a group."""
    if value is None:
        return ""
    return ", ".join(map(_told, value)) if isinstance(value, tuple) else str(value)


def _instant(text: str) -> int:
    try:
        return hour_start[text[:13]] + rest_of_hour[text[13:]]
    except NoInstant:
        return read_instant(text)[0]


def _due(record: Record) -> int | None:
    """When a clock falls due, as a record tells it."""
    data: Any = record.data
    due = getattr(data, "due", None)
    if due is not None or not isinstance(data, Mapping) or hasattr(data, "basis"):
        return due
    told = data.get("due")
    return None if told is None else _instant(told)


def _add_flow(mine: FlowMeasure, theirs: FlowMeasure) -> None:
    mine.cases += theirs.cases
    mine.open += theirs.open
    mine.reopened += theirs.reopened
    mine.first = min((each for each in (mine.first, theirs.first) if each is not None), default=None)
    mine.last = max((each for each in (mine.last, theirs.last) if each is not None), default=None)
    mine.outcomes.update(theirs.outcomes)
    mine.duration.add_all(theirs.duration)
    mine.trace_time.add_all(theirs.trace_time)
    mine.ways.update(theirs.ways)
    mine.sent.update(theirs.sent)
    mine.due += theirs.due
    for name, clock in theirs.clocks.items():
        _add_clock(mine.clocks.setdefault(name, ClockMeasure(clock.target)), clock)
    for name, state in theirs.states.items():
        _add_state(mine.states.setdefault(name, StateMeasure()), state)
    for place, deviation in theirs.deviations.items():
        _add_deviation(mine.deviations.setdefault(place, Deviation()), deviation)
    for sequence, variant in theirs.variants.items():
        _add_deviation(mine.variants.setdefault(sequence, Deviation()), variant)


def _add_clock(mine: ClockMeasure, theirs: ClockMeasure) -> None:
    mine.rounds += theirs.rounds
    mine.met += theirs.met
    mine.late += theirs.late
    mine.cancelled += theirs.cancelled
    mine.running += theirs.running
    mine.used.add_all(theirs.used)
    for name in theirs.late_subjects.names:
        mine.late_subjects.add(name)
    for dimension, values in theirs.by.items():
        ours = mine.by.setdefault(dimension, {})
        for value, verdicts in values.items():
            found = ours.setdefault(value, Verdicts())
            found.met += verdicts.met
            found.late += verdicts.late


def _add_state(mine: StateMeasure, theirs: StateMeasure) -> None:
    mine.visits += theirs.visits
    mine.again += theirs.again
    mine.late += theirs.late
    mine.skipped += theirs.skipped
    mine.open += theirs.open
    mine.time.add_all(theirs.time)


def _add_deviation(mine: Deviation, theirs: Deviation) -> None:
    mine.count += theirs.count
    for name in theirs.subjects.names:
        mine.subjects.add(name)


_OF_CASES: Mapping[str, Callable[[Measures, Record, FlowMeasure, _Case], None]] = {
    "case.moved": Measures._moved,
    "case.closed": Measures._closed,
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
    "event.unexpected": Measures._event_unexpected,
    "event.rejected": Measures._event_rejected,
    "event.duplicate": Measures._event_duplicate,
    "message.requested": Measures._message,
}
