"""`store backup`: a copy that is whole, for its owner alone, and works; or none."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from shops import Shop, contents

LINE = (
    b'{"specversion":"1.0","id":"x-%d","source":"/t","type":"email_received","subject":"mail-x%d",'
    b'"time":"2026-03-02T12:00:00Z","data":{"customer.email":"x@example.org"}}'
)
ADA = "customer.email=ada@example.org"


@pytest.fixture
def busy(shop: Shop) -> Shop:
    shop.event("email_received", "mail-1", "2026-03-02 10:00", ADA, "customer.name=Ada Lovelace")
    shop.event("reply_sent", "mail-1", "2026-03-02 10:30")
    shop.event("reply_sent", "mail-2", "2026-03-02 10:30")
    return shop


def other(shop: Shop, path: Path) -> Shop:
    return Shop(shop._capfd, f"sqlite:///{path}", shop.policies)


def test_a_backup_is_a_store_with_all_that_was_there(busy: Shop, tmp_path: Path) -> None:
    said = busy("store", "backup", str(tmp_path / "copy.db"))
    assert (said.status, "all as they were written" in said.out) == (0, True), said.err
    copy = other(busy, tmp_path / "copy.db")
    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == ["copy.db"]
    whole = contents(busy)
    whole.pop("schema_version", None)
    whole.pop("sqlite_sequence", None)
    assert contents(copy) == whole
    assert copy("verify").status == 0
    assert "Ada Lovelace" in copy("customer", "show", "mail-1", "--reveal", "--as", "care_lead").out
    assert (
        copy.event("reply_sent", "mail-1", "2026-03-02 10:40").status
        == busy.event("reply_sent", "mail-1", "2026-03-02 10:40").status
    )


def test_a_backup_is_for_its_owner_alone_and_writes_over_nothing(busy: Shop, tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    before = os.umask(0)
    try:
        assert busy("store", "backup", str(path)).status == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_bytes()
    said = busy("store", "backup", str(path))
    assert (said.status, "it is there already" in said.err) == (2, True)
    assert path.read_bytes() == made
    assert busy("store", "backup", str(tmp_path / "nowhere" / "copy.db")).status == 2


def test_a_copy_that_is_not_as_it_was_written_is_none(busy: Shop, tmp_path: Path) -> None:
    _by_hand(busy, "UPDATE records SET line = replace(line, 'mail-1', 'mail-9') WHERE no = 2")
    said = busy("store", "backup", str(tmp_path / "copy.db"))
    assert (said.status, "not as they were written" in said.err) == (3, True), said
    assert not list(tmp_path.glob("copy*"))


def _by_hand(shop: Shop, sql: str) -> None:
    if shop.url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(shop.file()) as connection:
            connection.execute(sql)
        return
    import psycopg

    from carepolicy.store.url import parsed, quoted

    address, name = parsed(shop.url)
    with psycopg.connect(address, autocommit=True) as there:
        there.execute(f"SET search_path TO {quoted(name)}".encode())
        there.execute(sql.encode())


KILLED = """
import os, sys
from carepolicy.cli import app
from carepolicy.store import backup
backup.sync = lambda *_: os.kill(os.getpid(), 9)
sys.exit(app.run(["store", "backup", sys.argv[2], "--store", sys.argv[1]]))
"""


def test_one_that_is_killed_leaves_no_file_of_that_name_and_can_be_made_again(busy: Shop, tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    done = subprocess.run([sys.executable, "-c", KILLED, busy.url, str(path)], env=os.environ, check=False)
    assert done.returncode < 0
    assert not path.exists()
    assert busy("store", "backup", str(path)).status == 0
    assert [each.name for each in tmp_path.glob("copy*")] == ["copy.db"]


def test_a_backup_has_one_instant_though_others_write_meanwhile(busy: Shop, tmp_path: Path) -> None:
    done, taken = threading.Event(), threading.Event()

    def work() -> None:
        store = open_store(busy.url)
        operation = Operation(store, None, 0)
        number = 0
        while not done.is_set():
            operation.take([(1, LINE % (number, number))])
            number += 1
            taken.set()
        store.close()

    writer = threading.Thread(target=work)
    writer.start()
    try:
        taken.wait()
        for number in range(3):
            copy = other(busy, tmp_path / f"copy-{number}.db")
            assert busy("store", "backup", str(copy.file())).status == 0
            assert copy("verify").status == 0
    finally:
        done.set()
        writer.join()
