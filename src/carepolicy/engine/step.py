"""One subject's cases, stepped: timers that fell due, then the event, in the order that the language gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from carepolicy.engine import rounds
from carepolicy.engine.case import Case, Round
from carepolicy.engine.effects import MASK, CaseValues, arguments_json, assign_task
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.rounds import NOTHING, look_again, operate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carepolicy.engine.live import LiveAfter, LiveProgram, LiveState, LiveWay
    from carepolicy.machine.messages import Template
    from carepolicy.machine.program import ArgumentTable, Bundle, OpenTable, RaiseTable

AT_ONE_INSTANT = 1_000
"""So many timers of one case may fire at one instant; more are a loop of the policy, which is cut."""


class Raised:
    """An event that a transition raised for another key; ``data`` holds values as facts hold them."""

    __slots__ = ("data", "event", "id", "subject", "time")

    def __init__(self, identity: str, event: str, subject: str, time: int, data: dict[str, Any]) -> None:
        self.id = identity
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


class Subject:
    """All open cases about one thing, and what must be remembered when they are closed."""

    __slots__ = ("cases", "last", "name", "next", "openings", "sequences")

    def __init__(self, name: str) -> None:
        self.name = name
        self.cases: dict[int, Case] = {}
        self.sequences: dict[int, int] = {}
        self.openings: dict[int, Opening] = {}
        self.last = -NEVER
        self.next = NEVER


class Stepper:
    """Steps subjects. Records are appended to ``out`` as lines of JSON, raised events to ``raised``.

    It holds no state of any subject, reads no clock of the machine and does no input or output: the
    same subject, event and policies give the same lines.
    """

    def __init__(self, bundle: Bundle, programs: Iterable[LiveProgram], reveal: bool = False) -> None:
        self.out: list[str] = []
        self.raised: list[Raised] = []
        self.lates = 0
        self.to_open: list[tuple[OpenTable, Case]] = []
        self.reveal = reveal
        self.facts = bundle.facts
        self._languages = bundle.languages
        self._calendars = bundle.calendars
        self._defaults = {name: fact.default for name, fact in bundle.facts.items() if fact.default is not None}
        self.programs = {program.flow: program for program in programs}

    # -- what comes in ---------------------------------------------------------------------------

    def open_case(
        self, subject: Subject, program: LiveProgram, state: LiveState, now: int, facts: dict[str, Any], received: int
    ) -> Case:
        """Open a case of ``program`` in ``state``. ``facts`` become the case's own."""
        case = Case.about(subject.name, program, subject.sequences.get(program.place, 0))
        case.facts = facts
        case.opened = case.now = now
        case.received = received
        subject.cases[program.place] = case
        when = text_of(now)
        case.sequence = sequence = case.sequence + 1
        self.out.append(state.opened % (case.identity, sequence, case.subject_json, when, sequence))
        self._enter(case, state, state.starting, now, when, NOTHING)
        self._after_step(subject, case, now)
        return case

    def deliver(self, subject: Subject, case: Case, event: str, now: int, when: str, data: dict[str, Any]) -> bool:
        """Give an event to a case; False where no transition of its state takes it, and nothing changed."""
        case.now = now
        ways = case.state.ways.get(event)
        if ways is None:
            return False
        facts = case.facts
        if data:
            case.facts = {**facts, **data}
            if None in data.values():
                case.facts = {fact: value for fact, value in case.facts.items() if value is not None}
        for way in ways:
            if way.when is None or way.when(case.facts, data, case):
                self._take(case, way, now, when, data)
                self._after_step(subject, case, now)
                return True
        case.facts = facts
        return False

    def fire(self, subject: Subject, until: int, inclusive: bool) -> None:
        """Fire the timers of a subject that fall due before ``until`` (and at it, where they are strict or
        ``inclusive``), in the order of (time, flow, place in the file)."""
        fired_at, count = -NEVER, 0
        while subject.next <= until:
            due, case, timer = self._first(subject)
            if due == until and not inclusive and not self._strict(timer, due):
                return
            now = max(due, subject.last)
            count = count + 1 if now == fired_at else 0
            fired_at = now
            subject.last = now
            if case is None:
                self._open_now(subject, timer, now)
            elif count > AT_ONE_INSTANT:
                case.afters = []
                self.plan(subject)
            else:
                case.now = now
                self._fire_one(subject, case, timer, now)

    def _open_now(self, subject: Subject, opening: Opening, now: int) -> None:
        program = opening.program
        if program.place not in subject.cases and program.every is not None:
            self.open_case(subject, program, program.states[program.every.state], now, {}, now)
        self.open_by_time(subject, program, opening)

    def open_by_time(self, subject: Subject, program: LiveProgram, after: Opening | None = None) -> None:
        """Note when ``program`` next opens a case about ``subject`` by itself."""
        every = program.every
        assert every is not None, "only a flow with every: opens cases by time"
        number = 0 if after is None else after.number + 1
        due: int | None = every.starting
        if number:
            period = replace(every.period, amount=every.period.amount * number)
            due = self._calendars[every.calendar].add_us(every.starting, period)
        if due is not None:
            subject.openings[program.place] = Opening(program, number, due)
        self.plan(subject)

    # -- timers ----------------------------------------------------------------------------------

    def _first(self, subject: Subject) -> tuple[int, Case | None, Any]:
        """The timer that fires next: (due, case, its round or (due, place, after) or an opening)."""
        best: tuple[tuple[int, int, int], Case | None, Any] | None = None
        for place, case in subject.cases.items():
            if case.next > subject.next:
                continue
            for held in case.rounds:
                if held is not None and held.next != NEVER:
                    key = (held.next, place, held.clock.place)
                    if best is None or key < best[0]:
                        best = (key, case, held)
            for timer in case.afters:
                key = (timer[0], place, timer[1])
                if best is None or key < best[0]:
                    best = (key, case, timer)
        for place, opening in subject.openings.items():
            key = (opening.due, place, -1)
            if best is None or key < best[0]:
                best = (key, None, opening)
        assert best is not None, "a subject's next due time belongs to one of its timers"
        return best[0][0], best[1], best[2]

    def _strict(self, timer: Any, due: int) -> bool:
        return isinstance(timer, Round) and timer.due == due and timer.limit.strict

    def _fire_one(self, subject: Subject, case: Case, timer: Any, now: int) -> None:
        when = text_of(now)
        if not isinstance(timer, Round):
            case.afters.remove(timer)
            after: LiveAfter = timer[2]
            self._try(case, after.ways, now, when)
        elif timer.next >= timer.due:
            self.lates += 1
            rounds.fall_late(self.out, case, timer, when, now)
            if not self._try(case, case.state.ways.get(timer.clock.late_trigger, ()), now, when):
                case.pending.append(timer.clock)
        else:
            rounds.warn(self.out, case, timer, when, now)
            self._try(case, case.state.ways.get(timer.clock.warned_trigger, ()), now, when)
        self._after_step(subject, case, now)

    def _try(self, case: Case, ways: tuple[LiveWay, ...], now: int, when: str) -> bool:
        for way in ways:
            if way.when is None or way.when(case.facts, NOTHING, case):
                self._take(case, way, now, when, NOTHING)
                return True
        return False

    # -- one transition --------------------------------------------------------------------------

    def _take(self, case: Case, way: LiveWay, now: int, when: str, event: Mapping[str, Any]) -> None:
        """Leave effects, transition effects, clocks, enter effects."""
        target = way.to
        changed = event
        before = case.facts
        if target is None:
            if way.effects is not None:
                way.effects.run(self, case, now, when, event)
                if case.assigned is not None:
                    assign_task(self, case, case.state, when)
            for clock, operation in way.ops:
                operate(self.out, case, clock, operation, now, when)
        else:
            if case.state.leave is not None:
                case.state.leave.run(self, case, now, when, event)
            if way.effects is not None:
                way.effects.run(self, case, now, when, event)
            case.sequence = sequence = case.sequence + 1
            self.out.append(way.moved % (case.identity, sequence, case.subject_json, when, sequence))
            self._enter(case, target, way.ops, now, when, event)
        if (changed or case.facts is not before) and not case.closed:
            self._facts_changed(case, changed, before, now, when)

    def _enter(
        self,
        case: Case,
        state: LiveState,
        ops: Iterable[tuple[Any, int]],
        now: int,
        when: str,
        event: Mapping[str, Any],
    ) -> None:
        case.state = state
        case.entered = now
        case.visited[state.name] = case.visited.get(state.name, 0) + 1
        if state.channel is not None:
            case.channel = state.channel
        met = self._operate(case, ops, now, when)
        if state.final is None:
            case.afters = self._afters(case, state, now) if state.afters else []
            assign_task(self, case, state, when)
        if state.enter is not None:
            state.enter.run(self, case, now, when, event)
        if state.final is not None:
            self._close(case, state, when)
            return
        for trigger in met:
            if trigger in case.state.ways and not case.closed:
                self._try(case, case.state.ways[trigger], now, when)
        if case.pending:
            self._take_pending(case, now, when)

    def _operate(self, case: Case, ops: Iterable[tuple[Any, int]], now: int, when: str) -> list[str]:
        """Do what a move does to the clocks; the triggers of those that were met by it."""
        met = []
        for clock, operation in ops:
            held = case.rounds[clock.index]
            operate(self.out, case, clock, operation, now, when)
            if held is not None and not held.late and case.rounds[clock.index] is None:
                met.append(clock.met_trigger)
        return met

    def _take_pending(self, case: Case, now: int, when: str) -> None:
        """Lateness that no state listened to is taken by the first state that does."""
        for clock in list(case.pending):
            held = case.rounds[clock.index]
            if held is None or not held.late:
                case.pending.remove(clock)
            elif self._pending_way(case, clock.late_trigger):
                case.pending.remove(clock)
                self._try(case, case.state.ways[clock.late_trigger], now, when)
                return

    def _pending_way(self, case: Case, trigger: str) -> bool:
        ways = case.state.ways.get(trigger, ())
        return any(way.when is None or way.when(case.facts, NOTHING, case) for way in ways)

    def _afters(self, case: Case, state: LiveState, entered: int) -> list[tuple[int, int, LiveAfter]]:
        found = []
        for after in state.afters:
            due = after.due(entered, case.facts)
            if due is not None:
                found.append((due, after.place, after))
        return found

    def _facts_changed(
        self, case: Case, event: Mapping[str, Any], before: Mapping[str, Any], now: int, when: str
    ) -> None:
        """Look up again what reads a fact that the event brought or an effect set."""
        reads = case.program.limit_reads
        if reads:
            for clock in case.program.clocks:
                if clock.reads and (
                    not clock.reads.isdisjoint(event)
                    or any(before.get(fact) != case.facts.get(fact) for fact in clock.reads)
                ):
                    look_again(self.out, case, clock, now, when)
        for after in case.state.afters:
            if after.limit.reads and any(timer[2] is after for timer in case.afters):
                case.afters = [timer for timer in case.afters if timer[2] is not after]
                due = after.due(case.entered, case.facts)
                if due is not None:
                    case.afters.append((due, after.place, after))

    def _close(self, case: Case, state: LiveState, when: str) -> None:
        case.closed = True
        case.afters = []
        case.sequence = sequence = case.sequence + 1
        self.out.append(state.closed % (case.identity, sequence, case.subject_json, when, sequence))

    def _after_step(self, subject: Subject, case: Case, now: int) -> None:
        if case.closed:
            del subject.cases[case.program.place]
            subject.sequences[case.program.place] = case.sequence
        while self.to_open:
            self._open_other(subject, *self.to_open.pop(0), now)
        self.plan(subject)

    def plan(self, subject: Subject) -> None:
        """Note when the subject's next timer falls due."""
        soonest = NEVER
        for case in subject.cases.values():
            due = NEVER
            for held in case.rounds:
                if held is not None and held.next < due:
                    due = held.next
            for timer in case.afters:
                if timer[0] < due:
                    due = timer[0]
            case.next = due
            if due < soonest:
                soonest = due
        for opening in subject.openings.values():
            soonest = min(soonest, opening.due)
        subject.next = soonest

    def _open_other(self, subject: Subject, table: OpenTable, opener: Case, now: int) -> None:
        program = self.programs[table.flow]
        if program.place in subject.cases:
            return
        state = program.starts[table.on] if table.on is not None else next(iter(program.starts.values()))
        received = opener.received if table.keep_time else now
        self.open_case(subject, program, state, now, dict(opener.facts), received)

    # -- what effects need -----------------------------------------------------------------------

    def set_fact(self, case: Case, fact: str, value: Any) -> None:
        """Set a fact of a case, or take its value away (None)."""
        facts = dict(case.facts)
        if value is None:
            facts.pop(fact, None)
        else:
            facts[fact] = value
        case.facts = facts

    def facts_with_defaults(self, case: Case) -> Mapping[str, Any]:
        """The facts of a case, with the declared default of each that has no value."""
        return {**self._defaults, **case.facts}

    def language(self, case: Case, templates: Mapping[str, Template]) -> str:
        """The language for a customer: theirs where the template has it, else the first of the set that it has."""
        wanted = case.facts.get("customer.language", self._defaults.get("customer.language"))
        if isinstance(wanted, str) and wanted in templates:
            return wanted
        return next((each for each in self._languages if each in templates), next(iter(templates)))

    def notice(self, case: Case, texts: Mapping[str, Template]) -> str:
        """The text of an internal notice, in the organisation's first language."""
        if not texts:
            return f"{case.program.program.title}: {case.state.name}"
        language = next((each for each in self._languages if each in texts), next(iter(texts)))
        text: str = texts[language].render(CaseValues(self, case), self.reveal)[1]
        return text

    def arguments(self, case: Case, arguments: tuple[ArgumentTable, ...], event: Mapping[str, Any]) -> str:
        """The arguments of an action as JSON."""
        return arguments_json(arguments, case, event, self.reveal)

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
        self.raised.append(
            Raised(
                f"{case.identity}{case.sequence}/{len(self.raised)}",
                raised.event,
                str(subject),
                now,
                {name: value for name, value in values if value is not None},
            )
        )
