"""A store in a PostgreSQL database, for as many processes and machines as there are.

A transaction locks the rows of the subjects that it loads; another one that wants them waits, and goes on at
once when the first ends or its process dies. A subject that is new is inserted, never overwritten, so of two
transactions that make the same one the second fails and is done again, as is one that would wait in a circle.
"""

from __future__ import annotations

import logging
import random
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from carepolicy.store import faults
from carepolicy.store.contract import nothing_kept
from carepolicy.store.postgresquiet import at_rest, outlast
from carepolicy.store.postgrestables import lay_out
from carepolicy.store.postgrestransaction import LOCKS, Connection, PostgresTransaction, in_its_style
from carepolicy.store.postgresurl import UNREADABLE, parsed, said_by
from carepolicy.store.summed import Marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from carepolicy.store.contract import Store, Transaction

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


class PostgresStore:
    """A store in the database and schema that ``url`` names (``?schema=NAME``, by default carepolicy)."""

    def __init__(self, url: str) -> None:
        address, schema = parsed(url)
        try:
            psycopg.conninfo.conninfo_to_dict(address)
        except psycopg.ProgrammingError:  # which repeats what it cannot read
            raise faults.NoStoreUrl(UNREADABLE) from None
        self.url = url
        self.beside: list[Store] = []
        self._listens = False
        self._channel = f"{schema}_due"
        self._marks = Marks()
        with self._told():
            self._connection: Connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
            try:
                self._connection.execute("SET synchronous_commit TO on")
                lay_out(self._connection, schema, self._mark_all)
            except BaseException:
                self._connection.close()
                raise

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
        """A transaction that waits for an answer of the server only where it needs it, and else sends one statement
        behind the other, the commit behind the last of them."""
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
        """What somebody has laid over the tables that changes what is written or read."""
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
                    found.versions()  # from now on it sees this state
                yield found

    def attempt(self, work: Callable[[Transaction], Result], undone: Callable[[], None] = nothing_kept) -> Result:
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
            return asked.fetchone() == (True,)

    def leave_share(self, input: int, share: int) -> None:
        """Let go of a share."""
        with self._told():
            self._connection.execute(f"SELECT pg_advisory_unlock({SHARE})", self._share(input, share))

    def _share(self, input: int, share: int) -> tuple[str, int]:
        """The name of a share among those of all stores in the database."""
        return f"{self._channel}\x1fshare {input} {share}", LOCKS

    def copy_to(self, path: str) -> None:
        """Copy the rows of all tables, as they are at one instant."""
        from carepolicy.store.backup import copy_rows

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
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of PostgreSQL in our words."""
        try:
            yield
        except psycopg.Error as fault:
            raise _fault(fault, said_by(fault, self.url)) from fault


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
