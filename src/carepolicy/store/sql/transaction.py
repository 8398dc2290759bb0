"""A transaction in SQL, whatever the database: it keeps a mac in each row that it writes, and the sums over all of them
(see ``sums``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple

from carepolicy.store.contract import AddressRows, CaseRow, SubjectRow
from carepolicy.store.faults import Again, Altered, WrongKey
from carepolicy.store.privacy.keys import ANOTHER, fingerprint, given_keys, made_key, source
from carepolicy.store.sql import statements, sums
from carepolicy.store.sql.sums import EMPTY, Macs, macs_of
from carepolicy.store.sql.tables import CASES, RECORDS, SUBJECTS, TABLES, WRITES, Delete, Insert, Update, taken_apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from carepolicy.store.contract import Address, EventRow, RecordRow, RequestRow
    from carepolicy.store.sql.tables import Table

AT_A_TIME = 1_000
"""Rows that are given macs at once when tables are brought to this version."""

SETTING = "SET LOCAL "
"""How a statement begins that is about the transaction itself."""


class Marks:
    """What a process knows of the macs of its store: the key, and the digests of subjects and open cases as they stand
    there, by their addresses, 0 for what is not there. Of the addresses in ``whole`` all cases are known."""

    def __init__(self) -> None:
        self.macs: Macs | None = None
        self.standing: dict[tuple[str, ...], int] = {}
        self.whole: set[tuple[str, ...]] = set()

    def forget_rows(self) -> None:
        """Others may have written since."""
        self.standing.clear()
        self.whole.clear()

    def forget(self) -> None:
        """A transaction was undone, and with it whatever it made."""
        self.macs = None
        self.forget_rows()


class SqlTransaction(ABC):
    """A transaction over the ways to talk to a database that a backend gives."""

    unchanged = False
    shared = ""
    skip_locked = ""

    locked = ""
    """The end of a question that takes the rows it finds for this transaction, and waits for those of others."""

    overriding = ""
    """What lets a statement number the rows of a serial table."""

    shards = 1
    """In how many rows the sums are kept."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._changed: sums.Changed = {}

    @abstractmethod
    def lock(self, name: str) -> None:
        """Let nobody else who asks for it have this name until this transaction ends."""

    @abstractmethod
    def keep_others_out(self) -> None:
        """Let nobody else write subjects and cases."""

    @abstractmethod
    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question or statement."""

    @abstractmethod
    def _do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; how many rows it changed."""

    @abstractmethod
    def _do_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Carry out a statement for each of some rows."""

    @abstractmethod
    def _numbers(self, table: str, count: int) -> Iterable[int]:
        """The numbers of the next rows of a serial table."""

    @abstractmethod
    def _sums(self) -> tuple[int, str, bytes]:
        """The number, the body and the mac of some sums that are this transaction's own then."""

    @abstractmethod
    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The answer to a question, a row at a time."""

    def forget(self) -> None:
        """Forget what was loaded."""
        self._marks.forget_rows()

    # -- what others ask for ---------------------------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question, or to a statement that tells what it wrote."""
        return self._write(sql, values)[0] if sql.startswith(WRITES) else self._ask(sql, values)

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement; how many rows it changed."""
        return self._do(sql, values) if sql.startswith(SETTING) else self._write(sql, values)[1]

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of some rows."""
        change = taken_apart(sql)
        if isinstance(change, Insert) and change.changes is None:
            self._insert(change, list(rows))
            return
        for values in rows:
            self._write(sql, values)

    def finish(self) -> None:
        """Keep the sums of what this transaction has written; what is left to do is to commit."""
        if not self._changed:
            return
        macs, (shard, before, mac) = self.macs, self._sums()
        after = sums.added(before, self._changed)
        right = macs.of_sums(shard, before) == bytes(mac)
        kept = (after, macs.of_sums(shard, after) if right else sums.NEVER, shard)
        self._do_many(statements.KEEP_SUMS, [kept])  # nobody waits for how many it were: the commit follows at once
        self._changed = {}

    # -- the key -----------------------------------------------------------------------------------------

    @property
    def macs(self) -> Macs:
        """The key at work. Raises ``WrongKey``, and ``Altered`` where somebody took it away."""
        macs = self._marks.macs
        if macs is None:
            macs = self.known_macs()
            if macs is None:
                self.lock("macs")  # of those who begin at once one makes the key
                macs = self.known_macs()
            if macs is None:
                if self.holds_anything():
                    raise Altered("the store lacks what proves its contents; `carepolicy verify` says more")
                macs = self._begin()
            self._marks.macs = macs
        return macs

    def known_macs(self) -> Macs | None:
        """The key at work; None where the store never had one. Raises ``WrongKey``, ``Altered``."""
        wrapped = {print_: bytes(key) for print_, key in self._ask(statements.MAC_KEYS)}
        if not wrapped:
            return None
        keys = given_keys()
        if not keys:
            raise WrongKey(f"there is no key here: {source()} does not exist; {ANOTHER}")
        for key in keys:
            if (found := wrapped.get(fingerprint(key))) is not None:
                return Macs(sums.unwrapped(key, found))
        raise WrongKey(ANOTHER)

    def share_macs(self, key: str) -> None:
        """Let a holder of another of the store's keys have the key of the macs."""
        self.run(statements.KEEP_MAC_KEY, (fingerprint(key), self.macs.wrapped(key)))

    def _begin(self) -> Macs:
        key, macs = (given_keys() or [made_key()])[0], Macs()
        self._marks.macs = macs
        begun = [(shard, EMPTY, macs.of_sums(shard, EMPTY)) for shard in range(self.shards)]
        self._do_many(statements.BEGIN_SUMS, begun)
        self.share_macs(key)
        return macs

    def holds_anything(self) -> bool:
        """Whether there is anything to prove."""
        tables = (*TABLES, "sums")
        return bool(self._ask(" UNION ALL ".join(f"SELECT * FROM (SELECT 1 FROM {each} LIMIT 1) t" for each in tables)))

    def mark_all(self) -> None:
        """Give all rows of an earlier version their macs, as they are found."""
        if not self.holds_anything():
            return
        self._begin()
        for table in TABLES.values():
            if table.name != "macs":
                self._mark(table)

    def _mark(self, table: Table) -> None:
        columns, asked = ", ".join(table.key), ", ".join("?" * len(table.key))
        at: list[Any] = []
        while True:
            after = f"WHERE ({columns}) > ({asked})" if at else ""
            sql = f"SELECT {table.listed} FROM {table.name} {after} ORDER BY {columns} LIMIT ?"
            rows = self._ask(sql, (*at, AT_A_TIME))
            self._put_macs(table, rows)
            if len(rows) < AT_A_TIME:
                return
            at = _key(table, rows[-1])

    # -- statements that write -----------------------------------------------------------------------------

    def _write(self, sql: str, values: Sequence[Any]) -> tuple[list[tuple[Any, ...]], int]:
        """Carry out a statement; what it was asked to tell, and how many rows it changed."""
        change = taken_apart(sql)
        if isinstance(change, Insert):
            return self._insert(change, [values]) if change.changes is None else self._upsert(change, values)
        if isinstance(change, Update):
            return [], self._update_rows(change, values)
        return [], self._delete_rows(change, values)

    def _insert(self, change: Insert, given: Sequence[Sequence[Any]]) -> tuple[list[tuple[Any, ...]], int]:
        table, rows = change.table, [change.row(each) for each in given]
        if table.serial:
            for row, number in zip(rows, self._numbers(table.name, len(rows)), strict=True):
                row[0] = number
        macs, sql = self.macs, change.sql.format(overriding=self.overriding)
        digests = macs.digests(table, rows)
        for row, mac in zip(rows, macs_of(digests), strict=True):
            row.append(mac)
        if change.leaves:
            sql += " ON CONFLICT DO NOTHING"
            there = [bool(self._do(sql, each)) for each in rows]
            digests = [digest for digest, new in zip(digests, there, strict=True) if new]
            rows = [row for row, new in zip(rows, there, strict=True) if new]
        else:
            self._do_many(sql, rows)  # also one: nobody waits for how many it were
        self._add(table.name, digests)
        told = [tuple(row[place] for place in change.asked) for row in rows] if change.asked else []
        return told, len(rows)

    def _upsert(self, change: Insert, values: Sequence[Any]) -> tuple[list[tuple[Any, ...]], int]:
        assert change.changes is not None
        table, row = change.table, change.row(values)
        where = " AND ".join(f"{name} = ?" for name in change.key)
        key = [row[table.columns.index(name)] for name in change.key]
        old = self._ask(f"SELECT {table.listed} FROM {table.name} WHERE {where}{self.locked}", key)
        if not old:
            return self._insert(change, [values])
        new = self._replace(table, old, change.changes, values)
        return [tuple(each[place] for place in change.asked) for each in new], len(new)

    def _update_rows(self, change: Update, values: Sequence[Any]) -> int:
        table = change.table
        select = f"SELECT {table.listed} FROM {table.name} WHERE {change.where}{self.locked}"
        old = self._ask(select, values[change.values :])
        return len(self._replace(table, old, change.sql, values)) if old else 0

    def _replace(
        self, table: Table, old: list[tuple[Any, ...]], sql: str, values: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        """Carry out a statement that changes these rows; the rows as they are then."""
        new = self._ask(f"{sql} RETURNING {table.listed}", values)
        if not new:
            return new
        if len(new) != len(old):
            raise Again("another process has changed the same rows")
        self._take_away(table, old)
        self._put_macs(table, new)
        return new

    def _delete_rows(self, change: Delete, values: Sequence[Any]) -> int:
        old = self._ask(f"{change.sql} RETURNING {change.table.listed}", values)
        self._take_away(change.table, old)
        return len(old)

    def _put_macs(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        where = " AND ".join(f"{name} = ?" for name in table.key)
        digests = self.macs.digests(table, rows)
        marked = [(mac, *_key(table, row)) for mac, row in zip(macs_of(digests), rows, strict=True)]
        self._do_many(f"UPDATE {table.name} SET mac = ? WHERE {where}", marked)
        self._add(table.name, digests)

    def _take_away(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Take rows, as they were found, out of the sums."""
        if not rows:
            return
        self._sum(table.name, -len(rows), -sum(map(int.from_bytes, self.macs.digests(table, rows))))
        if table is SUBJECTS or table is CASES:
            for row in rows:
                self._marks.standing.pop(tuple(_key(table, row)), None)
                self._marks.whole.discard((row[0], row[1]))

    def _add(self, table: str, digests: Sequence[bytes]) -> None:
        if digests:
            self._sum(table, len(digests), sum(map(int.from_bytes, digests)))

    def _sum(self, table: str, rows: int, sum: int) -> None:
        changed = self._changed.get(table)
        if changed is None:
            self._changed[table] = [rows, sum]
        else:
            changed[0] += rows
            changed[1] += sum

    # -- subjects and open cases: what stands is known from when they were loaded ---------------------------------

    def _marked(self, table: Table, rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
        """Rows that take the place of those that stand at their addresses, each with its mac."""
        standing, width = self._marks.standing, len(table.key)
        marked: list[list[Any]] = []
        count = change = 0
        digests = self.macs.digests(table, rows)
        for row, digest, mac in zip(rows, digests, macs_of(digests), strict=True):
            number = int.from_bytes(digest)
            name = row[:width]
            before = standing.get(name)
            if before is None:
                before = self._before(table, name)
            standing[name] = number
            change += number - before
            if not before:
                count += 1
            marked.append([*row, mac])
        self._sum(table.name, count, change)
        return marked

    def _gone(self, table: Table, names: Iterable[tuple[str, ...]]) -> None:
        """Take the rows at some addresses out of the sums."""
        for name in names:
            before = self._before(table, name)
            if before:
                self._sum(table.name, -1, -before)
            self._marks.standing[name] = 0

    def _before(self, table: Table, name: tuple[str, ...]) -> int:
        """The digest of the row that stands at an address; 0 where none does."""
        before = self._marks.standing.get(name)
        if before is None and table is CASES and name[:2] in self._marks.whole:
            return 0
        if before is None:
            where = " AND ".join(f"{each} = ?" for each in table.key)
            found = self._ask(f"SELECT {table.listed} FROM {table.name} WHERE {where}", name)
            before = self._note(table, name, found[0]) if found else 0
        return before

    def _note(self, table: Table, name: tuple[str, ...], row: Sequence[Any]) -> int:
        """Note the digest of a row as it stands."""
        number = self._marks.standing[name] = int.from_bytes(self.macs.digest(table, row))
        return number

    # -- what a store keeps ------------------------------------------------------------------------------

    def load(self, addresses: Sequence[Address]) -> dict[Address, AddressRows]:
        """What is kept about some addresses."""
        found: dict[Address, AddressRows] = {}
        for address in addresses:
            known = self.rows(statements.SUBJECT, address)
            cases = self.rows(statements.CASES, address) if known else ()
            found[address] = AddressRows(
                SubjectRow(*known[0]) if known else None, tuple(CaseRow(*each) for each in cases)
            )
        self._note_all(found)
        return found

    def _note_all(self, found: Mapping[Address, AddressRows]) -> None:
        """Note the rows that were loaded as what stands in the database now."""
        standing = self._marks.standing
        self._marks.whole.update(found)
        for address, held in found.items():
            if held.row is None:
                standing[address] = 0
                continue
            self._note(SUBJECTS, address, held.row)
            for case in held.cases:
                self._note(CASES, case[:3], case)

    def save(self, subjects: Sequence[SubjectRow], cases: Sequence[CaseRow], gone: Sequence[tuple[str, ...]]) -> None:
        """Keep subjects and open cases, and delete those that are not open any more."""
        self._do_many(statements.SAVE_SUBJECT, self._marked(SUBJECTS, subjects))
        if cases:
            self._do_many(statements.SAVE_CASE, self._marked(CASES, cases))
        if gone:
            self._gone(CASES, gone)
            self._do_many(statements.CLOSE_CASE, gone)

    def due(self, until: int, most: int) -> list[tuple[int, Address]]:
        """When a timer falls due by ``until``, and at which address: the earliest first."""
        return [(due, (key, subject)) for due, key, subject in self.rows(statements.DUE, (until, most))]

    def next_due(self) -> int | None:
        """When the first timer of all falls due."""
        first: int | None = self.rows(statements.NEXT_DUE)[0][0]
        return first

    def claim(self, events: Sequence[EventRow]) -> set[tuple[str, str]]:
        """Note events as taken; those that were taken before."""
        return {each[:2] for each in events if not self.run(statements.CLAIM, each)}

    def _marked_records(self, records: Sequence[RecordRow]) -> Sequence[RecordRow]:
        """Records with the numbers that they are written under, and their macs."""
        for row, number in zip(records, self._numbers("records", len(records)), strict=True):
            row[0] = number
        digests = self.macs.digests(RECORDS, records)  # which leave out the lines: their hashes stand for them
        self._add("records", digests)
        for row, mac in zip(records, macs_of(digests), strict=True):
            row.append(mac)
        return records

    def append(self, records: Sequence[RecordRow], requests: Sequence[RequestRow]) -> None:
        """Add records, and what they ask for to the outbox."""
        self._do_many(statements.APPEND, self._marked_records(records))
        if requests:
            self.many(statements.REQUEST, list(map(astuple, requests)))


def _key(table: Table, row: Sequence[Any]) -> list[Any]:
    return [row[table.columns.index(name)] for name in table.key]
