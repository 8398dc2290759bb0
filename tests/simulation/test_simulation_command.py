"""``carepolicy simulate`` as its users call it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from carepolicy.cli import app
from shops import EVENTS, SHOP, Said
from simulation.halls import STAFF, Hall

EMAILS = """\
roles:
  care_agent: {people: 3, absent: 5%}
  care_lead: {people: 1}
work:
  email_inquiry: {mean: 12 minutes, spread: lognormal, p90: 25 minutes}
waits: {email_inquiry.waiting_for_customer: 1 day}
ways:
  email_inquiry.received: {reply_sent: 90%, more_info_asked: 10%}
  email_inquiry.assigned: {reply_sent: 100%}
  email_inquiry.overdue: {reply_sent: 100%}
  email_inquiry.promise_broken: {reply_sent: 100%}
  email_inquiry.waiting_for_customer: {customer_wrote: 80%}
facts: {customer.tier: {gold: 10%, standard: 90%}}
"""
RATE = ("--arrivals", "90 per business day", "--from", "2026-03-02", "--seeds", "5", "--days", "14")


class Desk:
    """Simulations of the shop with a staff file."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "staff.yaml"
        self.file.write_text(EMAILS, encoding="utf-8")
        self._capfd = capfd

    def __call__(self, *more: str, flows: tuple[str, ...] = ("email_inquiry",), policies: str = SHOP) -> Said:
        self._capfd.readouterr()
        status = app.run(["simulate", *flows, "--policies", policies, "--staff", str(self.file), *more])
        return Said(status, *self._capfd.readouterr())

    def heard(self) -> str:
        """What was printed since."""
        return self._capfd.readouterr().out


@pytest.fixture
def simulate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capfd)


def test_it_tells_shares_with_intervals_and_how_busy_people_are(simulate: Desk) -> None:
    said = simulate(*RATE)
    assert (said.status, said.err) == (0, "")
    assert "2026-03-02 to 2026-03-16, 5 runs" in said.out
    assert "First answer: 9" in said.out
    assert "Care agent (3): " in said.out
    made = json.loads(simulate(*RATE, "--format", "json").out)
    clock = made["flows"]["email_inquiry"]["clocks"]["first_reply"]
    low, high = clock["share"]["interval"]
    assert low < clock["share"]["mean"] < high
    assert clock["target"] == 0.95
    assert made["roles"]["care_agent"]["utilisation"]["mean"] == pytest.approx(0.87, abs=0.06)
    assert made == json.loads(simulate(*RATE, "--format", "json").out)


def test_its_days_are_those_of_the_organisation(simulate: Desk) -> None:
    said = simulate("--arrivals", "1 per hour", "--from", "2026-07-06", "--seeds", "1", "--days", "2")
    assert said.out.startswith("2026-07-06 to 2026-07-08, 1 run"), said.out


def test_it_finds_how_many_people_keep_a_promise(simulate: Desk) -> None:
    found = {}
    for rate in ("60 per business day", "120 per business day"):
        said = simulate(
            "--arrivals", rate, "--from", "2026-03-02", "--seeds", "5", "--days", "14", "--format", "json",
            "--target", "first_reply=95%", "--role", "care_agent",
        )  # fmt: skip
        answer = json.loads(said.out)["answer"]
        tried = {each["people"]: each["mean"] for each in answer["tried"]}
        assert tried[answer["people"]] >= 0.95 > tried[answer["people"] - 1]
        found[rate] = answer["people"]
    assert found["60 per business day"] < found["120 per business day"]


def test_where_people_are_not_what_is_lacking_it_says_so(simulate: Desk) -> None:
    simulate.file.write_text(EMAILS.replace("mean: 12 minutes, spread: lognormal, p90: 25 minutes", "mean: 9 hours"))
    said = simulate(
        "--arrivals", "3 per business day", *RATE[2:], "--target", "first_reply=95%", "--role", "care_agent"
    )
    assert said.status == 1
    assert "no number of people keeps 95%" in said.out


