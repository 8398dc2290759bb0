"""Data keys: what is private of a subject is sealed with a random key of the subject's own, and when that is erased the
key is thrown away, so that what was sealed with it cannot be read wherever a copy of it is left.

A data key is wrapped with the key of the key file (``sealing``). Wrapped data keys stand in the store, or in a *vault*:
another store that holds nothing else and is not copied together with the store, so that erasing holds for copies of the
store as well. Where they are is decided when a store needs its first one (see docs/store.md).

What is sealed is a mark, the name of the data key, a nonce, and AES-256-GCM. The engine and all other parts of the
store know nothing of keys.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from carepolicy.store import faults
from carepolicy.store.keyring import key_file, may_change_keys
from carepolicy.store.sealing import MARK, Keys, demand_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from carepolicy.store.contract import Store, Transaction

VAULT_VARIABLE = "CAREPOLICY_VAULT"
VAULT_FILE = ".vault"
"""What a vault beside the key file is called, behind its name."""

IN_THE_STORE = ""
"""In place of the name of a vault."""

JOURNAL = "\\journal"
"""In place of a subject: what a journal holds is of many. No subject is stored under such a name (see ``naming``)."""

NAME, NONCE = 16, 12
AT_A_TIME = 500
FEW = 5_000
"""Data keys that are kept in memory when subjects are forgotten, at most."""

MOST = 50_000
"""Data keys that are kept in memory, at most."""

OF_SUBJECTS = """SELECT subject, id, (SELECT sealed FROM datakeys WHERE datakeys.id = sealings.id) FROM sealings
    WHERE subject IN ({})"""
WRAPPED = "SELECT id, sealed FROM datakeys WHERE id IN ({})"
KEEP_KEY = "INSERT INTO datakeys (id, fingerprint, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
KEEP_SEALING = "INSERT INTO sealings (subject, id) VALUES (?, ?)"
ACTIVE_KEY = "SELECT 1 FROM keys WHERE fingerprint = ? AND retired IS NULL"
VAULT = "SELECT name FROM vaults"
NAME_VAULT = "INSERT INTO vaults (no, name) VALUES (0, ?) ON CONFLICT DO NOTHING"

MOVE = "UPDATE vaults SET name = ?"
ALL_KEYS = "SELECT id, fingerprint, sealed FROM datakeys"

SEALING = "SELECT id FROM sealings WHERE subject = ?"
FORGET_SEALING = "DELETE FROM sealings WHERE subject = ?"
FORGET_KEY = "DELETE FROM datakeys WHERE id = ?"
SHRED = "INSERT INTO shreds (id) VALUES (?) ON CONFLICT DO NOTHING"
SHREDS = "SELECT id FROM shreds"
FORGET_SHRED = "DELETE FROM shreds WHERE id = ?"
EMPTY_KEY = "UPDATE datakeys SET sealed = ? WHERE id = ?"
"""In a vault the name of a data key stays, so that one that was thrown away is told from one that is lost."""

OF_A_SUBJECT = (
    ("cases", "key, subject, flow", "key IN (SELECT DISTINCT key FROM records WHERE subject = ?) AND subject = ?"),
    ("records", "no", "subject = ?"),
    ("contacts", "no", "subject = ?"),
    ("dead_letters", "no", "subject = ?"),
    ("held", "input, subject", "input IN (SELECT no FROM inputs UNION ALL SELECT 0) AND subject = ?"),
)
OF_ALL = (("journal", "no", "1 = 1"),)
"""Tables with a column ``sealed`` for what is private: the columns of their primary keys, and how rows of a subject are
found there by an index."""


class DataKeys:
    """Seals and opens what is private in a store. ``now`` is when its keys were first used."""

    def __init__(self, store: Store, now: int = 0) -> None:
        self._store = store
        self._now = now
        self._keys = Keys()
        self._place = IN_THE_STORE
        self._vault: Store | None = None
        self._opened: dict[bytes, AESGCM | None] = {}
        self._transaction: Transaction | None = None
        self._of_subjects: dict[str, bytes] = {}

    # -- sealing and opening -----------------------------------------------------------------------------

    def seal(self, transaction: Transaction, subject: str, plain: bytes) -> bytes:
        """What is private of a subject, so that only a holder of its data key can read it."""
        if transaction is not self._transaction or subject not in self._of_subjects:
            self.prepare(transaction, (subject,))
        name = self._of_subjects[subject]
        key = self._opened[name]
        assert key is not None, "a data key that was thrown away seals nothing"
        nonce = os.urandom(NONCE)
        return MARK + name + nonce + key.encrypt(nonce, plain, name)

    def opened(self, sealed: bytes | None) -> bytes | None:
        """What was sealed; None where nothing was, or its data key was thrown away. Raises ``WrongKey``."""
        if sealed is None:
            return None
        sealed = bytes(sealed)
        if not sealed.startswith(MARK):  # before version 6 of the tables
            return self._keys.unseal(sealed)
        name, rest = sealed[1 : 1 + NAME], sealed[1 + NAME :]
        if name not in self._opened:
            self._fetch((name,))
        key = self._opened[name]
        if key is None:
            return None
        from cryptography.exceptions import InvalidTag

        try:
            return key.decrypt(rest[:NONCE], rest[NONCE:], name)
        except InvalidTag:
            raise faults.WrongKey("something private in the store was altered, and cannot be opened") from None

    def seal_secret(self, plain: bytes) -> bytes:
        """A secret of the store's own, which is of no subject and never erased."""
        return self._keys.seal(plain)

    def secret(self, sealed: bytes) -> bytes:
        """A secret of the store's own. Raises ``WrongKey``."""
        return self._keys.unseal(bytes(sealed))

    def prepare(self, transaction: Transaction, subjects: Iterable[str]) -> None:
        """Have the data keys of some subjects at hand, in one go; those that have none get one."""
        if transaction is not self._transaction:
            self._transaction, self._of_subjects = transaction, {}
        wanted = sorted({each for each in subjects if each not in self._of_subjects})
        elsewhere = []
        for some in _some(wanted):
            sql = OF_SUBJECTS.format(", ".join("?" * len(some))) + transaction.shared
            for subject, found, wrapped in transaction.rows(sql, some):
                name = self._of_subjects[subject] = bytes(found)
                if name not in self._opened:
                    if wrapped is None:
                        elsewhere.append(name)
                    else:
                        self._remember(name, wrapped)
        if elsewhere:
            self._fetch(elsewhere)
        for subject in wanted:
            if subject in self._of_subjects and self._opened[self._of_subjects[subject]] is None:
                self._drop(transaction, subject)  # this is a copy of the store from before it was erased
        new = [each for each in wanted if each not in self._of_subjects]
        if new:
            self._make(transaction, new)

    def have(self, sealed: Iterable[bytes | None]) -> None:
        """Have the data keys at hand with which something was sealed, in one go."""
        names = {bytes(each[1 : 1 + NAME]) for each in sealed if each is not None and bytes(each[:1]) == MARK}
        wanted = [each for each in names if each not in self._opened]
        if wanted:
            self._fetch(wanted)

    def forget_subjects(self) -> None:
        """Forget whose keys are which, and keys beyond a few: memory does not grow with the subjects of a store."""
        self._of_subjects = {}
        if len(self._opened) > FEW:
            self._opened = {}

    # -- throwing away -----------------------------------------------------------------------------------

    def renew(self, transaction: Transaction, subject: str) -> None:
        """Throw the data key of a subject away, after some of what it sealed was taken out; what is left is sealed with
        a new one. ``shred`` must follow when that is committed."""
        if not transaction.rows(SEALING + transaction.locked, (subject,)):  # nobody seals with it from here on
            return
        left = []
        for table, columns, where in OF_ALL if subject == JOURNAL else OF_A_SUBJECT:
            sql = f"SELECT {columns}, sealed FROM {table} WHERE {where} AND sealed IS NOT NULL"
            rows = transaction.rows(sql, (subject,) * where.count("?"))
            left += [(table, columns, row[:-1], self.opened(row[-1])) for row in rows]
        self._drop(transaction, subject)
        for table, columns, at, plain in left:
            where = " AND ".join(f"{each} = ?" for each in columns.split(", "))
            sealed = None if plain is None else self.seal(transaction, subject, plain)
            transaction.run(f"UPDATE {table} SET sealed = ? WHERE {where}", (sealed, *at))

    def demand_vault(self) -> None:
        """See to it that what ``renew`` throws away can be thrown away. Raises a ``StoreFault``."""
        if self._where():
            self.vault()

    def shred(self) -> str | None:
        """Throw away in the vault what was thrown away in the store, and scrub both; what is left, in words. It may be
        done again where it was interrupted or held up."""
        held_up = self._store.scrub()
        names = [bytes(each) for (each,) in self._store.ask(SHREDS)] if self._where() else []
        if not names:
            return held_up
        vault = self.vault()
        with vault.transaction() as transaction:
            transaction.many(EMPTY_KEY, [(b"", each) for each in names])
        left = vault.scrub()
        if left is None:
            with self._store.transaction() as transaction:
                transaction.many(FORGET_SHRED, [(each,) for each in names])
        return left or held_up

    def move_to_vault(self) -> bool:
        """Move the data keys of a store that has them in itself into the vault that a variable names; whether that was
        done."""
        if self._where() or not os.environ.get(VAULT_VARIABLE) or vault_url(self._store.url) is None:
            return False
        vault = self._vault = self._open_vault(create=True)
        name = _name_of(vault)

        def work(transaction: Transaction) -> None:
            transaction.run(NAME_VAULT, (name,))
            transaction.run(MOVE, (name,))
            with vault.transaction() as there:
                there.many(KEEP_KEY, transaction.rows(ALL_KEYS))
            transaction.run("DELETE FROM datakeys")

        self._store.attempt(work)
        self._store.scrub()
        return True

    def _drop(self, transaction: Transaction, subject: str) -> None:
        for (found,) in transaction.rows(SEALING, (subject,)):
            transaction.run(FORGET_SEALING, (subject,))
            if self._where():
                transaction.run(SHRED, (found,))
            else:
                transaction.run(FORGET_KEY, (found,))
            self._opened.pop(bytes(found), None)
        self._of_subjects.pop(subject, None)

    # -- where they are ----------------------------------------------------------------------------------

    def vault(self) -> Store:
        """The vault of the store. Raises ``WrongKey`` where it is not there, or is that of other stores."""
        if self._vault is None:
            self._vault = self._open_vault(create=False)
        return self._vault

    def has_vault(self) -> bool:
        """Whether the data keys of the store are in a vault."""
        return bool(self._where())

    def vault_named(self) -> str | None:
        """Where the vault of the store ought to be, without a password; None where its data keys are in itself."""
        from carepolicy.store.url import named_store

        return named_store(self._vault_url()) if self._where() else None

    def give_up(self) -> int:
        """Count what data keys sealed that are not in the vault as erased, and take the vault that is there now for
        that of the store, be it a new one; how many data keys are lost."""
        if not self._where():
            return 0
        vault = self._vault = self._opened_vault(create=True)
        name = self._place = _name_of(vault)

        def work(transaction: Transaction) -> int:
            names = [bytes(each) for (each,) in transaction.rows("SELECT id FROM sealings")]
            found = _found(vault, names)
            lost = [each for each in names if each not in found]
            with vault.transaction() as there:
                there.many(KEEP_KEY, [(each, "", b"") for each in lost])
            transaction.run(MOVE, (name,))
            return len(lost)

        return self._store.attempt(work)

    def _where(self) -> str:
        """The name of the vault; ``IN_THE_STORE`` where there is none, or not yet."""
        if not self._place:  # data keys may be moved into a vault, and never out of it
            found = self._store.ask(VAULT)
            self._place = found[0][0] if found else IN_THE_STORE
        return self._place

    def _settle(self, transaction: Transaction) -> None:
        """Decide where the data keys of the store are, unless that is decided."""
        if transaction.rows(VAULT + transaction.shared):
            return
        name = IN_THE_STORE
        if vault_url(self._store.url) is not None:
            self._vault = self._open_vault(create=True)
            name = _name_of(self._vault)
        transaction.run(NAME_VAULT, (name,))

    def _vault_url(self) -> str:
        return vault_url(self._store.url) or beside_key()

    def _open_vault(self, create: bool) -> Store:
        place, vault = self._where(), self._opened_vault(create)
        if place and _name_of(vault) != place:
            raise faults.WrongKey(f"the vault is not the one with the data keys of this store; {PUT_BACK}")
        return vault

    def _opened_vault(self, create: bool) -> Store:
        from carepolicy.store.open import open_store
        from carepolicy.store.url import SQLITE

        url = self._vault_url()
        try:
            vault = open_store(url, create)
        except faults.Unreachable as fault:
            if not url.startswith(SQLITE):
                raise
            raise faults.WrongKey(f"the data keys of the store are in a vault: {fault}; {PUT_BACK}") from None
        self._store.beside.append(vault)
        return vault

    # -- making and fetching -----------------------------------------------------------------------------

    def _make(self, transaction: Transaction, subjects: Sequence[str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not transaction.rows(ACTIVE_KEY + transaction.shared, (self._keys.first(),)):  # rotated meanwhile, or new
            self._keys.forget()
            demand_key(transaction, self._now, self._store.url)
        self._settle(transaction)
        first, made = self._keys.first(), []
        for subject in subjects:
            name, key = os.urandom(NAME), AESGCM.generate_key(256)
            made.append((name, first, self._keys.seal(key)))
            self._opened[name] = AESGCM(key)
            self._of_subjects[subject] = name
        if self._where():
            with self.vault().transaction() as there:  # before what it seals, which is of no use without it
                there.many(KEEP_KEY, made)
        else:
            transaction.many(KEEP_KEY, made)
        transaction.many(KEEP_SEALING, [(each, self._of_subjects[each]) for each in subjects])

    def wrapped(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """Data keys as they are kept, by their names; empty where they were thrown away. Raises ``WrongKey``."""
        found = _found(self._store, names)
        left = [each for each in names if each not in found]
        if left and self._where():
            found.update(_found(self.vault(), left))
            if any(each not in found for each in left):
                raise faults.WrongKey(f"the vault is older than the store, and lacks data keys of it; {PUT_BACK}")
        return found

    def _fetch(self, names: Sequence[bytes]) -> None:
        if len(self._opened) > MOST:
            used = set(self._of_subjects.values())
            self._opened = {name: key for name, key in self._opened.items() if name in used}
        found = self.wrapped(names)
        for each in names:
            self._remember(each, found.get(each, b""))

    def _remember(self, name: bytes, wrapped: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._opened[name] = AESGCM(self._keys.unseal(bytes(wrapped))) if wrapped else None


PUT_BACK = f"put its newest copy back, or name it in {VAULT_VARIABLE}; if it is lost for good: `carepolicy key lost`"


def beside_key() -> str:
    """The URL of the vault beside the key file."""
    return f"sqlite:///{os.path.abspath(key_file())}{VAULT_FILE}"


def vault_url(store: str) -> str | None:
    """Where the data keys of a store at this URL go, if it is a new one; None for the store itself."""
    from carepolicy.store.url import SQLITE, is_shadow

    if is_shadow(store):
        return None
    given = os.environ.get(VAULT_VARIABLE)
    if given:
        return given
    if store.startswith(SQLITE) and may_change_keys():
        return beside_key()
    return None


def _name_of(vault: Store) -> str:
    """The name of a vault, which it gets at its first use."""
    for (name,) in vault.ask(VAULT):
        return str(name)
    with vault.transaction() as transaction:
        transaction.run(NAME_VAULT, (os.urandom(NAME).hex(),))
        return str(transaction.rows(VAULT)[0][0])


def _found(store: Store, names: Iterable[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for some in _some(list(names)):
        rows = store.ask(WRAPPED.format(", ".join("?" * len(some))), some)
        found.update((bytes(name), bytes(wrapped)) for name, wrapped in rows)
    return found


def _some(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(values), AT_A_TIME):
        yield values[begin : begin + AT_A_TIME]
