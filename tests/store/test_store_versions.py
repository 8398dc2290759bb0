"""Stores of every earlier version are brought to the tables of today, with all that they hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from carepolicy.store import schema
from carepolicy.store.operating import Operation
from carepolicy.store.sqlite import SqliteStore

HERE = Path(__file__).parent / "versions"
EARLIER = range(1, schema.NEWEST)


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
    line = (
        b'{"specversion":"1.0","id":"d","source":"/test","type":"answered","subject":"m-1",'
        b'"time":"2026-03-03T09:00:00+00:00"}'
    )
    done = Operation(store, None, 0).take([(1, line)])
    assert '"type":"carepolicy.case.closed"' in done.records
    assert '"type":"carepolicy.clock.ended"' in done.records
    with store.reading() as transaction:
        waiting = transaction.rows("SELECT kind, subject, sequence FROM outbox ORDER BY subject, sequence")
    assert waiting == [("message", "m-1", 4), ("notice", "m-1", 6), ("message", "m-2", 4)]
    store.close()
