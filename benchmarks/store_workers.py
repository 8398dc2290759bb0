"""What workers gain: `carepolicy run --store` over one log into PostgreSQL, by one process and by several, in turns.

python benchmarks/store_workers.py [--events 10000] [--workers 1,2,4] [--rounds 2]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path

from complaint_events import lines
from killing import seconds
from kills import POLICIES, carepolicy, fresh_store


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    crews = [int(each) for each in asked.workers.split(",")]
    with tempfile.TemporaryDirectory() as folder, fresh_store("postgres", folder) as url:
        os.environ["CAREPOLICY_KEY_FILE"] = f"{folder}/key"
        log = Path(folder) / "log.jsonl"
        log.write_bytes(b"".join(lines(asked.events)))
        for turn in range(asked.rounds):
            for crew in crews:
                store = ["--store", f"{url}&schema=run_{turn}_{crew}", "--batch", "500", "--quiet"]
                shared = ["--workers", str(crew)] if crew > 1 else []
                into = ["--output", f"{folder}/{turn}-{crew}.jsonl"]
                run = partial(carepolicy, "run", str(log), "--policies", POLICIES, *store, *shared, *into)
                print(f"{crew} at work: {seconds(run):.1f} s for {asked.events:,} events", flush=True)


if __name__ == "__main__":
    main()
