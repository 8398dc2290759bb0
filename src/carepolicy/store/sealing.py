"""The seam at which private facts are encrypted before they are kept, and opened again when they are used.

Everything private goes through ``Sealer.seal`` and ``Sealer.unseal`` as bytes; no other part of the store knows of
keys. What is sealed is a Fernet token (AES-128-CBC with HMAC-SHA-256), so that a changed one is noticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from carepolicy.store.faults import WrongKey
from carepolicy.store.keyring import VARIABLE, given_keys, made_key

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

ANOTHER = f"private facts in the store were sealed with another key; set {VARIABLE}, or put the key file back"


class Sealer(Protocol):
    """Encrypts and decrypts."""

    def seal(self, plain: bytes) -> bytes:
        """``plain``, so that only a holder of the key can read it."""

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ``WrongKey``."""


class Keys:
    """Seals with the keys of ``CAREPOLICY_KEY`` (several with commas between: the first seals, all open), else of the
    key file, which is made at the first use with a key of its own. Where a key is missing they are read
    again once, since another process may have rotated them."""

    def __init__(self) -> None:
        self._fernet: MultiFernet | None = None

    def seal(self, plain: bytes) -> bytes:
        """``plain``, so that only a holder of the key can read it."""
        return self._keys().encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ``WrongKey``."""
        return self._through("decrypt", sealed)

    def again(self, sealed: bytes) -> bytes:
        """What was sealed, sealed with the first key. Raises ``WrongKey``."""
        return self._through("rotate", sealed)

    def _through(self, name: str, sealed: bytes) -> bytes:
        from cryptography.fernet import InvalidToken

        for _ in range(2):
            try:
                done: bytes = getattr(self._keys(), name)(bytes(sealed))
            except InvalidToken:
                self._fernet = None
            else:
                return done
        raise WrongKey(ANOTHER)

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet

            self._fernet = MultiFernet([Fernet(each) for each in given_keys() or [made_key()]])
        return self._fernet
