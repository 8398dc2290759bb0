"""Notices that wait for the hours of those who are told: ``tell: {role: …, in_hours: true}``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from carepolicy.cli import app
from carepolicy.engine.output import OrderedRun
from carepolicy.engine.parallel import ParallelRun
from carepolicy.engine.run import Run
from carepolicy.engine.stepper import AT_ONE_INSTANT
from carepolicy.machine.bundle import compile_folder
from carepolicy.machine.program import Bundle
from stories import ORGANISATION, Runner, event, often, short, without_fast, write_set

TICKET = """\
    flow: ticket
    version: 1
    title: Handle a ticket
    purpose: Every ticket is answered.
    owner: care_lead
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.name, customer.email]}}
      noted: {title: Noted, by: staff}
      paged: {title: Paged, by: staff}
      wrote: {title: Wrote, by: customer, carries: {optional: [customer.name]}}
      answered: {title: Answered, by: staff}
    clocks:
      reply: {title: Reply, promise: "Within {limit}.", limit: 10 hours, runs_in: [open]}
    states:
      open:
        title: Open
        start_on: asked
        owner: care_agent
        on:
          noted:
            tell: [care_agent, {role: care_lead, say: "{case} of {customer.name} is due {clock.reply.due}.",
                   in_hours: true}, night_watch]
            request: {note_time: {}}
          paged: {tell: {role: night_watch, say: Look., in_hours: true}}
          wrote: {note: read}
          answered: {to: done, tell: {role: care_lead, say: It is answered., in_hours: true}}
          reply.late: {tell: {role: care_lead, say: It is late., in_hours: true}}
        after: {SOON: {tell: {role: care_agent, say: A timer.}}}
      done: {title: Done, final: resolved}
