"""``keep:`` of a set: how long the private facts of a closed case are kept, and their end.

When a case closes it is noted when that will be; to erase what is due costs by what is due. Records stay as they are,
masked, so that counts hold and no chain breaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from carepolicy.store.noting import one_with

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.datakeys import DataKeys

AT_A_TIME = 200
BY_KEEP = "keep"
"""Who erased it, where it was not a person."""

CLOSING = "INSERT INTO closings (key, subject, flow, sequence, closed, erase) VALUES (?, ?, ?, ?, ?, ?)"
DUE = "SELECT key, subject, flow, sequence, closed FROM closings WHERE erase <= ? ORDER BY erase, subject, flow LIMIT ?"
FORGET_CLOSING = "DELETE FROM closings WHERE key = ? AND subject = ? AND flow = ? AND sequence = ?"
FORGET_RECORDS = """UPDATE records SET sealed = NULL
    WHERE key = ? AND subject = ? AND flow = ? AND sequence <= ? AND loose = 0 AND sealed IS NOT NULL"""
FORGET_CONTACTS = "UPDATE contacts SET sealed = NULL WHERE subject = ? AND sealed IS NOT NULL"
FORGET_HOLDINGS = "DELETE FROM holdings WHERE key = ? AND subject = ?"
ALIVE = """SELECT 1 FROM cases WHERE key = ? AND subject = ?
    UNION ALL SELECT 1 FROM closings WHERE key = ? AND subject = ? LIMIT 1"""
NOTE = "INSERT INTO erasures (time, author, subject, flow, counts) VALUES (?, ?, ?, ?, ?)"


def erase_at(bundle: Bundle, flow: str, closed: int) -> int | None:
    """When the facts of a case that closed at ``closed`` are erased; None where they are kept for good."""
    program = next((each for each in bundle.programs if each.flow == flow), None)
    keep = bundle.keep if program is None or program.keep is None else program.keep
    if keep is None:
        return None
    calendar = bundle.calendars[program.calendar if program is not None else next(iter(bundle.calendars))]
    due: int | None = calendar.add_us(closed, keep)
    return due


def enforce_keep(store: Store, sealer: DataKeys, now: int) -> int:
    """Erase the facts of closed cases that are kept no longer; of how many cases."""
    done = 0

    def work(transaction: Transaction) -> int:
        found = transaction.rows(DUE + transaction.skip_locked, (now, AT_A_TIME))
        for key, subject, flow, sequence, _ in found:
            counts = {"records": transaction.run(FORGET_RECORDS, (key, subject, flow, sequence))}
            transaction.run(FORGET_CLOSING, (key, subject, flow, sequence))
            family = one_with(transaction, ((key, subject),))  # facts live on in what it was merged into
            if not any(transaction.rows(ALIVE, (*each, *each)) for each in family):
                counts["contacts"] = sum(transaction.run(FORGET_CONTACTS, (each,)) for _, each in family)
                for each in family:
                    transaction.run(FORGET_HOLDINGS, each)
                    if each[1] != subject:
                        sealer.renew(transaction, each[1])
            sealer.renew(transaction, subject)
            transaction.run(NOTE, (now, BY_KEEP, subject, flow, orjson.dumps(counts).decode()))
        return len(found)

    while True:
        erased = store.attempt(work)
        done += erased
        if erased < AT_A_TIME:
            break
    if done or sealer.has_vault():  # where something may be left of the last time
        sealer.shred()
    return done
