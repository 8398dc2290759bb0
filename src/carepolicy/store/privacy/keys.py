"""The keys: in ``CAREPOLICY_KEY``, else in a key file of the user's own. No message shows one. They seal the data keys
and the secrets of a store.

What is sealed is a Fernet token (AES-128-CBC with HMAC-SHA-256), so that a changed one is noticed. The store knows its
keys by fingerprints. A key that it does not know is refused before anything is sealed with it: facts sealed
with two keys of which one is lost are lost too.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

from carepolicy.files import replace_file, sync_name, write_beside
from carepolicy.store.faults import WrongKey
from carepolicy.store.sql import statements
from carepolicy.store.sql.sums import key_bytes
from carepolicy.store.url import is_shadow, named_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cryptography.fernet import MultiFernet

    from carepolicy.store.contract import Store, Transaction

VARIABLE = "CAREPOLICY_KEY"
FILE_VARIABLE = "CAREPOLICY_KEY_FILE"

STORES = ".stores"
"""What the file beside the key file is called, behind its name, where stores are noted that need its keys."""

GLANCE = 0.2
"""Seconds after which one that waits for a lock says so."""


def key_file() -> str:
    """Where the keys are kept if no variable holds them: ``CAREPOLICY_KEY_FILE``, else ``carepolicy/key`` in the user's
    folder of settings (``$XDG_CONFIG_HOME``, ``~/.config``, on Windows ``%LOCALAPPDATA%``). It is not beside the
    store, so that a copy of the store, or of the folder that it is in, does not open what is private."""
    given = os.environ.get(FILE_VARIABLE)
    if given:
        return given
    home = os.environ.get("XDG_CONFIG_HOME", "").strip()
    path = os.path.join(home if os.path.isabs(home) else os.path.expanduser("~/.config"), "carepolicy", "key")
    if sys.platform == "win32" and not os.path.exists(path):  # where it was before is where it stays
        import platformdirs

        return os.path.join(platformdirs.user_config_dir("carepolicy", appauthor=False), "key")
    return path


def from_file() -> bool:
    """Whether the keys come from the key file."""
    return not os.environ.get(VARIABLE)


def may_change_keys() -> bool:
    """Whether the keys are in a file whose folder may be written to, as where secrets are mounted it may not: else
    nobody rotates them here, and there is nothing to note beside them."""
    folder = os.path.dirname(os.path.abspath(key_file()))
    return from_file() and (os.access(folder, os.W_OK) or not os.path.exists(folder))


def source() -> str:
    """Where the keys come from, in words."""
    return VARIABLE if os.environ.get(VARIABLE) else f"the key file {key_file()}"


def given_keys() -> list[str]:
    """The keys, the one that seals first; none where there is no key file yet. Raises ``WrongKey``."""
    given = os.environ.get(VARIABLE)
    if not given:
        path = key_file()
        try:
            with open(path, "rb") as file:
                given = file.read().decode("ascii")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError):
            raise WrongKey(f"the key file {path} cannot be read") from None
    keys = [each.strip() for each in given.split(",") if each.strip()]
    if not keys:
        raise WrongKey(f"{source()} holds no key")
    if not all(map(_is_key, keys)):
        raise WrongKey(f"{source()} holds no Fernet key (32 bytes in base64); `carepolicy key new` prints one")
    return keys


def _is_key(text: str) -> bool:
    try:
        return len(key_bytes(text)) == 32
    except ValueError:
        return False


def fingerprint(key: str) -> str:
    """By which a key is known without showing it."""
    digest: str = sha256(b"carepolicy key " + key.encode()).hexdigest()
    return digest[:16]


def new_key() -> str:
    """A key that nobody has."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def made_key() -> str:
    """The key of a key file that is made now, for its owner alone; or that another process has just made."""
    path, key = key_file(), new_key()
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        passing = write_beside(path, f"{key}\n".encode())
        try:
            os.link(passing, path)  # whole or not at all, and never over another's
        finally:
            os.unlink(passing)
        sync_name(path)
    except FileExistsError:
        return given_keys()[0]
    except OSError as fault:
        raise WrongKey(f"the key file {path} cannot be made: {fault.strerror}; set {VARIABLE}") from None
    return key


