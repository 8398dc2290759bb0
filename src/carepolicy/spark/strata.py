"""What one stratum hands on to those above it: messages, which go from the tasks that have its subjects to those that
have the subjects of the others.

``Run`` lets the higher strata work when all lines are read, on what has waited for them in the order of time. Where
tasks share subjects nobody sees all that waits, so each message bears its place in that order, as bytes that compare as
the places do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec import msgpack

from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import AT_THE_END, Incoming, is_too_long, make_tuple, shortened
from carepolicy.engine.letters import Refusal
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.record import as_values
from carepolicy.engine.run import Run
from carepolicy.engine.stratum import CountedEvent, raised_as_incoming
from carepolicy.store.cases.snapshot import put_all, take_all

if TYPE_CHECKING:
    from carepolicy.engine.case import Raised
    from carepolicy.engine.intake import Row
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle

SUBJECT, FACT, WATCH, ONCE = "s", "f", "w", "o"
"""Whom a message is about begins with one of these: a subject by its own name, one that a fact names, or the value that
a watch counts by; the name of the fact or the watch follows. ``ONCE`` is about an event that a watch counts, before it
is known by which of several cases that take it."""

WATCHED, TAKEN, BY_TIME = range(3)
"""What a stratum hands on is raised by its watches, or with an event that it takes, or when something falls due."""

WIDE = 1 << 63


class Message(NamedTuple):
    """What the stratum ``level`` hears: whom it is about, by its name; its place in the order of the messages; and an
    event, or one that a watch counts, as bytes."""

    level: int
    about: str
    name: str
    order: bytes
    body: bytes

    @property
    def time(self) -> int:
        """When it happens (microseconds since 1970)."""
        return int.from_bytes(self.order[:8], "big") - WIDE


Cause = tuple[int, bytes]
"""The time of the event that caused something, and the place of that event among those of its time."""


def ordered(*parts: int | str) -> bytes:
    """Parts (numbers in the range of 64 bits, texts) as bytes that compare as the parts do, one after the other."""
    found = b""
    for each in parts:
        if isinstance(each, int):
            found += (each + WIDE).to_bytes(8, "big")
        else:
            found += each.encode("utf-8", "surrogatepass").replace(b"\0", b"\0\xff") + b"\0\0"
    return found


def about_of(key: str | None) -> str:
    """Whom a message is about that goes to cases which the fact ``key`` names (None: by their subject)."""
    return SUBJECT if key is None else FACT + key


END_OF_LOG = ordered(AT_THE_END)

AT_LAST: Cause = NEVER, END_OF_LOG
"""The cause of what falls due, at the end of a log or as time passes."""


class Order(Protocol):
    """The order in which strata hear of things."""

    def cause(self, line: int) -> Cause:
        """What is caused by a line of those at hand."""

    def place(self, time: int, cause: Cause) -> tuple[bytes, bool]:
        """The place of what was raised at a time, with a cause; and whether who raised it decides among those there."""

    def within(self, level: int, order: bytes, route: int, by_origin: bool) -> bytes:
        """What decides first among those that have one place, of what a stratum has raised with a message, which was
        taken by one of its routes."""

    def line(self, tail: bytes) -> int:
        """The line at a place among those of its time."""

    def once(self, bundle: Bundle) -> Collection[str]:
        """The watches that are told first which event they count, as each counts once."""


class ByLines:
    """The order in which a log is replayed that is known to its end: that of ``Run``, by time, and then by the lines
    that caused what came to wait; what falls due at the end is behind all lines."""

    def cause(self, line: int) -> Cause:
        """What is caused by a line."""
        return NEVER, ordered(line)

    def place(self, time: int, cause: Cause) -> tuple[bytes, bool]:
        """By time, and then by line; at the end it decides who raised it."""
        return ordered(time) + cause[1], cause[1] == END_OF_LOG

    def within(self, level: int, order: bytes, route: int, by_origin: bool) -> bytes:
        """By the messages, as they were taken."""
        return ordered(level, TAKEN) + order + (b"" if by_origin else ordered(route))

    def line(self, tail: bytes) -> int:
        """The line at a place among those of its time."""
        return int.from_bytes(tail, "big") - WIDE

    def once(self, bundle: Bundle) -> Collection[str]:
        """None: who has all messages sees which are of one event."""
        return ()


class Outlet:
    """Makes messages of what a stratum hands on."""

    def __init__(self, run: Run, level: int, order: Order) -> None:
        self.found: list[Message] = []
        self._once = order.once(run.bundle)
        self._run = run
        self._level = level
        self._order = order

    def pass_on(self, event: Incoming, order: bytes, tail: bytes) -> None:
        """Hand on an event to the higher strata that declare it: to each case that it names."""
        body = None
        for level in range(self._level + 1, self._run.levels):
            for key, _ in self._run.strata[level].routes(event.type):
                value = event.subject if event.raised or key is None else event.data.get(key)
                if value is None:
                    continue
                body = body or _packed(event, tail)
                name = str(value)
                name = shortened(name) if is_too_long(name) else name  # it is refused there
                self.found.append(Message(level, about_of(key), name, order, body))

    def raise_all(
        self, raised: Sequence[Raised], line: int, cause: Cause, before: Callable[[bool], bytes], number: int = 0
    ) -> int:
        """Hand on what was raised with a cause. Among what has one place ``before`` says first what decides, told
        whether it is who raised it; or else it is a number, of which the next one is given back."""
        for each in raised:
            place, by_origin = self._order.place(each.time, cause)
            path = before(by_origin)
            _, subject, flow, sequence = each.origin
            path += ordered(subject, flow, sequence, each.number) if by_origin else ordered(number)
            self.pass_on(raised_as_incoming(each, line), place + path, place[8:])
            number += 1
        return number

    def count(self, counted: CountedEvent, tail: bytes, route: int) -> None:
        """Hand on an event that was taken to the watches of higher strata that count it."""
        for watch in self._run.bundle.watches:
            if watch.stratum > self._level and watch.counts == counted.type:
                value = counted.watched_by(watch, self._run.bundle)
                if value is not None:
                    about, name, body = WATCH, value, msgpack.encode((tail, counted.time, *counted.identity))
                    if watch.name in self._once:
                        about, name, body = ONCE, "\n".join(counted.identity), msgpack.encode((value, body))
                    order = ordered(counted.time) + tail + ordered(self._level, route)
                    self.found.append(Message(watch.stratum, about + watch.name, name, order, body))

    def taken(self) -> list[Message]:
        """What was handed on; it is here no longer."""
        found, self.found = self.found, []
        return found


def _packed(event: Incoming, tail: bytes) -> bytes:
    line, subject, kind, time, when, source, id, data, masked, raised = event
    return msgpack.encode((tail, line, subject, kind, time, when, source, id, put_all(data), masked, raised))


def _event_in(body: bytes) -> tuple[Incoming, bytes]:
    """The event in a message, and its place among those of its time."""
    tail, line, subject, kind, time, when, source, id, data, masked, raised = msgpack.decode(body)
    row = line, subject, kind, time, when, source, id, take_all(data), masked, raised
    event: Incoming = make_tuple(Incoming, row)
    return event, tail


class KeyMemory(ProcessMemory):
    """A memory of the subject at hand."""

    def forget(self) -> None:
        """Forget the subject at hand."""
        for subjects in self._subjects.values():
            subjects.clear()
        for each in (self.closed, self.seen, self._counts, self._watched):
            each.clear()


class LowestRun(Run):
    """The run of a task: its subjects of the lowest stratum. What concerns higher ones comes out as messages. Flows
    open cases by time for the subjects in ``own``."""

    def __init__(self, bundle: Bundle, memory: ProcessMemory, order: Order, own: frozenset[str] = frozenset()) -> None:
        super().__init__(bundle, memory=memory, owns=own.__contains__)
        for stratum in self.strata[1:]:
            stratum.subjects.clear()
        self.outlet = Outlet(self, 0, order)
        self.order = order

    def count(self, level: int, counted: CountedEvent) -> None:
        """Hand on an event that watches may count."""
        self.outlet.count(counted, self.order.cause(counted.line)[1], 0)

    def hand_on_raised(self, level: int, raised: Sequence[Raised], line: int) -> None:
        """Hand on what was raised."""
        self._order = self.outlet.raise_all(raised, line, self.order.cause(line), _of_lowest, self._order + 1)

    def handed_on(self) -> list[Message]:
        """What there is for the higher strata; it is here no longer."""
        if self.levels == 1:
            return []
        given: dict[int, tuple[int, Row]] = {}
        for _, (_, line, number, row, _) in self.waiting():
            given.setdefault(line, (number, row))  # one that concerns several strata waits for each
        for line, (number, row) in given.items():
            tail = self.order.cause(line)[1]
            order = ordered(row[3]) + tail + _of_lowest(False) + ordered(number)
            self.outlet.pass_on(make_tuple(Incoming, row), order, tail)
        return self.outlet.taken()


def _of_lowest(by_origin: bool) -> bytes:
    return ordered(0, BY_TIME if by_origin else TAKEN)


class HigherRun(Run):
    """The run of a task: its subjects of one of the higher strata, one after the other. They are in ``memory``."""

    def __init__(self, bundle: Bundle, level: int, memory: KeyMemory, order: Order) -> None:
        super().__init__(bundle, memory=memory, owns=lambda name: False)
        self.order = order
        self.level = level
        self.stratum = self.strata[level]
        self.outlet = Outlet(self, level, order)
        self.route = 0
        self._known = {WATCH + each.name: (place, each) for place, each in enumerate(bundle.watches)}

    def handed_on(self) -> list[Message]:
        """What there is for the strata above; it is here no longer."""
        return self.outlet.taken()

    def open_by_time(self, name: str) -> None:
        """Let the flows that open cases of a subject by time begin to."""
        for program in self.stratum.programs:
            if program.every is not None and program.every.subject == name:
                self.stratum.stepper.open_by_time(self.stratum.subject(None, name), program)

    def hear(self, message: Message) -> list[Record]:
        """Take a message; the records that it causes."""
        if message.about in self._known:
            self._look(message)
            return []
        event, tail = _event_in(message.body)
        keys = [key for key, _ in self.stratum.routes(event.type)]
        route = next(place for place, key in enumerate(keys) if about_of(key) == message.about)
        self.route = route
        self.stratum.take_route(self.as_it_comes(event, keys[route]), route)
        self._hand_on_with(event, tail, message.order, route)
        return as_values(self.stratum.written())

    def as_it_comes(self, event: Incoming, key: str | None) -> Incoming:
        """An event as it happens to the case that the fact ``key`` names."""
        return event

    def _hand_on_with(self, event: Incoming, tail: bytes, order: bytes, route: int) -> None:
        stratum = self.stratum
        for each, code, reason in stratum.refusals:
            self.refusals.append(Refusal(each.line, code, reason, each))
        stratum.refusals.clear()
        raised = stratum.stepper.raised
        if raised:
            within = partial(self.order.within, self.level, order, route)
            self.outlet.raise_all(raised, event.line, (event.time, tail), within)
            raised.clear()
        for counted in stratum.counted:
            self.outlet.count(counted, tail, route)
        stratum.counted.clear()

    def _look(self, message: Message) -> None:
        """Let a watch look at an event that it counts."""
        tail, time, _, _ = msgpack.decode(message.body)
        place, watch = self._known[message.about]
        event = self.watches[self.level].look(watch, time, 0, message.name)
        if event is not None:
            order = ordered(time) + tail + ordered(self.level, WATCHED, place, message.name)
            self.outlet.pass_on(event._replace(line=self.order.line(tail)), order, tail)

    def let_fall_due(self, until: int) -> list[Record]:
        """Let fall due what falls due by an instant of the subjects at hand; the records of that."""
        for subject in self.memory.due(self.level, until):
            self.stratum.stepper.fire(subject, until, True)
        raised = self.stratum.stepper.raised
        if raised:
            self.outlet.raise_all(raised, AT_THE_END, AT_LAST, lambda by_origin: ordered(self.level, BY_TIME))
            raised.clear()
        return as_values(self.stratum.written())


def counted_by(message: Message) -> Message:
    """What a watch hears when it is known by which case an event counts that was told ``ONCE``."""
    value, body = msgpack.decode(message.body)
    return message._replace(about=WATCH + message.about.removeprefix(ONCE), name=value, body=body)


def higher_strata(bundle: Bundle) -> range:
    """The strata of a set above the lowest, by their numbers."""
    strata = [each.stratum for each in bundle.programs] + [each.stratum for each in bundle.watches]
    return range(1, max(strata, default=0) + 1)


def opened_by_time(bundle: Bundle, level: int) -> list[str]:
    """The subjects of a stratum of which flows open cases by time."""
    every = (each.every for each in bundle.programs if each.stratum == level)
    return sorted({each.subject for each in every if each is not None})


def watches_of_several(bundle: Bundle) -> list[str]:
    """Watches that count a type of event of which one may be taken by cases of several keys, or of several strata: it
    counts once, by the first of them."""
    found = []
    for watch in bundle.watches:
        takers = {(each.stratum, each.key) for each in bundle.programs if watch.counts in each.events}
        if len([level for level, _ in takers if level < watch.stratum]) > 1:
            found.append(watch.name)
    return found
