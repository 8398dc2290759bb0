"""What another policy would have given is what a replay through that policy gives."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from carepolicy.audit.replay import Replay
from carepolicy.audit.tables import Table
from carepolicy.audit.whatif import SweepFault, SweptRounds, parse_sweep, swept_set
from carepolicy.policy.load import load_policies
from commands import run
from shops import EVENTS, SHOP, read_set
from stories import write_set

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"


def replayed(bundle, log, told=None) -> Replay:
    replay = Replay(bundle, told=told)
    with Table([str(log)], "jsonl", None) as table:
        replay.take_lines(table)
    replay.finish()
    return replay


def test_each_point_of_a_sweep_is_what_a_replay_with_that_limit_gives(tmp_path):
    mails = tmp_path / "mails.jsonl"
    lines = []
    for number, minutes in enumerate((20, 60, 60, 61, 90, 119, 120, 121, 400, None)):
        base = {"specversion": "1.0", "source": "/t", "subject": f"m-{number}"}
        data = {"customer.email": f"a{number}@example.org", "customer.name": "Ann"}
        lines.append(
            {**base, "id": f"{number}/in", "type": "email_received", "time": "2026-03-02T09:00:00Z", "data": data}
        )
        lines.append({**base, "id": f"{number}/to", "type": "agent_assigned", "time": "2026-03-02T09:05:00Z"})
        if minutes is not None:
            when = f"2026-03-02T{9 + minutes // 60:02}:{minutes % 60:02}:00Z"
            lines.append({**base, "id": f"{number}/out", "type": "reply_sent", "time": when})
    mails.write_text("".join(json.dumps(each) + "\n" for each in lines))
    policies = read_set()
    sweep = parse_sweep("email_inquiry.first_reply.limit=1h..3h", policies)
    longest = swept_set(policies, sweep)
    rounds = SweptRounds(sweep, longest)
    wide = replayed(longest, mails, rounds)
    rounds.note_running(wide, wide.seen.last)
    points = rounds.points()
    assert [points[0].limit, points[-1].limit] == ["1 business hour", "3 business hours"]
    assert len({each.met for each in points}) > 3
    for place in (0, 1, len(points) // 2, len(points) - 2, len(points) - 1):
        one = replace(sweep, lengths=(sweep.lengths[place],))
        exact = replayed(swept_set(policies, one), mails).measures.flows["email_inquiry"].clocks["first_reply"]
        assert (points[place].met, points[place].late) == (exact.met, exact.late), points[place].limit


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("first_reply", "say which limit"),
        ("frst_reply.limit=1h..2h", 'did you mean "first_reply"'),
        ("email_inquiri.first_reply.limit=1h..2h", 'did you mean "email_inquiry"'),
        ("email_inquiry.first_reply.limit=1h", "between which limits"),
        ("email_inquiry.first_reply.limit=4h..2h", "the second limit is below the first"),
        ("email_inquiry.first_reply.limit=1s..1000h/1s", "these are 3,600,000 limits, and 10,000 are the most"),
        ("email_inquiry.first_reply.limit=soon..late", "is no limit"),
        ("email_inquiry.first_reply.limit=1 hour..2 business hours", "and business hours are two measures"),
        ("email_inquiry.first_reply.limit=1h..3d", "business hours and business days are two measures"),
        ("email_inquiry.first_reply.limit=1h..3h/1d", "business hours and business days are two measures"),
        ("email_inquiry.first_reply.limit=less than 1 hour..2 hours", "cannot be swept: take a number"),
        ("privacy_request.answer.limit=1d..9d", "cannot be swept: it moves what falls due on a closed day"),
    ],
)
def test_a_sweep_that_cannot_be_understood_says_why(text, reason):
    policies, _ = load_policies(POLICIES)
    with pytest.raises(SweepFault, match=reason):
        parse_sweep(text, policies)


ASKED = """\
    flow: asked
    version: 1
    title: A question
    purpose: Questions are answered.
    owner: care_lead
    events:
      came: {title: It came, by: customer}
      more: {title: It takes longer, by: staff}
      held: {title: It waits, by: staff}
      answered: {title: Answered, by: staff}
    clocks:
      answer: {title: Answer, limit: LIMIT, runs_in: [open], pauses_in: [held]}
    states:
      open:
        title: Open
        start_on: came
        owner: care_agent
        on: {held: held, answered: done, more: {note: It takes longer.}}
      held: {title: It waits, owner: care_agent, on: {more: open, answered: done}}
      done: {title: Done, final: answered}