def test_fail_under_is_an_exit_status(simulate: Desk) -> None:
    busy = ("--arrivals", "200 per business day", *RATE[2:])
    said = simulate(*busy, "--fail-under", "target")
    assert said.status == 1
    assert "email_inquiry.first_reply: " in said.err
    assert "less than 95%" in said.err
    assert simulate(*busy, "--fail-under", "0").status == 0


def test_an_audit_tells_ways_lengths_and_when_cases_come(simulate: Desk, tmp_path: Path) -> None:
    simulate.file.write_text("roles: {care_agent: {people: 2}, care_lead: {people: 1}}\n")
    arguments = ("--arrivals", "audit", *RATE[2:], "--format", "json")
    direct = simulate("--audit", str(EVENTS), *arguments)
    assert direct.status == 0, direct.err
    simulate("--audit", str(EVENTS), *arguments)
    assert app.run(["audit", str(EVENTS), "--policies", SHOP, "--format", "json"]) == 0
    audit = tmp_path / "audit.json"
    audit.write_text(simulate.heard(), encoding="utf-8")
    found = json.loads(simulate("--audit", str(audit), *arguments).out)
    assert found == json.loads(direct.out)
    told = json.loads(audit.read_text(encoding="utf-8"))
    days = (datetime.fromisoformat(told["to"]) - datetime.fromisoformat(told["from"])) / timedelta(days=1)
    rate = told["flows"]["email_inquiry"]["cases"] / days
    assert found["flows"]["email_inquiry"]["cases"] == pytest.approx(14 * rate, rel=0.4)
    assert any("the most that it can be" in note for note in found["notes"])
    twice = json.loads(simulate("--audit", str(EVENTS), *arguments, "--seeds", "2").out)
    assert twice["seeds"] == 2


@pytest.mark.parametrize(
    ("wrong", "right", "place", "reason"),
    [
        ("care_agent:", "care_agnt:", "2:3", 'did you mean "care_agent"?'),
        ("people: 3", "peple: 3", "2:16", '"people"'),
        ("people: 3", "people: -3", "2:24", "at least 0"),
        ("email_inquiry: {mean", "email_inquiri: {mean", "5:3", 'did you mean "email_inquiry"?'),
        ("mean: 12 minutes", "mean: 12 minuts", "5:25", "minutes"),
        ("mean: 12 minutes", "mean: 2 months", "5:25", "no length of time"),
        ("p90: 25 minutes", "p90: 25 hours", "5:61", "between 1 and 2.27 times the mean"),
        ("spread: lognormal", "spread: fixed", "5:18", "p90 is of spread: lognormal"),
        ("overdue: {reply_sent", "overdue: {reply_snt", "10:27", 'did you mean "reply_sent"?'),
        ("reply_sent: 90%", "reply_sent: 95%", "8:3", "105% together"),
        ("gold: 10%", "gold: 5%", "13:9", "95% together"),
        ("gold: 10%", "glod: 10%", "13:25", 'did you mean "gold"?'),
        ("customer.tier", "customer.teir", "13:9", 'did you mean "customer.tier"?'),
        ("absent: 5%", "absent: 500%", "2:35", "at most 100%"),
        ("people: 3, absent: 5%", "persons: [{name: Ada}]", "2:25", "write each under its name"),
    ],
)
def test_what_is_wrong_in_a_staff_file_is_told_with_its_place(
    simulate: Desk, wrong: str, right: str, place: str, reason: str
) -> None:
    assert wrong in EMAILS
    simulate.file.write_text(EMAILS.replace(wrong, right), encoding="utf-8")
    said = simulate(*RATE)
    assert said.status == 2
    assert f"staff.yaml:{place}: " in said.err
    assert reason in said.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--arrivals", "12 per fortnight"), 'there is no unit "fortnight"'),
        (("--arrivals", "0 per hour"), "say how many cases come"),
        (("--arrivals", "2 per business week"), "business time has no weeks"),
        (("--arrivals", f"{10**24} per second"), "more than a case in each microsecond"),
        (("--arrivals", "nowhere.csv"), "nowhere.csv"),
        (("--arrivals", "-3 per hour"), 'no file is called so, and a rate is written like "12 per hour"'),
        (("--arrivals", "email_inqury=2 per hour"), 'did you mean "email_inquiry"?'),
        (("--arrivals", "audit"), "--arrivals audit needs --audit"),
        ((*RATE, "--from", "9999-12-31"), '--from "9999-12-31": days are simulated of the years 1970 to 2150'),
        ((*RATE, "--from", "1900-01-01"), '--from "1900-01-01": days are simulated of the years 1970 to 2150'),
        ((*RATE, "--target", "first_reply=95%"), "--target needs --role"),
        ((*RATE, "--role", "care_agent"), "needs --target"),
        ((*RATE, "--target", "first_reply=95%", "--role", "care_agnt"), 'did you mean "care_agent"?'),
        ((*RATE, "--target", "first_repli=95%", "--role", "care_agent"), "first_reply"),
        ((*RATE, "--target", "first_reply=soon", "--role", "care_agent"), "write it like"),
        ((*RATE, "--audit", __file__), "mapping"),
    ],
)
def test_what_cannot_be_simulated_is_told(simulate: Desk, arguments: tuple[str, ...], reason: str) -> None:
    said = simulate(*arguments)
    assert said.status == 2
    assert reason in said.err
    assert len(said.err.splitlines()) == 1


