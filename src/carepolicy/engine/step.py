"""One subject's cases, stepped: timers that fell due, then the event, in the order that the language gives."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from carepolicy.engine.case import Case
from carepolicy.engine.effects import assign_task
from carepolicy.engine.instants import text_of
from carepolicy.engine.limitchanges import look_again
from carepolicy.engine.rounds import begin_anew, forget_lateness
from carepolicy.engine.subject import Subject
from carepolicy.engine.telling import Telling
from carepolicy.engine.timers import Timers
from carepolicy.engine.values import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.engine.live import LiveAfter, LiveProgram, LiveState, LiveWay, Operations
    from carepolicy.engine.liveclocks import LiveClock
    from carepolicy.engine.rounds import Operation
    from carepolicy.machine.program import Bundle, OpenTable, SpendTable


OFTEN = 50
"""How often an event must have come in a state before its move is written out: that takes about as long as
a few hundred steps. A process that takes one event writes none, and does not import what does."""

NO_PLACES: frozenset[int] = frozenset()

DEEPEST = 100
"""So many clocks that are met and openings of cases may cause one another, each the next, before that is cut."""

AT_ONE_STEP = 1_000
"""So many of them may come of one event or timer altogether."""

ENDLESS = "what is caused here causes itself again, without time passing"


class Stepper(Telling, Timers):
    """Steps subjects. Records are appended to ``out``, raised events to ``raised``.

    It holds no state of any subject, reads no clock of the machine and does no input or output: the
    same subject, event and policies give the same records. ``starting`` are the places of programs that the event at
    hand starts itself: what it causes in others opens no case of them. ``overspent`` says why a transition was refused
    that would have given away more than the role may, until that is written down.
    """

    def __init__(self, bundle: Bundle, programs: Iterable[LiveProgram], reveal: bool = False) -> None:
        super().__init__(bundle, reveal)
        self.calendars = bundle.calendars
        self.starting = NO_PLACES
        self._depth = self._caused = 0
        self.overspent: str | None = None
        self.programs = {program.flow: program for program in programs}

    @property
    def lates(self) -> int:
        """How many rounds of clocks fell late so far."""
        return sum(clock.lates for program in self.programs.values() for clock in program.clocks)

    # -- what comes in ---------------------------------------------------------------------------

    def open_case(
        self,
        subject: Subject,
        program: LiveProgram,
        state: LiveState,
        now: int,
        when: str,
        facts: dict[str, Any],
        received: int,
    ) -> Case:
        """Open a case of ``program`` in ``state``. ``facts`` become the case's own."""
        if state.opening is not None:
            return state.opening(self, subject, now, when, facts, received)
        heat = state.heat[""] = state.heat.get("", 0) + 1
        if heat == OFTEN:
            from carepolicy.engine.moves import write_opening

            state.opening = write_opening(program, state)
        case = Case(program, subject.name, subject.sequences.get(program.place, 0))
        case.facts = facts
        case.opened = case.now = now
        case.received = received
        subject.put(program.place, case)
        self.out.append(case.record("case.opened", when, state.opened))
        self._enter(case, state, state.starting, now, when, NO_DATA, facts)
        self.settle(subject, case, now)
        return case

    def deliver(self, subject: Subject, case: Case, event: str, now: int, when: str, data: dict[str, Any]) -> bool:
        """Give an event to a case; False where no transition of its state takes it, and nothing changed."""
        state = case.state
        ways = state.ways.get(event)
        if ways is None:
            return False
        heat = state.heat[event] = state.heat.get(event, 0) + 1
        if heat == OFTEN:
            from carepolicy.engine.moves import write_move

            move = write_move(case.program, state, event)
            if move is not None:
                state.moves[event] = move
        case.now = now
        facts = case.facts
        if data:
            case.facts = {**facts, **data}
            if None in data.values():
                case.facts = {fact: value for fact, value in case.facts.items() if value is not None}
        for way in ways:
            if way.when is None or way.when(case.facts, data, case):
                if way.spends is not None and self._is_overspent(case, way.spends, data):
                    break
                self._take(case, way, now, when, data)
                self.settle(subject, case, now)
                return True
        case.facts = facts
        return False

    def _is_overspent(self, case: Case, spends: SpendTable, event: Mapping[str, Any]) -> bool:
        """Whether a transition would give away more than whoever acts may, or nobody knows how much. The amount itself
        is not told, as it may be private."""
        amount = spends.amount(case.facts, event, case)
        if amount is None:
            self.overspent = "nobody knows how much it would give away"
        elif amount > spends.most:
            self.overspent = f"it would give away more than the {spends.most} that {spends.role} may"
        return self.overspent is not None

    # -- one transition --------------------------------------------------------------------------

    def _take(self, case: Case, way: LiveWay, now: int, when: str, event: Mapping[str, Any]) -> None:
        """Leave effects, transition effects, clocks, enter effects."""
        before = case.facts
        target = way.to
        if target is None:
            self._stay(case, way, now, when, event, before)
        else:
            if case.state.leave is not None:
                case.state.leave.run(self, case, now, when, event)
            if way.effects is not None:
                way.effects.run(self, case, now, when, event)
            if way.moved is not None:
                self.out.append(case.record("case.moved", when, way.moved))
            self._enter(case, target, way.ops, now, when, event, before)

    def look_at_facts(self, case: Case, before: Mapping[str, Any], now: int, when: str) -> None:
        """Look up again what reads a fact that is another than ``before``."""
        if case.program.reads and case.facts is not before:
            self.operate(case, (), NO_DATA, before, now, when)
            self._look_at_timers(case)

    def _stay(
        self, case: Case, way: LiveWay, now: int, when: str, event: Mapping[str, Any], before: Mapping[str, Any]
    ) -> None:
        """A transition without a target: no leaving and entering again."""
        if way.effects is not None:
            way.effects.run(self, case, now, when, event)
            if case.assigned is not None:
                assign_task(self, case, case.state, when)
        self.operate(case, way.ops, event, before, now, when)
        if case.afters and case.program.reads:
            self._look_at_timers(case)

    def _enter(
        self, case: Case, state: LiveState, ops: Operations, now: int, when: str, event: Mapping[str, Any],
        before: Mapping[str, Any],
    ) -> None:  # fmt: skip
        program = case.program
        case.state = state
        case.entered = now
        if program.counts_visits:
            case.visit(state.name)
        if state.channel is not None:
            case.channel = state.channel
        met = self.operate(case, ops, event, before, now, when)
        if state.final is not None:
            if state.enter is not None:
                state.enter.run(self, case, now, when, event)
            self._close(case, state, when)
            return
        case.afters = self._afters(case, state, now) if state.afters else ()
        if case.assigned is not None:
            assign_task(self, case, state, when)
        else:
            case.holder = None
            if state.task is not None:
                self.out.append(case.record("task.assigned", when, state.task))
        if state.enter is not None:
            known = case.facts
            state.enter.run(self, case, now, when, event)
            self.look_at_facts(case, known, now, when)
        if met and program.listens_to_met:
            self._take_met(case, met, now, when)
        if case.pending:
            self._take_pending(case, now, when)

    def operate(
        self, case: Case, ops: Operations, event: Mapping[str, Any], before: Mapping[str, Any], now: int, when: str
    ) -> list[str]:
        """What a move does to the clocks, one after the other: its limit is looked up again where a fact that it reads
        came with the event or is another than ``before``; then it starts, pauses or whatever the state wants of it. The
        triggers of those that were met by it."""
        met: list[str] = []
        reads = case.program.reads
        if not reads or (case.facts is before and (not event or reads.isdisjoint(event))):
            for clock, operation in ops:
                self._operate_on(case, clock, operation, met, now, when)
            return met
        for clock in case.program.clocks:
            begun = case.rounds[clock.index] is not None
            if clock.reads and _may_differ(clock.reads, event, before, case.facts):
                look_again(self.out, case, clock, now, when)
            for each, operation in ops:
                if each is clock and (begun or operation is not begin_anew):
                    self._operate_on(case, clock, operation, met, now, when)
        return met

    def _operate_on(
        self, case: Case, clock: LiveClock, operation: Operation, met: list[str], now: int, when: str
    ) -> None:
        held = case.rounds[clock.index]
        operation(self.out, case, clock, now, when)
        if held is not None and not held.late and case.rounds[clock.index] is None:
            met.append(clock.met_trigger)

    def _take_met(self, case: Case, met: list[str], now: int, when: str) -> None:
        for trigger in met:
            if trigger in case.state.ways and not case.closed:
                with self._deeper() as goes_on:
                    if goes_on:
                        self.try_ways(case, case.state.ways[trigger], now, when)
                        self.tell_overspent(case, trigger, when)
                    else:
                        self.refuse_loop(case, trigger, when, ENDLESS)

    @contextmanager
    def _deeper(self) -> Iterator[bool]:
        """What comes of a step without an event or a timer of its own; False where it would not end."""
        if not self._depth:
            self._caused = 0
        self._caused += 1
        self._depth += 1
        try:
            yield self._depth <= DEEPEST and self._caused <= AT_ONE_STEP
        finally:
            self._depth -= 1

    def _take_pending(self, case: Case, now: int, when: str) -> None:
        """Lateness that no state listened to is taken by the first state that does; what takes it may lead on."""
        for clock in case.pending:
            held = case.rounds[clock.index]
            if held is None or not held.late:
                forget_lateness(case, clock)
            elif clock in case.pending and self._would_take(case, clock.late_trigger):
                forget_lateness(case, clock)
                self.try_ways(case, case.state.ways[clock.late_trigger], now, when)
                self.tell_overspent(case, clock.late_trigger, when)

    def _would_take(self, case: Case, trigger: str) -> bool:
        ways = case.state.ways.get(trigger, ())
        return any(way.when is None or way.when(case.facts, NO_DATA, case) for way in ways)

    def try_ways(self, case: Case, ways: tuple[LiveWay, ...], now: int, when: str) -> bool:
        """Take the first of some transitions whose guard holds; False where none does."""
        for way in ways:
            if way.when is None or way.when(case.facts, NO_DATA, case):
                if way.spends is not None and self._is_overspent(case, way.spends, NO_DATA):
                    break
                self._take(case, way, now, when, NO_DATA)
                return True
        return False

    def _afters(self, case: Case, state: LiveState, entered: int) -> tuple[tuple[int, int, LiveAfter], ...]:
        """The timers of a state; one whose fact has no value waits for it, and falls due never until then."""
        return tuple((after.due(entered, case.facts), after.place, after) for after in state.afters)

    def _look_at_timers(self, case: Case) -> None:
        """Work out again when timers of the state fall due that hang on facts."""
        for after in case.state.afters:
            if after.limit.reads and any(timer[2] is after for timer in case.afters):
                others = tuple(timer for timer in case.afters if timer[2] is not after)
                case.afters = (*others, (after.due(case.entered, case.facts), after.place, after))

    def _close(self, case: Case, state: LiveState, when: str) -> None:
        case.closed = True
        case.afters = ()
        self.out.append(case.record("case.closed", when, state.closed))

    def settle(self, subject: Subject, case: Case, now: int) -> None:
        """After a step of a case: let go of a closed one, open what it opens, note what falls due next."""
        if case.closed:
            subject.drop(case.program.place)
            subject.sequences = {**subject.sequences, case.program.place: case.sequence}
        while self.to_open:
            self._open_other(subject, *self.to_open.pop(0), now)
        self.plan(subject)

    def _open_other(self, subject: Subject, table: OpenTable, opener: Case, now: int) -> None:
        program = self.programs[table.flow]
        if program.place in subject.cases or program.place in self.starting:
            return
        state = program.starts[table.on] if table.on is not None else next(iter(program.starts.values()))
        received = opener.received if table.keep_time else now
        with self._deeper() as goes_on:
            if goes_on:
                self.open_case(subject, program, state, now, text_of(now), dict(opener.facts), received)
            else:
                self._refuse_opening(subject, table.flow, opener, now)

    def _refuse_opening(self, subject: Subject, flow: str, opener: Case, now: int) -> None:
        """Tell it in the case that wanted the opening, or, as that is closed, in the one that goes on in its place."""
        place = opener.program.place
        teller = subject.cases.get(place, opener)
        if teller.closed:
            teller.sequence = subject.sequences.get(place, teller.sequence)
        self.refuse_loop(teller, f"open {flow}", text_of(now), ENDLESS)
        if teller.closed:
            subject.sequences = {**subject.sequences, place: teller.sequence}


def _may_differ(
    reads: frozenset[str], event: Mapping[str, Any], before: Mapping[str, Any], facts: Mapping[str, Any]
) -> bool:
    """Whether one of the facts that something reads came with an event, or is another than before."""
    return not reads.isdisjoint(event) or any(before.get(fact) != facts.get(fact) for fact in reads)
