"""A case: the small record of where it is, what it knows, and which clocks run; the subject that it is about; and the
program that it follows, made ready to run: states, the ways that lead on from them, and timers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from carepolicy.engine.absences import Absences
from carepolicy.engine.instants import DAY, NEVER
from carepolicy.engine.record import Data, Hearer, Known, ProgramId, Record, Sink, Told, Written, json_text, slug
from carepolicy.engine.round import Kept, LiveClock, Round, due_of, marked_in, used_of
from carepolicy.policy.limit import ELAPSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.machine.program import (
        AfterTable,
        Bundle,
        EffectsTable,
        Function,
        OpenTable,
        Program,
        RaiseTable,
        SpendTable,
        StateTable,
    )
    from carepolicy.machine.template import Template

OWN = ("about", "closed", "next", "now", "opened", "program", "rounds", "sequence", "subject")
"""Fields that a case does not hand on to the one that takes its place; its rounds go on there with records of it."""

CARRIED = (
    "afters", "assigned", "channel", "entered", "extended", "facts", "fired", "holder", "kept", "pending", "received",
    "seen", "state", "visited",
)  # fmt: skip
"""Fields that it hands on: each field of a case is one or the other."""


class Case:
    """One case of one flow for one subject. Times are microseconds since 1970. ``about`` is the subject as it stands in
    JSON.

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
        plain = subject.isprintable() and '"' not in subject and "\\" not in subject
        self.about = subject if plain else json_text(subject)
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
                kept = case.kept[before.index]
                self.keep(clock.index, replace(kept, marked=marked_in(clock, before, kept.marked)))
            if case.extended and before.index in case.extended:
                self.extended = {**(self.extended or {}), clock.index: case.extended[before.index]}
        self.pending = tuple(clocks[each.name] for each in case.pending if each.name in clocks)

    def record(self, kind: str, when: str, data: Data) -> Record:
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
        for each in self.rounds:
            if each is not None and each.clock.name == clock:
                return each
        return None


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

    order = -1
    """Where it stands among what falls due at one instant in its flow: before what clocks and timers do."""

    def __init__(self, program: LiveProgram, number: int, due: int) -> None:
        self.program = program
        self.number = number
        self.due = due

    @property
    def place(self) -> int:
        """The place of its flow."""
        return self.program.place


class Notice:
    """A notice that was told and waits: its data, with private facts masked; ``whole`` is the data without masks, and
    ``private`` says which facts went into each field, where there are any. ``sealed`` is the latter two as a store
    keeps them."""

    __slots__ = ("private", "sealed", "told", "whole")

    def __init__(self, told: Data, whole: Data | None = None, private: Private | None = None) -> None:
        self.told = told
        self.whole = whole
        self.private = private
        self.sealed: bytes | None = None


class Notices:
    """Notices of one flow that wait for the same opening, in the order in which they were told. ``place`` is that of
    the flow; a case that told one may be closed by then."""

    __slots__ = ("due", "place", "told")

    order = -2
    """Where they stand among what falls due at one instant in their flow: before all else."""

    def __init__(self, place: int, due: int, told: list[tuple[ProgramId, Notice]]) -> None:
        self.place = place
        self.due = due
        self.told = told


Timer = Opening | Notices
"""What falls due of a subject beside its cases."""

TimerKey = int | tuple[int, int]
"""The place of a flow that opens cases; that of one whose notices wait, and the instant at which they are told."""


NONE_YET: dict[int, int] = {}
"""What a subject of which no case was ever closed has of sequences; it stays empty."""


