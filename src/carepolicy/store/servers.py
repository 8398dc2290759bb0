"""Servers that requests are handed to, and for how long one is left alone that could not take what came to it.

It is kept in the store, so that a command that is started every minute does not try a server again each time, and all
senders of a store know of it. A server that is tried again is given one request first; other senders wait for that.
"""

from __future__ import annotations

from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.store.noting import Index
from carepolicy.store.outbox import LONGEST_FAULT, LONGEST_WAIT, SECOND

if TYPE_CHECKING:
    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.datakeys import DataKeys

FIRST_WAIT = SECOND
"""After the first failure; twice as long each time, at most ``LONGEST_WAIT``."""

LONGEST_DOUBT = 900 * SECOND
"""At most, where the server answers and may be right: what is then sent to it may be taken."""

FORGOTTEN = 30 * 86_400 * SECOND
"""A server that nobody asked for so long is asked for no more: its address or password is another now."""

TRIAL = 180 * SECOND
"""Who tries a server again has so long before others may: longer than the slowest delivery."""

ENTER = "UPDATE servers SET until = ? WHERE digest = ? AND until <= ?"
STATE = "SELECT failures, until, fault FROM servers WHERE digest = ?"
SHUT = """INSERT INTO servers (digest, name, failures, until, fault) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET failures = excluded.failures, until = excluded.until, fault = excluded.fault
    WHERE servers.failures = ?"""
LEAVE = "UPDATE servers SET until = ? WHERE digest = ? AND failures = ?"
FORGET_OLD = "DELETE FROM servers WHERE until < ?"
FORGET = "DELETE FROM servers WHERE digest = ?"


class Server(NamedTuple):
    """A server as it is told of, and all that it was asked with: with another password it is tried at once."""

    name: str
    settings: str


class Gate(NamedTuple):
    """What is known of a server: how often in a row it failed, until when it is left alone (None: it may be tried),
    and why."""

    digest: bytes
    name: str
    failures: int = 0
    until: int | None = None
    fault: str = ""


class Servers:
    """The servers of a store that failed. Instants are microseconds since 1970."""

    def __init__(self, store: Store, sealer: DataKeys) -> None:
        self._store = store
        self._sealer = sealer
        self._digests: dict[Server, bytes] = {}

    def enter(self, server: Server, now: int, at_once: bool = False) -> Gate:
        """Ask to hand requests to a server. Of those who ask for one that failed, one at a time may try it; with
        ``at_once`` also before its time."""

        def work(transaction: Transaction) -> Gate:
            digest = self._digests[server] = self._digest(transaction, server)
            mine = transaction.run(ENTER, (now + TRIAL, digest, now + LONGEST_WAIT if at_once else now))
            found = transaction.rows(STATE, (digest,))
            if not found:
                return Gate(digest, server.name)
            failures, until, fault = found[0]
            return Gate(digest, server.name, failures, None if mine else until, fault)

        return self._store.attempt(work)

    def until(self, server: Server) -> int:
        """Until when a server that was asked before is left alone; 0 where it is not."""
        digest = self._digests.get(server)
        if digest is None:
            return 0
        with self._store.reading() as transaction:
            found = transaction.rows(STATE, (digest,))
            return int(found[0][1]) if found else 0

    def shut(self, gate: Gate, now: int, fault: str, asked: int, doubtful: bool) -> Gate:
        """Note that a server failed, and leave it alone: for as long as it ``asked`` for (microseconds), else twice as
        long as the last time. Of several who find the same out at once one counts."""
        failures = gate.failures + 1
        wait = min(asked, LONGEST_WAIT) if asked > 0 else _wait(gate, LONGEST_DOUBT if doubtful else LONGEST_WAIT)
        after = gate._replace(failures=failures, until=now + wait, fault=fault[:LONGEST_FAULT])
        values = (after.digest, after.name, failures, after.until, after.fault, gate.failures)

        def work(transaction: Transaction) -> None:
            transaction.run(FORGET_OLD, (now - FORGOTTEN,))
            transaction.run(SHUT, values)

        self._store.attempt(work)
        return after

    def leave(self, gate: Gate, now: int) -> None:
        """Note that it did not come to a trial, so that the next one who asks may try."""
        self._store.attempt(lambda transaction: transaction.run(LEAVE, (now, gate.digest, gate.failures)))

    def answered(self, gate: Gate) -> Gate:
        """Note that a server works (again)."""
        if gate.failures:
            self._store.attempt(lambda transaction: transaction.run(FORGET, (gate.digest,)))
        return Gate(gate.digest, gate.name)

    def _digest(self, transaction: Transaction, server: Server) -> bytes:
        """By which a server with its settings is known: keyed, since a password is among them."""
        said = sha256("\0".join(server).encode("utf-8", "replace")).hexdigest()
        return Index(self._sealer).digest(transaction, "\0server", said)


def _wait(gate: Gate, longest: int) -> int:
    """How long a server is left alone after one failure more: not the same for two stores, so that a server that is
    there again is not asked by all at once, and the same each time for one, so that what a store does can be told."""
    most = min(FIRST_WAIT << min(gate.failures, 40), longest)
    share = int.from_bytes(blake2b(gate.digest + bytes([gate.failures & 255]), digest_size=2).digest()) / 0xFFFF
    return most - int(most * share / 4)
