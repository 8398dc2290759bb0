"""Single bits of a store changed at random: `verify` finds each, or no answer of any command is another.

    python benchmarks/tamper.py [--changes 1000] [--seed 1]

A store with something in each of its tables is laid out in SQLite. One bit of a copy of its file is turned, and
`verify` looks at it. Where it finds nothing, everything that commands can read of the store is compared with what it
was: the rows of all tables, in the order of each index, and how the tables are laid out. It tells how many changes were
found in which way, how many changed nothing that can be read (bytes that no page uses), and each that was missed, of
which there must be none.
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
from pathlib import Path
from typing import Any

from carepolicy.store.faults import StoreFault
from carepolicy.store.opening import open_store
from carepolicy.store.verifying import verify
from full_store import fill, surroundings

MEMORY = "/dev/shm"
NOTHING, MISSED = "nothing that can be read was changed", "MISSED"


def answers(path: Path) -> Any:
    """All that can be read of a store."""
    connection = sqlite3.connect(path)
    try:
        master = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()
        found: list[Any] = [master]
        for kind, name, table, _ in master:
            if kind == "table":
                found.append(connection.execute(f"SELECT * FROM {table}").fetchall())
            elif kind == "index" and not name.startswith("sqlite_"):
                where = connection.execute(f"SELECT sql FROM sqlite_master WHERE name = '{name}'").fetchone()[0]
                condition = where[where.index(" WHERE ") :] if " WHERE " in where else ""
                sql = f"SELECT * FROM {table} INDEXED BY {name} {condition}"
                columns = where[where.index("(") + 1 : where.index(")")]
                found.append(connection.execute(f"{sql} ORDER BY {columns}").fetchall())
        found.append([connection.execute(f"PRAGMA {each}").fetchone() for each in ("user_version", "application_id")])
        return found
    finally:
        connection.close()


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
    """What bebecomes of one change."""
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    path.write_bytes(turned(whole, bit))
    found = looked_at(path)
    if found is not None:
        return found
    try:
        return NOTHING if answers(path) == before else MISSED
    except sqlite3.Error:
        return MISSED


def laid_out(folder: str) -> bytes:
    """The bytes of a full store."""
    fill(f"sqlite:///{folder}/care.db", folder)
    return Path(folder, "care.db").read_bytes()


def tamper(whole: bytes, changes: int, seed: int, path: Path) -> tuple[Counter[str], list[int]]:
    """Turn single bits of the bytes of a store; how often what became of it, and the bits that were missed."""
    path.write_bytes(whole)
    assert looked_at(path) is None, "the store is as it was written"
    before, chance = answers(path), random.Random(seed)
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
