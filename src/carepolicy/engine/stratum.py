"""One stratum at work: its subjects, what each incoming event does to them, and how two of them become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine import clocks, codes
from carepolicy.engine.case import Notice, Notices, Raised, Subject
from carepolicy.engine.effects import tell_task
from carepolicy.engine.fast import quicken
from carepolicy.engine.instants import text_of
from carepolicy.engine.intake import (
    HAS_TOO_MANY_BYTES,
    MERGE,
    SURELY_SHORT,
    Incoming,
    is_too_long,
    make_tuple,
    shortened,
)
from carepolicy.engine.record import Told
from carepolicy.engine.round import PartUsed, end_stretch, place_of, settle, used_as, used_in_all, used_of
from carepolicy.engine.stepper import NO_PLACES, Stepper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from carepolicy.engine.case import Case, LiveProgram, LiveState
    from carepolicy.engine.intake import Row
    from carepolicy.engine.letters import EventRecords
    from carepolicy.engine.memory import Closed, Memory, Name
    from carepolicy.engine.record import Hearer, Sink, Written
    from carepolicy.engine.round import Round
    from carepolicy.machine.program import Bundle, WatchTable


Stop = tuple[int, "LiveProgram", "tuple[str, ...] | None", "LiveState | None"]
"""A program on an event's way: its place, the facts that it requires, and the state in which it starts."""

Route = tuple["str | None", tuple[Stop, ...]]
"""Programs that are keyed by one fact (None: by the event's subject)."""

NO_EVENTS: frozenset[str] = frozenset()

ShortWay = tuple["str | None", "int | None", frozenset[str], "LiveState | None"]
"""How events of a type may go the shortest way: the fact that names whom they are about (None: their subject), the
place of the program that takes them (``ANY_PLACE``: of several that of the only open case; None: they only open cases),
what they must carry, and the state in which they open a case."""

ANY_PLACE = -1
NO_SHORT_WAY: ShortWay = None, None, frozenset(), None


class CountedEvent:
    """An event that a watch may count: which, when, of which type, with which facts, caused by which line."""

    __slots__ = ("facts", "identity", "line", "time", "type")

    def __init__(self, event: Incoming, facts: dict[str, Any]) -> None:
        self.identity = (event.source, event.id)
        self.time = event.time
        self.type = event.type
        self.line = event.line
        self.facts = facts

    def watched_by(self, watch: WatchTable, bundle: Bundle) -> str | None:
        """The value by which a watch counts the event; None where there is none that could name a case."""
        value = self.facts.get(watch.by, bundle.facts[watch.by].default)
        return None if value is None or is_too_long(str(value)) else str(value)