class Subject:
    """All open cases about one thing, and what must be remembered when they are closed.

    ``cases`` are by the place of their program; ``only`` is the one case where there is just one. ``timers`` are what
    falls due beside the cases.
    """

    __slots__ = ("cases", "last", "name", "next", "only", "sequences", "timers")

    def __init__(self, name: str, last: int = -NEVER) -> None:
        self.name = name
        self.cases: dict[int, Case] = {}
        self.only: Case | None = None
        self.sequences: dict[int, int] = NONE_YET
        self.timers: dict[TimerKey, Timer] | None = None
        self.last = last
        self.next = NEVER

    def put(self, place: int, case: Case) -> None:
        """Note an open case."""
        self.cases[place] = case
        self.only = case if len(self.cases) == 1 else None

    def wait(self, waiting: Notices) -> None:
        """Note notices that wait."""
        key = waiting.place, waiting.due
        known = (self.timers or {}).get(key)
        if isinstance(known, Notices):
            known.told += waiting.told
        else:
            self.timers = {**(self.timers or {}), key: waiting}

    def drop(self, place: int) -> None:
        """Let go of a case."""
        del self.cases[place]
        self.find_only()

    def find_only(self) -> None:
        """Note which case is the only one, if there is just one."""
        self.only = next(iter(self.cases.values())) if len(self.cases) == 1 else None


Private = Mapping[str, tuple[str, ...]]
"""The private facts that go into each field of a record's data."""


class Steps(Protocol):
    """Whoever steps cases, as effects, and what is put around states, see it: the stepper."""

    out: list[Written]
    as_lines: bool
    hearer: Hearer | None
    to_open: list[tuple[OpenTable, Case]]
    absences: Absences | None

    def interpret(self, subject: Subject, case: Case, event: str, now: int, when: str, data: dict[str, Any]) -> bool:
        """Give an event to a case, step by step; False where no transition takes it."""

    def interpret_opening(
        self, subject: Subject, program: LiveProgram, state: LiveState, now: int, when: str, facts: dict[str, Any],
        received: int,
    ) -> Case:  # fmt: skip
        """Open a case, step by step."""

    def interpret_timer(self, subject: Subject, case: Case, after: LiveAfter, now: int, when: str) -> bool:
        """Let a timer of a state fire, step by step; False where no transition takes it."""

    def set_fact(self, case: Case, fact: str, value: Any) -> None:
        """Set a fact of a case, or take its value away (None)."""

    def value(self, case: Case, fact: str) -> Any:
        """The value of a fact for a case, or else its default."""

    def language(self, case: Case, templates: Mapping[str, Template]) -> str:
        """The language for a customer."""

    def write(self, case: Case, said: Said, when: str, event: Mapping[str, Any]) -> None:
        """Write the record of what an effect says."""

    def tell_owner(self, case: Case, state: LiveState, when: str) -> None:
        """Write that the owner of a state has the work, or who stands in."""

    def shown_person(self, case: Case, person: Any) -> str:
        """A person's name as a record may bear it."""

    def hold(self, case: Case, said: Said, due: int, event: Mapping[str, Any]) -> None:
        """Let what an effect says wait."""

    def raise_event(self, case: Case, raised: RaiseTable, now: int, event: Mapping[str, Any]) -> None:
        """Note an event for another key."""


class Said(Protocol):
    """What a record says that an effect writes. ``hours`` are those that it waits for, None where it does not wait."""

    @property
    def hours(self) -> Calendar | None:
        """The calendar in whose open hours it is written."""

    @property
    def kind(self) -> str:
        """The kind of the record."""

    @property
    def known(self) -> Told:
        """What is known of its data before the case, where nobody asks for more."""

    def data(self, stepper: Steps, case: Case, event: Mapping[str, Any], reveal: bool) -> Data:
        """The record's data; private facts are masked unless ``reveal``."""

    def private(self, case: Case) -> Private:
        """The private facts that go into each field."""


class Effects(Protocol):
    """The effects of one transition, or of entering or leaving one state; and what may be other afterwards than records
    and events."""

    sets_facts: bool
    extends_clocks: bool
    leaves_more: bool

    def run(self, stepper: Steps, case: Case, now: int, when: str, event: Mapping[str, Any]) -> None:
        """Let the effects happen."""


