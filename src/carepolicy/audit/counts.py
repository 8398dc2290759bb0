"""What was counted of a flow: verdicts of its clocks, visits of its states, deviations and variants, as sums that can
be added up in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from carepolicy.audit.distribution import Distribution

MOST_SUBJECTS = 1_000
"""So many subjects of late rounds are named, the first by name."""

FEW_SUBJECTS = 10
"""So many subjects are named of each deviation and variant."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DIMENSIONS = ("owner", "channel", "month", "weekday", "hour")
"""By what late rounds are counted, besides facts: who owns the state in which the round ended, its channel, and when
the case arrived, in the organisation's time zone."""


class NamedSubjects:
    """The first subjects by name, at most so many: those of parts are the same as those of the whole."""

    __slots__ = ("_last", "most", "names")

    def __init__(self, most: int, names: Iterable[str] = ()) -> None:
        self.most = most
        self.names: set[str] = set(names)
        self._last: str | None = None

    def add(self, name: str) -> None:
        """Name one more, where not enough are named that come before it."""
        if self._last is not None and name > self._last:
            return
        self.names.add(name)
        self._leave_out()

    def add_some(self, names: Iterable[str]) -> None:
        """Name several more, where not enough are named that come before them."""
        last = self._last
        self.names.update(names if last is None else [name for name in names if name <= last])
        self._leave_out()

    def _leave_out(self) -> None:
        if len(self.names) > 2 * self.most:
            first = sorted(self.names)[: self.most]
            self.names, self._last = set(first), first[-1]

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
    late_subjects: NamedSubjects = field(default_factory=lambda: NamedSubjects(MOST_SUBJECTS))
    by: dict[str, dict[str, Verdicts]] = field(default_factory=dict)


@dataclass(slots=True)
class StateMeasure:
    """The visits of a state, and how long they took. ``again`` counts those by cases that were there before, ``late``
    those in which a clock fell late, ``skipped`` those at which the event of the next step came though the case still
    stood here, ``open`` those that had not ended."""

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
    subjects: NamedSubjects = field(default_factory=lambda: NamedSubjects(FEW_SUBJECTS))


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


def add_flow(mine: FlowMeasure, theirs: FlowMeasure) -> None:
    """Add what was counted of other subjects of the flow."""
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
