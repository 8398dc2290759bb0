"""Tasks a second on one core: our loop, beside a bare queue in SimPy; and how near the mean wait comes to Erlang C.

    python benchmarks/simulation_speed.py [--tasks 1000000] [--rounds 3] [--policies tests/shop]

A queue that is always open, with one clock, ten people and 75 % load; the same calls and lengths of work in SimPy, with
a resource and a process for each call and nothing else. Then the e-mail flow of a set, with its calendars, clocks,
timers and two roles. CPU time of this process, the best of the rounds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from carepolicy.checks.staff import read_staff
from carepolicy.machine.bundle import load_bundle
from carepolicy.simulation.run import Run
from carepolicy.simulation.scene import Scene, SceneMaker, known_to
from simulation.halls import DAY, MINUTE, Hall, moment
from simulation.test_simulation_command import EMAILS
from simulation.test_simulation_queue import erlang_c

PEOPLE, CALLS, MINUTES = 10, 150, 3
BOUND = 100_000
STAFF = f"""
roles: {{agent: {{people: {PEOPLE}}}}}
work: {{call: {MINUTES} minutes}}
ways: {{call.waiting: {{call_answered: 100%}}}}
"""


def best(rounds: int, work: Callable[[], int]) -> float:
    """Tasks a second."""
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        tasks = work()
        found.append(tasks / (time.process_time() - begun))
    return max(found)


def by_simpy(tasks: int) -> int:
    import simpy

    chance = Random(1)
    environment = simpy.Environment()
    desk = simpy.Resource(environment, PEOPLE)
    waits: list[float] = []

    def call() -> Iterator[Any]:
        came = environment.now
        with desk.request() as mine:
            yield mine
            waits.append(environment.now - came)
            yield environment.timeout(chance.expovariate(1 / MINUTES))

    def calls() -> Iterator[Any]:
        for _ in range(tasks):
            yield environment.timeout(chance.expovariate(CALLS / 60))
            environment.process(call())

    environment.process(calls())
    environment.run()
    return len(waits)


def emails(policies: str) -> Scene:
    bundle = load_bundle(policies)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "staff.yaml"
        path.write_text(EMAILS.replace("people: 3, absent: 5%", "people: 120"), encoding="utf-8")
        staff, findings = read_staff(str(path), known_to(bundle))
    assert staff is not None, findings
    idle = ("email_inquiry.answered",)
    maker = SceneMaker(bundle, ["email_inquiry"], staff, dict.fromkeys(bundle.role_titles, "office"), idle=idle)
    begin = moment("2026-03-02 00:00")
    end = begin + 30 * DAY
    return maker.scene(begin, end, maker.streams(["3000 per business day"], begin, end), {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--policies", default="tests/shop")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hall = Hall(Path(folder), "5 minutes", "always", late_moves=False)
        scene = hall.scene(f"{CALLS} per hour", STAFF, days=28)
        ours = best(asked.rounds, lambda: Run(scene, 1).play().tasks)
        print(f"our loop, one clock:          {ours:9,.0f} tasks/s")
        theirs = best(asked.rounds, lambda: by_simpy(CALLS * 24 * 28))
        print(f"SimPy, a bare queue:          {theirs:9,.0f} tasks/s")
        flow = emails(asked.policies)
        print(f"our loop, the e-mail flow:    {best(asked.rounds, lambda: Run(flow, 1).play().tasks):9,.0f} tasks/s")
        tasks = waited = seed = 0
        while tasks < asked.tasks:
            desk = Run(scene, seed).play().desks["agent"]
            tasks, waited, seed = tasks + desk.begun, waited + desk.waited, seed + 1
    load = CALLS * MINUTES / 60
    exact = erlang_c(PEOPLE, load) * MINUTES / (PEOPLE - load)
    mean = waited / tasks / MINUTE
    print(f"mean wait of {tasks:,} calls: {mean * 60:.2f} s, by Erlang C {exact * 60:.2f} s ({mean / exact - 1:+.2%})")
    if ours < BOUND:
        raise SystemExit(f"{ours:,.0f} tasks/s are less than {BOUND:,}")


if __name__ == "__main__":
    main()
