"""A copy of a store in one SQLite file, made while the store is at work: whole or not at all, for its owner alone.

Of an SQLite store it is a copy page by page; of one in PostgreSQL the rows of all tables, as they are at one instant.
So a backup is always a store that can be worked with as it is.

Between the day of a backup and the day on which it is put back, the store wrote records that the backup does not know.
Once it is back, it gives the numbers of those records to others. So from then on all its ids end with the instant at
which it was said to be put back. No two restores share that instant, even of the same backup.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.engine.instants import SECOND
from carepolicy.files import sync, sync_name
from carepolicy.store.faults import StoreFault
from carepolicy.store.open import open_store
from carepolicy.store.privacy.keys import keys_of
from carepolicy.store.records.verify import verify
from carepolicy.store.sql import statements
from carepolicy.store.url import SQLITE
from carepolicy.store.versions.install import epoch_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.store.contract import Store, Transaction

PASSING = ".part"
"""The end of the name of a copy that is not whole yet."""

MILLISECOND = 1_000


class Backup(NamedTuple):
    """A copy: its path and size, how many records are in it, and the fingerprints of the keys that open it."""

    path: str
    size: int
    records: int
    keys: tuple[str, ...]


class BadCopy(StoreFault):
    """What was copied is not as it was written."""


def back_up(store: Store, path: str) -> Backup:
    """Copy a store into the file ``path``, which must not be there. Raises a ``StoreFault``, ``FileExistsError`` and
    other errors of files; then there is no file of that name."""
    with _whole_or_none(path) as passing:
        store.copy_to(passing)
        records, keys = _proven(passing)
    return Backup(path, os.stat(path).st_size, records, keys)


@contextmanager
def _whole_or_none(path: str) -> Iterator[str]:
    """The name of a file to write, which has the name ``path`` and is on the disk when the block ends."""
    _demand_free(path)
    passing = path + PASSING
    with suppress(FileNotFoundError):
        os.unlink(passing)  # of a backup that was killed
    os.close(os.open(passing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield passing
        sync(passing)
        _name(passing, path)
        sync_name(path)
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                os.unlink(passing + end)


def _name(passing: str, path: str) -> None:
    """Give a file the name ``path``, which nothing else may have got meanwhile."""
    try:
        os.link(passing, path)
    except FileExistsError:
        raise
    except OSError:  # not every disk knows a second name of a file
        _demand_free(path)
        os.rename(passing, path)


def _demand_free(path: str) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "it is there already; name another file, or move it away", path)


def _proven(path: str) -> tuple[int, tuple[str, ...]]:
    """How many records a copy has, and which keys open it. Raises ``BadCopy`` where it is not as it was written."""
    copy = open_store(f"{SQLITE}{path}", create=False)
    try:
        verified = verify(copy)
        if verified.faults:
            raise BadCopy(
                f"{len(verified.faults):,} things are not as they were written; `carepolicy verify` names them"
            )
        keys = tuple(keys_of(copy))
        copy.rest()
    finally:
        copy.close()
    return verified.records, keys


def note_restore(store: Store, now: int) -> str:
    """Note that a store was put back; with what ids end from now on."""
    wanted = int(f"{datetime.fromtimestamp(now // SECOND, UTC):%Y%m%d%H%M%S}{now % SECOND // MILLISECOND:03}")

    def work(transaction: Transaction) -> str:
        number = max(wanted, transaction.rows(statements.LAST_RESTORE)[0][0] + 1)
        transaction.run(statements.NOTE_RESTORE, (number, now))
        return epoch_of(number)

    return store.attempt(work)
