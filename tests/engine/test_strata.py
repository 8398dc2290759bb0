"""Keys and strata: cases keyed by a fact, what timers raise at the end, and dead letters, whoever does the work."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.engine import run
from carepolicy.engine.instants import DAY
from carepolicy.engine.intake import numbered_lines
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.parallel import ParallelRun
from carepolicy.engine.run import Run, Watches
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from stories import ORGANISATION, Runner, compiled, event, short, write_set

HEAD = """\
flow: {name}
version: 1
title: {name}
purpose: Keys.
owner: care_lead
{more}
events:
"""
PARCEL = (
    HEAD.format(name="parcel", more="")
    + """\
  sent: {title: Sent, by: staff, carries: {optional: [customer.name, complaint.cause]}}
  arrived: {title: Arrived, by: carrier}
states:
  under_way:
    title: Under way
    start_on: sent
    owner: care_agent
    on: {arrived: done}
    after:
      1 day:
        - {raise: [{event: parcel_slow, subject: customer.name}, {event: parcel_slow, subject: customer.name}]}
  done: {title: Done, final: done}
"""
)
CLIENT = (
    HEAD.format(name="client", more="subject: customer.name")
    + """\
  sent: {title: Sent, by: staff, carries: {optional: [customer.name, complaint.cause]}}
  parcel_slow: {title: Slow, by: system}
states:
  calm: {title: Calm, start_on: sent, owner: care_agent, on: {sent: {note: another}, parcel_slow: cross}}
  cross: {title: Cross, owner: care_lead, on: {sent: calm}}
"""
)
CAUSE = (
    HEAD.format(name="cause", more="subject: complaint.cause")
    + """\
  found: {title: Found, by: system, carries: {optional: [complaint.cause]}}
states:
  known: {title: Known, start_on: found, owner: care_lead, after: {90 days: over}}
  over: {title: Over, final: over}
"""
)
WATCH = """\
    watches:
      causes: {count: sent, by: complaint.cause, reaches: 3, within: 30 days, raise: found}