def test_every_flow_needs_lengths_of_work_and_which_are_simulated_may_stand_with_the_arrivals(simulate: Desk) -> None:
    said = simulate("--arrivals", "2 per hour", flows=())
    assert said.status == 2
    assert "nothing says how long work takes in " in said.err
    said = simulate("--arrivals", "email_inquiry=2 per hour", *RATE[2:], "--format", "json", flows=())
    assert list(json.loads(said.out)["flows"]) == ["email_inquiry"]


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("when\n2026-03-02\n", "1", "no column is called time"),
        ("", "", "calls.csv is empty"),
        ("time\n", "", "no case stands in it"),
        ("time\n2026-03-02 10:00\nsoon\n", "3", '"soon" is no time'),
        ("time;call.kind\n2026-03-02 10:00;urgnt\n", "2", "call.kind"),
        ("time,call.knd\n2026-03-02 10:00,urgent\n", "2", 'did you mean "call.kind"?'),
        ("time,flow\n2026-03-02 10:00,cal\n", "2", 'there is no flow "cal"'),
        ("time\n2026-03-02 10:00,1\n", "2", "more columns"),
    ],
)
def test_what_is_wrong_in_a_file_of_arrivals_is_told_with_its_line(
    simulate: Desk, tmp_path: Path, text: str, place: str, reason: str
) -> None:
    hall = Hall(tmp_path)
    simulate.file.write_text(STAFF, encoding="utf-8")
    file = tmp_path / "calls.csv"
    file.write_text(text, encoding="utf-8")
    said = simulate("--arrivals", str(file), flows=(), policies=str(hall.folder))
    assert said.status == 2
    assert f"calls.csv{place and ':'}{place}" in said.err
    assert reason in said.err


