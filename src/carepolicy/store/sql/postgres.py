"""A store in a PostgreSQL database, for as many processes and machines as there are.

A transaction locks the rows of the subjects that it loads; another one that wants them waits, and goes on at once when
the first ends or its process dies. A new subject is inserted, never overwritten: where two transactions make the same
one, the second fails and is done again. So is one that would wait for another that waits for it.
"""

from __future__ import annotations

import logging
import random
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from itertools import compress, count
from operator import not_
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from msgspec.structs import astuple

from carepolicy.store import faults
from carepolicy.store.contract import AddressRows, CaseRow, SubjectRow, nothing_kept
from carepolicy.store.sql import migrations, statements
from carepolicy.store.sql.sums import EMPTY, MAC, NEVER
from carepolicy.store.sql.tables import CASES, EVENTS, SUBJECTS
from carepolicy.store.sql.transaction import Marks, SqlTransaction
from carepolicy.store.url import UNREADABLE, parsed, quoted, said_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from carepolicy.store.contract import Address, EventRow, RecordRow, RequestRow, Store, Transaction
    from carepolicy.store.sql.tables import Table

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]

HORIZON = 60.0
"""A watcher sleeps no longer than these seconds, so that it is woken only for what falls due before."""

LOCKS = 0x43617265
"""The first number of the advisory locks that this program takes ("Care")."""

SHARDS = 64
"""The sums stand in so many rows, each transaction takes one that is free."""

FREE_SUMS = "SELECT shard, body, mac FROM sums LIMIT 1 FOR UPDATE SKIP LOCKED"
ITS_SUMS = "SELECT shard, body, mac FROM sums WHERE shard = %s FOR UPDATE"
NUMBERS = "SELECT nextval(pg_get_serial_sequence(%s, 'no')) FROM generate_series(1, %s)"

FEW = 12
"""Up to so many rows are inserted one by one, more are copied."""

LOAD = """SELECT s.key, s.subject, s.due, s.merged_into, s.state FROM subjects s
    JOIN unnest(%s::text[], %s::text[]) AS wanted (key, subject) ON s.key = wanted.key AND s.subject = wanted.subject
    ORDER BY s.key, s.subject FOR UPDATE OF s"""
LOAD_CASES = f"""SELECT {", ".join("c." + each for each in statements.CASE_COLUMNS.split(", "))} FROM cases c
    JOIN unnest(%s::text[], %s::text[]) AS wanted (key, subject) ON c.key = wanted.key AND c.subject = wanted.subject"""
CLAIM = """WITH given AS (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[])
        AS given (source, id, subject, mac)),
    claimed AS (INSERT INTO events (source, id, subject, mac) SELECT source, id, subject, mac FROM given
        ORDER BY source, id ON CONFLICT DO NOTHING RETURNING source, id)
    SELECT source, id FROM given EXCEPT SELECT source, id FROM claimed"""

Result = TypeVar("Result")
SHARE = "hashtextextended(%s, %s)"

SHORT_PATIENCE = "3s"
"""So long a table is waited for that is to be written anew."""
LAID_OVER = b"""SELECT c.relname, 'the trigger', t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
    UNION ALL SELECT c.relname, 'the rule', r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace = current_schema()::regnamespace
    UNION ALL SELECT relname, 'a policy on rows', '' FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relrowsecurity"""

SIZE = """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind = 'r'"""

ATTEMPTS = 12
"""How often a transaction that lost against another is done again."""

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # what it warns of is raised as well

OLDEST_SERVER = 150_000
"""PostgreSQL 15."""

PATIENCE = 30.0
"""Seconds to wait for what others have begun."""

STANDSTILL = "3s"
"""For so long at most others may not write."""

AT_WORK = """SELECT virtualtransaction FROM pg_locks
    WHERE relation = 'policy_versions'::regclass AND pid <> pg_backend_pid()"""
"""Transactions that have looked which set is installed: all that take events or fire timers."""


