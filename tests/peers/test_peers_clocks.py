"""Faults and wishes from the trackers of other tools (shared/design/PEERS.md), and what carepolicy does instead.

Office hours in these tests: Monday to Thursday 09:00-12:30 and 13:30-17:30, Friday 09:00-16:00, London.
2026-03-02 is a Monday; London is on UTC until 2026-03-29.
"""

from __future__ import annotations

from typing import Any

from stories import Events, Runner, event

TICKET = """\
    flow: ticket
    version: 1
    title: Handle a ticket
    purpose: Every ticket is answered.
    owner: care_lead
    events:
      asked: {{title: The customer asks, by: customer,
        carries: {{optional: [customer.tier, case.urgent, order.ship_by]}}}}
      phoned: {{title: The customer phones, by: customer}}
      answered: {{title: We answer, by: staff}}
      info_asked: {{title: We ask back, by: staff}}
      customer_wrote: {{title: The customer writes, by: customer}}
      reclassified: {{title: We classify it anew, by: staff,
        carries: {{optional: [customer.tier, case.urgent, order.ship_by]}}}}
      touched: {{title: Somebody works on it, by: staff}}
      taken: {{title: A colleague takes it over, by: staff}}
      more_time: {{title: We ask for more time, by: staff}}
    clocks:
{clocks}
    states:
      open:
        title: Open
        start_on: asked
        owner: care_agent
        on:
          answered: done
          info_asked: waiting
          reclassified: {{note: the facts are taken up}}
          taken: night
          more_time: {{extend: {{clock: reply, by: 5 business days, at_most: 1}}}}
          customer_wrote: {{note: seen}}
          phoned: {{note: seen}}
      waiting: {{title: Waiting for the customer, owner: care_agent,
        on: {{customer_wrote: open, reclassified: {{note: taken up}}}}}}
      night: {{title: Night watch, owner: night_watch, on: {{answered: done}}}}
      done: {{title: Done, owner: care_agent, on: {{customer_wrote: open, answered: closed}}}}
      closed: {{title: Closed, final: resolved}}
"""

ONE_CLOCK = """\
      reply:
        title: Answer
        promise: We answer within {limit}.
        limit: LIMIT
        runs_in: [open]
        pauses_in: [waiting]
"""


def ticket(clocks: str) -> str:
    return TICKET.format(clocks=clocks.rstrip())


def with_limit(limit: str, more: str = "") -> str:
    return ticket(ONE_CLOCK.replace("LIMIT", limit) + more)


def of_clock(records: Events, clock: str = "reply") -> list[tuple[str, str, Any]]:
    """What became of a clock: (record, time, due)."""
    return [
        (each["type"].removeprefix("carepolicy.clock."), each["time"][:19], (each["data"].get("due") or "")[:19])
        for each in records
        if each["data"].get("clock") == clock
    ]


def test_glpi_15605_a_new_limit_is_compared_with_the_time_already_used_and_pauses_stay_counted_out(
    run_flows: Runner,
) -> None:
    flow = with_limit("\n          - {when: case.urgent, is: 2 business hours}\n          - {is: 6 business hours}")
    records = run_flows(
        flow,
        events=[
            event("asked", "2026-03-02T09:00:00"),
            event("info_asked", "2026-03-02T10:00:00"),
            event("customer_wrote", "2026-03-02T12:00:00"),
            event("reclassified", "2026-03-02T12:10:00", data={"case.urgent": True}),
        ],
    )
    # one hour used before the pause, ten minutes after it: fifty minutes are left, ten of them before lunch at 12:30
    assert of_clock(records)[-1] == ("extended", "2026-03-02T12:10:00", "2026-03-02T14:00:00")
    assert records[-1]["data"]["used"] == 4200
    assert records[-1]["data"]["limit"] == 7200


def test_glpi_15605_a_new_limit_that_is_already_used_up_is_late_at_once(run_flows: Runner) -> None:
    flow = with_limit("\n          - {when: case.urgent, is: 1 business hour}\n          - {is: 6 business hours}")
    records = run_flows(
        flow,
        events=[
            event("asked", "2026-03-02T09:00:00"),
            event("reclassified", "2026-03-02T11:00:00", data={"case.urgent": True}),
        ],
    )
    assert of_clock(records)[-1] == ("late", "2026-03-02T11:00:00", "2026-03-02T10:00:00")


