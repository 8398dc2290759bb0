"""The mails of one case, which are one thread: what went before a mail, from the records of its case."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import orjson

from carepolicy.engine.effects import REPLIES_TO
from carepolicy.store.privacy.seal import CARRIER, Looker
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.store.contract import Transaction
    from carepolicy.store.privacy.seal import DataKeys

MOST = 10
"""So many mails of a case are told to the next one: mail programs need the last few, and headers have an end."""

DEEPEST = 5
"""So many merges, each before the next, are followed back."""


class Earlier(NamedTuple):
    """A message of the same case that was asked for before: its request's id, its channel, and the Message-ID of the
    customer's mail that the case knew then; None where it knew none, or where that was erased."""

    id: str
    channel: str
    answers: str | None


def thread_of(
    transaction: Transaction, sealer: DataKeys, subject: str, flow: str, sequence: int
) -> tuple[Earlier, ...]:
    """The messages of the case before a record of it, the first first; of many the last ones."""
    found = list(_before(transaction, sealer, subject, flow, sequence, DEEPEST))
    return tuple(found[-MOST:])


def _before(
    transaction: Transaction, sealer: DataKeys, subject: str, flow: str, sequence: int, depth: int
) -> Iterator[Earlier]:
    opened = transaction.rows(statements.CASE_BEGAN, (subject, flow, sequence))
    begin, time = opened[0] if opened else (0, 0)  # the first records of a case may be gone
    for (other,) in transaction.rows(statements.MERGED_FROM, (subject,)) if depth else ():
        for closed, when in transaction.rows(statements.LAST_CLOSED, (other, flow)):
            if when >= time:  # else an earlier case had joined it
                yield from _before(transaction, sealer, other, flow, closed, depth - 1)
    rows = transaction.rows(statements.MESSAGES_BEFORE, (subject, flow, begin, sequence, MOST))
    looker = Looker(CARRIER, sealer)
    for line, sealed in reversed(rows):
        record = orjson.loads(line)
        data = looker.data(record["data"], sealed)
        yield Earlier(record["id"], data.get("channel") or "", data.get(REPLIES_TO))
