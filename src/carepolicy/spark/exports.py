"""What tasks of an audit on Spark tell of records for others' tools: texts with their places among those of all tasks,
so that they can be joined to the file that one machine writes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from carepolicy.audit.export import CaseKey, ObjectExport, Owners, TraceExport

if TYPE_CHECKING:
    from carepolicy.engine.record import Record

Placed = tuple[str | None, bytes, str]
"""A text and its place; or an object by its name, with the place of what first tells of it, and its type."""


class PlacedTraces(TraceExport):
    """Traces of cases. One stands where its case closed, or behind all others where it began."""

    def __init__(self, owners: Owners) -> None:
        super().__init__(owners, self._put)
        self.types: dict[str, set[str]] = {}
        self._place = b""
        self._found: list[Placed] = []
        self._begins: dict[CaseKey, bytes] = {}

    def _put(self, text: str) -> None:
        self._found.append((None, self._place, text))

    def take_at(self, record: Record, place: bytes) -> None:
        """Take what happened to a case, the next of it, at a place."""
        self._place = place
        self.take(record)
        key = (record.flow, record.subject)
        if key in self.cases:
            self._begins.setdefault(key, place)

    def close(self, key: CaseKey) -> None:
        """Note the trace of a case."""
        self._begins.pop(key, None)
        super().close(key)

    def end(self, behind: bytes = b"") -> None:
        """Note the traces of the cases that are open, behind the places of all others. What comes is of others."""
        for key in [*self.cases]:
            self._place = behind + self._begins[key]
            self.close(key)
        self.numbers.clear()

    def taken(self) -> list[Placed]:
        """What was noted; it is here no longer."""
        found, self._found = self._found, []
        return found

    def hand_over(self, open_subjects: Collection[str]) -> tuple[Any, ...]:
        """What is known of the subjects that are open."""
        numbers = {key: number for key, number in self.numbers.items() if key[1] in open_subjects}
        return self.cases, numbers, self.states, self._begins

    def go_on(self, handed: tuple[Any, ...]) -> None:
        """Go on with what others have handed over."""
        self.cases, self.numbers, self.states, self._begins = handed


class PlacedObjects(ObjectExport):
    """Events, and the objects that they tell of."""

    def __init__(self, owners: Owners) -> None:
        super().__init__(owners, self._put, first=False)
        self._place = b""
        self._found: list[Placed] = []

    def _put(self, text: str) -> None:
        self._found.append((None, self._place, text))

    def take_at(self, record: Record, place: bytes) -> None:
        """Take what happened at a place."""
        self._place = place
        self.objects.clear()
        self.take(record)
        self._found += [(name, place + bytes((n,)), kind) for n, (name, kind) in enumerate(self.objects.items())]

    def end(self, behind: bytes = b"") -> None:
        """Nothing of the events waits for the end."""

    def taken(self) -> list[Placed]:
        """What was noted, of each object the first; it is here no longer."""
        firsts: dict[str, Placed] = {}
        events = []
        for each in self._found:
            if each[0] is None:
                events.append(each)
            else:
                firsts.setdefault(each[0], each)
        self._found = []
        return [*events, *firsts.values()]

    def hand_over(self, open_subjects: Collection[str]) -> tuple[Any, ...]:
        """What is known of the subjects that are open: nothing."""
        return ()

    def go_on(self, handed: tuple[Any, ...]) -> None:
        """Go on with what others have handed over."""


def placed_export(form: str, owners: Owners) -> PlacedTraces | PlacedObjects:
    """What notes records for a form, xes or ocel."""
    return PlacedTraces(owners) if form == "xes" else PlacedObjects(owners)
