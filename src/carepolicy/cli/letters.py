"""Dead letters, events that were not taken, as commands print them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

from carepolicy.cli.status import say
from carepolicy.cli.terminal import table
from carepolicy.engine.history.words import time_in_words
from carepolicy.engine.instants import NoInstant, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from carepolicy.store.live.deadletters import DeadLetter

SHOWN = 10
"""So many are told in words."""

HEAD = ("no", "code", "happened", "subject", "event", "why")


class Letters:
    """Where the dead letters of a run go: all of them to ``write``, which puts them into a file, or else the first ones
    in words to standard error, unless ``quiet``. ``numbered``: with the line of the log on which the event stands."""

    def __init__(
        self, write: Callable[[str], object] | None = None, quiet: bool = False, numbered: bool = True
    ) -> None:
        self._write = write
        self._quiet = quiet
        self._numbered = numbered
        self.count = 0

    def take(self, letters: Iterable[str]) -> None:
        """Print some more."""
        for letter in letters:
            self.count += 1
            if self._write is not None:
                self._write(letter)
            elif not self._quiet and self.count <= SHOWN:
                told = orjson.loads(letter)
                where = f"line {told['line']}: " if "line" in told else "after the last line: "
                say(f"{where if self._numbered else ''}{told['code']} {told['reason']}")

    def end(self) -> None:
        """Say how many more there were."""
        if self._write is None and not self._quiet and self.count > SHOWN:
            say(f"{self.count - SHOWN:,} more were not taken")


def listed(letters: Iterable[DeadLetter], zone: ZoneInfo) -> str:
    """Those that a store keeps, a line each."""
    rows = [_row(each, zone) for each in letters]
    return table([HEAD, *rows]) if rows else "nothing\n"


def _row(letter: DeadLetter, zone: ZoneInfo) -> tuple[str, ...]:
    event = letter.event
    time = str(event.get("time", ""))
    with suppress(NoInstant):
        time = time_in_words(parse(time), zone) if time else ""
    return str(letter.no), letter.code, time, str(event.get("subject", "")), str(event.get("type", "")), letter.reason
