"""Random policy sets, each run by the engine and by the slow interpreter of tests/oracle: how many say the same.

    python benchmarks/oracle_runs.py [--sets 10000] [--logs 4] [--from 0] [--jobs 2]

Each set is run on random logs of its own; in every second one the engine writes its moves out at once. A difference is
printed in its smallest form, and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from oracle.differences import Compared, compared
from oracle.random_sets import LOGS

TOLD = 20  # differences that are shown; the rest are counted


def one_set(number: int, logs: int) -> list[Compared]:
    return [compared(number * LOGS + log) for log in range(logs)]


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", type=int, default=10_000)
    asked.add_argument("--logs", type=int, default=LOGS, choices=range(1, LOGS + 1), help="of each set")
    asked.add_argument("--from", type=int, default=0, dest="first", help="the number of the first set")
    asked.add_argument("--jobs", type=int, default=2)
    given = asked.parse_args()
    sets = logs = records = differing = tried = 0
    with ProcessPoolExecutor(given.jobs) as pool:
        while sets < given.sets:
            numbers = range(given.first + tried, given.first + tried + min(given.sets - sets, 500))
            tried += len(numbers)
            for found in pool.map(one_set, numbers, repeat(given.logs), chunksize=10):
                held = [each for each in found if not each.why_not]
                sets += bool(held)
                logs += len(held)
                records += sum(each.records for each in held)
                for each in held:
                    differing += bool(each.difference)
                    if each.difference and differing <= TOLD:
                        print(f"seed {each.seed}\n{each.difference}\n", flush=True)
            print(f"{sets:,} sets, {logs:,} logs, {records:,} records: {differing} logs differ", flush=True)
    print(f"{tried - sets:,} more sets were left out: the check refused them, or they go round by time alone")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
