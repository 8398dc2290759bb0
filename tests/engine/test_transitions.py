"""The order of effects, which transition is taken, and what becomes of events that none takes."""

from __future__ import annotations

from stories import Runner, event, short

TICKET = """\
    flow: ticket
    version: 3
    title: Handle a ticket
    purpose: Every ticket is answered.
    owner: care_lead
    events:
      asked: {title: The customer asks, by: customer, carries: {optional: [customer.email, customer.tier, order.total]}}
      answered: {title: We answer, by: staff, carries: {optional: [order.total]}}
      withdrew: {title: The customer withdraws, by: customer}
      noted: {title: Staff note something, by: staff}
    states:
      open:
        title: Open
        start_on: asked
        owner: care_agent
        channel: email
        enter: {tell: care_agent}
        leave: {request: {note_time: {total: order.total}}}
        on:
          answered:
            - {when: order.total > 100, to: approval, set: {complaint.attempts: complaint.attempts + 1},
               tell: care_lead}
            - {to: done, request: {close_ticket: {attempts: complaint.attempts}}}
          noted: {tell: care_lead}
      approval:
        title: The lead approves
        owner: care_lead
        on: {answered: done}
      done: {title: Done, final: resolved}
      gone: {title: Gone, final: withdrawn}
    anywhere:
      withdrew: {to: gone, except: [approval]}
"""


def kinds(records: list[dict]) -> list[str]:
    return [short(record) for record in records]


def test_effects_happen_in_the_order_leave_transition_clocks_enter(run_flows: Runner) -> None:
    records = run_flows(
        TICKET,
        events=[
            event("asked", "2026-03-02T09:00:00", data={"order.total": "250.00"}),
            event("answered", "2026-03-02T10:00:00"),
        ],
    )
    assert kinds(records) == [
        "case.opened open",
        "task.assigned care_agent",
        "notice.requested care_agent",
        "action.requested note_time",
        "notice.requested care_lead",
        "case.moved open -> approval on answered",
        "task.assigned care_lead",
    ]


def test_the_first_transition_whose_guard_holds_is_taken_with_the_events_own_facts(run_flows: Runner) -> None:
    records = run_flows(
        TICKET,
        events=[
            event("asked", "2026-03-02T09:00:00", data={"order.total": "250.00"}),
            event("answered", "2026-03-02T10:00:00", data={"order.total": "20"}),
        ],
    )
    assert kinds(records)[-2:] == ["case.moved open -> done on answered", "case.closed done resolved"]
    request = next(record for record in records if record["data"].get("action") == "close_ticket")
    assert request["data"]["with"] == {"attempts": 0}


def test_a_transition_without_to_stays_without_leaving_and_entering_again(run_flows: Runner) -> None:
    records = run_flows(TICKET, events=[event("asked", "2026-03-02T09:00:00"), event("noted", "2026-03-02T09:10:00")])
    assert kinds(records)[3:] == ["notice.requested care_lead"]


def test_anywhere_holds_in_every_state_but_the_excepted_and_the_final(run_flows: Runner) -> None:
    opened = event("asked", "2026-03-02T09:00:00", data={"order.total": "250"})
    withdrew = event("withdrew", "2026-03-02T11:00:00")
    assert kinds(run_flows(TICKET, events=[opened, withdrew]))[-1] == "case.closed gone withdrawn"
    in_approval = run_flows(TICKET, events=[opened, event("answered", "2026-03-02T10:00:00"), withdrew])
    assert kinds(in_approval)[-1] == "event.unexpected CP910"


def test_an_unexpected_event_changes_nothing_not_even_its_facts(run_flows: Runner) -> None:
    opened = event("asked", "2026-03-02T09:00:00", data={"order.total": "250"})
    again = event("asked", "2026-03-02T09:30:00", data={"order.total": "5"})
    records = run_flows(TICKET, events=[opened, again, event("answered", "2026-03-02T10:00:00")])
    assert "event.unexpected CP910" in kinds(records)
    assert "case.moved open -> approval on answered" in kinds(records)
    told = next(record for record in records if record["type"].endswith("unexpected"))
    assert told["data"] == {
        "event": {"id": "asked-2026-03-02T09:30:00", "type": "asked"},
        "code": "CP910",
        "reason": "no transition for asked in the state open",
        "state": "open",
    }


def test_records_are_numbered_and_named_by_flow_subject_and_sequence(run_flows: Runner) -> None:
    opened = event("asked", "2026-03-02T09:00:00", subject="order 7/ä")
    records = run_flows(TICKET, events=[opened, event("withdrew", "2026-03-02T09:05:00", subject="order 7/ä")])
    assert [record["sequence"] for record in records] == list(range(1, len(records) + 1))
    assert {record["flow"] for record in records} == {"ticket"}
    assert {record["flowversion"] for record in records} == {3}
    assert records[0]["id"] == "ticket/order 7/ä/1"
    assert records[0]["source"] == "/carepolicy/harbour-finch"


def test_a_second_case_of_a_subject_goes_on_counting_where_the_first_ended(run_flows: Runner) -> None:
    records = run_flows(
        TICKET,
        events=[
            event("asked", "2026-03-02T09:00:00"),
            event("withdrew", "2026-03-02T09:05:00"),
            event("asked", "2026-03-03T09:00:00"),
        ],
    )
    assert [record["sequence"] for record in records] == list(range(1, len(records) + 1))
    assert kinds(records).count("case.opened open") == 2


def test_an_event_that_no_case_waits_for_is_unexpected_without_a_flow(run_flows: Runner) -> None:
    records = run_flows(TICKET, events=[event("answered", "2026-03-02T09:00:00")])
    assert kinds(records) == ["event.unexpected CP911"]
    assert "flow" not in records[0]
