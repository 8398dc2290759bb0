"""What proves that rows stand as they were written: a mac in each row, and sums over each table.

The digest of a row is a keyed BLAKE2b over its columns. Its first bytes stand in the row as its ``mac`` and name a row
that was altered; the digests of all rows of a table, added up, tell whether rows are lacking, were put in, or are those
of an earlier day.

A statement that takes a row away takes the digest of the row as it is found from the sum. A row that somebody altered
by hand has another digest than the one that was added, so the sum is wrong for good, even when the row has been written
over since. The sums have a mac of their own; where that is wrong it is kept wrong: altered things stop no work, and
``verify`` does not forget them.

The key is random, and wrapped with each of the store's keys, so that ``key rotate`` breaks nothing. Wrapping is done by
BLAKE2b as well: loading what Fernet needs takes longer than a whole event.
"""

from __future__ import annotations

import os
from binascii import a2b_base64
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from orjson import dumps, loads

from carepolicy.store.faults import Altered
from carepolicy.store.sql.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from carepolicy.store.sql.tables import Table

SIZE = 32
MAC = 8
"""Bytes of the mac in a row; the sums take all bytes of its digest."""

MODULUS = 1 << 8 * SIZE
NONCE, TAG = 16, 16

FROM_URL = str.maketrans("-_", "+/")

NEVER = bytes(SIZE)
"""In place of a mac: no sums have it."""

Changed = dict[str, list[int]]
"""By table: how many more rows there are, and by how much the sum of their digests has grown."""


def macs_of(digests: Iterable[bytes]) -> list[bytearray]:
    """The macs of rows with these digests: as bytearrays, since SQLite takes bytes in three times the time."""
    return [bytearray(each[:MAC]) for each in digests]


class Total(Struct, frozen=True):
    """What a table ought to hold: so many rows, whose digests add up to a sum."""

    rows: int
    sum: int


class _Begun(dict[str, "Callable[[], Any]"]):
    """By the name of a table what copies the hash with which each digest of it begins; made when it is asked for."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __missing__(self, table: str) -> Callable[[], Any]:
        found = self[table] = blake2b(digest_size=SIZE, key=self._key, person=table.encode()).copy
        return found


class Macs:
    """The key of a store, at work: a new one that nobody has, or one that was given."""

    def __init__(self, key: bytes | None = None) -> None:
        key = os.urandom(SIZE) if key is None else key
        self.key = key
        self._begun = _Begun(key)

    def digest(self, table: Table, row: Sequence[Any]) -> bytes:
        """The digest of a row, which has all columns of its table in their order."""
        return self.digests(table, (row,))[0]

    def digests(self, table: Table, rows: Iterable[Sequence[Any]]) -> list[bytes]:
        """The digests of rows of a table: in one go, since there is one for each row that is written."""
        begun, plain, whole = self._begun[table.name], table.plain, len(table.columns)
        digests: list[bytes] = []
        for row in rows:
            made, told = begun(), dumps(row[:plain])
            for each in row[plain:whole]:
                told += b"-" if each is None else b"%d:%b" % (len(each), each)
            made.update(told)
            digests.append(made.digest())
        return digests

    def of_sums(self, shard: int, body: str) -> bytes:
        """The mac of sums."""
        made = blake2b(f"{shard} {body}".encode(), digest_size=SIZE, key=self.key, person=b"sums")
        digest: bytes = made.digest()
        return digest

    def wrapped(self, key: str) -> bytes:
        """The key of the macs, for who has one of the store's keys."""
        nonce = os.urandom(NONCE)
        hidden = _crossed(self.key, _keyed(key, b"wrap", nonce, SIZE))
        return nonce + hidden + _keyed(key, b"wrapped", nonce + hidden, TAG)


def unwrapped(key: str, wrapped: bytes) -> bytes:
    """The key of the macs. Raises ``Altered``."""
    nonce, hidden, tag = wrapped[:NONCE], wrapped[NONCE:-TAG], wrapped[-TAG:]
    if len(hidden) != SIZE or _keyed(key, b"wrapped", nonce + hidden, TAG) != tag:
        raise Altered("the key with which the store proves that nothing was altered was altered itself")
    return _crossed(hidden, _keyed(key, b"wrap", nonce, SIZE))


def _keyed(key: str, use: bytes, data: bytes, size: int) -> bytes:
    digest: bytes = blake2b(data, digest_size=size, key=key_bytes(key), person=use).digest()
    return digest


def key_bytes(key: str) -> bytes:
    """The bytes of a key as the key file has it, in base64 as URLs have it. Raises ``ValueError``."""
    return a2b_base64(key.translate(FROM_URL))


def _crossed(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def added(body: str, changed: Changed) -> str:
    """Sums with what a transaction has changed."""
    kept = loads(body)
    kept["number"] += 1
    tables = kept["tables"]
    for name, (rows, sum) in changed.items():
        before = tables.get(name, (0, "0"))
        tables[name] = before[0] + rows, f"{(int(before[1], 16) + sum) % MODULUS:x}"
    return dumps(kept).decode()


def number(body: str) -> int:
    """How often sums were written."""
    written: int = loads(body)["number"]
    return written


EMPTY = '{"number":0,"tables":{}}'


def totals(bodies: Iterable[str]) -> dict[str, Total]:
    """What all tables ought to hold, by the sums of all shards."""
    found = dict.fromkeys(TABLES, Total(0, 0))
    for body in bodies:
        for name, (rows, sum) in loads(body)["tables"].items():
            before = found.get(name, Total(0, 0))
            found[name] = Total(before.rows + rows, (before.sum + int(sum, 16)) % MODULUS)
    return found
