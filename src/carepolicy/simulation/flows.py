"""What a flow is to a simulation: for each state who works there and how long, and which way cases go on; for each
clock under which limit it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from carepolicy.machine.program import Phase
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, ELAPSED, MONTHS

if TYPE_CHECKING:
    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.machine.program import Bundle, ClockTable, Program, RuleTable
    from carepolicy.policy.limit import Limit
    from carepolicy.simulation.lengths import Draw

START, STOP, PAUSE, RESUME = range(4)
"""What a move does to a clock."""

Facts = dict[str, Any]
NO_EVENT: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A combination of facts that cases have, and its number."""

    number: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Choice:
    """A way that a case may take. A number between 0 and 1 is drawn, and the first way is taken whose ``upto`` is more.

    ``event`` is what happens then; ``to`` the state to which it leads by its place, -1 where the guards of the event
    decide; ``by_staff`` whether staff act.
    """

    upto: float
    event: str
    to: int
    by_staff: bool


@dataclass(slots=True, eq=False)
class State:
    """A state. ``role`` works there, None where nobody's work is needed; ``choices`` are the ways out, and where their
    shares end before 1, nobody acts. ``lates`` are the moves of clocks that fall late, by the clock's index; ``afters``
    the timers that move a case. ``actions`` are what a move to another state does to clocks, each with the
    clock's limits in the state that is moved to, as far as they are known."""

    index: int
    name: str
    final: str | None
    role: str | None
    kind: int
    work: Draw | None = None
    waits: Draw | None = None
    choices: tuple[Choice, ...] = ()
    ways: Mapping[str, tuple[RuleTable, ...]] = field(default_factory=dict)
    lates: dict[int, tuple[RuleTable, ...]] = field(default_factory=dict)
    afters: tuple[After, ...] = ()
    actions: tuple[tuple[Action, ...], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class After:
    """A timer that moves a case, and where to."""

    calendar: Calendar
    limit: Limit
    rules: tuple[RuleTable, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A limit in a calendar. Where it counts in a measure that can stand still, ``position`` and ``instant`` translate
    to and from that, None where that is the time itself; else (``fixed``) it falls due when it does."""

    limit: Limit
    calendar: Calendar
    rolls: bool
    fixed: bool
    strict: bool
    amount: int
    position: Callable[[int], int] | None
    instant: Callable[[int], int] | None

    @property
    def ordered(self) -> bool:
        """Whether what starts later falls due no earlier; months end on one day."""
        return all(each.kind != MONTHS for each in self.limit.all)

    def base(self, now: int) -> int:
        """Where an instant lies in its measure."""
        return now if self.position is None else self.position(now)

    def due_from(self, now: int) -> int:
        """When it falls due that starts now, and of which nothing is used."""
        if self.fixed:
            return starts_at(self, now)
        if self.position is None or self.instant is None:
            due = now + self.amount
        elif self.limit.kind == BUSINESS_DAYS:
            due = self.calendar.days_later(now, self.amount, self.limit.days)
        else:
            due = self.instant(self.position(now) + self.amount)
        return self.calendar.roll(due) if self.rolls else due

    def due(self, base: int) -> int:
        """When it falls due whose time used was nothing at ``base``."""
        due = base + self.amount if self.instant is None else self.instant(base + self.amount)
        return self.calendar.roll(due) if self.rolls else due


def term_of(limit: Limit, calendar: Calendar, rolls: bool) -> Term | None:
    """A limit as it is simulated; None for one that hangs on a fact, which nobody draws."""
    if limit.parts:
        return Term(limit, calendar, rolls, True, limit.strict, 0, None, None) if _are_free(limit.parts) else None
    if limit.fact is not None:
        return None
    position = instant = None
    if limit.kind == BUSINESS_TIME:
        position, instant = calendar.position, calendar.instant
    elif limit.kind == BUSINESS_DAYS:
        position, instant = calendar.day_position, calendar.day_instant
    fixed = limit.kind not in (ELAPSED, BUSINESS_TIME, BUSINESS_DAYS) or not limit.amount
    return Term(limit, calendar, rolls, fixed, limit.strict, limit.amount, position, instant)


def _are_free(parts: Sequence[Limit]) -> bool:
    return all(each.fact is None for each in parts)


@dataclass(slots=True, eq=False)
class Clock:
    """A clock. ``moves``: that it falls late takes cases elsewhere. ``goes_on``: it continues after a stop. ``terms``
    are its limits by the state and the number of what a case is like, as far as they are known."""

    index: int
    table: ClockTable
    moves: bool
    hangs: bool
    goes_on: bool
    terms: tuple[Terms, ...]


Terms = dict[int, Term | None]
"""Limits of a clock in a state, by the number of what a case is like."""

Action = tuple[Clock, int, Terms]
"""What a move does to a clock, and the limits of that in the state that is moved to."""


class Flow:
    """A flow as it is simulated. ``first`` is where cases begin."""

    def __init__(self, program: Program, bundle: Bundle, kinds: int) -> None:
        self.program = program
        self.name = program.flow
        self.counts_visits = program.counts_visits
        self.calendar: Calendar = bundle.calendars[program.calendar]
        self._calendars = bundle.calendars
        self.states = [
            State(number, each.name, each.final, each.owner, kinds + number, ways=each.ways)
            for number, each in enumerate(program.states)
        ]
        self.by_name = {each.name: each for each in self.states}
        self.first = self.states[next(iter(program.starts.values()))] if program.starts else None
        self.clocks: list[Clock] = []
        for number, clock in enumerate(program.clocks):
            self._add_clock(number, clock)
        afters: dict[tuple[int, Limit], After] = {}
        for state, table in zip(self.states, program.states, strict=True):
            state.afters = tuple(
                afters.setdefault(
                    (id(each.rules), each.limit), After(bundle.calendars[each.calendar], each.limit, each.rules)
                )
                for each in table.afters
                if each.limit.fact is None and any(rule.to >= 0 for rule in each.rules)
            )
            state.actions = tuple(tuple(self._actions(state.index, to)) for to in range(len(self.states)))
        self.opening = tuple(tuple(self._actions(None, to)) for to in range(len(self.states)))
        self.restarts = {
            event: tuple(each for each in self.clocks if event in each.table.restarts_on) for event in program.events
        }

    def _add_clock(self, number: int, table: ClockTable) -> None:
        moves = False
        for state in self.states:
            rules = state.ways.get(f"{table.name}.late", ())
            if any(rule.to >= 0 for rule in rules):
                state.lates[number] = rules
                moves = True
        hangs = any(each.limit.fact is not None or not _are_free(each.limit.parts or ()) for each in table.limits)
        self.clocks.append(Clock(number, table, moves, hangs, table.goes_on, tuple({} for _ in self.states)))

    def _actions(self, old: int | None, new: int) -> list[Action]:
        found: list[Action] = []
        for clock in self.clocks:
            before = Phase.STOPPED if old is None else clock.table.phases[old]
            after = self.phase(clock, new)
            if before == after:
                continue
            if after == Phase.STOPPED:
                found.append((clock, STOP, clock.terms[new]))
            elif after == Phase.PAUSED:
                if before == Phase.RUNNING:
                    found.append((clock, PAUSE, clock.terms[new]))
            else:
                found.append((clock, RESUME if before == Phase.PAUSED else START, clock.terms[new]))
        return found

    def phase(self, clock: Clock, state: int) -> Phase:
        """Whether a clock runs, pauses or stands in a state by its place."""
        return Phase.STOPPED if self.states[state].final is not None else clock.table.phases[state]

    def term(self, clock: Clock, state: int, profile: Profile) -> Term | None:
        """The limit of a clock for a case: the first whose guard holds."""
        terms = clock.terms[state]
        if profile.number not in terms:
            terms[profile.number] = self._term(clock.table, state, profile.facts)
        return terms[profile.number]

    def _term(self, table: ClockTable, state: int, facts: Facts) -> Term | None:
        for each in table.limits:
            if each.when is None or each.when(facts, NO_EVENT, None) is True:
                name = table.calendars[state] if each.calendars is None else each.calendars[state]
                return term_of(each.limit, self._calendars[name], each.rolls)
        return None


def starts_at(term: Term, now: int) -> int:
    """When a limit that starts now and cannot stand still falls due."""
    limit, calendar = term.limit, term.calendar
    if limit.parts:
        dues = [calendar.due_us(now, each, None, term.rolls) for each in limit.all]
        return min(each for each in dues if each is not None)
    due = calendar.due_us(now, limit, None, term.rolls)
    return now if due is None else due
