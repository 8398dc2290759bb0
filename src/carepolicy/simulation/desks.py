"""Desks: the people of a role, the work that waits for them, and the cases at which they work."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carepolicy.simulation.flows import Choice, Flow, Profile, State, Term
    from carepolicy.simulation.roles import Role

Waiting = tuple[int, int, int, "Task"]
"""Work that waits: its rank, when it came, its number, and itself."""


class Group:
    """People of a desk who do the same kinds of work: who of them is free, and the queues that they serve."""

    __slots__ = ("does", "free", "queues")

    def __init__(self, does: frozenset[int] | None) -> None:
        self.does = does
        self.free: list[Person] = []
        self.queues: list[list[Waiting]] = []


class Person:
    """Somebody at work, or not."""

    __slots__ = ("group", "present", "task")

    def __init__(self, group: Group) -> None:
        self.group = group
        self.present = True
        self.task: Task | None = None


class Desk:
    """A role at work. ``since`` and ``until`` are the hours that are known to be open around now."""

    __slots__ = (
        "busy", "calendar", "done", "groups", "longest", "people", "queues", "role", "since", "until", "waited",
        "waiting", "waits", "wakes",
    )  # fmt: skip

    def __init__(self, role: Role, kinds: Sequence[int]) -> None:
        self.role = role
        self.calendar = role.calendar
        self.since = self.until = self.wakes = 0
        self.busy = self.done = self.waited = self.waiting = self.longest = 0
        self.waits: list[int] = []
        self.groups: list[Group] = []
        self.people: list[Person] = []
        for member in role.members:
            group = next((each for each in self.groups if each.does == member.does), None)
            if group is None:
                group = Group(member.does)
                self.groups.append(group)
            person = Person(group)
            self.people.append(person)
            group.free.append(person)
        self.groups.sort(key=lambda each: len(each.does) if each.does is not None else 1 << 30)
        by_groups: dict[tuple[int, ...], tuple[list[Group], list[Waiting]]] = {}
        self.queues: dict[int, tuple[list[Group], list[Waiting]]] = {}
        for kind in kinds:
            able = tuple(n for n, each in enumerate(self.groups) if each.does is None or kind in each.does)
            if able not in by_groups:
                queue: list[Waiting] = []
                by_groups[able] = [self.groups[n] for n in able], queue
                for number in able:
                    self.groups[number].queues.append(queue)
            self.queues[kind] = by_groups[able]

    def is_open(self, now: int) -> bool:
        """Whether people work now; the hours around now are known then."""
        if self.since <= now < self.until:
            return True
        span = self.calendar.span_over(now)
        index = bisect_right(span.opens, now) - 1
        if index < 0 or now >= span.closes[index]:
            return False
        self.since, until = span.opens[index], span.closes[index]
        while index + 1 < len(span.opens) and span.opens[index + 1] == until:
            index += 1
            until = span.closes[index]
        self.until = until
        return True

    def ends(self, now: int, length: int) -> int:
        """When work that goes on for so long from now, in hours, is done."""
        end = now + length
        if self.since <= now and end <= self.until:
            return end
        return self.calendar.instant(self.calendar.position(now) + length)

    def between(self, first: int, last: int) -> int:
        """The time in hours between two instants."""
        if self.since <= first and last <= self.until:
            return last - first
        return self.calendar.position(last) - self.calendar.position(first)

    def push(self, task: Task) -> None:
        """Let work wait."""
        heappush(self.queues[task.state.kind][1], (task.rank, task.joined, task.number, task))
        self.waiting += 1
        if self.waiting > self.longest:
            self.longest = self.waiting

    def next_for(self, group: Group) -> Task | None:
        """Take the work that comes first of what a group can do; None where none waits."""
        best: list[Waiting] | None = None
        for queue in group.queues:
            while queue and queue[0][3].dropped:
                heappop(queue)
            if queue and (best is None or queue[0] < best[0]):
                best = queue
        if best is None:
            return None
        self.waiting -= 1
        return heappop(best)[3]


class Task:
    """Work at a case in a state that somebody is to do, or does."""

    __slots__ = ("begun", "case", "choice", "desk", "dropped", "ends", "joined", "left", "number", "person", "rank",
                 "started", "state")  # fmt: skip

    def __init__(
        self, case: Case, state: State, choice: Choice, desk: Desk, left: int, rank: int, joined: int, number: int
    ) -> None:
        self.case = case
        self.state = state
        self.choice = choice
        self.desk = desk
        self.left = left
        self.rank = rank
        self.joined = joined
        self.number = number
        self.started = 0
        self.ends = -1
        self.person: Person | None = None
        self.begun = self.dropped = False


class Line:
    """Events of one kind that come so long after they are noted that they come in the order in which they are noted:
    only the first stands among the others, at ``head``. ``last`` is when the last of them comes, if that is known."""

    __slots__ = ("head", "last", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Any] = deque()
        self.head = self.last = 0


class Round:
    """One run of a clock. ``base`` is where the time used was nothing, in the term's measure, None where that is at its
    start (``since``); ``used`` the time used where it pauses. ``known`` is when it falls due, None where nobody asked
    yet; ``line`` where it waits for that, behind others, and runs as it did when it came there."""

    __slots__ = ("base", "known", "late", "line", "running", "since", "term", "used")

    def __init__(self, term: Term, since: int, base: int | None, known: int | None) -> None:
        self.term = term
        self.since = since
        self.base = base
        self.known = known
        self.line: Line | None = None
        self.used = 0
        self.running = True
        self.late = False

    def due(self) -> int:
        """When it falls due."""
        if self.known is None:
            self.known = self.term.due_from(self.since)
        return self.known


class Case:
    """A case. ``number`` counts its visits of states, so that timers of an earlier one are known; ``draws`` is where
    its sequence of numbers stands."""

    __slots__ = ("draws", "flow", "kept", "known", "number", "opened", "profile", "rounds", "state", "task", "visits")

    def __init__(self, flow: Flow, state: State, profile: Profile, draws: int, opened: int) -> None:
        self.flow = flow
        self.state = state
        self.profile = profile
        self.draws = draws
        self.opened = opened
        self.number = 0
        self.task: Task | None = None
        self.rounds: list[Round | None] = [None] * len(flow.clocks)
        self.kept: dict[int, int] | None = None
        self.visits: dict[str, int] | None = None
        self.known: str | None = None


class Asked:
    """What guards may ask about a case: see guards.names."""

    __slots__ = ("case", "now")

    def __init__(self, case: Case, now: int) -> None:
        self.case = case
        self.now = now

    def age(self) -> timedelta:
        """How long it is open."""
        return timedelta(microseconds=self.now - self.case.opened)

    def visits(self, state: str) -> int:
        """How often it came to a state."""
        return (self.case.visits or {}).get(state, 0)

    def left(self, clock: str) -> timedelta | None:
        """How long it is until a clock falls due."""
        held = self._round(clock)
        return None if held is None else timedelta(microseconds=held.due() - self.now)

    def late(self, clock: str) -> bool:
        """Whether a clock is late."""
        held = self._round(clock)
        return held is not None and (held.late or (held.running and held.due() < self.now))

    def _round(self, name: str) -> Round | None:
        flow = self.case.flow
        return next((self.case.rounds[each.index] for each in flow.clocks if each.table.name == name), None)
