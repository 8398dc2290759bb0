"""A store in one SQLite file: a write-ahead log, and every commit on the disk before it is told.

``synchronous=FULL`` costs one fsync a commit. NORMAL would be quicker and survives a killed process, but
the last commits before a power cut would be gone although they were acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing, contextmanager, suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from carepolicy.store import faults
from carepolicy.store.contract import nothing_kept
from carepolicy.store.sql import migrations, statements, sums
from carepolicy.store.sql.tables import EVENTS
from carepolicy.store.sql.transaction import Marks, SqlTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from tempfile import TemporaryDirectory

    from carepolicy.store.contract import EventRow, Store, Transaction

Result = TypeVar("Result")

REMEMBERED = 200_000
"""Rows of which it is known how they stand, at most."""

PATIENCE = 30.0
"""Seconds to wait for another process that writes."""

SHORT_PATIENCE = 2.0
"""Seconds to wait for one that reads, before what was erased is left in the log."""

WAYS = (b"\1\1", b"\2\2")
"""In the header of a file: how it is written and read, with a rollback journal or a write-ahead log."""

NO_TEXT = "a text in it is none"

MEMORY = ":memory:"
"""The path of a store that nobody else sees."""

FOR_WRITING = ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "secure_delete=ON")
FOR_READING = ("cache_size=-65536", "query_only=ON")
"""How a store is opened that may be written to, and one that may only be read."""

LAID_OUT = "SELECT tbl_name, type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"

GLANCE = 1.0
"""Seconds between two looks at whether somebody else has written, while a watcher sleeps."""


TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


class SqliteTransaction(SqlTransaction):
    """A transaction on the one connection of a store."""

    def __init__(self, connection: sqlite3.Connection, marks: Marks, unchanged: bool) -> None:
        super().__init__(marks)
        self._connection = connection
        self.unchanged = unchanged

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The answer to a question, a row at a time."""
        return iter(self._connection.execute(sql, values))

    def lock(self, name: str) -> None:
        """Nobody else writes as long as this transaction does."""

    def keep_others_out(self) -> None:
        """Let nobody else write: of SQLite's transactions only one writes at a time anyway."""

    def claim(self, events: Sequence[EventRow]) -> set[tuple[str, str]]:
        """Note events as taken; those that were taken before. Mostly that is none of them, which is tried first."""
        if len(events) > 1:
            self._do("SAVEPOINT claim")
            digests = self.macs.digests(EVENTS, [(*each, None) for each in events])  # seen by no tick yet
            marked = [(*each, mac) for each, mac in zip(events, sums.macs_of(digests), strict=True)]
            if self._connection.executemany(statements.CLAIM_ALL, marked).rowcount == len(events):
                self._do("RELEASE claim")
                self._add("events", digests)
                return set()
            self._do("ROLLBACK TO claim")
            self._do("RELEASE claim")
        return super().claim(events)

    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def _do(self, sql: str, values: Sequence[Any] = ()) -> int:
        return self._connection.execute(sql, values).rowcount

    def _do_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)

    def _numbers(self, table: str, count: int) -> Iterable[int]:
        last = statements.LAST_RECORD if table == "records" else f"SELECT coalesce(max(no), 0) FROM {table}"
        before: int = self._ask(last)[0][0]
        return range(before + 1, before + 1 + count)

    def _sums(self) -> tuple[int, str, bytes]:
        found = self._ask(statements.SUMS, (0,))
        return (0, *found[0]) if found else (0, sums.EMPTY, sums.NEVER)


