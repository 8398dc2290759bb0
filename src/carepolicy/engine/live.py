"""Programs made ready to run: tables linked to calendars, and to what the records say that they write."""

from __future__ import annotations

from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.engine.instants import DAY, FIRST_INSTANT, FIRST_YEAR, LAST_INSTANT, NEVER
from carepolicy.engine.liveclocks import LiveClock
from carepolicy.engine.record import Known, ProgramId, slug
from carepolicy.machine.program import Phase
from carepolicy.policy.limit import ELAPSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.engine.effects import LiveEffects
    from carepolicy.engine.moves import Move, Opening
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import AfterTable, Bundle, EffectsTable, Function, Program, SpendTable, StateTable
    from carepolicy.policy.limit import Limit


START, RESUME, PAUSE, STOP, RESTART, REBASE = range(6)


MILLENNIUM = 1_000 * 366 * DAY
"""No event is so late that so much later could not be written."""


class LiveAfter:
    """A timer of a state and the ways that it may go."""

    __slots__ = ("calendar", "elapsed", "limit", "place", "trigger", "ways")

    def __init__(self, table: AfterTable, calendar: Calendar) -> None:
        self.trigger = table.trigger
        limit = table.limit
        self.elapsed = limit.amount if limit.kind == ELAPSED and limit.amount < MILLENNIUM else None
        """The microseconds after which it fires, where those are of elapsed time."""
        self.limit = table.limit
        self.calendar = calendar
        self.place = table.place
        self.ways: tuple[LiveWay, ...] = ()

    def due(self, entered: int, facts: Mapping[str, Any]) -> int:
        """When it fires for a case that entered its state at ``entered``; ``NEVER`` where a fact is missing."""
        return due_of(self.calendar, self.limit, entered, facts)


def due_of(calendar: Calendar, limit: Limit, started: int, facts: Mapping[str, Any]) -> int:
    """When a limit falls due that hangs on a fact or counts from ``started``; ``NEVER`` where the fact is missing.

    A fact may hold any instant, also one that means "never" (9999-12-31) or "not known" (0001-01-01). What
    falls due after the years that calendars know never does; what did before them is due at the start.
    """
    try:
        due = calendar.add_us(started, limit, facts)
    except NeverOpen:
        return NEVER
    except OutOfRange:
        said = facts.get(limit.fact or "")
        before = said.year < FIRST_YEAR if isinstance(said, date) else isinstance(said, int) and said < started
        return started if before else NEVER
    if due is None or due > LAST_INSTANT:
        return NEVER
    return max(due, FIRST_INSTANT)


Operations = tuple[tuple[LiveClock, "Callable[[list[Record], Any, LiveClock, int, str], None]"], ...]
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
        effects: LiveEffects | None,
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

    ``moves`` are those that were written out, by event; ``alone`` those of them whose event concerns no other program.
    What is not of its table alone is filled in when it is linked.
    """

    __slots__ = (
        "_of",
        "afters",
        "alone",
        "channel",
        "closed",
        "enter",
        "final",
        "heat",
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

    index: int
    opened: Known
    closed: Known
    task: Known | None
    ways: dict[str, tuple[LiveWay, ...]]
    afters: tuple[LiveAfter, ...]
    enter: LiveEffects | None
    leave: LiveEffects | None
    starting: Operations
    heat: dict[str, int]
    moves: dict[str, Move]
    alone: dict[str, Move]
    opening: Opening | None

    def __init__(self, index: int, table: StateTable, program: LiveProgram, bundle: Bundle) -> None:
        self.index = index
        self.name = table.name
        self.final = table.final
        self.owner = table.owner
        self.channel = table.channel
        self._of = program, bundle

    def link(self) -> None:
        """Fill in what it needs to know of the other states and of the clocks."""
        from carepolicy.engine.linking import link

        link(self, *self._of)


class UnlinkedState(LiveState):
    """A state that links itself when more is asked of it than its table says, and is as any other from then on."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        object.__setattr__(self, "__class__", LiveState)
        self.link()
        return getattr(self, name)


