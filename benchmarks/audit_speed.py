"""What ``carepolicy audit`` takes of a log of complaints, beside others who only read the same files.

    python benchmarks/audit_speed.py [--events 1000000] [--rich] [--rounds 3] [--rows audit-xes,r4pm-xes] [--folder DIR]

Each row is a process of its own, and rows take turns. Told are the least processor seconds of all rounds (those of its
workers added), the least seconds by the clock, and the most memory that a process and its workers held, added up. What
is measured includes starting Python and importing, from bytecode that is there; ``start`` tells how much that is. Only
the logs are made that rows need; how far all is goes to standard error. Beside carepolicy, on the same
files (``audit_logs.py`` says what is in them):

- ``duckdb-jsonl``, ``duckdb-parquet``: DuckDB reads the file, sorts it by case and time, and hands on every row;
- ``spark-jsonl``: the same audit by Spark on this machine, where pyspark and Java are installed;
- ``r4pm-xes``, ``r4pm-xes.gz``: ``r4pm.df.import_xes`` (Rust) makes a table of the log;
- ``pm4py-iterparse``, ``pm4py-chunk_regex``: pm4py's own importers, by these names, without r4pm.

Bounds: XES to verdicts takes no longer by the clock than r4pm's import, with as many workers as there are rows for, and
a third at most of what pm4py takes by itself (``iterparse``), in processor seconds. The script ends with 1 where one is
broken. Packed logs have no bound: several workers all unpack the whole.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import carepolicy
from audit_logs import FORMS

HERE = Path(__file__).parent
SET = HERE / "complaints"

DUCKDB = """
import duckdb, sys
path, memory = sys.argv[1:]
base = duckdb.connect()
base.execute(f"SET memory_limit = '{memory}'; SET enable_progress_bar = false; SET temp_directory = '{path}.tmp'")
text = ("SELECT * FROM read_json('%s', format = 'newline_delimited') ORDER BY subject, time" if path.endswith("jsonl")
        else "SELECT * FROM read_parquet('%s') ORDER BY \\"case\\", \\"at\\"")
found = base.execute(text % path)
while found.fetchmany(10_000):
    pass
"""
R4PM = "import r4pm, sys; table, _ = r4pm.df.import_xes(sys.argv[1])"
PM4PY = """
import sys, warnings
from pm4py.objects.log.importer.xes import importer
importer.apply(sys.argv[1], variant=sys.argv[2], parameters={"show_progress_bar": False})
"""

EVERY_MS = 20
TOLD_EVERY_S = 30


class Took(NamedTuple):
    """Processor seconds, seconds by the clock, and megabytes."""

    cpu: float
    clock: float
    memory: float


def rows_of(folder: Path) -> dict[str, list[str]]:
    """The command of each row."""
    python = [sys.executable]
    audit = [*python, "-m", "carepolicy", "audit", "--policies", str(SET), "--format", "json"]
    files = {form: str(folder / f"log.{form}") for form in ("jsonl", "parquet", "xes", "xes.gz")}
    mapped = {"jsonl": [], "parquet": ["--map", "complaints_parquet"]}
    rows: dict[str, list[str]] = {"start": [*python, "-m", "carepolicy", "--version"]}
    for form, path in files.items():
        one = [*audit, path, *mapped.get(form, ["--map", "complaints_xes"])]
        rows[f"audit-{form}"] = one
        rows[f"audit-{form}-2"] = [*one, "--workers", "2"]
    if find_spec("pyspark") is not None and shutil.which("java"):
        rows["spark-jsonl"] = [*audit, files["jsonl"], "--engine", "spark"]
    for form in ("jsonl", "parquet"):
        rows[f"duckdb-{form}"] = [*python, "-c", DUCKDB, files[form], "1GB"]
    for form in ("xes", "xes.gz"):
        rows[f"r4pm-{form}"] = [*python, "-c", R4PM, files[form]]
    for variant in ("iterparse", "chunk_regex"):
        rows[f"pm4py-{variant}"] = [*python, "-c", PM4PY, files["xes"], variant]
    return rows


def family(pid: int) -> list[int]:
    """A process and those that it started."""
    found = [pid]
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += family(int(child))
    return found


def most_memory(pid: int) -> int:
    """Kilobytes that a process held at its most, since it runs its program."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def spent(pid: int) -> float:
    """Processor seconds of a process so far; 0 where it has ended."""
    with suppress(OSError):
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0


