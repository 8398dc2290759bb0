"""A pause stops the count, not the promise: a clock that pauses is late where it would be if it went on now.

Office hours: Monday to Thursday 09:00-12:30 and 13:30-17:30, Friday 09:00-16:00, London (UTC in early March).
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

import orjson
import pytest

from carepolicy.engine import fast
from carepolicy.engine.history.cases import cases_of
from carepolicy.engine.history.log import read_record
from carepolicy.engine.history.words import clock_in_words
from stories import Events, Runner, event, short

FLOW = """\
flow: small
version: 1
title: A small flow
purpose: Clocks pause.
owner: care_lead
events:
  asked: {{title: Asked, by: customer, carries: {{optional: [customer.tier, order.ship_by]}}}}
  waited: {{title: Waited, by: staff, carries: {{optional: [customer.tier, order.ship_by]}}}}
  went_on: {{title: Went on, by: staff, carries: {{optional: [customer.tier, order.ship_by]}}}}
  changed: {{title: Changed, by: staff, carries: {{optional: [customer.tier, order.ship_by]}}}}
  closed: {{title: Closed, by: staff}}
clocks:
  c: {{title: Answer, promise: "Within {{limit}}.", limit: {limit}, runs_in: [at_work], pauses_in: [waiting]{more}}}
states:
  at_work: {{title: At work, owner: care_agent, start_on: asked, on: {{waited: waiting, changed: {{note: changed}}}}}}
  waiting: {{title: Waits, owner: care_agent, on: {{went_on: at_work, changed: {{note: changed}}{heard}}}}}
  done: {{title: Done, final: done}}
