"""Where the keys are: in ``CAREPOLICY_KEY``, else in a key file of the user's own. No message shows one."""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode

from carepolicy.hashing import sha256
from carepolicy.store.faults import WrongKey

VARIABLE = "CAREPOLICY_KEY"
FILE_VARIABLE = "CAREPOLICY_KEY_FILE"


def key_file() -> str:
    """Where the keys are kept if no variable holds them: ``CAREPOLICY_KEY_FILE``, else ``carepolicy/key`` in the user's
    folder of settings (``$XDG_CONFIG_HOME``, ``~/.config``). It is not beside the store, so that a copy of the
    store, or of the folder that it is in, does not open what is private."""
    given = os.environ.get(FILE_VARIABLE)
    if given:
        return given
    home = os.environ.get("XDG_CONFIG_HOME", "").strip()
    return os.path.join(home if os.path.isabs(home) else os.path.expanduser("~/.config"), "carepolicy", "key")


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
        return len(urlsafe_b64decode(text)) == 32
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
        passing = f"{path}.{os.getpid()}"
        _write(passing, key)
        try:
            os.link(passing, path)  # whole or not at all, and never over another's
        finally:
            os.unlink(passing)
    except FileExistsError:
        return given_keys()[0]
    except OSError as fault:
        raise WrongKey(f"the key file {path} cannot be made: {fault.strerror}; set {VARIABLE}") from None
    return key


def write_keys(keys: list[str]) -> None:
    """Put keys into the key file in place of those that it holds: all of them, or, if that fails, none."""
    path = key_file()
    passing = f"{path}.{os.getpid()}"
    try:
        _write(passing, ",".join(keys))
        os.replace(passing, path)
    except OSError as fault:
        raise WrongKey(f"the key file {path} cannot be written: {fault.strerror}; nothing was changed") from None


def _write(path: str, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        os.fchmod(handle, 0o600)
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
