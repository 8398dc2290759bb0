"""Durable events a second, the latency of one, ticks of large stores, and `carepolicy event` as a process.

    python benchmarks/store_speed.py events [--events 5000] [--kinds sqlite,postgres]
    python benchmarks/store_speed.py tick [--cases 10000,1000000,10000000]
    python benchmarks/store_speed.py process [--rounds 15]

``events`` takes the same events in batches of 1, 100 and 1,000, notes the rows that were written, and writes the same
rows in the same batches by bare INSERTs (upserts where a row was written before) into an empty store like it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from carepolicy.store import statements
from carepolicy.store.opening import open_store
from carepolicy.store.operating import Operation
from carepolicy.store.shared import SqlTransaction
from complaint_events import lines
from kills import fresh_store

HERE = Path(__file__).parent
COMPLAINTS = str(HERE / "complaints")
POLICIES = str(HERE.parent / "policies")

Written = list[tuple[str, list[Any]]]


def noting(kind: type[SqlTransaction], written: list[Written]) -> Any:
    """Let transactions of a kind note each row that they write; the functions as they were."""
    plain = kind.claim, kind.save, kind.append

    def claim(self: Any, events: Any) -> Any:
        written[-1].append((statements.CLAIM, list(events)))
        return plain[0](self, events)

    def save(self: Any, subjects: Any, cases: Any, gone: Any) -> None:
        written[-1].append((statements.SAVE_SUBJECT, list(subjects)))
        written[-1].append((statements.SAVE_CASE, list(cases)))
        written[-1].append((statements.CLOSE_CASE, list(gone)))
        plain[1](self, subjects, cases, gone)

    def append(self: Any, records: Any, requests: Any) -> None:
        written[-1].append((statements.APPEND, list(records)))
        written[-1].append((statements.REQUEST, list(requests)))
        plain[2](self, records, requests)

    restore(kind, (claim, save, append))
    return plain


def restore(kind: type[SqlTransaction], functions: Any) -> None:
    for name, function in zip(("claim", "save", "append"), functions, strict=True):
        setattr(kind, name, function)


def transaction_kind(kind: str) -> type[SqlTransaction]:
    if kind == "sqlite":
        from carepolicy.store.sqlite import SqliteTransaction

        return SqliteTransaction
    from carepolicy.store.postgres import PostgresTransaction

    return PostgresTransaction


def batches(count: int, size: int) -> Iterator[list[tuple[int, bytes]]]:
    numbered = list(enumerate(lines(count), 1))
    for begin in range(0, count, size):
        yield numbered[begin : begin + size]


def durable(url: str, count: int, size: int) -> tuple[list[float], float]:
    """The seconds of each batch, and the seconds of this process's CPU."""
    store = open_store(url)
    operation = Operation(store, COMPLAINTS, 0)
    operation.bundle()
    took = []
    busy = time.process_time()
    for batch in batches(count, size):
        begun = time.perf_counter()
        operation.take(batch)
        took.append(time.perf_counter() - begun)
    busy = time.process_time() - busy
    store.close()
    return took, busy


def bare(url: str, written: list[Written]) -> tuple[float, float]:
    """The seconds that the rows take, and the seconds of this process's CPU."""
    store = open_store(url)
    begun, busy = time.perf_counter(), time.process_time()
    for batch in written:
        with store.transaction() as transaction:
            for sql, rows in batch:
                if rows:
                    transaction.many(sql, rows)
    took, busy = time.perf_counter() - begun, time.process_time() - busy
    store.close()
    return took, busy


