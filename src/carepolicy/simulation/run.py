"""One run of a simulation: the days of one seed, event by event.

Times are microseconds since 1970. What is drawn about a case hangs on the seed and on the case alone, not on what
happens to others: two runs of one seed with different staff meet the same cases, which want the same work (common
random numbers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING, Any

from carepolicy.cores import without_collector
from carepolicy.machine.program import Phase
from carepolicy.simulation.desks import Asked, Case, Desk, Line, Person, Round, Task
from carepolicy.simulation.flows import NO_EVENT, PAUSE, START, STOP, After
from carepolicy.simulation.roles import days_of, merged

if TYPE_CHECKING:
    from carepolicy.machine.program import RuleTable
    from carepolicy.simulation.flows import Choice, Clock, Profile, State, Term
    from carepolicy.simulation.scene import OpenClock, Scene, Stream

MASK = (1 << 64) - 1
STEP, ODD = 6364136223846793005, 1442695040888963407
"""Of the sequence of numbers that a case draws (Knuth's, MMIX)."""

EVEN = 1 / (1 << 64)


@dataclass(slots=True)
class DeskResult:
    """What became of a desk: work done, time worked and time there was, the waits of work that was begun (in hours),
    and how much waited at most and at the end."""

    done: int
    busy: int
    there: int
    waited: int
    begun: int
    p90: int
    longest: int
    left: int


@dataclass(slots=True)
class RunResult:
    """What became of one seed: by flow and clock the rounds that were met and late, by role its desk."""

    met: dict[tuple[str, str], int]
    late: dict[tuple[str, str], int]
    cases: Counter[str]
    closed: Counter[str]
    desks: dict[str, DeskResult]
    tasks: int
    lates: set[tuple[str, str, str]] = field(default_factory=set)


UNKNOWN: Any = object()
"""A limit that nobody has looked up yet."""

Due = tuple["Case", "Clock", "Round"]
"""A round of a clock that may fall late."""

Timed = tuple[int, "Case", int, After]
"""A timer of a visit of a state, and when it fires."""


class Source:
    """The cases that come to a flow in one run, and the chance by which their own sequences begin."""

    __slots__ = ("cases", "chance", "first", "flow", "opening")

    def __init__(self, stream: Stream, seed: int) -> None:
        self.flow = stream.flow
        self.first = stream.first
        self.opening = stream.flow.opening[stream.first.index]
        self.cases = stream.arrivals(Random(f"{seed}/times/{stream.flow.name}"))
        self.chance = Random(f"{seed}/cases/{stream.flow.name}")


class Run:
    """The days of one seed."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.seed = seed
        self._events: list[tuple[int, int, Callable[[Any, int], None], Any]] = []
        self._count = 0
        self._lines: dict[Term, Line] = {}
        self._timers: dict[After, Line] = {}
        self._met = {clock: 0 for each in scene.flows for clock in each.clocks}
        self._late = dict(self._met)
        self._cases = dict.fromkeys(scene.flows, 0)
        self._closed = dict.fromkeys(scene.flows, 0)
        self._lates: set[tuple[str, str, str]] = set()
        self._open: set[Case] = set()
        kinds: dict[str | None, list[int]] = {role.name: [] for role in scene.roles}
        for flow in scene.flows:
            for state in flow.states:
                if state.role in kinds:
                    kinds[state.role].append(state.kind)
        self.desks = {role.name: Desk(role, kinds[role.name]) for role in scene.roles}
        self._desk_of = {state: self.desks.get(state.role or "") for flow in scene.flows for state in flow.states}
        self._there = {name: self._staffed(desk) for name, desk in self.desks.items()}
        self._sources = [Source(each, seed) for each in scene.streams]

    # -- the loop ------------------------------------------------------------------------------------------

    def play(self) -> RunResult:
        """Let all days pass."""
        with without_collector():  # cases, rounds and tasks go when nothing refers to them
            self._begin_open()
            for each in self._sources:
                self._await(each)
            events, end = self._events, self.scene.end
            while events:
                now, _, handler, about = heappop(events)
                if now >= end:
                    break
                handler(about, now)
        return self._result()

    def _at(self, when: int, handler: Callable[[Any, int], None], about: Any) -> None:
        self._count += 1
        heappush(self._events, (when, self._count, handler, about))

    def _await_due(self, due: Due) -> None:
        """Await that a round falls late, which is most often called off, behind the others under its limit. Of which
        nothing was used, they fall due in the order in which they started: when, is worked out of the first alone."""
        held = due[2]
        term = held.term
        if held.base is not None:
            self._at(held.due() + (not term.strict), self._fall_due, due)
            return
        line = held.line = self._lines.get(term) or self._lines.setdefault(term, Line())
        line.waiting.append(due)
        if len(line.waiting) == 1:
            self._put_first(line)

    def _put_first(self, line: Line) -> None:
        held = line.waiting[0][2]
        line.head = held.due() + (not held.term.strict)
        self._at(line.head, self._next_due, line)

    def _next_due(self, line: Line, now: int) -> None:
        waiting = line.waiting
        self._fall_due(waiting[0], now)  # while it is there, nothing is put first
        waiting.popleft()[2].line = None
        while waiting and waiting[0][2].line is None:
            waiting.popleft()
        if waiting:
            self._put_first(line)

    def _await_timed(self, after: After, timed: Timed) -> None:
        """As ``_await_due``, for a timer."""
        line = self._timers.get(after)
        if line is None:
            line = self._timers[after] = Line()
        when = timed[0]
        if when < line.last:
            self._at(when, self._fire, timed)
            return
        line.last = when
        if not line.waiting:
            self._at(when, self._next_timed, line)
        line.waiting.append(timed)

    def _next_timed(self, line: Line, now: int) -> None:
        waiting = line.waiting
        self._fire(waiting[0], now)  # while it is there, nothing is put first
        waiting.popleft()
        while waiting and waiting[0][1].number != waiting[0][2]:
            waiting.popleft()
        if waiting:
            self._at(waiting[0][0], self._next_timed, line)

    # -- cases come ----------------------------------------------------------------------------------------

    def _await(self, source: Source) -> None:
        for when, profile in source.cases:
            self._at(when, self._arrive, (source, profile))
            return

    def _arrive(self, about: tuple[Source, Profile | None], now: int) -> None:
        source, profile = about
        self._await(source)
        draws = source.chance.getrandbits(64)
        if profile is None:
            draws = (draws * STEP + ODD) & MASK
            profile = self.scene.profile(draws * EVEN)
        flow = source.flow
        case = Case(flow, source.first, profile, draws, now)
        self._cases[flow] += 1
        self._open.add(case)
        for clock, _, terms in source.opening:
            self._start(case, clock, terms.get(profile.number, UNKNOWN), now)
        self._settle(case, now, None)

    def _begin_open(self) -> None:
        begin = self.scene.begin
        for number, each in enumerate(self.scene.opened):
            draws = Random(f"{self.seed}/open/{number}").getrandbits(64)
            case = Case(each.flow, each.state, self.scene.profile(draws * EVEN), draws, each.opened)
            case.known = each.subject
            self._open.add(case)
            for index, known in each.clocks.items():
                self._begin_clock(case, each.flow.clocks[index], known)
            self._settle(case, begin, None, each.since)

    def _begin_clock(self, case: Case, clock: Clock, known: OpenClock) -> None:
        term = case.flow.term(clock, case.state.index, case.profile)
        if term is None:
            return
        if known.limit and not term.fixed and term.limit.basis == known.basis:
            term = replace(term, amount=known.limit)  # what the case is like is drawn, and this is known
        held = case.rounds[clock.index] = Round(term, self.scene.begin, 0, known.due)
        held.running, held.late, held.used = known.running, known.late, known.used
        if known.running and not term.fixed:
            held.base = term.base(known.due) - term.amount
        if not known.late and known.running and clock.moves:
            when = max(known.due + (not term.strict), self.scene.begin)
            self._at(when, self._fall_due, (case, clock, held))

    # -- states --------------------------------------------------------------------------------------------

    def _move(self, case: Case, to: State, now: int) -> None:
        """Take a case to another state."""
        actions = case.state.actions[to.index]
        case.state = to
        for clock, action, terms in actions:
            if action == STOP:
                self._stop(case, clock, now)
            elif action == START:
                self._start(case, clock, terms.get(case.profile.number, UNKNOWN), now)
            elif action == PAUSE:
                self._pause(case, clock, now)
            else:
                self._resume(case, clock, now)
        self._settle(case, now, case.task)

    def _settle(self, case: Case, now: int, before: Task | None, since: int | None = None) -> None:
        """Let a case be in its state (``since`` then, where that is not now): timers run, and its work waits for
        somebody, or others are to act."""
        state = case.state
        case.number += 1
        if before is not None and before.person is None:
            before.dropped = True
            before.desk.waiting -= 1
            case.task = None
        if state.final is not None:
            self._closed[case.flow] += 1
            self._open.discard(case)
            return
        if case.flow.counts_visits:
            case.visits = {**(case.visits or {}), state.name: (case.visits or {}).get(state.name, 0) + 1}
        for after in state.afters:
            due = after.calendar.add_us(now if since is None else since, after.limit)
            if due is not None:
                self._await_timed(after, (due if due > now else now, case, case.number, after))
        if case.task is None:  # else somebody is at it, and finishes
            self._choose(case, now, before)

    def _choose(self, case: Case, now: int, before: Task | None) -> None:
        """Draw which way a case goes from its state, and let it wait for who is to act."""
        draws = case.draws = (case.draws * STEP + ODD) & MASK
        share = draws * EVEN
        state = case.state
        for choice in state.choices:
            if share < choice.upto:
                break
        else:
            return
        draws = case.draws = (draws * STEP + ODD) & MASK
        if not choice.by_staff:
            if state.waits is not None:
                self._at(now + state.waits(draws * EVEN), self._act, (case, case.number, choice))
            return
        length = max(state.work(draws * EVEN), 1) if state.work is not None else 1
        desk = self._desk_of[state]
        if desk is None:
            calendar = case.flow.calendar
            end = calendar.instant(calendar.position(now) + length)
            self._at(end, self._act, (case, case.number, choice))
            return
        first = desk.role.first
        rank = 0 if not first or any(case.profile.facts.get(fact) == value for fact, value in first) else 1
        joined = before.joined if before is not None and before.desk is desk else now
        self._count += 1
        task = case.task = Task(case, state, choice, desk, length, rank, joined, self._count)
        if desk.since <= now < desk.until or desk.is_open(now):
            for group in desk.queues[state.kind][0]:
                if group.free:
                    self._begin(task, group.free.pop(), now)
                    return
            desk.push(task)
        else:
            desk.push(task)
            self._wake(desk, now)

    def _act(self, about: tuple[Case, int, Choice], now: int) -> None:
        case, number, choice = about
        if case.number == number:
            self._happen(case, choice.event, choice.to, now)

    def _fire(self, timed: Timed, now: int) -> None:
        _, case, number, after = timed
        if case.number == number:
            to = self._target(case, after.rules, now)
            if to >= 0:
                self._move(case, case.flow.states[to], now)

    def _happen(self, case: Case, event: str, to: int, now: int) -> None:
        """An event happens to a case, and leads to the state ``to`` by its place (-1: where its guards say)."""
        flow = case.flow
        if to < 0:
            to = self._target(case, case.state.ways.get(event, ()), now)
        again = flow.restarts[event]
        if again:
            self._restart(case, again, case.state.index if to < 0 else to, now)
        if to >= 0:
            self._move(case, flow.states[to], now)
        else:
            self._choose(case, now, None)

    def _restart(self, case: Case, clocks: Sequence[Clock], to: int, now: int) -> None:
        """Begin those rounds anew that an event does, which leads to the state ``to``: of what ends there, nothing. One
        that was late has ended by that; any other counts from nothing again."""
        for clock in clocks:
            held = case.rounds[clock.index]
            if held is None or case.flow.phase(clock, to) is Phase.STOPPED:
                continue
            if self._is_late(held, now):
                self._count_late(case, clock)
            if case.kept is not None:
                case.kept.pop(clock.index, None)
            self._start(case, clock, UNKNOWN, now)
            if case.flow.phase(clock, case.state.index) is Phase.PAUSED:
                self._pause(case, clock, now)

    def _target(self, case: Case, rules: Sequence[RuleTable], now: int) -> int:
        """Where the first rule whose guard holds leads; -1 where that is nowhere else."""
        for rule in rules:
            if rule.when is None or rule.when(case.profile.facts, NO_EVENT, Asked(case, now)) is True:
                return rule.to
        return -1

    # -- clocks --------------------------------------------------------------------------------------------

    def _start(self, case: Case, clock: Clock, term: Term | None, now: int) -> None:
        if term is UNKNOWN:
            term = case.flow.term(clock, case.state.index, case.profile)
        if term is None:
            return
        if term.fixed:
            held = Round(term, now, None if term.ordered else now, None)
        elif case.kept is None:
            held = Round(term, now, None, None)
        else:
            base = term.base(now) - case.kept.get(clock.index, 0)
            held = Round(term, now, base, term.due(base))
        before = case.rounds[clock.index]
        if before is not None:
            before.running, before.line = False, None
        case.rounds[clock.index] = held
        if clock.moves:
            self._await_due((case, clock, held))

    def _stop(self, case: Case, clock: Clock, now: int) -> None:
        index = clock.index
        held = case.rounds[index]
        if held is None:
            return
        case.rounds[index] = None
        line = held.line
        if (line is None or line.head <= now) and self._is_late(held, now):
            self._count_late(case, clock)
        else:
            self._met[clock] += 1
        if clock.goes_on and not held.term.fixed:
            if case.kept is None:
                case.kept = {}
            case.kept[index] = self._used(held, now)
        held.running, held.line = False, None

    def _pause(self, case: Case, clock: Clock, now: int) -> None:
        held = case.rounds[clock.index]
        if held is not None and held.running:
            held.late = self._is_late(held, now)
            held.used = self._used(held, now)
            held.running, held.line = False, None

    def _resume(self, case: Case, clock: Clock, now: int) -> None:
        held = case.rounds[clock.index]
        if held is None:
            self._start(case, clock, UNKNOWN, now)
            return
        term = held.term
        held.running = True
        held.base = term.base(now) - held.used
        if not term.fixed and not held.late:
            held.known = term.due(held.base)
        if clock.moves and not held.late:
            when = max(held.due() + (not term.strict), now)
            self._at(when, self._fall_due, (case, clock, held))

    def _used(self, held: Round, now: int) -> int:
        if not held.running or held.term.fixed:
            return held.used
        term = held.term
        return term.base(now) - (term.base(held.since) if held.base is None else held.base)

    def _is_late(self, held: Round, now: int) -> bool:
        if held.late or not held.running:
            return held.late
        if held.line is not None and held.line.head > now:
            return False  # the first in its line has not fallen due yet, and it stands behind that
        due = held.due()
        return now > due or (now == due and held.term.strict)

    def _fall_due(self, due: Due, now: int) -> None:
        case, clock, held = due
        if not held.running or held.due() > now or held.late:
            return
        held.late = True
        to = self._target(case, case.state.lates.get(clock.index, ()), now)
        if to >= 0:
            self._move(case, case.flow.states[to], now)

    def _count_late(self, case: Case, clock: Clock) -> None:
        self._late[clock] += 1
        if case.known is not None:
            self._lates.add((case.flow.name, case.known, clock.table.name))

    # -- work ----------------------------------------------------------------------------------------------

    def _begin(self, task: Task, person: Person, now: int) -> None:
        desk = task.desk
        task.person = person
        person.task = task
        task.started = now
        if not task.begun:
            task.begun = True
            waited = desk.between(task.joined, now) if now > task.joined else 0
            desk.waited += waited
            desk.waits.append(waited)
        end = now + task.left
        if end > desk.until:
            end = desk.ends(now, task.left)
        task.ends = end
        self._count += 1
        heappush(self._events, (end, self._count, self._finish, task))

    def _finish(self, task: Task, now: int) -> None:
        person, desk, case = task.person, task.desk, task.case
        if person is None or task.ends != now:
            return  # it was interrupted
        desk.busy += task.left
        desk.done += 1
        task.person = person.task = None
        if desk.waiting:
            self._free(desk, person, now)
        elif person.present:
            person.group.free.append(person)
        case.task = None
        if case.state is task.state:
            self._happen(case, task.choice.event, task.choice.to, now)
        elif case.state.final is None:  # it has been moved meanwhile, as one that was late: the event comes to it there
            self._happen(case, task.choice.event, -1, now)

    def _free(self, desk: Desk, person: Person, now: int) -> None:
        """Somebody takes the next work, or waits for some."""
        if not person.present:
            return
        if desk.is_open(now):
            task = desk.next_for(person.group) if desk.waiting else None
            if task is not None:
                self._begin(task, person, now)
                return
        elif desk.waiting:
            self._wake(desk, now)
        person.group.free.append(person)

    def _wake(self, desk: Desk, now: int) -> None:
        """See to it that work begins at the next opening."""
        if desk.wakes <= now:
            desk.wakes = desk.calendar.next_opening_us(now)
            if desk.wakes <= now:
                desk.wakes = now + 1
            self._at(desk.wakes, self._open_desk, desk)

    def _open_desk(self, desk: Desk, now: int) -> None:
        if not desk.is_open(now):
            self._wake(desk, now)
            return
        for group in desk.groups:
            free, group.free = group.free, []
            for person in reversed(free):
                self._free(desk, person, now)

    # -- absences ------------------------------------------------------------------------------------------

    def _staffed(self, desk: Desk) -> int:
        """Let people be away as their absences say; the time in hours that they are there in all."""
        begin, end = self.scene.begin, self.scene.end
        calendar = desk.calendar
        total = calendar.position(end) - calendar.position(begin)
        there = 0
        days = days_of(calendar, begin, end) if any(each.absent for each in desk.role.members) else []
        for number, (member, person) in enumerate(zip(desk.role.members, desk.people, strict=True)):
            away = [each for each in member.away if each[1] > begin and each[0] < end]
            if member.absent:
                chance = Random(f"{self.seed}/absent/{desk.role.name}/{number}")
                away += [day for day in days if chance.random() < member.absent]
            gone = 0
            for first, last in merged(away):
                first, last = max(first, begin), min(last, end)
                gone += calendar.position(last) - calendar.position(first)
                if first > begin:
                    self._at(first, self._leave, (desk, person))
                else:
                    self._leave((desk, person), begin)
                self._at(last, self._come_back, (desk, person))
            there += total - gone
        return there

    def _leave(self, about: tuple[Desk, Person], now: int) -> None:
        desk, person = about
        person.present = False
        task = person.task
        if task is None:
            person.group.free.remove(person)
            return
        worked = desk.between(task.started, now)
        desk.busy += worked
        task.left = max(task.left - worked, 1)
        task.person = person.task = None
        task.ends = -1
        if task.case.state is not task.state and task.case.state.final is not None:
            task.case.task = None
            return
        if desk.is_open(now):
            for group in desk.queues[task.state.kind][0]:
                if group.free:
                    self._begin(task, group.free.pop(), now)
                    return
        else:
            self._wake(desk, now)
        desk.push(task)

    def _come_back(self, about: tuple[Desk, Person], now: int) -> None:
        desk, person = about
        person.present = True
        self._free(desk, person, now)

    # -- the end -------------------------------------------------------------------------------------------

    def _result(self) -> RunResult:
        end = self.scene.end
        flows = self.scene.flows
        for case in self._open:
            for clock, held in zip(case.flow.clocks, case.rounds, strict=True):
                if held is not None and self._is_late(held, end):
                    self._count_late(case, clock)
        for desk in self.desks.values():
            for person in desk.people:
                if person.task is not None:
                    desk.busy += desk.between(person.task.started, end)
        pairs = [(flow, clock) for flow in flows for clock in flow.clocks]
        return RunResult(
            {(flow.name, clock.table.name): self._met[clock] for flow, clock in pairs},
            {(flow.name, clock.table.name): self._late[clock] for flow, clock in pairs},
            Counter({flow.name: count for flow, count in self._cases.items()}),
            Counter({flow.name: count for flow, count in self._closed.items()}),
            {name: self._desk(desk, self._there[name]) for name, desk in self.desks.items()},
            sum(desk.done for desk in self.desks.values()),
            self._lates,
        )

    def _desk(self, desk: Desk, there: int) -> DeskResult:
        waits = sorted(desk.waits)
        p90 = waits[len(waits) * 9 // 10] if waits else 0
        return DeskResult(desk.done, desk.busy, there, desk.waited, len(waits), p90, desk.longest, desk.waiting)