_numbers = count(1)
"""Names for cursors that are open side by side."""


@lru_cache(maxsize=512)
def in_its_style(sql: str) -> str:
    """A statement with ``%s`` in place of each ``?``."""
    return sql.replace("%", "%%").replace("?", "%s")


class PostgresTransaction(SqlTransaction):
    """A transaction on the one connection of a store."""

    shared = " FOR SHARE"
    skip_locked = " FOR UPDATE SKIP LOCKED"
    locked = " FOR UPDATE"
    overriding = " OVERRIDING SYSTEM VALUE"
    shards = SHARDS

    def __init__(self, connection: Connection, marks: Marks, channel: str, pipe: ExitStack | None = None) -> None:
        super().__init__(marks)
        self._connection = connection
        self._channel = channel
        self._pipe = pipe or ExitStack()
        self._own_sums: Cursor | None = None

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The answer to a question, some rows at a time."""
        self._pipe.close()
        with self._connection.cursor(name=f"stream {next(_numbers)}") as cursor:
            cursor.itersize = 2_000
            cursor.execute(in_its_style(sql).encode(), values)
            yield from cursor

    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(in_its_style(sql).encode(), values).fetchall()

    def _do(self, sql: str, values: Sequence[Any] = ()) -> int:
        cursor = self._connection.execute(in_its_style(sql).encode(), values)
        self._pipe.close()  # the answer is there then
        return cursor.rowcount

    def _send(self, sql: str, values: Sequence[Any]) -> None:
        """Carry out a statement whose answer is not asked for, and need not be there yet."""
        self._connection.execute(in_its_style(sql).encode(), values)

    def _do_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if len(rows) == 1:
            self._send(sql, rows[0])
        elif rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(in_its_style(sql).encode(), rows)

    def _numbers(self, table: str, count: int) -> Iterable[int]:
        numbers = self._connection.execute(NUMBERS, (table, count))
        self._reserve_sums()  # in the same round trip
        return [number for (number,) in numbers]

    def _reserve_sums(self) -> None:
        if self._own_sums is None:
            self._own_sums = self._connection.execute(FREE_SUMS)

    def _sums(self) -> tuple[int, str, bytes]:
        self._reserve_sums()
        assert self._own_sums is not None
        found = self._own_sums.fetchone()
        if found is None:  # all are others'
            shard = self._connection.info.backend_pid % SHARDS
            found = self._connection.execute(ITS_SUMS, (shard,)).fetchone() or (shard, EMPTY, NEVER)
        return found[0], found[1], found[2]

    def keep_others_out(self) -> None:
        """Wait for those who are writing subjects and cases, and let nobody else begin: all of them lock subjects."""
        self._send("LOCK TABLE subjects IN EXCLUSIVE MODE", ())

    def load(self, addresses: Sequence[Address]) -> dict[Address, AddressRows]:
        """What is kept about some addresses; their rows are locked, in an order that is the same for all."""
        wanted = [key for key, _ in addresses], [subject for _, subject in addresses]
        subjects = self._connection.execute(LOAD, wanted)
        open_now = self._connection.execute(LOAD_CASES, wanted)
        found = {(row[0], row[1]): SubjectRow(*row) for row in subjects}
        cases: dict[Address, list[CaseRow]] = {}
        for row in open_now:
            cases.setdefault((row[0], row[1]), []).append(CaseRow(*row))
        held = {each: AddressRows(found.get(each), tuple(cases.get(each, ()))) for each in addresses}
        self._note_all(held)
        return held

    def save(self, subjects: Sequence[SubjectRow], cases: Sequence[CaseRow], gone: Sequence[tuple[str, ...]]) -> None:
        """Keep subjects and open cases; what was not there is inserted, and must not have come to be there since."""
        self._put(SUBJECTS, subjects, statements.UPDATE_SUBJECT)
        self._put(CASES, cases, statements.UPDATE_CASE)
        self._gone(CASES, gone)
        self._do_many(statements.CLOSE_CASE, gone)
        first = min((row.due for row in subjects if row.due is not None), default=None)
        if first is not None and first < (time.time() + HORIZON) * 1e6:
            self._connection.execute("SELECT pg_notify(%s, '')", (self._channel,))

    def _put(self, table: Table, rows: Sequence[tuple[Any, ...]], update: str) -> None:
        width = len(table.key)
        new = [not self._before(table, row[:width]) for row in rows]
        marked = self._marked(table, rows)
        self._copy(table.name, f"{table.listed}, mac", list(compress(marked, new)))
        old = compress(marked, map(not_, new))
        self._do_many(update, [(*row[width:], *row[:width]) for row in old])

    def _copy(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        """Put in rows that are new."""
        if not rows:
            return
        if len(rows) <= FEW:
            values = ", ".join("?" * len(rows[0]))
            self._do_many(f"INSERT INTO {table} ({columns}){self.overriding} VALUES ({values})", rows)
            return
        self._pipe.close()  # nothing can be copied through a pipeline
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
        made = self.macs.digests(EVENTS, [(*each, None) for each in events])  # seen by no tick yet
        digests = {each[:2]: digest for each, digest in zip(events, made, strict=True)}
        given = [list(column) for column in zip(*events, strict=True)]
        taken = set(self._connection.execute(CLAIM, (*given, [each[:MAC] for each in digests.values()])))
        self._add("events", [digest for name, digest in digests.items() if name not in taken])
        return taken

    def append(self, records: Sequence[RecordRow], requests: Sequence[RequestRow]) -> None:
        """Add records, and what they ask for to the outbox."""
        self._copy("records", statements.RECORD_COLUMNS, self._marked_records(records))
        if requests:
            self.many(statements.REQUEST, list(map(astuple, requests)))

    def lock(self, name: str) -> None:
        """Let nobody else have this name until this transaction ends."""
        self._connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (f"{self._channel}\x1f{name}", LOCKS)
        )


class PostgresStore:
    """A store in the database and schema that ``url`` names (``?schema=NAME``, by default carepolicy), on a connection
    of its own, or on one that is another's to close."""

    many_writers = True

    def __init__(self, url: str, connection: Connection | None = None) -> None:
        address, schema = parsed(url)
        try:
            psycopg.conninfo.conninfo_to_dict(address)
        except psycopg.ProgrammingError:  # which repeats what it cannot read
            raise faults.NoStoreUrl(UNREADABLE) from None
        self.url = url
        self.beside: list[Store] = []
        self._listens = False
        self._has_shares = False
        self._channel = f"{schema}_due"
        self._marks = Marks()
        try:
            self._connection: Connection = connection or psycopg.connect(address, autocommit=True, connect_timeout=10)
            try:
                self._connection.execute("SET synchronous_commit TO on")
                lay_out(self._connection, schema, self._mark_all)
            except BaseException:
                self._connection.close()
                raise
        except psycopg.Error as fault:
            raise _fault(fault, said_by(fault, url)) from fault

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction, committed at the end of the block, undone where it raises."""
        with self._told(), self._knowing(), self._connection.transaction():
            transaction = PostgresTransaction(self._connection, self._marks, self._channel)
            yield transaction
            transaction.finish()

    @contextmanager
    def _knowing(self) -> Iterator[None]:
        """Digests of rows are known for as long as these are a transaction's own."""
        self._marks.forget_rows()
        try:
            yield
        except BaseException:
            self._marks.forget()
            raise

    @contextmanager
    def _piped(self) -> Iterator[Transaction]:
        """A transaction that sends one statement behind the other, and the commit behind the last of them; it waits for
        the server only where it needs an answer."""
        connection = self._connection
        with self._told(), self._knowing():
            try:
                with ExitStack() as pipe:
                    if psycopg.Pipeline.is_supported():
                        pipe.enter_context(connection.pipeline())
                    connection.execute("BEGIN")
                    transaction = PostgresTransaction(connection, self._marks, self._channel, pipe)
                    yield transaction
                    transaction.finish()
                    connection.execute("COMMIT")
            except BaseException:
                if not connection.closed:
                    connection.rollback()
                raise

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the store."""
        with self._told(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresTransaction(self._connection, Marks(), self._channel)

    def inspection(self) -> AbstractContextManager[Transaction]:
        """The same: a database holds nothing that its tables cannot hold."""
        return self.reading()

    def damages(self) -> list[tuple[str, str]]:
        """Triggers, rules and policies on rows that somebody has put on the tables: they change what is written or
        read."""
        with self._told():
            return [(table, f"{kind} {name} lies over it") for table, kind, name in self._connection.execute(LAID_OVER)]

    @contextmanager
    def still(self) -> Iterator[Transaction]:
        """A transaction that sees a state in which nobody is at work who began before this was called. Others are kept
        from writing for as long as it takes to look; what they have then begun is waited for."""
        with self._told():
            outlast(self._connection)
            with self._connection.transaction():
                found = PostgresTransaction(self._connection, Marks(), self._channel)
                with at_rest(*parsed(self.url)):
                    self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    found.next_due()  # from now on it sees this state
                yield found

    def attempt(
        self, work: Callable[[Transaction], Result], undone: Callable[[], None] = nothing_kept, who: object = None
    ) -> Result:
        """Do ``work`` in a transaction, again where it lost against another."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._piped() as transaction:
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

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question, as the transaction that is under way sees it, or else by itself."""
        with self._told():
            return self._connection.execute(in_its_style(sql).encode(), values).fetchall()

    def scrub(self) -> str | None:
        """Write the table of data keys anew, without those that were thrown away. What is left elsewhere (in the log
        of the server, in tables until they are vacuumed) cannot be opened without them."""
        where = "SELECT pg_relation_filenode('datakeys')"
        run = self._connection.execute
        with self._told():
            before = run(where).fetchone()
            run(f"SET lock_timeout = '{SHORT_PATIENCE}'".encode())
            try:
                run("VACUUM (FULL) datakeys")
            except psycopg.Error:
                pass  # it is told below
            finally:
                run("RESET lock_timeout")
            if run(where).fetchone() != before:
                return None
        return "what was erased may still be in the table datakeys until it is vacuumed (VACUUM FULL)"

    def wait(self, seconds: float) -> bool:
        """Sleep that long, or until a timer was set that falls due soon."""
        with self._told():
            if not self._listens:
                self._connection.execute(f'LISTEN "{self._channel}"'.encode())
                self._listens = True
                return True  # what was set before this is not told of
            # What came while something else was asked is told of first.
            return len(list(self._connection.notifies(timeout=seconds, stop_after=1))) > 0

    def _mark_all(self) -> None:
        transaction = PostgresTransaction(self._connection, self._marks, self._channel)
        transaction.mark_all()
        transaction.finish()

    def share_is_mine(self, input: int, share: int) -> bool:
        """Take a share of an input; the server takes it back at once when this connection ends, however it does."""
        with self._told():
            asked = self._connection.execute(f"SELECT pg_try_advisory_lock({SHARE})", self._share(input, share))
            mine = asked.fetchone() == (True,)
        self._has_shares |= mine
        return mine

    def leave_share(self, input: int, share: int) -> None:
        """Let go of a share."""
        with self._told():
            self._connection.execute(f"SELECT pg_advisory_unlock({SHARE})", self._share(input, share))

    def _share(self, input: int, share: int) -> tuple[str, int]:
        """The name of a share among those of all stores in the database."""
        return f"{self._channel}\x1fshare {input} {share}", LOCKS

    def copy_to(self, path: str) -> None:
        """Copy the rows of all tables, as they are at one instant."""
        from carepolicy.store.sql.sqlite import copy_rows

        with self.reading() as transaction:
            copy_rows(transaction, path)

    def size(self) -> int:
        """The bytes of all tables and indexes."""
        with self._told():
            found = self._connection.execute(SIZE).fetchone()
        return 0 if found is None else int(found[0])

    def rest(self) -> None:
        """Nothing: the server keeps no file for one store."""

    def close(self) -> None:
        """Let go of the connection."""
        while self.beside:
            self.beside.pop().close()
        if self._has_shares:  # the server hears of the end of a connection a little after it
            with suppress(psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of PostgreSQL in our words."""
        try:
            yield
        except psycopg.Error as fault:
            said = said_by(fault, self.url)
            if self._connection.closed:
                raise faults.Unreachable(
                    f"the connection to the store was lost: {said}; what was under way is kept whole or not at all"
                ) from fault
            raise _fault(fault, said) from fault


