"""A transaction in a PostgreSQL database: how rows are locked, inserted, updated and copied."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg

from carepolicy.store import statements
from carepolicy.store.rows import CaseRow, Held, SubjectRow
from carepolicy.store.shared import SqlTransaction, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.store.rows import Address, EventRow, RecordRow, RequestRow

Connection = psycopg.Connection[tuple[Any, ...]]

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
def in_its_style(sql: str) -> str:
    """A statement with ``%s`` in place of each ``?``."""
    return sql.replace("%", "%%").replace("?", "%s")


class PostgresTransaction(SqlTransaction):
    """A transaction on the one connection of a store."""

    shared = " FOR SHARE"
    skip_locked = " FOR UPDATE SKIP LOCKED"
    locked = " FOR UPDATE"

    def __init__(self, connection: Connection, channel: str, pipe: ExitStack | None = None) -> None:
        self._connection = connection
        self._channel = channel
        self._pipe = pipe or ExitStack()
        self._known: set[tuple[str, ...]] = set()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question."""
        return self._connection.execute(in_its_style(sql).encode(), values).fetchall()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The answer to a question, some rows at a time."""
        self._pipe.close()
        with self._connection.cursor(name=f"stream {next(_numbers)}") as cursor:
            cursor.itersize = 2_000
            cursor.execute(in_its_style(sql).encode(), values)
            yield from cursor

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; how many rows it changed."""
        cursor = self._connection.execute(in_its_style(sql).encode(), values)
        self._pipe.close()  # the answer is there then
        return cursor.rowcount

    def _send(self, sql: str, values: Sequence[Any]) -> None:
        """Carry out a statement whose answer is not asked for, and need not be there yet."""
        self._connection.execute(in_its_style(sql).encode(), values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of some rows."""
        with self._connection.cursor() as cursor:
            cursor.executemany(in_its_style(sql).encode(), rows)

    def keep_others_out(self) -> None:
        """Wait for those who are writing subjects and cases, and let nobody else begin: all of them lock subjects."""
        self._send("LOCK TABLE subjects IN EXCLUSIVE MODE", ())

    def forget(self) -> None:
        """Forget which rows are there."""
        self._known.clear()

    def load(self, addresses: Sequence[Address]) -> dict[Address, Held]:
        """What is kept about some addresses; their rows are locked, in an order that is the same for all."""
        wanted = [key for key, _ in addresses], [subject for _, subject in addresses]
        subjects = self._connection.execute(LOAD, wanted)
        open_now = self._connection.execute(LOAD_CASES, wanted)
        found = {(row[0], row[1]): SubjectRow(*row) for row in subjects}
        cases: dict[Address, list[CaseRow]] = {}
        for row in open_now:
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
            self._send(sql, rows[0])
        elif rows:
            self.many(sql, rows)

    def _insert(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        if len(rows) <= FEW:
            self._update(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(rows[0]))})", rows)
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
        given = [list(column) for column in zip(*events, strict=True)]
        return {(source, id) for source, id in self._connection.execute(CLAIM, given)}

    def append(self, records: Sequence[RecordRow], requests: Sequence[RequestRow]) -> None:
        """Add records, and what they ask for to the outbox."""
        columns = statements.PLAIN_RECORD_COLUMNS if is_plain(records) else statements.RECORD_COLUMNS
        self._insert("records", columns, records)
        shard = self._connection.info.backend_pid % SHARDS
        self._send(statements.TALLY, (shard, len(records)))
        self._insert("outbox", statements.REQUEST_COLUMNS, requests)

    def watched(self, watch: str, value: str) -> bytes | None:
        """What a watch has noted of a value, which nobody else may note then."""
        self.lock(f"{watch}\x1f{value}")
        return super().watched(watch, value)

    def lock(self, name: str) -> None:
        """Let nobody else have this name until this transaction ends."""
        self._connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (f"{self._channel}\x1f{name}", LOCKS)
        )
