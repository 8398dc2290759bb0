"""How desks and a store name the same subjects, and a shelf of subjects that fetches those that are not on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.eventrecords import EventRecords
from carepolicy.engine.subject import Subject
from carepolicy.store.contract import named, storable

if TYPE_CHECKING:
    from collections.abc import Callable

    from carepolicy.engine.intake import Incoming
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Transaction

Name = str | tuple[str, str]
"""How a desk names a subject: by its name, or by (key, name)."""


class Shelf(dict[Name, Subject]):
    """The subjects of a desk. One that is not there is fetched; which were asked for is noted in ``touched``."""

    def __init__(self, fetch: Callable[[Name], None], touched: dict[Name, None]) -> None:
        super().__init__()
        self._fetch = fetch
        self._touched = touched

    def get(self, name: Name, default: Any = None) -> Any:
        """The subject of that name, from the store where it is not here; None where nobody knows it."""
        found = super().get(name)
        if found is None:
            self._fetch(name)
            found = super().get(name, default)
        self._touched[name] = None
        return found


class StoreRecords(EventRecords):
    """Records of events that were not taken, numbered by the store. ``times`` says of events that come again, by source
    and id, how often they were not taken before."""

    transaction: Transaction

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self.times: dict[tuple[str, str], int] = {}

    def times_before(self, event: Incoming) -> tuple[str, ...]:
        """What tells the records of an event from those of its earlier times."""
        times = self.times.get((event.source, event.id), 0)
        return (str(times + 1),) if times else ()

    def count(self, kind: str, source: str, key: str) -> int:
        """How often an event of this source and id was refused in this way, this time counted."""
        return self.transaction.count(kind, storable(source), storable(key))


def address_of(name: Name) -> Address:
    """The address in a store of a subject that a desk names so."""
    return ("", storable(name)) if isinstance(name, str) else (name[0], storable(name[1]))


def name_of(address: Address) -> Name:
    """How a desk names the subject of an address."""
    key, subject = address
    return named(subject) if key == "" else (key, named(subject))
