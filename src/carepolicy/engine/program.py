"""Programs made ready to run: linked to calendars, to each other, and to what the records say that they write."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from carepolicy.engine.clocks import LiveClock, Operation, begin, begin_anew, change_calendar, end, go_on, stand_still
from carepolicy.engine.due import due_of
from carepolicy.engine.effects import LiveEffects
from carepolicy.engine.instants import DAY
from carepolicy.engine.record import Known, ProgramId, slug
from carepolicy.machine.program import Phase
from carepolicy.policy.limit import ELAPSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.engine.case import Case, Subject
    from carepolicy.engine.stepper import Stepper
    from carepolicy.machine.program import (
        AfterTable,
        Bundle,
        EffectsTable,
        Function,
        Program,
        RuleTable,
        SpendTable,
        StateTable,
    )


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


Move = Callable[["Stepper", "Subject", "Case", int, str, dict[str, Any]], bool]
"""``move(stepper, subject, case, now, when, data)``, with the meaning of ``Stepper.deliver``."""

Open = Callable[["Stepper", "Subject", int, str, dict[str, Any], int], "Case"]
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

    ``moves`` and ``opening`` take events, and open cases, in the place of the stepper where there are such.
    """

    __slots__ = (
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
    enter: LiveEffects | None
    leave: LiveEffects | None
    starting: Operations

    def __init__(self, index: int, table: StateTable) -> None:
        self.index = index
        self.name = table.name
        self.final = table.final
        self.owner = table.owner
        self.channel = table.channel
        self.opened = Known(state=table.name)
        self.closed = Known(state=table.name, outcome=table.final)
        worked = table.owner is not None and table.final is None
        self.task = Known(state=table.name, role=table.owner) if worked else None
        self.moves: dict[str, Move] = {}
        self.opening: Open | None = None

    def link(self, program: LiveProgram, states: tuple[LiveState, ...], bundle: Bundle, table: StateTable) -> None:
        """Fill in what it needs to know of the other states and of the clocks."""
        self.enter = _effects(program, bundle, table.enter, f"entering {self.name}")
        self.leave = _effects(program, bundle, table.leave, f"leaving {self.name}")
        self.starting = operations(program.clocks, None, self.index, "")
        self.ways = {
            trigger: tuple(_way(program, states, bundle, self, trigger, rule) for rule in rules)
            for trigger, rules in table.ways.items()
        }
        self.afters = tuple(_after(program, states, bundle, self, each) for each in table.afters)
        if self.final is None:
            _touches(program, self)


class LiveProgram:
    """A program that can be stepped. ``place`` orders flows that act at one instant; one that does not open
    (``opens``) only steps the cases that it has.

    Its clocks and states are linked when they are first asked for, all together: a single event concerns few flows.
    """

    __slots__ = (
        "__dict__",  # of what is linked
        "_around",
        "_brings",
        "_bundle",
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

    def __init__(self, place: int, program: Program, bundle: Bundle, opens: bool = True) -> None:
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
        self._opens = opens
        self._around: Callable[[LiveProgram, LiveState], None] | None = None

    @cached_property
    def clocks(self) -> tuple[LiveClock, ...]:
        """Its clocks, in file order."""
        return tuple(LiveClock(index, table, self._bundle.calendars) for index, table in enumerate(self.program.clocks))

    @cached_property
    def states(self) -> tuple[LiveState, ...]:
        """Its states, linked to each other and to the clocks."""
        tables = self.program.states
        states = tuple(LiveState(index, table) for index, table in enumerate(tables))
        for state, table in zip(states, tables, strict=True):
            state.link(self, states, self._bundle, table)
            if self._around is not None:
                self._around(self, state)
        return states

    def put_around(self, around: Callable[[LiveProgram, LiveState], None]) -> None:
        """Let something be put around each state: now, or when they are linked."""
        self._around = around
        if "states" in vars(self):
            for state in self.states:
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


def operations(clocks: tuple[LiveClock, ...], source: int | None, target: int, trigger: str) -> Operations:
    """What a move from ``source`` (None: from nowhere) to ``target`` does to each clock, in file order."""
    found: list[tuple[LiveClock, Operation]] = []
    for clock in clocks:
        before = Phase.STOPPED if source is None else clock.phases[source]
        after = clock.phases[target]
        again = trigger in clock.restarts_on
        if after is Phase.RUNNING:
            if before is Phase.STOPPED:
                found.append((clock, begin))
            elif again:
                found.append((clock, begin_anew))
            if before is Phase.PAUSED:
                found.append((clock, go_on))
            elif before is Phase.RUNNING and source is not None and clock.choices[source] is not clock.choices[target]:
                found.append((clock, change_calendar))
        elif after is Phase.PAUSED:
            if again and before is not Phase.STOPPED:
                found.append((clock, begin_anew))
            if before is Phase.RUNNING:
                found.append((clock, stand_still))
        elif before is not Phase.STOPPED:
            found.append((clock, end))
    return tuple(found)


def _effects(program: LiveProgram, bundle: Bundle, table: EffectsTable | None, trigger: str) -> LiveEffects | None:
    return None if table is None else LiveEffects(program, bundle, table, trigger)


def _way(
    program: LiveProgram, states: tuple[LiveState, ...], bundle: Bundle, state: LiveState, trigger: str, rule: RuleTable
) -> LiveWay:
    effects = _effects(program, bundle, rule.effects, trigger)
    if rule.to < 0:
        return LiveWay(rule.when, None, None, _restarts(program, state, trigger), effects, rule.spends)
    target = states[rule.to]
    moved = Known(**{"from": state.name, "to": target.name, "on": trigger})
    ops = operations(program.clocks, state.index, target.index, trigger)
    return LiveWay(rule.when, target, moved, ops, effects, rule.spends)


def _restarts(program: LiveProgram, state: LiveState, trigger: str) -> Operations:
    """The clocks that an event begins anew although the case stays where it is."""
    return tuple(
        (clock, begin_anew)
        for clock in program.clocks
        if trigger in clock.restarts_on and clock.phases[state.index] is not Phase.STOPPED
    )


def _after(
    program: LiveProgram, states: tuple[LiveState, ...], bundle: Bundle, state: LiveState, table: AfterTable
) -> LiveAfter:
    after = LiveAfter(table, bundle.calendars[table.calendar])
    after.ways = tuple(_way(program, states, bundle, state, "after", rule) for rule in table.rules)
    return after


def _touches(program: LiveProgram, state: LiveState) -> None:
    """An event that begins a clock anew is expected wherever that clock runs or pauses."""
    for trigger in sorted({event for clock in program.clocks for event in clock.restarts_on}):
        ops = _restarts(program, state, trigger)
        if ops:
            state.ways[trigger] = (*state.ways.get(trigger, ()), LiveWay(_has_round(ops), None, None, ops, None))


def _has_round(ops: Operations) -> Function:
    """Whether one of some clocks runs or pauses: one that is cancelled is not begun anew."""
    indexes = tuple(clock.index for clock, _ in ops)

    def has_round(facts: Mapping[str, Any], event: Mapping[str, Any], case: Case) -> bool:
        return any(case.rounds[index] is not None for index in indexes)

    return has_round
