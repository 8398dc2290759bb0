"""What it costs to try a set beside the installed one (``carepolicy apply --shadow``).

    python benchmarks/shadow_speed.py [--cases 100000] [--events 20000] [--rounds 3] [--store postgresql://…]

A store is filled with open cases of the complaint flow. The same set with one more comment is tried beside it: what it
takes to begin, to run more events meanwhile (beside as many events before), and to tell where the two differ, each in a
process of its own. They must not differ.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from case_memory import openings
from complaint_events import lines

HERE = Path(__file__).parent
NOW = "2026-01-05T08:00:00+00:00"


class Told(NamedTuple):
    """What a command took: seconds, seconds of the processor, peak memory in bytes; and what it said."""

    seconds: float
    cpu: float
    memory: int
    out: str


def carepolicy(*arguments: str) -> Told:
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([sys.executable, "-m", "carepolicy", *arguments], stdout=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, arguments
        out.seek(0)
        said = out.read().decode()
    return Told(time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, said)


def rewritten(folder: Path, name: str, count: int, seed: int) -> str:
    """A log of ``count`` events whose ids and subjects are those of no other log."""
    path = folder / name
    with path.open("wb") as file:
        for line in lines(count, seed):
            file.write(line.replace(b'"e-', f'"{name}-'.encode()).replace(b"complaint-0", f"{name}-0".encode()) + b"\n")
    return str(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", help="an empty store in PostgreSQL, in place of a file of SQLite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="carepolicy-shadow-") as name:
        folder = Path(name)
        os.environ["CAREPOLICY_KEY_FILE"] = str(folder / "key")
        measure(asked, folder)


def measure(asked: argparse.Namespace, folder: Path) -> None:
    policies = str(HERE / "complaints")
    again = shutil.copytree(policies, folder / "again")
    with (again / "organisation.yaml").open("a") as file:
        file.write("\n# the same, said again\n")
    store = asked.store or f"sqlite:///{folder}/care.db"
    options = ("--store", store, "--policies", policies)
    run = ("run", *options, "--quiet", "--output", os.devnull, "--until", NOW, "--batch", "100")
    opening = folder / "opening"
    opening.write_bytes(b"".join(line + b"\n" for _, line in openings(0, asked.cases)))
    carepolicy(*run[:-1], "5000", str(opening))
    try_it = ("apply", "--shadow", "--store", store, "--policies", str(again))
    logs = [rewritten(folder, f"plain{number}", asked.events, number) for number in range(asked.rounds)]
    plain = statistics.median(carepolicy(*run, log).cpu for log in logs)
    tell(f"{asked.cases:,} open cases, begun", carepolicy(*try_it, "--now", NOW))
    logs = [rewritten(folder, f"tried{number}", asked.events, number) for number in range(asked.rounds)]
    tried = statistics.median(carepolicy(*run, log).cpu for log in logs)
    print(
        f"{asked.events:,} events in batches of 100: {tried / plain:.2f} times the CPU of the same with nothing tried"
    )
    compared = carepolicy(*try_it, "--format", "json")
    assert '"differ": 0' in compared.out, compared.out
    tell(f"stepped through {asked.rounds * asked.events:,} events and compared", compared)
    tell("compared again, with nothing new", carepolicy(*try_it))


def tell(what: str, told: Told) -> None:
    print(f"{what}: {told.seconds:.1f} s, {told.cpu:.1f} s of CPU, at most {told.memory / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
