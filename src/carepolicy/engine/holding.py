"""Events held back for late arrivals: each subject's are sorted within the lateness that a run allows."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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

    def held_of(self, subject: str) -> tuple[int, list[Incoming]]:
        """The latest time of a subject's events, and those that are held."""
        return self._latest[subject], [event for _, _, event in sorted(self._held[subject], key=lambda each: each[:2])]

    def take_back(self, subject: str, latest: int, events: Iterable[Incoming]) -> None:
        """Hold what ``held_of`` has told, in a run that goes on."""
        self._latest[subject] = latest
        self._held[subject] = [(event.time, event.line, event) for event in events]

    def rest(self) -> Iterator[Incoming]:
        """All events that are still held: subject by subject, each in the order of time."""
        for held in self._held.values():
            while held:
                yield heappop(held)[2]
