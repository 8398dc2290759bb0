"""Clocks as LANGUAGE.md has them: rounds, boundaries, lateness, pending lateness, extra rules of starting.

Office hours: Monday to Thursday 09:00-12:30 and 13:30-17:30, Friday 09:00-16:00, London (UTC in early March).
"""

from __future__ import annotations

from typing import Any

import pytest

from stories import Events, Runner, event, short

INQUIRY = """\
    flow: inquiry
    version: 1
    title: Answer an e-mail
    purpose: Every e-mail is answered.
    owner: care_lead
    events:
      email_received: {{title: An e-mail arrives, by: customer,
        carries: {{optional: [customer.email, customer.name, customer.tier, breach.aware_at]}}}}
      reply_sent: {{title: We answer, by: staff}}
      more_info_asked: {{title: We ask back, by: staff}}
      customer_wrote: {{title: The customer writes, by: customer}}
      passed_on: {{title: Passed on, by: staff}}
    clocks:
      first_reply:
        title: First answer
        promise: We answer within {{limit}}.
        limit: {limit}
        runs_in: [received, overdue, other]
        pauses_in: [waiting]
{more}
    states:
      received:
        title: Waits for an answer
        start_on: email_received
        owner: care_agent
        channel: email
        enter: {{send: auto_reply}}
        on:
          reply_sent: answered
          more_info_asked: waiting
          passed_on: other
          first_reply.warned: {{tell: care_lead}}
          first_reply.late: {{to: overdue, tell: care_lead}}
      other: {{title: Elsewhere, owner: care_agent, on: {{passed_on: received, reply_sent: answered}}}}
      overdue:
        title: Late
        owner: care_lead
        on: {{reply_sent: {{to: answered, send: apology}}}}
      waiting:
        title: Waiting for the customer
        owner: care_agent
        on: {{customer_wrote: received}}
        after: {{7 days: unanswered}}
      answered:
        title: Answered
        owner: care_agent
        on: {{customer_wrote: received, first_reply.met: {{tell: care_lead}}}}
        after: {{2 business days: closed}}
      closed: {{title: Closed, final: resolved}}
      unanswered: {{title: No answer, final: no_answer}}
"""


def inquiry(limit: str = "3 business hours", more: str = "") -> str:
    return INQUIRY.format(limit=limit, more=more)


def clock(records: Events) -> list[tuple[str, str]]:
    return [
        (each["type"].rsplit(".", 1)[1], each["time"][5:19])
        for each in records
        if each["type"].startswith("carepolicy.clock.")
    ]


def data_of(records: Events, kind: str) -> dict[str, Any]:
    found = [each["data"] for each in records if each["type"] == f"carepolicy.{kind}"]
    return found[-1]


def test_a_mail_of_friday_afternoon_is_due_on_monday(run_flows: Runner) -> None:
    records = run_flows(inquiry(), events=[event("email_received", "2026-03-06T15:30:00")])
    assert data_of(records, "clock.started") == {
        "clock": "first_reply",
        "due": "2026-03-09T11:30:00+00:00",
        "used": 0,
        "limit": 10800,
        "basis": "business_time",
    }


def test_an_answer_at_the_due_instant_is_in_time(run_flows: Runner) -> None:
    records = run_flows(
        inquiry(), events=[event("email_received", "2026-03-02T09:00:00"), event("reply_sent", "2026-03-02T12:00:00")]
    )
    assert clock(records) == [("started", "03-02T09:00:00"), ("met", "03-02T12:00:00")]
    assert data_of(records, "clock.met")["used"] == 10800


def test_a_strict_limit_is_late_at_the_due_instant_before_the_answer(run_flows: Runner) -> None:
    records = run_flows(
        inquiry("less than 2 business days"),
        events=[event("email_received", "2026-03-03T10:00:00"), event("reply_sent", "2026-03-05T10:00:00")],
    )
    assert clock(records) == [
        ("started", "03-03T10:00:00"),
        ("late", "03-05T10:00:00"),
        ("ended", "03-05T10:00:00"),
    ]
    assert data_of(records, "clock.ended")["over"] == 0
    assert data_of(records, "clock.ended")["basis"] == "business_days"


def test_lateness_happens_at_its_own_instant_and_is_ended_with_what_it_was_over(run_flows: Runner) -> None:
    records = run_flows(
        inquiry(), events=[event("email_received", "2026-03-02T09:00:00"), event("reply_sent", "2026-03-02T14:00:00")]
    )
    assert clock(records) == [
        ("started", "03-02T09:00:00"),
        ("late", "03-02T12:00:00"),
        ("ended", "03-02T14:00:00"),
    ]
    assert data_of(records, "clock.ended")["over"] == 3600
    assert [short(each) for each in records if each["type"] == "carepolicy.case.moved"] == [
        "case.moved received -> overdue on first_reply.late",
        "case.moved overdue -> answered on reply_sent",
    ]


