"""Files that are still there, whole, after the power was cut."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from typing import Any

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How a cell of CSV begins that a spreadsheet would take for a formula."""


@contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """What the system says inside names the file, as it does of one that cannot be opened: a full disk names none."""
    try:
        yield
    except OSError as fault:
        if fault.filename is not None:
            raise
        raise OSError(fault.errno, fault.strerror, os.fspath(path)) from None


class NamedFile(FileIO):
    """A file to write, of which the system says as well which it is, as ``named`` has it."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "w")
        self._path = path

    def write(self, content: Any) -> int:
        """Write bytes; how many were."""
        with named(self._path):
            return super().write(content)


@contextmanager
def whole_or_not(path: str | os.PathLike[str]) -> Iterator[str]:
    """The path of a new file beside another, which takes its place at the end, and is gone where that is not reached.
    What is there and no ordinary file, as a pipe, or in a folder that takes no other, is written to as it is."""
    place = os.path.realpath(path)
    if os.path.exists(place) and not (os.path.isfile(place) and os.access(os.path.dirname(place), os.W_OK)):
        yield place
        return
    passing = f"{place}.{os.getpid()}"
    try:
        yield passing
        os.replace(passing, place)
    except BaseException as fault:
        with suppress(OSError):
            os.unlink(passing)
        if isinstance(fault, OSError) and fault.filename == passing:
            raise OSError(fault.errno, fault.strerror, os.fspath(path)) from None
        raise


def write_file(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file whole or not at all, a text with the line breaks that it has. Raises ``OSError``, which names it."""
    with named(path), whole_or_not(path) as passing, open(passing, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def replace_file(path: str, content: bytes) -> None:
    """Put a file in the place of another, or of none, for its owner alone: whole or not at all, and on the disk."""
    passing = write_beside(path, content)
    try:
        os.replace(passing, path)
    except OSError:
        os.unlink(passing)
        raise
    sync_name(path)


def write_beside(path: str, content: bytes) -> str:
    """A new file in the folder of another, for its owner alone, on the disk; its path."""
    passing = f"{path}.{os.getpid()}"
    with suppress(FileNotFoundError):  # of a process of this number that was killed
        os.unlink(passing)
    handle = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return passing


def sync_name(path: str) -> None:
    """Have it on the disk that a file is in its folder under its name."""
    sync(os.path.dirname(os.path.abspath(path)))


def sync(path: str) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    folder = os.path.isdir(path)
    if folder and sys.platform == "win32":  # which opens no folders, and keeps a log of its own of names
        return
    handle = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