"""


@pytest.fixture
def keyed(tmp_path: Path) -> Bundle:
    return compile_folder(str(write_set(tmp_path, PARCEL, CLIENT)))


def everything(bundle: Bundle, lines: list[bytes], workers: int, lateness: int = 0) -> tuple[str, str]:
    """The records and the dead letters."""
    run = Run(bundle, False, lateness) if workers == 1 else ParallelRun(bundle, False, lateness, workers)
    text, dead = "", ""
    with OrderedRun(run) as ordered:
        for block in numbered_lines(lines):
            text += ordered.feed(block)
            dead += "".join(ordered.dead)
            ordered.dead.clear()
        text += "".join(ordered.finish(None))
        dead += "".join(ordered.dead)
    return text, dead


def line(kind: str, at: str, subject: str, **data: str) -> bytes:
    named: dict[str, Any] = {name.replace("_", ".", 1): value for name, value in data.items()}
    return orjson.dumps(event(kind, at, subject, named or None, id=f"{kind}-{subject}-{at}")) + b"\n"


def two_parcels() -> list[bytes]:
    return [
        line("sent", "2026-03-02T09:00:00", "p-1", customer_name="Ada"),
        line("sent", "2026-03-02T10:00:00", "p-2", customer_name="Ada"),
        line("sent", "2026-03-03T12:00:00", "p-1", customer_name="Ada"),
    ]


def test_cases_keyed_by_a_fact_see_their_events_in_time_order_though_the_log_is_sorted_by_case(tmp_path: Path) -> None:
    keyed = compile_folder(str(write_set(tmp_path, CLIENT)))
    by_time = two_parcels()
    by_case = [by_time[0], by_time[2], by_time[1]]
    assert sorted(everything(keyed, by_case, 1)[0].split("\n")) == sorted(everything(keyed, by_time, 1)[0].split("\n"))
    assert "CP908" not in everything(keyed, by_case, 1)[0]


def many_parcels() -> list[bytes]:
    """Parcels that are all slow at the end, at the same instant, and some lines that nobody can take."""
    lines = [
        line("sent", "2026-03-02T09:00:00", f"p-{number}", customer_name=f"client {number % 3}") for number in range(40)
    ]
    lines += [line("arrived", "2026-03-02T09:30:00", f"q-{number}") for number in range(10)]
    lines += [b"{cut short %d\n" % number for number in range(5)]
    random.Random(7).shuffle(lines)
    return [*lines, line("arrived", "2026-03-09T09:00:00", "p-0")]


@pytest.mark.parametrize("lateness", [0, 60_000_000])
def test_what_timers_raise_at_the_end_and_the_dead_letters_are_the_same_for_any_number_of_workers(
    keyed: Bundle, lateness: int
) -> None:
    alone = everything(keyed, many_parcels(), 1, lateness)
    assert alone[0].count('"carepolicy.event.unexpected"') > 70  # the second of two that are raised, and later ones
    assert [orjson.loads(each)["code"] for each in alone[1].splitlines()].count("CP901") == 5
    lines = [orjson.loads(each).get("line", len(many_parcels()) + 1) for each in alone[1].splitlines()]
    assert lines == sorted(lines), "what was raised after the last line has no line, and comes last"
    assert lines[-1] > len(many_parcels())
    assert everything(keyed, many_parcels(), 2, lateness) == alone
    assert everything(keyed, many_parcels(), 3, lateness) == alone


def test_workers_that_cannot_join_subjects_say_so(keyed: Bundle) -> None:
    merge = line("carepolicy.merge", "2026-03-02T11:00:00", "p-1", into="p-2")
    records, dead = everything(keyed, [*two_parcels()[:2], merge], 2)
    assert '"code":"CP914"' in records
    assert [orjson.loads(each)["line"] for each in dead.splitlines()] == [3]


def test_raised_events_have_ids_of_their_own(keyed: Bundle) -> None:
    records = [orjson.loads(each) for each in everything(keyed, many_parcels(), 1)[0].splitlines()]
    raised = [
        each["data"]["event"]["id"] for each in records if each["data"].get("event", {}).get("type") == "parcel_slow"
    ]
    assert len(raised) > 70
    assert len(set(raised)) == len(raised)


def test_a_watch_counts_an_event_once_though_flows_of_two_keys_take_it(run_flows: Runner) -> None:
    def sent(number: int) -> dict[str, Any]:
        data = {"customer.name": f"client {number}", "complaint.cause": "late"}
        return event("sent", f"2026-03-02T09:0{number}:00", f"p-{number}", data)

    found = run_flows(PARCEL, CLIENT, CAUSE, extra=WATCH, events=[sent(1), sent(2)])
    assert {each["flow"] for each in found} == {"parcel", "client"}
    found = run_flows(PARCEL, CLIENT, CAUSE, extra=WATCH, events=[sent(1), sent(2), sent(3)])
    assert [short(each) for each in found if each["flow"] == "cause"] == [
        "case.opened known",
        "task.assigned care_lead",
    ]


@given(st.lists(st.integers(0, 400), max_size=60), st.integers(1, 6))
def test_a_watch_raises_where_it_did_though_it_remembers_few_instants(days: list[int], reaches: int) -> None:
    bundle = watching(reaches)
    told = []
    for most in (1, 10_000):
        memory = ProcessMemory()
        watches, (watch,) = Watches(bundle, bundle.watches[0].stratum, memory), bundle.watches
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(run, "MOST_WATCHED", most)
            told.append([watches._reaches(watch, "late", day * DAY) for day in days])
        if most == 1:
            assert len(memory.watched(watch.name, "late")) <= reaches + 1
    assert told[0] == told[1]


@cache
def watching(reaches: int) -> Bundle:
    with TemporaryDirectory() as folder:
        watches = WATCH.replace("reaches: 3", f"reaches: {reaches}")
        return compiled(Path(folder), PARCEL, CLIENT, CAUSE, organisation=dedent(ORGANISATION) + dedent(watches))


def test_a_fact_of_a_thousand_bytes_and_more_names_no_case_and_is_counted_by_no_watch(tmp_path: Path) -> None:
    watches = WATCH.replace("complaint.cause, reaches: 3", "customer.name, reaches: 2")
    cause = CAUSE.replace("complaint.cause", "customer.name")
    bundle = compile_folder(str(write_set(tmp_path, PARCEL, CLIENT, cause, extra=watches)))
    days = range(2, 6)
    lines = [line("sent", f"2026-03-0{day}T09:00:00", f"p-{day}", customer_name="A" * 1001) for day in days]
    records, dead = everything(bundle, lines, 1)
    told = [orjson.loads(each) for each in records.splitlines()]
    assert {each.get("flow") for each in told if each["type"] == "carepolicy.case.opened"} == {"parcel"}
    assert {each["subject"] for each in told if each["type"] == "carepolicy.event.rejected"} == {"A" * 80 + "..."}
    letters = [orjson.loads(each) for each in dead.splitlines()]
    reasons = [f"{each['event']['type']} {each['code']} {each['reason'].split(',')[0]}" for each in letters]
    assert Counter(reasons) == {"sent CP912 customer.name": 4, "parcel_slow CP912 customer.name": 6}
    assert (records, dead) == everything(bundle, lines, 2)


def test_a_line_separator_of_unicode_in_a_text_does_not_break_a_record(run_flows: Runner) -> None:
    records = run_flows(
        PARCEL, CLIENT, events=[event("sent", "2026-03-02T09:00:00", "p\u2028\x85\x0b")], until="2026-03-09T09:00:00"
    )
    assert {each["subject"] for each in records} == {"p\u2028\x85\x0b"}
