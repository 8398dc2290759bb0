"""Watchers outlast a server that is away, tell it once, and end when they are told to, with what they began done."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from carepolicy.store.live.batch import Wall
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from stories import write_set

FLOW = """\
    flow: inquiry
    version: 1
    title: An inquiry
    purpose: Inquiries are answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: 1 seconds, runs_in: [open]}
    states:
      open: {title: Open, start_on: asked, owner: care_agent, on: {answered: done}}
      done: {title: Done, final: answered}
"""
PATIENCE = 60.0
CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"""


def asked(url: str, policies: str, subject: str) -> None:
    """Let an event happen now."""
    store = open_store(url)
    line = f'{{"id":"{subject}","source":"/t","type":"asked","subject":"{subject}"}}'.encode()
    Operation(store, policies, 0).take([(1, line)], Wall(lambda: time.time_ns() // 1_000))
    store.close()


@contextmanager
def watcher(url: str, policies: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that watches a store."""
    command = [sys.executable, "-m", "carepolicy", "tick", "--watch", "--store", url, "--policies", policies]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(fact: Callable[[], bool]) -> None:
    """Wait for a fact."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_a_watcher_ends_when_it_is_told_to(url: str, tmp_path: Path, number: int, status: int) -> None:
    policies = str(write_set(tmp_path / "set", FLOW))
    asked(url, policies, "s-1")
    with watcher(url, policies, tmp_path) as process:
        until(lambda: b"clock.late" in (tmp_path / "out").read_bytes())
        process.send_signal(number)
        assert process.wait(PATIENCE) == status
    assert (tmp_path / "err").read_bytes() == b""


def test_a_watcher_goes_on_when_its_connections_were_cut_and_tells_it_once(
    server: str, postgres: str, tmp_path: Path
) -> None:
    import psycopg

    policies = str(write_set(tmp_path / "set", FLOW))
    asked(postgres, policies, "s-1")

    def told(subject: str) -> bool:
        return any(
            b"clock.late" in line and subject.encode() in line for line in (tmp_path / "out").read_bytes().splitlines()
        )

    with watcher(postgres, policies, tmp_path) as process:
        until(lambda: told("s-1"))
        with psycopg.connect(server, autocommit=True) as connection:
            for _ in range(2):  # the second time it may not be at work again yet
                until(lambda: bool(connection.execute(CUT).fetchall()))
        asked(postgres, policies, "s-2")
        until(lambda: told("s-2"))
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    err = (tmp_path / "err").read_text()
    assert 1 <= err.count("trying again until it can be reached") <= 2
    assert err.count("can be reached again") == err.count("trying again until")
