"""Several workers on one store give the bytes of one, though some are killed; strangers do not disturb each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from carepolicy.cli import app
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from complaint_events import lines
from killing import children
from stories import write_set

COMPLAINTS = str(Path(__file__).parents[2] / "benchmarks" / "complaints")


def test_four_workers_of_which_some_are_killed_give_the_bytes_of_one(postgres: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    events = lines(800)
    log.write_bytes(b"".join(events) + b"not json\n" + events[2])  # which comes again in the share that it was in
    run = ["run", str(log), "--policies", COMPLAINTS, "--quiet"]
    app.run([*run, "--output", str(tmp_path / "one")])
    open_store(postgres).close()
    command = [*run, "--store", postgres, "--workers", "4", "--batch", "5", "--output", str(tmp_path / "four")]
    with psycopg.connect(postgres.rpartition("&schema=")[0]) as connection:
        records = postgres.rpartition("&schema=")[2] + ".records"
        held_up(connection, records)
        with subprocess.Popen([sys.executable, "-m", "carepolicy", *command]) as process:
            for _ in range(3):
                wait_for_a_writer(connection, records, process)
                os.kill(children(process.pid)[-1], signal.SIGKILL)
                connection.commit()  # those that are left write what they held, before we hold them up again
                held_up(connection, records)
            wait_for_a_writer(connection, records, process)
            connection.commit()
    assert process.returncode == 1
    assert (tmp_path / "four").read_bytes() == (tmp_path / "one").read_bytes()
    assert app.run(["verify", "--store", postgres]) == 0


def held_up(connection: psycopg.Connection[Any], records: str) -> None:
    """Let nobody write records until the end of our transaction."""
    connection.execute(f"LOCK TABLE {records} IN SHARE MODE".encode())


def wait_for_a_writer(connection: psycopg.Connection[Any], records: str, run: subprocess.Popen[bytes]) -> None:
    """Wait until a worker is in the middle of a transaction: it would write records now."""
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    while connection.execute(waiting, (records,)).fetchone() == (0,):
        assert run.poll() is None, "the run was over before its workers were killed"
        time.sleep(0.01)


def test_several_workers_need_postgresql(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(lines(10)))
    store = f"sqlite:///{tmp_path}/care.db"
    assert app.run(["run", str(log), "--policies", COMPLAINTS, "--store", store, "--workers", "2"]) == 2
    assert "need a store in PostgreSQL" in capfd.readouterr().err


ORDER = """\
    flow: order
    version: 1
    title: An order
    purpose: Orders arrive.
    owner: care_lead
    events:
      placed: {title: Placed, by: customer, carries: {optional: [customer.name]}}
      complained: {title: A complaint, by: customer, carries: {optional: [customer.name, complaint.cause]}}
    states:
      open:
        title: Open
        start_on: placed
        owner: care_agent
        on: {complained: {raise: {event: client_complained, subject: customer.name}}}
"""

CLIENT = """\
    flow: client
    version: 1
    title: A client
    purpose: Clients are looked after.
    owner: care_lead
    subject: customer.name
    events:
      client_complained: {title: A client complained, by: system}
    states:
      known:
        title: Known
        start_on: client_complained
        owner: care_agent
        on: {client_complained: {set: {complaint.attempts: complaint.attempts + 1}}}
"""


def test_what_many_processes_raise_to_one_key_at_once_all_arrives(postgres: str, tmp_path: Path) -> None:
    policies = str(write_set(tmp_path / "set", ORDER, CLIENT))
    Operation(open_store(postgres), policies, 0).bundle()

    def events(number: int) -> int:
        operation = Operation(open_store(postgres), None, 0)
        taken = 0
        for turn in range(12):
            kind = "complained" if turn else "placed"
            done = operation.take([(1, line(kind, f"order-{number}", f"{number}-{turn}", turn))])
            taken += done.records.count("event.rejected")
        return taken

    def line(kind: str, subject: str, identity: str, turn: int) -> bytes:
        data = '"data":{"customer.name":"Ada"}'
        head = f'"specversion":"1.0","id":"{identity}","source":"/test","type":"{kind}","subject":"{subject}"'
        return f'{{{head},"time":"2026-03-02T10:{turn:02}:00+00:00",{data}}}'.encode()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(events, range(6))) == 0
    store = open_store(postgres)
    with store.reading() as transaction:
        ((body,),) = transaction.rows("SELECT body FROM cases WHERE flow = 'client'")
    assert b'"complaint.attempts":65' in bytes(body)  # 6 x 11 complaints, the first of which opened the case
    assert app.run(["verify", "--store", postgres]) == 0


def test_the_store_is_asked_whether_several_workers_may_write(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_bytes(b"".join(lines(5)))
    run = ["run", str(tmp_path / "log"), "--policies", COMPLAINTS, "--store", f"sqlite:///{tmp_path}/care.db"]
    run += ["--workers", "2", "--lateness", "5m"]
    assert app.run(run) == 2
    assert "several workers need a store in PostgreSQL" in capfd.readouterr().err
    monkeypatch.setattr("carepolicy.store.sql.sqlite.SqliteStore.many_writers", True)
    assert app.run(run) == 2
    assert "several workers need a file that each can read, and no --lateness" in capfd.readouterr().err