"""
"""A clock that stands still now and then."""


def questions(path: Path) -> Path:
    """A log of questions that wait, and are answered, or not, after hours or days, by day and by night."""
    chance, lines = Random(7), []
    for number in range(150):
        when = datetime(2026, 3, 2, 6, tzinfo=UTC) + timedelta(minutes=chance.randrange(20_000))
        kinds = ["came", *chance.choices(("more", "held"), k=chance.randrange(3)), "answered"]
        for place, kind in enumerate(kinds[: None if number % 10 else -1]):
            event = {"id": f"{number}/{place}", "subject": f"q-{number}", "type": kind, "time": when.isoformat()}
            lines.append(json.dumps({"specversion": "1.0", "source": "/t", **event}))
            when += timedelta(minutes=round(chance.expovariate(1 / chance.choice((90, 3_000)))))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("limit", "swept", "tried"),
    [
        ("4 business hours", "30m..9h/30m", ["30 business minutes", "150 business minutes", "9 business hours"]),
        ("4 business hours", "1d..5d", ["1 business day", "3 business days", "5 business days"]),
        ("4 business hours", "20h..30h", ["20 business hours", "24 business hours", "30 business hours"]),
        ("1 business day", "0.5d..3d/0.5d", ["0.5 business days", "1.5 business days", "3 business days"]),
        ("1 day", "1 hour..2 days/1 hour", ["1 hour", "1 day", "25 hours", "2 days"]),
        ("1 week", "1w..2 weeks", ["7 days", "10 days", "14 days"]),
    ],
)
def test_points_are_what_audits_with_edited_policies_say_in_every_measure(tmp_path, limit, swept, tried):
    log = questions(tmp_path / "log.jsonl")
    policies = write_set(tmp_path / "set", ASKED.replace("LIMIT", limit))
    told = run("audit", str(log), "--policies", str(policies), "--sweep", f"answer.limit={swept}", "--format", "json")
    assert told.returncode == 0, told.stderr
    points = {each["limit"]: each for each in json.loads(told.stdout)["sweep"]["points"]}
    counts = []
    for each in tried:
        edited = write_set(tmp_path / each, ASKED.replace("LIMIT", each))
        exact = json.loads(run("audit", str(log), "--policies", str(edited), "--format", "json").stdout)
        clock = exact["flows"]["asked"]["clocks"]["answer"]
        assert (points[each]["met"], points[each]["late"]) == (clock["met"], clock["late"]), each
        counts.append(clock["met"])
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_a_clock_that_is_given_more_time_is_not_swept(tmp_path):
    more = "more: {extend: {clock: answer, by: 1 hour, at_most: 2}}"
    made = write_set(tmp_path, ASKED.replace("LIMIT", "4 hours").replace("more: {note: It takes longer.}", more))
    policies, _ = load_policies(made)
    with pytest.raises(SweepFault, match=r"asked\.answer cannot be swept: some events give it more time"):
        parse_sweep("answer.limit=1h..8h", policies)


def test_rounds_that_two_sets_decide_otherwise_are_named_with_what_changed(tmp_path):
    old = tmp_path / "old"
    shutil.copytree(SHOP, old)
    flow = old / "flows" / "email_inquiry.yaml"
    text = flow.read_text()
    assert "      - {is: 3 business hours}" in text
    flow.write_text(text.replace("      - {is: 3 business hours}", "      - {is: 30 business minutes}"))
    told = run("audit", str(EVENTS), "--policies", str(SHOP), "--against", str(old), "--format", "json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["against"]
    clocks = {(each["flow"], each["clock"]): each for each in found["clocks"]}
    first = clocks["email_inquiry", "first_reply"]
    assert first["late_no_more"] > 0
    assert any("30 business minutes" in each for each in first["changes"])
    assert all(each["before"] != each["after"] for each in found["rounds"])
    told = run("audit", str(EVENTS), "--policies", str(SHOP), "--against", str(SHOP), "--format", "json")
    assert json.loads(told.stdout)["against"] == {"rounds": [], "clocks": []}


def test_a_curve_is_told_in_few_lines():
    told = run("audit", str(EVENTS), "--policies", str(SHOP), "--sweep", "email_inquiry.first_reply.limit=1h..8h")
    assert told.returncode == 0, told.stderr
    curve = told.stdout.split("had its limit been:")[1].splitlines()
    assert 3 < len(curve) < 25


def test_a_curve_has_a_line_for_rounds_that_still_run_too(tmp_path):
    mails = tmp_path / "mails.jsonl"
    lines = []
    for number, hour in enumerate((9, 10, 11)):  # nobody answers, and the log ends two hours later
        event = {"specversion": "1.0", "source": "/t", "id": f"{number}", "subject": f"m-{number}"}
        when = {"type": "email_received", "time": f"2026-03-02T{hour:02}:00:00Z"}
        lines.append({**event, **when, "data": {"customer.email": "a@example.org", "customer.name": "Ann"}})
    mails.write_text("".join(json.dumps(each) + "\n" for each in lines))
    asked = ("--sweep", "email_inquiry.first_reply.limit=30m..3h/30m")
    told = run("audit", str(mails), "--policies", str(POLICIES), *asked)
    assert told.returncode == 0, told.stderr
    curve = told.stdout.split("had its limit been:")[1].split()
    assert [curve.index("business"), "90" in curve, "150" in curve] == [1, True, True], curve
