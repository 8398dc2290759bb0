"""What happens to cases and people in a simulation, in small worlds that can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from carepolicy.simulation.desks import Case, Person, Round, Task
from carepolicy.simulation.flows import Clock
from carepolicy.simulation.run import Run, RunResult, Scene
from simulation.halls import MINUTE, STAFF, Hall, moment

CALLS = "time\n"
"""The head of a file of calls."""


class Told(Run):
    """Tells when work is begun and done."""

    def __init__(self, scene: Scene, seed: int = 0) -> None:
        super().__init__(scene, seed)
        self.lines: list[tuple[str, int]] = []

    def _begin(self, task: Task, person: Person, now: int) -> None:
        self.lines.append(("begun", now))
        super()._begin(task, person, now)

    def _finish(self, task: Task, now: int) -> None:
        if task.person is not None and task.ends == now:
            self.lines.append(("done", now))
        super()._finish(task, now)


def told(scene: Scene) -> list[tuple[str, int]]:
    run = Told(scene)
    run.play()
    return run.lines


def counted(result: RunResult) -> tuple[int, int]:
    """Rounds that were in time, and late."""
    return result.met["call", "answer"], result.late["call", "answer"]


def test_work_that_closing_time_interrupts_goes_on_the_next_day(tmp_path: Path) -> None:
    assert told(Hall(tmp_path).scene(CALLS + "2026-03-03 17:25\n")) == [
        ("begun", moment("2026-03-03 17:25")), ("done", moment("2026-03-04 09:05")),
    ]  # fmt: skip


def test_work_that_comes_at_night_is_begun_in_the_morning_what_is_urgent_first(tmp_path: Path) -> None:
    staff = STAFF.replace("people: 1}, lead", "people: 1, first: {call.kind: urgent}}, lead")
    calls = "time,call.kind\n2026-03-02 20:00,usual\n2026-03-02 21:00,urgent\n2026-03-02 22:00,usual\n"
    hall = Hall(tmp_path, "1 business hour", late_moves=False)
    run = Told(hall.scene(calls, staff))
    result = run.play()
    assert run.lines[0] == ("begun", moment("2026-03-03 09:00"))
    assert run.lines[-1] == ("done", moment("2026-03-03 09:30"))
    assert result.desks["agent"].waited == (0 + 10 + 20) * MINUTE
    assert counted(result) == (2, 1)  # ten elapsed minutes of the urgent one were over in the night


def test_the_lunch_break_is_no_time_at_work(tmp_path: Path) -> None:
    lines = told(Hall(tmp_path, "1 day").scene(CALLS + "2026-03-03 12:25\n2026-03-03 12:26\n"))
    assert [when for _, when in lines] == [
        moment("2026-03-03 12:25"), moment("2026-03-03 13:35"), moment("2026-03-03 13:35"), moment("2026-03-03 13:45"),
    ]  # fmt: skip


def test_a_limit_is_inclusive_and_one_that_is_strict_is_not(tmp_path: Path) -> None:
    for number, (limit, expected) in enumerate(
        [("10 minutes", (1, 0)), ("less than 10 minutes", (0, 1)), ("599 seconds", (0, 1))]
    ):
        hall = Hall(tmp_path / str(number), limit)
        assert counted(hall.play(CALLS + "2026-03-03 10:00\n")) == expected, limit


def test_a_case_that_falls_late_in_the_queue_goes_to_whom_the_flow_says(tmp_path: Path) -> None:
    hall = Hall(tmp_path, "15 minutes")
    staff = STAFF + "facts: {}\n"
    result = hall.play(CALLS + "2026-03-03 10:00\n2026-03-03 10:01\n2026-03-03 10:02\n", staff)
    assert result.desks["agent"].done == 2  # the second was begun at 10:10 and finished by who was at it
    assert result.desks["lead"].done == 1  # the third waited until 10:17
    assert counted(result) == (1, 2)
    assert result.closed["call"] == 3


def test_who_is_away_leaves_the_work_to_others_and_takes_it_up_again(tmp_path: Path) -> None:
    staff = """
roles: {agent: {persons: {Ada: {away: 2026-03-03/2026-03-04}}}}
work: {call: {mean: 10 minutes, spread: fixed}}
ways: {call.waiting: {call_answered: 100%}}
"""
    hall = Hall(tmp_path, late_moves=False)
    lines = told(hall.scene(CALLS + "2026-03-02 17:25\n2026-03-03 10:00\n", staff))
    assert lines == [
        ("begun", moment("2026-03-02 17:25")), ("begun", moment("2026-03-05 09:00")),
        ("done", moment("2026-03-05 09:05")), ("begun", moment("2026-03-05 09:05")),
        ("done", moment("2026-03-05 09:15")),
    ]  # fmt: skip
    result = hall.play(CALLS + "2026-03-02 17:25\n", staff)
    assert result.desks["agent"].there == 3 * 450 * MINUTE  # three of five days of seven hours and a half
    assert result.desks["agent"].busy == 10 * MINUTE


def test_a_share_of_absence_takes_that_share_of_the_hours(tmp_path: Path) -> None:
    scene = Hall(tmp_path).scene("1 per hour", STAFF.replace("people: 1}, lead", "people: 40, absent: 25%}, lead"))
    there = [Run(scene, seed).play().desks["agent"].there for seed in range(5)]
    assert len(set(there)) == 5
    assert sum(there) / (5 * 40 * 5 * 450 * MINUTE) == pytest.approx(0.75, abs=0.03)


def test_work_waits_for_somebody_who_can_do_it(tmp_path: Path) -> None:
    staff = """
