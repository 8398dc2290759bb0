"""What a store can tell an audit: its records in the order of subjects, its dead letters, and what it has let go of.

A store keeps no events, but what came of them. Nothing that is private goes into what is told here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from carepolicy.engine.codes import DUPLICATE
from carepolicy.store.contract import batched, storable
from carepolicy.store.live.deadletters import RAISED
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from carepolicy.store.contract import Transaction

IDS_AT_A_TIME = 400
"""Ids that are asked for together."""


class StoreExtent(NamedTuple):
    """How much a store keeps: ``records``; ``let_go`` are subjects of which ``keep:`` has let the first records go,
    ``erased`` those whose private facts were erased."""

    records: int
    let_go: int
    erased: int


def kept(transaction: Transaction) -> StoreExtent:
    """How much there is."""
    counts = (statements.COUNT_RECORDS, statements.COUNT_CUT, statements.COUNT_ERASED)
    return StoreExtent(*(transaction.rows(each)[0][0] for each in counts))


def latest(transaction: Transaction) -> int | None:
    """The latest instant that a subject has lived through (microseconds since 1970); None where there is none."""
    lasts = (
        level["last"]
        for (state,) in transaction.stream(statements.STATES_OF_SUBJECTS)
        for level in orjson.loads(bytes(state)).get("levels", {}).values()
        if "last" in level
    )
    return max(lasts, default=None)


def lines(transaction: Transaction) -> Iterator[bytes]:
    """The lines of all records, by subject, flow and sequence, with what is private masked."""
    for (line,) in transaction.stream(statements.LINES):
        yield line.encode()


class UntakenEvent(NamedTuple):
    """An event that was not taken: its code, the reason, and the line of its log, 0 where it stood in none. Its source
    and id are None where the line was no event, or where a flow raised the event."""

    code: str
    reason: str
    line: int
    event: tuple[str, str] | None


def refused(transaction: Transaction) -> Iterator[UntakenEvent]:
    """The events that were not taken, and have not been since, in the order in which they came."""
    for code, letter in transaction.stream(statements.LETTERS_LEFT):
        if code != DUPLICATE:
            told = orjson.loads(letter)
            said = told.get("event")
            event = (said.get("source", RAISED), said.get("id", "")) if isinstance(said, dict) else (RAISED, "")
            yield UntakenEvent(code, told["reason"], told.get("line") or 0, None if event[0] == RAISED else event)


def count_events(transaction: Transaction, untaken: AbstractSet[tuple[str, str]]) -> int:
    """How many events came in: those whose ids are known, and of those that were not taken the ``untaken`` ones, whose
    ids are free to be said again."""
    count: int = transaction.rows(statements.COUNT_EVENTS)[0][0]
    for some in batched(untaken, IDS_AT_A_TIME):
        names = [storable(name) for each in some for name in each]
        count += len(some) - transaction.rows(statements.count_taken(len(some)), names)[0][0]
    return count
