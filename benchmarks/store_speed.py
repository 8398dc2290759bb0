"""Durable events a second, the latency of one, ticks of large stores, and `carepolicy event` as a process.

    python benchmarks/store_speed.py events [--events 20000] [--kinds sqlite,postgres] [--batches 1,100] [--rounds 3]
    python benchmarks/store_speed.py tick [--cases 10000,1000000,10000000]
    python benchmarks/store_speed.py process [--rounds 15]

``events`` takes the same events in batches of 1, 100 and 1,000, notes all rows that were written, and writes the same
rows in the same batches by bare INSERTs (upserts where a row was written before) into an empty store like it, with the
same settings. Both take turns in one process, batch by batch, since the machine may be slower from one second to the
next; the share is the median of those of the rounds.

``process`` holds `carepolicy event` to at most ``BOUND`` times a bare Python that commits one row.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from carepolicy.cli.run import seldom_collected
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.sql import statements
from carepolicy.store.sql.sums import MAC
from carepolicy.store.sql.transaction import SqlTransaction
from complaint_events import lines
from kills import fresh_store

HERE = Path(__file__).parent
COMPLAINTS = str(HERE / "complaints")
SHOP = str(HERE.parent / "tests" / "shop")

Written = list[tuple[str, list[Any]]]


def noting(kind: type[SqlTransaction], written: list[Written]) -> Any:
    """Let transactions of a kind note each row that they write; the functions as they were."""
    names = ("_do", "_do_many", "claim", "_copy")
    plain = {name: getattr(kind, name) for name in names if hasattr(kind, name)}
    inside = []  # what a noted function calls is noted already

    def noted(name: str, rows_of: Callable[..., Written]) -> None:
        def function(self: Any, *given: Any) -> Any:
            if not inside:
                written[-1].extend(rows_of(*given))
            if name in ("claim", "_copy"):
                inside.append(name)
            try:
                return plain[name](self, *given)
            finally:
                if name in ("claim", "_copy"):
                    inside.pop()

        if name in plain:
            setattr(kind, name, function)

    def writes(sql: str, rows: list[Any]) -> Written:
        return [(sql, plainly(rows))] if sql.startswith(("INSERT", "UPDATE", "DELETE")) else []

    noted("_do", lambda sql, values=(): writes(sql, [values]))
    noted("_do_many", lambda sql, rows: writes(sql, list(rows)))
    noted("_copy", lambda table, columns, rows: writes(inserting(table, columns), list(rows)))
    noted("claim", lambda events: [(statements.CLAIM_ALL, [(*each, bytes(MAC)) for each in events])])
    return plain


def inserting(table: str, columns: str) -> str:
    values = ", ".join("?" * len(columns.split(",")))
    return f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({values})"


def plainly(rows: Iterable[Any]) -> list[Any]:
    """Rows as a program has them that nobody has made quick: bytes are bytes."""
    return [tuple(bytes(each) if type(each) is bytearray else each for each in row) for row in rows]


def restore(kind: type[SqlTransaction], functions: Any) -> None:
    for name, function in functions.items():
        setattr(kind, name, function)


def transaction_kind(kind: str) -> type[SqlTransaction]:
    if kind == "sqlite":
        from carepolicy.store.sql.sqlite import SqliteTransaction

        return SqliteTransaction
    from carepolicy.store.sql.postgres import PostgresTransaction

    return PostgresTransaction


def batches(count: int, size: int) -> Iterator[list[tuple[int, bytes]]]:
    numbered = list(enumerate(lines(count), 1))
    for begin in range(0, count, size):
        yield numbered[begin : begin + size]


def insert(store: Any, written: Written) -> None:
    """Write rows in one transaction."""
    with store.transaction() as transaction:
        for sql, rows in written:
            if rows:
                transaction._do_many(sql, rows)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def in_turns(kind: str, count: int, size: int, written: list[Written]) -> tuple[list[float], list[float]]:
    """The seconds of each batch of events, and of each batch of their rows; every other time the rows come first."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder, fresh_store(kind, folder) as url:
        other = f"{url}&schema=bare" if kind == "postgres" else f"sqlite:///{folder}/bare.db"
        store, bare = open_store(url), open_store(other)
        operation = Operation(store, COMPLAINTS, 0)
        operation.bundle()
        insert(bare, written[0])
        for turn, (batch, rows) in enumerate(zip(batches(count, size), written[1:], strict=True)):
            ways = [(ours, partial(operation.take, batch)), (theirs, partial(insert, bare, rows))]
            for took, work in ways if turn % 2 else reversed(ways):
                took.append(seconds(work))
        store.close()
        bare.close()
    return ours, theirs


