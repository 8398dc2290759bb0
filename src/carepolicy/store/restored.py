"""A store that was put back from a backup: what it writes from then on bears ids that nothing written before it bears.

Between the backup and its being put back records went out of which the store knows nothing any more. It will number
other records in the same way. So the ids of all that it writes end with the instant at which it was told that it was
put back, which no two restores share, be they of the same backup.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.store.contract import Store, Transaction

SECOND, MILLISECOND = 1_000_000, 1_000
LAST = "SELECT coalesce(max(no), 0) FROM restores"
NOTE = "INSERT INTO restores (no, time) VALUES (?, ?)"


def epoch_of(number: int) -> str:
    """With what ids end after the restore of that number; nothing where it is 0, and there was none."""
    return f".r{number}" if number else ""


def note_restore(store: Store, now: int) -> str:
    """Note that a store was put back; with what ids end from now on."""
    wanted = int(f"{datetime.fromtimestamp(now // SECOND, UTC):%Y%m%d%H%M%S}{now % SECOND // MILLISECOND:03}")

    def work(transaction: Transaction) -> str:
        number = max(wanted, transaction.rows(LAST)[0][0] + 1)
        transaction.run(NOTE, (number, now))
        return epoch_of(number)

    return store.attempt(work)