Operation = Callable[["Sink", "Case", "LiveClock", int, str], None]
"""What a transition does to a clock, at an instant (and its text)."""


MILLENNIUM = 1_000 * 366 * DAY
"""No event is so late that so much later could not be written."""


class LiveAfter:
    """A timer of a state and the ways that it may go; ``move`` takes one in the place of the stepper, where there is
    such."""

    __slots__ = ("calendar", "elapsed", "limit", "move", "place", "trigger", "ways")

    def __init__(self, table: AfterTable, calendar: Calendar) -> None:
        self.trigger = table.trigger
        limit = table.limit
        self.elapsed = limit.amount if limit.kind == ELAPSED and limit.amount < MILLENNIUM else None
        """The microseconds after which it fires, where those are of elapsed time."""
        self.limit = table.limit
        self.calendar = calendar
        self.place = table.place
        self.ways: tuple[LiveWay, ...] = ()
        self.move: Move | None = None

    def due(self, entered: int, facts: Mapping[str, Any]) -> int:
        """When it fires for a case that entered its state at ``entered``; ``NEVER`` where a fact is missing."""
        return due_of(self.calendar, self.limit, entered, facts)


Move = Callable[["Steps", "Subject", "Case", int, str, dict[str, Any]], bool]
"""``move(stepper, subject, case, now, when, data)``, with the meaning of ``Stepper.deliver``, for data that takes no
value away (None)."""

Open = Callable[["Steps", "Subject", int, str, dict[str, Any], int], "Case"]
"""``opening(stepper, subject, now, when, facts, received)``, with the meaning of ``Stepper.open_case``."""

Operations = tuple[tuple[LiveClock, Operation], ...]
"""Clocks, and what is done to each."""


class LiveWay:
    """One transition from one state: what it writes, does to clocks, and where it leads (None: it stays)."""

    __slots__ = ("effects", "moved", "ops", "spends", "to", "when")

    def __init__(
        self,
        when: Function | None,
        to: LiveState | None,
        moved: Known | None,
        ops: Operations,
        effects: Effects | None,
        spends: SpendTable | None = None,
    ) -> None:
        self.when = when
        self.to = to
        self.moved = moved
        self.ops = ops
        self.effects = effects
        self.spends = spends


class LiveState:
    """A state with its ways by trigger and what the records say that entering it writes.

    ``moves`` and ``opening`` take events, and open cases, in the place of the stepper where there are such. They, ways
    and effects are linked when one of them is first asked for: a single event concerns few states.
    """

    __slots__ = (
        "_link",
        "afters",
        "channel",
        "closed",
        "enter",
        "final",
        "index",
        "leave",
        "moves",
        "name",
        "opened",
        "opening",
        "owner",
        "starting",
        "task",
        "ways",
    )

    ways: dict[str, tuple[LiveWay, ...]]
    afters: tuple[LiveAfter, ...]
    enter: Effects | None
    leave: Effects | None
    starting: Operations
    moves: dict[str, Move]
    opening: Open | None

    def __init__(self, index: int, table: StateTable, link: Callable[[LiveState], None]) -> None:
        self._link: Callable[[LiveState], None] | None = link
        self.index = index
        self.name = table.name
        self.final = table.final
        self.owner = table.owner
        self.channel = table.channel
        self.opened = Known(state=table.name)
        self.closed = Known(state=table.name, outcome=table.final)
        worked = table.owner is not None and table.final is None
        self.task = Known(state=table.name, role=table.owner) if worked else None

    @property
    def is_linked(self) -> bool:
        """Whether something of what is linked was asked for."""
        return self._link is None

    if not TYPE_CHECKING:  # else every name would be one

        def __getattr__(self, name: str) -> Any:
            link, self._link = self._link, None
            if link is None:
                raise AttributeError(name)
            link(self)
            return getattr(self, name)