def of_events(kinds: list[str], count: int) -> None:
    print(f"{'':9} {'batch':>6} {'events/s':>9} {'bare INSERTs/s':>15} {'share':>6} {'of CPU':>6}")
    for kind in kinds:
        for size in (1, 100, 1_000):
            few = count if size > 1 else max(500, count // 5)
            written: list[Written] = []
            plain = noting(transaction_kind(kind), written)
            with tempfile.TemporaryDirectory() as folder, fresh_store(kind, folder) as url:
                store = open_store(url)
                operation = Operation(store, COMPLAINTS, 0)
                written.append([])
                operation.bundle()
                written.clear()
                for batch in batches(few, size):
                    written.append([])
                    operation.take(batch)
                store.close()
            restore(transaction_kind(kind), plain)
            ours, theirs, shares = [], [], []
            latencies: list[float] = []
            for _ in range(3):
                with tempfile.TemporaryDirectory() as folder, fresh_store(kind, folder) as url:
                    latencies, our_cpu = durable(url, few, size)
                    ours.append(few / sum(latencies))
                with tempfile.TemporaryDirectory() as folder, fresh_store(kind, folder) as url:
                    seconds, their_cpu = bare(url, written)
                    theirs.append(few / seconds)
                shares.append(their_cpu / our_cpu)
            mine, his = statistics.median(ours), statistics.median(theirs)
            cpu = f"{statistics.median(shares):6.2f}" if kind == "sqlite" else ""  # a server's CPU is not seen here
            print(f"{kind:9} {size:6,} {mine:9,.0f} {his:15,.0f} {mine / his:6.2f} {cpu}", flush=True)
            if size == 1:
                ordered = sorted(latencies)
                p99 = ordered[int(len(ordered) * 0.99)] * 1000
                print(f"{'':9} one event: median {statistics.median(ordered) * 1000:.2f} ms, p99 {p99:.2f} ms")


def of_ticks(sizes: list[int]) -> None:
    """SQLite: one real case, copied by SQL; 100 of the copies are due."""
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=os.environ.get("BIG", None)) as folder:
            store = open_store(f"sqlite:///{folder}/care.db")
            operation = Operation(store, COMPLAINTS, 0)
            operation.take([(1, lines(1)[0])])
            copy_case(store, size)
            with store.reading() as transaction:
                soon = transaction.next_due()
            assert soon is not None
            took, records = [], 0
            for turn in range(5):
                begun = time.perf_counter()
                records = sum(done.records.count("\n") for done in operation.tick(soon + turn))
                took.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            with store.reading() as transaction:
                transaction.next_due()
            asked = time.perf_counter() - begun
            file = os.path.getsize(f"{folder}/care.db") / 1e9
            shown = " ".join(f"{each * 1000:.1f}" for each in took)
            told = f"tick {shown} ms ({records} records); next due {asked * 1e6:.0f} us; {file:.1f} GB"
            print(f"{size:11,} open cases, 100 due: {told}", flush=True)
            store.close()


def copy_case(store: Any, size: int) -> None:
    """Open cases of so many subjects. Timers of 100 fall due at each of five microseconds, the rest much later."""
    with store.transaction() as transaction:
        ((subject,),) = transaction.rows("SELECT subject FROM subjects")
        far = 90_000_000_000_000
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        transaction.run(
            f"""{numbers} INSERT INTO subjects (key, subject, due, merged_into, state)
            SELECT '', 'c-' || printf('%08d', i), due + CASE WHEN i <= 500 THEN (i - 1) / 100 ELSE ? + i END,
            NULL, state FROM n, subjects WHERE subject = ?""",
            (size, far, subject),
        )
        transaction.run(
            f"""{numbers} INSERT INTO cases ({statements.CASE_COLUMNS})
            SELECT '', 'c-' || printf('%08d', i), flow, version, state, role, person, late, opened + i, due, body,
            sealed FROM n, cases WHERE subject = ?""",
            (size, subject),
        )
        transaction.run("DELETE FROM cases WHERE subject = ?", (subject,))
        transaction.run("DELETE FROM subjects WHERE subject = ?", (subject,))


def there(file: str, policies: str) -> list[str]:
    return ["--store", f"sqlite:///{file}", "--policies", policies]


def of_process(rounds: int) -> None:
    commit = (
        "import sqlite3; c = sqlite3.connect('bare.db', isolation_level=None); c.execute('PRAGMA journal_mode=WAL'); "
        "c.execute('PRAGMA synchronous=FULL'); c.execute('CREATE TABLE IF NOT EXISTS t (a)'); "
        "c.execute('INSERT INTO t VALUES (1)')"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        environment |= {"CAREPOLICY_KEY_FILE": f"{folder}/key", "CAREPOLICY_CACHE": f"{folder}/cache"}
        took: dict[str, list[float]] = {}
        for turn in range(rounds + 1):
            event = [str(Path(sys.executable).parent / "carepolicy"), "event", "--quiet", "--at", "2026-03-02 10:00"]
            simple = ["complaint_received", f"c-{turn}", "complaint.severity=low"]
            private = ["email_received", f"m-{turn}", "customer.email=a@example.org"]
            for name, command in (
                ("python -c import sqlite3, one commit", [sys.executable, "-c", commit]),
                ("event, benchmarks/complaints", [*event, *simple, *there("a.db", COMPLAINTS)]),
                ("event, policies/, a private fact", [*event, *private, *there("b.db", POLICIES)]),
            ):
                begun = time.perf_counter()
                subprocess.run(command, check=True, cwd=folder, env=environment)
                took.setdefault(name, []).append(time.perf_counter() - begun)
        base = statistics.median(next(iter(took.values()))[1:])
        for name, each in took.items():
            middle = statistics.median(each[1:])
            print(f"{name:40} {middle * 1000:7.1f} ms {middle / base:5.1f} times")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("events", "tick", "process"))
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--kinds", default="sqlite,postgres")
    parser.add_argument("--cases", default=None)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    if asked.what == "events":
        of_events(asked.kinds.split(","), asked.events)
    elif asked.what == "tick":
        of_ticks([int(each) for each in (asked.cases or "10000,1000000,10000000").split(",")])
    else:
        of_process(asked.rounds)


if __name__ == "__main__":
    main()
