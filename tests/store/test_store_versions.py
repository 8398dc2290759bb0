"""Stores of every earlier version are brought to the tables of today, with all that they hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from carepolicy.store.faults import StoreFault
from carepolicy.store.live.operation import Operation
from carepolicy.store.records.verify import Verification
from carepolicy.store.sql import migrations
from carepolicy.store.sql.sqlite import SqliteStore
from carepolicy.store.url import parsed

if TYPE_CHECKING:
    import psycopg

    from carepolicy.store.contract import Store

HERE = Path(__file__).parent / "versions"
EARLIER = range(1, migrations.NEWEST)


def laid_out(path: Path, version: int) -> None:
    """A store as that version wrote it: two subjects, one of them with an open case that is late, and a duplicate."""
    with sqlite3.connect(path) as connection:
        connection.executescript((HERE / f"v{version}.sql").read_text())


def tables(path: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        return set(connection.execute("SELECT name, sql FROM sqlite_master"))


def test_there_is_a_store_of_every_earlier_version() -> None:
    assert sorted(each.name for each in HERE.iterdir()) == [f"v{version}.sql" for version in EARLIER]


@pytest.mark.parametrize("version", EARLIER)
def test_an_earlier_store_gets_the_tables_of_a_new_one(tmp_path: Path, version: int) -> None:
    laid_out(tmp_path / "old.db", version)
    SqliteStore(str(tmp_path / "old.db")).close()
    SqliteStore(str(tmp_path / "new.db")).close()
    assert tables(tmp_path / "old.db") == tables(tmp_path / "new.db")


@pytest.mark.parametrize("version", EARLIER)
def test_the_cases_of_an_earlier_store_go_on(tmp_path: Path, version: int) -> None:
    laid_out(tmp_path / "old.db", version)
    store = SqliteStore(str(tmp_path / "old.db"))
    go_on(store)
    store.close()


def go_on(store: Store) -> None:
    """The case that is open is answered; what waits in the outbox waits on, and the chains of records are whole."""
    line = (
        b'{"specversion":"1.0","id":"d","source":"/test","type":"answered","subject":"m-1",'
        b'"time":"2026-03-03T09:00:00+00:00"}'
    )
    done = Operation(store, None, 0).take([(1, line)])
    assert '"type":"carepolicy.case.closed"' in done.records
    assert '"type":"carepolicy.clock.ended"' in done.records
    again = Operation(store, None, 0).take([(1, line)])
    assert '"type":"carepolicy.event.duplicate"' in again.records
    with store.reading() as transaction:
        waiting = transaction.rows("SELECT kind, subject, sequence FROM outbox ORDER BY subject, sequence")
        assert list(Verification(transaction).faults()) == []
        assert {len(said) for (said,) in transaction.rows("SELECT hash FROM records")} == {28, 32}
    assert waiting == [("message", "m-1", 4), ("notice", "m-1", 6), ("message", "m-2", 4)]


def laid_out_in(url: str, path: Path, version: int) -> None:
    """The same store as ``laid_out``, in PostgreSQL: the tables of that version, with the rows that it wrote."""
    import psycopg

    address, name = parsed(url)
    laid_out(path, version)
    with sqlite3.connect(path) as there, psycopg.connect(address, autocommit=True) as here:
        here.execute(f'CREATE SCHEMA "{name}"')
        here.execute(f'SET search_path TO "{name}"')
        for step in range(version):
            for statement in migrations.statements(step, migrations.POSTGRES):
                here.execute(statement)
        here.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        here.execute("INSERT INTO schema_version VALUES (%s)", (version,))
        for (table,) in here.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (name,)).fetchall():
            if table != "schema_version":
                copy_rows(there, here, table)


def copy_rows(there: sqlite3.Connection, here: psycopg.Connection[Any], table: str) -> None:
    found = there.execute(f"SELECT * FROM {table}")
    columns = [each[0] for each in found.description]
    here.execute(f"DELETE FROM {table}")  # what a later version begins with
    into = f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE VALUES"
    for row in found:
        here.execute(f"{into} ({', '.join(['%s'] * len(row))})", row)
    if "no" in columns:
        here.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'no'), coalesce(max(no), 0) + 1) FROM {table}")


def columns_and_indexes(url: str) -> set[tuple[Any, ...]]:
    import psycopg

    address, name = parsed(url)
    columns = """SELECT table_name, column_name, data_type, is_nullable, is_identity, collation_name,
        replace(column_default, %(name)s, '') FROM information_schema.columns WHERE table_schema = %(name)s"""
    indexes = "SELECT tablename, replace(indexdef, %(name)s, '') FROM pg_indexes WHERE schemaname = %(name)s"
    with psycopg.connect(address) as connection:
        return {row for sql in (columns, indexes) for row in connection.execute(sql, {"name": name}).fetchall()}


@pytest.mark.parametrize("version", EARLIER)
def test_an_earlier_store_in_postgresql_gets_the_tables_of_a_new_one_and_its_cases_go_on(
    server: str, postgres: str, tmp_path: Path, version: int
) -> None:
    from carepolicy.store.sql.postgres import PostgresStore

    laid_out_in(postgres, tmp_path / "old.db", version)
    old, new = PostgresStore(postgres), PostgresStore(f"{server}&schema=new_{version}")
    assert columns_and_indexes(postgres) == columns_and_indexes(new.url)
    go_on(old)
    old.close()
    new.close()


def test_an_earlier_store_in_postgresql_that_cannot_be_brought_on_stays_as_it_was(
    postgres: str, tmp_path: Path
) -> None:
    import psycopg

    from carepolicy.store.sql.postgres import PostgresStore

    laid_out_in(postgres, tmp_path / "old.db", 1)
    address, name = parsed(postgres)
    with psycopg.connect(address, autocommit=True) as other:
        other.execute(f'CREATE TABLE "{name}".erasures (in_the_way TEXT)')
    before = columns_and_indexes(postgres)
    with pytest.raises(StoreFault, match="refused"):
        PostgresStore(postgres)
    assert columns_and_indexes(postgres) == before
