"""Timers where they meet: at one instant, while a clock pauses, in other calendars, in circles, before their fact.

Office hours: Monday to Thursday 09:00-12:30 and 13:30-17:30, Friday 09:00-16:00, London (UTC in early March).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from carepolicy.api import Engine
from carepolicy.machine.compiler import compile_policies
from carepolicy.policy.load import load_policies
from stories import Events, Runner, event, short, write_set

HEAD = """\
flow: small
version: 1
title: A small flow
purpose: Timers meet.
owner: care_lead
events:
  asked: {title: Asked, by: customer, carries: {optional: [customer.tier, order.ship_by]}}
  moved: {title: Moved, by: staff}
  changed: {title: Changed, by: staff, carries: {optional: [customer.tier, order.ship_by]}}
  closed: {title: Closed, by: staff}
"""


def small(states: str, clocks: str = "") -> str:
    end = "  done: {title: Done, final: done}\nanywhere: {closed: done}\n"
    return HEAD + (f"clocks:\n{clocks}" if clocks else "") + f"states:\n{states}{end}"


def clock(name: str, limit: str, more: str) -> str:
    return f"  {name}: {{title: {name}, promise: 'Within {{limit}}.', limit: {limit}, {more}}}\n"


def told(records: Events, *kinds: str) -> list[str]:
    return [f"{short(each)} {each['time'][5:16]}" for each in records if each["type"].split(".")[1] in kinds]


def due_of(records: Events) -> list[tuple[str, Any, Any]]:
    """Each record of a clock: what it says, the time used, when it is due."""
    return [
        (each["type"].rsplit(".", 1)[1], each["data"]["used"], (each["data"].get("due") or "")[5:16])
        for each in records
        if ".clock." in each["type"]
    ]


def test_a_strict_limit_falls_late_before_the_event_though_another_clock_of_the_instant_stands_first_in_the_file(
    run_flows: Runner,
) -> None:
    clocks = clock("loose", "2 hours", "runs_in: [open]") + clock("strict", "less than 2 hours", "runs_in: [open]")
    flow = small("  open: {title: Open, start_on: asked, on: {moved: done}}\n", clocks)
    records = run_flows(flow, events=[event("asked", "2026-03-02T09:00:00"), event("moved", "2026-03-02T11:00:00")])
    assert [each for each in told(records, "clock") if "11:00" in each] == [
        "clock.late strict 03-02T11:00",
        "clock.met loose 03-02T11:00",
        "clock.ended strict 03-02T11:00",
    ]


OWNERS = """\
  open: {title: Open, start_on: asked, owner: care_agent, on: {moved: waiting, changed: night}}
  waiting: {title: Waiting, owner: night_watch, on: {moved: night, changed: {note: taken up}}}
  night: {title: Night, owner: night_watch, on: {moved: done}}
