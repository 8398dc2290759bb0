"""Exit statuses, the same for all commands, the error that ends a command with one of them, and how people are told."""

from __future__ import annotations

import os
import re
import sys
import time
from typing import TYPE_CHECKING

import orjson

from carepolicy.engine.instants import text_of

if TYPE_CHECKING:
    from typing import TextIO

NAME = "carepolicy"
COMPLETION = "_CAREPOLICY_COMPLETE"
"""The variable by which a shell asks what to complete."""

DONE = 0
NO = 1
USAGE = 2
UNREACHABLE = 3
INTERRUPTED = 130

HARMLESS = frozenset(("CP910", "CP911"))
"""What a tally may hold without the run having failed: events taken, and events that nobody waited for."""


class CommandError(Exception):
    """Ends a command with a message on stderr and an exit status (2, wrong usage or unreadable input, by default)."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def without_urls(text: str) -> str:
    """A message that repeats what was typed, cut off where a URL begins, since a password may be in that."""
    return re.sub(r"\b(\w[\w+.-]*:/|postgres\w*:|host=|\S+:\S*@)[^\n]*", "…", text)


def without_logins(text: str) -> str:
    """A message whose URLs have lost the places in which a password may be: between scheme and host, and behind a
    host."""
    if ":/" not in text:
        return text
    logins = r"(\w[\w+.-]*:/+)(?:.*@|[^\s/]*:.*|\S*[?#].*)"
    return re.sub(r'"[^"\n]*:/.*"', lambda quoted: re.sub(logins, r'\1…"', quoted[0]), text)


class Loudness:
    """How much is told besides results and errors: ``quiet`` leaves out sums, notes and bars."""

    quiet = False


def no_colour() -> bool:
    """Whether the terminal knows no colour, or ``NO_COLOR`` forbids it as https://no-color.org has it: by any text."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def note(text: str) -> None:
    """Tell people, a line on stderr, what --quiet may leave out."""
    if not Loudness.quiet:
        say(text)


class _Log:
    """How ``say`` tells things."""

    as_json = False


def log_as(form: str) -> None:
    """Let ``say`` tell things as ``text`` for people, or as ``json`` for programs, an object a line."""
    _Log.as_json = form == "json"


def say(text: str, event: str = "note", level: str = "info", **fields: str | int | float | None) -> None:
    """Tell people something, a line on stderr; programs also what ``event`` it is of, and its ``fields``. Nothing in
    it is private."""
    stream: TextIO | None = sys.stderr
    if stream is None:  # as where a process was started without one
        return
    if _Log.as_json:
        now = text_of(time.time_ns() // 1_000)
        told = {"time": now, "level": level, "event": event, "message": text, **fields}
        stream.write(orjson.dumps(told).decode() + "\n")
    else:
        stream.write(f"{text}\n")
    stream.flush()
