"""Files of a policy set written so that none is ever lost: whole or not at all."""

from __future__ import annotations

import difflib
import os
import tempfile
from dataclasses import dataclass

from carepolicy.files import sync_name


class Changed(OSError):
    """The file is not as it was when it was read; nothing was written."""


def replace_text(path: str | os.PathLike[str], before: str, after: str) -> None:
    """Write ``after`` in place of ``before``, at once; a link stays one, and so do the file's rights.

    Raises ``Changed`` where the file does not hold ``before`` any more, and ``OSError`` where it cannot be written.
    Whatever happens meanwhile, the file holds the one text or the other, whole.
    """
    target = os.path.realpath(path)
    if read_exactly(target) != before:
        raise Changed(f"{os.fspath(path)} has changed meanwhile; nothing was written to it")
    mode = os.stat(target).st_mode
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", os.fspath(path))
    number, fresh = tempfile.mkstemp(prefix=".", suffix=".new", dir=os.path.dirname(target))
    try:
        with os.fdopen(number, "wb") as file:
            file.write(after.encode())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(fresh, mode)
        os.replace(fresh, target)
    except BaseException:
        os.unlink(fresh)
        raise
    sync_name(target)


def read_exactly(path: str | os.PathLike[str]) -> str:
    """The text of a file with its line ends, and its byte order mark if it has one, as they are."""
    with open(path, "rb") as file:
        return file.read().decode()


def unified_diff(name: str, before: str, after: str) -> str:
    """The change from one text of a file to another, as `diff -u` tells it."""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The text of a file before and after; ``file`` can be opened from here."""

    file: str
    before: str
    after: str

    def diff(self) -> str:
        """The change as a unified diff."""
        return unified_diff(self.file, self.before, self.after)

    def write(self) -> None:
        """Write the file, whole or not at all. Raises ``Changed`` where it is not as it was."""
        replace_text(self.file, self.before, self.after)
