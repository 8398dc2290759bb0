"""``keep:`` of events, outbox, records and dead letters: what is kept no longer goes at a tick, some at a time.

What goes is forgotten for good, and noted only where something else would be missed: of a chain of records the end of
what went is kept (``cuts``), from which on the rest is proven, of the records of a log how many went (``gone``), and of
each record a hash, so that checkpoints of before still hold (``leaves``).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from carepolicy.engine.instants import DAY, NEVER
from carepolicy.engine.rounds import EARLIEST
from carepolicy.store.keeping import ALIVE
from carepolicy.store.live.ids import FORGET
from carepolicy.store.live.inputs import own_share, progress_of
from carepolicy.store.noting import one_with
from carepolicy.store.records.chain import LOOSE
from carepolicy.store.records.checkpoint import LEAVE, leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.limit import Limit
    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.datakeys import DataKeys

AT_A_TIME = 200
IDS_AT_A_TIME = 2_000

SWEPT = "SELECT time FROM sweeps WHERE what = ?"
NOTE_SWEEP = """INSERT INTO sweeps (what, time) VALUES (?, ?)
    ON CONFLICT (what) DO UPDATE SET time = excluded.time"""

DONE = "SELECT id FROM outbox WHERE state = 'done' AND time <= ? AND ready <= ? ORDER BY time LIMIT ?"
FORGET_REQUEST = "DELETE FROM outbox WHERE id = ?"

NEW_LETTERS = "SELECT no FROM dead_letters WHERE since IS NULL ORDER BY no LIMIT ?"
FIND_LETTER = "UPDATE dead_letters SET since = ? WHERE no = ?"
LETTERS = """SELECT since, no, input, subject FROM dead_letters
    WHERE (since, no) > (?, ?) AND since <= ? ORDER BY since, no LIMIT ?"""
FORGET_LETTER = "DELETE FROM dead_letters WHERE no = ?"

IDS = "SELECT source, id, seen FROM events WHERE (source, id) > (?, ?) ORDER BY source, id LIMIT ?"
FIND_ID = "UPDATE events SET seen = ? WHERE source = ? AND id = ?"
FORGET_ID = "DELETE FROM events WHERE source = ? AND id = ?"

CLOSED = """SELECT time, no, key, subject, flow, sequence FROM records
    WHERE type = 'carepolicy.case.closed' AND (time, no) > (?, ?) AND time <= ? ORDER BY time, no LIMIT ?"""
LOOSE_ONES = """SELECT time, no, key, subject, loose FROM records
    WHERE sequence = 0 AND (time, no) > (?, ?) AND time <= ? ORDER BY time, no LIMIT ?"""
OF_CASE = """SELECT no, sequence, hash, input FROM records
    WHERE key = ? AND subject = ? AND flow = ? AND sequence > 0 AND sequence <= ? ORDER BY sequence"""
OF_NO_CASE = """SELECT no, loose, hash, input FROM records
    WHERE key = ? AND subject = ? AND sequence = 0 AND loose <= ? ORDER BY loose"""
TO_DO = "SELECT 1 FROM outbox WHERE subject = ? AND flow = ? AND sequence <= ? AND state <> 'done' LIMIT 1"
FORGET_REQUESTS = "DELETE FROM outbox WHERE subject = ? AND flow = ? AND sequence <= ?"
FORGET_RECORD = "DELETE FROM records WHERE no = ?"
FORGET_CLOSINGS = "DELETE FROM closings WHERE key = ? AND subject = ? AND flow = ? AND sequence <= ?"
CUT = """INSERT INTO cuts (key, subject, flow, number, hash) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key, subject, flow) DO UPDATE SET number = excluded.number, hash = excluded.hash"""
GONE = """INSERT INTO gone (input, records) VALUES (?, ?)
    ON CONFLICT (input) DO UPDATE SET records = gone.records + excluded.records"""
LEFT = "SELECT 1 FROM records WHERE subject = ? LIMIT 1"
FORGET_CONTACTS = "DELETE FROM contacts WHERE subject = ? AND time <= ?"
SHADOW = "SELECT 1 FROM shadow LIMIT 1"
SHARES = "SELECT shares FROM inputs WHERE no = ?"


BEGINNING = (-NEVER, 0)
"""Before the (time, number) of every row."""


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
            store.attempt(lambda transaction: transaction.run(NOTE_SWEEP, ("events", now)))
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
        found = transaction.rows(SWEPT, (what,))
    return not found or found[0][0] + DAY <= now


def _outbox(_: Any, bound: int, now: int, transaction: Transaction) -> Swept:
    """Requests that were carried out: asked for, and leased for the last time, so long ago."""
    found = transaction.rows(DONE, (bound, bound, AT_A_TIME))
    transaction.many(FORGET_REQUEST, found)
    return Swept(0 if len(found) == AT_A_TIME else None, len(found))


def _dead_letters(at: tuple[int, int], bound: int, now: int, transaction: Transaction) -> Swept:
    """Dead letters that a tick has found so long ago; those that it finds now are noted first."""
    new = transaction.rows(NEW_LETTERS, (AT_A_TIME,))
    if new:
        transaction.many(FIND_LETTER, [(now, no) for (no,) in new])
        return Swept(at, 0)
    found = transaction.rows(LETTERS, (*at, bound, AT_A_TIME))
    logs = _Logs(transaction)
    free = [(no, subject) for _, no, input, subject in found if logs.are_free(input) and not logs.are_shared(input)]
    transaction.many(FORGET_LETTER, [(no,) for no, _ in free])
    subjects = frozenset(subject for _, subject in free if subject is not None)
    return Swept(found[-1][:2] if len(found) == AT_A_TIME else None, len(free), subjects)


def _events(at: tuple[str, str], bound: int, now: int, transaction: Transaction) -> Swept:
    """Ids of events that a tick has found so long ago; those that it finds now are noted."""
    found = transaction.rows(IDS, (*at, IDS_AT_A_TIME))
    transaction.many(FIND_ID, [(now, source, id) for source, id, seen in found if seen is None])
    old = [(source, id) for source, id, seen in found if seen is not None and seen <= bound]
    transaction.many(FORGET_ID, old)
    transaction.many(FORGET, old)
    return Swept(found[-1][:2] if len(found) == IDS_AT_A_TIME else None, len(old))


def _records(at: tuple[Any, Any], bound: int, now: int, transaction: Transaction) -> Swept:
    """Records of cases that were closed, and of events that came to no case, so long ago."""
    if transaction.rows(SHADOW):
        return Swept(None, 0)  # it is compared with all that happened since it began
    closed, loose = at
    logs, went = _Logs(transaction), 0
    subjects: set[str] = set()
    cases = transaction.rows(CLOSED, (*closed, bound, AT_A_TIME)) if closed else []
    for _, _, key, subject, flow, sequence in cases:
        rows = transaction.rows(OF_CASE, (key, subject, flow, sequence))
        if logs.all_free(rows) and not transaction.rows(TO_DO, (subject, flow, sequence)):
            transaction.run(FORGET_REQUESTS, (subject, flow, sequence))
            transaction.run(FORGET_CLOSINGS, (key, subject, flow, sequence))
            went += _cut(transaction, (key, subject, flow), rows, bound)
            subjects.add(subject)
    others = transaction.rows(LOOSE_ONES, (*loose, bound, AT_A_TIME)) if loose else []
    for _, _, key, subject, number in others:
        rows = transaction.rows(OF_NO_CASE, (key, subject, number))
        if logs.all_free(rows):
            went += _cut(transaction, (key, subject, LOOSE), rows, bound)
            subjects.add(subject)
    left = tuple(each[-1][:2] if len(each) == AT_A_TIME else None for each in (cases, others))
    return Swept(left if any(left) else None, went, frozenset(subjects))


def _cut(transaction: Transaction, chain: tuple[str, str, str], rows: list[tuple[Any, ...]], bound: int) -> int:
    """Let go of the first records of a chain, and keep the end of them, with which the rest goes on."""
    _, number, hash, _ = rows[-1]
    transaction.run(CUT, (*chain, number, bytes(hash)))
    inputs: dict[int, int] = {}
    for _, _, _, input in rows:
        inputs[input] = inputs.get(input, 0) + 1
    transaction.many(GONE, [(input, count) for input, count in inputs.items() if input])
    transaction.many(LEAVE, [(no, leaf(no, bytes(hash))) for no, _, hash, _ in rows])
    transaction.many(FORGET_RECORD, [(no,) for no, _, _, _ in rows])
    _forget_contacts(transaction, *chain[:2], bound)
    return len(rows)


def _forget_contacts(transaction: Transaction, key: str, subject: str, bound: int) -> None:
    """Let go of what was noted about a subject of which no record is left, nor any open case."""
    family = one_with(transaction, ((key, subject),))
    if not transaction.rows(LEFT, (subject,)) and not any(transaction.rows(ALIVE, (*each, *each)) for each in family):
        transaction.run(FORGET_CONTACTS, (subject, bound))


class _Logs:
    """Which logs were read to their ends: of others what is there is needed to go on."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._known = {0: True}

    def are_free(self, input: int) -> bool:
        """Whether records and letters of an input may go."""
        if input not in self._known:
            shares = self._transaction.rows(SHARES, (input,))
            row = self._transaction.position(input, own_share(shares[0][0])) if shares else None
            self._known[input] = row is None or progress_of(row).ended
        return self._known[input]

    def are_shared(self, input: int) -> bool:
        """Whether several workers read an input, whose letters are counted anew when it has grown."""
        return any(shares > 1 for (shares,) in self._transaction.rows(SHARES, (input,)))

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
