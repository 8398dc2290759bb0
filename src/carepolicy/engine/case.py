"""A case: the small record of where it is, what it knows, and which clocks run; and the subject that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from carepolicy.engine.instants import NEVER
from carepolicy.engine.record import ClockData, Record, Told

if TYPE_CHECKING:
    from carepolicy.engine.clocks import LiveClock, LiveLimit
    from carepolicy.engine.program import LiveAfter, LiveProgram, LiveState
    from carepolicy.policy.limit import Limit


Segments = tuple[tuple[int, int], ...]
"""Stretches of time, from and to, in microseconds since 1970."""


Totals = dict[tuple[str, str], tuple[int, int]]
"""By measure and calendar: how many stretches were counted, and the time used in them."""


class Kept(NamedTuple):
    """What a clock that goes on keeps of a round that has ended: the stretches in which it ran, the time used and in
    which measure, how many warnings were given, and the time that was given."""

    segments: Segments
    used: int
    measure: str
    warned: int
    given: tuple[Limit, ...]
    totals: Totals | None = None


class Round:
    """One run of a clock, from its start until it is met, ended or cancelled.

    While it runs, ``base`` is the position (in the basis of its limit) at which the time used is zero;
    while it pauses, ``used`` is the time used; ``mark`` is the time used when it fell due. ``amount`` is
    the limit in the same units, and ``due`` the instant that it falls due (``NEVER`` where there is
    none). ``segments`` are the stretches in which it ran before, so that the time used can be told in
    another basis, and ``totals`` what was counted of them in others already. ``given`` is the time that was
    given on top of its limit, one sum for each kind of time.
    """

    __slots__ = (
        "amount",
        "base",
        "clock",
        "due",
        "given",
        "late",
        "limit",
        "mark",
        "next",
        "running",
        "segments",
        "since",
        "started",
        "totals",
        "used",
        "warned",
    )

    def __init__(
        self,
        clock: LiveClock,
        limit: LiveLimit,
        since: int,
        base: int = 0,
        amount: int = 0,
        due: int = NEVER,
        soonest: int = NEVER,
    ) -> None:
        self.clock = clock
        self.limit = limit
        self.started = self.since = since
        self.running = True
        self.late = False
        self.base = base
        self.amount = amount
        self.due = due
        self.next = soonest
        self.used = self.mark = self.warned = 0
        self.given: tuple[Limit, ...] = ()
        self.segments: Segments = ()
        self.totals: Totals | None = None

    def successor(self, clock: LiveClock, limit: LiveLimit) -> Round:
        """A round that goes on in the place of this one, under another limit or in another calendar."""
        new = Round(clock, limit, self.since)
        for name in HANDED_ON:
            setattr(new, name, getattr(self, name))
        return new


HANDED_ON = ("due", "given", "late", "mark", "running", "segments", "since", "started", "warned")
"""Fields of a round that the one that goes on in its place has; the others are worked out under its own limit."""

OWN = ("closed", "next", "now", "opened", "program", "rounds", "sequence", "subject")
"""Fields that a case does not hand on to the one that takes its place; its rounds go on there with records of it."""

CARRIED = (
    "afters", "assigned", "channel", "entered", "extended", "facts", "fired", "holder", "kept", "pending", "received",
    "seen", "state", "visited",
)  # fmt: skip
"""Fields that it hands on: each field of a case is one or the other."""


class Case:
    """One case of one flow for one subject. Times are microseconds since 1970.

    ``assigned`` is the (role, person) that an effect has
    assigned it to and that was not told yet; ``holder`` the one that was told last, None where it is
    whoever works in its state. ``fired`` counts its timers that have fired.
    """

    __slots__ = (*OWN, *CARRIED)

    state: LiveState
    facts: dict[str, Any]
    opened: int
    received: int
    entered: int
    now: int

    def __init__(self, program: LiveProgram, subject: str, sequence: int) -> None:
        self.seen = self.fired = 0
        self.kept: dict[int, Kept] | None = None
        self.extended: dict[int, int] | None = None
        self.pending: tuple[LiveClock, ...] = ()
        self.afters: tuple[tuple[int, int, LiveAfter], ...] = ()
        self.visited: dict[str, int] | None = None
        self.channel: str | None = None
        self.assigned: tuple[str | None, str | None] | None = None
        self.holder: tuple[str | None, str | None] | None = None
        self.next = NEVER
        self.closed = False
        self.program = program
        self.subject = subject
        self.sequence = sequence
        self.rounds: list[Round | None] = [None] * len(program.clocks)

    def successor(self, program: LiveProgram, subject: str, sequence: int) -> Case:
        """A case that takes the place of this one, with all that it hands on. Where ``program`` is another, what is
        known by states and clocks goes to those that have their names; its state, and the timers of that, are to be
        looked up there."""
        new = Case(program, subject, sequence)
        for name in CARRIED:
            setattr(new, name, getattr(self, name))
        if program is not self.program:
            new._take_over(self)
        return new

    def _take_over(self, case: Case) -> None:
        """Visits, clocks seen, time kept and given, and lateness that nobody heard, of a case of another program."""
        program = self.program
        self.afters, self.seen, self.visited, self.kept, self.extended = (), 0, None, None, None
        names, moves = {state.name for state in program.states}, program.program.moves
        for name, count in (case.visited or {}).items():
            to = name if name in names else moves.get(name, name)
            self.visited = {**(self.visited or {}), to: count + self.visits(to)}
        clocks = {clock.name: clock for clock in program.clocks}
        for before in case.program.clocks:
            clock = clocks.get(before.name)
            if clock is None:
                continue
            if case.seen & before.bit:
                self.seen |= clock.bit
            if case.kept and before.index in case.kept:
                self.keep(clock.index, case.kept[before.index])
            if case.extended and before.index in case.extended:
                self.extended = {**(self.extended or {}), clock.index: case.extended[before.index]}
        self.pending = tuple(clocks[each.name] for each in case.pending if each.name in clocks)

    def record(self, kind: str, when: str, data: Told | ClockData) -> Record:
        """The next record of the case."""
        self.sequence += 1
        return Record(self.program.id, self.subject, self.sequence, kind, when, data)

    def visits(self, state: str) -> int:
        """How often the case has entered ``state``."""
        return 0 if self.visited is None else self.visited.get(state, 0)

    def visit(self, state: str) -> None:
        """Count that the case enters ``state``."""
        if self.visited is None:
            self.visited = {}
        self.visited[state] = self.visited.get(state, 0) + 1

    def keep(self, clock: int, kept: Kept) -> None:
        """Keep what a clock's round leaves to the one in which the clock goes on."""
        self.kept = {**(self.kept or {}), clock: kept}

    def take_kept(self, clock: int) -> Kept | None:
        """What was kept for a clock, which is forgotten with that."""
        return None if self.kept is None else self.kept.pop(clock, None)

    def extensions(self, clock: int) -> int:
        """How often a clock was given more time."""
        return 0 if self.extended is None else self.extended.get(clock, 0)

    def count_extension(self, clock: int) -> None:
        """Count that a clock was given more time."""
        self.extended = {**(self.extended or {}), clock: self.extensions(clock) + 1}

    def age(self) -> int:
        """Microseconds since the case was received."""
        return self.now - self.received

    def left(self, clock: str) -> int | None:
        """What is left of a clock's limit in its own basis (a business day is 24 hours), in microseconds.

        None where the clock is stopped or has no due time; below zero where it is late.
        """
        held = self.round_of(clock)
        if held is None or (held.due == NEVER and held.limit.until):
            return None
        left = held.amount - max(used_of(held, self.now), 0)
        return left * 1_000_000 // held.limit.unit

    def late(self, clock: str) -> bool:
        """Whether the clock's present round is late."""
        held = self.round_of(clock)
        return held is not None and held.late

    def round_of(self, clock: str) -> Round | None:
        """The present round of the clock of that name."""
        return next((each for each in self.rounds if each is not None and each.clock.name == clock), None)


