"""Sealing all that a store holds anew with another key: its data keys, its secrets, and what was sealed before there
were data keys. What data keys seal stays as it is.

Rotations on one key file come one after the other (``rotating_keys``). A key is dropped only when no store needs it
that was sealed with it: the stores are noted beside the key file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.store.faults import Busy, StoreFault, WrongKey
from carepolicy.store.open import open_store
from carepolicy.store.privacy.keys import (
    MARK,
    Keys,
    changing_keys,
    demand_key,
    fingerprint,
    from_file,
    given_keys,
    keys_of,
    new_key,
    note_store,
    stores_of_keys,
    write_keys,
)
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.shadow.trial import beside
from carepolicy.store.sql import statements
from carepolicy.store.url import SQLITE, named_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.fernet import Fernet

    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.sql.statements import Sealed

AT_A_TIME = 500
"""Rows that are sealed anew in one transaction."""

ROTATION = (0, 0)
"""In place of an input and a share (see ``workers``): the lock of rotations from several machines."""

PRIVATE = (*statements.SEALED_OF_SUBJECTS, *statements.SEALED_OF_ALL)


Bar = Callable[[int], AbstractContextManager[Callable[[int], None]]]


class Rotation(NamedTuple):
    """What a rotation did: how many things were sealed anew, and which keys open nothing in the store any more."""

    rows: int
    retired: tuple[str, ...]


def rotate(store: Store, now: int, drop_old: bool, bar: Bar) -> tuple[int, Dropped | None]:
    """Seal all anew that a store holds, and the shadow beside it; how much that was, and what became of old keys where
    these are to be dropped. ``bar`` gets how much there is and tells how far it is. Raises ``StoreFault``."""
    with beside(store) as tried:
        begin_rotation(store, now)
        sealers = {each: DataKeys(each, now) for each in (store, tried) if each is not None}
        sealers[store].move_to_vault()
        with bar(sum(count_old(*each) for each in sealers.items())) as told:
            done = sum(seal_anew(*each, now, told).rows for each in sealers.items())
        end_rotation(store, now)
        if not drop_old:
            return done, None
        vault = sealers[store].vault() if sealers[store].has_vault() else None
        return done, drop_old_keys([*sealers], vault)


def begin_rotation(store: Store, now: int) -> None:
    """Put a new key in front of the others in the key file, unless the last rotation was not finished. Keys that a
    variable holds are the caller's to change. Raises ``WrongKey``."""
    if not store.share_is_mine(*ROTATION):
        raise Busy("the keys of the store are being rotated from another machine")
    with store.transaction() as transaction:
        demand_key(transaction, now, store.url)
        known = {each for (each,) in transaction.rows(statements.ACTIVE_KEYS)}
    if from_file():
        with changing_keys():
            keys = given_keys()
            if known == {fingerprint(keys[0])}:
                keys = [new_key(), *keys]
                note_store(named_store(store.url), {*known, fingerprint(keys[0])})
                write_keys(keys)
    with store.transaction() as transaction:
        key = given_keys()[0]
        transaction.run(statements.NOTE_KEY, (fingerprint(key), now))
        transaction.share_macs(key)


def seal_anew(store: Store, sealer: DataKeys, now: int, told: Callable[[int], None]) -> Rotation:
    """Seal with the first key all that the store holds; ``told`` is called with the numbers of what was done."""
    keys = Keys()
    places = [store, sealer.vault()] if sealer.has_vault() else [store]
    done = _anew_secrets(store, keys, told)
    done += sum(_anew_old(store, sealer, each, told) for each in PRIVATE)
    done += sum(_anew_keys(each, keys, told) for each in places)
    first = keys.first()
    with store.transaction() as transaction:
        transaction.run(statements.NOTE_KEY, (first, now))
        retired = tuple(each for (each,) in transaction.rows(statements.ACTIVE_KEYS) if each != first)
        transaction.run(statements.RETIRE_KEYS, (now, first))
        # Who makes data keys holds their key to be one of the store's: nobody wraps any with another from here on.
        while count := _some_keys(transaction, keys):
            done += count
        transaction.share_macs(given_keys()[0])
        transaction.run(statements.UNSHARE_MACS, (first,))
        if sealer.has_vault():
            done += _anew_keys(sealer.vault(), keys, told)
            with sealer.vault().transaction() as there:
                there.share_macs(given_keys()[0])
    return Rotation(done, retired)


def end_rotation(store: Store, now: int) -> None:
    """Note which keys the store needs now, and let others rotate them."""
    if from_file():
        with changing_keys(), store.reading() as transaction:
            note_store(named_store(store.url), [each for (each,) in transaction.rows(statements.ACTIVE_KEYS)])
    store.leave_share(*ROTATION)