def test_warnings_come_at_their_shares_of_the_limit_in_time_order(run_flows: Runner) -> None:
    records = run_flows(
        inquiry("4 business hours", "        warn_at: [50%, 75%]\n"),
        events=[event("email_received", "2026-03-02T09:00:00")],
        until="2026-03-03T00:00:00",
    )
    assert clock(records) == [
        ("started", "03-02T09:00:00"),
        ("warned", "03-02T11:00:00"),
        ("warned", "03-02T12:00:00"),
        ("late", "03-02T14:00:00"),
    ]


def test_a_clock_starts_a_new_round_after_it_was_stopped(run_flows: Runner) -> None:
    events = [
        event("email_received", "2026-03-02T09:00:00"),
        event("reply_sent", "2026-03-02T11:00:00"),
        event("customer_wrote", "2026-03-03T09:00:00"),
    ]
    restarted = run_flows(inquiry(), events=events)
    assert data_of(restarted, "clock.started")["used"] == 0
    goes_on = run_flows(inquiry(more="        again: continue\n"), events=events)
    assert data_of(goes_on, "clock.started")["used"] == 7200
    assert data_of(goes_on, "clock.started")["due"] == "2026-03-03T10:00:00+00:00"


def test_met_is_an_event_of_the_state_that_was_entered(run_flows: Runner) -> None:
    records = run_flows(
        inquiry(), events=[event("email_received", "2026-03-02T09:00:00"), event("reply_sent", "2026-03-02T10:00:00")]
    )
    assert short(records[-1]) == "notice.requested care_lead"


def test_silence_has_its_outcome_after_seven_days_of_elapsed_time(run_flows: Runner) -> None:
    records = run_flows(
        inquiry(),
        events=[event("email_received", "2026-03-02T09:00:00"), event("more_info_asked", "2026-03-02T10:00:00")],
        until="2026-03-20T00:00:00",
    )
    assert short(records[-1]) == "case.closed unanswered no_answer"
    assert records[-1]["time"] == "2026-03-09T10:00:00+00:00"
    assert data_of(records, "case.moved")["on"] == "after"
    assert clock(records)[-1] == ("met", "03-09T10:00:00")


def test_an_after_of_business_days_counts_in_the_flows_calendar(run_flows: Runner) -> None:
    records = run_flows(
        inquiry(),
        events=[event("email_received", "2026-03-05T10:00:00"), event("reply_sent", "2026-03-05T11:00:00")],
        until="2026-03-20T00:00:00",
    )
    # half an afternoon and a morning of Thursday are 5.5 of 7.5 hours; Friday has 7, Monday 7.5
    assert short(records[-1]) == "case.closed closed resolved"
    assert records[-1]["time"] == "2026-03-09T11:00:00+00:00"


def test_an_automatic_message_never_stops_a_clock(run_flows: Runner) -> None:
    records = run_flows(inquiry(), events=[event("email_received", "2026-03-02T09:00:00")])
    assert "message.requested auto_reply" in [short(each) for each in records]
    assert [name for name, _ in clock(records)] == ["started"]


def test_lateness_that_no_state_listened_to_is_taken_by_the_first_state_that_does(run_flows: Runner) -> None:
    records = run_flows(
        inquiry(),
        events=[
            event("email_received", "2026-03-02T09:00:00"),
            event("passed_on", "2026-03-02T10:00:00"),
            event("passed_on", "2026-03-02T15:00:00"),
        ],
    )
    assert clock(records) == [("started", "03-02T09:00:00"), ("late", "03-02T12:00:00")]
    moves = [short(each) for each in records if each["type"] == "carepolicy.case.moved"]
    assert moves[-1] == "case.moved received -> overdue on first_reply.late"
    assert records[-1]["time"] == "2026-03-02T15:00:00+00:00"


def test_a_first_round_may_count_from_an_earlier_instant_that_a_fact_holds(run_flows: Runner) -> None:
    flow = inquiry("72 hours", "        counts_from: breach.aware_at\n")
    aware = {"breach.aware_at": "2026-03-01T09:00:00+00:00"}
    records = run_flows(flow, events=[event("email_received", "2026-03-03T09:00:00", data=aware)])
    assert data_of(records, "clock.started")["used"] == 48 * 3600
    assert data_of(records, "clock.started")["due"] == "2026-03-04T09:00:00+00:00"


def test_a_breach_that_was_known_eighty_hours_before_it_was_recorded_is_late_at_once(run_flows: Runner) -> None:
    flow = inquiry("72 hours", "        counts_from: breach.aware_at\n")
    aware = {"breach.aware_at": "2026-02-28T01:00:00+00:00"}
    records = run_flows(flow, events=[event("email_received", "2026-03-03T09:00:00", data=aware)])
    assert clock(records) == [("started", "03-03T09:00:00"), ("late", "03-03T09:00:00")]
    assert data_of(records, "clock.late")["due"] == "2026-03-03T01:00:00+00:00"
    assert data_of(records, "clock.late")["used"] == 80 * 3600


