"""What a run remembers from one event to the next. It is handed in, so that a stream, a store, a scenario and whoever
else runs events use the same runner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from carepolicy.engine.case import Subject
    from carepolicy.engine.intake import Row

Name = str | tuple[str, str]
"""How a stratum names a subject: by its name, or by the fact that keys its cases and the value of that."""


Closed = tuple[int, tuple[tuple[int, int], ...]]
"""The last time that a subject without cases has seen, and the sequence of each program, by its place."""


class Memory(Protocol):
    """What a run remembers. A run asks for it in the order of its events, and changes subjects where they are."""

    @property
    def merged(self) -> dict[str, str]:
        """The subjects of the lowest stratum that were merged into others, by their names."""
        ...

    @property
    def closed(self) -> dict[str, Closed] | None:
        """What is kept of subjects of the lowest stratum that have no open cases, so that the others lie close
        together; None where they are to be kept as they are."""
        ...

    def subjects(self, stratum: int) -> dict[Name, Subject]:
        """The subjects of a stratum. Their ``get`` may fetch one from elsewhere; what a run does to a subject that it
        has got, or has put there, is to be remembered."""
        ...

    def due(self, stratum: int, until: int) -> Iterable[Subject]:
        """The subjects of a stratum of which something falls due by ``until`` (microseconds since 1970), in any order
        that is the same for the same history."""
        ...

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Note the sources and ids of some events as taken. The places among them of those that were taken before; an
        event that comes twice among them was, at its second place."""
        ...

    def count(self, kind: str, source: str, id: str) -> int:
        """How often an event of this source and id was refused in this way (``rejected``, ``duplicate``), this time
        counted: it ends the ids of records that would be the same otherwise."""
        ...

    def times(self, source: str, id: str) -> int:
        """How often an event of this source and id was claimed before and taken by no case; 0 where such a one may not
        come again."""
        ...

    def watched(self, watch: str, value: str) -> list[int]:
        """The instants (microseconds since 1970, in their order) of the events that a watch has counted for a value and
        that were within its window when this was last kept."""
        ...

    def keep_watched(self, watch: str, value: str, instants: list[int]) -> None:
        """Remember the instants within a watch's window."""
        ...


class ProcessMemory:
    """A memory that ends with the process."""

    def __init__(self) -> None:
        self.merged: dict[str, str] = {}
        self.closed: dict[str, Closed] = {}
        self.seen: dict[str, set[str]] = {}
        self._subjects: dict[int, dict[Name, Subject]] = {}
        self._counts: dict[tuple[str, str, str], int] = {}
        self._watched: dict[tuple[str, str], list[int]] = {}

    def subjects(self, stratum: int) -> dict[Name, Subject]:
        """The subjects of a stratum."""
        return self._subjects.setdefault(stratum, {})

    def due(self, stratum: int, until: int) -> Iterable[Subject]:
        """The subjects of a stratum of which something falls due."""
        return [subject for subject in self.subjects(stratum).values() if subject.next <= until]

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Note sources and ids as taken; the places of those that were."""
        if len({row[5] for row in rows}) == 1:  # mostly all is well, which is seen at once of many
            known = self.seen.setdefault(rows[0][5], set())
            fresh = {row[6] for row in rows}
            if len(fresh) == len(rows) and known.isdisjoint(fresh):
                known |= fresh
                return ()
        again = set()
        for place, row in enumerate(rows):
            known = self.seen.setdefault(row[5], set())
            before = len(known)
            known.add(row[6])
            if len(known) == before:
                again.add(place)
        return again

    def count(self, kind: str, source: str, id: str) -> int:
        """How often an event was refused in this way, this time counted."""
        counted = (kind, source, id)
        count = self._counts[counted] = self._counts.get(counted, 0) + 1
        return count

    def times(self, source: str, id: str) -> int:
        """Within one run no event comes again."""
        return 0

    def watched(self, watch: str, value: str) -> list[int]:
        """What a watch has counted within its window."""
        return self._watched.get((watch, value), [])

    def keep_watched(self, watch: str, value: str, instants: list[int]) -> None:
        """Remember what is within a watch's window."""
        self._watched[watch, value] = instants
