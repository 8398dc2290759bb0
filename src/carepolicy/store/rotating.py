"""Which keys a store was sealed with, and sealing all of it anew with another.

The store knows its keys by fingerprints. A key that the store does not know is refused before anything is
sealed with it: facts sealed with two keys of which one is lost are lost too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.named import NamedTuple
from carepolicy.store.faults import WrongKey
from carepolicy.store.keyring import fingerprint, given_keys, made_key, new_key, source, write_keys
from carepolicy.store.sealing import ANOTHER, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cryptography.fernet import Fernet

    from carepolicy.store.contract import Store, Transaction

AT_A_TIME = 500
"""Rows that are sealed anew in one transaction."""

ACTIVE = "SELECT fingerprint FROM keys WHERE retired IS NULL ORDER BY since, fingerprint"
NOTE = """INSERT INTO keys (fingerprint, since) VALUES (?, ?)
    ON CONFLICT (fingerprint) DO UPDATE SET retired = NULL"""
SEALED = (
    ("cases", "key, subject, flow"),
    ("records", "no"),
    ("held", "input, subject"),
    ("contacts", "no"),
    ("secrets", "name"),
    ("journal", "no"),
)
"""Tables with a column ``sealed``, and the columns of their primary keys."""


class Rotation(NamedTuple):
    """What a rotation did: how many rows were sealed anew, and which keys open nothing in the store any more."""

    rows: int
    retired: tuple[str, ...]


def demand_key(transaction: Transaction, now: int) -> bool:
    """Note the key at hand as one of the store's; whether it was new there. Raises ``WrongKey`` where it has others."""
    known = [each for (each,) in transaction.rows(ACTIVE)]
    keys = given_keys()
    if not keys:
        if known:
            raise WrongKey(f"there is no key here: {source()} does not exist; {ANOTHER}")
        keys = [made_key()]
    prints = [fingerprint(each) for each in keys]
    if prints[0] in known:
        return False
    if known and not set(prints) & set(known):
        raise WrongKey(ANOTHER)
    if not known:
        _demand_opens(transaction)
    transaction.run(NOTE, (prints[0], now))
    return True


def _demand_opens(transaction: Transaction) -> None:
    """A store of before fingerprints were noted: what it holds must open."""
    for table in ("cases", "records"):
        for (sealed,) in transaction.rows(f"SELECT sealed FROM {table} WHERE sealed IS NOT NULL LIMIT 1"):
            Keys().unseal(bytes(sealed))


def begin_rotation(store: Store, now: int, from_file: bool) -> None:
    """Put a new key in front of the others in the key file, unless the last rotation was not finished. Keys that a
    variable holds are the caller's to change. Raises ``WrongKey``."""
    with store.transaction() as transaction:
        demand_key(transaction, now)
        known = {each for (each,) in transaction.rows(ACTIVE)}
    keys = given_keys()
    if known == {fingerprint(keys[0])} and from_file:
        keys = [new_key(), *keys]
        write_keys(keys)
    with store.transaction() as transaction:
        transaction.run(NOTE, (fingerprint(keys[0]), now))


def seal_anew(store: Store, now: int, told: Callable[[int], None]) -> Rotation:
    """Seal with the first key all that the store holds; ``told`` is called with the number of rows that were done."""
    keys = Keys()
    done = sum(_anew(store, keys, table, columns, told) for table, columns in SEALED)
    first = fingerprint(given_keys()[0])
    with store.transaction() as transaction:
        transaction.run(NOTE, (first, now))
        retired = tuple(each for (each,) in transaction.rows(ACTIVE) if each != first)
        transaction.run("UPDATE keys SET retired = ? WHERE retired IS NULL AND fingerprint <> ?", (now, first))
    return Rotation(done, retired)


def count_sealed(store: Store) -> int:
    """How many rows hold something sealed."""
    with store.reading() as transaction:
        return sum(
            int(transaction.rows(f"SELECT count(*) FROM {table} WHERE sealed IS NOT NULL")[0][0]) for table, _ in SEALED
        )


def _anew(store: Store, keys: Keys, table: str, columns: str, told: Callable[[int], None]) -> int:
    names = columns.split(", ")
    asked, order = ", ".join("?" * len(names)), columns
    where = " AND ".join(f"{name} = ?" for name in names)
    update = f"UPDATE {table} SET sealed = ? WHERE {where} AND sealed = ?"
    at: tuple[object, ...] = ()
    done = 0
    while True:
        after = f"AND ({columns}) > ({asked})" if at else ""
        select = f"SELECT {columns}, sealed FROM {table} WHERE sealed IS NOT NULL {after} ORDER BY {order} LIMIT ?"
        with store.transaction() as transaction:
            rows = transaction.rows(select, (*at, AT_A_TIME))
            if rows:
                anew = [(keys.again(bytes(row[-1])), *row[:-1], row[-1]) for row in rows]
                transaction.many(update, anew)
        if not rows:
            return done
        at = tuple(rows[-1][:-1])
        done += len(rows)
        told(len(rows))


def drop_old_keys(stores: Iterable[Store]) -> int:
    """Take all keys but the first out of the key file, once it is certain that the first opens everything in some
    stores; how many were dropped. Raises ``WrongKey``."""
    from cryptography.fernet import Fernet

    keys = given_keys()
    first = Fernet(keys[0])
    for store in stores:
        with store.reading() as transaction:
            _demand_first(transaction, first)
    write_keys(keys[:1])
    return len(keys) - 1


def _demand_first(transaction: Transaction, first: Fernet) -> None:
    from cryptography.fernet import InvalidToken

    for table, _ in SEALED:
        for (sealed,) in transaction.stream(f"SELECT sealed FROM {table} WHERE sealed IS NOT NULL"):
            try:
                first.decrypt(bytes(sealed))
            except InvalidToken:
                raise WrongKey("another process still seals with the old key; end it, and rotate again") from None
