"""What is done quicker is what the engine does by itself: the same bytes, with it and without."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.api import Engine
from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.run import Run
from carepolicy.engine.stratum import ANY_PLACE
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from golden.outputs import SEEDS, bad, nested
from laws import examples
from oracle.differences import Refused, compiled
from oracle.interpreter import GoesRound
from oracle.random_sets import random_trial
from shops import EVENTS, SHOP
from stories import event, often, without_fast, write_set

DEMO = EVENTS.read_bytes()
SETS = {"demo": DEMO, "nested": nested(DEMO), "bad": bad()}


def written(bundle: Bundle, events: list[Any], until: Any = None) -> str:
    """All records of a log."""
    return "\n".join(json.dumps(each) for each in Engine(bundle, False, timedelta(0)).run(events, until))


def lines(bundle: Bundle, events: list[Any], until: Any = None, as_lines: bool = True) -> tuple[str, int]:
    """All records of a log as they are written to a file, and how many are said to be."""
    made = [orjson.dumps(each) if isinstance(each, dict) else each for each in events]
    with OrderedRun(Run(bundle, as_lines=as_lines)) as run:
        text = run.feed(list(enumerate(made, 1)))
        text += "".join(run.finish(None if until is None else microseconds(until)))
        return text, run.records_written


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


@pytest.mark.parametrize("log", SETS)
def test_the_lines_of_the_demo_are_those_of_its_records_where_they_are_written_at_once(
    policies: Bundle, log: str
) -> None:
    with without_fast():
        alone = lines(policies, SETS[log].splitlines(), as_lines=False)
    for times in (1, 3):
        with often(times):
            assert lines(policies, SETS[log].splitlines()) == alone
    assert alone[0].count("\n") == alone[1] > 30


@pytest.mark.parametrize("first", range(0, SEEDS, 40))
def test_random_sets_and_logs_are_written_as_they_are_without(first: int) -> None:
    several = 0
    for seed in range(first, first + 40):
        with contextlib.suppress(Refused, GoesRound):
            trial = random_trial(seed)
            bundle = compiled(tuple(trial.texts().items()), trial.often)
            with without_fast():
                alone = written(bundle, trial.events, trial.until)
                by_line = lines(bundle, trial.events, trial.until, False)
            with often(1):
                assert written(bundle, trial.events, trial.until) == alone
                assert lines(bundle, trial.events, trial.until) == by_line
            several += alone.count("\n")
    assert several > 100


HEAD = """\
flow: {name}
version: 1
title: {name}
purpose: It is heard by several.
owner: care_lead
{more}
events:
  late_again: {{title: Late again, by: system}}
"""
PARCEL = """\
flow: parcel
version: 1
title: parcel
purpose: It raises what the others hear.
owner: care_lead
events:
  sent: {title: Sent, by: staff, carries: {optional: [customer.name]}}
  arrived: {title: Arrived, by: carrier}
states:
  under_way:
    title: Under way
    start_on: sent
    owner: care_agent
    on: {arrived: done}
    after: {1 day: {raise: {event: late_again, subject: customer.name}}}
  done: {title: Done, final: done}
"""
CLAIM = (
    HEAD.format(name="claim", more="")
    + """\
  broken: {title: Broken, by: customer, carries: {optional: [customer.name]}}
  withdrawn: {title: Withdrawn, by: customer, carries: {required: [complaint.cause]}}
states:
  open: {title: Open, start_on: broken, owner: care_agent, on: {broken: {note: again}, withdrawn: over}}
  over: {title: Over, final: over}
"""
)
VISIT = (
    HEAD.format(name="visit", more="")
    + """\
  asked: {title: Asked, by: customer, carries: {optional: [customer.name]}}
  broken: {title: Broken, by: customer, carries: {optional: [customer.name]}}
  withdrawn: {title: Withdrawn, by: customer, carries: {optional: [complaint.cause]}}
states:
  planned: {title: Planned, start_on: asked, owner: care_agent, on: {broken: called_off, withdrawn: called_off}}
  called_off: {title: Called off, owner: care_lead, on: {withdrawn: over, asked: planned}}
  over: {title: Over, final: over}
"""
)
CLIENT = (
    HEAD.format(name="client", more="subject: customer.name")
    + """\
  thanked: {title: Thanked, by: customer, carries: {optional: [customer.name]}}
states:
  calm: {title: Calm, start_on: thanked, owner: care_agent, on: {thanked: {note: again}, late_again: cross}}
  cross: {title: Cross, owner: care_lead, on: {thanked: over}}
  over: {title: Over, final: over}
"""
)
KINDS = ("sent", "arrived", "broken", "withdrawn", "asked", "thanked")


@pytest.fixture(scope="module")
def heard_by_several(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return compile_folder(str(write_set(tmp_path_factory.mktemp("several"), PARCEL, CLAIM, VISIT, CLIENT)))


def happening(number: int, kind: str, subject: str, name: str | None, caused: bool) -> bytes:
    at = (datetime(2026, 3, 2) + timedelta(hours=number)).isoformat()
    known = {"complaint.cause": "rain"} if caused and kind == "withdrawn" else {}
    named = {"customer.name": name} if name is not None and kind in ("sent", "broken", "asked", "thanked") else {}
    return json.dumps(event(kind, at, subject, known | named, str(number))).encode() + b"\n"


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from("ab"), st.sampled_from(["Ada", "Bo", None]), st.booleans()),
        min_size=10,
        max_size=40,
    )
)
@settings(max_examples=examples(60))
def test_events_that_several_flows_hear_and_that_a_fact_names_go_the_short_way_to_the_same_records(
    heard_by_several: Bundle, told: list[tuple[str, str, str | None, bool]]
) -> None:
    lines = [happening(number, *each) for number, each in enumerate(told)]
    with without_fast():
        alone = written(heard_by_several, lines)
    with often(1):
        assert written(heard_by_several, lines) == alone


def test_the_short_way_is_open_to_events_of_several_flows_and_to_those_that_a_fact_names(
    heard_by_several: Bundle,
) -> None:
    run = Run(heard_by_several)
    higher = run.strata[1]
    for kind in KINDS:
        higher.routes(kind)
    by_kind = {kind: (key, place) for kind, (key, place, _, _) in higher.shortest.items()}
    assert by_kind["withdrawn"] == (None, ANY_PLACE)  # several take it, and none starts on it
    assert by_kind["broken"] == (None, None)  # one starts on it, so that no case takes it so
    assert by_kind["thanked"][0] == "customer.name"


def test_without_it_no_state_has_anything_in_the_place_of_the_stepper(policies: Bundle) -> None:
    with without_fast():
        alone = Run(policies)
    assert not any(state.moves or state.opening for each in alone.programs for state in each.states)
    assert any(state.moves and state.opening for each in Run(policies).programs for state in each.states) is (
        "WITHOUT_FAST" not in os.environ
    )
