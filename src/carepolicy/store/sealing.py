"""The seam at which private facts are encrypted before they are kept, and opened again when they are used.

Everything private goes through ``Sealer.seal`` and ``Sealer.unseal`` as bytes; no other part of the store knows of
keys. What is sealed is a Fernet token (AES-128-CBC with HMAC-SHA-256), so that a changed one is noticed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from carepolicy.store.faults import WrongKey

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

VARIABLE = "CAREPOLICY_KEY"
FILE_VARIABLE = "CAREPOLICY_KEY_FILE"


class Sealer(Protocol):
    """Encrypts and decrypts."""

    def seal(self, plain: bytes) -> bytes:
        """``plain``, so that only a holder of the key can read it."""

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ``WrongKey``."""


class Keys:
    """Seals with the keys of ``CAREPOLICY_KEY`` (several with commas between: the first seals, all open), else of the
    key file, which is made at the first use with a key of its own."""

    def __init__(self) -> None:
        self._fernet: MultiFernet | None = None

    def seal(self, plain: bytes) -> bytes:
        """``plain``, so that only a holder of the key can read it."""
        return self._keys().encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ``WrongKey``."""
        from cryptography.fernet import InvalidToken

        try:
            return self._keys().decrypt(bytes(sealed))
        except InvalidToken:
            raise WrongKey(
                f"private facts in the store were sealed with another key; set {VARIABLE}, or put the key file back"
            ) from None

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet

            given = os.environ.get(VARIABLE) or _key_of_file()
            try:
                self._fernet = MultiFernet([Fernet(each.strip()) for each in given.split(",") if each.strip()])
            except ValueError:
                raise WrongKey(f"{VARIABLE}, or the key file, holds no Fernet key (32 bytes in base64)") from None
        return self._fernet


def key_file() -> str:
    """Where the key is kept if no variable holds it."""
    given = os.environ.get(FILE_VARIABLE)
    if given:
        return given
    home = os.environ.get("XDG_CONFIG_HOME", "").strip()
    return os.path.join(home if os.path.isabs(home) else os.path.expanduser("~/.config"), "carepolicy", "key")


def _key_of_file() -> str:
    path = key_file()
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError):
        raise WrongKey(f"the key file {path} cannot be read") from None
    return _made(path)


def _made(path: str) -> str:
    from cryptography.fernet import Fernet

    key = Fernet.generate_key().decode()
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was quicker
        return _key_of_file()
    except OSError as fault:
        raise WrongKey(f"the key file {path} cannot be made: {fault.strerror}; set {VARIABLE}") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
