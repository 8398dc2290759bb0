"""Single bits of a store changed at random: `verify` finds each, or no answer of any command is another.

    python benchmarks/tamper.py [--changes 1000] [--seed 1]

A store with something in each of its tables is laid out in SQLite, and one bit of its bytes is turned. Everything that
commands can read of it is compared with what it was: the rows of all tables, in the order of each index, and how the
tables are laid out. Where that is the same (mostly no page uses the byte), no answer is another; in all other cases,
and where the bit is one of the header of the file, `verify` looks at it. What it passes of the header must take an
event as before. Told is how many changes were found in which way, and each that was missed, of which there must be
none.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

from carepolicy.store.faults import StoreFault
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.records.verify import verify
from full_store import fill, surroundings

MEMORY = "/dev/shm"
HEADER = 100
"""Bytes at the beginning of a file that are about all of it: what they change is seen when something is written."""

ROLLBACK_JOURNAL = b"\x01\x01"
EVENT = b'{"specversion":"1.0","id":"n","source":"/n","type":"asked","subject":"t-20","time":"2026-03-03T09:00:00Z"}'
NOTHING, MISSED = "nothing that can be read was changed", "MISSED"


def answers(whole: bytes) -> Any:
    """All that can be read of a store."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(whole[:18] + ROLLBACK_JOURNAL + whole[20:])  # there is no other log in memory
        master = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()
        return [master, *(connection.execute(sql).fetchall() for sql in questions(tuple(master)))]


@cache
def questions(master: tuple[tuple[str, str, str, str], ...]) -> list[str]:
    """What is asked: each table in its own order, and in that of each index."""
    found = [f"SELECT * FROM {name}" for kind, name, _, _ in master if kind == "table"]
    for kind, name, table, sql in master:
        if kind == "index" and sql is not None:
            columns, _, where = sql[sql.index("(") + 1 :].partition(")")
            found.append(f"SELECT * FROM {table} INDEXED BY {name} {where} ORDER BY {columns}")
    return [*found, "PRAGMA user_version", "PRAGMA application_id"]


def looked_at(path: Path) -> str | None:
    """How `verify` finds what is wrong with a store; None where it finds nothing."""
    try:
        store = open_store(f"sqlite:///{path}", create=False)
        try:
            faults = verify(store).faults
        finally:
            store.close()
    except StoreFault as fault:
        return f"it cannot be worked with: {type(fault).__name__}"
    return f"{faults[0].kind}: {faults[0].table or 'the file'}" if faults else None


def turned(whole: bytes, bit: int) -> bytes:
    """The bytes with one bit turned."""
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def tried(whole: bytes, bit: int, before: Any, path: Path) -> str:
    """What becomes of one change."""
    changed = turned(whole, bit)
    if bit >= HEADER * 8:
        with suppress(sqlite3.Error, UnicodeDecodeError, TypeError, ValueError):  # tables may be called anything then
            if answers(changed) == before:
                return NOTHING
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    path.write_bytes(changed)
    found = looked_at(path)
    if found is not None:
        return found
    with suppress(StoreFault):
        if bit < HEADER * 8 and written(path) == written_to(whole, path):
            return NOTHING
    return MISSED


def written(path: Path) -> str:
    """What an event writes into a store."""
    store = open_store(f"sqlite:///{path}", create=False)
    try:
        return Operation(store, None, 0).take([(1, EVENT)]).records
    finally:
        store.close()


@cache
def written_to(whole: bytes, path: Path) -> str:
    """What it writes into the store as it was."""
    there = path.with_name("as_it_was.db")
    there.write_bytes(whole)
    return written(there)


def laid_out(folder: str) -> bytes:
    """The bytes of a full store."""
    fill(f"sqlite:///{folder}/care.db", folder)
    return Path(folder, "care.db").read_bytes()


def tamper(whole: bytes, changes: int, seed: int, path: Path) -> tuple[Counter[str], list[int]]:
    """Turn single bits of the bytes of a store; how often what became of it, and the bits that were missed."""
    path.write_bytes(whole)
    assert looked_at(path) is None, "the store is as it was written"
    before, chance = answers(whole), random.Random(seed)
    came: Counter[str] = Counter()
    missed = []
    for _ in range(changes):
        bit = chance.randrange(len(whole) * 8)
        what = tried(whole, bit, before, path)
        came[what] += 1
        if what == MISSED:
            missed.append(bit)
    return came, missed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as folder, surroundings(folder):
        came, missed = tamper(laid_out(folder), asked.changes, asked.seed, Path(folder, "changed.db"))
    for what, count in came.most_common():
        print(f"{count:9,}  {what}")
    took = time.perf_counter() - begun
    print(f"{asked.changes:9,}  changes of one bit in {took:,.0f} s; missed: {len(missed)} {missed}")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
