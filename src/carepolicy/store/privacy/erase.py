"""What is private is erased: at once where somebody asks for it, by itself where ``keep:`` of a set says how long.

When a case closes it is noted when its private facts are to be erased; to erase what is due costs by what is due.
Records stay as they are, masked, so that counts hold and no chain breaks.

``keep:`` of events, outbox, records and dead letters lets go of these themselves at a tick, some at a time. What goes
is forgotten for good, and noted only where something else would be missed: of a chain of records the end of what went
is kept (``cuts``), from which on the rest is proven, of the records of a log how many went (``gone``), and of each
record a hash, so that checkpoints of before still hold (``leaves``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.engine.clocks import EARLIEST
from carepolicy.engine.instants import DAY, NEVER
from carepolicy.store.live import late
from carepolicy.store.live.inputs import own_share, progress_of
from carepolicy.store.privacy.contacts import one_with
from carepolicy.store.records.chain import LOOSE
from carepolicy.store.records.checkpoint import leaf
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.limit import Limit
    from carepolicy.store.contract import Address, Store, Transaction
    from carepolicy.store.privacy.seal import DataKeys

AT_A_TIME, IDS_AT_A_TIME = 200, 2_000
BY_KEEP = "keep"
"""Who erased it, where it was not a person."""

BEGINNING = (-NEVER, 0)
"""Before the (time, number) of every row."""


def erase(transaction: Transaction, sealer: DataKeys, bundle: Bundle, address: Address, now: int, author: str) -> None:
    """Erase what is private at an address, and note that it was done. ``sealer.shred`` must follow."""
    _, subject = address
    counts = {
        "requests": transaction.run(statements.PARK_ERASED, (subject,)),
        "cases": transaction.run(statements.ERASE_CASES, address),
        "records": transaction.run(statements.ERASE_RECORDS, address),
        "contacts": transaction.run(statements.ERASE_CONTACTS, (subject,)),
        "dead_letters": transaction.run(statements.ERASE_LETTERS, (subject,)),
        "held": late.forget_private(transaction, sealer, bundle, address),
    }
    transaction.run(statements.FORGET_HOLDINGS, address)
    transaction.run(statements.FORGET_CLOSINGS, address)
    sealer.renew(transaction, subject)
    transaction.run(statements.NOTE_ERASURE, (now, author, subject, "", orjson.dumps(counts).decode()))


def enforce_keep(store: Store, sealer: DataKeys, now: int) -> int:
    """Erase the facts of closed cases that are kept no longer; of how many cases."""
    done = 0

    def work(transaction: Transaction) -> int:
        found = transaction.rows(statements.CLOSINGS_DUE + transaction.skip_locked, (now, AT_A_TIME))
        for key, subject, flow, sequence, _ in found:
            counts = {"records": transaction.run(statements.ERASE_RECORDS_OF_CASE, (key, subject, flow, sequence))}
            transaction.run(statements.FORGET_CLOSING, (key, subject, flow, sequence))
            family = one_with(transaction, ((key, subject),))  # facts live on in what it was merged into
            if not any(transaction.rows(statements.FACTS_LIVE, (*each, *each)) for each in family):
                counts["contacts"] = sum(transaction.run(statements.ERASE_CONTACTS, (each,)) for _, each in family)
                for each in family:
                    transaction.run(statements.FORGET_HOLDINGS, each)
                    if each[1] != subject:
                        sealer.renew(transaction, each[1])
            sealer.renew(transaction, subject)
            transaction.run(statements.NOTE_ERASURE, (now, BY_KEEP, subject, flow, orjson.dumps(counts).decode()))
        return len(found)

    while True:
        erased = store.attempt(work)
        done += erased
        if erased < AT_A_TIME:
            break
    if done or sealer.has_vault():  # where something may be left of the last time
        sealer.shred()
    return done


class Swept(NamedTuple):
    """How far a sweep has come: behind which row it goes on (None: it is at its end), how many rows went, and of which
    ``subjects`` something sealed may have gone with them."""

    at: Any
    gone: int
    subjects: frozenset[str] = frozenset()


def sweep(
    store: Store, sealer: DataKeys, bundle: Bundle, now: int, goes_on: Callable[[], bool] = lambda: True
) -> dict[str, int]:
    """Let go of what is kept no longer at ``now``, by what it is; how much of it went. It is broken off between two
    transactions where it ``goes_on`` no more."""
    calendar = next(iter(bundle.calendars.values()))
    gone: dict[str, int] = {}
    for what, keep in bundle.retention.items():
        work, begin = SWEEPS[what]
        if what == "events" and not _is_time(store, what, now):
            continue
        swept = Swept(begin, 0)
        bound = bound_of(calendar, keep, now)
        while swept.at is not None and goes_on():
            swept = store.attempt(partial(_alone, sealer, partial(work, swept.at, bound, now)))
            gone[what] = gone.get(what, 0) + swept.gone
        if swept.at is None and what == "events":
            store.attempt(lambda transaction: transaction.run(statements.NOTE_SWEEP, ("events", now)))
    if gone.get("records") or gone.get("dead_letters"):
        sealer.shred()
    return {what: count for what, count in gone.items() if count}


def _alone(sealer: DataKeys, work: Callable[[Transaction], Swept], transaction: Transaction) -> Swept:
    """Do some work that nobody else does now: the same rows go once, and with them what they were sealed with."""
    transaction.lock("sweep")
    swept = work(transaction)
    for subject in sorted(swept.subjects):
        sealer.renew(transaction, subject)
    return swept


def bound_of(calendar: Calendar, keep: Limit, now: int) -> int:
    """The last instant at which what is kept so long may go at ``now``."""
    low, high = EARLIEST, max(now, EARLIEST)
    while low < high:
        middle = (low + high + 1) // 2
        ends = calendar.add_us(middle, keep)
        low, high = (middle, high) if ends is not None and ends <= now else (low, middle - 1)
    return low


def _is_time(store: Store, what: str, now: int) -> bool:
    """Whether a sweep that looks at everything has not been made for a day."""
    with store.reading() as transaction:
        found = transaction.rows(statements.LAST_SWEEP, (what,))
    return not found or found[0][0] + DAY <= now


def _outbox(_: Any, bound: int, now: int, transaction: Transaction) -> Swept:
    """Requests that were carried out: asked for, and leased for the last time, so long ago."""
    found = transaction.rows(statements.REQUESTS_DONE, (bound, bound, AT_A_TIME))
    transaction.many(statements.FORGET_REQUEST, found)
    return Swept(0 if len(found) == AT_A_TIME else None, len(found))


def _dead_letters(at: tuple[int, int], bound: int, now: int, transaction: Transaction) -> Swept:
    """Dead letters that a tick has found so long ago; those that it finds now are noted first."""
    new = transaction.rows(statements.LETTERS_UNDATED, (AT_A_TIME,))
    if new:
        transaction.many(statements.DATE_LETTER, [(now, no) for (no,) in new])
        return Swept(at, 0)
    found = transaction.rows(statements.LETTERS_SINCE, (*at, bound, AT_A_TIME))
    logs = _Logs(transaction)
    free = [(no, subject) for _, no, input, subject in found if logs.are_free(input) and not logs.are_shared(input)]
    transaction.many(statements.FORGET_LETTER, [(no,) for no, _ in free])
    subjects = frozenset(subject for _, subject in free if subject is not None)
    return Swept(found[-1][:2] if len(found) == AT_A_TIME else None, len(free), subjects)


def _events(at: tuple[str, str], bound: int, now: int, transaction: Transaction) -> Swept:
    """Ids of events that a tick has found so long ago; those that it finds now are noted."""
    found = transaction.rows(statements.EVENTS_SEEN, (*at, IDS_AT_A_TIME))
    transaction.many(statements.DATE_EVENT, [(now, source, id) for source, id, seen in found if seen is None])
    old = [(source, id) for source, id, seen in found if seen is not None and seen <= bound]
    transaction.many(statements.FORGET_EVENT, old)
    transaction.many(statements.FORGET_UNTAKEN, old)
    return Swept(found[-1][:2] if len(found) == IDS_AT_A_TIME else None, len(old))


def _records(at: tuple[Any, Any], bound: int, now: int, transaction: Transaction) -> Swept:
    """Records of cases that were closed, and of events that came to no case, so long ago."""
    if transaction.rows(statements.ANY_SHADOW):
        return Swept(None, 0)  # it is compared with all that happened since it began
    closed, loose = at
    logs, went = _Logs(transaction), 0
    subjects: set[str] = set()
    cases = transaction.rows(statements.CASES_CLOSED, (*closed, bound, AT_A_TIME)) if closed else []
    for _, _, key, subject, flow, sequence in cases:
        rows = transaction.rows(statements.CHAIN_OF_CASE, (key, subject, flow, sequence))
        if logs.all_free(rows) and not transaction.rows(statements.REQUEST_TO_DO, (subject, flow, sequence)):
            transaction.run(statements.FORGET_REQUESTS_OF_CASE, (subject, flow, sequence))
            transaction.run(statements.FORGET_CLOSINGS_UP_TO, (key, subject, flow, sequence))
            went += _cut(transaction, (key, subject, flow), rows, bound)
            subjects.add(subject)
    others = transaction.rows(statements.RECORDS_OF_NO_CASE, (*loose, bound, AT_A_TIME)) if loose else []
    for _, _, key, subject, number in others:
        rows = transaction.rows(statements.CHAIN_OF_NO_CASE, (key, subject, number))
        if logs.all_free(rows):
            went += _cut(transaction, (key, subject, LOOSE), rows, bound)
            subjects.add(subject)
    left = tuple(each[-1][:2] if len(each) == AT_A_TIME else None for each in (cases, others))
    return Swept(left if any(left) else None, went, frozenset(subjects))


def _cut(transaction: Transaction, chain: tuple[str, str, str], rows: list[tuple[Any, ...]], bound: int) -> int:
    """Let go of the first records of a chain, and keep the end of them, with which the rest goes on."""
    _, number, hash, _ = rows[-1]
    transaction.run(statements.CUT_CHAIN, (*chain, number, bytes(hash)))
    inputs: dict[int, int] = {}
    for _, _, _, input in rows:
        inputs[input] = inputs.get(input, 0) + 1
    transaction.many(statements.COUNT_GONE, [(input, count) for input, count in inputs.items() if input])
    transaction.many(statements.KEEP_LEAF, [(no, leaf(no, bytes(hash))) for no, _, hash, _ in rows])
    transaction.many(statements.FORGET_RECORD, [(no,) for no, _, _, _ in rows])
    _forget_contacts(transaction, *chain[:2], bound)
    return len(rows)


def _forget_contacts(transaction: Transaction, key: str, subject: str, bound: int) -> None:
    """Let go of what was noted about a subject of which no record is left, nor any open case."""
    family = one_with(transaction, ((key, subject),))
    alive = any(transaction.rows(statements.FACTS_LIVE, (*each, *each)) for each in family)
    if not alive and not transaction.rows(statements.ANY_RECORD, (subject,)):
        transaction.run(statements.FORGET_CONTACTS, (subject, bound))


class _Logs:
    """Which logs were read to their ends: of others what is there is needed to go on."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._known = {0: True}

    def are_free(self, input: int) -> bool:
        """Whether records and letters of an input may go."""
        if input not in self._known:
            shares = self._transaction.rows(statements.SHARES_OF_INPUT, (input,))
            place = (input, own_share(shares[0][0])) if shares else None
            begun = place is not None and self._transaction.rows(statements.POSITION, place)
            self._known[input] = place is None or not begun or progress_of(self._transaction, *place).ended
        return self._known[input]

    def are_shared(self, input: int) -> bool:
        """Whether several workers read an input, whose letters are counted anew when it has grown."""
        return any(shares > 1 for (shares,) in self._transaction.rows(statements.SHARES_OF_INPUT, (input,)))

    def all_free(self, rows: list[tuple[Any, ...]]) -> bool:
        """Whether some records, of which the last column is the input, may go."""
        return bool(rows) and all(self.are_free(input) for input in {row[-1] for row in rows})


SWEEPS: Mapping[str, tuple[Callable[[Any, int, int, Transaction], Swept], Any]] = {
    "outbox": (_outbox, 0),
    "dead_letters": (_dead_letters, BEGINNING),
    "events": (_events, ("", "")),
    "records": (_records, (BEGINNING, BEGINNING)),
}
"""By what is kept: what lets go of some of it, and where that begins."""
