"""A transaction in a PostgreSQL database: how rows are locked, inserted, updated and copied."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import lru_cache
from itertools import compress, count
from operator import not_
from typing import TYPE_CHECKING, Any

import psycopg

from carepolicy.store import statements
from carepolicy.store.rows import CaseRow, Held, SubjectRow
from carepolicy.store.shared import SqlTransaction
from carepolicy.store.sums import EMPTY, MAC, NEVER
from carepolicy.store.tables import CASES, EVENTS, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.store.rows import Address, EventRow, RecordRow, RequestRow
    from carepolicy.store.summed import Marks
    from carepolicy.store.tables import Table

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

    def forget(self) -> None:
        """Forget which rows are there."""
        self._marks.forget_rows()

    def load(self, addresses: Sequence[Address]) -> dict[Address, Held]:
        """What is kept about some addresses; their rows are locked, in an order that is the same for all."""
        wanted = [key for key, _ in addresses], [subject for _, subject in addresses]
        subjects = self._connection.execute(LOAD, wanted)
        open_now = self._connection.execute(LOAD_CASES, wanted)
        found = {(row[0], row[1]): SubjectRow(*row) for row in subjects}
        cases: dict[Address, list[CaseRow]] = {}
        for row in open_now:
            cases.setdefault((row[0], row[1]), []).append(CaseRow(*row))
        held = {each: Held(found.get(each), tuple(cases.get(each, ()))) for each in addresses}
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
        digests = {each[:2]: self.macs.digest(EVENTS, (*each, None)) for each in events}
        given = [list(column) for column in zip(*events, strict=True)]
        taken = set(self._connection.execute(CLAIM, (*given, [each[:MAC] for each in digests.values()])))
        self._add("events", [digest for name, digest in digests.items() if name not in taken])
        return taken

    def append(self, records: Sequence[RecordRow], requests: Sequence[RequestRow]) -> None:
        """Add records, and what they ask for to the outbox."""
        self._copy("records", statements.RECORD_COLUMNS, self._marked_records(records))
        if requests:
            self.many(statements.REQUEST, requests)

    def watched(self, watch: str, value: str) -> bytes | None:
        """What a watch has noted of a value, which nobody else may note then."""
        self.lock(f"{watch}\x1f{value}")
        return super().watched(watch, value)

    def lock(self, name: str) -> None:
        """Let nobody else have this name until this transaction ends."""
        self._connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (f"{self._channel}\x1f{name}", LOCKS)
        )
