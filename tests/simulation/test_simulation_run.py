"""What happens to cases and people in a simulation, in small worlds that can be worked out by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from carepolicy.engine.instants import text_of
from carepolicy.simulation.desks import Case, Person, Round, Task
from carepolicy.simulation.figures import length
from carepolicy.simulation.flows import Clock
from carepolicy.simulation.lengths import Draw, exponential, fixed, from_percentiles
from carepolicy.simulation.run import Run, RunResult
from carepolicy.simulation.scene import Scene
from carepolicy.simulation.search import MOST_PEOPLE, ShareTarget, sought
from simulation.halls import DAY, MINUTE, STAFF, Hall, moment

if TYPE_CHECKING:
    from carepolicy.engine.history.cases import CaseView

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


@pytest.mark.parametrize("draw", [exponential(600e6), fixed(600e6), from_percentiles(600e6, 900e6)])
def test_every_number_between_nought_and_one_draws_a_length(draw: Draw) -> None:
    found = [draw(share) for share in (0.0, 2.0**-64, 0.5, 1 - 2.0**-53, 1.0)]
    assert found == sorted(found)
    assert found[0] >= 0


def test_lengths_of_time_are_told_in_units_that_are_not_full() -> None:
    told = [length(seconds) for seconds in (0.4, 59.4, 59.6, 119.6, 3_599.6, 7_260)]
    assert told == ["0 s", "59 s", "1 min", "2 min", "1 h 0 min", "2 h 1 min"]


def test_without_cases_nothing_happens(tmp_path: Path) -> None:
    result = Hall(tmp_path).play(CALLS + "2027-03-03 10:00\n")
    assert (result.tasks, counted(result)) == (0, (0, 0))


def with_anew(event: str) -> dict[str, str]:
    """A clock that an event begins anew."""
    return {"pauses_in: [asked]": f"pauses_in: [asked]\n    restarts_on: [{event}]"}


def test_a_late_round_that_an_event_begins_anew_was_late(tmp_path: Path) -> None:
    hall = Hall(tmp_path, "5 minutes", late_moves=False, others=with_anew("question_asked"))
    asks = STAFF.replace("call_answered: 100%", "question_asked: 100%")
    result = hall.play(CALLS + "2026-03-03 10:00\n", asks)
    assert counted(result) == (1, 1)  # late when we ask, and met as the timer closes what nobody answers
    in_time = hall.play(CALLS + "2026-03-03 10:00\n", asks.replace("10 minutes", "4 minutes"))
    assert counted(in_time) == (1, 0)


def test_what_an_event_both_begins_anew_and_ends_only_ends(tmp_path: Path) -> None:
    hall = Hall(tmp_path, "5 minutes", late_moves=False, others=with_anew("call_answered"))
    assert counted(hall.play(CALLS + "2026-03-03 10:00\n")) == (0, 1)


def test_a_clock_that_is_begun_anew_while_it_pauses_goes_on_pausing(tmp_path: Path) -> None:
    others = {**with_anew("customer_wrote"), "{customer_wrote: waiting}": "{customer_wrote: asked}"}
    asks = STAFF.replace("{call_answered: 100%}", "{question_asked: 100%}, call.asked: {customer_wrote: 100%}")
    hall = Hall(tmp_path, "1 hour", late_moves=False, others=others)
    result = hall.play(CALLS + "2026-03-03 10:00\n", asks + "waits: {call.asked: {mean: 2 hours, spread: fixed}}\n")
    assert counted(result) == (0, 0)  # it waits to the end, and the clock does not run


def test_a_clock_that_is_begun_anew_forgets_what_it_used_before_it_was_stopped(tmp_path: Path) -> None:
    others = {
        "    pauses_in: [asked]\n": "    again: continue\n    restarts_on: [call_answered]\n",
        "    runs_in: [waiting, overdue]": "    runs_in: [waiting, overdue, thanked]",
        "on: {customer_wrote: waiting}": "on: {customer_wrote: overdue}",
        "on: {call_answered: done}}": "on: {call_answered: thanked}}",
        "  done: {": "  thanked: {title: Thanked, owner: lead, on: {customer_wrote: done}}\n  done: {",
    }
    staff = """
roles: {agent: {people: 1}, lead: {people: 1}}
work: {call: {mean: 10 minutes, spread: fixed}}
waits: {call: {mean: 20 minutes, spread: fixed}}
ways:
  call.waiting: {question_asked: 100%}
  call.asked: {customer_wrote: 100%}
  call.overdue: {call_answered: 100%}
  call.thanked: {customer_wrote: 100%}
"""
    hall = Hall(tmp_path, "25 minutes", late_moves=False, others=others)
    assert counted(hall.play(CALLS + "2026-03-03 10:00\n", staff)) == (2, 0)  # ten and ten minutes, and then twenty


def with_open_cases(hall: Hall, begin: str, staff: str, *opened: str) -> Scene:
    """Three days that begin with cases that wait since some times, told in this order."""
    maker = hall.maker(staff)
    cases = [
        SimpleNamespace(flow="call", subject=when, state="waiting", opened=when, since=when, clocks={})
        for when in (text_of(moment(each)) for each in opened)
    ]
    first = moment(begin)
    return maker.scene(first, first + 3 * DAY, (), {}, maker.open_cases(cast("list[CaseView]", cases)))


def test_who_is_away_as_the_days_begin_begins_no_work_at_a_case_that_is_open(tmp_path: Path) -> None:
    staff = STAFF.replace("agent: {people: 1}", "agent: {persons: {Ada: {away: 2026-03-02}}}")
    scene = with_open_cases(Hall(tmp_path, "9 days"), "2026-03-02 10:00", staff, "2026-02-27 12:00")
    run = Told(scene)
    result = run.play()
    assert run.lines == [("begun", moment("2026-03-03 09:00")), ("done", moment("2026-03-03 09:10"))]
    assert result.desks["agent"].waited == 390 * MINUTE  # the hours of the day on which nobody was there


def test_of_open_cases_the_oldest_is_worked_at_first_in_whichever_order_they_are_told(tmp_path: Path) -> None:
    times = "2026-02-27 12:00", "2026-02-26 12:00", "2026-02-27 11:00"
    scene = with_open_cases(Hall(tmp_path, "9 days"), "2026-03-02 10:00", STAFF, *times)
    assert [each.opened for each in scene.opened] == sorted(map(moment, times))


def test_staff_that_is_more_than_is_ever_tried_is_not_made_less_in_search_of_more() -> None:
    asked: list[int] = []

    def always_late(people: int) -> list[RunResult]:
        asked.append(people)
        key = "call", "answer"
        return [RunResult({key: 0}, {key: 1}, Counter(), Counter(), {}, 0)]

    answer, _ = sought(ShareTarget("call", "answer", 0.9), "agent", 2 * MOST_PEOPLE, always_late)
    assert (answer.people, asked) == (None, [2 * MOST_PEOPLE])


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
