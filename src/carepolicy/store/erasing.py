"""What is private at a subject is erased: facts of open cases and of what a run holds back, texts of records and
contacts, the way to find it, and the data key that all of it was sealed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from carepolicy.store import keeping
from carepolicy.store.live import late
from carepolicy.store.outbox.queue import DONE

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Address, Transaction
    from carepolicy.store.datakeys import DataKeys

FORGET_CASES = "UPDATE cases SET sealed = NULL WHERE key = ? AND subject = ? AND sealed IS NOT NULL"
FORGET_ALL_RECORDS = "UPDATE records SET sealed = NULL WHERE key = ? AND subject = ? AND sealed IS NOT NULL"
FORGET_LETTERS = "UPDATE dead_letters SET sealed = NULL WHERE subject = ? AND sealed IS NOT NULL"
FORGET_CLOSINGS = "DELETE FROM closings WHERE key = ? AND subject = ?"
PARK = """UPDATE outbox SET state = 'parked', leased_by = NULL, fault = 'erased at the request of the customer'
    WHERE subject = ? AND state <> ? AND EXISTS (
        SELECT 1 FROM records r WHERE r.subject = outbox.subject AND r.flow = outbox.flow
        AND r.sequence = outbox.sequence AND r.loose = 0 AND r.sealed IS NOT NULL)"""
"""What can no longer be carried out; it must be asked before records are erased."""


def erase(transaction: Transaction, sealer: DataKeys, bundle: Bundle, address: Address, now: int, author: str) -> None:
    """Erase what is private at an address, and note that it was done. ``sealer.shred`` must follow."""
    _, subject = address
    counts = {
        "requests": transaction.run(PARK, (subject, DONE)),
        "cases": transaction.run(FORGET_CASES, address),
        "records": transaction.run(FORGET_ALL_RECORDS, address),
        "contacts": transaction.run(keeping.FORGET_CONTACTS, (subject,)),
        "dead_letters": transaction.run(FORGET_LETTERS, (subject,)),
        "held": late.forget_private(transaction, sealer, bundle, address),
    }
    transaction.run(keeping.FORGET_HOLDINGS, address)
    transaction.run(FORGET_CLOSINGS, address)
    sealer.renew(transaction, subject)
    transaction.run(keeping.NOTE, (now, author, subject, "", orjson.dumps(counts).decode()))
