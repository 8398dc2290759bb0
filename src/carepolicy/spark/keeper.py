"""Subjects of a stream, one after another: each is taken up as it was put down, hears what has come, and is put down.

The lowest stratum takes events when they come. Those above it hold what they hear until no event can come any more that
is earlier, so that they take it in the order of time, as a run does that knows all lines.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import msgpack

from carepolicy.engine import codes
from carepolicy.engine.case import Subject
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.intake import AT_THE_END, MERGE, Incoming
from carepolicy.machine.bundle import from_bytes
from carepolicy.spark.strata import (
    AT_LAST,
    BY_TIME,
    FACT,
    TAKEN,
    WATCH,
    Cause,
    HigherRun,
    KeyMemory,
    LowestRun,
    Message,
    ordered,
    watches_of_several,
)
from carepolicy.spark.subject import Subjects

if TYPE_CHECKING:
    from carepolicy.engine.intake import Row
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle

MILLISECOND = 1_000

WITH_AN_EVENT, AS_TIME_PASSED = range(2)
"""Of what comes to wait at one instant, first comes what events bring and cause, and then what fell due: by whom it was
raised, since nobody knows which event comes next."""


class OtherSetError(Exception):
    """A stream goes on from a checkpoint of another policy set."""


class ByPlaces:
    """The order of a stream: by time, and then by the places of the events that are its cause, as texts."""

    def __init__(self) -> None:
        self.places: Sequence[tuple[int, str]] = ()

    def cause(self, line: int) -> Cause:
        """What is caused by the event of that number, counted from 1, among those at hand."""
        if line == AT_THE_END:
            return AT_LAST
        time, place = self.places[line - 1]
        return time, ordered(WITH_AN_EVENT, place)

    def place(self, time: int, cause: Cause) -> tuple[bytes, bool]:
        """By time; of what fell due it decides who raised it."""
        fell_due = time < cause[0]
        return ordered(time) + (ordered(AS_TIME_PASSED) if fell_due else cause[1]), fell_due

    def within(self, level: int, order: bytes, route: int, by_origin: bool) -> bytes:
        """By the messages; what fell due with one is behind those, as if it had fallen due without."""
        return ordered(level, BY_TIME) if by_origin else ordered(level, TAKEN) + order + ordered(route)

    def line(self, tail: bytes) -> int:
        """The lines of a stream have no numbers."""
        return 0

    def once(self, bundle: Bundle) -> Collection[str]:
        """Those that count what cases of several keys take."""
        return watches_of_several(bundle)


class Keeper:
    """One subject of the lowest stratum after another, through a run that remembers the one at hand."""

    def __init__(self, packed: bytes) -> None:
        bundle = from_bytes(packed)
        self.memory = _EventMemory()
        self._order = ByPlaces()
        self.run = _KeyRun(bundle, self.memory, self._order)
        self._bundle = bundle
        self._subjects = Subjects(bundle, self.run.programs)
        self._openers = [each for each in self.run.programs if each.every is not None and not each.stratum]

    def begin(self, name: str) -> None:
        """Take up a subject of which flows open cases by time."""
        self.memory.forget()
        stratum = self.run.strata[0]
        subject = stratum.subject(None, name)
        for program in self._openers:
            if program.every is not None and program.every.subject == name:
                stratum.stepper.open_by_time(subject, program)

    def take_up(self, name: str, body: bytes | None) -> None:
        """Take up a subject as it was put down; None where it is new. Raises ``OtherSetError``."""
        self.memory.forget()
        if body is None:
            return
        kept = msgpack.decode(body)
        demand_set(kept["set"], self._bundle)
        self.memory.take_up(kept["ids"], kept["counts"])
        if kept["subject"] is not None:
            self._subjects.thaw(kept["subject"], self.run.strata[0])
            self.run.strata[0].let_go(name)

    def put_down(self, name: str) -> bytes:
        """The subject as bytes."""
        subject = self.memory.subjects(0).get(name)
        if subject is None and name in self.memory.closed:
            last, sequences = self.memory.closed[name]
            subject = Subject(name, last)
            subject.sequences = dict(sequences)
        frozen = None if subject is None else self._subjects.freeze(subject)
        ids, counts = self.memory.put_down()
        return msgpack.encode({"set": self._bundle.digest, "subject": frozen, "ids": ids, "counts": counts})

    def rings(self, name: str) -> int:
        """When anything of the subject falls due next: the first millisecond after that instant; 0 where never."""
        subject = self.memory.subjects(0).get(name)
        return ring_at(NEVER if subject is None else subject.next)

    def events(self, lines: Sequence[bytes], places: Sequence[tuple[int, str]] = ()) -> list[Record]:
        """What some events, in the order of time, cause; ``places`` are their times, and texts that put those of one
        time in order."""
        self._order.places = places or [(0, "")] * len(lines)
        caused = self.run.feed(list(enumerate(lines, 1)))
        self.run.refusals.clear()
        return [record for each in caused for record in each.values]

    def due(self, until: int) -> list[Record]:
        """What falls due before an instant (microseconds since 1970)."""
        return self.run.finish(until - 1).due_values

    def handed_on(self) -> list[Message]:
        """What there is for the higher strata; it is here no longer."""
        return self.run.handed_on()


class HigherKeeper:
    """One subject of a higher stratum, or value of a watch, after another. ``about`` says by what it has its name."""

    def __init__(self, packed: bytes, level: int) -> None:
        bundle = from_bytes(packed)
        self.level = level
        self.memory = KeyMemory()
        self.run = _HigherKeyRun(bundle, level, self.memory, ByPlaces())
        self._bundle = bundle
        self._subjects = Subjects(bundle, self.run.programs)

    def begin(self, name: str) -> None:
        """Take up a subject of which flows open cases by time."""
        self.memory.forget()
        self.run.open_by_time(name)

    def take_up(self, about: str, name: str, body: bytes | None) -> None:
        """Take up a subject as it was put down; None where it is new. Raises ``OtherSetError``."""
        self.memory.forget()
        if body is None:
            return
        kept = msgpack.decode(body)
        demand_set(kept["set"], self._bundle)
        if kept["subject"] is not None:
            key = about.removeprefix(FACT) if about.startswith(FACT) else None
            self._subjects.thaw(kept["subject"], self.run.stratum, key)
        if about.startswith(WATCH):
            self.memory.keep_watched(about.removeprefix(WATCH), name, kept["watched"])

    def put_down(self, about: str, name: str) -> bytes:
        """The subject as bytes."""
        subject = next(iter(self.run.stratum.subjects.values()), None)
        frozen = None if subject is None else self._subjects.freeze(subject)
        watched = self.memory.watched(about.removeprefix(WATCH), name) if about.startswith(WATCH) else []
        return msgpack.encode({"set": self._bundle.digest, "subject": frozen, "watched": watched})

    def rings(self) -> int:
        """When anything of the subject falls due next: the first millisecond after that instant; 0 where never."""
        return ring_at(min((each.next for each in self.run.stratum.subjects.values()), default=NEVER))

    def hear(self, messages: Iterable[Message], until: int) -> list[Record]:
        """What messages cause, and what falls due before an instant (microseconds since 1970)."""
        found = [record for each in sorted(messages) for record in self.run.hear(each)]
        found += self.run.let_fall_due(until - 1)
        self.run.refusals.clear()
        return found

    def handed_on(self) -> list[Message]:
        """What there is for the strata above; it is here no longer."""
        return self.run.handed_on()


def demand_set(digest: str, bundle: Bundle) -> None:
    """Raise ``OtherSetError`` where a subject is of another set."""
    if digest != bundle.digest:
        raise OtherSetError("the checkpoint is of another policy set: begin with a new one")


def ring_at(due: int) -> int:
    """The first millisecond (since 1970) after an instant; 0 where that is never."""
    return 0 if due == NEVER else max(due // MILLISECOND + 1, 1)


class _KeyRun(LowestRun):
    """A run of one subject, which cannot join another."""

    def give_to(self, level: int, event: Incoming) -> None:
        """Take an event by the stratum; refuse to join subjects."""
        if event.type == MERGE:
            self.strata[level].refuse(event, codes.MERGE, "a stream on a cluster cannot join subjects", event.subject)
            self.strata[level].refusals.clear()
        else:
            super().give_to(level, event)


class _HigherKeyRun(HigherRun):
    """A run of one subject of a higher stratum."""

    def as_it_comes(self, event: Incoming, key: str | None) -> Incoming:
        """A raised event that comes late, when its case has seen later ones, happens to it when it comes, as in a
        store."""
        known = self.stratum.subjects.get(event.subject if key is None else (key, event.subject))
        if not event.raised or known is None or event.time >= known.last:
            return event
        return event._replace(time=known.last, when=text_of(known.last))


class _EventMemory(KeyMemory):
    """A memory of the subject at hand. Of its events it keeps eight bytes each, to know them when they come again."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: set[bytes] = set()

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Note events as taken; the places of those that were."""
        again = set()
        for place, row in enumerate(rows):
            digest = blake2b(f"{row[5]}\0{row[6]}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
            if digest in self._ids:
                again.add(place)
            self._ids.add(digest)
        return again

    def forget(self) -> None:
        """Forget the subject at hand."""
        super().forget()
        self._ids.clear()

    def take_up(self, ids: bytes, counts: Iterable[tuple[tuple[str, str, str], int]]) -> None:
        """Remember what was put down."""
        self._ids.update(ids[begin : begin + 8] for begin in range(0, len(ids), 8))
        self._counts.update(((kind, source, key), count) for (kind, source, key), count in counts)

    def put_down(self) -> tuple[bytes, list[tuple[tuple[str, str, str], int]]]:
        """The events that were taken, and how often each was refused."""
        return b"".join(sorted(self._ids)), sorted(self._counts.items())
