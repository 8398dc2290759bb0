"""A set that is tried beside the installed one: the *shadow*.

It lives in a store of its own beside the live one (``care.db-shadow``, or the schema ``carepolicy_shadow``) that begins
as a copy of all subjects and open cases, moved to the new set as ``apply`` would move them. Live operation only notes
what it takes (see ``journal``); the shadow is stepped through that by whoever asks what came of it (see ``stepping``),
so nothing that goes wrong in it comes near live operation.
"""

from __future__ import annotations

import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from carepolicy.machine.bundle import load_bundle
from carepolicy.store.contract import CaseRow, SubjectRow
from carepolicy.store.faults import Busy, StoreFault
from carepolicy.store.open import open_store, remove_store
from carepolicy.store.privacy.seal import DataKeys
from carepolicy.store.shadow.journal import ShadowRow, count_pending, end_shadow, shadow_of
from carepolicy.store.sql import statements
from carepolicy.store.sql.statements import (
    CASE_COLUMNS,
    JOURNAL,
    KEEP_DATA_KEY,
    KEEP_SEALING,
    KEEP_WATCHED,
    LAST_NUMBER,
    SUBJECT_COLUMNS,
)
from carepolicy.store.url import shadow_url
from carepolicy.store.versions.apply import apply_bundle, is_present
from carepolicy.store.versions.install import files_of, present
from carepolicy.store.versions.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from carepolicy.store.contract import Store, Transaction

Row = TypeVar("Row")

AT_A_TIME = 2_000
"""Rows that are copied in one transaction."""

BEGIN = "INSERT INTO shadow (token, digest, begun) VALUES (?, ?, ?)"
READY = "UPDATE shadow SET ready = 1, base = ?, fired = ?, moved = ? WHERE token = ?"


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
        transaction.run(BEGIN, (token, bundle.digest, now))
    url = shadow_url(store.url)
    try:
        remove_store(url)
        shadow = open_store(url)
        try:
            base, seen = _copy(store, shadow, sealer, told)
            plan = apply_bundle(shadow, bundle, files, DataKeys(shadow, now), now, most)
            moved = _last(shadow)
        finally:
            shadow.close()
        with store.transaction() as transaction:
            if not transaction.run(READY, (base, plan.last, moved, token)):
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


def _last(store: Store) -> int:
    with store.reading() as transaction:
        number: int = transaction.rows(LAST_NUMBER)[0][0]
        return number


def _copy(store: Store, shadow: Store, sealer: DataKeys, told: Callable[[int], None]) -> tuple[int, list[int]]:
    """Copy subjects, open cases, watches and sets as they are at one instant; the number of the last record then, and
    the entries of the journal that were made before it."""
    with store.still() as transaction:
        base = transaction.rows(LAST_NUMBER)[0][0]
        seen = [no for (no,) in transaction.rows("SELECT no FROM journal")]
        numbers = _copy_sets(transaction, shadow)
        subjects = transaction.stream(f"SELECT {SUBJECT_COLUMNS} FROM subjects")
        for rows in _some(SubjectRow(*row) for row in subjects):
            with shadow.transaction() as there:
                there.save(rows, [], [])
            told(len(rows))
        cases = transaction.stream(f"SELECT {CASE_COLUMNS} FROM cases")
        for copies in _some(CaseRow(*row) for row in cases):
            with shadow.transaction() as there:
                there.save([], [each._replace(version=numbers[each.version]) for each in copies], [])
            told(len(copies))
        for sealings in _some(transaction.stream("SELECT subject, id FROM sealings WHERE subject <> ?", (JOURNAL,))):
            keys = sealer.wrapped([bytes(name) for _, name in sealings])
            with shadow.transaction() as there:
                there.many(KEEP_SEALING, sealings)
                there.many(KEEP_DATA_KEY, [(name, "", wrapped) for name, wrapped in keys.items() if wrapped])
        for noted in _some(transaction.stream("SELECT watch, value, noted FROM watched")):
            with shadow.transaction() as there:
                there.many(KEEP_WATCHED, noted)
    return base, seen


def _copy_sets(transaction: Transaction, shadow: Store) -> dict[int, int]:
    """Install the sets by which open cases live, the present one last; the number of each here, by that there."""
    last = present(transaction).id
    wanted = {*transaction.versions_in_use(), last}
    with shadow.transaction() as there:
        return {
            each.id: there.install(each.digest, each.installed, transaction.policy_files(each.id))
            for each in transaction.versions()
            if each.id in wanted
        }


def _some(rows: Iterable[Row]) -> Iterator[list[Row]]:
    gathered: list[Row] = []
    for row in rows:
        gathered.append(row)
        if len(gathered) == AT_A_TIME:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


def to_copy(store: Store) -> int:
    """How many rows a shadow begins with."""
    with store.reading() as transaction:
        return sum(int(transaction.rows(f"SELECT count(*) FROM {table}")[0][0]) for table in ("subjects", "cases"))


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
