"""Bytes of memory that ``carepolicy run`` keeps for each open case, and for each event that it remembers.

    python benchmarks/case_memory.py [--cases 20000]

Cases of the complaint flow are opened, with both clocks running, and stay open. What Python has allocated since
is divided by their number; it takes in the subject, the case, its facts, its rounds, and the id of its event.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import orjson

from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from complaint_events import lines as complaint_lines

HERE = Path(__file__).parent
WARM = 200


def openings(first: int, count: int) -> Iterator[tuple[int, bytes]]:
    for number in range(first, first + count):
        event = {
            "specversion": "1.0",
            "id": f"e-{number}",
            "source": "/benchmark",
            "type": "complaint_received",
            "subject": f"complaint-{number:06}",
            "time": "2026-01-05T08:00:00+00:00",
            "data": {"complaint.severity": "low", "customer.tier": "gold"},
        }
        yield number + 1, orjson.dumps(event)


def allocated(run: Run, lines: list[tuple[int, bytes]]) -> int:
    """What Python has allocated, and still holds, after a run has taken lines."""
    gc.collect()
    tracemalloc.start()
    run.feed(lines)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    asked = parser.parse_args()
    bundle = compile_folder(str(HERE / "complaints"))
    run = Run(bundle)
    run.feed(list(openings(0, WARM)))
    kept = allocated(run, list(openings(WARM, asked.cases)))
    ids = (WARM + asked.cases) * sys.getsizeof("e-10000") / asked.cases
    print(f"{asked.cases:,} open cases: {kept / asked.cases:,.0f} bytes each, of them {ids:,.0f} its event's id")
    log = list(enumerate(complaint_lines(6 * asked.cases), 1))
    run = Run(bundle)
    run.feed(log[:1000])
    kept = allocated(run, log[1000:])
    closed = len(run.strata[0].closed)
    print(
        f"{len(log):,} events about {closed:,} cases, of which {run.open_cases:,} stay open: "
        f"{kept / len(log):,.0f} bytes an event (its id, and a sixth of what is remembered of its closed case)"
    )


if __name__ == "__main__":
    main()
