"""What another policy would have given is what a replay through that policy gives."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from carepolicy.audit.replay import Replay
from carepolicy.audit.tables import Table
from carepolicy.audit.whatif import SweepFault, SweptRounds, parse_sweep, swept_set
from carepolicy.policy.load import load_policies
from commands import run

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo" / "events.jsonl"
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
    policies, _ = load_policies(POLICIES)
    sweep = parse_sweep("email_inquiry.first_reply.limit=1h..3h", policies)
    rounds = SweptRounds(sweep)
    wide = replayed(swept_set(policies, sweep), mails, rounds)
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
        ("email_inquiry.first_reply.limit=1 hour..2 business hours", "of one measure"),
    ],
)
def test_a_sweep_that_cannot_be_understood_says_why(text, reason):
    policies, _ = load_policies(POLICIES)
    with pytest.raises(SweepFault, match=reason):
        parse_sweep(text, policies)


def test_rounds_that_two_sets_decide_otherwise_are_named_with_what_changed(tmp_path):
    old = tmp_path / "old"
    shutil.copytree(POLICIES, old)
    flow = old / "flows" / "email_inquiry.yaml"
    text = flow.read_text()
    assert "      - {is: 3 business hours}" in text
    flow.write_text(text.replace("      - {is: 3 business hours}", "      - {is: 30 business minutes}"))
    told = run("audit", str(DEMO), "--policies", str(POLICIES), "--against", str(old), "--format", "json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["against"]
    clocks = {(each["flow"], each["clock"]): each for each in found["clocks"]}
    first = clocks["email_inquiry", "first_reply"]
    assert first["late_no_more"] > 0
    assert any("30 business minutes" in each for each in first["changes"])
    assert all(each["before"] != each["after"] for each in found["rounds"])
    told = run("audit", str(DEMO), "--policies", str(POLICIES), "--against", str(POLICIES), "--format", "json")
    assert json.loads(told.stdout)["against"] == {"rounds": [], "clocks": []}


def test_a_curve_is_told_in_few_lines():
    told = run("audit", str(DEMO), "--policies", str(POLICIES), "--sweep", "email_inquiry.first_reply.limit=1h..8h")
    assert told.returncode == 0, told.stderr
    curve = told.stdout.split("had its limit been:")[1].splitlines()
    assert 3 < len(curve) < 25
