"""What is done quicker is what the engine does by itself: the same bytes, with it and without."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import timedelta
from typing import Any

import pytest

from carepolicy.api import Engine
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from golden.outputs import SEEDS, bad, nested
from oracle.differences import Refused, compiled
from oracle.interpreter import GoesRound
from oracle.random_sets import random_trial
from shops import EVENTS, SHOP
from stories import often, without_fast

DEMO = EVENTS.read_bytes()
SETS = {"demo": DEMO, "nested": nested(DEMO), "bad": bad()}


def written(bundle: Bundle, events: list[Any], until: Any = None) -> str:
    """All records of a log."""
    return "\n".join(json.dumps(each) for each in Engine(bundle, False, timedelta(0)).run(events, until))


@pytest.fixture(scope="module")
def policies() -> Bundle:
    return compile_folder(SHOP)


@pytest.mark.parametrize("log", SETS)
def test_the_demo_is_written_as_it_is_without(policies: Bundle, log: str) -> None:
    with without_fast():
        alone = written(policies, SETS[log].splitlines())
    for times in (1, 3):
        with often(times):
            assert written(policies, SETS[log].splitlines()) == alone
    assert len(alone) > 1000


@pytest.mark.parametrize("first", range(0, SEEDS, 40))
def test_random_sets_and_logs_are_written_as_they_are_without(first: int) -> None:
    several = 0
    for seed in range(first, first + 40):
        with contextlib.suppress(Refused, GoesRound):
            trial = random_trial(seed)
            bundle = compiled(tuple(trial.texts().items()), trial.often)
            with without_fast():
                alone = written(bundle, trial.events, trial.until)
            with often(1):
                assert written(bundle, trial.events, trial.until) == alone
            several += alone.count("\n")
    assert several > 100


def test_without_it_no_state_has_anything_in_the_place_of_the_stepper(policies: Bundle) -> None:
    from carepolicy.engine.run import Run

    with without_fast():
        alone = Run(policies)
    assert not any(state.moves or state.opening for each in alone.programs for state in each.states)
    assert any(state.moves and state.opening for each in Run(policies).programs for state in each.states) is (
        "WITHOUT_FAST" not in os.environ
    )
