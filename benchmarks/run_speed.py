"""Events a second of ``carepolicy run``, beside orjson alone and beside ``transitions`` alone, in one process.

    python benchmarks/run_speed.py [--events 300000] [--rounds 5]

All three read the same lines. orjson parses them; ``transitions`` parses them and does the changes of state
(guards as conditions, one machine object a case, no clocks, no records); carepolicy does all of its work
and writes every record to a file.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from transitions import Machine

from carepolicy.cli.run import BLOCK
from carepolicy.collecting import seldom_collected
from carepolicy.engine.lines import numbered_lines
from carepolicy.engine.ordered import OrderedRun
from carepolicy.engine.stream import Run
from carepolicy.machine.bundle import compile_folder
from complaint_events import lines

HERE = Path(__file__).parent


def orjson_alone(data: list[bytes]) -> None:
    for line in data:
        orjson.loads(line)


class Complaint:
    """A case as users of ``transitions`` write it."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {"customer.tier": "standard"}

    def is_high(self, **data: Any) -> bool:
        return bool(self.facts.get("complaint.severity") == "high")

    def is_large(self, **data: Any) -> bool:
        return bool(self.facts.get("complaint.amount", 0) > 100)


def transitions_alone(data: list[bytes]) -> None:
    """The same lines through one shared ``transitions.Machine``; a model object for each case."""
    machine = Machine(
        model=None,
        states=[
            "received",
            "late",
            "acknowledged",
            "waiting",
            "investigating",
            "urgent",
            "approval",
            "remedy",
            "closed",
        ],
        initial="received",
        auto_transitions=False,
        ignore_invalid_triggers=True,
    )
    machine.add_transition("acknowledged", ["received", "late"], "acknowledged")
    machine.add_transition("assessed", "acknowledged", "urgent", conditions="is_high")
    machine.add_transition("assessed", "acknowledged", "investigating")
    machine.add_transition("info_asked", ["acknowledged", "investigating"], "waiting")
    machine.add_transition("customer_wrote", "waiting", "acknowledged")
    machine.add_transition("decided", "investigating", "approval", conditions="is_large")
    machine.add_transition("decided", "investigating", "remedy")
    machine.add_transition("decided", "urgent", "approval")
    machine.add_transition("approved", "approval", "remedy")
    machine.add_transition("remedy_done", "remedy", "closed")
    cases: dict[str, Any] = {}
    for line in data:
        event = orjson.loads(line)
        subject, kind = event["subject"], event["type"]
        case = cases.get(subject)
        if case is None:
            case = cases[subject] = Complaint()
            machine.add_model(case)
            case.facts.update(event.get("data", ()))
            continue
        if "data" in event:
            case.facts.update(event["data"])
        case.trigger(kind)
        if case.state == "closed":
            machine.remove_model(case)
            del cases[subject]


def carepolicy_run(events: Path, output: Path, bundle: Any) -> int:
    """All of ``carepolicy run`` but its command line: read a file, write every record to another."""
    with seldom_collected(), events.open("rb") as source, output.open("wb") as records, OrderedRun(Run(bundle)) as run:
        for block in numbered_lines(iter(lambda: source.read1(BLOCK), b"")):
            records.write(run.feed(block).encode())
        for text in run.finish(None):
            records.write(text.encode())
        return run.records_written


def timed(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    data = lines(asked.events)
    bundle = compile_folder(str(HERE / "complaints"))
    times: dict[str, list[float]] = {"orjson": [], "transitions": [], "carepolicy": []}
    written = 0
    with tempfile.TemporaryDirectory() as folder:
        events, output = Path(folder) / "events.jsonl", Path(folder) / "records.jsonl"
        events.write_bytes(b"".join(data))
        for _ in range(asked.rounds):
            times["orjson"].append(timed(lambda: orjson_alone(data)))
            times["transitions"].append(timed(lambda: transitions_alone(data)))
            begin = time.process_time()
            written = carepolicy_run(events, output, bundle)
            times["carepolicy"].append(time.process_time() - begin)
            output.unlink()
    median = {name: statistics.median(each) for name, each in times.items()}
    print(f"{len(data):,} events, {written:,} records ({written / len(data):.2f} an event), median of {asked.rounds}")
    for name, seconds in median.items():
        print(f"  {name:12} {seconds:7.3f} s  {len(data) / seconds:12,.0f} events/s")
    faster = median["transitions"] / median["carepolicy"]
    print(f"  carepolicy / transitions: {faster:.1f} times as many events/s (bound: 5)")
    print(f"  carepolicy / orjson:      {median['carepolicy'] / median['orjson']:.1f} times its time (bound: 16)")


if __name__ == "__main__":
    main()