anywhere: {{closed: done}}
"""
SHRINKS = '[{when: customer.tier == "gold", is: 2 hours}, {is: 8 hours}]'
STRICT = '[{when: customer.tier == "gold", is: less than 2 hours}, {is: 8 hours}]'
GOLD, STANDARD = {"customer.tier": "gold"}, {"customer.tier": "standard"}


def flow(limit: str, heard: str = "", more: str = "") -> str:
    return FLOW.format(limit=limit, heard=heard, more=more)


def told(records: Events) -> list[str]:
    return [
        f"{short(each).split()[0].split('.')[1]} {each['time'][8:16]}" for each in records if ".clock." in each["type"]
    ]


def last(records: Events, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = [each["data"] for each in records if each["type"].endswith(f"clock.{kind}")][-1]
    return found


def paused_at_noon(*more: dict[str, Any]) -> Events:
    """Asked on Monday at nine, and waiting from noon on, when three hours are used."""
    return [event("asked", "2026-03-02T09:00:00"), event("waited", "2026-03-02T12:00:00"), *more]


def test_a_limit_that_shrinks_in_a_pause_below_what_was_used_is_late_at_once(run_flows: Runner) -> None:
    records = run_flows(
        flow(SHRINKS),
        events=paused_at_noon(
            event("changed", "2026-03-02T13:00:00", data=GOLD), event("closed", "2026-03-03T09:00:00")
        ),
    )
    assert told(records) == [
        "started 02T09:00", "paused 02T12:00", "extended 02T13:00", "late 02T13:00", "ended 03T09:00",
    ]  # fmt: skip
    assert last(records, "late") == {"clock": "c", "used": 10800, "limit": 7200, "basis": "elapsed"}
    assert last(records, "ended")["over"] == 3600


def test_a_state_in_which_the_clock_pauses_hears_that_it_is_late(run_flows: Runner) -> None:
    records = run_flows(
        flow(SHRINKS, heard=", c.late: {tell: care_lead}"),
        events=paused_at_noon(event("changed", "2026-03-02T13:00:00", data=GOLD)),
        until="2026-03-02T14:00:00",
    )
    assert [each["time"][8:16] for each in records if each["type"].endswith("notice.requested")] == ["02T13:00"]


def test_what_was_late_in_a_pause_stays_late_when_it_goes_on_and_is_over_by_both(run_flows: Runner) -> None:
    records = run_flows(
        flow(SHRINKS),
        events=paused_at_noon(
            event("changed", "2026-03-02T13:00:00", data=GOLD),
            event("went_on", "2026-03-02T15:00:00", data=STANDARD),
            event("closed", "2026-03-02T15:30:00"),
        ),
    )
    assert told(records)[-3:] == ["late 02T13:00", "resumed 02T15:00", "ended 02T15:30"]
    assert last(records, "ended") == {"clock": "c", "used": 12600, "limit": 7200, "basis": "elapsed", "over": 5400}


def test_a_limit_that_shrinks_as_the_pause_begins_is_late_then(run_flows: Runner) -> None:
    waits = event("waited", "2026-03-02T12:00:00", data=GOLD)
    records = run_flows(
        flow(SHRINKS),
        events=[event("asked", "2026-03-02T09:00:00"), waits, event("closed", "2026-03-02T17:00:00")],
    )
    assert told(records)[1:] == ["extended 02T12:00", "paused 02T12:00", "late 02T12:00", "ended 02T17:00"]


@pytest.mark.parametrize(("limit", "ends"), [(SHRINKS, "met"), (STRICT, "ended")])
def test_a_limit_that_is_just_used_up_in_a_pause_is_in_time_unless_it_is_strict(
    run_flows: Runner, limit: str, ends: str
) -> None:
    asked, waited = event("asked", "2026-03-02T09:00:00"), event("waited", "2026-03-02T11:00:00")
    changed, closed = event("changed", "2026-03-02T13:00:00", data=GOLD), event("closed", "2026-03-02T17:00:00")
    records = run_flows(flow(limit), events=[asked, waited, changed, closed])
    assert told(records)[-1] == f"{ends} 02T17:00"
    assert last(records, ends)["used"] == 7200


def test_a_limit_that_shrinks_in_a_pause_and_leaves_time_falls_due_when_that_is_used(run_flows: Runner) -> None:
    records = run_flows(
        flow('[{when: customer.tier == "gold", is: 4 hours}, {is: 8 hours}]'),
        events=paused_at_noon(
            event("changed", "2026-03-02T13:00:00", data=GOLD), event("went_on", "2026-03-02T15:00:00")
        ),
        until="2026-03-02T16:00:01",
    )
    assert last(records, "resumed")["due"] == "2026-03-02T16:00:00+00:00"
    assert told(records)[-1] == "late 02T16:00"


def test_the_next_open_day_that_a_limit_rolls_to_is_no_lateness_of_a_pause(run_flows: Runner) -> None:
    """The two hours are used on Saturday, and may be on Monday too."""
    asked, waited = event("asked", "2026-03-07T09:00:00"), event("waited", "2026-03-07T12:00:00")
    changed, closed = event("changed", "2026-03-07T13:00:00", data=GOLD), event("closed", "2026-03-07T14:00:00")
    rolls = SHRINKS.replace("is: 2 hours", "is: 2 hours, rolls: next_business_day")
    records = run_flows(flow(rolls), events=[asked, waited, changed, closed])
    assert told(records)[-1] == "met 07T14:00"
    assert last(records, "met")["used"] == 10800


def test_a_month_that_begins_to_hold_in_a_pause_is_told_with_its_length(run_flows: Runner) -> None:
    records = run_flows(
        flow('[{when: customer.tier == "gold", is: 1 month}, {is: 8 hours}]'),
        events=paused_at_noon(
            event("changed", "2026-03-02T13:00:00", data=GOLD), event("closed", "2026-03-02T17:00:00")
        ),
    )
    assert last(records, "extended")["limit"] == last(records, "met")["limit"] == 31 * 86400 - 3600  # summer time


@pytest.mark.parametrize(("date", "ends"), [("2026-03-02T15:00:00+00:00", "ended"), ("2026-03-02T17:00:00Z", "met")])
def test_a_date_that_was_promised_passes_in_a_pause_too(run_flows: Runner, date: str, ends: str) -> None:
    asked = event("asked", "2026-03-02T09:00:00", data={"order.ship_by": date})
    waited, closed = event("waited", "2026-03-02T12:00:00"), event("closed", "2026-03-02T17:00:00")
    records = run_flows(flow("until order.ship_by"), events=[asked, waited, closed])
    assert told(records)[-1] == f"{ends} 02T17:00"
    if ends == "ended":
        assert last(records, "ended")["over"] == 7200
        assert last(records, "late")["clock"] == "c"


def test_a_date_that_moves_into_the_past_in_a_pause_is_late_at_once(run_flows: Runner) -> None:
    asked = event("asked", "2026-03-02T09:00:00", data={"order.ship_by": "2026-03-06T12:00:00+00:00"})
    changed = event("changed", "2026-03-02T13:00:00", data={"order.ship_by": "2026-03-02T11:00:00+00:00"})
    records = run_flows(
        flow("until order.ship_by"),
        events=[asked, event("waited", "2026-03-02T12:00:00"), changed, event("closed", "2026-03-02T17:00:00")],
    )
    assert told(records)[-2:] == ["late 02T13:00", "ended 02T17:00"]
    assert last(records, "ended")["over"] == 7200


def test_a_case_shows_a_clock_that_pauses_and_is_late_as_both(run_flows: Runner) -> None:
    records = run_flows(
        flow(SHRINKS),
        events=paused_at_noon(event("changed", "2026-03-02T13:00:00", data=GOLD)),
        until="2026-03-02T14:00:00",
    )
    (case,) = cases_of(read_record(orjson.dumps(each)) for each in records)
    assert clock_in_words(case.clocks["c"], UTC) == "paused, and late, 3 h used, limit 2 h"


ANOTHER = '  a: {title: Another, promise: "Within {limit}.", limit: 2 hours, runs_in: [at_work]}\n'


@pytest.mark.parametrize("to", ["done", "waiting"])
def test_a_strict_limit_is_late_though_another_clock_of_its_due_instant_ends_it_or_lets_it_pause_first(
    run_flows: Runner, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    """Once moves are written out too, which the second case makes use of."""
    monkeypatch.setattr(fast, "OFTEN", 1)
    text = flow("less than 2 hours").replace("clocks:\n", f"clocks:\n{ANOTHER}")
    text = text.replace("on: {waited: w", f"on: {{a.late: {to}, waited: w")
    log = [event("asked", f"2026-03-02T{hour}:00:00", f"s-{hour}") for hour in ("09", "10", "12")]
    log += [event("closed", "2026-03-02T16:00:00", each["subject"], id=each["id"] + "c") for each in log]
    records = run_flows(text, events=log, until="2026-03-02T16:00:00")
    ends = [
        (each["subject"], each["data"]["over"])
        for each in records
        if each["type"].endswith("clock.ended") and each["data"]["clock"] == "c"
    ]
    assert ends == [("s-09", 0), ("s-10", 0), ("s-12", 0)]
