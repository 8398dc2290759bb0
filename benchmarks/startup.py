"""How long short commands take from start to end, in times of ``python -c pass``.

    python benchmarks/startup.py [--rounds 15]

Each command is a process of its own, on a set whose compiled form is in the cache; the first call of each, which
fills the cache, is not counted. Figures are medians; the commands take turns, so that a busy moment of the machine hits
them alike. The bounds: ``--version`` 4 times, ``due`` 8 times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

POLICIES = str(Path(__file__).parents[1] / "policies")
CAREPOLICY = str(Path(sys.executable).with_name("carepolicy"))
BARE = "python -c pass"
BOUNDS = {"carepolicy --version": 4.0, "carepolicy due": 8.0}
LIMIT = ("due", "3 business hours", "--from", "2026-03-06 15:30", "--policies", POLICIES)


def commands(empty: str) -> dict[str, list[str]]:
    return {
        BARE: [sys.executable, "-c", "pass"],
        "carepolicy --version": [CAREPOLICY, "--version"],
        "carepolicy --help": [CAREPOLICY, "--help"],
        "carepolicy due": [CAREPOLICY, *LIMIT],
        "carepolicy due --explain": [CAREPOLICY, *LIMIT, "--explain"],
        "carepolicy run (no events)": [CAREPOLICY, "run", empty, "--policies", POLICIES, "--quiet"],
        "carepolicy check": [CAREPOLICY, "check", "--policies", POLICIES],
    }


def measured(rounds: int) -> dict[str, float]:
    """Seconds that each command takes, the median of its rounds."""
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "events.jsonl")
        empty.touch()
        # As installed: with bytecode kept, which pip writes too.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["CAREPOLICY_CACHE"] = str(Path(folder, "cache"))
        for turn in range(rounds + 1):
            for name, command in commands(str(empty)).items():
                begin = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True, env=environment)
                if turn:
                    times.setdefault(name, []).append(time.perf_counter() - begin)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    figures = measured(parser.parse_args().rounds)
    bare = figures[BARE]
    over = []
    for name, seconds in figures.items():
        bound = BOUNDS.get(name)
        told = "" if bound is None else f"  bound {bound:.0f}"
        print(f"{name:<28}{seconds * 1000:8.1f} ms {seconds / bare:6.1f} x{told}")
        if bound is not None and seconds > bound * bare:
            over.append(name)
    if over:
        print(f"over the bound: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
