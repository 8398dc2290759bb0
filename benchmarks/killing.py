"""Kills a process that runs events into a store, again and again at random instants, and lets it go on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SHORTEST, LONGEST = 0.1, 1.6
"""Seconds that the longest life may last: from before the first event is read to some hundred events later."""


class Survivor:
    """`carepolicy run FILE --store URL --resume`, which is killed ``kills`` times before it may end.

    Each life lasts until some of its time is over, drawn anew; lives are made shorter or longer so that
    the events last for all kills.
    """

    def __init__(self, command: list[str], kills: int, seed: int = 1, longest: float = 1.0) -> None:
        self._command = [sys.executable, "-m", "carepolicy", *command]
        self._rng = random.Random(seed)
        self._kills = kills
        self._longest = longest
        self.killed = 0
        self.came_to_its_end = False

    def live(self, progress: Callable[[], float]) -> None:
        """Live and be killed until the number of kills is reached, then live to the end. ``progress`` tells which
        share of the work is done."""
        while self.killed < self._kills and not self.came_to_its_end:
            self._one_life()
            wanted = 0.95 * self.killed / self._kills  # a little is left for the life that is not ended
            self._longest = min(LONGEST, max(SHORTEST, self._longest * (0.7 if progress() > wanted else 1.1)))
        if not self.came_to_its_end:
            done = subprocess.run(self._command, check=False, capture_output=True, timeout=600)
            self.came_to_its_end = done.returncode == 0
            assert self.came_to_its_end, done.stderr.decode()

    def _one_life(self) -> None:
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            process.wait(timeout=self._rng.random() * self._longest)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            self.killed += 1
        _, said = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"status {process.returncode}: {said.decode()}")
        self.came_to_its_end = process.returncode == 0


def share_of_lines(output: Path, lines: int) -> Callable[[], float]:
    """Which share of so many lines an output file has."""

    def share() -> float:
        return output.read_bytes().count(b"\n") / lines if output.exists() else 0.0

    return share


def seconds(work: Callable[[], None]) -> float:
    """How long some work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [each for each in map(int, told) if _is_worker(each)]
    except OSError:
        return []


def _is_worker(pid: int) -> bool:
    """Whether a child takes events; the other child of such a process keeps watch over what they share."""
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def kill_workers(process: subprocess.Popen[bytes], pause: float, most: int, seed: int = 1) -> int:
    """Kill a worker of a process after each pause, until it ends or so many were killed; how many were."""
    rng, killed = random.Random(seed), 0
    while process.poll() is None and killed < most:
        try:
            process.wait(timeout=pause)
        except subprocess.TimeoutExpired:
            workers = children(process.pid)
            if workers:
                os.kill(rng.choice(workers), signal.SIGKILL)
                killed += 1
    process.wait()
    return killed
