"""Rotations at once: two processes rotate the keys of one store, or of two stores with one key file, again and again at
the same time, while a third seals private facts of new subjects in each. After each round all that any store has sealed
is opened with what the key file holds.

    python benchmarks/rotations.py --rounds 1000
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from carepolicy.cli import app
from carepolicy.cli.times import wall_clock
from carepolicy.engine.instants import text_of
from carepolicy.store.live.entry import event_line
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store
from carepolicy.store.privacy.keys import given_keys
from carepolicy.store.privacy.seal import DataKeys

SHOP = str(Path(__file__).parents[1] / "tests" / "shop")
SEALED = ("cases", "records")
WAIT = 120.0
AT_A_TIME = 50
"""Rounds on the same stores, which grow."""


def rotate(url: str, told: Connection) -> None:
    """A process that rotates in each round, with the others."""
    while told.recv():
        time.sleep(random.uniform(0, 0.01))
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = app.run(["key", "rotate", "--drop-old", "--store", url])
        told.send((status, said.getvalue()))


def seal(urls: list[str], told: Connection) -> None:
    """A process that is at work on the stores all the time, and so has keys of before in memory."""
    operations = [Operation(open_store(url), SHOP, wall_clock()) for url in urls]
    bundles = [each.bundle() for each in operations]
    number = 0
    while told.recv():
        for _ in range(3):
            time.sleep(random.uniform(0, 0.02))
            number += 1
            for operation, bundle in zip(operations, bundles, strict=True):
                facts = (f"customer.email=c{number}@example.org",)
                now = text_of(wall_clock())
                line = event_line(bundle, "email_received", f"m-{number}", facts, now, None, "/rotations", {})
                operation.take([(1, line)])
        told.send((0, ""))


def opened(url: str) -> int:
    """How many things that a store has sealed were opened, which are all of them."""
    store = open_store(url)
    sealer = DataKeys(store)
    with store.reading() as transaction:
        found = [
            sealer.opened(each)
            for table in SEALED
            for (each,) in transaction.rows(f"SELECT sealed FROM {table} WHERE sealed IS NOT NULL")
        ]
    store.close()
    assert None not in found, "something sealed cannot be opened any more"
    return len(found)


def workers(urls: list[str]) -> Iterator[tuple[Connection, multiprocessing.Process]]:
    context = multiprocessing.get_context("spawn")
    for work, what in ((rotate, urls[0]), (rotate, urls[-1]), (seal, sorted(set(urls)))):
        here, there = context.Pipe()
        process = context.Process(target=work, args=(what, there), daemon=True)
        process.start()
        yield here, process


def rounds_on(stores: int, rounds: int) -> tuple[int, int, int]:
    """How many things were sealed, how many keys were left, and how often an old key was kept."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"CAREPOLICY_KEY_FILE": f"{folder}/key", "CAREPOLICY_CACHE": f"{folder}/cache"}
        os.environ.pop("CAREPOLICY_KEY", None)
        urls = [f"sqlite:///{folder}/{number}.db" for number in range(stores)]
        for url in urls:
            operation = Operation(store := open_store(url), SHOP, wall_clock())
            operation.bundle()
            store.close()
        crew = list(workers([urls[0], urls[-1]]))
        things = kept = 0
        for _ in range(rounds):
            for pipe, _ in crew:
                pipe.send(True)
            for pipe, _ in crew:
                assert pipe.poll(WAIT), "a process stands still"
                status, said = pipe.recv()
                assert status in (0, 1), said
                kept += status
            things = sum(map(opened, urls))
        for pipe, process in crew:
            pipe.send(False)
            process.join()
        return things, len(given_keys()), kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--stores", default="1,2")
    asked = parser.parse_args()
    for stores in asked.stores.split(","):
        begun, done, things, kept = time.perf_counter(), 0, 0, 0
        while done < asked.rounds:
            sealed, keys, more = rounds_on(int(stores), min(AT_A_TIME, asked.rounds - done))
            done, things, kept = done + min(AT_A_TIME, asked.rounds - done), things + sealed, kept + more
            told = f"{things:,} things sealed, all opened after each; {keys} keys left; {kept:,} times one was kept"
            took = time.perf_counter() - begun
            print(f"{stores} stores: {done:,} times two rotations at once in {took:.0f} s; {told}", flush=True)


if __name__ == "__main__":
    main()