class Stratum:
    """Takes events for the programs of one stratum.

    ``memory`` has its subjects. Flows that open cases by time do so where the stratum ``owns`` the subject of those.
    ``refusals`` holds what was not taken since it was last emptied: (event, code, reason). ``took`` is set to True when
    a case takes an event. ``closed`` has what is remembered of subjects that were let go.

    ``shortest`` says of types of events that they may go the shortest way, each from when the first of it has come:
    they concern cases that are named in one way, and no watch, and are not ``shared`` with other strata.
    """

    def __init__(
        self,
        bundle: Bundle,
        programs: Iterable[LiveProgram],
        records: EventRecords,
        memory: Memory,
        level: int = 0,
        reveal: bool = False,
        owns: Callable[[str], bool] = lambda name: True,
        shared: frozenset[str] = NO_EVENTS,
        as_lines: bool = False,
        hearer: Hearer | None = None,
    ) -> None:
        self.level = level
        self.programs = tuple(programs)
        quicken(self.programs)
        self.stepper = Stepper(bundle, self.programs, reveal, as_lines, hearer)
        self.out = self.stepper.out
        self.subjects: dict[Name, Subject] = memory.subjects(level)
        closed = None if level else memory.closed
        self.lets_go = closed is not None
        self.closed: dict[str, Closed] = {} if closed is None else closed
        self.records = records
        self.refusals: list[tuple[Incoming, str, str]] = []
        self.took = False
        self.counted: list[CountedEvent] = []
        self.shared = shared
        self.merged: dict[str, str] = {} if level else memory.merged
        self._counts = frozenset(watch.counts for watch in bundle.watches)
        self._routes: dict[str, tuple[Route, ...]] = {}
        self._starts = frozenset(event for program in self.programs for event in program.program.starts)
        self.shortest: dict[str, ShortWay] = {}
        for program in self.programs:
            if program.every is not None and owns(program.every.subject):
                subject = self.subject(None, program.every.subject)
                if program.place not in (subject.timers or {}):
                    self.stepper.open_by_time(subject, program)

    def add(self, program: LiveProgram) -> None:
        """Take events for one more program, which opens no cases."""
        self.programs += (program,)
        quicken((program,))

    def routes(self, event: str) -> tuple[Route, ...]:
        """Where an event goes: a route for each fact that keys programs which declare it (None: its subject)."""
        found = self._routes.get(event)
        if found is None:
            grouped: dict[str | None, list[Stop]] = {}
            for program in self.programs:
                if event in program.events:
                    stop = (program.place, program, program.required.get(event), program.starts.get(event))
                    grouped.setdefault(program.key, []).append(stop)
            found = self._routes[event] = tuple((key, tuple(group)) for key, group in grouped.items())
            if len(found) == 1 and event not in self._counts and event != MERGE and event not in self.shared:
                key, stops = found[0]
                if key is None or self.level:  # of the lowest stratum others know subjects by their names
                    self.shortest[event] = _short_way(key, stops)
        return found

    def take_rows(
        self, rows: Iterable[Row], fully: Callable[[Incoming], None], each: bool, after: Callable[[Row], None]
    ) -> None:
        """Take events whose data takes no value away. The common cases go the shortest way: an event opens the first
        case of its subject, or the only case that it concerns takes it, by a move that is written out. The others go
        ``fully``. ``after`` is told of the events that went the shortest way: of ``each``, or of those that raised
        events.
        """
        subjects, closed, merged = self.subjects, self.closed, self.merged
        get, stepper = subjects.get, self.stepper
        raises, lets_go, shortest = stepper.raised, self.lets_go, self.shortest
        for row in rows:
            _, name, kind, now, when, _, _, data, _, _ = row
            key, place, required, start = shortest.get(kind, NO_SHORT_WAY)
            if not required or data.keys() >= required:
                address: Name = name
                if key is not None:
                    name = str(data[key])
                    address = key, name
                subject = get(address)
                if subject is None:
                    opening = None if start is None or name in closed or name in merged else start.opening
                    if opening is not None and len(name) <= SURELY_SHORT:
                        subject = subjects[address] = Subject(name, now)
                        opening(stepper, subject, now, when, data or {}, now)
                        if subject.next <= now:
                            stepper.fire(subject, now, False)
                        if each or raises:
                            after(row)
                        continue
                elif subject.last <= now and place is not None:
                    if subject.next <= now:
                        stepper.fire(subject, now, False)
                    case = subject.only or subject.cases.get(place)
                    move = None if case is None else case.state.moves.get(kind)
                    if case is not None and move is not None and move(stepper, subject, case, now, when, data):
                        subject.last = now
                        if subject.next <= now:
                            stepper.fire(subject, now, False)
                        if subject.only is None and lets_go and not (subject.cases or subject.timers):  # as ``let_go``
                            closed[name] = subject.last, tuple(subject.sequences.items())
                            del subjects[name]
                        if each or raises:
                            after(row)
                        continue
            fully(make_tuple(Incoming, row))

    def take(self, event: Incoming) -> None:
        """Give an event to every subject that it concerns; the records are appended to ``out``."""
        kind = event.type
        for key, stops in self._routes.get(kind) or self.routes(kind):
            self._give_named(event, key, stops)

    def take_route(self, event: Incoming, route: int) -> None:
        """Give an event to the subject of one of its routes."""
        key, stops = self.routes(event.type)[route]
        self._give_named(event, key, stops)

    def _give_named(self, event: Incoming, key: str | None, stops: tuple[Stop, ...]) -> None:
        """Give an event to the subject that the fact ``key`` names (None: its own subject, as of a raised event)."""
        name = event.subject
        if not event.raised:
            if key is None:
                self._give(event, self.subjects.get(name) or self.subject(None, name), stops)
                return
            value = event.data.get(key)
            if value is None:
                return
            name = str(value)
        if is_too_long(name):
            reason = f"{key or 'its subject'}, which names the case, {HAS_TOO_MANY_BYTES}"
            self.refuse(event, codes.TOO_LONG, reason, shortened(name))
            return
        self._give(event, self.subject(key, name), stops)

    def written(self) -> list[Written]:
        """The records since this was last asked."""
        found = self.out[:]
        self.out.clear()
        return found

    def abandon(self) -> None:
        """Forget what was begun, as when a transaction is undone."""
        self.merged.clear()
        stepper = self.stepper
        for begun in (self.out, self.refusals, self.counted, stepper.raised, stepper.to_open, stepper.to_hold):
            begun.clear()
        if self.stepper.unmasked:
            self.stepper.unmasked.clear()

    def merge(self, event: Incoming) -> None:
        """Carry out ``carepolicy.merge``: the cases of the event's subject join those of ``data.into``."""
        into = event.data.get("into")
        survivor = self.subject(None, into) if into else None
        merged = self.subject(None, event.subject)
        if survivor is None or survivor is merged:
            self.refuse(event, codes.MERGE, "it must name another subject to merge into", event.subject)
            return
        for subject in (merged, survivor):
            if event.time < subject.last:
                reason = f"{subject.name} has already seen {text_of(subject.last)}"
                self.refuse(event, codes.OUT_OF_ORDER, reason, event.subject)
                return
        merge_subjects(self.stepper, merged, survivor, event.time, event.when)
        self.took = True
        self.merged[merged.name] = survivor.name
        del self.subjects[merged.name]
        self.stepper.plan(survivor)

    def subject(self, key: str | None, name: str) -> Subject:
        """The subject of that name, or the one that it was merged into; ``key`` is the fact that names it."""
        if key is None:
            while name in self.merged:
                name = self.merged[name]
        address = name if key is None else (key, name)
        found = self.subjects.get(address)
        if found is None:
            found = self.subjects[address] = Subject(name)
            if key is None and name in self.closed:
                found.last, sequences = self.closed.pop(name)
                found.sequences = dict(sequences)
        return found

    def let_go(self, name: str) -> None:
        """Keep only what must be remembered of a subject without cases, so that the open ones lie close together."""
        subject = self.subjects.get(name) if self.lets_go else None
        if subject is not None and not subject.cases and not subject.timers:
            self.closed[name] = subject.last, tuple(subject.sequences.items())
            del self.subjects[name]

    def _give(self, event: Incoming, subject: Subject, stops: tuple[Stop, ...]) -> None:
        # Of the slice, which is a bare tuple, the fields are taken in a fifth of the time.
        _, _, kind, now, when, _, _, data, _, _ = event[:]
        if now < subject.last:
            reason = f"its subject has already seen {text_of(subject.last)}"
            self.refuse(event, codes.OUT_OF_ORDER, reason, subject.name)
            return
        stepper = self.stepper
        if subject.next <= now:
            stepper.fire(subject, now, False)
        subject.last = now
        met = False
        taker: Case | None = None
        cases = subject.cases
        before: dict[int, Case] | None = None
        if len(stops) > 1:
            before = dict(cases)
            if kind in self._starts:
                stepper.starting = _starting(stops, before, data)
        for place, program, required, start in stops:
            if required is not None and not self._has_required(event, program, required, subject.name):
                met = True
                continue
            case = cases.get(place) if before is None else before.get(place)
            if case is not None:
                met = True
                if stepper.deliver(subject, case, kind, now, when, data):
                    taker = case
                else:
                    self._note_untaken(event, case, program.flow)
            elif start is not None:
                met = True
                own = dict(data)
                if None in own.values():
                    own = {fact: value for fact, value in data.items() if value is not None}
                taker = stepper.open_case(subject, program, start, now, when, own, now)
        stepper.starting = NO_PLACES
        if subject.next <= now:
            stepper.fire(subject, now, False)
        if taker is not None:
            self.took = True
        if not met:
            reason = "no open case takes it, and no flow starts on it"
            self.out.append(self.records.outside(event, subject.name, "unexpected", codes.NO_CASE, reason))
            self.refusals.append((event, codes.NO_CASE, reason))
        elif kind in self._counts and taker is not None:
            self.counted.append(CountedEvent(event, taker.facts))

    def _note_untaken(self, event: Incoming, case: Case, flow: str) -> None:
        """Write that a case has not taken an event: more was given away than may be, or no transition is for it."""
        reason, self.stepper.overspent = self.stepper.overspent, None
        if reason is not None:
            self.out.append(self.records.in_case(event, case, "rejected", codes.AUTHORITY, reason))
            self.refusals.append((event, codes.AUTHORITY, f"{reason}, in {flow}"))
        else:
            self.out.append(self.records.unexpected(event, case))
            self.refusals.append((event, codes.UNEXPECTED, f"no transition in {flow}"))

    def _has_required(self, event: Incoming, program: LiveProgram, required: tuple[str, ...], subject: str) -> bool:
        data = event.data
        for fact in required:
            if data.get(fact) is None:
                break
        else:
            return True
        lacking = [fact for fact in required if data.get(fact) is None]
        self.refuse(event, codes.REQUIRED, "it must carry " + ", ".join(lacking), subject, program.flow)
        return False

    def refuse(self, event: Incoming, code: str, reason: str, subject: str, flow: str | None = None) -> None:
        """Record that an event was rejected for a subject, and keep it for the dead letters."""
        self.out.append(self.records.outside(event, subject, "rejected", code, reason, flow))
        self.refusals.append((event, code, reason))