def test_seventy_two_hours_run_over_a_weekend(run_flows: Runner) -> None:
    records = run_flows(inquiry("72 hours"), events=[event("email_received", "2026-03-06T16:00:00")])
    assert data_of(records, "clock.started")["due"] == "2026-03-09T16:00:00+00:00"


def test_a_month_from_the_last_of_january_is_clamped_and_rolls_to_an_open_day(run_flows: Runner) -> None:
    flow = inquiry("\n          - {is: 1 month, rolls: next_business_day}")
    records = run_flows(flow, events=[event("email_received", "2026-01-31T10:00:00")])
    assert data_of(records, "clock.started")["due"] == "2026-03-02T10:00:00+00:00"


def test_close_of_business_of_the_third_day_after_receipt(run_flows: Runner) -> None:
    records = run_flows(inquiry("close of business day 3"), events=[event("email_received", "2026-03-04T20:00:00")])
    assert data_of(records, "clock.started")["due"] == "2026-03-09T17:30:00+00:00"
    assert data_of(records, "clock.started")["limit"] == 3 * 86_400


def test_the_limit_of_gold_clients_is_their_own(run_flows: Runner) -> None:
    flow = inquiry(
        '\n          - {when: customer.tier == "gold", is: 1 business hour}\n          - {is: 3 business hours}'
    )
    gold = run_flows(flow, events=[event("email_received", "2026-03-02T09:00:00", data={"customer.tier": "gold"})])
    assert data_of(gold, "clock.started")["limit"] == 3600
    standard = run_flows(flow, events=[event("email_received", "2026-03-02T09:00:00")])
    assert data_of(standard, "clock.started")["limit"] == 10800


def test_a_setting_may_be_a_limit(run_flows: Runner) -> None:
    records = run_flows(inquiry("settings.quick_answer"), events=[event("email_received", "2026-03-02T09:00:00")])
    assert data_of(records, "clock.started")["limit"] == 7200


def test_a_clock_change_night_lengthens_elapsed_time_but_not_opening_hours(run_flows: Runner) -> None:
    # London goes to summer time on Sunday 2026-03-29
    business = run_flows(inquiry("1 business hour"), events=[event("email_received", "2026-03-27T16:30:00")])
    assert data_of(business, "clock.started")["due"] == "2026-03-30T09:00:00+00:00"
    elapsed = run_flows(inquiry("72 hours"), events=[event("email_received", "2026-03-27T16:30:00")])
    assert data_of(elapsed, "clock.started")["due"] == "2026-03-30T16:30:00+00:00"


def test_messages_bear_their_promise_in_the_words_of_the_clock_and_mask_private_facts(run_flows: Runner) -> None:
    data = {"customer.email": "x@example.org", "customer.name": "Ada"}
    events = [event("email_received", "2026-03-02T09:00:00", data=data), event("reply_sent", "2026-03-02T14:00:00")]
    records = run_flows(inquiry(), events=events)
    sent = [each["data"] for each in records if each["type"] == "carepolicy.message.requested"]
    assert sent[0]["text"] == "We answer within 3 business hours."
    assert sent[0] | {"text": ""} == {
        "template": "auto_reply",
        "channel": "email",
        "language": "en",
        "to": "***",
        "subject": "We have your message",
        "text": "",
    }
    assert sent[1]["text"] == "Dear Ada, we kept you waiting. Write to ***."
    revealed = run_flows(inquiry(), events=events, reveal=True)
    told = [each["data"] for each in revealed if each["type"] == "carepolicy.message.requested"]
    assert told[1]["text"] == "Dear Ada, we kept you waiting. Write to x@example.org."
    assert told[0]["to"] == "x@example.org"


@pytest.mark.parametrize("tiers", [("gold", "standard"), ("standard", "gold")])
def test_limits_that_mean_the_same_are_told_as_each_is_written_whoever_came_before(
    run_flows: Runner, tiers: tuple[str, str]
) -> None:
    limits = "[{when: customer.tier == 'gold', is: 24 hours}, {is: 1 day}]"
    events = [
        event("email_received", f"2026-03-02T09:0{minute}:00", subject=tier, data={"customer.tier": tier})
        for minute, tier in enumerate(tiers)
    ]
    records = run_flows(inquiry(limits), events=events)
    told = {each["subject"]: each["data"]["text"] for each in records if each["type"] == "carepolicy.message.requested"}
    assert told == {"gold": "We answer within 24 hours.", "standard": "We answer within 1 day."}
