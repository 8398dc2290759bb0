"""The outbox: what was asked for and must be carried out at least once, under an id that stays the same.

A request waits until it is taken. Who takes it has it for the time of a lease, after which it may be taken again, since
nobody knows whether it was carried out. It is then done, or has failed and waits twice as long each time, or is parked:
left alone until somebody replays it. Exactly once is the receiver's part, by the id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.instants import text_of
from carepolicy.store.revealing import CARRIER, Reader, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.sealing import Sealer

WAITING, LEASED, DONE, PARKED = "waiting", "leased", "done", "parked"
STATES = (WAITING, LEASED, DONE, PARKED)
KINDS = ("message", "notice", "action")

SECOND = 1_000_000
FIRST_WAIT, LONGEST_WAIT = 60 * SECOND, 6 * 3_600 * SECOND
"""After the first failure, and at most."""

MOST_ATTEMPTS = 8
LONGEST_FAULT = 300

COLUMNS = (
    "o.id, o.kind, o.subject, o.flow, o.time, o.state, o.ready, o.leased_by, o.attempts, o.fault, r.line, r.sealed"
)
FROM = """FROM outbox o JOIN records r
    ON r.subject = o.subject AND r.flow = o.flow AND r.sequence = o.sequence AND r.loose = 0"""
PARK_LOST = """UPDATE outbox SET state = 'parked', leased_by = NULL, fault = ?
    WHERE state = 'leased' AND ready <= ? AND attempts >= ?"""
LEASE = "UPDATE outbox SET state = 'leased', leased_by = ?, ready = ?, attempts = attempts + 1 WHERE id = ?"
FINISH = "UPDATE outbox SET state = 'done', leased_by = NULL, fault = NULL WHERE id = ?"
FAIL = "UPDATE outbox SET state = ?, ready = ?, leased_by = NULL, fault = ? WHERE id = ?"
RELEASE = """UPDATE outbox SET state = 'waiting', ready = ?, leased_by = NULL, attempts = attempts - 1, channel = ?
    WHERE id = ? AND state = 'leased'"""
REPLAY = """UPDATE outbox SET state = 'waiting', ready = 0, attempts = 0, leased_by = NULL, fault = NULL
    WHERE id = ? AND state = 'parked'"""


class NoRequest(LookupError):
    """An id that no request has, or one whose request is not what was said; the message says which."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request: ``record`` is the CloudEvent that asks for it, ``ready`` when it may be taken (again)."""

    id: str
    kind: str
    subject: str
    flow: str
    time: int
    state: str
    ready: int
    leased_by: str | None
    attempts: int
    fault: str | None
    record: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """The data of the record."""
        found: dict[str, Any] = self.record["data"]
        return found

    def as_dict(self) -> dict[str, Any]:
        """The request as JSON can hold it."""
        told: dict[str, Any] = {"id": self.id, "kind": self.kind, "state": self.state, "attempts": self.attempts}
        if self.ready and self.state in (WAITING, LEASED):
            told["ready"] = text_of(self.ready)
        if self.leased_by is not None:
            told["leased_by"] = self.leased_by
        if self.fault is not None:
            told["fault"] = self.fault
        return {**told, "record": self.record}