class SqliteStore:
    """A store in the file ``path``, which is made where it is not there (unless ``create`` is False)."""

    many_writers = False

    def __init__(self, path: str, create: bool = True) -> None:
        self.url = f"sqlite:///{path}"
        self.beside: list[Store] = []
        self._path = path
        self._seen = self._changes = self._looked = -1
        self._last: object = None
        self._shares: dict[tuple[int, int], sqlite3.Connection] = {}
        self._marks = Marks()
        self._copy: TemporaryDirectory[str] | None = None
        self._is_open = False
        self._is_cramped = False
        """Whether the disk has no room for what SQLite keeps beside the file, so that it can only be read."""
        with self._told():
            self._connection = self._opened(create)
            self._is_open = True
            try:
                self._migrate()
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction that others wait for; committed at the end of the block, undone where it raises."""
        self._last = None
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                unchanged = self._is_unchanged()
                if not unchanged or len(self._marks.standing) > REMEMBERED:
                    self._marks.forget_rows()
                transaction = SqliteTransaction(self._connection, self._marks, unchanged)
                yield transaction
                transaction.finish()
                self._connection.execute("COMMIT")
            except BaseException:
                self._marks.forget()
                self._undo()
                raise

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the store."""
        with self._told():
            self._looked = self._data_version()  # before the look itself, so that nothing is written in between
            self._connection.execute("BEGIN")
            try:
                yield SqliteTransaction(self._connection, Marks(), False)
            finally:
                self._undo()

    @contextmanager
    def inspection(self) -> Iterator[Transaction]:
        """The same, in which whatever stands in the store can be read."""
        self._connection.text_factory = _any_text
        try:
            with self.reading() as transaction:
                yield transaction
        finally:
            self._connection.text_factory = str

    def damages(self) -> list[tuple[str, str]]:
        """What is wrong with the pages of the file, and with the tables laid out in them."""
        try:
            found = [words for (words,) in self._connection.execute("PRAGMA integrity_check(20)") if words != "ok"]
            laid_out = set(self._connection.execute(LAID_OUT))
            found += self._of_header()
        except sqlite3.DatabaseError as fault:
            return [("", f"{self._path} is damaged ({fault})")]
        except UnicodeDecodeError:
            return [("", f"{self._path} is damaged ({NO_TEXT})")]
        others = laid_out ^ _new_tables()
        names = sorted({str(table) for table, *_ in others})  # in a damaged file it may be anything
        return [*(("", each) for each in found), *((each, "is not laid out as it was") for each in names)]

    def _of_header(self) -> list[str]:
        """What is wrong with the bytes that say how the file may be read and written, of which SQLite says nothing."""
        if self._path == MEMORY:
            return []
        with open(self._path, "rb") as file:
            ways = file.read(20)[18:]
        return [] if ways in WAYS else [f"{self._path}: its header says that it is of an SQLite to come"]

    def still(self) -> AbstractContextManager[Transaction]:
        """The same: there is one writer at a time, and what it has not committed is not seen."""
        return self.reading()

    def attempt(
        self, work: Callable[[Transaction], Result], undone: Callable[[], None] = nothing_kept, who: object = None
    ) -> Result:
        """Do ``work`` in a transaction. One writer at a time: no transaction loses against another."""
        last = self._last
        try:
            with self.transaction() as transaction:
                transaction.unchanged = transaction.unchanged and last is who
                result = work(transaction)
            self._changes, self._last = self._connection.total_changes, who
            return result
        except BaseException:
            undone()
            raise

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question, as the transaction that is under way sees it, or else by itself."""
        with self._told():
            return self._connection.execute(sql, values).fetchall()

    def scrub(self) -> str | None:
        """Write the log into the file, where what was erased is overwritten, and empty the log. Another process that
        reads holds that up: it is waited for a little."""
        with self._told():
            self._connection.execute(f"PRAGMA busy_timeout={SHORT_PATIENCE * 1000:.0f}")
            try:
                held_up = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                self._connection.execute(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}")
        if not held_up:
            return None
        return f"{self._path}-wal may still hold what was erased, since another process is reading the store"

    def wait(self, seconds: float) -> bool:
        """Sleep that long, or until another process has written since the last ``reading``."""
        end = time.monotonic() + seconds
        with self._told():
            while (written := self._data_version()) == self._looked:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                time.sleep(min(left, GLANCE))
        self._looked = written
        return True

    def share_is_mine(self, input: int, share: int) -> bool:
        """Take a share of an input: by a lock of SQLite on an empty file beside the store's, which the system takes
        back when this process ends, however it does."""
        if (input, share) in self._shares or self._path == MEMORY:
            return True
        with self._told():
            lock = sqlite3.connect(self._lock_of(input, share), timeout=0, isolation_level=None)
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as fault:
                lock.close()
                if not fault.sqlite_errorname.startswith("SQLITE_BUSY"):
                    raise
                return False
        self._shares[input, share] = lock
        return True

    def leave_share(self, input: int, share: int) -> None:
        """Let go of a share."""
        lock = self._shares.pop((input, share), None)
        if lock is not None:
            with suppress(OSError):
                os.unlink(self._lock_of(input, share))
            lock.close()

    def _lock_of(self, input: int, share: int) -> str:
        return f"{self._path}-run-{input}-{share}"

    def copy_to(self, path: str) -> None:
        """Copy the file page by page, at one instant; others go on writing."""
        with self._told(), _of_copy(path), closing(sqlite3.connect(path, isolation_level=None)) as copy:
            self._connection.backup(copy)

    def size(self) -> int:
        """The bytes of the file, and of what was written and not moved there yet."""
        return sum(os.stat(each).st_size for each in (self._path, f"{self._path}-wal") if os.path.exists(each))

    def rest(self) -> None:
        """Let the store be one file alone."""
        with self._told():
            self._connection.execute("PRAGMA journal_mode=DELETE")

    def close(self) -> None:
        """Let go of the file."""
        for share in list(self._shares):
            self.leave_share(*share)
        while self.beside:
            self.beside.pop().close()
        self._connection.close()
        if self._copy is not None:
            self._copy.cleanup()

    # -- the file ------------------------------------------------------------------------------------

    def _opened(self, create: bool) -> sqlite3.Connection:
        folder = os.path.dirname(os.path.abspath(self._path))
        if not os.path.isdir(folder):
            raise faults.Unreachable(f"{self._path}: there is no folder {folder}")
        if not create and not os.path.exists(self._path):
            raise faults.Unreachable(f"there is no store {self._path}; `carepolicy event` makes one")
        if os.path.isdir(self._path):
            raise faults.NotAStore(f"{self._path} is a folder, not a file")
        if os.path.isfile(self._path):
            _tighten(self._path)
        elif self._path != MEMORY:
            _make_ours(self._path)
        try:
            return self._connected(self._path, FOR_WRITING)
        except sqlite3.OperationalError as fault:
            self._is_cramped = fault.sqlite_errorname.startswith("SQLITE_IOERR_SHM")
            if not self._is_cramped and not fault.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
                raise
            return self._only_read()

    def _connected(self, path: str, pragmas: Sequence[str], uri: bool = False) -> sqlite3.Connection:
        # Threads may hand a store on, as long as one at a time has it.
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, cached_statements=256, uri=uri, check_same_thread=False
        )
        try:
            self._demand_ours(connection)
            for each in pragmas:
                _patiently(partial(connection.execute, f"PRAGMA {each}"))
        except BaseException:
            connection.close()
            raise
        return connection

    def _only_read(self) -> sqlite3.Connection:
        """The file where nothing may be written beside it, as SQLite would to keep its log. Where there is no log, the
        file is all there is; else it is read with its log out of a copy of both."""
        log = f"{self._path}-wal"
        if not os.path.exists(log) or not os.path.getsize(log):
            from urllib.parse import quote

            return self._connected(f"file:{quote(os.path.abspath(self._path))}?immutable=1", FOR_READING, uri=True)
        import shutil
        import tempfile

        self._copy = tempfile.TemporaryDirectory(prefix="carepolicy-")
        path = os.path.join(self._copy.name, "copy")
        try:
            shutil.copyfile(self._path, path)
            shutil.copyfile(log, f"{path}-wal")
        except OSError as fault:
            raise faults.Unreachable(f"{fault.filename} cannot be read: {fault.strerror}") from None
        return self._connected(path, FOR_READING)

    def _demand_ours(self, connection: sqlite3.Connection) -> None:
        """Refuse a file that holds something else, before anything is written to it. Another process may lay it out
        meanwhile: who sees its tables first sees its mark as well."""
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
        if mark != migrations.APPLICATION and (mark or tables):
            raise faults.NotAStore(f"{self._path} is an SQLite file, but no store of carepolicy")

    def _migrate(self) -> None:
        run = self._connection.execute
        if self._version() == migrations.NEWEST:
            return
        try:
            run("BEGIN IMMEDIATE")
            version = self._version()
            migrations.demand_known(version, self._path)
            if version < 0:
                raise faults.NotAStore(f"{self._path} is damaged (tables of version {version}); restore it from a copy")
            for step in range(version, migrations.NEWEST):
                for statement in migrations.statements(step, migrations.SQLITE):
                    run(statement)
            if 0 < version < migrations.NEWEST:
                transaction = SqliteTransaction(self._connection, self._marks, False)
                transaction.mark_all()
                transaction.finish()
            run(f"PRAGMA application_id={migrations.APPLICATION}")
            run(f"PRAGMA user_version={migrations.NEWEST}")
            run("COMMIT")
        except BaseException as fault:
            self._marks.forget()
            self._undo()
            if getattr(fault, "sqlite_errorname", "").startswith("SQLITE_READONLY"):
                raise faults.ReadOnly(
                    f"{self._path} may only be read, and has tables of version {self._version()} where this one knows "
                    f"{migrations.NEWEST}; any command of somebody who may write to it brings them up to date"
                ) from None
            raise

    def _version(self) -> int:
        version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return version

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _is_unchanged(self) -> bool:
        seen, self._seen = self._seen, self._data_version()
        return seen == self._seen and self._changes == self._connection.total_changes

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of SQLite in our words."""
        try:
            yield
        except sqlite3.Error as fault:
            raise self._fault(fault) from fault
        except UnicodeDecodeError as fault:  # what SQLite says names something that is no text any more
            raise faults.NotAStore(f"{self._path} is damaged ({NO_TEXT}); restore it from a copy") from fault

    def _fault(self, fault: sqlite3.Error) -> faults.StoreFault:
        name = getattr(fault, "sqlite_errorname", "") or ""
        path = self._path
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return faults.Full(f"{path} cannot grow, the disk may be full ({fault}); the last step was undone")
        if self._is_cramped and name.startswith("SQLITE_READONLY"):
            return faults.Full(f"{path} cannot grow, the disk may be full, so that nothing can be kept in it")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return faults.Busy(f"{path} is held by another process for more than {PATIENCE:.0f} seconds")
        if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")) or (
            self._is_open and name.startswith("SQLITE_CANTOPEN")  # a file beside it
        ):
            return faults.ReadOnly(f"{path} may only be read, so nothing can be kept in it")
        if name.startswith("SQLITE_CANTOPEN"):
            return faults.Unreachable(f"{path} cannot be opened: is the folder there, and may it be written to?")
        if name.startswith("SQLITE_NOTADB"):
            return faults.NotAStore(f"{path} is no store: it is not an SQLite file")
        if name.startswith("SQLITE_CORRUPT"):
            return faults.NotAStore(f"{path} is damaged ({fault}); restore it from a copy")
        return faults.StoreFault(f"{path}: {fault}")


