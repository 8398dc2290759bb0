"""Events held back for late arrivals: each subject's are sorted within the lateness that a run allows."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.engine.intake import Incoming


class Holding:
    """Holds each subject's events until one of the subject is ``lateness`` microseconds later."""

    def __init__(self, lateness: int) -> None:
        self._lateness = lateness
        self._held: dict[str, list[tuple[int, int, Incoming]]] = {}
        self._latest: dict[str, int] = {}

    def add(self, event: Incoming) -> Iterator[Incoming]:
        """Hold an event; the events of its subject that are held no longer, in the order of time."""
        held = self._held.setdefault(event.subject, [])
        heappush(held, (event.time, event.line, event))
        latest = self._latest[event.subject] = max(event.time, self._latest.get(event.subject, event.time))
        while held and held[0][0] <= latest - self._lateness:
            yield heappop(held)[2]

    def rest(self) -> Iterator[Incoming]:
        """All events that are still held: subject by subject, each in the order of time."""
        for held in self._held.values():
            while held:
                yield heappop(held)[2]
