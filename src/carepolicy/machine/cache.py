"""What costs time to compile is kept on disk, by the hash of what it was compiled from.

The cache is a folder of the user's own (``CAREPOLICY_CACHE`` names another; ``off`` turns it off). It may be
deleted at any time. Since reading a pickle can run code, nothing is read from a folder or a file that
belongs to another user or that others may write to. Whatever is wrong with the cache, the answer is
"not there": a cache never makes a command fail.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from carepolicy._version import __version__

FORMAT = 3
"""Raised when what is kept changes its shape without a change of the package's sources."""

KEPT = 64
"""How many things of one kind are kept; the oldest go first."""

_MARK = b"carepolicy cache\n"


def load(kind: str, digest: str) -> bytes | None:
    """What was stored for ``kind`` under ``digest`` by this very version, or None."""
    folder = _folder()
    if folder is None:
        return None
    try:
        if not _is_private(os.stat(folder, follow_symlinks=False), stat.S_ISDIR):
            return None
        with open(_file(folder, kind, digest), "rb") as file:
            if not _is_private(os.fstat(file.fileno()), stat.S_ISREG):
                return None
            text = file.read()
    except OSError:
        return None
    head = len(_MARK) + 4
    body = text[head:]
    return body if text[:head] == _MARK + _checksum(body) else None


def store(kind: str, digest: str, body: bytes) -> None:
    """Keep ``body`` for ``kind`` under ``digest``. Where that cannot be done, nothing happens."""
    folder = _folder()
    if folder is None:
        return
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not _is_private(os.stat(folder, follow_symlinks=False), stat.S_ISDIR):
            return
        _write(_file(folder, kind, digest), _MARK + _checksum(body) + body)
        _forget_the_oldest(folder, kind)
    except OSError:
        return


def _write(path: str, content: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing of it."""
    passing = f"{path}.{os.getpid()}"
    handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(passing, path)
    except OSError:
        os.unlink(passing)
        raise


def _forget_the_oldest(folder: str, kind: str) -> None:
    with os.scandir(folder) as entries:
        kept = sorted(
            ((each.stat().st_mtime, each.path) for each in entries if each.name.startswith(f"{kind}-")), reverse=True
        )
    for _, path in kept[KEPT:]:
        os.unlink(path)


def _folder() -> str | None:
    """The folder of the cache; None where it is turned off."""
    chosen = os.environ.get("CAREPOLICY_CACHE")
    if chosen:
        return None if chosen == "off" else chosen
    if sys.platform == "linux":
        # As platformdirs has it here (XDG Base Directory Specification), without the time of importing it.
        given = os.environ.get("XDG_CACHE_HOME", "").strip()
        return os.path.join(given if os.path.isabs(given) else os.path.expanduser("~/.cache"), "carepolicy")
    import platformdirs

    return platformdirs.user_cache_dir("carepolicy", appauthor=False)


def _file(folder: str, kind: str, digest: str) -> str:
    """The path of an entry. Its name holds all that decides whether the entry may be used."""
    key = blake2b(digest_size=16)
    for part in (digest, __version__, str(FORMAT), sys.version, _sources()):
        key.update(part.encode() + b"\0")
    return os.path.join(folder, f"{kind}-{key.hexdigest()}.cache")


@lru_cache(maxsize=1)
def _sources() -> str:
    """A hash of when the package's own files were changed, so that work on the package is seen at once."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = [os.path.join(top, room) for room in ("policy", "businesstime", "guards", "machine", "locale")]
    seen = []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".lark", ".mo")):
                    seen.append((entry.path, entry.stat().st_mtime_ns))
                elif entry.name != "__pycache__" and entry.is_dir():  # of what was compiled there is much
                    folders.append(entry.path)
    return blake2b(repr(sorted(seen)).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _checksum(body: bytes) -> bytes:
    """Tells a damaged file. Nobody else may write it, so that it need not tell a forged one."""
    return zlib.crc32(body).to_bytes(4, "big")


def _is_private(about: os.stat_result, kind: Any) -> bool:
    """Whether a folder or file is of the right kind, is the user's own, and no one else may write to it."""
    if not kind(about.st_mode):
        return False
    if os.name != "posix":
        return True
    closed = 0o077 if kind is stat.S_ISDIR else 0o022
    return about.st_uid == os.getuid() and not about.st_mode & closed