def test_frappe_2449_a_pause_from_closing_to_opening_costs_and_gives_nothing(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("8 business hours"),
        events=[
            event("asked", "2026-03-02T09:00:00"),
            event("info_asked", "2026-03-02T17:30:00"),
            event("customer_wrote", "2026-03-03T09:00:00"),
        ],
    )
    assert of_clock(records) == [
        ("started", "2026-03-02T09:00:00", "2026-03-03T09:30:00"),
        ("paused", "2026-03-02T17:30:00", ""),
        ("resumed", "2026-03-03T09:00:00", "2026-03-03T09:30:00"),
    ]


def test_zammad_5177_clocks_are_independent(run_flows: Runner) -> None:
    update = """\
      update:
        title: News
        promise: You hear from us every {limit}.
        limit: 4 business hours
        runs_in: [open]
        restarts_on: [touched]
"""
    records = run_flows(
        with_limit("2 business hours", update),
        events=[event("asked", "2026-03-02T09:00:00"), event("touched", "2026-03-02T10:00:00")],
        until="2026-03-02T12:00:00",
    )
    assert of_clock(records)[-1] == ("late", "2026-03-02T11:00:00", "2026-03-02T11:00:00")
    assert of_clock(records, "update")[-1] == ("restarted", "2026-03-02T10:00:00", "2026-03-02T15:00:00")


def test_zammad_3140_an_agents_answer_stops_the_clock_and_only_the_customer_starts_it_again(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("2 business hours"),
        events=[
            event("asked", "2026-03-02T09:00:00"),
            event("answered", "2026-03-02T10:00:00"),
            event("customer_wrote", "2026-03-04T09:00:00"),
        ],
        until="2026-03-04T10:00:00",
    )
    assert [each[0] for each in of_clock(records)] == ["started", "met", "started"]


def test_zammad_1322_what_restarts_a_clock_is_an_event_whatever_its_channel(run_flows: Runner) -> None:
    flow = with_limit("2 business hours\n        restarts_on: [phoned, customer_wrote]")
    records = run_flows(
        flow,
        events=[
            event("asked", "2026-03-02T09:00:00"),
            event("phoned", "2026-03-02T10:00:00"),
            event("customer_wrote", "2026-03-02T10:30:00"),
        ],
    )
    assert [each[0] for each in of_clock(records)] == ["started", "restarted", "restarted"]
    assert of_clock(records)[-1][2] == "2026-03-02T12:30:00"


def test_zammad_5624_where_no_limit_holds_the_clock_is_cancelled_and_starts_when_one_holds_again(
    run_flows: Runner,
) -> None:
    flow = with_limit('\n          - {when: customer.tier != "none", is: 2 business hours}')
    records = run_flows(
        flow,
        events=[
            event("asked", "2026-03-02T09:00:00"),
            event("reclassified", "2026-03-02T10:00:00", data={"customer.tier": "none"}),
            event("reclassified", "2026-03-03T10:00:00", data={"customer.tier": "gold"}),
        ],
    )
    assert of_clock(records) == [
        ("started", "2026-03-02T09:00:00", "2026-03-02T11:00:00"),
        ("cancelled", "2026-03-02T10:00:00", ""),
        ("started", "2026-03-03T10:00:00", "2026-03-03T12:00:00"),
    ]


def test_chatwoot_10178_a_clock_does_not_run_on_after_the_case_is_resolved(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("2 business hours"),
        events=[event("asked", "2026-03-02T09:00:00"), event("answered", "2026-03-02T10:00:00")],
        until="2026-03-20T10:00:00",
    )
    assert [each[0] for each in of_clock(records)] == ["started", "met"]


def test_osticket_4166_a_clock_may_count_in_the_calendar_of_the_states_owner(run_flows: Runner) -> None:
    clocks = ONE_CLOCK.replace("LIMIT", "8 business hours\n        calendar: owner").replace("[open]", "[open, night]")
    records = run_flows(
        ticket(clocks),
        events=[
            event("asked", "2026-03-02T16:30:00"),
            event("taken", "2026-03-02T17:30:00"),
            event("answered", "2026-03-03T00:30:00"),
        ],
    )
    # one hour of office time, then seven hours round the clock
    assert of_clock(records)[-1][:2] == ("met", "2026-03-03T00:30:00")
    assert records[-2]["data"]["used"] == 8 * 3600


def test_osticket_407_nothing_may_lie_untouched(run_flows: Runner) -> None:
    flow = with_limit("1 business day\n        restarts_on: [touched]")
    records = run_flows(
        flow,
        events=[event("asked", "2026-03-02T09:00:00"), event("touched", "2026-03-02T17:00:00")],
        until="2026-03-05T09:00:00",
    )
    assert [each[0] for each in of_clock(records)] == ["started", "restarted", "late"]
    assert of_clock(records)[-1][1] == "2026-03-03T17:00:00"


