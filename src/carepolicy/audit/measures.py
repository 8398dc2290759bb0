"""What an audit counts of the records of a run, case by case; what comes of it stands in ``counts``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from carepolicy.audit.counted import (
    NO_FACTS,
    CountedCase,
    CountedFlow,
    CountingCode,
    Decided,
    LocalHours,
    count_verdict,
)
from carepolicy.audit.counts import DIMENSIONS, ClockMeasure, Deviation, Due, FlowMeasure, add_flow
from carepolicy.engine.instants import NoInstant, hour_start, read_instant, rest_of_hour

if TYPE_CHECKING:
    from carepolicy.engine.fast.code import Code
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle


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


NO_INSTANTS: Mapping[str, int] = {}

MANY = 20_000
"""So many records or events may note what they tell before it is added up: few at a time take as long as many."""

MOVED = "case.moved"


class Measures:
    """Counts what records tell, or, as a run's hearer, what happens before there are any. ``facts_of`` says what is
    known of subjects whose records come; ``by`` names facts by which late rounds are counted too; ``told`` hears of
    each round that is decided. All figures are there once it has finished; to another process go the figures alone."""

    def __init__(self, bundle: Bundle, by: Sequence[str] = (), told: Callable[[Round], None] | None = None) -> None:
        self.flows: dict[str, FlowMeasure] = {}
        self.facts_of: Mapping[str, Mapping[str, Any]] = {}
        self.by = tuple(by)
        self.unexpected = 0
        self.rejected: Counter[str] = Counter()
        self.duplicates = 0
        self._told = told
        self._hours = LocalHours(ZoneInfo(bundle.timezone))
        self._noted = 0
        self._counted: dict[str, CountedFlow] = {}
        for each in bundle.programs:
            counted = CountedFlow(each)
            self._counted[each.flow], self.flows[each.flow] = counted, counted.flow

    def __getstate__(self) -> dict[str, Any]:
        """The figures, for another process."""
        return {name: getattr(self, name) for name in ("flows", "unexpected", "rejected", "duplicates")}

    # -- records -------------------------------------------------------------------------------------------

    @property
    def only_counts(self) -> bool:
        """Whether nothing is to be known of what happens but the sums: then records of it need not be made."""
        return self._told is None and not self.by

    def hear(self, record: Record) -> None:
        """Count one record more, as a run's hearer."""
        self.take((record,))

    def code(self, signature: str) -> Code:
        """A function of a run's programs that has no lines yet, and counts what happens without records."""
        return CountingCode(signature, self._counted)

    def take(self, records: Sequence[Record], instants: Mapping[str, int] = NO_INSTANTS) -> None:
        """Count what happened, in its order. Of some texts of times ``instants`` says what they mean."""
        told, flows = _COUNTED, self._counted
        program: Any = None
        subject = when = ""
        now = 0
        flow: Any = None
        case: CountedCase | None = None
        for record in records:
            kind = record.kind
            if kind not in told:
                continue
            count = _OF_CASES.get(kind)
            if count is None and kind != MOVED:
                _OTHERS[kind](self, record)
                program = None  # its case may be another now
                continue
            if record.subject is not subject or record.program is not program:
                program, subject = record.program, record.subject
                flow = flows[program.flow]
                case = flow.cases.get(subject)
            if case is None:
                continue
            if record.when is not when:
                when = record.when
                now = instants.get(when) or _instant(when)
            if count is not None:
                count(self, record, flow, case, now)
                continue
            place, data = case.place, record.data  # a move: what comes most often
            move = place.moves.get(id(data)) or flow.move(place, data)
            move.times.append(now - case.since)
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
        self.note(len(records))

    def note(self, several: int) -> None:
        """Note that ``several`` records or events have told something; where that is much by now, add it up."""
        self._noted += several
        if self._noted >= MANY:
            self._add_up()

    def _add_up(self) -> None:
        self._noted = 0
        for counted in self._counted.values():
            counted.add_up(self._hours)

    def _opened(self, record: Record) -> None:
        counted, subject = self._counted[record.flow], record.subject
        place = counted.place(record.data["state"])
        counted.open(subject, place, _instant(record.when), self.facts_of.get(subject, NO_FACTS))

    def _closed(self, record: Record) -> None:
        self._counted[record.flow].close(record.subject, record.data["outcome"], _instant(record.when))

    def _clock_started(self, record: Record, flow: CountedFlow, case: CountedCase, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        before = case.rounds.get(clock)
        if before is None:
            flow.flow.clocks[clock].rounds += 1
        case.rounds[clock] = (data.due, before is not None and before[1])

    def _clock_went_on(self, record: Record, flow: CountedFlow, case: CountedCase, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        case.rounds[clock] = (data.due, case.rounds.get(clock, (None, False))[1])

    def _clock_late(self, record: Record, flow: CountedFlow, case: CountedCase, now: int) -> None:
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
            measure = flow.flow.clocks[clock]
            measure.late += 1
            measure.late_subjects.add(record.subject)
            self._decided(record, flow, case, clock, "late", now)

    def _clock_met(self, record: Record, flow: CountedFlow, case: CountedCase, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        case.rounds.pop(clock, None)
        flow.flow.clocks[clock].met += 1
        flow.decided[clock].used.append(data.used)
        self._decided(record, flow, case, clock, "met", now)

    def _clock_ended(self, record: Record, flow: CountedFlow, case: CountedCase, now: int) -> None:
        data: Any = record.data
        clock = data.basis.clock
        case.rounds.pop(clock, None)
        flow.decided[clock].used.append(data.used)

    def _clock_cancelled(self, record: Record, flow: CountedFlow, case: CountedCase, now: int) -> None:
        data: Any = record.data
        _, late = case.rounds.pop(data.basis.clock, (None, False))
        if not late:
            flow.flow.clocks[data.basis.clock].cancelled += 1

    def _event_unexpected(self, record: Record) -> None:
        self.unexpected += 1
        counted = self._counted.get(record.flow)
        if counted is None:
            return
        data = record.data
        state, event = data.get("state") or "", data["event"]["type"]
        deviation = counted.flow.deviations.get((state, event))
        if deviation is None:
            deviation = counted.flow.deviations[state, event] = Deviation()
        deviation.count += 1
        deviation.subjects.add(record.subject)
        measure = counted.flow.states.get(state)
        if measure is not None and counted.comes_later(state, event):
            measure.skipped += 1

    def _event_rejected(self, record: Record) -> None:
        self.rejected[record.data["code"]] += 1

    def _event_duplicate(self, record: Record) -> None:
        self.duplicates += 1

    def _message(self, record: Record) -> None:
        self.flows[record.flow].sent[record.data["template"]] += 1

    def admit(self, flow: str, clock: str | None = None) -> None:
        """Count a flow, or a clock of it, that the policies do not have, since only older versions of them had it."""
        counted = self._counted.get(flow)
        if counted is None:
            counted = self._counted[flow] = CountedFlow(None)
            self.flows[flow] = counted.flow
        if clock is not None and clock not in counted.decided:
            counted.flow.clocks[clock], counted.decided[clock] = ClockMeasure(None), Decided()

    # -- by what -------------------------------------------------------------------------------------------

    def _decided(
        self, record: Record, flow: CountedFlow, case: CountedCase, clock: str, verdict: str, now: int
    ) -> None:
        """Count a verdict by who owned the case, and by when and with what it came."""
        place = case.place_at(now)
        flow.decided[clock].of(place, verdict).append(case.arrived)
        if self.by:
            by = flow.flow.clocks[clock].by
            by.update({} if by else {dimension: {} for dimension in DIMENSIONS})  # these stand first
            for fact in self.by:
                count_verdict(by, fact, _told(case.facts.get(fact)), verdict)
        if self._told is not None:
            data: Any = record.data
            self._told(
                Round(
                    record.flow, record.subject, clock, verdict, now, data.used, data.limit, place.owner,
                    place.channel, case.arrived, case.facts,
                )
            )  # fmt: skip

    # -- variants, and the end -----------------------------------------------------------------------------

    def saw(self, subject: str, kinds: Sequence[str], times: Sequence[int]) -> None:
        """Count the events of a subject, by types and times in their order, as a variant of each flow that they belong
        to."""
        for counted in self._counted.values():
            counted.saw(subject, kinds, times)

    def finish(self) -> None:
        """Count what is open when all records are taken, and add up what was counted apart."""
        self._add_up()
        for counted in self._counted.values():
            flow = counted.flow
            for subject, case in counted.cases.items():
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
            counted.cases.clear()

    def hand_over(self) -> tuple[list[Handed], dict[str, set[str]]]:
        """What is known of the open cases, which are these measures' no longer; and of each flow the subjects whose
        cases closed and may be opened again."""
        found = []
        for flow, counted in self._counted.items():
            for subject, case in counted.cases.items():
                facts = {fact: case.facts[fact] for fact in self.by if fact in case.facts}
                here, before, seen = case.place.name, case.before.name, counted.names_of(case.seen)
                found.append(
                    Handed(
                        flow, subject, case.arrived, case.since, here, before, seen, case.late_here, case.rounds, facts
                    )
                )
            counted.cases.clear()
        return found, {flow: counted.closed for flow, counted in self._counted.items() if counted.closed}

    def go_on(self, handed: Iterable[Handed], closed: Mapping[str, set[str]]) -> None:
        """Go on with what others have handed over."""
        for each in handed:
            counted = self._counted[each.flow]
            seen = 0
            for state in each.seen:
                seen |= counted.place(state).bit
            case = CountedCase(each.arrived, counted.place(each.state), each.facts)
            case.before, case.since, case.late_here = counted.place(each.before), each.since, each.late_here
            case.seen, case.rounds = seen, dict(each.rounds)
            counted.cases[each.subject] = case
        for flow, subjects in closed.items():
            self._counted[flow].closed = subjects

    def add(self, other: Measures) -> None:
        """Add what another has counted of other subjects."""
        self.unexpected += other.unexpected
        self.rejected.update(other.rejected)
        self.duplicates += other.duplicates
        for name, theirs in other.flows.items():
            add_flow(self.flows.setdefault(name, FlowMeasure()), theirs)


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


_OF_CASES: Mapping[str, Callable[[Measures, Record, CountedFlow, CountedCase, int], None]] = {
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
