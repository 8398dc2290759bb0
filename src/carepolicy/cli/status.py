"""Exit statuses, the same for all commands, and the error that ends a command with one of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

DONE = 0
NO = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130


class Refused(Exception):
    """Ends a command with a message on stderr and an exit status (2, wrong usage or unreadable input, by default)."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def say(text: str) -> None:
    """Tell people something, a line on stderr."""
    stream: TextIO | None = sys.stderr
    if stream is not None:  # it is None where a process was started without one
        stream.write(f"{text}\n")
        stream.flush()
