"""The queue is a queue: Erlang's formula and SimPy say the same as our loop."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp
from pathlib import Path
from typing import Any

import pytest

from carepolicy.simulation.desks import Case, Person, Task
from carepolicy.simulation.figures import estimate, shares
from carepolicy.simulation.run import Run
from carepolicy.simulation.scene import Scene
from simulation.halls import MINUTE, Hall

PEOPLE, CALLS, MINUTES = 10, 150, 3
"""Three minutes of work each, 150 an hour: ten people are busy for 75 % of their time."""


def erlang_c(people: int, load: float) -> float:
    """The share of calls that wait, where so many people take calls at random times, of random exponential lengths, at
    a load in erlangs (A. K. Erlang 1917; see L. Kleinrock, Queueing Systems I (1975), 3.5): by the recursion of his B
    formula."""
    blocked = 1.0
    for number in range(1, people + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / people * (1 - blocked))


def in_time(people: int, load: float, mean: float, limit: float) -> float:
    """The share of calls that are answered and done with in ``limit``: its wait and its work are independent, and their
    sum is (with m people's rate, a the load) exp(-mt) (1 + C (1 - exp(-mt (c - 1 - a))) / (c - 1 - a)) beyond t."""
    spare, t = people - 1 - load, limit / mean
    return 1 - exp(-t) * (1 + erlang_c(people, load) * (1 - exp(-t * spare)) / spare)


def test_erlangs_formula_gives_the_figures_of_its_tables() -> None:
    assert erlang_c(1, 0.5) == pytest.approx(0.5)
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)
    assert erlang_c(10, 8.0) == pytest.approx(0.409, abs=0.0005)


def test_a_simulation_agrees_with_erlang_c_within_one_percent(tmp_path: Path) -> None:
    staff = f"roles: {{agent: {{people: {PEOPLE}}}}}\nwork: {{call: {MINUTES} minutes}}\n"
    hall = Hall(tmp_path, "5 minutes", "always", late_moves=False)
    scene = hall.scene(f"{CALLS} per hour", staff + "ways: {call.waiting: {call_answered: 100%}}\n", days=14)
    results = [Run(scene, seed).play() for seed in range(10)]
    assert sum(each.tasks for each in results) > 490_000
    load = CALLS * MINUTES / 60
    kept = estimate(shares(results, "call", "answer"))
    assert kept is not None
    assert kept.mean == pytest.approx(in_time(PEOPLE, load, MINUTES, 5), rel=0.01)
    desks = [each.desks["agent"] for each in results]
    assert sum(each.busy for each in desks) / sum(each.there for each in desks) == pytest.approx(
        load / PEOPLE, rel=0.01
    )
    waits = estimate([each.waited / each.begun / MINUTE for each in desks])
    assert waits is not None
    assert waits.low is not None
    assert waits.high is not None
    exact = erlang_c(PEOPLE, load) * MINUTES / (PEOPLE - load)
    assert waits.low < exact < waits.high
    assert waits.high - waits.low < 0.1 * exact


class Watched(Run):
    """Notes the calls that come, with their kind, and how long each waited that was begun, by when it came."""

    def __init__(self, scene: Scene, seed: int) -> None:
        super().__init__(scene, seed)
        self.calls: list[tuple[int, str]] = []
        self.begun: dict[int, int] = {}

    def _settle(self, case: Case, now: int, before: Task | None) -> None:
        if case.number == 0:
            self.calls.append((case.opened, case.profile.facts["call.kind"]))
        super()._settle(case, now, before)

    def _begin(self, task: Task, person: Person, now: int) -> None:
        self.begun[task.case.opened] = now - task.joined
        super()._begin(task, person, now)


class Recorder:
    """Notes each length of work that is drawn."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.lengths: list[int] = []

    def __call__(self, share: float) -> int:
        self.lengths.append(self.draw(share))
        return self.lengths[-1]


def recorded(scene: Scene) -> Recorder:
    state = scene.flows[0].by_name["waiting"]
    recorder = Recorder(state.work)
    state.work = recorder
    return recorder


def waits_by_simpy(people: int, calls: list[tuple[int, int, int]]) -> list[int]:
    """How long calls wait, each a time, a length of work and a rank, as SimPy has it; in the order of the calls."""
    simpy = pytest.importorskip("simpy")
    environment = simpy.Environment()
    desk = simpy.PriorityResource(environment, people)
    waits = [-1] * len(calls)

    def call(number: int, when: int, length: int, rank: int) -> Iterator[Any]:
        yield environment.timeout(when)
        with desk.request(priority=rank) as mine:
            yield mine
            waits[number] = environment.now - when
            yield environment.timeout(max(length, 1))

    for number, each in enumerate(calls):
        environment.process(call(number, *each))
    environment.run()
    return waits


@pytest.mark.parametrize("first", ["", "first: {call.kind: urgent}"])
def test_simpy_lets_the_same_calls_wait_just_as_long(tmp_path: Path, first: str) -> None:
    staff = f"""
roles: {{agent: {{people: 3, {first}}}}}
work: {{call: 3 minutes}}
ways: {{call.waiting: {{call_answered: 100%}}}}
facts: {{call.kind: {{urgent: 25%, usual: 75%}}}}
"""
    hall = Hall(tmp_path, "1 hour", "always", late_moves=False)
    scene = hall.scene("55 per hour", staff, days=3)
    recorder = recorded(scene)
    run = Watched(scene, 7)
    run.play()
    times = [when for when, _ in run.calls]
    asked = [
        (when - times[0], length, 0 if first and kind == "urgent" else 1)
        for (when, kind), length in zip(run.calls, recorder.lengths, strict=True)
    ]
    theirs = dict(zip(times, waits_by_simpy(3, asked), strict=True))
    assert len(run.begun) > 3_900
    assert run.begun == {when: theirs[when] for when in run.begun}
    assert len(set(run.begun.values())) > 1_000
