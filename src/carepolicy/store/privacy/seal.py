"""Data keys: what is private of a subject is sealed with a random key of the subject's own, and when that is erased the
key is thrown away, so that what was sealed with it cannot be read wherever a copy of it is left.

A data key is wrapped with the key of the key file (``keys``). Wrapped data keys stand in the store, or in a *vault*:
another store that holds nothing else and is not copied together with the store, so that erasing holds for copies of the
store as well. Where they are is decided when a store needs its first one (see docs/store.md).

What is sealed is a mark, the name of the data key, a nonce, and AES-256-GCM. The engine and all other parts of the
store know nothing of keys.

A record is kept masked. Its data without the masks is sealed beside it, together with the names of the private facts
that went into each of its fields, so that a role is shown a field where it may see all of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from carepolicy.store import faults
from carepolicy.store.contract import batched
from carepolicy.store.open import open_store
from carepolicy.store.privacy.keys import MARK, Keys, demand_key, key_file, may_change_keys
from carepolicy.store.sql import statements
from carepolicy.store.url import SQLITE, is_shadow, named_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from carepolicy.engine.record import Data
    from carepolicy.store.contract import Store, Transaction

VAULT_VARIABLE = "CAREPOLICY_VAULT"
VAULT_FILE = ".vault"
"""What a vault beside the key file is called, behind its name."""

IN_THE_STORE = ""
"""In place of the name of a vault."""

NAME, NONCE = 16, 12
AT_A_TIME = 500
FEW = 5_000
"""Data keys that are kept in memory when subjects are forgotten, at most."""

MOST = 50_000
"""Data keys that are kept in memory, at most."""


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
        for some in batched(wanted, AT_A_TIME):
            sql = statements.sealings_of(len(some)) + transaction.shared
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
        # From here on nobody seals with it.
        if not transaction.rows(statements.SEALING + transaction.locked, (subject,)):
            return
        left = []
        of_all = subject == statements.JOURNAL
        for each in statements.SEALED_OF_ALL if of_all else statements.SEALED_OF_SUBJECTS:
            rows = transaction.rows(each.of_subject, (subject,) * each.where.count("?"))
            left += [(each.renew, row[:-1], self.opened(row[-1])) for row in rows]
        self._drop(transaction, subject)
        for renew, at, plain in left:
            sealed = None if plain is None else self.seal(transaction, subject, plain)
            transaction.run(renew, (sealed, *at))

    def demand_vault(self) -> None:
        """See to it that what ``renew`` throws away can be thrown away. Raises a ``StoreFault``."""
        if self._where():
            self.vault()

    def shred(self) -> str | None:
        """Throw away in the vault what was thrown away in the store, and scrub both; what is left, in words. It may be
        done again where it was interrupted or held up."""
        held_up = self._store.scrub()
        names = [bytes(each) for (each,) in self._store.ask(statements.SHREDS)] if self._where() else []
        if not names:
            return held_up
        vault = self.vault()
        with vault.transaction() as transaction:
            transaction.many(statements.EMPTY_DATA_KEY, [(b"", each) for each in names])
        left = vault.scrub()
        if left is None:
            with self._store.transaction() as transaction:
                transaction.many(statements.FORGET_SHRED, [(each,) for each in names])
        return left or held_up

    def move_to_vault(self) -> bool:
        """Move the data keys of a store that has them in itself into the vault that a variable names; whether that was
        done."""
        if self._where() or not os.environ.get(VAULT_VARIABLE) or vault_url(self._store.url) is None:
            return False
        vault = self._vault = self._open_vault(create=True)
        name = _name_of(vault)

        def work(transaction: Transaction) -> None:
            transaction.run(statements.NAME_VAULT, (name,))
            transaction.run(statements.RENAME_VAULT, (name,))
            with vault.transaction() as there:
                there.many(statements.KEEP_DATA_KEY, transaction.rows(statements.ALL_DATA_KEYS))
            transaction.run(statements.FORGET_ALL_DATA_KEYS)

        self._store.attempt(work)
        self._store.scrub()
        return True

    def _drop(self, transaction: Transaction, subject: str) -> None:
        for (found,) in transaction.rows(statements.SEALING, (subject,)):
            transaction.run(statements.FORGET_SEALING, (subject,))
            if self._where():
                transaction.run(statements.SHRED, (found,))
            else:
                transaction.run(statements.FORGET_DATA_KEY, (found,))
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
        return named_store(self._vault_url()) if self._where() else None

    def give_up(self) -> int:
        """Count what data keys sealed that are not in the vault as erased, and take the vault that is there now for
        that of the store, be it a new one; how many data keys are lost."""
        if not self._where():
            return 0
        vault = self._vault = self._opened_vault(create=True)
        name = self._place = _name_of(vault)

        def work(transaction: Transaction) -> int:
            names = [bytes(each) for (each,) in transaction.rows(statements.ALL_SEALINGS)]
            found = _found(vault, names)
            lost = [each for each in names if each not in found]
            with vault.transaction() as there:
                there.many(statements.KEEP_DATA_KEY, [(each, "", b"") for each in lost])
            transaction.run(statements.RENAME_VAULT, (name,))
            return len(lost)

        return self._store.attempt(work)

    def _where(self) -> str:
        """The name of the vault; ``IN_THE_STORE`` where there is none, or not yet."""
        if not self._place:  # data keys may be moved into a vault, and never out of it
            found = self._store.ask(statements.VAULT)
            self._place = found[0][0] if found else IN_THE_STORE
        return self._place

    def _settle(self, transaction: Transaction) -> None:
        """Decide where the data keys of the store are, unless that is decided."""
        if transaction.rows(statements.VAULT + transaction.shared):
            return
        name = IN_THE_STORE
        if vault_url(self._store.url) is not None:
            self._vault = self._open_vault(create=True)
            name = _name_of(self._vault)
        transaction.run(statements.NAME_VAULT, (name,))

    def _vault_url(self) -> str:
        return vault_url(self._store.url) or beside_key()

    def _open_vault(self, create: bool) -> Store:
        place, vault = self._where(), self._opened_vault(create)
        if place and _name_of(vault) != place:
            raise faults.WrongKey(f"the vault is not the one with the data keys of this store; {PUT_BACK}")
        return vault

    def _opened_vault(self, create: bool) -> Store:
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

        active = statements.ACTIVE_KEY + transaction.shared
        if not transaction.rows(active, (self._keys.first(),)):  # rotated meanwhile, or new
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
                there.many(statements.KEEP_DATA_KEY, made)
        else:
            transaction.many(statements.KEEP_DATA_KEY, made)
        transaction.many(statements.KEEP_SEALING, [(each, self._of_subjects[each]) for each in subjects])

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
    for (name,) in vault.ask(statements.VAULT):
        return str(name)
    with vault.transaction() as transaction:
        transaction.run(statements.NAME_VAULT, (os.urandom(NAME).hex(),))
        return str(transaction.rows(statements.VAULT)[0][0])


def _found(store: Store, names: Iterable[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for some in batched(names, AT_A_TIME):
        rows = store.ask(statements.wrapped_keys(len(some)), some)
        found.update((bytes(name), bytes(wrapped)) for name, wrapped in rows)
    return found


class Reader(Struct, frozen=True):
    """Who reads. ``sees`` are the private facts that the reader may see, None for all of them."""

    sees: frozenset[str] | None

    def may(self, facts: object) -> bool:
        """Whether all of some facts may be seen; where it is not known which they were, whether all may be."""
        if self.sees is None:
            return True
        return isinstance(facts, (list, tuple)) and self.sees.issuperset(facts)


NOBODY = Reader(frozenset())
"""One for whom all that is private stays masked."""

CARRIER = Reader(None)
"""One who carries a request out, and must have all of it: the mailer, the service that acts."""


def whole(data: Data, private: Mapping[str, tuple[str, ...]]) -> bytes:
    """What is sealed beside a record: its data (JSON) without masks, and the facts in each of its fields."""
    return orjson.dumps({"facts": private, "data": dict(data)})


class Looker(Struct, frozen=True):
    """Who looks at what a store holds, and who opens what is private; with None for ``sealer`` it stays masked."""

    reader: Reader = NOBODY
    sealer: DataKeys | None = None

    def opened(self, sealed: bytes | None) -> bytes | None:
        """What was sealed; None also where the reader may see nothing of it. Raises ``WrongKey``."""
        return None if self.sealer is None or self.reader is NOBODY else self.sealer.opened(sealed)

    def data(self, masked: dict[str, Any], sealed: bytes | None) -> dict[str, Any]:
        """The data of a record as it may be seen. Raises ``WrongKey``."""
        whole_data = self.opened(sealed)
        if whole_data is None:
            return masked
        kept = orjson.loads(whole_data)
        if "facts" not in kept:  # written before the facts were named
            return kept if self.reader.sees is None else masked
        facts, data, may = kept["facts"], kept["data"], self.reader.may
        return {field: data[field] if may(facts.get(field, ())) else value for field, value in masked.items()}

    def line(self, line: str, sealed: bytes | None) -> bytes:
        """The line of a record as it may be seen. Raises ``WrongKey``."""
        if sealed is None or self.sealer is None or self.reader is NOBODY:
            return line.encode()
        record = orjson.loads(line)
        return orjson.dumps({**record, "data": self.data(record["data"], sealed)})


ANYBODY = Looker()