def _short_way(key: str | None, stops: tuple[Stop, ...]) -> ShortWay:
    """How events may go that stop at some programs; it does not matter at which first.

    Where one of several starts on them, only the first case of a subject is opened so; not one that ends at once, as
    effects could open it again.
    """
    carried = frozenset(fact for _, _, required, _ in stops for fact in required or ())
    carried |= frozenset(() if key is None else (key,))
    starts = [start for _, _, _, start in stops if start is not None]
    if len(stops) == 1:
        return key, stops[0][0], carried, stops[0][3]
    if not starts:
        return key, ANY_PLACE, carried, None
    return (key, None, carried, starts[0]) if len(starts) == 1 and starts[0].final is None else NO_SHORT_WAY


def _starting(stops: tuple[Stop, ...], cases: dict[int, Case], data: dict[str, Any]) -> frozenset[int]:
    """The places of the programs that start on an event: where none of its effects is to open a case before that."""
    return frozenset(
        place
        for place, _, required, start in stops
        if start is not None and place not in cases and all(data.get(fact) is not None for fact in required or ())
    )


def raised_as_incoming(raised: Raised, line: int) -> Incoming:
    """A raised event as one that another stratum takes."""
    when = text_of(raised.time)
    return Incoming(
        line, raised.subject, raised.event, raised.time, when, "/carepolicy", raised.id, raised.data, raised=True
    )


