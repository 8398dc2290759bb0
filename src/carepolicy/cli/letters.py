"""Dead letters, events that were not taken, as commands tell of them when that happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from carepolicy.cli.status import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SHOWN = 10
"""So many are told in words."""


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