def place_of(held: Round, instant: int) -> int:
    """Where an instant lies in the basis of a round's limit. Closings count from the day of the round's start on."""
    limit = held.limit
    if limit.position is None:
        return instant
    if limit.day_zero is None:
        return limit.position(instant)
    return max(limit.position(instant), limit.day_zero(start_of(held)))


def start_of(held: Round) -> int:
    """When a round started (also where that was anew, in a pause), or the first of those that it goes on from."""
    return min(held.segments[0][0], held.started) if held.segments else held.started


def used_of(held: Round, now: int) -> int:
    """The time that a round has used by ``now``, in units of its limit's basis."""
    return place_of(held, now) - held.base if held.running else held.used


Origin = tuple[int, str, str, int]
"""The time, and the subject, flow and sequence of the case, at which an event was raised."""


class Raised:
    """An event that a transition raised for another key; ``data`` holds values as facts hold them.

    ``origin`` and ``number`` (where several were raised at one origin) put raised events in an order that does
    not depend on who works on which subject.
    """

    __slots__ = ("data", "event", "id", "number", "origin", "subject", "time")

    def __init__(self, origin: Origin, number: int, event: str, subject: str, data: dict[str, Any]) -> None:
        time, about, flow, sequence = origin
        self.origin = origin
        self.number = number
        self.id = f"{flow}/{about}/{sequence}/{time}/{number}"
        self.event = event
        self.subject = subject
        self.time = time
        self.data = data


class Opening:
    """The next time at which a flow opens a case by itself: ``number`` periods after its start."""

    __slots__ = ("due", "number", "program")

    def __init__(self, program: LiveProgram, number: int, due: int) -> None:
        self.program = program
        self.number = number
        self.due = due


NONE_YET: dict[int, int] = {}
"""What a subject of which no case was ever closed has of sequences; it stays empty."""


class Subject:
    """All open cases about one thing, and what must be remembered when they are closed.

    ``cases`` are by the place of their program; ``only`` is the one case where there is just one.
    """

    __slots__ = ("cases", "last", "name", "next", "only", "openings", "sequences")

    def __init__(self, name: str, last: int = -NEVER) -> None:
        self.name = name
        self.cases: dict[int, Case] = {}
        self.only: Case | None = None
        self.sequences: dict[int, int] = NONE_YET
        self.openings: dict[int, Opening] | None = None
        self.last = last
        self.next = NEVER

    def put(self, place: int, case: Case) -> None:
        """Note an open case."""
        self.cases[place] = case
        self.only = case if len(self.cases) == 1 else None

    def drop(self, place: int) -> None:
        """Let go of a case."""
        del self.cases[place]
        self.only = next(iter(self.cases.values())) if len(self.cases) == 1 else None