def _fault(fault: psycopg.Error, said: str) -> faults.StoreFault:
    """What is wrong; ``said`` is what the database says of it."""
    errors = psycopg.errors
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


def lay_out(connection: Connection, name: str, mark_all: Callable[[], None]) -> None:
    """Bring the schema ``name`` to the tables of today, in one transaction; ``mark_all`` gives the rows of an earlier
    version their macs. Raises a ``StoreFault``."""
    if connection.info.server_version < OLDEST_SERVER:
        raise faults.NotAStore(f"PostgreSQL 15 or later is needed; this is {connection.info.server_version // 10_000}")
    connection.execute(f"SET search_path TO {quoted(name)}".encode())
    if _version(connection) == migrations.NEWEST:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (migrations.APPLICATION,))
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}".encode())
        version = _version(connection)
        migrations.demand_known(version, "the store")
        if version == 0:
            _demand_empty(connection, name)
            connection.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
            connection.execute("INSERT INTO schema_version VALUES (0)")
        for step in range(version, migrations.NEWEST):
            for statement in migrations.statements(step, migrations.POSTGRES):
                connection.execute(statement.encode())
        if 0 < version < migrations.NEWEST:
            mark_all()
        connection.execute("UPDATE schema_version SET version = %s", (migrations.NEWEST,))


