"""Events a second of ``carepolicy run`` on the ready policies, which send messages, tell staff and have three strata.

    python benchmarks/library_speed.py [--copies 300] [--rounds 5]

The log is that of ``make demo``, so many times over, each time about other orders and customers' letters. Beside it
stands orjson alone, which parses the same lines; and the records, since most of them bear the text of a message.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import orjson

from carepolicy.machine.bundle import compile_folder
from run_speed import carepolicy_run, orjson_alone, timed

ROOT = Path(__file__).resolve().parents[1]


def copies(number: int) -> list[bytes]:
    """The lines of the demo, so many times, in the order of time within each copy."""
    events = [orjson.loads(line) for line in (ROOT / "examples/demo/events.jsonl").read_bytes().splitlines()]
    return [
        orjson.dumps({**event, "id": f"{event['id']}-{copy}", "subject": f"{event['subject']}-{copy}"}) + b"\n"
        for copy in range(number)
        for event in events
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    data = copies(asked.copies)
    bundle = compile_folder(str(ROOT / "policies"))
    alone: list[float] = []
    whole: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        events, output = Path(folder) / "events.jsonl", Path(folder) / "records.jsonl"
        events.write_bytes(b"".join(data))
        for _ in range(asked.rounds):
            alone.append(timed(lambda: orjson_alone(data)))
            whole.append(timed(lambda: carepolicy_run(events, output, bundle)))
        size, records = output.stat().st_size, output.read_bytes().count(b"\n")
    taken = statistics.median(whole)
    print(f"{len(data):,} events, {records:,} records, {size / 1e6:.0f} MB, median of {asked.rounds}")
    print(f"  {len(data) / taken:,.0f} events/s, {records / taken:,.0f} records/s, {size / taken / 1e6:.0f} MB/s")
    print(f"  carepolicy / orjson: {taken / statistics.median(alone):.1f} times its time")


if __name__ == "__main__":
    main()
