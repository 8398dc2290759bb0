"""A store in a PostgreSQL database, for as many processes and machines as there are.

A transaction locks the rows of the subjects that it loads; another one that wants them waits, and goes on at
once when the first ends or its process dies. A subject that is new is inserted, never overwritten, so of two
transactions that make the same one the second fails and is done again, as is one that would wait in a circle.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from carepolicy.store import faults, statements
from carepolicy.store.postgresquiet import at_rest, outlast
from carepolicy.store.postgrestables import lay_out
from carepolicy.store.postgresurl import parsed
from carepolicy.store.rows import CaseRow, Held, SubjectRow
from carepolicy.store.shared import SqlTransaction, is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from carepolicy.store.contract import Transaction
    from carepolicy.store.rows import Address, EventRow, RecordRow, RequestRow

Result = TypeVar("Result")
Connection = psycopg.Connection[tuple[Any, ...]]

ATTEMPTS = 12
"""How often a transaction that lost against another is done again."""

HORIZON = 60.0
"""A watcher sleeps no longer than these seconds, so that it is woken only for what falls due before."""

LOCKS = 0x43617265
"""The first number of the advisory locks that this program takes ("Care")."""

SHARDS = 64
"""Records are counted in so many rows, so that few connections count in the same one."""

FEW = 12
"""Up to so many rows are inserted one by one, more are copied."""

LOAD = """SELECT s.key, s.subject, s.due, s.merged_into, s.state FROM subjects s
    JOIN unnest(%s::text[], %s::text[]) AS wanted (key, subject) ON s.key = wanted.key AND s.subject = wanted.subject
    ORDER BY s.key, s.subject FOR UPDATE OF s"""
LOAD_CASES = f"""SELECT {", ".join("c." + each for each in statements.CASE_COLUMNS.split(", "))} FROM cases c
    JOIN unnest(%s::text[], %s::text[]) AS wanted (key, subject) ON c.key = wanted.key AND c.subject = wanted.subject"""
CLAIM = """WITH given AS (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) AS given (source, id, subject)),
    claimed AS (INSERT INTO events (source, id, subject) SELECT source, id, subject FROM given ORDER BY source, id
        ON CONFLICT DO NOTHING RETURNING source, id)
    SELECT source, id FROM given EXCEPT SELECT source, id FROM claimed"""


_numbers = count(1)
"""Names for cursors that are open side by side."""


@lru_cache(maxsize=512)
def _in_its_style(sql: str) -> str:
    """A statement with ``%s`` in place of each ``?``."""
    return sql.replace("%", "%%").replace("?", "%s")


class PostgresTransaction(SqlTransaction):
    """A transaction on the one connection of a store."""

    skip_locked = " FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: Connection, channel: str) -> None:
        self._connection = connection
        self._channel = channel
        self._known: set[tuple[str, ...]] = set()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question."""
        return self._connection.execute(_in_its_style(sql).encode(), values).fetchall()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The answer to a question, some rows at a time."""
        with self._connection.cursor(name=f"stream {next(_numbers)}") as cursor:
            cursor.itersize = 2_000
            cursor.execute(_in_its_style(sql).encode(), values)
            yield from cursor

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; how many rows it changed."""
        return self._connection.execute(_in_its_style(sql).encode(), values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of some rows."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_in_its_style(sql).encode(), rows)

    def load(self, addresses: Sequence[Address]) -> dict[Address, Held]:
        """What is kept about some addresses; their rows are locked, in an order that is the same for all."""
        wanted = [key for key, _ in addresses], [subject for _, subject in addresses]
        run = self._connection.execute
        found = {(row[0], row[1]): SubjectRow(*row) for row in run(LOAD, wanted)}
        cases: dict[Address, list[CaseRow]] = {}
        if found:
            for row in run(LOAD_CASES, wanted):
                cases.setdefault((row[0], row[1]), []).append(CaseRow(*row))
                self._known.add(row[:3])
        self._known.update(found)
        return {each: Held(found.get(each), tuple(cases.get(each, ()))) for each in addresses}

    def save(self, subjects: Sequence[SubjectRow], cases: Sequence[CaseRow], gone: Sequence[tuple[str, ...]]) -> None:
        """Keep subjects and open cases; what was not there is inserted, and must not have come to be there since."""
        known = self._known
        self._insert("subjects", statements.SUBJECT_COLUMNS, [row for row in subjects if row[:2] not in known])
        self._insert("cases", statements.CASE_COLUMNS, [row for row in cases if row[:3] not in known])
        self._update(statements.UPDATE_SUBJECT, [(*row[2:], *row[:2]) for row in subjects if row[:2] in known])
        self._update(statements.UPDATE_CASE, [(*row[3:], *row[:3]) for row in cases if row[:3] in known])
        self._update(statements.CLOSE_CASE, gone)
        known.update(row[:2] for row in subjects)
        known.update(row[:3] for row in cases)
        known.difference_update(gone)
        first = min((row.due for row in subjects if row.due is not None), default=None)
        if first is not None and first < (time.time() + HORIZON) * 1e6:
            self._connection.execute("SELECT pg_notify(%s, '')", (self._channel,))

    def _update(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if len(rows) == 1:
            self.run(sql, rows[0])
        elif rows:
            self.many(sql, rows)

    def _insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        if len(rows) <= FEW:
            self._update(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(rows[0]))})", rows)
            return
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def due(self, until: int, most: int) -> list[tuple[int, Address]]:
        """When a timer falls due, and where: without the subjects that another transaction is at work on."""
        found = self.rows(statements.DUE + self.skip_locked, (until, most))
        return [(due, (key, subject)) for due, key, subject in found]

    def claim(self, events: Sequence[EventRow]) -> set[tuple[str, str]]:
        """Note events as taken; those that were taken before."""
        given = [list(column) for column in zip(*events, strict=True)]
        return {(source, id) for source, id in self._connection.execute(CLAIM, given)}

    def append(self, records: Sequence[RecordRow], requests: Sequence[RequestRow]) -> None:
        """Add records, and what they ask for to the outbox."""
        columns = statements.PLAIN_RECORD_COLUMNS if is_plain(records) else statements.RECORD_COLUMNS
        self._insert("records", columns, records)
        shard = self._connection.info.backend_pid % SHARDS
        self.run(statements.TALLY, (shard, len(records)))
        self._insert("outbox", statements.REQUEST_COLUMNS, requests)

    def watched(self, watch: str, value: str) -> bytes | None:
        """What a watch has noted of a value, which nobody else may note then."""
        self._connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (f"{watch}\x1f{value}", LOCKS)
        )
        return super().watched(watch, value)


