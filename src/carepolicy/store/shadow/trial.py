"""A set that is tried beside the installed one: the *shadow*.

It lives in a store of its own beside the live one (``care.db-shadow``, or the schema ``carepolicy_shadow``). That store
begins as a copy of all subjects and open cases, which are moved to the new set as ``apply`` would move them. From then
on live operation only notes what it takes (see ``journal``). Whoever asks what came of it takes the shadow through the
journal, so that nothing that goes wrong in the shadow comes near live operation.

Each entry of the journal is taken once, however often this is stopped and done again: the transaction of the shadow's
store that takes an entry also notes that it was taken, and only then the entry goes out of the journal.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from carepolicy.machine.bundle import load_bundle
from carepolicy.store.contract import CaseRow, SubjectRow, batched
from carepolicy.store.faults import Busy, StoreFault
from carepolicy.store.live.batch import Batch
from carepolicy.store.live.operation import Operation, finished
from carepolicy.store.open import open_store, remove_store
from carepolicy.store.privacy.erase import enforce_keep, erase
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.shadow.comparison import Comparison, Pair
from carepolicy.store.shadow.journal import (
    JournalEntry,
    ShadowRow,
    count_pending,
    counted,
    end_shadow,
    pending,
    shadow_of,
)
from carepolicy.store.sql import statements
from carepolicy.store.url import shadow_url
from carepolicy.store.versions.apply import Plan, apply_bundle, is_present
from carepolicy.store.versions.install import (
    files_of,
    in_use,
    install,
    installed_files,
    load_version,
    present,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from carepolicy.store.contract import Address, EventRow, Store, Transaction

AT_A_TIME = 2_000
"""Rows that are copied in one transaction."""

ENTRIES, LINES = 500, 2_000
"""So many entries of the journal are read at a time, and about so many events taken in one transaction."""

SOURCE = "carepolicy.journal"
"""The source under which a shadow remembers entries that it was taken through."""


class Ended(Exception):
    """The shadow was ended meanwhile."""


def begin(store: Store, root: str, sealer: DataKeys, now: int, most: int, told: Callable[[int], None]) -> Plan:
    """Begin to try the set in the folder ``root``; what became of the open cases by it. ``told`` is called with numbers
    of copied rows. Raises ``PolicyErrors``, and ``RefusedPlan`` where a case cannot be moved; then nothing has begun.
    """
    bundle = load_bundle(root)
    files = files_of(root)
    token = uuid.uuid4().hex
    with store.transaction() as transaction:
        if is_present(transaction, bundle):
            return Plan(bundle.digest, now, most, same=True)
        if shadow_of(transaction) is not None:
            raise Busy("another process has begun a shadow")
        end_shadow(transaction)  # one whose making was not finished
        transaction.run(statements.BEGIN_SHADOW, (token, bundle.digest, now))
    url = shadow_url(store.url)
    try:
        remove_store(url)
        shadow = open_store(url)
        try:
            base, seen = _copy(store, shadow, sealer, told)
            plan = apply_bundle(shadow, bundle, files, DataKeys(shadow, now), now, most)
            moved = int(shadow.ask(statements.LAST_NUMBER)[0][0])
        finally:
            shadow.close()
        with store.transaction() as transaction:
            if not transaction.run(statements.SHADOW_READY, (base, plan.last, moved, token)):
                raise Busy("another process has begun a shadow, or ended this one")
            transaction.many(statements.FORGET_WORK, [(each,) for each in seen])
    except BaseException:
        _abandon(store, token)
        raise
    return plan


def _abandon(store: Store, token: str) -> None:
    """End a shadow that could not be made, unless somebody else has begun one."""
    with store.transaction() as transaction:
        mine = [row for row in transaction.rows(statements.SHADOW) if row[0] == token]
        if mine:
            end_shadow(transaction)
    if mine:
        with suppress(StoreFault):  # what went wrong first is told
            remove_store(shadow_url(store.url))


def _copy(store: Store, shadow: Store, sealer: DataKeys, told: Callable[[int], None]) -> tuple[int, list[int]]:
    """Copy subjects, open cases, watches and sets as they are at one instant; the number of the last record then, and
    the entries of the journal that were made before it."""
    with store.still() as transaction:
        base = transaction.rows(statements.LAST_NUMBER)[0][0]
        seen = [no for (no,) in transaction.rows(statements.WORK_NUMBERS)]
        numbers = _copy_sets(transaction, shadow)
        subjects = transaction.stream(statements.ALL_SUBJECTS)
        for rows in batched((SubjectRow(*row) for row in subjects), AT_A_TIME):
            with shadow.transaction() as there:
                there.save(rows, [], [])
            told(len(rows))
        cases = transaction.stream(statements.ALL_CASES)
        for copies in batched((CaseRow(*row) for row in cases), AT_A_TIME):
            with shadow.transaction() as there:
                there.save([], [each._replace(version=numbers[each.version]) for each in copies], [])
            told(len(copies))
        for sealings in batched(transaction.stream(statements.SEALINGS_BUT, (statements.JOURNAL,)), AT_A_TIME):
            keys = sealer.wrapped([bytes(name) for _, name in sealings])
            with shadow.transaction() as there:
                there.many(statements.KEEP_SEALING, sealings)
                there.many(statements.KEEP_DATA_KEY, [(name, "", wrapped) for name, wrapped in keys.items() if wrapped])
        for noted in batched(transaction.stream(statements.ALL_WATCHED), AT_A_TIME):
            with shadow.transaction() as there:
                there.many(statements.KEEP_WATCHED, noted)
    return base, seen


def _copy_sets(transaction: Transaction, shadow: Store) -> dict[int, int]:
    """Install the sets by which open cases live, the present one last; the number of each here, by that there."""
    last = present(transaction).id
    wanted = {*in_use(transaction), last}
    with shadow.transaction() as there:
        return {
            each.id: install(there, each.digest, each.installed, installed_files(transaction, each.id))
            for each in versions(transaction)
            if each.id in wanted
        }


def to_copy(store: Store) -> int:
    """How many rows a shadow begins with."""
    with store.reading() as transaction:
        return sum(int(transaction.rows(each)[0][0]) for each in (statements.COUNT_SUBJECTS, statements.COUNT_CASES))


def current(store: Store) -> tuple[ShadowRow, int] | None:
    """The shadow of a store, where there is one, and how many events it was not stepped through yet."""
    with store.reading() as transaction:
        row = shadow_of(transaction)
        return None if row is None else (row, count_pending(transaction))


@contextmanager
def beside(store: Store) -> Iterator[Store | None]:
    """The store of the shadow, where there is one."""
    if current(store) is None:
        yield None
        return
    shadow = open_store(shadow_url(store.url), create=False)
    try:
        yield shadow
    finally:
        shadow.close()


def end(store: Store) -> ShadowRow | None:
    """End the shadow and remove what it has kept; None where there was none."""
    with store.transaction() as transaction:
        ended = shadow_of(transaction)
        end_shadow(transaction)
    remove_store(shadow_url(store.url))
    return ended


def compared(
    store: Store, row: ShadowRow, sealer: DataKeys, now: int, most: int, told: Callable[[int], None]
) -> Comparison:
    """Take the shadow through what live operation took, and compare the two; ``told`` is called with numbers of events
    and cases. Raises ``Ended``."""
    with beside(store) as shadow:
        if shadow is None:
            raise Ended
        trial = Trial(store, shadow, row, sealer, now)
        trial.catch_up(told)
        with store.reading() as live:
            row = trial.demand(live)
            rest = pending(live, None)
            trial.step(rest)
            with shadow.reading() as there:
                bundle = load_version(there, present(there)).bundle
                found = Comparison(row.begun, row.events + counted(rest), most, row.digest)
                Pair(live, there, row, bundle).compare(found, told)
        trial.forget(rest)
    return found


def erase_beside(store: Store, addresses: Sequence[Address], sealer: DataKeys, now: int, author: str) -> None:
    """Erase what is private at some addresses in the shadow as well, and in the entries of the journal that it has not
    taken yet. Raises a ``StoreFault`` where that cannot be done; its message says how to get rid of the shadow."""
    known = current(store)
    try:
        with beside(store) as shadow:
            if known is None or shadow is None:
                return
            trial = Trial(store, shadow, known[0], sealer, now)
            trial.catch_up(lambda _: None)
            trial.erase(addresses, now, author)
            store.attempt(lambda transaction: sealer.renew(transaction, statements.JOURNAL))
    except StoreFault as fault:
        raise StoreFault(
            "it was erased, but not in the set that is tried beside the installed one, which has it too; "
            f"`carepolicy apply --shadow --stop` removes that ({fault})"
        ) from fault


class Trial:
    """A shadow that is taken through what live operation took. ``now`` is when its keys were first used."""

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

    def step(self, entries: list[JournalEntry]) -> None:
        """Step it through some entries, but for those that it has seen."""
        waiting: list[JournalEntry] = []
        for entry in entries:
            if entry.until is not None or counted(waiting) + entry.lines > LINES:
                self._take(waiting)
                waiting = []
            if entry.until is not None:
                self._tick(entry, entry.until)
            else:
                waiting.append(entry)
        self._take(waiting)

    def forget(self, entries: list[JournalEntry]) -> None:
        """Take entries out of the journal."""
        if entries:
            with self._store.transaction() as transaction:
                transaction.many(statements.FORGET_WORK, [(each.no,) for each in entries])
                transaction.run(statements.COUNT_TAKEN, (counted(entries), self._row.token))

    def _take(self, entries: list[JournalEntry]) -> None:
        if not entries:
            return

        def work(transaction: Transaction) -> None:
            known = transaction.claim([_name(each) for each in entries])
            lines = [line for each in entries if _name(each)[:2] not in known for line in each.events(self._sealer)]
            batch = Batch(self._operation.memory(transaction), transaction)
            batch.take(batch.read([(1, line) for line in lines]))
            finished(batch)
            transaction.run(statements.FORGET_ALL_REQUESTS)

        self._operation.attempt(work)

    def _tick(self, entry: JournalEntry, until: int) -> None:
        with self._shadow.reading() as transaction:
            if transaction.rows(statements.EVENT_OF_ID, _name(entry)[:2]):
                return
        for _ in self._operation.tick(until):
            pass
        enforce_keep(self._shadow, self._operation.sealer, until)

        def work(transaction: Transaction) -> None:
            transaction.claim([_name(entry)])
            transaction.run(statements.FORGET_ALL_REQUESTS)

        self._operation.attempt(work)


def _name(entry: JournalEntry) -> EventRow:
    return SOURCE, str(entry.no), ""
