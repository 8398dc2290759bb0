"""Watches: a chronic problem raises an event of its own."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.intake import Incoming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.engine.desk import Counted
    from carepolicy.machine.program import Bundle, WatchTable


class Watching:
    """The watches of one stratum. They look at the counted events in the order of time, whatever their subjects."""

    def __init__(self, bundle: Bundle, stratum: int) -> None:
        self._bundle = bundle
        self._watches = [watch for watch in bundle.watches if watch.stratum == stratum]
        self._noted: dict[str, dict[tuple[str, str], tuple[int, int, str]]] = {each.name: {} for each in self._watches}
        self._raised_before: set[str] = set()

    def note(self, counted: Counted) -> None:
        """Remember an event that was taken, where a watch counts its type and it has a value.

        An event that flows of several keys took counts once.
        """
        for watch in self._watches:
            if watch.counts == counted.type:
                value = counted.watched_by(watch, self._bundle)
                if value is not None:
                    self._noted[watch.name].setdefault(counted.identity, (counted.time, counted.line, value))

    def raised(self) -> Iterator[Incoming]:
        """The events that the watches raise over all that was noted; their subject is the value watched.

        A watch raises once when the number within its window reaches the bound, and again only after
        the number has fallen below it. What was given before, when fewer events were noted, is not given again.
        """
        for watch in self._watches:
            for event in self._raised(watch):
                if event.id not in self._raised_before:
                    self._raised_before.add(event.id)
                    yield event

    def _raised(self, watch: WatchTable) -> Iterator[Incoming]:
        windows: dict[str, deque[int]] = {}
        calendar = self._bundle.calendars[watch.calendar]
        for time, line, value in sorted(self._noted[watch.name].values()):
            window = windows.setdefault(value, deque())
            while window and (calendar.add_us(window[0], watch.within) or NEVER) < time:
                window.popleft()
            window.append(time)
            if len(window) == watch.reaches:
                key = f"{watch.name}/{value}/{time}"
                data = {watch.by: value}
                when = text_of(time)
                yield Incoming(line, value, watch.raises, time, when, "/carepolicy", key, data, raised=True)
