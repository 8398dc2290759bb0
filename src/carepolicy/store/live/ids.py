"""Which ids of events are used up: those of events that a case has taken.

An event that no case took (it was out of order, came before the case was opened, lacked a fact) has had no effect, so
its id may come again. Only within one log does the second line of an id stay a duplicate, whatever became of the first:
what a log says must not hang on how it was cut into transactions, and a run without a store says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.store.contract import batched, named, storable
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from carepolicy.engine.intake import Incoming, Row
    from carepolicy.store.contract import EventRow, Transaction

AT_A_TIME = 400
"""Ids that are asked about in one question."""

Id = tuple[str, str]
"""(source, id), as columns hold them."""


class Ids:
    """The ids of the events of one transaction. ``input`` is the number of the log that they are of, 0 for none;
    ``untaken`` has those that no case took; ``times`` says of events that come again, by source and id, how often they
    were not taken before."""

    def __init__(self, transaction: Transaction, input: int) -> None:
        self._transaction = transaction
        self._input = input
        self.times: dict[tuple[str, str], int] = {}
        self._again: dict[Id, None] = {}
        self.untaken: dict[Id, None] = {}

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Note the ids of events as taken; the places of those that were taken before."""
        fresh: dict[Id, EventRow] = {}
        again: set[int] = set()
        ids: list[Id] = []
        for place, row in enumerate(rows):
            source, id = storable(row[5]), storable(row[6])
            ids.append((source, id))
            if fresh.setdefault((source, id), claimed := (source, id, storable(row[1]))) is not claimed:
                again.add(place)
        known = self._transaction.claim(list(fresh.values())) if fresh else set()
        if not known:
            return again
        for source, id, times in self._untaken_before(known):
            self.times[named(source), named(id)] = times
            self._again[source, id] = None
        taken = known - self._again.keys()
        return again | {place for place, each in enumerate(ids) if each in taken}

    def _untaken_before(self, known: Iterable[Id]) -> Iterable[tuple[str, str, int]]:
        for some in batched(sorted(known), AT_A_TIME):
            sql = statements.untaken(len(some)) + self._transaction.locked
            yield from self._transaction.rows(sql, (self._input, *(part for each in some for part in each)))

    def note_untaken(self, event: Incoming) -> None:
        """No case took an event."""
        self.untaken[storable(event.source), storable(event.id)] = None

    def keep(self) -> None:
        """Keep what became of the ids."""
        taken = [each for each in self._again if each not in self.untaken]
        if taken:
            self._transaction.many(statements.FORGET_UNTAKEN, taken)
        if self.untaken:
            self._transaction.many(statements.KEEP_UNTAKEN, [(*each, self._input) for each in self.untaken])
