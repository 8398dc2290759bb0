"""The engine against the slow interpreter: random sets and logs, of which every record must be the same.

Each law is tried on 25 sets, with several logs of each; `make fuzz` tries 500, which are others each time.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from carepolicy.engine import round as rounds
from laws import examples
from oracle.differences import Refused, by_engine, compared, difference, smallest
from oracle.hours import TooFar
from oracle.interpreter import GoesRound
from oracle.random_sets import LOGS, Trial, random_trial, with_people_and_numbers

FIRST_OF_A_SET = st.integers(0, 2**32).map(lambda number: number * LOGS)


@settings(
    max_examples=examples(25),
    phases=[Phase.generate],  # a difference is made small by what knows sets, not by what knows numbers
    suppress_health_check=list(HealthCheck),
)
@given(FIRST_OF_A_SET)
def test_the_engine_says_what_the_slow_interpreter_says(first: int) -> None:
    for seed in range(first, first + LOGS):
        told = compared(seed)
        if told.difference:
            pytest.fail(f"seed {seed}: {told.difference}", pytrace=False)


@settings(max_examples=examples(25), phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(FIRST_OF_A_SET)
def test_the_engine_says_so_too_where_it_sums_up_each_stretch_of_a_clock(first: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rounds, "MOST_SEGMENTS", 1)
        for seed in range(first, first + LOGS):
            told = compared(seed)
            if told.difference:
                pytest.fail(f"seed {seed}: {told.difference}", pytrace=False)


def test_most_random_sets_pass_the_check_and_do_much() -> None:
    told = [compared(seed) for seed in range(0, 12 * LOGS, LOGS)]
    assert sum(each.records > 0 for each in told) >= 8
    assert sum(each.records for each in told) >= 150


def test_what_a_difference_does_not_need_is_taken_away() -> None:
    def has_a_late_clock(trial: Trial) -> bool:
        return any(each["type"] == "carepolicy.clock.late" for each in by_engine(trial))

    seed = next(seed for seed in range(1000) if compared(seed).records and has_a_late_clock(random_trial(seed)))
    before = random_trial(seed)
    after = smallest(before, has_a_late_clock)
    assert has_a_late_clock(after)
    assert len(after.events) <= 2 < len(before.events)
    assert sum(map(len, after.texts().values())) < sum(map(len, before.texts().values()))


def test_a_clock_that_paused_five_times_is_due_at_the_closing_and_not_at_the_next_opening() -> None:
    assert difference(random_trial(21128)) is None


@settings(max_examples=examples(25), phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(FIRST_OF_A_SET)
def test_both_know_who_is_away_how_numbers_are_written_and_what_is_out_of_bounds(first: int) -> None:
    for seed in range(first, first + LOGS):
        try:
            told = difference(with_people_and_numbers(seed))
        except (Refused, GoesRound, TooFar):
            continue
        assert told is None, f"seed {seed}: {told}"


def test_such_sets_let_people_be_away_and_refuse_values() -> None:
    seen = set()
    for seed in range(0, 60 * LOGS, LOGS):
        try:
            records = by_engine(with_people_and_numbers(seed))
        except (Refused, GoesRound, TooFar):
            continue
        seen |= {each["data"].get("code") for each in records}
        seen |= {each["data"].get("role") for each in records if each["type"] == "carepolicy.task.assigned"}
    assert {"CP926", "CP906", "agent", "lead"} <= seen