"""


def ticket(after: str = "90 days") -> str:
    return TICKET.replace("SOON", after)


def told(records: list[dict[str, Any]]) -> list[str]:
    """When notices stand, whom they tell and what."""
    return [
        f"{each['time'][5:16]} {each['data']['role']}: {each['data']['text']}"
        for each in records
        if each["type"] == "carepolicy.notice.requested" and each["data"]["role"] != "care_agent"
    ]


@pytest.mark.parametrize(
    ("closed", "stands"),
    [
        ("2026-03-02T10:00:00", "03-02T10:00"),  # a Monday, in open time
        ("2026-03-02T08:59:59", "03-02T09:00"),
        ("2026-03-02T09:00:00", "03-02T09:00"),
        ("2026-03-02T12:30:00", "03-02T13:30"),  # the closing itself is outside: there is a break
        ("2026-03-02T22:00:00", "03-03T09:00"),
        ("2026-03-06T16:00:00", "03-09T09:00"),  # over the weekend
        ("2026-04-02T20:00:00", "04-07T08:00"),  # over Easter, in summer time
        ("2026-03-28T23:00:00", "03-30T08:00"),  # the clocks go forward in the night to Sunday
        ("2026-10-24T23:00:00", "10-26T09:00"),  # and back
    ],
)
def test_a_notice_stands_at_the_next_opening_or_at_once_in_open_time(
    run_flows: Runner, closed: str, stands: str
) -> None:
    asked = event("asked", closed)
    records = run_flows(ticket(), events=[asked, event("answered", closed)], until="2026-12-01T00:00")
    assert told(records) == [f"{stands} care_lead: It is answered."]


def test_it_is_told_though_the_case_has_closed_and_follows_its_last_record(run_flows: Runner) -> None:
    events = [event("asked", "2026-03-02T20:00:00"), event("answered", "2026-03-02T20:30:00")]
    records = run_flows(ticket(), events=events, until="2026-03-10T00:00")
    assert [short(each) for each in records][-2:] == ["case.closed done resolved", "notice.requested care_lead"]
    assert [each["sequence"] for each in records] == list(range(1, len(records) + 1))
    assert told(run_flows(ticket(), events=events, until="2026-03-03T08:59:59")) == []


def test_a_case_that_opens_meanwhile_goes_on_numbering_where_the_closed_one_ended(run_flows: Runner) -> None:
    events = [
        event("asked", "2026-03-02T20:00:00"),
        event("answered", "2026-03-02T20:30:00"),
        event("asked", "2026-03-02T21:00:00"),
        event("wrote", "2026-03-03T10:00:00"),
    ]
    records = run_flows(ticket(), events=events, until="2026-03-03T10:00:00")
    assert [each["sequence"] for each in records] == list(range(1, len(records) + 1))
    assert told(records)[0] == "03-03T09:00 care_lead: It is answered."


def test_its_text_is_made_when_it_is_told_and_it_keeps_its_place_in_open_time(run_flows: Runner) -> None:
    asked = event("asked", "2026-03-02T20:00:00", subject="t-1", data={"customer.name": "Ada"})
    renamed = event("wrote", "2026-03-02T22:00:00", subject="t-1", data={"customer.name": "Bo"})
    by_night = run_flows(
        ticket(),
        events=[asked, event("noted", "2026-03-02T21:00:00", subject="t-1"), renamed],
        until="2026-03-03T09:00",
    )
    assert told(by_night)[1] == "03-03T09:00 care_lead: t-1 of Ada is due Tuesday, 3 March 2026, 06:00."
    assert [each["data"].get("role") for each in by_night if "notice" in each["type"]][:2] == [
        "care_agent",
        "night_watch",
    ]
    asked = event("asked", "2026-03-03T10:00:00")
    by_day = run_flows(ticket(), events=[asked, event("noted", "2026-03-03T10:05:00")])
    assert [short(each).partition(" ")[2] for each in by_day][-4:] == [
        "care_agent", "care_lead", "night_watch", "note_time",
    ]  # fmt: skip


def test_at_one_instant_an_event_comes_first_then_what_waited_then_timers(run_flows: Runner) -> None:
    events = [
        event("asked", "2026-03-02T18:00:00"),
        event("noted", "2026-03-02T18:30:00"),
        event("noted", "2026-03-03T09:00:00"),
    ]
    records = run_flows(ticket("15 hours"), events=events, until="2026-03-03T09:00:00")
    at_nine = [
        each["data"].get("text") or short(each) for each in records if each["time"].startswith("2026-03-03T09:00")
    ]
    waited = [place for place, said in enumerate(at_nine) if said in ("It is late.", "A timer.")]
    assert at_nine[-1] == "A timer."
    assert at_nine[waited[0] - 1].endswith("04:00.")  # it was told before the clock was late, and so stands before
    assert at_nine.index("action.requested note_time") < waited[0] - 1


def test_a_role_that_is_there_round_the_clock_is_told_at_once(run_flows: Runner) -> None:
    events = [event("asked", "2026-03-07T20:00:00"), event("paged", "2026-03-07T20:01:00")]
    assert told(run_flows(ticket(), events=events)) == ["03-07T20:01 night_watch: Look."]


@pytest.mark.parametrize(("calendar", "stands"), [("", "03-09T09:00"), ("calendar: phones, ", "03-09T08:00")])
def test_without_a_calendar_of_the_role_it_waits_for_that_of_the_organisation(
    run_flows: Runner, calendar: str, stands: str
) -> None:
    organisation = ORGANISATION.replace("calendar: always, people", f"{calendar}people")
    events = [event("asked", "2026-03-08T09:00:00"), event("paged", "2026-03-08T09:01:00")]
    records = run_flows(ticket(), events=events, until="2026-03-20T00:00", organisation=organisation)
    assert f"{stands} night_watch: Look." in told(records)


def test_without_any_calendar_and_with_one_that_never_opens_it_is_told_at_once(tmp_path: Path) -> None:
    from stories import compiled

    nobody = {"none": ("    calendar: office\n", ""), "never": ("calendar: always, people", "calendar: never, people")}
    never = "      never: {title: Never, hours: {mon: 09:00-17:00}, closed: [1970-01-01/2200-12-31]}\n    roles:\n"
    for name, (old, new) in nobody.items():
        organisation = ORGANISATION.replace("    roles:\n", never).replace(old, new)
        if name == "none":
            organisation = organisation.replace("calendar: always, people", "people")
        bundle = compiled(tmp_path / name, ticket(), organisation=organisation)
        written = everything(bundle, [event("asked", "2026-03-08T09:00:00"), event("paged", "2026-03-08T09:01:00")])
        records = [json.loads(line) for line in written.splitlines()]
        assert told(records) == ["03-08T09:01 night_watch: Look."], name


def everything(bundle: Bundle, events: list[dict[str, Any]], workers: int = 1, at_a_time: int = 1000) -> str:
    run = Run(bundle) if workers == 1 else ParallelRun(bundle, False, 0, workers)
    lines = [(number, orjson.dumps(each)) for number, each in enumerate(events, 1)]
    with OrderedRun(run) as ordered:
        text = "".join(ordered.feed(lines[at : at + at_a_time]) for at in range(0, len(lines), at_a_time))
        return text + "".join(ordered.finish(None))


def many(subjects: int) -> list[dict[str, Any]]:
    found = []
    for number in range(subjects):
        evening, morning = f"2026-03-02T{17 + number % 5}", f"2026-03-0{3 + number % 3}T"
        for kind, at in (
            ("asked", f"{evening}:40:00"),
            ("noted", f"{evening}:50:00"),
            ("answered", f"{morning}07:00:00"),
            ("asked", f"{morning}12:00:00"),
        ):
            found.append(event(kind, at, subject=f"s-{number}", id=f"{kind}-{at}-{number}"))
    return sorted(found, key=lambda each: str(each["time"]))


def test_the_bytes_are_the_same_with_and_without_what_is_quicker_and_for_any_number_of_workers(tmp_path: Path) -> None:
    bundle = compile_folder(str(write_set(tmp_path, ticket())))
    events = many(30)
    with without_fast():
        alone = everything(bundle, events)
    assert alone.count("notice.requested") > 100
    with often(1):
        assert everything(bundle, events) == everything(bundle, events, at_a_time=1) == alone
    assert sorted(everything(bundle, events, workers=2).splitlines()) == sorted(alone.splitlines())


def test_a_thousand_that_wait_for_one_opening_are_all_told_and_are_no_loop(run_flows: Runner) -> None:
    number = AT_ONE_INSTANT + 200
    events = [event("asked", "2026-03-02T18:00:00")]
    events += [event("noted", "2026-03-02T18:01:00", id=f"n{each}") for each in range(number)]
    records = run_flows(ticket("15 hours"), events=events, until="2026-03-03T09:00:00")
    at_nine = [each for each in records if each["time"].startswith("2026-03-03T09:00")]
    assert len(at_nine) == number + 2  # that it was late waited too, and the timer comes last
    assert at_nine[-1]["data"]["text"] == "A timer."


def test_private_facts_stay_masked_in_what_waits(run_flows: Runner) -> None:
    flow = ticket().replace("It is answered.", '"{customer.email} is answered."')
    data = {"customer.email": "ada@example.org"}
    events = [event("asked", "2026-03-02T20:00:00", data=data), event("answered", "2026-03-02T20:30:00")]
    assert "ada" not in told(run_flows(flow, events=events, until="2026-03-10T00:00"))[0]
    shown = told(run_flows(flow, events=events, until="2026-03-10T00:00", reveal=True))
    assert shown == ["03-03T09:00 care_lead: ada@example.org is answered."]


def test_what_waits_of_a_subject_that_joins_another_is_told_there(run_flows: Runner) -> None:
    events = [
        event("asked", "2026-03-02T20:00:00", subject="a"),
        event("answered", "2026-03-02T20:30:00", subject="a"),
        event("asked", "2026-03-02T20:40:00", subject="b"),
        event("answered", "2026-03-02T20:50:00", subject="b"),
        event("carepolicy.merge", "2026-03-02T21:00:00", subject="a", data={"into": "b"}),
    ]
    records = run_flows(ticket(), events=events, until="2026-03-10T00:00")
    found = [each for each in records if each["type"] == "carepolicy.notice.requested"]
    assert [(each["subject"], each["time"][:16]) for each in found] == [("b", "2026-03-03T09:00")] * 2
    of_b = [each["sequence"] for each in records if each["subject"] == "b"]
    assert of_b == list(range(1, len(of_b) + 1))


def test_a_scenario_says_when_it_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = write_set(tmp_path / "set", ticket())
    (root / "scenarios").mkdir()
    (root / "scenarios/night.yaml").write_text(
        "scenario: It waits for the morning\nflow: ticket\nsteps:\n"
        "- {at: 2026-03-02 20:00, event: asked}\n- {at: 2026-03-02 20:30, event: answered}\n"
        "- expect: {state: done, not_told: [care_lead]}\n- {at: 2026-03-03 09:30}\n- expect: {told: [care_lead]}\n"
    )
    status = app.run(["test", str(root)])
    said = capfd.readouterr()
    assert status == 0, said.out + said.err
