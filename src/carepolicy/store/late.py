"""Events that lateness holds back, kept with each transaction, so that none is lost: those of a log that is run, and
those that came one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.holding import Holding
from carepolicy.engine.intake import Incoming
from carepolicy.store.factvalues import put_all, take_all
from carepolicy.store.naming import named, storable
from carepolicy.store.rows import HeldRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.store.contract import Transaction
    from carepolicy.store.sealing import Sealer

SINGLE = 0
"""In place of the number of an input, of events that came one by one."""

WAITING = f"SELECT subject FROM held WHERE input = {SINGLE} AND subject > ? ORDER BY subject LIMIT ?"
WAITING_OF = f"SELECT sealed FROM held WHERE input = {SINGLE} AND subject = ?"
GONE = f"DELETE FROM held WHERE input = {SINGLE} AND subject = ?"


class Late:
    """The events of one input that are held ``lateness`` microseconds. What it knows is that of the last commit."""

    def __init__(self, input: int, lateness: int, sealer: Sealer) -> None:
        self._input = input
        self._lateness = lateness
        self._sealer = sealer
        self._holding: Holding | None = None

    def release(self, transaction: Transaction, events: Iterable[Incoming]) -> list[Incoming]:
        """Hold some events; those that are held no longer, in their order."""
        holding = self._of(transaction)
        subjects: dict[str, None] = {}
        released: list[Incoming] = []
        for event in events:
            subjects[event.subject] = None
            released += holding.add(event)
        transaction.hold([self._row(holding, subject) for subject in subjects])
        return released

    def rest(self, transaction: Transaction) -> list[Incoming]:
        """All that is still held."""
        released = list(self._of(transaction).rest())
        transaction.let_go(self._input)
        self._holding = None
        return released

    def forget(self) -> None:
        """Forget what a transaction did that was undone."""
        self._holding = None

    def _of(self, transaction: Transaction) -> Holding:
        if self._holding is None:
            self._holding = Holding(self._lateness)
            for row in transaction.held(self._input):
                kept = orjson.loads(self._sealer.unseal(row.sealed))
                self._holding.take_back(named(row.subject), row.latest, [_taken(each) for each in kept])
        return self._holding

    def _row(self, holding: Holding, subject: str) -> HeldRow:
        latest, events = holding.held_of(subject)
        sealed = self._sealer.seal(orjson.dumps([_put(each) for each in events]))
        return HeldRow(self._input, storable(subject), latest, sealed)


class Single:
    """Events that came one by one and wait, each for ``lateness`` microseconds by the ``clock``, whether an earlier one
    of their subject comes. They are sorted, and go out when their time is over, or a later event goes out at once."""

    def __init__(self, transaction: Transaction, sealer: Sealer) -> None:
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
        names = [name for (name,) in self._transaction.rows(WAITING, (after, most))]
        released = [event for name in names for event in self._split(named(name), self._taken_out(named(name)), until)]
        return sorted(released, key=_time), names[-1] if len(names) == most else None

    def _taken_out(self, subject: str) -> list[Incoming]:
        """All of a subject that waits, which nobody else may take then."""
        name = storable(subject)
        self._transaction.lock(f"held {name}")
        rows = self._transaction.rows(WAITING_OF, (name,))
        return [_taken(each) for (sealed,) in rows for each in orjson.loads(self._sealer.unseal(bytes(sealed)))]

    def _split(self, subject: str, waiting: list[Incoming], until: int) -> list[Incoming]:
        """Keep what happened later; what did not, in its order."""
        waiting.sort(key=_time)
        later = [_put(event) for event in waiting if event.time > until]
        name = storable(subject)
        if later:
            sealed = self._sealer.seal(orjson.dumps(later))
            self._transaction.hold([HeldRow(SINGLE, name, waiting[-1].time, sealed)])
        else:
            self._transaction.run(GONE, (name,))
        return [event for event in waiting if event.time <= until]


def waits(transaction: Transaction) -> bool:
    """Whether single events are held back."""
    return bool(transaction.rows(WAITING, ("", 1)))


def _time(event: Incoming) -> int:
    return event.time


def _put(event: Incoming) -> dict[str, Any]:
    return {**event._asdict(), "data": put_all(event.data)}


def _taken(kept: dict[str, Any]) -> Incoming:
    return Incoming(**{**kept, "data": take_all(kept["data"])})
