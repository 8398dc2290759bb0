"""`carepolicy case` on the records of the demo's month: what a person sees, and what a machine reads."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from carepolicy.cli import app
from carepolicy.engine.history.log import in_order, read_record, read_records
from laws import examples
from shops import BAD_EVENTS, EVENTS, SHOP

ROOT = Path(__file__).parents[2]
ODD = [
    None, True, 0, -1, 1e300, 2**63, [], {}, {"a": []}, "", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
    "2026-03-02T09:05:00+00:00", "carepolicy.case.opened", "carepolicy.event.rejected",
]  # fmt: skip


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("case") / "records.jsonl"
    assert app.run(["run", str(EVENTS), "--policies", SHOP, "--output", str(path), "--quiet"]) == 0
    return path


def case(capfd: pytest.CaptureFixture[str], records: Path, *arguments: str) -> tuple[int, str, str]:
    status = app.run(["case", *arguments, "--records", str(records), "--policies", SHOP])
    out, err = capfd.readouterr()
    return status, out, err


def of(records: Path, subject: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in records.read_text().splitlines()]
    return [each for each in found if each.get("subject") == subject]


def test_a_closed_case_is_shown_with_its_clocks_and_what_happened(
    capfd: pytest.CaptureFixture[str], records: Path
) -> None:
    status, out, err = case(capfd, records, "show", "order-2001")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[:4] == [
        "order-2001: Fulfil an order (order_fulfilment)",
        "  state   Delivered and well (closed), since Tue 2026-03-10 11:20",
        "  opened  Mon 2026-03-02 09:05",
        "  closed  Tue 2026-03-10 11:20: delivered",
    ]
    assert "    Payment             met, 1 min used, limit 7 d" in lines
    assert '    Mon 2026-03-02 09:06  "Order placed" -> "Order confirmed", on "The card is authorised"' in lines
    assert '    Tue 2026-03-10 11:20  "Delivered" -> "Delivered and well", as its time was up' in lines
    assert len(lines) == lines.index("  what happened (times of Europe/London)") + 1 + len(of(records, "order-2001"))


def test_what_people_read_has_titles_and_where_there_is_no_sound_set_names(
    capfd: pytest.CaptureFixture[str], records: Path, tmp_path: Path
) -> None:
    told = case(capfd, records, "show", "complaint-302")[1]
    assert 'clock "Confirmation" is late, was due Mon 2026-03-02 17:00' in told
    assert "task for Care team lead" in told
    keys = (
        "care_lead",
        "care_agent",
        "care_manager",
        "acknowledge",
        "acknowledged",
        "healed",
        "looking",
        "final_answer",
    )
    lines = [line for line in told.splitlines() if "message " not in line]
    assert [(key, line) for key in keys for line in lines if re.search(rf"(?<!\(){key}\b", line)] == []
    (tmp_path / "organisation.yaml").write_text(
        "organisation: Shop\ntimezone: Europe/London\nroles: {a: {people: 3}}\n"
    )
    status = app.run(["case", "show", "complaint-302", "--records", str(records), "--policies", str(tmp_path)])
    assert (status, capfd.readouterr().out.splitlines()[0]) == (0, "complaint-302: complaint")


def test_the_times_are_those_of_the_organisation_in_summer_too(
    capfd: pytest.CaptureFixture[str], records: Path, tmp_path: Path
) -> None:
    summer = tmp_path / "summer.jsonl"
    summer.write_text(records.read_text().replace('"time":"2026-03-02T09:05:00', '"time":"2026-07-02T09:05:00'))
    assert "  opened  Thu 2026-07-02 10:05" in case(capfd, summer, "show", "order-2001")[1].splitlines()


def test_show_in_json_has_the_documented_shape(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    status, out, _ = case(capfd, records, "show", "complaint-302", "--format", "json")
    answer = json.loads(out)
    assert (status, answer["subject"], answer["timezone"]) == (0, "complaint-302", "Europe/London")
    (shown,) = answer["cases"]
    assert list(shown) == [
        "flow", "version", "subject", "number", "state", "since", "opened", "closed", "outcome", "owner", "person",
        "late", "clocks", "timeline",
    ]  # fmt: skip
    clocks = {each["clock"]: each for each in shown["clocks"]}
    assert clocks["acknowledge"] == {
        "clock": "acknowledge", "status": "ended late", "late": True, "due": None, "used": 14400, "limit": 10800,
        "basis": "business_time", "over": 3600, "at": "2026-03-03T09:30:00+00:00", "rounds": 1, "times_late": 1,
    }  # fmt: skip
    assert (clocks["progress"]["rounds"], clocks["progress"]["times_late"]) == (3, 1)
    assert [each["data"] for each in shown["timeline"]] == [each["data"] for each in of(records, "complaint-302")]
    documented = (ROOT / "docs" / "records.md").read_text()
    for name in (*answer, *shown, *clocks["acknowledge"], *shown["timeline"][0]):
        assert f"`{name}`" in documented, name


def test_a_case_in_its_middle_shows_running_paused_and_late_clocks(
    capfd: pytest.CaptureFixture[str], records: Path, tmp_path: Path
) -> None:
    def clocks(subject: str, after: str) -> dict[str, str]:
        lines: list[str] = []
        for line in records.read_text().splitlines(keepends=True):
            lines.append(line)
            if f'"subject":"{subject}"' in line and after in line:
                break
        cut = tmp_path / "cut.jsonl"
        cut.write_text("".join(lines))
        answer = json.loads(case(capfd, cut, "show", subject, "--format", "json")[1])
        return {each["clock"]: each["status"] for each in answer["cases"][0]["clocks"]}

    assert clocks("mail-206", '"carepolicy.clock.started"') == {"first_reply": "running"}
    assert clocks("mail-206", '"clock":"reply_promise","used":5760') == {
        "first_reply": "paused",
        "reply_promise": "paused",
    }
    assert clocks("complaint-302", '"carepolicy.clock.late"')["acknowledge"] == "late"


def test_an_unknown_subject_names_the_nearest(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    status, out, err = case(capfd, records, "show", "complaint-3022")
    assert (status, out) == (2, "")
    assert 'there are no records of "complaint-3022"; did you mean "complaint-302"?' in err


def test_an_unknown_flow_names_the_nearest(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    status, _, err = case(capfd, records, "show", "complaint-302", "--flow", "complant")
    assert status == 2
    assert 'has no case of the flow "complant"; did you mean "complaint"?' in err


BROKEN = [
    (b"{", "it is no JSON"),
    (b"[]", "it is no JSON object"),
    (b"\xff\xfe", "it is no JSON"),
    (b'{"type":"order_placed","subject":"a"}', "is none of a record"),
    (b'{"type":"carepolicy.case.opened","data":{"state":"x"}}', "its subject is missing"),
    (b'{"type":"carepolicy.case.jumped","data":{}}', "there are no records of type"),
    (b'{"type":"carepolicy.case.moved","data":{"to":"x","on":"y"}}', "its data lacks from"),
    (b'{"type":"carepolicy.case.opened","data":[]}', "its data is no object"),
    (b'{"type":"carepolicy.case.opened","data":{"state":1}}', "state in its data is not of the right type"),
    (
        b'{"type":"carepolicy.clock.late","data":{"clock":"c","used":1,"basis":"elapsed","due":"soon"}}',
        "due in its data: it is no date and time",
    ),
    (
        b'{"type":"carepolicy.case.opened","subject":"a","flow":"f","flowversion":1,"sequence":true,"time":"","data":'
        b'{"state":"x"}}',
        "its time is no text",
    ),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_broken_line_is_left_out_and_told(
    capfd: pytest.CaptureFixture[str], records: Path, tmp_path: Path, line: bytes, reason: str
) -> None:
    broken = tmp_path / "broken.jsonl"
    whole = records.read_bytes().splitlines(keepends=True)
    broken.write_bytes(b"".join([*whole[:2], line + b"\n", *whole[2:]]))
    status, out, err = case(capfd, broken, "show", "order-2001")
    sound = case(capfd, records, "show", "order-2001")
    assert (status, out) == (1, sound[1])
    assert err.startswith(f"{broken}:3: left out: ")
    assert reason in err
    assert len(err.splitlines()) == 1


def test_history_gives_the_very_lines_of_a_subject(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    status, out, _ = case(capfd, records, "history", "mail-208")
    assert status == 0
    assert out.splitlines() == [
        line for line in records.read_text().splitlines() if '"subject":"mail-208"' in line
    ]  # fmt: skip


def test_history_of_all_is_in_order_and_whole(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    out = case(capfd, records, "history", "--all")[1].splitlines()
    keys = [(each["subject"], each.get("flow", ""), each.get("sequence", 0)) for each in map(json.loads, out)]
    assert keys == sorted(keys)
    assert sorted(out) == sorted(records.read_text().splitlines())


def test_order_does_not_depend_on_how_much_is_sorted_in_memory(records: Path) -> None:
    lines = [(read_record(line), line) for line in records.read_bytes().splitlines()]
    assert list(in_order(lines, chunk=2000)) == list(in_order(lines))


def test_history_wants_a_subject_or_all(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    assert case(capfd, records, "history")[0] == 2
    assert case(capfd, records, "history", "mail-208", "--all")[0] == 2


def test_list_shows_what_the_run_says_is_open(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    out = case(capfd, records, "list", "--format", "jsonl")[1]
    listed = {(each["flow"], each["subject"]) for each in map(json.loads, out.splitlines())}
    told = [json.loads(line) for line in records.read_text().splitlines()]
    opened = {(each["flow"], each["subject"]) for each in told if each["type"] == "carepolicy.case.opened"}
    last = {(each["flow"], each["subject"]): each["type"] for each in told if "flow" in each}
    assert listed == {key for key in opened if last[key] != "carepolicy.case.closed"}
    assert case(capfd, records, "list", "--owner", "nobody_at_all")[1] == ""
    assert len(case(capfd, records, "list", "--flow", "complaint")[1].splitlines()) == 3


def test_due_lists_by_what_falls_due_next(capfd: pytest.CaptureFixture[str], records: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(records.read_bytes().splitlines(keepends=True)[:300]))
    answer = json.loads(case(capfd, cut, "due", "--format", "json")[1])
    nearest = [
        min(datetime.fromisoformat(clock["due"]) for clock in each["clocks"] if clock["status"] == "running")
        for each in answer["cases"]
    ]
    assert len(nearest) > 2
    assert nearest == sorted(nearest)


def test_records_that_reached_no_case_are_shown_apart(capfd: pytest.CaptureFixture[str], records: Path) -> None:
    out = case(capfd, records, "show", "order-2005")[1]
    assert out.splitlines()[-2:] == [
        "events of order-2005 that reached no case",
        "  Thu 2026-03-19 09:00  handed_to_carrier unexpected: no open case takes it, and no flow starts on it (CP911)",
    ]


def test_all_that_run_writes_about_bad_events_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    assert app.run(["run", str(BAD_EVENTS), "--policies", SHOP, "--output", str(path), "--quiet"]) == 1
    skipped: list[Any] = []
    assert len(list(read_records([path.read_bytes()], skipped))) == len(path.read_bytes().splitlines())
    assert skipped == []


def test_a_file_that_is_not_there_is_told_plainly(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = case(capfd, tmp_path / "none.jsonl", "show", "a")
    assert status == 2
    assert "none.jsonl: No such file or directory" in err


def test_without_a_policy_set_times_are_in_utc_and_this_is_said(records: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "carepolicy", "case", "show", "order-2001", "--records", "-"],
        input=records.read_bytes(), capture_output=True, check=False, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert (told.returncode, told.stderr.splitlines()) == (
        0,
        [b"there is no folder policies: times are in UTC; name a set with --policies"],
    )
    assert b"what happened (times of UTC)" in told.stdout


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=strategies.data())
def test_whatever_a_file_holds_every_command_ends_in_words(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    records: Path,
    tmp_path: Path,
    data: strategies.DataObject,
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [orjson.loads(line) for line in records.read_bytes().splitlines() if b'"subject":"mail-206"' in line]
    values = strategies.sampled_from(ODD) | strategies.text(max_size=5)
    for _ in range(data.draw(strategies.integers(1, 4))):
        line = lines[data.draw(strategies.integers(0, len(lines) - 1))]
        spoilt = line["data"] if isinstance(line.get("data"), dict) and data.draw(strategies.booleans()) else line
        spoilt[data.draw(strategies.sampled_from([*spoilt, "subject"]))] = data.draw(values)
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    shown = [("show", "mail-206"), ("list",), ("due",), ("history", "--all")]
    for arguments, form in itertools.product(shown, ("text", "jsonl")):
        status = app.run(["case", *arguments, "--records", str(odd), "--format", form])
        err = capfd.readouterr().err
        assert (status in (0, 1), "internal error" in err) == (True, False), err


def test_a_record_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str], records: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.jsonl"
    lines = [orjson.loads(line) for line in records.read_bytes().splitlines()]
    for each in lines:
        if each["type"] == "carepolicy.case.opened":
            each["data"]["state"] = "x\x1b[2J"
    evil.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    out = case(capfd, evil, "show", "order-2001")[1]
    assert "\x1b" not in out
    assert "opened in x\N{REPLACEMENT CHARACTER}[2J" in out