"""
BY_OWNER = "runs_in: [open, night], pauses_in: [waiting], calendar: owner"


def test_a_clock_that_goes_on_in_another_owners_state_counts_in_that_owners_calendar(run_flows: Runner) -> None:
    flow = small(OWNERS, clock("reply", "4 business hours", BY_OWNER))
    events = [
        event("asked", "2026-03-02T16:30:00"),
        event("moved", "2026-03-02T17:00:00"),
        event("moved", "2026-03-02T18:00:00"),
    ]
    assert due_of(run_flows(flow, events=events)) == [
        ("started", 0, "03-03T12:00"),
        ("paused", 1800, ""),
        ("resumed", 1800, "03-02T21:30"),
    ]


def test_a_due_time_that_moves_with_the_owner_is_told(run_flows: Runner) -> None:
    flow = small(OWNERS, clock("reply", "4 business hours", BY_OWNER))
    records = run_flows(flow, events=[event("asked", "2026-03-02T16:30:00"), event("changed", "2026-03-02T18:00:00")])
    assert due_of(records) == [("started", 0, "03-03T12:00"), ("extended", 3600, "03-02T21:00")]
    [moved] = [each["data"]["reason"] for each in records if each["type"].endswith("extended")]
    assert moved == "it counts in the calendar always now"


def test_a_fact_that_changes_during_a_pause_leaves_the_clock_in_its_own_owners_calendar(run_flows: Runner) -> None:
    limit = "[{when: 'customer.tier == \"gold\"', is: 2 business hours}, {is: 4 business hours}]"
    states = OWNERS.replace("moved: night, changed", "moved: open, changed")
    events = [
        event("asked", "2026-03-02T16:30:00"),
        event("moved", "2026-03-02T17:00:00"),
        event("changed", "2026-03-02T17:10:00", data={"customer.tier": "gold"}),
        event("moved", "2026-03-02T18:00:00"),
    ]
    assert due_of(run_flows(small(states, clock("reply", limit, BY_OWNER)), events=events)) == [
        ("started", 0, "03-03T12:00"),
        ("paused", 1800, ""),
        ("extended", 1800, ""),
        ("resumed", 1800, "03-03T10:30"),
    ]


def test_an_event_that_restarts_a_late_clock_does_not_let_it_run_where_it_pauses(run_flows: Runner) -> None:
    flow = small(
        "  open: {title: Open, start_on: asked, on: {moved: waiting}}\n"
        "  waiting: {title: Waiting, on: {moved: open, changed: {note: restarts}}}\n",
        clock("reply", "1 hour", "runs_in: [open], pauses_in: [waiting], restarts_on: [changed]"),
    )
    events = [
        event("asked", "2026-03-02T09:00:00"),
        event("moved", "2026-03-02T11:00:00"),
        event("changed", "2026-03-02T12:00:00"),
    ]
    records = run_flows(flow, events=events, until="2026-03-02T20:00:00")
    assert [each[0] for each in due_of(records)] == ["started", "late", "paused", "ended", "started", "paused"]


def test_an_event_that_restarts_a_late_clock_begins_it_at_zero_also_where_it_continues(run_flows: Runner) -> None:
    flow = small(
        "  open: {title: Open, start_on: asked, on: {changed: {note: restarts}}}\n",
        clock("reply", "1 hour", "runs_in: [open], again: continue, restarts_on: [changed]"),
    )
    events = [event("asked", "2026-03-02T09:00:00"), event("changed", "2026-03-02T12:00:00")]
    assert due_of(run_flows(flow, events=events)) == [
        ("started", 0, "03-02T10:00"),
        ("late", 3600, "03-02T10:00"),
        ("ended", 10800, ""),
        ("started", 0, "03-02T13:00"),
    ]


def test_a_clock_that_continues_does_not_give_its_warnings_twice(run_flows: Runner) -> None:
    flow = small(
        "  open: {title: Open, start_on: asked, on: {moved: away}}\n  away: {title: Away, on: {moved: open}}\n",
        clock("reply", "4 hours", "runs_in: [open], again: continue, warn_at: [50%, 80%]"),
    )
    events = [event("asked", "2026-03-02T09:00:00"), event("moved", "2026-03-02T12:00:00")]
    records = run_flows(flow, events=[*events, event("moved", "2026-03-02T14:00:00")], until="2026-03-02T15:00:00")
    assert due_of(records) == [
        ("started", 0, "03-02T13:00"),
        ("warned", 7200, "03-02T13:00"),
        ("met", 10800, ""),
        ("started", 10800, "03-02T15:00"),
        ("warned", 11520, "03-02T15:00"),
        ("late", 14400, "03-02T15:00"),
    ]


def test_a_timer_until_a_fact_waits_for_the_fact_and_moves_with_it(run_flows: Runner) -> None:
    states = (
        "  open: {title: Open, start_on: asked, on: {changed: {note: taken up}}, after: {until order.ship_by: done}}\n"
    )
    events = [
        event("asked", "2026-03-02T09:00:00"),
        event("changed", "2026-03-02T10:00:00", data={"order.ship_by": "2026-03-09T12:00:00+00:00"}),
        event("changed", "2026-03-02T11:00:00", data={"order.ship_by": None}),
        event("changed", "2026-03-02T12:00:00", data={"order.ship_by": "2026-03-05T12:00:00+00:00"}),
    ]
    records = run_flows(small(states), events=events, until="2026-03-20T00:00:00")
    assert told(records, "case")[-1] == "case.closed done done 03-05T12:00"
    assert told(run_flows(small(states), events=events[:3], until="2026-03-20T00:00:00"), "case") == [
        "case.opened open 03-02T09:00"
    ]


def test_clocks_that_chase_each_other_in_a_circle_are_cut(tmp_path: Path) -> None:
    """The check refuses such a set; a store may hold cases of one that it did not refuse."""
    clocks = clock("one", "until order.ship_by", "runs_in: [here]")
    clocks += clock("two", "until order.ship_by", "runs_in: [there]")
    states = (
        "  here: {title: Here, start_on: asked, on: {one.late: there}}\n  there: {title: There, on: {two.late: here}}\n"
    )
    past = {"order.ship_by": "2026-03-01T00:00:00+00:00"}
    policies, _ = load_policies(str(write_set(tmp_path, small(states, clocks))))
    assert policies is not None
    asked = event("asked", "2026-03-02T09:00:00", data=past)
    records = list(Engine(compile_policies(policies), False, timedelta(0)).run([asked]))
    assert 1_000 < len(records) < 5_000
    assert records[-1]["data"] | {"reason": ""} == {
        "event": {"type": "two.late"}, "code": "CP923", "reason": "", "state": "there",
    }  # fmt: skip
    assert {each["time"] for each in records} == {"2026-03-02T09:00:00+00:00"}


STAND = """\
  open: {title: Open, start_on: asked, on: {moved: waiting}}
  waiting: {title: Waiting, on: {moved: open}}