def test_a_file_of_arrivals_begins_on_its_first_day(simulate: Desk, tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    simulate.file.write_text(STAFF, encoding="utf-8")
    file = tmp_path / "calls.tsv"
    file.write_text("\ufefftime\tflow\n2026-03-04T10:00+00:00\tcall\n2026-03-03 11:00\tcall\n", encoding="utf-8")
    said = simulate("--arrivals", str(file), "--seeds", "1", "--days", "3", flows=(), policies=str(hall.folder))
    assert said.status == 0, said.err
    assert said.out.startswith("2026-03-03 to 2026-03-06, 1 run, 2 tasks\n")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_file_of_arrivals_is_read_as_spreadsheets_save_it(simulate: Desk, tmp_path: Path, encoding: str) -> None:
    hall = Hall(tmp_path)
    simulate.file.write_text(STAFF, encoding="utf-8")
    file = tmp_path / "calls.csv"
    file.write_bytes("time;flow\r\n2026-03-03 11:00;call\r\n".encode(encoding))
    said = simulate("--arrivals", str(file), "--seeds", "1", "--days", "3", flows=(), policies=str(hall.folder))
    assert said.status == 0, said.err
    assert ", 1 task" in said.out


@pytest.mark.parametrize("text", [b"time,flow,\xe9\n2026-03-03 11:00,call\n", b"time,flow\n2026-03-03 11:00,\xe9\n"])
def test_a_file_of_arrivals_in_another_encoding_is_told(simulate: Desk, tmp_path: Path, text: bytes) -> None:
    hall = Hall(tmp_path)
    simulate.file.write_text(STAFF, encoding="utf-8")
    (tmp_path / "calls.csv").write_bytes(text)
    said = simulate("--arrivals", str(tmp_path / "calls.csv"), flows=(), policies=str(hall.folder))
    assert said.status == 2
    assert "calls.csv is not written in utf-8" in said.err


def test_cases_of_a_file_that_come_on_other_days_are_told(simulate: Desk, tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    simulate.file.write_text(STAFF, encoding="utf-8")
    (tmp_path / "calls.csv").write_text("time\n2026-03-03 11:00\n2020-03-03 11:00\n9999-12-31 23:00\n")
    days = ("--from", "2026-03-02", "--seeds", "1", "--days", "3")
    said = simulate("--arrivals", str(tmp_path / "calls.csv"), *days, flows=(), policies=str(hall.folder))
    assert said.status == 0, said.err
    assert "note: 2 cases come before these days or after them, and not in them" in said.out


@pytest.mark.parametrize(
    ("first", "days", "told"),
    [("2026-07-06", "2", "2026-07-06 to 2026-07-08"), ("2026-10-19", "14", "2026-10-19 to 2026-11-02")],
)
def test_days_are_those_of_the_organisations_clock(
    simulate: Desk, tmp_path: Path, first: str, days: str, told: str
) -> None:
    hall = Hall(tmp_path)
    simulate.file.write_text(STAFF, encoding="utf-8")
    days_asked = ("--from", first, "--days", days, "--seeds", "1")
    said = simulate("--arrivals", "1 per day", *days_asked, flows=(), policies=str(hall.folder))
    assert said.out.startswith(f"{told}, 1 run, "), said.err


def test_cases_that_come_after_all_calendars_end_do_not_come(simulate: Desk) -> None:
    said = simulate("--arrivals", "0.0000001 per business day", *RATE[2:], "--format", "json")
    assert said.status == 0, said.err
    assert json.loads(said.out)["flows"]["email_inquiry"]["cases"] == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "$ is otherwise"),
        ("{", "it is no JSON"),
        ('{"flows": {"email_inquiry": {}}}', " is otherwise"),
        ('{"flows": {"email_inquiry": {"cases": "many", "clocks": {}}}}', " is otherwise"),
    ],
)
def test_json_that_is_no_audit_is_told(simulate: Desk, tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    said = simulate("--arrivals", "audit", "--audit", str(tmp_path / "odd.json"), *RATE[2:])
    assert said.status == 2
    assert "odd.json is not what `carepolicy audit --format json` writes" in said.err
    assert reason in said.err


def test_an_audit_that_does_not_say_when_it_was_is_told(simulate: Desk, tmp_path: Path) -> None:
    assert app.run(["audit", str(EVENTS), "--policies", SHOP, "--format", "json"]) == 0
    told = json.loads(simulate.heard())
    (tmp_path / "audit.json").write_text(json.dumps({**told, "from": "soon"}), encoding="utf-8")
    said = simulate("--arrivals", "audit", "--audit", str(tmp_path / "audit.json"), *RATE[2:])
    assert said.status == 2
    assert "the audit does not say from when to when" in said.err


def test_nobody_is_busy_for_more_than_all_of_their_time(simulate: Desk) -> None:
    said = simulate("--arrivals", "150 per business day", *RATE[2:], "--format", "json")
    busy = json.loads(said.out)["roles"]["care_agent"]["utilisation"]
    assert busy["mean"] > 0.9
    assert busy["interval"][1] <= 1.0