def drop(address: str, name: str) -> None:
    """Remove the schema ``name`` with all that is in it."""
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            connection.execute("SET client_min_messages TO warning")
            connection.execute(f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE".encode())
    except psycopg.Error as fault:
        raise faults.StoreFault(f"the schema {name} cannot be removed: {said_by(fault, address)}") from fault


def _version(connection: Connection) -> int:
    if connection.execute("SELECT to_regclass('schema_version')").fetchone() == (None,):
        return 0
    found = connection.execute("SELECT version FROM schema_version").fetchone()
    return 0 if found is None else int(found[0])


def _demand_empty(connection: Connection, name: str) -> None:
    found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", (name,)).fetchone()
    if found != (0,):
        raise faults.NotAStore(f'the schema "{name}" holds other tables; name another with ?schema=NAME')


def outlast(connection: Connection) -> None:
    """Wait until every transaction that is at work now has ended. Raises ``Busy`` where one goes on for too long."""
    end = time.monotonic() + PATIENCE
    others = set(connection.execute(AT_WORK).fetchall())
    while others:
        if time.monotonic() > end:
            raise faults.Busy("another process has been at work in one transaction for too long; try again later")
        time.sleep(0.02)
        others &= set(connection.execute(AT_WORK).fetchall())


@contextmanager
def at_rest(address: str, schema: str) -> Iterator[None]:
    """Keep others from writing within the block; those that have begun to are waited for, up to ``STANDSTILL``."""
    with psycopg.connect(address, connect_timeout=10) as connection:
        connection.execute(f"SET LOCAL lock_timeout = '{STANDSTILL}'".encode())
        connection.execute(f"LOCK TABLE {quoted(schema)}.records IN SHARE MODE".encode())
        yield