def noted_writes(kind: str, count: int, size: int) -> list[Written]:
    """All rows that a store is begun with, and that some events make it write, batch by batch."""
    written: list[Written] = []
    plain = noting(transaction_kind(kind), written)
    with tempfile.TemporaryDirectory() as folder, fresh_store(kind, folder) as url:
        store = open_store(url)
        operation = Operation(store, COMPLAINTS, 0)
        written.append([])
        operation.bundle()
        for batch in batches(count, size):
            written.append([])
            operation.take(batch)
        store.close()
    restore(transaction_kind(kind), plain)
    return written


def of_events(kinds: list[str], count: int, sizes: list[int], rounds: int) -> None:
    print(f"{'':9} {'batch':>6} {'events/s':>9} {'bare INSERTs/s':>15} {'share':>6} {'least':>6} {'most':>6}")
    for kind in kinds:
        for size in sizes:
            few = count if size > 1 else max(500, count // 10)
            written = noted_writes(kind, few, size)
            took = [in_turns(kind, few, size, written) for _ in range(rounds)]
            shares = sorted(sum(theirs) / sum(ours) for ours, theirs in took)
            mine, his = (few / statistics.median(map(sum, each)) for each in zip(*took, strict=True))
            told = f"{statistics.median(shares):6.2f} {shares[0]:6.2f} {shares[-1]:6.2f}"
            print(f"{kind:9} {size:6,} {mine:9,.0f} {his:15,.0f} {told}", flush=True)
            if size == 1:
                for name, each in zip(("one event", "bare"), zip(*took, strict=True), strict=True):
                    middle, p99 = (statistics.median(percentile(one, part) for one in each) for part in (50, 99))
                    print(f"{'':9} {name}: median {middle * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms")


def percentile(seconds: list[float], part: int) -> float:
    return sorted(seconds)[len(seconds) * part // 100]


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
    """Open cases of so many subjects. Timers of 100 fall due at each of five microseconds, the rest much later.
    They are written past the macs, which ticks do not look at."""
    with store.transaction() as transaction:
        ((subject,),) = transaction.rows("SELECT subject FROM subjects")
        far = 90_000_000_000_000
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        transaction._do(
            f"""{numbers} INSERT INTO subjects (key, subject, due, merged_into, state)
            SELECT '', 'c-' || printf('%08d', i), due + CASE WHEN i <= 500 THEN (i - 1) / 100 ELSE ? + i END,
            NULL, state FROM n, subjects WHERE subject = ?""",
            (size, far, subject),
        )
        transaction._do(
            f"""{numbers} INSERT INTO cases ({statements.CASE_COLUMNS})
            SELECT '', 'c-' || printf('%08d', i), flow, version, state, role, person, late, opened + i, due, body,
            sealed FROM n, cases WHERE subject = ?""",
            (size, subject),
        )
        transaction._do("DELETE FROM cases WHERE subject = ?", (subject,))
        transaction._do("DELETE FROM subjects WHERE subject = ?", (subject,))


def there(file: str, policies: str) -> list[str]:
    return ["--store", f"sqlite:///{file}", "--policies", policies]


BOUND = 5
"""How many times as long as a bare Python with a commit an event may take as a process."""


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
                ("event, tests/shop, a private fact", [*event, *private, *there("b.db", SHOP)]),
            ):
                begun = time.perf_counter()
                subprocess.run(command, check=True, cwd=folder, env=environment)
                took.setdefault(name, []).append(time.perf_counter() - begun)
        base = statistics.median(next(iter(took.values()))[1:])
        for name, each in took.items():
            middle = statistics.median(each[1:])
            told = "" if middle == base else f"  bound {BOUND}" + ("" if middle <= BOUND * base else ", over it")
            print(f"{name:40} {middle * 1000:7.1f} ms {middle / base:5.1f} times{told}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("events", "tick", "process"))
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--kinds", default="sqlite,postgres")
    parser.add_argument("--batches", default="1,100,1000")
    parser.add_argument("--cases", default=None)
    parser.add_argument("--rounds", type=int, default=None)
    asked = parser.parse_args()
    if asked.what == "events":
        sizes = [int(each) for each in asked.batches.split(",")]
        with seldom_collected():  # as in `carepolicy run`
            of_events(asked.kinds.split(","), asked.events, sizes, asked.rounds or 3)
    elif asked.what == "tick":
        of_ticks([int(each) for each in (asked.cases or "10000,1000000,10000000").split(",")])
    else:
        of_process(asked.rounds or 15)


if __name__ == "__main__":
    main()
