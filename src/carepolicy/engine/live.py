"""Programs made ready to run: tables linked to calendars, and to the texts of the records they write.

All that a record says and that is known before the case is written once, as a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import NEVER
from carepolicy.engine.recordtext import SPECVERSION, Form, Writer, opened, quoted
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.businesstime.limit import Limit
    from carepolicy.engine.effects import LiveEffects
    from carepolicy.engine.moves import Move, Opening
    from carepolicy.machine.program import AfterTable, Bundle, ClockTable, Function, LimitTable, Program, StateTable


class LiveLimit:
    """A limit of a clock in one calendar.

    ``first`` is ``position`` where a round starts: closings count from the end of the day of the start.
    ``position`` and ``instant`` translate between instants and the limit's own basis; both are None
    for elapsed time, whose positions are the instants themselves. ``amount`` is in units of the basis,
    ``unit`` of which make a second; None where it depends on the start or on facts.
    """

    __slots__ = (
        "amount",
        "calendar",
        "cancelled",
        "dated",
        "ended",
        "extended",
        "extended_as",
        "first",
        "fresh",
        "instant",
        "late",
        "limit",
        "met",
        "months",
        "paused",
        "place",
        "plain",
        "plainly_met",
        "position",
        "reads",
        "recounted_as",
        "restarted",
        "resumed",
        "rolls",
        "started",
        "strict",
        "undated",
        "unit",
        "until",
        "warned",
        "when",
    )

    def __init__(self, table: LimitTable, place: int, calendar: Calendar, clock: str, writer: Writer) -> None:
        limit = table.limit
        self.place = place
        self.limit: Limit = limit
        self.when: Function | None = table.when
        self.rolls = table.rolls
        self.strict = limit.strict
        self.reads = table.reads
        self.calendar = calendar
        self.until = limit.kind == "until"
        self.months = limit.kind == "months"
        self.dated = self.until or self.months
        self.amount: int = 0 if self.dated else limit.amount
        self.unit = 1_000_000
        self.position: Callable[[int], int] | None = None
        self.instant: Callable[[int], int] | None = None
        if limit.kind == "business_time":
            self.position, self.instant = calendar.position, calendar.instant
        elif limit.kind == "business_days":
            self.position, self.instant, self.unit = calendar.day_position, calendar.day_instant, 1_000_000_000
        elif limit.kind == "close_of_business":
            self.position, self.instant, self.unit = calendar.closing_position, calendar.date_instant, 1_000_000_000
        self.first = calendar.date_position if limit.kind == "close_of_business" else self.position
        self.plain = not self.dated and not self.rolls
        self._write(clock, writer)

    def _write(self, clock: str, writer: Writer) -> None:
        start, basis = opened("clock", clock), f'"basis":"{self.limit.basis}"'
        dated = f'{start}"due":"%s","used":%s,"limit":%s,{basis}}}'
        undated = f'{start}"used":%s,"limit":%s,{basis}}}'
        why = dated[:-1] + ',"reason":%s}'
        self.started = writer.form("clock.started", dated)
        self.resumed = writer.form("clock.resumed", dated)
        self.warned = writer.form("clock.warned", dated)
        self.late = writer.form("clock.late", dated)
        self.restarted = writer.form("clock.restarted", dated)
        self.extended = writer.form("clock.extended", why)
        self.paused = writer.form("clock.paused", undated)
        self.met = writer.form("clock.met", undated)
        self.cancelled = writer.form("clock.cancelled", undated)
        self.ended = writer.form("clock.ended", undated[:-1] + ',"over":%s}')
        self.undated = {
            self.started: writer.form("clock.started", undated),
            self.resumed: writer.form("clock.resumed", undated),
            self.restarted: writer.form("clock.restarted", undated),
            self.extended: writer.form("clock.extended", undated[:-1] + ',"reason":%s}'),
        }
        whole, rest = divmod(self.amount, self.unit)
        told = repr(round(self.amount / self.unit, 6)) if rest else str(whole)
        self.fresh = writer.form("clock.started", f'{start}"due":"%s","used":0,"limit":{told},{basis}}}')
        self.plainly_met = writer.form("clock.met", f'{start}"used":%s,"limit":{told},{basis}}}')
        self.extended_as = quoted(f"the limit is now {self.limit}")
        self.recounted_as = quoted(f"it counts in the calendar {self.calendar.name} now")


class LiveClock:
    """A clock; ``choices`` are its limits by the index of the state (they differ where calendars do)."""

    __slots__ = (
        "bit",
        "choices",
        "counts_from",
        "goes_on",
        "index",
        "late_trigger",
        "met_trigger",
        "name",
        "phases",
        "place",
        "reads",
        "restarts_on",
        "warned_trigger",
        "warns",
    )

    def __init__(self, index: int, table: ClockTable, calendars: Mapping[str, Calendar], writer: Writer) -> None:
        self.index = index
        self.bit = 1 << index
        self.name = table.name
        self.phases = table.phases
        self.goes_on = table.goes_on
        self.restarts_on = table.restarts_on
        self.warns = tuple(each.share for each in table.warns)
        self.counts_from = table.counts_from
        self.place = table.place
        self.reads = frozenset(fact for each in table.limits for fact in each.reads)
        self.warned_trigger = f"{table.name}.warned"
        self.late_trigger = f"{table.name}.late"
        self.met_trigger = f"{table.name}.met"
        by_calendar = {
            name: tuple(
                LiveLimit(each, at, calendars[name], table.name, writer) for at, each in enumerate(table.limits)
            )
            for name in sorted(set(table.calendars))
        }
        self.choices = tuple(by_calendar[name] for name in table.calendars)


START, RESUME, PAUSE, STOP, RESTART, REBASE = range(6)


class LiveAfter:
    """A timer of a state and the ways that it may go."""

    __slots__ = ("calendar", "limit", "place", "trigger", "ways")

    def __init__(self, table: AfterTable, calendar: Calendar) -> None:
        self.trigger = table.trigger
        self.limit = table.limit
        self.calendar = calendar
        self.place = table.place
        self.ways: tuple[LiveWay, ...] = ()

    def due(self, entered: int, facts: Mapping[str, Any]) -> int:
        """When it fires for a case that entered its state at ``entered``; ``NEVER`` where a fact is missing."""
        due: int | None = self.calendar.add_us(entered, self.limit, facts)
        return NEVER if due is None else due


Operations = tuple[tuple[LiveClock, "Callable[[list[str], Any, LiveClock, int, str], None]"], ...]
"""Clocks, and what is done to each."""


class LiveWay:
    """One transition from one state: what it writes, does to clocks, and where it leads (None: it stays)."""

    __slots__ = ("effects", "moved", "ops", "to", "when")

    def __init__(
        self,
        when: Function | None,
        to: LiveState | None,
        moved: Form | None,
        ops: Operations,
        effects: LiveEffects | None,
    ) -> None:
        self.when = when
        self.to = to
        self.moved = moved
        self.ops = ops
        self.effects = effects


class LiveState:
    """A state with its ways by trigger and the texts of the records that entering it writes."""

    __slots__ = (
        "afters",
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

    def __init__(self, index: int, table: StateTable, writer: Writer) -> None:
        self.index = index
        self.name = table.name
        self.final = table.final
        self.owner = table.owner
        self.channel = table.channel
        self.opened = writer.fixed("case.opened", state=table.name)
        self.closed = writer.fixed("case.closed", state=table.name, outcome=table.final)
        self.task = (
            writer.fixed("task.assigned", state=table.name, role=table.owner)
            if table.owner is not None and table.final is None
            else None
        )
        self.ways: dict[str, tuple[LiveWay, ...]] = {}
        self.afters: tuple[LiveAfter, ...] = ()
        self.enter: LiveEffects | None = None
        self.leave: LiveEffects | None = None
        self.starting: Operations = ()
        self.heat: dict[str, int] = {}
        self.moves: dict[str, Move] = {}
        self.opening: Opening | None = None


class LiveProgram:
    """A program that can be stepped. ``place`` orders flows that act at one instant."""

    __slots__ = (
        "clocks",
        "counts_visits",
        "events",
        "every",
        "flow",
        "head",
        "key",
        "listens_to_met",
        "place",
        "program",
        "reads",
        "required",
        "starts",
        "states",
        "stratum",
        "tail",
        "writer",
    )

    def __init__(self, place: int, program: Program, bundle: Bundle) -> None:
        from carepolicy.engine.linking import link

        self.place = place
        self.program = program
        self.flow = program.flow
        self.key = program.key
        self.stratum = program.stratum
        self.events = program.events
        self.every = program.every
        self.required = program.required
        self.writer = Writer(bundle.organisation, program)
        self.tail = self.writer.tail
        self.head = f'{{"specversion":"{SPECVERSION}","id":"{quoted(program.flow)[1:-1]}/'
        self.clocks = tuple(
            LiveClock(index, table, bundle.calendars, self.writer) for index, table in enumerate(program.clocks)
        )
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
        self.states = tuple(LiveState(index, table, self.writer) for index, table in enumerate(program.states))
        self.starts = {event: self.states[index] for event, index in program.starts.items()}
        link(self, bundle)


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