class LiveProgram:
    """A program that can be stepped. ``place`` orders flows that act at one instant; one that does not open
    (``opens``) only steps the cases that it has."""

    __slots__ = (
        "_brings",
        "_bundle",
        "_opens",
        "assigns",
        "clocks",
        "counts_visits",
        "events",
        "every",
        "flow",
        "id",
        "key",
        "listens_to_met",
        "place",
        "program",
        "reads",
        "required",
        "starts",
        "states",
        "stratum",
    )

    def __init__(self, place: int, program: Program, bundle: Bundle, opens: bool = True) -> None:
        self._outline(place, program, bundle, opens)
        self._link(LiveState)
        for state in self.states:
            state.link()

    def _outline(self, place: int, program: Program, bundle: Bundle, opens: bool) -> None:
        self.place = place
        self.program = program
        self._bundle = bundle
        self._opens = opens
        self.flow = program.flow
        self.key = program.key
        self.stratum = program.stratum
        self.events = program.events
        self.every = program.every if opens else None
        self.required = program.required

    def _link(self, kind: type[LiveState]) -> None:
        program, bundle = self.program, self._bundle
        self.id = ProgramId(program.flow, program.version, "/carepolicy/" + slug(bundle.organisation))
        self.clocks = tuple(LiveClock(index, table, bundle.calendars) for index, table in enumerate(program.clocks))
        self.counts_visits = program.counts_visits
        self.listens_to_met = any(clock.met_trigger in state.ways for clock in self.clocks for state in program.states)
        self.reads = frozenset(
            fact
            for reads in (
                *(clock.reads for clock in self.clocks),
                *(after.limit.reads for state in program.states for after in state.afters),
            )
            for fact in reads
        )
        self.states = tuple(kind(index, table, self, bundle) for index, table in enumerate(program.states))
        self.assigns = any(effects.assign is not None for effects in _all_effects(program))
        counted = {watch.raises for watch in bundle.watches}
        self._brings = {
            event: frozenset(bundle.carries.get(event, ())) for event in program.events if event not in counted
        }
        starts = program.starts if self._opens else {}
        self.starts = {event: self.states[index] for event, index in starts.items()}

    def brings(self, event: str) -> bool:
        """Whether an event may bring data."""
        return self._brings.get(event) != frozenset()

    def reads_of(self, event: str) -> frozenset[str]:
        """The facts that clocks and timers read and an event may bring."""
        brought = self._brings.get(event)
        return self.reads if brought is None else self.reads & brought


class UnlinkedProgram(LiveProgram):
    """A program that links itself when more is asked of it than its name and events, and is as any other from then on;
    of its states each does for itself. A single event concerns few flows, and few states of them."""

    __slots__ = ()

    def __init__(self, place: int, program: Program, bundle: Bundle, opens: bool = True) -> None:
        self._outline(place, program, bundle, opens)

    def __getattr__(self, name: str) -> Any:
        object.__setattr__(self, "__class__", LiveProgram)
        self._link(UnlinkedState)
        return getattr(self, name)


def _all_effects(program: Program) -> Iterator[EffectsTable]:
    for state in program.states:
        rules = (*chain(*state.ways.values()), *chain(*(after.rules for after in state.afters)))
        for effects in (state.enter, state.leave, *(rule.effects for rule in rules)):
            if effects is not None:
                yield effects


def operations(
    clocks: tuple[LiveClock, ...], source: int | None, target: int, trigger: str
) -> tuple[tuple[LiveClock, int], ...]:
    """What a move from ``source`` (None: from nowhere) to ``target`` does to each clock, in file order."""
    found: list[tuple[LiveClock, int]] = []
    for clock in clocks:
        before = Phase.STOPPED if source is None else clock.phases[source]
        after = clock.phases[target]
        again = trigger in clock.restarts_on
        if after is Phase.RUNNING:
            if before is Phase.STOPPED:
                found.append((clock, START))
            elif again:
                found.append((clock, RESTART))
            if before is Phase.PAUSED:
                found.append((clock, RESUME))
            elif before is Phase.RUNNING and source is not None and clock.choices[source] is not clock.choices[target]:
                found.append((clock, REBASE))
        elif after is Phase.PAUSED:
            if again and before is not Phase.STOPPED:
                found.append((clock, RESTART))
            if before is Phase.RUNNING:
                found.append((clock, PAUSE))
        elif before is not Phase.STOPPED:
            found.append((clock, STOP))
    return tuple(found)