roles: {agent: {persons: {Ada: {does: call.overdue}, Ben: {does: call}}}}
work: {call: {mean: 10 minutes, spread: fixed}}
ways: {call.waiting: {call_answered: 100%}}
"""
    lines = told(Hall(tmp_path, "1 day").scene(CALLS + "2026-03-03 10:00\n2026-03-03 10:01\n", staff))
    assert [when for what, when in lines if what == "done"] == [moment("2026-03-03 10:10"), moment("2026-03-03 10:20")]
    both = staff.replace("does: call.overdue", "does: [call.overdue, call.waiting]")
    lines = told(Hall(tmp_path / "2", "1 day").scene(CALLS + "2026-03-03 10:00\n2026-03-03 10:01\n", both))
    assert [when for what, when in lines if what == "done"] == [moment("2026-03-03 10:10"), moment("2026-03-03 10:11")]


def test_a_clock_stands_still_while_a_customer_is_asked_and_a_timer_closes_what_nobody_answers(tmp_path: Path) -> None:
    staff = """
roles: {agent: {people: 1}, lead: {people: 1}}
work: {call: {mean: 10 minutes, spread: fixed}}
waits: {call.asked: {mean: 1 day, spread: fixed}}
ways: {call.waiting: {question_asked: 50%, call_answered: 50%}, call.asked: {customer_wrote: SHARE}}
"""
    hall = Hall(tmp_path, "3 business hours")
    rate = "6 per business day"
    answered = hall.play(rate, staff.replace("SHARE", "100%"), 30)
    assert answered.late["call", "answer"] <= 2
    assert answered.closed["call"] == pytest.approx(answered.cases["call"], abs=8)
    silent = hall.play(rate, staff.replace("SHARE", "0%"), 30)
    assert silent.cases == answered.cases
    assert silent.tasks < answered.tasks


def test_the_same_seed_gives_the_same_days_and_another_gives_others(tmp_path: Path) -> None:
    scene = Hall(tmp_path).scene("4 per business hour")
    assert Run(scene, 3).play() == Run(scene, 3).play()
    assert Run(scene, 3).play() != Run(scene, 4).play()


def test_other_staff_meets_the_same_cases_that_want_the_same_work(tmp_path: Path) -> None:
    hall = Hall(tmp_path, "1 day", late_moves=False)
    staff = STAFF.replace("{mean: 10 minutes, spread: fixed}", "10 minutes")
    few, many = (
        hall.play("2 per business hour", staff.replace("agent: {people: 1}", f"agent: {{people: {people}}}"))
        for people in (2, 40)
    )
    assert few.desks["agent"].busy == pytest.approx(many.desks["agent"].busy, rel=0.01)
    assert few.cases == many.cases


@pytest.mark.parametrize(("rate", "a_week"), [("2 per hour", 336), ("48 per day", 336), ("6 per business hour", 225),
                                              ("45 per business day", 225), ("336 per week", 336)])  # fmt: skip
def test_cases_come_at_their_rate(tmp_path: Path, rate: str, a_week: int) -> None:
    scene = Hall(tmp_path).scene(rate, days=7)
    found = [Run(scene, seed).play().cases["call"] for seed in range(20)]
    assert sum(found) / 20 == pytest.approx(a_week, rel=0.04)


def test_without_cases_nothing_happens(tmp_path: Path) -> None:
    result = Hall(tmp_path).play(CALLS + "2027-03-03 10:00\n")
    assert (result.tasks, counted(result)) == (0, (0, 0))


class Alone(Run):
    """Works out for each round by itself when it falls late, as it starts."""

    def _await_due(self, due: tuple[Case, Clock, Round]) -> None:
        held = due[2]
        self._at(held.due() + (not held.term.strict), self._fall_due, due)


@pytest.mark.parametrize("limit", ["40 business minutes", "less than 0.1 business days"])
def test_rounds_that_wait_in_a_line_fall_late_as_each_would_by_itself(tmp_path: Path, limit: str) -> None:
    staff = """\
roles: {agent: {people: 2, absent: 5%}, lead: {people: 1}}
work: {call: {mean: 10 minutes}}
waits: {call: 3 hours}
ways: {call.waiting: {call_answered: 60%, question_asked: 35%}}
facts: {call.kind: {urgent: 20%, usual: 80%}}
"""
    scene = Hall(tmp_path, limit).scene("9 per business hour", staff, days=30)
    for seed in range(5):
        together, alone = Run(scene, seed).play(), Alone(scene, seed).play()
        assert together == alone
        met, late = counted(together)
        assert met > 100
        assert late > 20