def _patiently(work: Callable[[], object]) -> None:
    """Do what SQLite does not wait to do: of those who give a new file its log at once one does it, and the others are
    told at once that it is held."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            work()
            return
        except sqlite3.OperationalError as fault:
            if not fault.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > end:
                raise
        time.sleep(0.01)


def _make_ours(path: str) -> None:
    """Make an empty file for its owner alone, as which SQLite then makes all files beside it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as fault:
        raise faults.Unreachable(f"{path} cannot be made: {fault.strerror}") from None


def _tighten(path: str) -> None:
    """Take the file, and those beside it, from all who are not its owner. A group that may also write was given it on
    purpose."""
    for each in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):  # it is not there, or somebody else's
            mode = stat.S_IMODE(os.stat(each).st_mode)
            ours = 0o770 if mode & 0o020 else 0o700
            if mode & ~ours:
                os.chmod(each, mode & ours)


@cache
def _new_tables() -> frozenset[tuple[str, ...]]:
    """How the tables of a new store are laid out."""
    with closing(sqlite3.connect(":memory:")) as new:
        for step in range(migrations.NEWEST):
            for statement in migrations.statements(step, migrations.SQLITE):
                new.execute(statement)
        return frozenset(new.execute(LAID_OUT))


def _any_text(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


@contextmanager
def _of_copy(path: str) -> Iterator[None]:
    """What a copy has no room for is told of the copy, and not of what is copied."""
    try:
        yield
    except sqlite3.Error as fault:
        name = getattr(fault, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC")):
            raise faults.Full(f"{path} cannot grow, the disk may be full ({fault}); nothing was copied") from fault
        raise


def copy_rows(there: Transaction, path: str) -> None:
    """Write the rows of all tables into the file ``path``, which becomes a store in SQLite."""
    SqliteStore(path).close()  # lays the tables out
    with _of_copy(path), closing(sqlite3.connect(path, isolation_level=None)) as here:
        here.execute("BEGIN")
        for (table,) in here.execute(TABLES).fetchall():
            columns = [row[1] for row in here.execute(f"PRAGMA table_info({table})")]
            here.execute(f"DELETE FROM {table}")  # with which a new store begins
            into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
            here.executemany(into, there.stream(f"SELECT {', '.join(columns)} FROM {table}"))
        here.execute("COMMIT")