def test_glpi_687_a_case_of_the_night_has_used_nothing_until_the_next_opening(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("1 business hour"),
        events=[event("asked", "2026-03-01T03:00:00"), event("info_asked", "2026-03-02T09:00:00")],
    )
    assert of_clock(records)[0] == ("started", "2026-03-01T03:00:00", "2026-03-02T10:00:00")
    assert records[-2]["data"]["used"] == 0


def test_camunda_1155_each_clock_has_a_calendar_of_its_own(run_flows: Runner) -> None:
    other = """\
      call_back:
        title: Call back
        promise: We call back within {limit}.
        limit: 1 business hour
        calendar: phones
        runs_in: [open]
"""
    records = run_flows(with_limit("1 business hour", other), events=[event("asked", "2026-03-02T18:00:00")])
    assert of_clock(records)[0][2] == "2026-03-03T10:00:00"
    assert of_clock(records, "call_back")[0][2] == "2026-03-02T19:00:00"


def test_camunda_18815_a_running_clock_may_be_extended_so_often_and_no_more(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("1 business day"),
        events=[
            event("asked", "2026-03-02T10:00:00"),
            event("more_time", "2026-03-02T11:00:00"),
            event("more_time", "2026-03-02T12:00:00"),
        ],
    )
    assert of_clock(records) == [
        ("started", "2026-03-02T10:00:00", "2026-03-03T10:00:00"),
        ("extended", "2026-03-02T11:00:00", "2026-03-10T10:00:00"),
    ]
    assert records[-1]["data"]["limit"] == 6 * 86_400


def test_camunda_18815_a_due_time_held_in_a_fact_follows_the_fact(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("until order.ship_by"),
        events=[
            event("asked", "2026-03-02T10:00:00", data={"order.ship_by": "2026-03-04T12:00:00+00:00"}),
            event("reclassified", "2026-03-02T11:00:00", data={"order.ship_by": "2026-03-06T12:00:00+01:00"}),
        ],
        until="2026-03-10T00:00:00",
    )
    assert of_clock(records) == [
        ("started", "2026-03-02T10:00:00", "2026-03-04T12:00:00"),
        ("extended", "2026-03-02T11:00:00", "2026-03-06T11:00:00"),
        ("late", "2026-03-06T11:00:00", "2026-03-06T11:00:00"),
    ]


def test_camunda_18167_a_date_that_does_not_exist_is_rejected_where_it_enters(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("1 business hour"),
        events=[event("asked", "2026-02-30T10:00:00"), event("asked", "2026-03-02T10:00:00")],
    )
    assert records[0]["type"] == "carepolicy.event.rejected"
    assert records[0]["data"]["code"] == "CP903"
    assert records[1]["type"] == "carepolicy.case.opened"


def test_zammad_904_a_merged_case_never_falls_late_and_the_survivor_keeps_the_earlier_start(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("3 business hours"),
        events=[
            event("asked", "2026-03-02T09:00:00", subject="a"),
            event("asked", "2026-03-02T10:00:00", subject="b"),
            event("carepolicy.merge", "2026-03-02T11:00:00", subject="a", data={"into": "b"}),
        ],
        until="2026-03-09T00:00:00",
    )
    of_a = [each for each in records if each["subject"] == "a"]
    assert of_a[-1]["data"] == {"state": "open", "outcome": "merged"}
    assert [each[0] for each in of_clock(of_a)] == ["started", "cancelled"]
    of_b = [each for each in records if each["subject"] == "b"]
    assert of_clock(of_b)[-1] == ("late", "2026-03-02T12:00:00", "2026-03-02T12:00:00")


def test_later_events_for_a_merged_subject_go_to_the_survivor(run_flows: Runner) -> None:
    records = run_flows(
        with_limit("3 business hours"),
        events=[
            event("asked", "2026-03-02T09:00:00", subject="a"),
            event("asked", "2026-03-02T10:00:00", subject="b"),
            event("carepolicy.merge", "2026-03-02T11:00:00", subject="a", data={"into": "b"}),
            event("answered", "2026-03-02T11:30:00", subject="a"),
        ],
    )
    moved = [each for each in records if each["type"] == "carepolicy.case.moved"]
    assert [each["subject"] for each in moved] == ["b"]
