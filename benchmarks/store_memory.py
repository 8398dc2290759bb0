"""Peak memory of commands on stores of two sizes, and how much the larger takes of the smaller.

    python benchmarks/store_memory.py [--cases 20000,200000] [--only tick,plan]

Each command is a process of its own on an SQLite store of so many open cases of ``tests/shop``; all of them are due by
the instant at which it works. What it takes should not grow with the cases: SQLite alone keeps up to 64 MB of pages.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from carepolicy.machine.bundle import load_bundle
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store

SHOP = Path(__file__).parents[1] / "tests" / "shop"
OPENED = "2026-03-02T10:00:00+00:00"
DUE = ("--now", "2026-03-20 10:00")
AT_A_TIME = 1_000

COMMANDS: dict[str, tuple[str, ...]] = {
    "case list": ("case", "list", "--format", "jsonl"),
    "case due": ("case", "due", "--format", "jsonl"),
    "outbox list": ("outbox", "list", "--format", "jsonl"),
    "verify": ("verify",),
    "plan": ("plan", "--policies", "CHANGED", *DUE),
    "tick": ("tick", *DUE),
    "apply": ("apply", "--policies", "CHANGED", *DUE),
}
"""In their order: `tick` and `apply` leave the store changed."""


class Peak(NamedTuple):
    """What a process took."""

    megabytes: float
    seconds: float


def lines(cases: int) -> Iterator[list[tuple[int, bytes | str]]]:
    for begin in range(0, cases, AT_A_TIME):
        yield [
            (number + 1, orjson.dumps({
                "specversion": "1.0", "id": f"e-{number}", "source": "/benchmark", "type": "email_received",
                "subject": f"mail-{number:07}", "time": OPENED,
                "data": {"customer.email": f"c{number}@example.org"},
            }))
            for number in range(begin, min(begin + AT_A_TIME, cases))
        ]  # fmt: skip


def fill(path: Path, cases: int) -> None:
    operation = Operation(open_store(f"sqlite:///{path}"), str(SHOP), 0)
    for some in lines(cases):
        operation.take(some)


def compile_set(folder: str) -> None:
    load_bundle(folder)


def changed_set(folder: Path) -> Path:
    """The same policies with a longer promise, so that each case's due times move."""
    shutil.copytree(SHOP, folder)
    flow = folder / "flows" / "email_inquiry.yaml"
    text = flow.read_text()
    changed = text.replace("{is: 3 business hours}", "{is: 5 business hours}")
    assert changed != text
    flow.write_text(changed)
    return folder


def peak(arguments: list[str]) -> Peak:
    """Run a command, and see what it took at its most."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "carepolicy", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{' '.join(arguments)}: {said}")
    return Peak(usage.ru_maxrss / 1024, time.perf_counter() - begun)


def by_another(work: str) -> None:
    """Let another process do some work of this module: what is measured begins with the memory of its parent."""
    subprocess.run([sys.executable, "-c", f"import store_memory as b; {work}"], check=True, cwd=Path(__file__).parent)


def measure(folder: Path, cases: int, names: list[str]) -> dict[str, Peak]:
    store = folder / f"care-{cases}.db"
    by_another(f"b.fill(b.Path({str(store)!r}), {cases})")
    found = {}
    for name in names:
        given = [str(folder / "changed") if each == "CHANGED" else each for each in COMMANDS[name]]
        found[name] = peak([*given, "--store", f"sqlite:///{store}"])
        print(f"{cases:>9,} cases  {name:12} {found[name].megabytes:7.0f} MB {found[name].seconds:7.1f} s", flush=True)
    for each in folder.glob(f"{store.name}*"):
        each.unlink()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="20000,200000")
    parser.add_argument("--only", default=",".join(COMMANDS))
    asked = parser.parse_args()
    small, large = (int(each) for each in asked.cases.split(","))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(CAREPOLICY_KEY_FILE=str(folder / "key"), CAREPOLICY_CACHE=str(folder / "cache"))
        changed = str(changed_set(folder / "changed"))
        by_another(f"b.compile_set({changed!r})")  # compiled once, which takes memory of its own
        names = asked.only.split(",")
        first, second = (measure(folder, each, names) for each in (small, large))
    for each in names:
        print(f"{each:12} {second[each].megabytes / first[each].megabytes:.2f} times, {large // small} times the cases")


if __name__ == "__main__":
    main()
