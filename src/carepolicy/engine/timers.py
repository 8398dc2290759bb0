"""Timers of a subject: clocks that warn or fall late, ``after``s, and cases that are opened by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine import codes, rounds
from carepolicy.engine.case import Round
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.live import due_of
from carepolicy.engine.record import Told
from carepolicy.engine.subject import Opening, Subject
from carepolicy.engine.values import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveAfter, LiveProgram, LiveState, LiveWay
    from carepolicy.engine.record import Record

AT_ONE_INSTANT = 1_000
"""So many timers of one case may fire at one instant; more are a loop of the policy, which is cut."""

IN_A_LIFE = 100_000
"""So many timers may fire in the life of a case: one an hour does for eleven years. More are a loop too."""


class Timers:
    """The part of a ``Stepper`` that lets time pass."""

    out: list[Record]
    overspent: str | None
    calendars: Mapping[str, Calendar]

    def fire(self, subject: Subject, until: int, inclusive: bool) -> None:
        """Fire the timers of a subject that fall due before ``until`` (and at it, where they are strict or
        ``inclusive``), in the order of (time, flow, place in the file)."""
        fired_at, count = -NEVER, 0
        while subject.next <= until:
            due, case, timer = self._first(subject)
            if due == until and not inclusive and not _is_strict(timer, due):
                case, timer = _first_strict(subject, until)
                if timer is None:
                    return
            now = max(due, subject.last)
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
        self.refuse_loop(case, _trigger_of(timer), text_of(now), why)
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
        openings = {place: each for place, each in (subject.openings or {}).items() if place != program.place}
        subject.openings = openings if due == NEVER else {**openings, program.place: Opening(program, number, due)}
        self.plan(subject)

    def _first(self, subject: Subject) -> tuple[int, Case | None, Any]:
        """The timer that fires next: (due, case, its round or (due, place, after) or an opening)."""
        only = subject.only
        if only is not None and not subject.openings:
            return only.next, only, _first_of(only)
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
        for place, opening in (subject.openings or {}).items():
            key = (opening.due, place, -1)
            if best is None or key < best[0]:
                best = (key, None, opening)
        assert best is not None, "a subject's next due time belongs to one of its timers"
        return best[0][0], best[1], best[2]

    def _fire_one(self, subject: Subject, case: Case, timer: Any, now: int) -> None:
        when = text_of(now)
        if not isinstance(timer, Round):
            case.afters = tuple(each for each in case.afters if each is not timer)
            after: LiveAfter = timer[2]
            self.try_ways(case, after.ways, now, when)
            self.tell_overspent(case, after.trigger, when)
        elif timer.next >= timer.due:
            rounds.fall_late(self.out, case, timer, when, now)
            if self._hear(subject, case, timer.clock.late_trigger, now, when):
                return
            case.pending = (*case.pending, timer.clock)
        else:
            rounds.warn(self.out, case, timer, when, now)
            if self._hear(subject, case, timer.clock.warned_trigger, now, when):
                return
        self.settle(subject, case, now)

    def _hear(self, subject: Subject, case: Case, trigger: str, now: int, when: str) -> bool:
        """Let a case take what its own clock tells; False where it does not listen."""
        move = case.state.moves.get(trigger)
        if move is not None:
            return move(self, subject, case, now, when, NO_DATA)
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
        if subject.openings:
            soonest = min(soonest, *(opening.due for opening in subject.openings.values()))
        subject.next = soonest

    def try_ways(self, case: Case, ways: tuple[LiveWay, ...], now: int, when: str) -> bool:
        """Take the first of some transitions whose guard holds; False where none does."""
        raise AssertionError("a stepper takes transitions")

    def deliver(self, subject: Subject, case: Case, event: str, now: int, when: str, data: dict[str, Any]) -> bool:
        """Give an event to a case; False where it does not take it."""
        raise AssertionError("a stepper delivers events")

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
        """Open a case of a program in a state."""
        raise AssertionError("a stepper opens cases")

    def settle(self, subject: Subject, case: Case, now: int) -> None:
        """See to what follows from a step of a case."""
        raise AssertionError("a stepper settles cases")


def _first_strict(subject: Subject, due: int) -> tuple[Case | None, Any]:
    """The first strict timer that falls due at an instant, whatever else does at it."""
    found: list[tuple[int, int, Case, Any]] = []
    for place, case in subject.cases.items():
        held_now = [held for held in case.rounds if held is not None and held.next == due]
        found += [(place, held.clock.place, case, held) for held in held_now if _is_strict(held, due)]
        found += [(place, timer[1], case, timer) for timer in case.afters if timer[0] == due and _is_strict(timer, due)]
    return min(found, key=lambda each: each[:2])[2:] if found else (None, None)


def _trigger_of(timer: Any) -> str:
    """What a timer is to a policy."""
    if not isinstance(timer, Round):
        trigger: str = timer[2].trigger
        return trigger
    return timer.clock.late_trigger if timer.next >= timer.due else timer.clock.warned_trigger


def _is_strict(timer: Any, due: int) -> bool:
    """Whether a timer comes before an event of the instant at which it falls due."""
    if isinstance(timer, Round):
        return timer.due == due and timer.limit.strict
    return isinstance(timer, tuple) and timer[2].limit.strict


def _first_of(case: Case) -> Any:
    """The timer of a case that fires next: a round or (due, place, after); of several at one instant the first in the
    file."""
    first: Any = None
    due, place = case.next, NEVER
    for held in case.rounds:
        if held is not None and held.next == due and held.clock.place < place:
            first, place = held, held.clock.place
    for timer in case.afters:
        if timer[0] == due and timer[1] < place:
            first, place = timer, timer[1]
    assert first is not None, "a case's next due time belongs to one of its timers"
    return first