def count_old(store: Store, sealer: DataKeys) -> int:
    """How many things are to be sealed anew."""
    first = fingerprint(given_keys()[0])
    places = [store, sealer.vault()] if sealer.has_vault() else [store]
    found = sum(int(each.ask(statements.COUNT_OLD_DATA_KEYS, (first, b""))[0][0]) for each in places)
    found += sum(int(store.ask(each.count_old, (MARK,))[0][0]) for each in PRIVATE)
    return found + int(store.ask(statements.COUNT_SECRETS)[0][0])


def _anew_secrets(store: Store, keys: Keys, told: Callable[[int], None]) -> int:
    with store.transaction() as transaction:
        rows = transaction.rows(statements.SECRETS)
        transaction.many(statements.RENEW_SECRET, [(keys.again(bytes(sealed)), name) for name, sealed in rows])
    told(len(rows))
    return len(rows)


def _anew_old(store: Store, sealer: DataKeys, private: Sealed, told: Callable[[int], None]) -> int:
    """Seal with data keys what was sealed without."""
    done = 0

    def work(transaction: Transaction) -> int:
        rows = transaction.rows(private.old, (MARK, AT_A_TIME))
        sealer.prepare(transaction, [row[-2] for row in rows])
        anew = [(sealer.seal(transaction, row[-2], sealer.opened(row[-1]) or b""), *row[:-2]) for row in rows]
        transaction.many(private.renew, anew)
        return len(rows)

    while count := store.attempt(work):
        done += count
        told(count)
    return done


def _anew_keys(store: Store, keys: Keys, told: Callable[[int], None]) -> int:
    done = 0
    while count := store.attempt(lambda transaction: _some_keys(transaction, keys)):
        done += count
        told(count)
    return done


def _some_keys(transaction: Transaction, keys: Keys) -> int:
    first = keys.first()
    rows = transaction.rows(statements.OLD_DATA_KEYS, (first, b"", AT_A_TIME))
    transaction.many(statements.RENEW_DATA_KEY, [(keys.again(bytes(sealed)), first, name) for name, sealed in rows])
    return len(rows)


class Dropped(NamedTuple):
    """What came of dropping old keys: how many were, and which stores still need others."""

    keys: int
    needed_by: tuple[str, ...]


def drop_old_keys(stores: Sequence[Store], vault: Store | None) -> Dropped:
    """Take the keys out of the key file that no store needs, once it is certain that the first opens everything in some
    stores, of which the first has its data keys in ``vault``, as others may. Raises ``WrongKey``."""
    from cryptography.fernet import Fernet

    with changing_keys():
        keys = given_keys()
        for each in stores:
            with each.reading() as transaction:
                _demand_first(transaction, Fernet(keys[0]), fingerprint(keys[0]))
        old = {fingerprint(each) for each in keys[1:]}
        own = named_store(stores[0].url)
        needed = {name: old & _needs(name, noted) for name, noted in stores_of_keys().items() if name != own}
        if vault is not None:
            needed[named_store(vault.url)] = old & {each for (each,) in vault.ask(statements.KEYS_OF_DATA_KEYS, (b"",))}
        kept = {each for prints in needed.values() for each in prints}
        left = [each for number, each in enumerate(keys) if number == 0 or fingerprint(each) in kept]
        if len(left) < len(keys):
            write_keys(left)
        return Dropped(len(keys) - len(left), tuple(sorted(name for name, prints in needed.items() if prints)))


def _needs(name: str, noted: list[str]) -> set[str]:
    """The fingerprints of the keys that another store needs: by what it says itself where it can be opened at once,
    else by what was noted."""
    if not name.startswith(SQLITE) or not os.path.exists(name.removeprefix(SQLITE)):
        return set(noted)
    try:
        store = open_store(name, create=False)
        try:
            return set(keys_of(store))
        finally:
            store.close()
    except StoreFault:
        return set(noted)


def _demand_first(transaction: Transaction, first: Fernet, print_of_first: str) -> None:
    from cryptography.fernet import InvalidToken

    if transaction.rows(statements.ANY_OLD_DATA_KEY, (print_of_first, b"")):
        raise WrongKey(STILL_OLD)
    shared = [each for (each,) in transaction.rows(statements.SHARED_MACS)]
    if shared and print_of_first not in shared:
        raise WrongKey(STILL_OLD)
    for _, sealed in transaction.rows(statements.SECRETS):
        try:
            first.decrypt(bytes(sealed))
        except InvalidToken:
            raise WrongKey(STILL_OLD) from None
    if any(transaction.rows(each.old, (MARK, 1)) for each in PRIVATE):
        raise WrongKey(STILL_OLD)


STILL_OLD = "another process still seals with the old key; end it, and rotate again"
