"""Events that lateness holds back, kept with each transaction, so that none is lost: those of a log that is run, and
those that came one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct
from msgspec.structs import astuple, replace

from carepolicy.engine.intake import Incoming
from carepolicy.engine.run import ReorderBuffer
from carepolicy.store.cases.snapshot import put_all, take_all
from carepolicy.store.contract import named, storable
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Transaction
    from carepolicy.store.privacy.seal import DataKeys


class HeldRow(Struct, frozen=True):
    """A subject's events that an input's lateness holds back, sealed; ``latest`` is the latest time of them all."""

    input: int
    subject: str
    latest: int
    sealed: bytes


class Late:
    """The events of one input that are held ``lateness`` microseconds. What it knows is that of the last commit."""

    def __init__(self, input: int, lateness: int, sealer: DataKeys) -> None:
        self._input = input
        self._lateness = lateness
        self._sealer = sealer
        self._holding: ReorderBuffer | None = None
        self._erasures = 0

    def release(self, transaction: Transaction, events: Iterable[Incoming]) -> list[Incoming]:
        """Hold some events; those that are held no longer, in their order."""
        holding = self._of(transaction)
        subjects: dict[str, None] = {}
        released: list[Incoming] = []
        for event in events:
            subjects[event.subject] = None
            released += holding.add(event)
        self._sealer.prepare(transaction, map(storable, subjects))
        transaction.many(statements.HOLD, [astuple(self._row(transaction, holding, subject)) for subject in subjects])
        return released

    def rest(self, transaction: Transaction) -> list[Incoming]:
        """All that is still held."""
        released = list(self._of(transaction).rest())
        transaction.run(statements.LET_GO, (self._input,))
        self._holding = None
        return released

    def forget(self) -> None:
        """Forget what a transaction did that was undone."""
        self._holding = None

    def _of(self, transaction: Transaction) -> ReorderBuffer:
        erasures = transaction.rows(statements.LAST_ERASURE)[0][0]
        if self._holding is None or erasures != self._erasures:  # somebody may have erased facts of what is held
            self._erasures = erasures
            self._holding = ReorderBuffer(self._lateness)
            rows = [HeldRow(*each) for each in transaction.rows(statements.HELD, (self._input,))]
            self._sealer.have(row.sealed for row in rows)
            for row in rows:
                self._holding.take_back(named(row.subject), row.latest, _events(self._sealer, row.sealed))
        return self._holding

    def _row(self, transaction: Transaction, holding: ReorderBuffer, subject: str) -> HeldRow:
        latest, events = holding.held_of(subject)
        name = storable(subject)
        sealed = self._sealer.seal(transaction, name, orjson.dumps([_put(each) for each in events]))
        return HeldRow(self._input, name, latest, sealed)


class Single:
    """Events that came one by one and wait, each for ``lateness`` microseconds by the ``clock``, whether an earlier one
    of their subject comes. They are sorted, and go out when their time is over, or a later event goes out at once."""

    def __init__(self, transaction: Transaction, sealer: DataKeys) -> None:
        self._transaction = transaction
        self._sealer = sealer
        self.held = 0

    def add(self, events: Iterable[Incoming], until: int | None) -> list[Incoming]:
        """Hold events back; those of their subjects that happened by ``until``, in their order. Without ``until``
        nothing is held but what was before, and what was goes out with what is later."""
        released: list[Incoming] = []
        for event in events:
            waiting = self._taken_out(event.subject)
            bound = event.time if until is None else until
            waiting.append(event)
            released += self._split(event.subject, waiting, bound)
            self.held += event.time > bound
        return released

    def due(self, until: int, after: str, most: int) -> tuple[list[Incoming], str | None]:
        """What happened by ``until`` of the first subjects behind a name, in its order; the last name, None where there
        are no more."""
        names = [name for (name,) in self._transaction.rows(statements.WAITING, (after, most))]
        released = [event for name in names for event in self._split(named(name), self._taken_out(named(name)), until)]
        return sorted(released, key=_time), names[-1] if len(names) == most else None

    def _taken_out(self, subject: str) -> list[Incoming]:
        """All of a subject that waits, which nobody else may take then."""
        name = storable(subject)
        _lock(self._transaction, name)
        rows = self._transaction.rows(statements.WAITING_OF, (name,))
        return [event for (sealed,) in rows for event in _events(self._sealer, sealed)]

    def _split(self, subject: str, waiting: list[Incoming], until: int) -> list[Incoming]:
        """Keep what happened later; what did not, in its order."""
        waiting.sort(key=_time)
        later = [_put(event) for event in waiting if event.time > until]
        name = storable(subject)
        if later:
            sealed = self._sealer.seal(self._transaction, name, orjson.dumps(later))
            self._transaction.many(statements.HOLD, [(statements.SINGLE, name, waiting[-1].time, sealed)])
        else:
            self._transaction.run(statements.FORGET_WAITING, (name,))
        return [event for event in waiting if event.time <= until]


def _lock(transaction: Transaction, subject: str) -> None:
    """Let nobody else take single events of a subject, or keep them."""
    transaction.lock(f"held {subject}")


def waits(transaction: Transaction) -> bool:
    """Whether single events are held back."""
    return bool(transaction.rows(statements.WAITING, ("", 1)))


def _time(event: Incoming) -> int:
    return event.time


def _put(event: Incoming) -> dict[str, Any]:
    return {**event._asdict(), "data": put_all(event.data)}


def _taken(kept: dict[str, Any]) -> Incoming:
    return Incoming(**{**kept, "data": take_all(kept["data"])})


def held_back(transaction: Transaction, sealer: DataKeys, address: Address) -> Iterator[tuple[HeldRow, list[Incoming]]]:
    """What the lateness of runs holds back of an address: rows with all of their events, those of the address among
    them (see ``concerns``)."""
    key, subject = address
    found = transaction.rows(statements.ALL_HELD) if key else transaction.rows(statements.HELD_OF, (subject,))
    rows = [HeldRow(*each) for each in found]
    sealer.have(each.sealed for each in rows)
    for row in rows:
        events = _events(sealer, row.sealed)
        if any(concerns(each, address) for each in events):
            yield row, events


def concerns(event: Incoming, address: Address) -> bool:
    """Whether an event is about an address."""
    key, subject = address
    return storable(str(event.data.get(key)) if key else event.subject) == subject


def forget_private(transaction: Transaction, sealer: DataKeys, bundle: Bundle, address: Address) -> int:
    """Take what is private out of the events of an address that are held back; of how many."""
    done = 0
    for subject in sorted({row.subject for row, _ in held_back(transaction, sealer, address)}):
        _lock(transaction, subject)
    for row, events in list(held_back(transaction, sealer, address)):
        left = [without_private(each, bundle) if concerns(each, address) else each for each in events]
        done += sum(before is not after for before, after in zip(events, left, strict=True))
        sealed = sealer.seal(transaction, row.subject, orjson.dumps([_put(each) for each in left]))
        transaction.many(statements.HOLD, [astuple(replace(row, sealed=sealed))])
        if address[0]:  # what is of the event's own subject otherwise is sealed anew by who erases
            sealer.renew(transaction, row.subject)
    return done


def without_private(event: Incoming, bundle: Bundle) -> Incoming:
    """An event without its private facts; itself where it has none."""
    shown = {
        name: value for name, value in event.data.items() if name in bundle.facts and not bundle.facts[name].private
    }
    return event if len(shown) == len(event.data) else event._replace(data=shown)


def _events(sealer: DataKeys, sealed: bytes) -> list[Incoming]:
    return [_taken(each) for each in orjson.loads(sealer.opened(sealed) or b"[]")]
