"""One subject's cases, stepped: timers that fell due, then the event, in the order that the language gives."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from carepolicy.engine import clocks, codes
from carepolicy.engine.absences import Absences
from carepolicy.engine.case import Case, Notice, Notices, Opening, Raised, Subject
from carepolicy.engine.clocks import begin_anew, forget_lateness, look_again
from carepolicy.engine.effects import assign_task
from carepolicy.engine.facts import NO_DATA
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.record import HeardList, Record, Told
from carepolicy.engine.round import Round, due_of
from carepolicy.engine.timers import first_strict, first_timer, is_strict, trigger_of
from carepolicy.policy.characters import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from carepolicy.engine.case import LiveAfter, LiveProgram, LiveState, LiveWay, Operation, Operations, Private, Said
    from carepolicy.engine.record import Data, Hearer, Written
    from carepolicy.engine.round import LiveClock
    from carepolicy.machine.program import Bundle, OpenTable, RaiseTable, SpendTable
    from carepolicy.machine.template import Template


NO_PLACES: frozenset[int] = frozenset()

DEEPEST = 100
"""So many clocks that are met and openings of cases may cause one another, each the next, before that is cut."""

AT_ONE_STEP = 1_000
"""So many of them may come of one event or timer altogether."""

NOTICE = "notice.requested"

ENDLESS = "what is caused here causes itself again, without time passing"

AT_ONE_INSTANT = 1_000
"""So many timers of one case may fire at one instant; more are a loop of the policy, which is cut."""

IN_A_LIFE = 100_000
"""So many timers may fire in the life of a case: one an hour does for eleven years. More are a loop too."""


class Stepper:
    """Steps subjects. Records are appended to ``out``, raised events to ``raised``.

    It holds no state of any subject, reads no clock of the machine and does no input or output: the
    same subject, event and policies give the same records. ``starting`` are the places of programs that the event at
    hand starts itself: what it causes in others opens no case of them. ``overspent`` says why a transition was refused
    that would have given away more than the role may, until that is written down. ``as_lines`` lets moves write
    records as lines at once (passages), for programs that nobody else steps; a ``hearer`` hears each record at once,
    and what moves tell as it wants them to.
    """

    def __init__(
        self,
        bundle: Bundle,
        programs: Iterable[LiveProgram],
        reveal: bool = False,
        as_lines: bool = False,
        hearer: Hearer | None = None,
    ) -> None:
        self.out: list[Written] = [] if hearer is None else HeardList(hearer)
        self.as_lines = as_lines
        self.hearer = hearer
        self.raised: list[Raised] = []
        self.to_open: list[tuple[OpenTable, Case]] = []
        self.to_hold: list[Notices] = []
        self.reveal = reveal
        self.unmasked: dict[tuple[str, str, int], tuple[Data, Private]] | None = None
        self.facts = bundle.facts
        self.calendars = bundle.calendars
        self.programs = {program.flow: program for program in programs}
        self.starting = NO_PLACES
        self.overspent: str | None = None
        self.absences = Absences(bundle) if bundle.absences else None
        self._languages = bundle.languages
        self._defaults = {name: fact.default for name, fact in bundle.facts.items() if fact.default is not None}
        self._depth = self._caused = 0

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
        return self.interpret_opening(subject, program, state, now, when, facts, received)

    def interpret_opening(
        self,
        subject: Subject,
        program: LiveProgram,
        state: LiveState,
        now: int,
        when: str,
        facts: dict[str, Any],
        received: int,
    ) -> Case:
        """As ``open_case``, step by step."""
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
        move = case.state.moves.get(event)
        if move is not None and not (data and None in data.values()):
            return move(self, subject, case, now, when, data)
        return self.interpret(subject, case, event, now, when, data)

    def interpret(self, subject: Subject, case: Case, event: str, now: int, when: str, data: dict[str, Any]) -> bool:
        """As ``deliver``, step by step."""
        ways = case.state.ways.get(event)
        if ways is None:
            return False
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
                self.take(case, way, now, when, data)
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

    def take(self, case: Case, way: LiveWay, now: int, when: str, event: Mapping[str, Any]) -> None:
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
        case.afters = self.timers_of(case, state, now) if state.afters else ()
        if case.assigned is not None:
            assign_task(self, case, state, when)
        else:
            case.holder = None
            if state.task is not None:
                self.tell_owner(case, state, when)
        if state.enter is not None:
            known = case.facts
            state.enter.run(self, case, now, when, event)
            if case.assigned is not None:
                assign_task(self, case, state, when)
            self.look_at_facts(case, known, now, when)
        if met and program.listens_to_met:
            self._take_met(case, met, now, when)
        if case.pending:
            self.take_pending(case, now, when)

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

    def take_pending(self, case: Case, now: int, when: str) -> None:
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
                self.take(case, way, now, when, NO_DATA)
                return True
        return False

    def timers_of(self, case: Case, state: LiveState, entered: int) -> tuple[tuple[int, int, LiveAfter], ...]:
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
        """After a step of a case: let go of a closed one, let notices wait, open what it opens, note what falls due
        next."""
        if case.closed:
            subject.drop(case.program.place)
            subject.sequences = {**subject.sequences, case.program.place: case.sequence}
        while self.to_hold:
            subject.wait(self.to_hold.pop(0))
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

    # -- what falls due --------------------------------------------------------------------------

    def fire(self, subject: Subject, until: int, inclusive: bool) -> None:
        """Fire the timers of a subject that fall due before ``until`` (and at it, where they are strict or
        ``inclusive``), in the order of (time, flow, place in the file)."""
        fired_at, count = -NEVER, 0
        while subject.next <= until:
            due, case, timer = first_timer(subject)
            if due == until and not inclusive and not is_strict(timer, due):
                case, timer = first_strict(subject, until)
                if timer is None:
                    return
            now = max(due, subject.last)
            if isinstance(timer, Notices):
                self._tell_waiting(subject, timer, now)
                continue
            count = count + 1 if now == fired_at else 0
            fired_at = now
            subject.last = now
            if case is None:
                self._open_now(subject, timer, now)
            elif count > AT_ONE_INSTANT:
                self._cut(subject, case, timer, now, f"{AT_ONE_INSTANT:,} timers have fired at this instant")
                count = 0
            elif case.fired >= IN_A_LIFE:
                self._cut(subject, case, timer, now, f"{IN_A_LIFE:,} timers have fired in this case", NEVER)
            else:
                case.now = now
                case.fired += 1
                self._fire_one(subject, case, timer, now)

    def _cut(self, subject: Subject, case: Case, timer: Any, now: int, why: str, by: int | None = None) -> None:
        """End a loop of timers: what is due by then in the case does not fire any more, nor do timers of its state."""
        self.refuse_loop(case, trigger_of(timer), text_of(now), why)
        case.afters = ()
        for held in case.rounds:
            if held is not None and held.next <= (now if by is None else by):
                held.next = NEVER
        self.plan(subject)

    def refuse_loop(self, case: Case, trigger: str, when: str, why: str) -> None:
        """Write down that what a case causes by itself is cut, as it would not end."""
        reason = f"{why}: the loop is cut here"
        told = {"event": {"type": trigger}, "code": codes.LOOP, "reason": reason, "state": case.state.name}
        self.out.append(case.record("event.rejected", when, Told(told)))

    def _tell_waiting(self, subject: Subject, waiting: Notices, now: int) -> None:
        """Tell notices that have waited for an opening, in the case of their flow that is open, or else after the last
        record of the one that was closed."""
        when, place = text_of(now), waiting.place
        subject.last = now
        subject.timers = {key: each for key, each in (subject.timers or {}).items() if each is not waiting}
        case = subject.cases.get(place)
        number = subject.sequences.get(place, 0) if case is None else case.sequence
        for program, notice in waiting.told:
            number += 1
            self.out.append(Record(program, subject.name, number, NOTICE, when, notice.told))
            if self.unmasked is not None and notice.whole is not None and notice.private is not None:
                self.unmasked[program.flow, subject.name, number] = notice.whole, notice.private
        if case is None:
            subject.sequences = {**subject.sequences, place: number}
        else:
            case.sequence = number
        self.plan(subject)

    def _open_now(self, subject: Subject, opening: Opening, now: int) -> None:
        program = opening.program
        if program.place not in subject.cases and program.every is not None:
            self.open_case(subject, program, program.states[program.every.state], now, text_of(now), {}, now)
        self.open_by_time(subject, program, opening)

    def open_by_time(self, subject: Subject, program: LiveProgram, after: Opening | None = None) -> None:
        """Note when ``program`` next opens a case about ``subject`` by itself."""
        every = program.every
        assert every is not None, "only a flow with every: opens cases by time"
        number = 0 if after is None else after.number + 1
        due = every.starting
        if number:
            period = every.period.times(number)
            due = due_of(self.calendars[every.calendar], period, every.starting, {})
        timers = {key: each for key, each in (subject.timers or {}).items() if key != program.place}
        subject.timers = timers if due == NEVER else {**timers, program.place: Opening(program, number, due)}
        self.plan(subject)

    def _fire_one(self, subject: Subject, case: Case, timer: Any, now: int) -> None:
        when = text_of(now)
        if not isinstance(timer, Round):
            case.afters = () if len(case.afters) == 1 else tuple(each for each in case.afters if each is not timer)
            after: LiveAfter = timer[2]
            if after.move is None:
                taken = self.interpret_timer(subject, case, after, now, when)
            else:
                taken = after.move(self, subject, case, now, when, NO_DATA)
            self.tell_overspent(case, after.trigger, when)
            if taken:
                return
        elif timer.next >= timer.due:
            clocks.fall_late(self.out, case, timer, when, now)
            if self._hear(subject, case, timer.clock.late_trigger, now, when):
                return
            case.pending = (*case.pending, timer.clock)
        else:
            clocks.warn(self.out, case, timer, when, now)
            if self._hear(subject, case, timer.clock.warned_trigger, now, when):
                return
        self.settle(subject, case, now)

    def interpret_timer(self, subject: Subject, case: Case, after: LiveAfter, now: int, when: str) -> bool:
        """Let a timer of a state fire, step by step; False where no transition takes it."""
        if not self.try_ways(case, after.ways, now, when):
            return False
        self.settle(subject, case, now)
        return True

    def _hear(self, subject: Subject, case: Case, trigger: str, now: int, when: str) -> bool:
        """Let a case take what its own clock tells; False where it does not listen."""
        taken = self.deliver(subject, case, trigger, now, when, NO_DATA)
        self.tell_overspent(case, trigger, when)
        return taken

    def tell_overspent(self, case: Case, trigger: str, when: str) -> None:
        """Write down that a transition of a clock or a timer was not taken, as it would give away too much."""
        if self.overspent is not None:
            reason, self.overspent = self.overspent, None
            told = {"event": {"type": trigger}, "code": codes.AUTHORITY, "reason": reason, "state": case.state.name}
            self.out.append(case.record("event.rejected", when, Told(told)))

    def plan(self, subject: Subject) -> None:
        """Note when the subject's next timer falls due."""
        soonest = NEVER
        for case in subject.cases.values():
            due = NEVER
            for held in case.rounds:
                if held is not None and held.next < due:
                    due = held.next
            if case.afters:
                due = min(due, min(case.afters)[0])
            case.next = due
            if due < soonest:
                soonest = due
        if subject.timers:
            soonest = min(soonest, *(own.due for own in subject.timers.values()))
        subject.next = soonest

    # -- what effects need -----------------------------------------------------------------------

    def set_fact(self, case: Case, fact: str, value: Any) -> None:
        """Set a fact of a case, or take its value away (None)."""
        facts = dict(case.facts)
        if value is None:
            facts.pop(fact, None)
        else:
            facts[fact] = value
        case.facts = facts

    def value(self, case: Case, fact: str) -> Any:
        """The value of a fact for a case, or else its declared default; None where there is neither."""
        return case.facts.get(fact, self._defaults.get(fact))

    def language(self, case: Case, templates: Mapping[str, Template]) -> str:
        """The language for a customer: theirs where the template has it, or that of another region, else the first of
        the set that it has."""
        wanted = case.facts.get("customer.language", self._defaults.get("customer.language"))
        if isinstance(wanted, str):
            if wanted in templates:
                return wanted
            from carepolicy.machine.locales import nearest_language

            if (near := nearest_language(wanted, templates)) is not None:
                return near
        return next((each for each in self._languages if each in templates), next(iter(templates)))

    def write(self, case: Case, said: Said, when: str, event: Mapping[str, Any]) -> None:
        """Write the record of what an effect says; the private facts in it are masked, and kept beside it where they
        are asked for. A hearer is told only what is known of it before the case."""
        if self.hearer is not None:
            self.hearer.hear(case.record(said.kind, when, said.known))
            return
        told = said.data(self, case, event, self.reveal)
        self.out.append(case.record(said.kind, when, told))
        if self.unmasked is not None and not self.reveal:
            whole = self._whole(case, said, told, event)
            if whole is not None:
                self.unmasked[case.program.flow, case.subject, case.sequence] = whole

    def hold(self, case: Case, said: Said, due: int, event: Mapping[str, Any]) -> None:
        """Let a notice that an effect tells wait until ``due``. It says what is so now."""
        told = said.data(self, case, event, self.reveal)
        whole = None
        if self.unmasked is not None and not self.reveal:
            whole = self._whole(case, said, told, event)
        notice = Notice(told) if whole is None else Notice(told, *whole)
        self.to_hold.append(Notices(case.program.place, due, [(case.program.id, notice)]))

    def _whole(self, case: Case, said: Said, told: Data, event: Mapping[str, Any]) -> tuple[Data, Private] | None:
        """What an effect says without masks, and the private facts in it; None where nothing is masked in ``told``."""
        private = said.private(case)
        if not any(private.values()):
            return None
        whole = said.data(self, case, event, True)
        return None if whole == told else (whole, private)

    def tell_owner(self, case: Case, state: LiveState, when: str) -> None:
        """Write that the owner of a state, if it has one, has the work; or who stands in."""
        told: Told | None = state.task
        if told is not None and self.absences is not None and self.absences.concerns(told["role"]):
            told = Told(state=state.name, role=self.absences.role_at(told["role"], case.now))
        if told is not None:
            self.out.append(case.record("task.assigned", when, told))

    def shown_person(self, case: Case, person: Any) -> str:
        """A person's name as a record may bear it."""
        hidden = any(fact.private and case.facts.get(name) == person for name, fact in self.facts.items())
        return MASK if hidden and not self.reveal else str(person)

    def raise_event(self, case: Case, raised: RaiseTable, now: int, event: Mapping[str, Any]) -> None:
        """Note an event for another key; without a subject there is nobody to tell."""
        subject = raised.subject(case.facts, event, case)
        if subject is None:
            return
        values = ((name, function(case.facts, event, case)) for name, function in raised.data)
        data = {name: value for name, value in values if value is not None}
        origin = (now, case.subject, case.program.flow, case.sequence)
        number = self.raised[-1].number + 1 if self.raised and self.raised[-1].origin == origin else 0
        self.raised.append(Raised(origin, number, raised.event, str(subject), data))


def _may_differ(
    reads: frozenset[str], event: Mapping[str, Any], before: Mapping[str, Any], facts: Mapping[str, Any]
) -> bool:
    """Whether one of the facts that something reads came with an event, or is another than before."""
    return not reads.isdisjoint(event) or any(before.get(fact) != facts.get(fact) for fact in reads)
