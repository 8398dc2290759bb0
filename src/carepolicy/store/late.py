"""Events that a run's lateness holds back, kept with each transaction, so that a run that was stopped loses none."""

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


def _put(event: Incoming) -> dict[str, Any]:
    return {**event._asdict(), "data": put_all(event.data)}


def _taken(kept: dict[str, Any]) -> Incoming:
    return Incoming(**{**kept, "data": take_all(kept["data"])})