"""


@pytest.mark.parametrize(
    "limit", ["9 business hours", "3 business days", "close of business day 3", "less than 2 business days"]
)
def test_a_pause_from_closing_to_opening_costs_and_gives_nothing_whatever_the_limit(
    run_flows: Runner, limit: str
) -> None:
    flow = small(STAND, clock("reply", limit, "runs_in: [open], pauses_in: [waiting]"))
    asked = event("asked", "2026-03-04T10:00:00")
    [(_, _, due)] = due_of(run_flows(flow, events=[asked]))
    paused = [asked, event("moved", "2026-03-04T17:30:00"), event("moved", "2026-03-05T09:00:00")]
    assert [each[0] for each in due_of(run_flows(flow, events=paused))] == ["started", "paused", "resumed"]
    assert due_of(run_flows(flow, events=paused))[-1][2] == due
    late = [asked, event("moved", "2026-03-05T18:00:00"), event("moved", "2026-03-06T08:00:00")]
    assert due_of(run_flows(flow, events=late))[-1][2] == due


def test_closings_count_from_the_day_after_the_start_and_not_while_the_clock_pauses(run_flows: Runner) -> None:
    flow = small(STAND, clock("reply", "close of business day 3", "runs_in: [open], pauses_in: [waiting]"))
    asked = event("asked", "2026-03-04T10:00:00")
    same_day = [asked, event("moved", "2026-03-04T11:00:00"), event("moved", "2026-03-04T15:00:00")]
    assert due_of(run_flows(flow, events=same_day)) == [
        ("started", 0, "03-09T17:30"),
        ("paused", 0, ""),
        ("resumed", 0, "03-09T17:30"),
    ]
    over_a_closing = [asked, event("moved", "2026-03-06T11:00:00"), event("moved", "2026-03-09T08:00:00")]
    assert due_of(run_flows(flow, events=over_a_closing)) == [
        ("started", 0, "03-09T17:30"),
        ("paused", 86_400, ""),
        ("resumed", 86_400, "03-10T17:30"),
    ]


def test_a_clock_that_restarts_with_another_owner_tells_one_due_time_in_that_owners_calendar(run_flows: Runner) -> None:
    clocks = clock("reply", "4 business hours", BY_OWNER + ", restarts_on: [changed]")
    records = run_flows(
        small(OWNERS, clocks), events=[event("asked", "2026-03-02T16:30:00"), event("changed", "2026-03-02T18:00:00")]
    )
    assert due_of(records) == [("started", 0, "03-03T12:00"), ("restarted", 0, "03-02T22:00")]


def test_a_strict_clock_that_another_timer_of_its_due_instant_stops_is_late_and_not_met(run_flows: Runner) -> None:
    clocks = clock("first", "less than 2 hours", "runs_in: [open]")
    clocks += clock("second", "less than 2 hours", "runs_in: [open]") + clock("third", "2 hours", "runs_in: [open]")
    flow = small("  open: {title: Open, start_on: asked, on: {first.late: done}}\n", clocks)
    records = run_flows(flow, events=[event("asked", "2026-03-02T09:00:00")], until="2026-03-02T12:00:00")
    assert [each for each in told(records, "clock") if "11:00" in each] == [
        "clock.late first 03-02T11:00",
        "clock.ended first 03-02T11:00",
        "clock.late second 03-02T11:00",
        "clock.ended second 03-02T11:00",
        "clock.met third 03-02T11:00",
    ]
