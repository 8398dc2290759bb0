"""What events that come alone, as things happen, are held against: the clock of the machine.

A log has its own time, and is run without any of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import orjson

from carepolicy.engine import codes
from carepolicy.engine.instants import DAY, text_of
from carepolicy.engine.intake import Refused, Row

NEAR = DAY
"""By so many microseconds an event may be ahead of the clock: clocks of machines differ, and some have a wrong zone."""


class Wall(NamedTuple):
    """``clock`` tells microseconds since 1970. Each event waits ``lateness`` microseconds whether an earlier one comes.
    ``far`` lets events happen more than a day ahead of the clock."""

    clock: Callable[[], int]
    lateness: int = 0
    far: bool = False

    def timed(self, line: bytes | str) -> bytes | str:
        """The line of an event, with the time of the clock where it says none."""
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            return line  # as the intake will find
        if not isinstance(event, dict) or event.get("time") is not None:
            return line
        return orjson.dumps({**event, "time": text_of(self.clock())})

    def refused(self, place: int, row: Row, line: bytes | str) -> Refused | None:
        """Why an event that lies far ahead is refused."""
        if self.far or row[3] <= self.clock() + NEAR:
            return None
        return Refused(codes.FUTURE, f"{row[4]} is more than a day ahead of the clock", orjson.loads(line))

    def until(self) -> int | None:
        """Up to when events need wait no longer; None where they do not wait."""
        return self.clock() - self.lateness if self.lateness else None
