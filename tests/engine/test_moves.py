"""Moves that are written out do what the stepper does, byte for byte."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime.instants import microseconds
from carepolicy.engine.fast.moves import write_move
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.program import live_program
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from complaint_events import lines
from laws import examples
from random_flows import Small, logs, small_flows
from stories import event, often

COMPLAINTS = str(Path(__file__).parents[2] / "benchmarks" / "complaints")
LATER = microseconds(datetime.fromisoformat("2026-09-01T00:00:00+00:00"))


def written(bundle: Bundle, events: list[dict[str, Any]], as_lines: bool = False) -> tuple[str, int, int]:
    """All records and dead letters of a run, with its counts."""
    with OrderedRun(Run(bundle, as_lines=as_lines)) as run:
        text = run.feed([(number, orjson.dumps(event)) for number, event in enumerate(events, 1)])
        text += "".join(run.finish(LATER))
        return text + "".join(run.dead), run.records_written, run.open_cases


@given(st.data())
@settings(max_examples=examples(40))
def test_a_run_with_moves_written_out_at_once_writes_the_bytes_of_one_without(data: st.DataObject) -> None:
    flow = data.draw(small_flows(clocks=data.draw(st.booleans()), effects=data.draw(st.booleans())))
    log = data.draw(logs(flow.events, subjects=3, longest=30, first=flow.starts[0]))
    bundle = flow.load().bundle
    with often(-1):
        slow = written(bundle, log)
    with often(1):
        quick = written(bundle, log)
        as_lines = written(bundle, log, True)
    assert quick == slow
    assert as_lines == slow


ODD = ['it said "no"', "back\\slash", "tab\tand\x1f", "Zoë – «é»", "{about}", "\x7f\u2028", "50 %s"]


def test_subjects_of_any_letters_stand_in_lines_that_are_written_at_once_as_elsewhere() -> None:
    bundle = compile_folder(COMPLAINTS)
    told = [orjson.loads(line) for line in lines(3000)]
    log = [{**each, "subject": f"{ODD[int(each['subject'][-2:]) % len(ODD)]} {each['subject']}"} for each in told]
    with often(-1):
        slow = written(bundle, log)
    assert written(bundle, log, True) == slow
    assert slow[0].count("\n") == slow[1] > 6000


WARNED = """\
flow: small
version: 1
title: Small
purpose: A case comes back to its state when it is warned.
owner: care_lead
events:
  asked: {title: Asked, by: customer}
  closing: {title: Closed, by: staff}
clocks:
  other: {title: Other, promise: "Within {limit}.", limit: 2 hours, runs_in: [open]}
  warning: {title: Warning, promise: "Within {limit}.", limit: 2 hours, runs_in: [open], warn_at: [50%, 80%]}
states:
  open: {title: Open, owner: care_agent, start_on: asked, on: {warning.warned: open}}
  done: {title: Done, final: done}
anywhere: {closing: done}
"""


def test_a_move_that_a_clock_of_the_case_causes_sees_to_its_next_timer_though_it_touches_no_clock() -> None:
    bundle = Small(WARNED, ("asked",), ("asked",)).load().bundle
    log = [event("asked", "2026-03-02T09:00:00")]
    with often(-1):
        slow = written(bundle, log)
    with often(1):
        assert written(bundle, log) == slow
    assert slow[0].count("carepolicy.clock.warned") == slow[0].count("carepolicy.clock.late") == 2


def test_the_benchmark_writes_the_same_bytes_before_and_after_its_moves_are_written_out() -> None:
    from complaint_events import lines

    bundle = compile_folder(COMPLAINTS)
    events = [orjson.loads(line) for line in lines(3000)]
    with often(-1):
        slow = written(bundle, events)
    with often(20):
        quick = written(bundle, events)
    assert quick == slow
    assert slow[1] > 8000


def test_an_event_that_was_written_out_is_taken_by_its_move() -> None:
    bundle = compile_folder(COMPLAINTS)
    program = live_program(0, bundle.programs[0], bundle)
    states = {state.name: state for state in program.states}
    assert write_move(program, states["acknowledged"], "assessed") is not None
    assert write_move(program, states["acknowledged"], "remedy_done") is None


NAMED_ON_ENTERING = """\
flow: small
version: 1
title: Small
purpose: Whoever stands in a fact has the work of the state that is entered.
owner: care_lead
events:
  asked: {title: Asked, by: customer}
  passed_on: {title: Passed on, by: staff}
  closing: {title: Closed, by: staff}
states:
  open: {title: Open, owner: care_agent, start_on: asked, enter: {assign: care_lead}, on: {passed_on: second}}
  second: {title: Second, owner: care_agent, on: {passed_on: third}}
  third: {title: Third, owner: care_agent, enter: {assign: care_lead}}
  done: {title: Done, final: done, enter: {assign: care_lead}}
anywhere: {closing: done}
"""


def test_whom_a_state_names_on_entering_has_its_work_and_not_that_of_the_next() -> None:
    bundle = Small(NAMED_ON_ENTERING, ("asked",), ("asked",)).load().bundle
    log = [event("asked", "2026-03-02T09:00:00"), event("passed_on", "2026-03-02T10:00:00")]
    log += [event("passed_on", "2026-03-02T11:00:00"), event("closing", "2026-03-02T12:00:00")]
    with often(-1):
        slow = written(bundle, log)
    with often(1):
        assert written(bundle, log) == slow
    records = [orjson.loads(line) for line in slow[0].splitlines()]
    given = [each["data"] for each in records if each["type"] == "carepolicy.task.assigned"]
    assert [(each["state"], each["role"]) for each in given] == [
        ("open", "care_agent"), ("open", "care_lead"), ("second", "care_agent"),
        ("third", "care_agent"), ("third", "care_lead"),
    ]  # fmt: skip