OUTCOME = "merged"


def merge_subjects(stepper: Stepper, merged: Subject, survivor: Subject, now: int, when: str) -> None:
    """Let the cases of a subject join those of the survivor."""
    for subject in (merged, survivor):
        stepper.fire(subject, now, False)
        subject.last = now
    for place in sorted(merged.cases):
        _join(stepper, merged.cases[place], survivor, now, when)
    for key, each in (merged.timers or {}).items():
        if isinstance(each, Notices):
            told = [(program, Notice(notice.told, notice.whole, notice.private)) for program, notice in each.told]
            survivor.wait(Notices(each.place, each.due, told))
        elif key not in (survivor.timers or {}):
            survivor.timers = {key: each, **(survivor.timers or {})}


def _join(stepper: Stepper, case: Case, survivor: Subject, now: int, when: str) -> None:
    out, program = stepper.out, case.program
    case.now = now
    held_before = list(case.rounds)
    other = survivor.cases.get(program.place)
    moved = case.successor(program, survivor.name, survivor.sequences.get(program.place, 0))
    _close(out, case, now, when)
    if other is None:
        _open(stepper, moved, held_before, survivor, now, when)
        return
    before, other.facts = other.facts, {**case.facts, **other.facts}
    other.now = now
    stepper.look_at_facts(other, before, now, when)
    for held in held_before:
        if held is not None:
            _keep_earlier_start(out, other, held, now, when)


def _close(out: Sink, case: Case, now: int, when: str) -> None:
    """The merged case ends: its clocks run on in the survivor, so here they are cancelled."""
    for held in list(case.rounds):
        if held is not None and held.late:
            clocks.stop(out, case, held, now, when)
        elif held is not None:
            clocks.cancel(out, case, held, now, when)
    out.append(case.record("case.closed", when, Told(state=case.state.name, outcome=OUTCOME)))
    case.closed = True


def _open(
    stepper: Stepper, moved: Case, rounds_before: list[Round | None], survivor: Subject, now: int, when: str
) -> None:
    """The survivor has no case of this flow: it takes over the merged one, with its clocks and who works on it."""
    out = stepper.out
    moved.opened = moved.now = now
    survivor.put(moved.program.place, moved)
    out.append(moved.record("case.opened", when, moved.state.opened))
    for held in rounds_before:
        if held is not None:
            moved.rounds[held.clock.index] = held
            clocks.tell(out, moved, held, now, when)
    tell_task(stepper, moved, moved.state, when)


def _keep_earlier_start(out: Sink, case: Case, merged: Round, now: int, when: str) -> None:
    held = case.rounds[merged.clock.index]
    if held is None or held.late or not held.running or held.started <= merged.started:
        return
    if merged.running:
        end_stretch(merged, now)
    used = max(used_in_all(merged, held.limit), used_of(held, now))
    held.parts = tuple(PartUsed(max(used_in_all(merged, each), used_as(held, each, now))) for each in held.limit.parts)
    held.started, held.since, held.segments, held.totals = merged.started, now, merged.segments, None
    held.summed = merged.summed
    held.base = place_of(held, now) - used
    settle(held, case.facts)
    clocks.tell_extended(out, case, held, now, when, "merged: the earlier start is kept")
