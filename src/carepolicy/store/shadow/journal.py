"""What live operation takes while another set is tried beside the installed one (a *shadow*, see ``trial``).

That is all that a shadow asks of live operation: one row more in a transaction that is made anyway. Events stand there
as the engine has taken them, sealed, without card numbers; those that any set refuses do not. Whoever has taken a
shadow through them takes them out again.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from carepolicy.engine import codes
from carepolicy.engine.cards import mask_data
from carepolicy.engine.facts import plain
from carepolicy.engine.intake import IDENTITIES, Incoming
from carepolicy.store.sql import statements
from carepolicy.store.sql.statements import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.engine.intake import Reading
    from carepolicy.machine.program import Bundle, FactTable
    from carepolicy.store.contract import Transaction
    from carepolicy.store.live.memory import Ticks
    from carepolicy.store.privacy.seal import DataKeys

OF_THE_SET = frozenset((codes.UNKNOWN_TYPE, codes.UNDECLARED, codes.WRONG_TYPE))
"""Why events are refused by one set that another may take."""

SELDOM = 60_000_000
"""Microseconds between two notes of ticks that fired nothing."""


class ShadowRow(Struct, frozen=True):
    """A shadow: the ``digest`` of its set, when it was ``begun``, and whether it was made to its end (``ready``).

    Live records behind number ``base`` are compared with those of the shadow: all up to ``fired``, and those behind
    ``moved``, since between the two stand those of moving the cases. ``events`` were taken and compared so far.
    """

    token: str
    digest: str
    begun: int
    ready: int
    base: int
    fired: int
    moved: int
    events: int


class JournalEntry(Struct, frozen=True):
    """What one transaction of live operation took: ``lines`` events, or what was due by ``until``."""

    no: int
    lines: int
    until: int | None
    sealed: bytes | None

    def events(self, sealer: DataKeys) -> list[bytes]:
        """The events as lines. Raises ``WrongKey``."""
        found = sealer.opened(self.sealed)
        return [] if found is None else zlib.decompress(found).split(b"\n")


def shadow_of(transaction: Transaction) -> ShadowRow | None:
    """The shadow of a store; None where there is none, or its making was not finished."""
    found = transaction.rows(statements.SHADOW)
    row = ShadowRow(*found[0]) if found else None
    return row if row is not None and row.ready else None


def pending(transaction: Transaction, most: int | None) -> list[JournalEntry]:
    """The entries through which no shadow was taken yet: all, or the first of them."""
    asked = (statements.PENDING, ()) if most is None else (statements.FIRST_PENDING, (most,))
    return [JournalEntry(*row) for row in transaction.rows(*asked)]


def count_pending(transaction: Transaction) -> int:
    """How many events no shadow was stepped through yet."""
    number: int = transaction.rows(statements.COUNT_PENDING)[0][0]
    return int(number)


def end_shadow(transaction: Transaction) -> bool:
    """Take no more notes; whether any were taken."""
    return max(transaction.run(each) for each in statements.END_SHADOW) > 0


class Journal:
    """The notes of one transaction."""

    def __init__(self, bundle: Bundle, sealer: DataKeys) -> None:
        self._facts = bundle.facts
        facts = (f"data.{name}" for name, fact in bundle.facts.items() if fact.card_never)
        self._spared = frozenset((*facts, *(IDENTITIES if bundle.card_never else ())))
        self._sealer = sealer
        self._lines: list[bytes] = []
        self._until: int | None = None

    def take(self, reading: Reading) -> None:
        """Note events, with those that another set may take."""
        for each in reading.in_order():
            if isinstance(each, Incoming):
                self._lines.append(orjson.dumps(self._told(each)))
            elif each.refused.code in OF_THE_SET:
                self._lines.append(orjson.dumps(mask_data(each.refused.event, self._spared)))

    def tick(self, until: int, ticks: Ticks) -> None:
        """Note that what was due by then has happened. Where that was nothing it is not noted each time: two watchers
        would wake each other by it."""
        if ticks.fired or not 0 <= until - ticks.noted < SELDOM:
            self._until = ticks.noted = until
            ticks.fired = False

    def keep(self, transaction: Transaction) -> None:
        """Keep what was noted."""
        if self._lines:
            sealed = self._sealer.seal(transaction, JOURNAL, zlib.compress(b"\n".join(self._lines), 1))
            transaction.run(statements.NOTE_WORK, (len(self._lines), None, sealed))
        if self._until is not None:
            transaction.run(statements.NOTE_WORK, (0, self._until, None))

    def _told(self, event: Incoming) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": event.id, "source": event.source, "type": event.type, "subject": event.subject, "time": event.when,
        }  # fmt: skip
        if event.data:
            told["data"] = {name: _plain(value, self._facts.get(name)) for name, value in event.data.items()}
        return told


def _plain(value: Any, fact: FactTable | None) -> Any:
    if type(value) is str or fact is None:
        return value
    if isinstance(value, tuple):
        return [plain(each, fact.item or "text") for each in value]
    return plain(value, fact.type)


def counted(entries: Iterable[JournalEntry]) -> int:
    """How many events stand in some entries."""
    return sum(each.lines for each in entries)