class PostgresStore:
    """A store in the database and schema that ``url`` names (``?schema=NAME``, by default carepolicy)."""

    def __init__(self, url: str) -> None:
        address, schema = parsed(url)
        self.url = url
        self._listens = False
        self._woken = False
        self._channel = f"{schema}_due"
        with self._told():
            self._connection: Connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
            try:
                self._connection.execute("SET synchronous_commit TO on")
                lay_out(self._connection, schema)
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction, committed at the end of the block, undone where it raises."""
        with self._told(), self._connection.transaction():
            yield PostgresTransaction(self._connection, self._channel)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the store."""
        with self._told(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresTransaction(self._connection, self._channel)

    @contextmanager
    def still(self) -> Iterator[Transaction]:
        """A transaction that sees a state in which nobody is at work who began before this was called. Others are kept
        from writing for as long as it takes to look; what they have then begun is waited for."""
        with self._told():
            outlast(self._connection)
            with self._connection.transaction():
                found = PostgresTransaction(self._connection, self._channel)
                with at_rest(*parsed(self.url)):
                    self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    found.versions()  # from now on it sees this state
                yield found

    def attempt(self, work: Callable[[Transaction], Result], undone: Callable[[], None]) -> Result:
        """Do ``work`` in a transaction, again where it lost against another."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.transaction() as transaction:
                    return work(transaction)
            except faults.Again:
                undone()
                if attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.005 * 2**attempt))
            except BaseException:
                undone()
                raise
        raise AssertionError("the last attempt returns or raises")

    def wait(self, seconds: float) -> bool:
        """Sleep that long, or until a timer was set that falls due soon."""
        with self._told():
            if not self._listens:
                self._connection.add_notify_handler(self._wake)
                self._connection.execute(f'LISTEN "{self._channel}"'.encode())
                self._listens = True
                return True  # what was set before this is not told of
            if not self._woken:
                for _ in self._connection.notifies(timeout=seconds, stop_after=1):
                    self._woken = True
        woken, self._woken = self._woken, False
        return woken

    def _wake(self, _: psycopg.Notify) -> None:
        self._woken = True

    def share_is_mine(self, input: int, share: int) -> bool:
        """Take a share of an input; the server takes it back at once when this connection ends, however it does."""
        with self._told():
            asked = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCKS, input * 1024 + share))
            return asked.fetchone() == (True,)

    def leave_share(self, input: int, share: int) -> None:
        """Let go of a share."""
        with self._told():
            self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCKS, input * 1024 + share))

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of PostgreSQL in our words."""
        try:
            yield
        except psycopg.Error as fault:
            raise _fault(fault) from fault


def _fault(fault: psycopg.Error) -> faults.StoreFault:
    errors = psycopg.errors
    said = " ".join(str(fault).split("\n")[0].split())
    if isinstance(fault, (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)):
        return faults.Again(f"the store is contended: {said}")
    if isinstance(fault, (errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
        return faults.ReadOnly(f"the store may only be read by this user: {said}")
    if isinstance(fault, (errors.DiskFull, errors.OutOfMemory)):
        return faults.Full(f"the database cannot grow: {said}; the last step was undone")
    if isinstance(fault, errors.LockNotAvailable):
        return faults.Busy(f"another process holds the store: {said}")
    if isinstance(fault, (psycopg.OperationalError, psycopg.InterfaceError)):
        return faults.Unreachable(f"the store cannot be reached: {said}")
    return faults.StoreFault(f"the database refused a statement: {said}")
