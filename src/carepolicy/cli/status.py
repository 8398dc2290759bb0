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


def without_urls(text: str) -> str:
    """A message that repeats what was typed, cut off where a URL begins, since a password may be in that."""
    import re

    return re.sub(r"\b(\w[\w+.-]*:/|postgres\w*:|host=|\S+:\S*@)[^\n]*", "…", text)


def without_logins(text: str) -> str:
    """A message without what stands in URLs that it quotes where a password may be: between scheme and host, and behind
    a host."""
    if ":/" not in text:
        return text
    import re

    logins = r"(\w[\w+.-]*:/+)(?:.*@|[^\s/]*:.*|\S*[?#].*)"
    return re.sub(r'"[^"\n]*:/.*"', lambda quoted: re.sub(logins, r'\1…"', quoted[0]), text)


class Loudness:
    """How much is told besides results and errors: ``quiet`` leaves out sums, notes and bars."""

    quiet = False


def note(text: str) -> None:
    """Tell people, a line on stderr, what --quiet may leave out."""
    if not Loudness.quiet:
        say(text)


def say(text: str) -> None:
    """Tell people something, a line on stderr."""
    stream: TextIO | None = sys.stderr
    if stream is not None:  # it is None where a process was started without one
        stream.write(f"{text}\n")
        stream.flush()