def measured(name: str, command: Sequence[str]) -> Took:
    """Run a row."""
    begin = told = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        most: dict[int, int] = {}
        seconds: dict[int, float] = {}
        while True:
            for each in family(process.pid):
                most[each] = max(most.get(each, 0), most_memory(each))
                seconds[each] = max(seconds.get(each, 0), spent(each))
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if time.perf_counter() > told + TOLD_EVERY_S:
                told = time.perf_counter()
                tell(f"{name}: {told - begin:.0f} s, {sum(most.values()) / 1024:.0f} MB at the most")
            time.sleep(EVERY_MS / 1000)
        clock = time.perf_counter() - begin
        if status:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}: {said.read().decode()[-2000:]}")
    waited_for = usage.ru_utime + usage.ru_stime
    return Took(max(waited_for, sum(seconds.values())), clock, sum(most.values()) / 1024)


def tell(text: str) -> None:
    """Say how far it is."""
    print(text, file=sys.stderr, flush=True)


def by_another(work: Sequence[str]) -> None:
    """Make the logs in another process, so that this one stays small."""
    subprocess.run([sys.executable, *work], check=True)


def told(found: dict[str, Took], events: int) -> bool:
    """Print what rows took; whether the bounds hold."""
    print(f"{'row':20} {'CPU s':>8} {'us/event':>9} {'clock s':>8} {'MB':>7}")
    for name, took in found.items():
        each = took.cpu / events * 1e6
        print(f"{name:20} {took.cpu:8.2f} {each:9.2f} {took.clock:8.2f} {took.memory:7.0f}")
    held = True
    for form in ("xes", "xes.gz"):
        rust = found.get(f"r4pm-{form}")
        for name in (f"audit-{form}", f"audit-{form}-2"):
            if rust is not None and name in found:
                cpu, clock = found[name].cpu / rust.cpu, found[name].clock / rust.clock
                print(f"{name} / r4pm-{form}: {cpu:.2f} times its CPU, {clock:.2f} times by the clock")
    ours = [found[name].clock for name in ("audit-xes", "audit-xes-2") if name in found]
    if ours and "r4pm-xes" in found:
        times = min(ours) / found["r4pm-xes"].clock
        print(f"the quickest audit of XES / r4pm-xes: {times:.2f} times by the clock (bound: 1)")
        held &= times <= 1
    for variant in ("iterparse", "chunk_regex"):
        own = found.get(f"pm4py-{variant}")
        if own is not None and "audit-xes" in found:
            faster = own.cpu / found["audit-xes"].cpu
            bound = " (bound: at least 3)" if variant == "iterparse" else ""
            print(f"pm4py-{variant} / audit-xes: {faster:.2f} times its CPU{bound}")
            held &= not bound or faster >= 3
    for form in ("jsonl", "parquet"):
        if f"duckdb-{form}" in found and f"audit-{form}" in found:
            times = found[f"audit-{form}"].cpu / found[f"duckdb-{form}"].cpu
            print(f"audit-{form} / duckdb-{form}: {times:.2f} times its CPU")
    return held


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rich", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", help="only these, with commas between")
    parser.add_argument("--folder", type=Path, help="where logs are kept for another time")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as thrown_away:
        folder = asked.folder or Path(thrown_away)
        rows = rows_of(folder)
        wanted = asked.rows.split(",") if asked.rows else [*rows]
        unknown = [each for each in wanted if each not in rows]
        if unknown:
            parser.error(f"there is no row {unknown[0]}: there are {', '.join(rows)}")
        forms = [form for form in FORMS if any(str(folder / f"log.{form}") in rows[name] for name in wanted)]
        rich = ["--rich"] if asked.rich else []
        tell(f"making logs of {asked.events:,} events")
        make = [str(HERE / "audit_logs.py"), str(folder), "--events", str(asked.events), *rich]
        by_another([*make, "--forms", ",".join(forms)] if forms else ["-c", ""])
        by_another(["-m", "compileall", "-q", *map(str, carepolicy.__path__)])
        found: dict[str, Took] = {}
        for number in range(1, asked.rounds + 1):
            for name in wanted:
                took = measured(name, rows[name])
                tell(f"{name}, round {number}: {took.cpu:.1f} s of CPU, {took.clock:.1f} s, {took.memory:.0f} MB")
                before = found.get(name, took)
                found[name] = Took(
                    min(took.cpu, before.cpu), min(took.clock, before.clock), max(took.memory, before.memory)
                )
    if not told(found, asked.events):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
