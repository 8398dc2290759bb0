"""The keys of ``CAREPOLICY_KEY`` or the key file at work: they seal the data keys and the secrets of a store.

What is sealed is a Fernet token (AES-128-CBC with HMAC-SHA-256), so that a changed one is noticed. The store knows its
keys by fingerprints. A key that it does not know is refused before anything is sealed with it: facts sealed
with two keys of which one is lost are lost too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.store.faults import WrongKey
from carepolicy.store.keyring import (
    VARIABLE,
    changing_keys,
    fingerprint,
    given_keys,
    made_key,
    may_change_keys,
    note_store,
    source,
    stores_of_keys,
)
from carepolicy.store.url import is_shadow, named_store

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from carepolicy.store.contract import Transaction

ANOTHER = f"private facts in the store were sealed with another key; set {VARIABLE}, or put the key file back"

MARK = b"\x01"
"""With which everything begins that a data key seals (see ``datakeys``), and no Fernet token."""

ACTIVE = "SELECT fingerprint FROM keys WHERE retired IS NULL ORDER BY since, fingerprint"
NOTE = """INSERT INTO keys (fingerprint, since) VALUES (?, ?)
    ON CONFLICT (fingerprint) DO UPDATE SET retired = NULL"""


class Keys:
    """Seals with the keys of ``CAREPOLICY_KEY`` (several with commas between: the first seals, all open), else of the
    key file, which is made at the first use with a key of its own. Where a key is missing they are read
    again once, since another process may have rotated them."""

    def __init__(self) -> None:
        self._fernet: MultiFernet | None = None
        self._first = ""

    def seal(self, plain: bytes) -> bytes:
        """``plain``, so that only a holder of the key can read it."""
        return self._keys().encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ``WrongKey``."""
        return self._through("decrypt", sealed)

    def again(self, sealed: bytes) -> bytes:
        """What was sealed, sealed with the first key. Raises ``WrongKey``."""
        return self._through("rotate", sealed)

    def first(self) -> str:
        """The fingerprint of the key that seals."""
        self._keys()
        return self._first

    def forget(self) -> None:
        """Read the keys again when they are needed next."""
        self._fernet = None

    def _through(self, name: str, sealed: bytes) -> bytes:
        from cryptography.fernet import InvalidToken

        for _ in range(2):
            try:
                done: bytes = getattr(self._keys(), name)(bytes(sealed))
            except InvalidToken:
                self.forget()
            else:
                return done
        raise WrongKey(ANOTHER)

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet

            keys = given_keys() or [made_key()]
            self._fernet = MultiFernet([Fernet(each) for each in keys])
            self._first = fingerprint(keys[0])
        return self._fernet


def demand_key(transaction: Transaction, now: int, url: str) -> bool:
    """Note the key at hand as one of the store's; whether it was new there. Raises ``WrongKey`` where it has others.
    ``url`` is that of the store, which is noted beside the key file as one that needs it."""
    known = [each for (each,) in transaction.rows(ACTIVE)]
    keys = given_keys()
    if not keys:
        if known:
            raise WrongKey(f"there is no key here: {source()} does not exist; {ANOTHER}")
        keys = [made_key()]
    prints = [fingerprint(each) for each in keys]
    if prints[0] in known:
        _note_beside(url, known)
        return False
    if known and not set(prints) & set(known):
        raise WrongKey(ANOTHER)
    if not known:
        _demand_opens(transaction)
    if may_change_keys() and not is_shadow(url):
        with changing_keys():  # from here on the key is not dropped, as it may have been by now
            first = fingerprint(given_keys()[0])
            note_store(named_store(url), {*known, first})
    else:
        first = prints[0]
    transaction.run(NOTE, (first, now))
    if known:
        transaction.share_macs(next(each for each in given_keys() if fingerprint(each) == first))
    return True


def demand_known_key(transaction: Transaction) -> None:
    """Raises ``WrongKey`` where the store has keys, and none of them is at hand. Nothing is noted."""
    known = {each for (each,) in transaction.rows(ACTIVE)}
    keys = given_keys() if known else ()
    if known and not keys:
        raise WrongKey(f"there is no key here: {source()} does not exist; {ANOTHER}")
    if known.isdisjoint(map(fingerprint, keys)) and known:
        raise WrongKey(ANOTHER)


def _note_beside(url: str, known: list[str]) -> None:
    """Note a store that is not noted beside the key file yet."""
    if may_change_keys() and not is_shadow(url) and named_store(url) not in stores_of_keys():
        with changing_keys():
            note_store(named_store(url), known)


def _demand_opens(transaction: Transaction) -> None:
    """A store of before fingerprints were noted: what it holds must open."""
    for table in ("cases", "records"):
        for (sealed,) in transaction.rows(f"SELECT sealed FROM {table} WHERE sealed IS NOT NULL LIMIT 1"):
            if not bytes(sealed).startswith(MARK):
                Keys().unseal(bytes(sealed))