Link = Callable[["LiveProgram", "Bundle"], "tuple[LiveState, ...]"]
"""Makes the states of a program, each of which is linked to the others and to clocks when that is asked for."""

Around = Callable[["LiveProgram", LiveState], None]
"""Puts something around a state of a program that has just been linked."""


class LiveProgram:
    """A program that can be stepped. ``place`` orders flows that act at one instant; one that does not open
    (``opens``) only steps the cases that it has.

    Its clocks and states are made when they are first asked for: a single event concerns few flows.
    """

    __slots__ = (
        "__dict__",  # of what is linked
        "_around",
        "_brings",
        "_bundle",
        "_link",
        "_opens",
        "counts_visits",
        "events",
        "every",
        "flow",
        "id",
        "key",
        "place",
        "program",
        "required",
        "stratum",
    )

    def __init__(self, place: int, program: Program, bundle: Bundle, link: Link, opens: bool = True) -> None:
        self.place = place
        self.program = program
        self.flow = program.flow
        self.key = program.key
        self.stratum = program.stratum
        self.events = program.events
        self.every = program.every if opens else None
        self.required = program.required
        self.id = ProgramId(program.flow, program.version, "/carepolicy/" + slug(bundle.organisation))
        self.counts_visits = program.counts_visits
        counted = {watch.raises for watch in bundle.watches}
        self._brings = {
            event: frozenset(bundle.carries.get(event, ())) for event in program.events if event not in counted
        }
        self._bundle = bundle
        self._link = link
        self._opens = opens
        self._around: tuple[Around, ...] = ()

    @cached_property
    def clocks(self) -> tuple[LiveClock, ...]:
        """Its clocks, in file order."""
        return tuple(LiveClock(index, table, self._bundle.calendars) for index, table in enumerate(self.program.clocks))

    @cached_property
    def states(self) -> tuple[LiveState, ...]:
        """Its states."""
        return self._link(self, self._bundle)

    def has_linked(self, state: LiveState) -> None:
        """Put around a state that was just linked what is to be there."""
        for around in self._around:
            around(self, state)

    def put_around(self, around: Around) -> None:
        """Let something be put around the states, after what was before: now, or when they are linked."""
        if around not in self._around:
            self._around = (*self._around, around)
        for state in vars(self).get("states", ()):
            if state.is_linked:
                around(self, state)

    @cached_property
    def starts(self) -> dict[str, LiveState]:
        """The states in which events open cases."""
        return {event: self.states[index] for event, index in self.program.starts.items()} if self._opens else {}

    @cached_property
    def listens_to_met(self) -> bool:
        """Whether a state has ways for a clock that was met."""
        return any(clock.met_trigger in state.ways for clock in self.clocks for state in self.program.states)

    @cached_property
    def reads(self) -> frozenset[str]:
        """The facts that clocks and timers read."""
        timers = (after.limit.reads for state in self.program.states for after in state.afters)
        return frozenset(fact for reads in (*(clock.reads for clock in self.clocks), *timers) for fact in reads)

    @cached_property
    def assigns(self) -> bool:
        """Whether an effect assigns work."""
        return any(effects.assign is not None for effects in _all_effects(self.program))

    def may_be_away(self, role: str) -> bool:
        """Whether there may be a time at which everybody who has a role is away."""
        return bool(self._bundle.absences) and Absences(self._bundle).concerns(role)

    def brings(self, event: str) -> bool:
        """Whether an event may bring data."""
        return self._brings.get(event) != frozenset()

    def reads_of(self, event: str) -> frozenset[str]:
        """The facts that clocks and timers read and an event may bring."""
        brought = self._brings.get(event)
        return self.reads if brought is None else self.reads & brought


def _all_effects(program: Program) -> Iterator[EffectsTable]:
    for state in program.states:
        rules = (*chain(*state.ways.values()), *chain(*(after.rules for after in state.afters)))
        for effects in (state.enter, state.leave, *(rule.effects for rule in rules)):
            if effects is not None:
                yield effects
