"""Events a second of ``carepolicy run`` on five logs, beside ``transitions`` and orjson, all in one process.

    python benchmarks/run_speed.py [--events 100000] [--rounds 5] [--logs nested,dotted,sparse,year,policies]

The first three logs are of the same complaints: each event brings nested data (``{"customer":{"tier":"gold"}}``), or
the same data under dotted names, or only what it must. The fourth is a year of a shop with all flows of policies/
(``shop_year.py``), the fifth the log of ``make demo`` on them, so many times over: strata, messages, tasks. Beside
carepolicy stand, on the same lines:

- ``orjson``: ``orjson.loads`` of each line, and nothing else;
- ``codec``: the least that an engine must do: each line of a file read, and each record of the run written to a
  file, by orjson alone;
- ``transitions``: each line read by orjson and the changes of state done (guards as conditions, one machine object a
  case, no clocks, no records).

Times are processor seconds of one process, the least of rounds that take turns; only ratios mean something on a machine
that others use. The script ends with status 1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from transitions import Machine

import shop_year
from carepolicy.cli.run import BLOCK, seldom_collected
from carepolicy.engine.intake import numbered_lines
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from carepolicy.spool import spool
from complaint_events import lines

HERE = Path(__file__).parent
ROOT = HERE.parent

CODEC, CODEC_OF_POLICIES, TRANSITIONS = 4.0, 8.0, 8.0
"""The bounds: so many times the codec's time at most, so many times the events a second of ``transitions`` at least."""


class Log(NamedTuple):
    """Lines, and the folder of the set that they are run through."""

    name: str
    lines: list[bytes]
    root: Path


def demo_lines(count: int) -> list[bytes]:
    """At least ``count`` lines: those of the demo, many times over, in the order of time within each copy."""
    events = [orjson.loads(line) for line in (ROOT / "examples/demo/events.jsonl").read_bytes().splitlines()]
    return [
        orjson.dumps({**event, "id": f"{event['id']}-{copy}", "subject": f"{event['subject']}-{copy}"}) + b"\n"
        for copy in range(-(-count // len(events)))
        for event in events
    ]


LOGS: dict[str, Callable[[int], Log]] = {
    "nested": lambda count: Log("nested", lines(count, every=True, nested=True), HERE / "complaints"),
    "dotted": lambda count: Log("dotted", lines(count, every=True), HERE / "complaints"),
    "sparse": lambda count: Log("sparse", lines(count), HERE / "complaints"),
    "year": lambda count: Log("year", shop_year.lines(count), ROOT / "policies"),
    "policies": lambda count: Log("policies", demo_lines(count // 2), ROOT / "policies"),
}


def orjson_alone(data: list[bytes]) -> None:
    for line in data:
        orjson.loads(line)


def codec(events: Path, records: list[Any], output: Path) -> None:
    """The same events read and the same records written, by orjson alone."""
    with seldom_collected(), events.open("rb") as source, output.open("wb") as written:
        begin = 0
        each = BLOCK * len(records) // events.stat().st_size + 1
        for block in numbered_lines(iter(lambda: source.read1(BLOCK), b"")):
            for _, line in block:
                orjson.loads(line)
            texts = [orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records[begin : begin + each]]
            written.write(b"".join(texts))
            begin += each
        for record in records[begin:]:
            written.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


class Complaint:
    """A case as users of ``transitions`` write it."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {"customer.tier": "standard"}

    def take(self, data: dict[str, Any]) -> None:
        for name, value in data.items():
            if isinstance(value, dict):
                self.facts.update({f"{name}.{inner}": each for inner, each in value.items()})
            else:
                self.facts[name] = value

    def is_high(self, **data: Any) -> bool:
        return bool(self.facts.get("complaint.severity") == "high")

    def is_large(self, **data: Any) -> bool:
        return bool(self.facts.get("complaint.amount", 0) > 100)


STATES = ("received", "late", "acknowledged", "waiting", "investigating", "urgent", "approval", "remedy", "closed")


def transitions_alone(data: list[bytes]) -> None:
    """The same lines through one shared ``transitions.Machine``; a model object for each case."""
    machine = Machine(
        model=None,
        states=list(STATES),
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
            case.take(event.get("data", {}))
            continue
        if "data" in event:
            case.take(event["data"])
        case.trigger(kind)
        if case.state == "closed":
            machine.remove_model(case)
            del cases[subject]


def carepolicy_run(events: Path, output: Path, bundle: Any) -> None:
    """All of ``carepolicy run`` but its command line: read a file, write every record to another."""
    ordered = OrderedRun(Run(bundle, as_lines=True), spool)
    with seldom_collected(), events.open("rb") as source, output.open("wb") as records, ordered as run:
        for block in numbered_lines(iter(lambda: source.read1(BLOCK), b"")):
            records.write(run.feed(block).encode())
        for written in run.finish_bytes(None):
            records.write(written)


def timed(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def measured(log: Log, rounds: int, of_transitions: bool) -> bool:
    """Print what one log takes; whether all bounds hold."""
    bundle = compile_folder(str(log.root))
    with tempfile.TemporaryDirectory() as folder:
        events, output, copy = (Path(folder) / f"{name}.jsonl" for name in ("events", "records", "copy"))
        events.write_bytes(b"".join(log.lines))
        carepolicy_run(events, output, bundle)
        written = [orjson.loads(line) for line in output.read_bytes().splitlines()]
        ways: dict[str, Callable[[], object]] = {
            "orjson": partial(orjson_alone, log.lines),
            "codec": partial(codec, events, written, copy),
            "carepolicy": partial(carepolicy_run, events, output, bundle),
        }
        if of_transitions:
            ways["transitions"] = partial(transitions_alone, log.lines)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, work in ways.items():
                times[name].append(timed(work))
        assert output.read_bytes() == copy.read_bytes(), "the codec writes the same bytes"
    return told(log, len(written), {name: min(each) for name, each in times.items()})


def told(log: Log, records: int, seconds: dict[str, float]) -> bool:
    count = len(log.lines)
    print(f"{log.name}: {count:,} events, {records:,} records ({records / count:.2f} an event)")
    for name, each in seconds.items():
        print(f"  {name:12} {each:7.3f} s  {count / each:12,.0f} events/s")
    bound = CODEC_OF_POLICIES if log.root == ROOT / "policies" else CODEC
    slower = seconds["carepolicy"] / seconds["codec"]
    print(f"  carepolicy / orjson: {seconds['carepolicy'] / seconds['orjson']:.1f} times its time")
    print(f"  carepolicy / codec:  {slower:.2f} times its time (bound: at most {bound:g})")
    if "transitions" not in seconds:
        return slower <= bound
    faster = seconds["transitions"] / seconds["carepolicy"]
    print(f"  carepolicy / transitions: {faster:.2f} times as many events/s (bound: at least {TRANSITIONS:g})")
    return slower <= bound and faster >= TRANSITIONS


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--logs", default=",".join(LOGS))
    parser.add_argument("--without-transitions", action="store_true", help="it takes most of the time")
    asked = parser.parse_args(arguments)
    held = True
    for name in asked.logs.split(","):
        log = LOGS[name](asked.events)
        held &= measured(log, asked.rounds, log.root != ROOT / "policies" and not asked.without_transitions)
    if not held:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