def write_keys(keys: list[str]) -> None:
    """Put keys into the key file in place of those that it holds: all of them, or, if that fails, none. Who has read
    those must hold ``changing_keys`` since then."""
    path = key_file()
    try:
        replace_file(path, f"{','.join(keys)}\n".encode())
    except OSError as fault:
        raise WrongKey(f"the key file {path} cannot be written: {fault.strerror}; nothing was changed") from None


@contextmanager
def rotating_keys(told: Callable[[], None]) -> Iterator[None]:
    """Let nobody else on this machine rotate the keys of the key file within the block; ``told`` is called where
    somebody does, who is then waited for. The system ends it if this process dies."""
    with _locked("rotation", told):
        yield


@contextmanager
def changing_keys() -> Iterator[None]:
    """Let nobody else change the key file within the block, or begin to seal a store with a key of it. Nobody may wait
    for a store in it."""
    with _locked("lock", lambda: None):
        yield


@contextmanager
def _locked(name: str, told: Callable[[], None]) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = f"{key_file()}.{name}"
    lock = FileLock(path, mode=0o600)
    try:
        try:
            lock.acquire(timeout=GLANCE)
        except Timeout:
            told()
            lock.acquire()
    except OSError as fault:
        raise WrongKey(f"{path} cannot be made: {fault.strerror}; nothing was changed") from None
    try:
        yield
    finally:
        lock.release()


# -- which stores need which keys ------------------------------------------------------------------------------------


def stores_of_keys() -> dict[str, list[str]]:
    """The stores that are sealed with keys of the key file, by their names, with the fingerprints of those keys. Raises
    ``WrongKey``."""
    path = key_file() + STORES
    try:
        with open(path, "rb") as file:
            noted = [orjson.loads(line) for line in file.read().splitlines()]
        return {each["store"]: each["keys"] for each in noted}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        raise WrongKey(f"{path}, where stores are noted that need the keys, cannot be read") from None


def note_store(store: str, prints: Iterable[str]) -> None:
    """Note with which keys a store is sealed. It is for who holds ``changing_keys``."""
    path = key_file() + STORES
    noted = {**stores_of_keys(), store: sorted(prints)}
    text = b"".join(orjson.dumps({"store": name, "keys": keys}) + b"\n" for name, keys in noted.items())
    try:
        replace_file(path, text)
    except OSError as fault:
        raise WrongKey(f"{path} cannot be written: {fault.strerror}; nothing was changed") from None


ANOTHER = f"private facts in the store were sealed with another key; set {VARIABLE}, or put the key file back"

MARK = b"\x01"
"""With which everything begins that a data key seals (see ``seal``), and no Fernet token."""


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
    known = [each for (each,) in transaction.rows(statements.ACTIVE_KEYS)]
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
    transaction.run(statements.NOTE_KEY, (first, now))
    if known:
        transaction.share_macs(next(each for each in given_keys() if fingerprint(each) == first))
    return True


def keys_of(store: Store) -> list[str]:
    """The fingerprints of the keys that a store was sealed with."""
    return [each for (each,) in store.ask(statements.ACTIVE_KEYS)]


def demand_known_key(transaction: Transaction) -> None:
    """Raises ``WrongKey`` where the store has keys, and none of them is at hand. Nothing is noted."""
    known = {each for (each,) in transaction.rows(statements.ACTIVE_KEYS)}
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
    for question in statements.ANY_SEALED:
        for (sealed,) in transaction.rows(question):
            if not bytes(sealed).startswith(MARK):
                Keys().unseal(bytes(sealed))
