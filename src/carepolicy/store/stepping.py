"""A shadow is stepped through what live operation took, and compared with the installed set.

Each entry of the journal is taken once, however often this is stopped and done again: it is noted as taken in the
transaction of the shadow's own store that takes it, and only then goes out of the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.store.batch import Batch
from carepolicy.store.faults import StoreFault
from carepolicy.store.live.operation import Operation, finished
from carepolicy.store.privacy.erase import enforce_keep, erase
from carepolicy.store.shadow.comparison import Comparing, Comparison
from carepolicy.store.shadow.journal import Entry, ShadowRow, counted, pending, shadow_of
from carepolicy.store.shadow.trial import beside, current
from carepolicy.store.sql import statements
from carepolicy.store.sql.statements import JOURNAL
from carepolicy.store.versions.install import load_version, present

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.store.contract import Address, EventRow, Store, Transaction
    from carepolicy.store.privacy.seal import DataKeys

ENTRIES, LINES = 500, 2_000
"""So many entries of the journal are read at a time, and about so many events taken in one transaction."""

SOURCE = "carepolicy.journal"
"""The source under which a shadow remembers entries that it was stepped through."""

SEEN = "UPDATE shadow SET events = events + ? WHERE token = ?"
NO_REQUESTS = "DELETE FROM outbox"
"""What a shadow asks for is compared, and never carried out."""


class Ended(Exception):
    """The shadow was ended meanwhile."""


class Telling(NamedTuple):
    """Who is told of progress: of events that were taken, and of cases that were compared."""

    events: Callable[[int], None]
    cases: Callable[[int], None]


def compared(store: Store, row: ShadowRow, sealer: DataKeys, now: int, most: int, told: Telling) -> Comparison:
    """Step the shadow through what live operation took, and compare the two. Raises ``Ended``."""
    with beside(store) as shadow:
        if shadow is None:
            raise Ended
        stepping = Stepping(store, shadow, row, sealer, now)
        stepping.catch_up(told.events)
        with store.reading() as live:
            row = stepping.demand(live)
            rest = pending(live, None)
            stepping.step(rest)
            with shadow.reading() as there:
                bundle = load_version(there, present(there)).bundle
                found = Comparison(row.begun, row.events + counted(rest), most, row.digest)
                Comparing(live, there, row, bundle).compare(found, told.cases)
        stepping.forget(rest)
    return found


def erase_beside(store: Store, addresses: Sequence[Address], sealer: DataKeys, now: int, author: str) -> None:
    """Erase what is private at some addresses in the shadow as well, and in what it was not stepped through yet. Raises
    a ``StoreFault`` that says how to get rid of it where that cannot be done."""
    known = current(store)
    try:
        with beside(store) as shadow:
            if known is None or shadow is None:
                return
            stepping = Stepping(store, shadow, known[0], sealer, now)
            stepping.catch_up(lambda _: None)
            stepping.erase(addresses, now, author)
            store.attempt(lambda transaction: sealer.renew(transaction, JOURNAL))
    except StoreFault as fault:
        raise StoreFault(
            "it was erased, but not in the set that is tried beside the installed one, which has it too; "
            f"`carepolicy apply --shadow --stop` removes that ({fault})"
        ) from fault


class Stepping:
    """A shadow that is stepped through what live operation took. ``now`` is when its keys were first used."""

    def __init__(self, store: Store, shadow: Store, row: ShadowRow, sealer: DataKeys, now: int) -> None:
        self._store = store
        self._shadow = shadow
        self._row = row
        self._sealer = sealer
        self._operation = Operation(shadow, None, now)

    def catch_up(self, told: Callable[[int], None]) -> None:
        """Step it through what stands in the journal, and take that out; ``told`` is called with numbers of events.
        Raises ``Ended``."""
        while True:
            with self._store.reading() as transaction:
                self.demand(transaction)
                entries = pending(transaction, ENTRIES)
            self.step(entries)
            self.forget(entries)
            told(counted(entries))
            if len(entries) < ENTRIES:
                return

    def erase(self, addresses: Sequence[Address], now: int, author: str) -> None:
        """Erase what is private at some addresses."""
        bundle, own = self._operation.bundle(), self._operation.sealer

        def work(transaction: Transaction) -> None:
            transaction.load(sorted(addresses))
            for address in addresses:
                erase(transaction, own, bundle, address, now, author)

        self._operation.attempt(work)
        self._shadow.scrub()

    def demand(self, transaction: Transaction) -> ShadowRow:
        """The shadow as it is now. Raises ``Ended``."""
        row = shadow_of(transaction)
        if row is None or row.token != self._row.token:
            raise Ended
        return row

    def step(self, entries: list[Entry]) -> None:
        """Step it through some entries, but for those that it has seen."""
        waiting: list[Entry] = []
        for entry in entries:
            if entry.until is not None or counted(waiting) + entry.lines > LINES:
                self._take(waiting)
                waiting = []
            if entry.until is not None:
                self._tick(entry, entry.until)
            else:
                waiting.append(entry)
        self._take(waiting)

    def forget(self, entries: list[Entry]) -> None:
        """Take entries out of the journal."""
        if entries:
            with self._store.transaction() as transaction:
                transaction.many(statements.FORGET_WORK, [(each.no,) for each in entries])
                transaction.run(SEEN, (counted(entries), self._row.token))

    def _take(self, entries: list[Entry]) -> None:
        if not entries:
            return

        def work(transaction: Transaction) -> None:
            known = transaction.claim([_name(each) for each in entries])
            lines = [line for each in entries if _name(each)[:2] not in known for line in each.events(self._sealer)]
            batch = Batch(self._operation.desks(transaction), transaction)
            batch.take(batch.read([(1, line) for line in lines]))
            finished(batch)
            transaction.run(NO_REQUESTS)

        self._operation.attempt(work)

    def _tick(self, entry: Entry, until: int) -> None:
        with self._shadow.reading() as transaction:
            known = "SELECT 1 FROM events WHERE source = ? AND id = ?"
            if transaction.rows(known, _name(entry)[:2]):
                return
        for _ in self._operation.tick(until):
            pass
        enforce_keep(self._shadow, self._operation.sealer, until)

        def work(transaction: Transaction) -> None:
            transaction.claim([_name(entry)])
            transaction.run(NO_REQUESTS)

        self._operation.attempt(work)


def _name(entry: Entry) -> EventRow:
    return SOURCE, str(entry.no), ""
