"""How long `check --watch` takes to check a set of 50 flows again when one file was saved.

Run: python benchmarks/watch_speed.py [--flows 50] [--rounds 15]

The flows are copies of those in tests/shop. Each round changes one of them and times what the watch does then: reading
what changed, and all rules on the whole set. Beside it stands the time of checking the set from nothing in the same
process.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

from carepolicy.checks import check_folder
from carepolicy.editing.recheck import Rechecked

SHOP = Path(__file__).parents[1] / "tests" / "shop"
TODAY = date(2026, 3, 2)


def laid_down(root: Path, flows: int) -> list[Path]:
    """A set of so many flows in ``root``; its flows' files."""
    shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns("scenarios"))
    files = sorted((root / "flows").glob("*.yaml"))
    texts = {file.stem: file.read_text() for file in files}
    for number in range(flows - len(files)):
        name = ("email_inquiry", "complaint", "order_fulfilment")[number % 3]
        copy = root / "flows" / f"{name}_{number}.yaml"
        copy.write_text(texts[name].replace(f"flow: {name}", f"flow: {name}_{number}", 1))
        files.append(copy)
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    gc.set_threshold(100_000, 20, 20)  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "policies"
        files = laid_down(root, asked.flows)
        check_folder(root, TODAY)
        kept = Rechecked(str(root))
        kept.check(TODAY)
        again, anew, wall = [], [], []
        for number in range(asked.rounds):
            file = files[number % len(files)]
            file.write_text(file.read_text() + f"# saved {number}\n")
            began, clock = time.process_time(), time.perf_counter()
            kept.check(TODAY)
            again.append(time.process_time() - began)
            wall.append(time.perf_counter() - clock)
            began = time.process_time()
            check_folder(root, TODAY)
            anew.append(time.process_time() - began)
    again_ms, anew_ms, wall_ms = (statistics.median(each) * 1000 for each in (again, anew, wall))
    print(f"{asked.flows} flows, {asked.rounds} rounds, milliseconds of one processor, median")
    print(f"  one file saved, checked again  {again_ms:7.0f}   (by the clock on the wall {wall_ms:.0f})")
    print(f"  the set checked from nothing   {anew_ms:7.0f}")
    print(f"  ratio                          {anew_ms / again_ms:7.1f}")


if __name__ == "__main__":
    main()