class Outbox:
    """The outbox of a store. Instants are microseconds since 1970."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    def listed(self, states: Sequence[str], kind: str | None, limit: int | None, reader: Reader) -> list[Request]:
        """The requests in some states, those that were asked for first first."""
        where = f"WHERE o.state IN ({', '.join('?' * len(states))})" + (" AND o.kind = ?" if kind else "")
        sql = f"SELECT {COLUMNS} {FROM} {where} ORDER BY o.time, o.subject, o.flow, o.sequence"
        values: tuple[Any, ...] = (*states, *((kind,) if kind else ()))
        if limit is not None:
            sql, values = f"{sql} LIMIT ?", (*values, limit)
        with self._store.reading() as transaction:
            return [self._request(row, reader) for row in transaction.rows(sql, values)]

    def counts(self) -> dict[str, int]:
        """How many requests are in each state."""
        with self._store.reading() as transaction:
            found = dict(transaction.rows("SELECT state, count(*) FROM outbox GROUP BY state"))
        return {state: found.get(state, 0) for state in STATES}

    def take(
        self, now: int, lease: int, most: int, who: str, kinds: Sequence[str] = KINDS,
        channels: Sequence[str] | None = None, attempts: int = MOST_ATTEMPTS,
    ) -> list[Request]:  # fmt: skip
        """Take up to ``most`` requests until ``now + lease``, those that are ready longest first, with nothing masked.

        With ``channels`` only messages on them (and those of which the channel is not known). A request
        whose lease has ended for the last of its ``attempts`` is parked.
        """
        kinds_in = f"kind IN ({', '.join('?' * len(kinds))})"
        within = "" if channels is None else f"AND (channel IS NULL OR channel IN ({', '.join('?' * len(channels))}))"
        select = f"""SELECT id FROM outbox WHERE state IN ('waiting', 'leased') AND ready <= ? AND {kinds_in} {within}
            ORDER BY ready, time, subject, flow, sequence LIMIT ?"""

        def work(transaction: Transaction) -> list[Request]:
            transaction.run(PARK_LOST, (f"it was taken {attempts} times and never done", now, attempts))
            values = (now, *kinds, *(channels or ()), most)
            ids = [id for (id,) in transaction.rows(select + transaction.skip_locked, values)]
            transaction.many(LEASE, [(who, now + lease, id) for id in ids])
            return [self._one(transaction, id, CARRIER) for id in ids]

        return self._store.attempt(work, _nothing)

    def next_ready(self, kinds: Sequence[str], channels: Sequence[str] | None) -> int | None:
        """When the first request of some kinds (of messages: on some channels) may be taken; None where all are done or
        parked."""
        within = "" if channels is None else f"AND (channel IS NULL OR channel IN ({', '.join('?' * len(channels))}))"
        sql = f"""SELECT min(ready) FROM outbox WHERE state IN ('waiting', 'leased')
            AND kind IN ({", ".join("?" * len(kinds))}) {within}"""
        with self._store.reading() as transaction:
            first: int | None = transaction.rows(sql, (*kinds, *(channels or ())))[0][0]
            return first

    def done(self, ids: Iterable[str]) -> None:
        """Say that requests were carried out. Raises ``NoRequest``, and then none of them is done."""

        def work(transaction: Transaction) -> None:
            for id in ids:
                if not transaction.run(FINISH, (id,)):
                    raise _unknown(id)

        self._store.attempt(work, _nothing)

    def fail(
        self, ids: Iterable[str], now: int, fault: str, park: bool = False, attempts: int = MOST_ATTEMPTS
    ) -> list[Request]:
        """Say that requests could not be carried out: each waits twice as long as the last time, or is parked after so
        many ``attempts``, or at once with ``park``. Raises ``NoRequest``, and then nothing is changed."""

        def work(transaction: Transaction) -> list[Request]:
            found = [self._one(transaction, id, CARRIER) for id in ids]
            for each in found:
                if each.state == DONE:
                    raise NoRequest(f'"{each.id}" was done already')
                parked = park or each.attempts >= attempts
                wait = min(FIRST_WAIT << min(max(each.attempts - 1, 0), 40), LONGEST_WAIT)
                said = PARKED if parked else WAITING, now + wait, fault[:LONGEST_FAULT], each.id
                transaction.run(FAIL, said)
            return [self._one(transaction, each.id, CARRIER) for each in found]

        return self._store.attempt(work, _nothing)

    def release(self, requests: Iterable[Request]) -> None:
        """Put back what was taken and not tried; it may be taken again at once."""

        def work(transaction: Transaction) -> None:
            for each in requests:
                transaction.run(RELEASE, (0, each.data.get("channel") or "", each.id))

        self._store.attempt(work, _nothing)

    def replay(self, ids: Sequence[str]) -> int:
        """Let parked requests wait again, as if for the first time; all that are parked where ``ids`` names none; how
        many there were. Raises ``NoRequest``, and then nothing is changed."""

        def work(transaction: Transaction) -> int:
            wanted = ids or [id for (id,) in transaction.rows("SELECT id FROM outbox WHERE state = 'parked'")]
            for id in wanted:
                if not transaction.run(REPLAY, (id,)):
                    raise NoRequest(f'"{id}" is {self._one(transaction, id, CARRIER).state}, not parked')
            return len(wanted)

        return self._store.attempt(work, _nothing)

    def _one(self, transaction: Transaction, id: str, reader: Reader) -> Request:
        found = transaction.rows(f"SELECT {COLUMNS} {FROM} WHERE o.id = ?", (id,))
        if not found:
            raise _unknown(id)
        return self._request(found[0], reader)

    def _request(self, row: tuple[Any, ...], reader: Reader) -> Request:
        id, kind, subject, flow, time, state, ready, leased_by, attempts, fault, line, sealed = row
        record = orjson.loads(line)
        record["data"] = shown(record["data"], None if sealed is None else bytes(sealed), self._sealer, reader)
        return Request(id, kind, subject, flow, time, state, ready, leased_by, attempts, fault, record)


def _unknown(id: str) -> NoRequest:
    return NoRequest(f'there is no request "{id}" in the outbox; `carepolicy outbox list` shows them')


def _nothing() -> None:
    """What is done where a transaction was undone: nothing was kept in memory."""
