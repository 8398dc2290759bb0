"""``carepolicy test`` as people call it: what is printed where, what is written, and the exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pexpect
import pytest
from click.testing import CliRunner, Result

from carepolicy.cli.app import app
from carepolicy.cli.app import run as run_all
from carepolicy.scenarios import stage

GOOD_ENOUGH = "scenario: S\nflow: inquiry\nsteps:\n  - {at: 2026-03-06 15:30, event: asked}\n"
WITH_LEAD = "policies/flows/inquiry.yaml:25: no scenario for received, escalated -> with_lead"


@pytest.fixture(autouse=True)
def _fresh_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_stages", {})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["test", *arguments])


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = run_all(["test", *arguments])
    return status, capsys.readouterr().err


def test_scenarios_that_pass_are_counted(write) -> None:
    write()
    told = run()
    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "1 scenario: 1 passed\n")


def test_a_failing_step_is_shown_with_expected_beside_actual_and_the_timeline(write) -> None:
    write(
        GOOD_ENOUGH
        + "  - expect: {state: overdue, due: {first_reply: 2026-03-09 11:31}, facts: {customer.tier: gold}}\n"
    )
    told = run()
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "policies/scenarios/one.yaml:5: FAILED S",
        "  step 2 is otherwise than expected",
        "                         expected          actual",
        "    state                overdue           received",
        "    due first_reply      2026-03-09 11:31  2026-03-09 11:30",
        "    facts customer.tier  gold              standard",
        "  what happened so far (times of Europe/London)",
        "    Fri 2026-03-06 15:30  opened in received",
        "    Fri 2026-03-06 15:30  clock first_reply starts, due Mon 2026-03-09 11:30",
        "    Fri 2026-03-06 15:30  task for care_agent",
        '    Fri 2026-03-06 15:30  message auto_reply by email: "We have your message"',
    ]  # fmt: skip
    assert told.stderr == "1 scenario: 0 passed, 1 failed\n"


def test_a_private_fact_is_not_printed(write) -> None:
    write(
        "scenario: S\nflow: inquiry\nsteps:\n"
        "  - {at: 2026-03-06 15:30, event: asked, data: {customer.email: amy@example.org}}\n"
        "  - expect: {facts: {customer.email: ben@example.org}}\n"
    )
    for form in ("text", "json", "junit"):
        told = run("--format", form)
        assert told.exit_code == 1
        assert "example.org" not in told.output


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{event: askd, at: 2026-03-07 10:00}", ':5:13: CP202 unknown event "askd"'),
        ("expect: {state: recieved}", ':5:21: CP203 unknown state "recieved"'),
        ("expect: {due: {first_rply: none}}", ':5:20: CP205 unknown clock "first_rply"'),
        ("expect: {late: [first_rply]}", ':5:21: CP205 unknown clock "first_rply"'),
        ("expect: {sent: auto_rply}", ':5:20: CP206 unknown message "auto_rply"'),
        ("expect: {not_told: [care_laed]}", ':5:25: CP201 unknown role "care_laed"'),
        ("expect: {opened: [inqiry]}", ':5:23: CP208 unknown flow "inqiry"'),
        ("expect: {raised: [askd]}", ':5:23: CP202 unknown event "askd"'),
        ("expect: {facts: {customer.teir: gold}}", ':5:22: CP204 unknown fact "customer.teir"'),
        ("{flow: inqiry, expect: {state: done}}", ':5:12: CP208 unknown flow "inqiry"'),
    ],
)
def test_an_unknown_name_is_a_finding_at_its_token_with_the_nearest_right_one(write, step: str, said: str) -> None:
    write(GOOD_ENOUGH + f"  - {step}\n")
    told = run()
    assert told.exit_code == 2
    first = told.stderr.splitlines()
    assert first[0] == f"policies/scenarios/one.yaml{said}"
    assert "did you mean" in first[2]


def test_an_event_that_no_flow_declares_may_be_fed_to_be_refused(write) -> None:
    write(GOOD_ENOUGH + "  - {event: spam, at: 2026-03-06 15:31}\n  - expect: {rejected: true, state: received}\n")
    assert run().exit_code == 0


def test_the_scenarios_that_are_right_run_beside_those_that_cannot_be_read(write) -> None:
    write()
    write("scenario: [", "two")
    told = run()
    assert told.exit_code == 2
    assert told.stderr.startswith("policies/scenarios/two.yaml:1:")
    assert told.stderr.endswith("1 scenario: 1 passed\n")


def test_a_set_without_scenarios_says_how_to_get_some(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = refused(capsys)
    assert (status, said) == (
        2,
        "carepolicy: there are no scenarios in policies/scenarios; `carepolicy scenarios suggest FLOW` writes some\n",
    )


def test_a_path_that_is_not_there_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "nowhere.yaml") == (2, "carepolicy: there is no file or folder nowhere.yaml\n")


def test_a_set_with_errors_is_refused_with_them(write, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write()
    flow = here / "policies/flows/inquiry.yaml"
    flow.write_text(flow.read_text().replace("answered_it: done", "answered_it: dne", 1))
    status, said = refused(capsys)
    assert status == 2
    assert 'CP203 unknown state "dne"' in said


def test_a_file_that_is_named_twice_runs_once(write) -> None:
    file = write()
    told = run(str(file), "policies", os.path.relpath(file))
    assert told.stderr == "1 scenario: 1 passed\n"


def test_many_processes_tell_the_same_as_one(write) -> None:
    for number in range(12):
        write(GOOD_ENOUGH + f"  - expect: {{state: {('received', 'done')[number % 2]}}}\n", f"s{number:02}")
    one, many = run("--workers", "1", "--coverage"), run("--workers", "3", "--coverage")
    assert one.exit_code == many.exit_code == 1
    assert (one.stdout, one.stderr) == (many.stdout, many.stderr)
    assert one.stdout.count("FAILED") == 6


def test_a_process_that_had_workers_ends(write, here: Path) -> None:
    for number in range(12):
        write(GOOD_ENOUGH, f"s{number:02}")
    command = [sys.executable, "-m", "carepolicy", "test", "--workers", "3"]
    for _ in range(3):
        ended = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=300, check=False)
        assert (ended.returncode, ended.stderr) == (0, "12 scenarios: 12 passed\n")


def test_many_documents_of_one_file_are_many_scenarios(write) -> None:
    write("---\n".join([GOOD_ENOUGH] * 300))
    assert run().stderr == "300 scenarios: 300 passed\n"


def test_json_tells_all_there_is(write) -> None:
    write(GOOD_ENOUGH + "  - expect: {state: done}\n")
    answer = json.loads(run("--format", "json", "--coverage").stdout)
    (scenario,) = answer["scenarios"]
    assert (answer["passed"], answer["failed"], scenario["passed"], scenario["line"]) == (0, 1, False, 1)
    (failure,) = scenario["failures"]
    assert (failure["step"], failure["line"], failure["reason"]) == (2, 5, "")
    assert failure["differences"] == [{"key": "state", "name": None, "expected": "done", "actual": "received"}]
    assert answer["coverage"]["policies"]["states"] == {"covered": 1, "total": 4}


def test_junit_is_xml_whatever_a_scenario_is_called(write) -> None:
    write(GOOD_ENOUGH.replace("scenario: S", 'scenario: "<&\\"\\x07é"') + "  - expect: {state: done}\n")
    write(GOOD_ENOUGH, "two")
    root = ElementTree.fromstring(run("--format", "junit").stdout)
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    names = [each.get("name") for each in root.iter("testcase")]
    assert names == ['<&"\N{REPLACEMENT CHARACTER}é', "S"]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "step 2: state: done expected, received found"


def test_coverage_counts_each_kind_and_names_what_lacks(write) -> None:
    write()
    told = run("--coverage")
    assert told.exit_code == 0
    assert told.stdout.splitlines() == [
        "states          2 of    4   50.0 %",
        "transitions     1 of    7   14.3 %",
        "guards          1 of    4   25.0 %",
        "clocks          1 of    2   50.0 %",
        "messages        1 of    2   50.0 %",
        "all             6 of   19   31.6 %",
        "  policies/flows/inquiry.yaml:28: no scenario for the state overdue",
        "  policies/flows/inquiry.yaml:29: no scenario for the state with_lead",
        f"  {WITH_LEAD}",
        f"  {WITH_LEAD} when order.total > 100 is true",
        f"  {WITH_LEAD} when order.total > 100 is false",
        "  policies/flows/inquiry.yaml:26: no scenario for received, escalated -> done",
        "  policies/flows/inquiry.yaml:27: no scenario for received, first_reply.late -> overdue",
        "  policies/flows/inquiry.yaml:28: no scenario for overdue, answered_it -> done",
        "  policies/flows/inquiry.yaml:29: no scenario for with_lead, answered_it -> done",
        "  policies/flows/inquiry.yaml:29: no scenario for with_lead, after 2 days -> done",
        "  policies/flows/inquiry.yaml:10: no scenario for the clock first_reply being late",
        '  policies/flows/inquiry.yaml:12: no scenario for the clock first_reply when customer.tier == "gold" is true',
        "  policies/messages/en.yaml:4: no scenario for the message apology",
    ]


def test_too_little_coverage_is_a_no(write) -> None:
    write()
    assert run("--fail-under", "31").exit_code == 0
    told = run("--fail-under", "32")
    assert told.exit_code == 1
    assert told.stderr.endswith("31.6 % of policies is covered, less than 32 %\n")


def test_the_page_of_the_coverage_says_the_same(write, here: Path) -> None:
    write()
    assert run("--coverage-html", "coverage.html").exit_code == 0
    page = (here / "coverage.html").read_text()
    assert "<h2>policies: 31.6 %</h2>" in page
    assert "received, escalated -&gt; with_lead" in page
    assert page.count('class="no"') == 13


def test_a_page_that_cannot_be_written_is_told(write, capsys: pytest.CaptureFixture[str]) -> None:
    write()
    status, said = refused(capsys, "--coverage-html", "nowhere/coverage.html")
    assert status == 2
    assert "nowhere/coverage.html cannot be written: No such file or directory" in said


def test_update_shows_a_diff_and_writes_what_was_so(write) -> None:
    file = write(
        "# A comment on top.\n" + GOOD_ENOUGH
        + "  - expect:   # what must be so\n"
        + "      state: 'done'   # the state\n"
        + "      sent: [apology]\n"
        + "      due: {first_reply: none}\n"
    )  # fmt: skip
    told = run("--update")
    assert (told.exit_code, told.stdout) == (0, "")
    assert file.read_text().splitlines()[5:] == [
        "  - expect:   # what must be so",
        "      state: received   # the state",
        "      sent: [auto_reply]",
        "      due: {first_reply: 2026-03-09 11:30}",
    ]
    assert "-      state: 'done'   # the state" in told.stderr
    assert "+      state: received   # the state" in told.stderr
    assert run("--update").stderr == "1 scenario: 1 passed\n"


def test_update_of_a_file_in_use_keeps_line_ends_and_the_byte_order_mark(write) -> None:
    file = write()
    text = GOOD_ENOUGH + "  - expect: {state: done}\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert run("--update").exit_code == 0
    assert file.read_bytes() == b"\xef\xbb\xbf" + text.replace("done", "received").replace("\n", "\r\n").encode()


def test_update_leaves_a_step_that_cannot_be_played(write) -> None:
    file = write(GOOD_ENOUGH + "  - {at: 2026-03-05 10:00, event: answered_it}\n  - expect: {state: done}\n")
    before = file.read_text()
    told = run("--update")
    assert told.exit_code == 1
    assert "2026-03-05 10:00 is before 2026-03-06 15:30, where the scenario is" in told.stdout
    assert file.read_text() == before


@pytest.mark.parametrize(
    "steps",
    [
        "[{expect: {state: received}}]",
        "[{wait: 1 hour}]",
        "[{at: tomorrow, event: asked}]",
        "[{at: 2026-03-29 01:30, event: asked}]",
        "[{at: 9999-12-31 23:59, event: asked}, {wait: 3 business hours}]",
        "[{at: 0001-01-01, event: asked}]",
        "[{at: 2026-03-06 15:30, event: asked, data: {customer.tier: {deep: [1, {x: 2}]}}}]",
        "[{at: 2026-03-06 15:30, event: asked, data: {order.total: much}}]",
        "[{at: 2026-03-06 15:30, event: asked}, {wait: until order.ship_by}]",
        "[{at: 2026-03-06 15:30, event: asked}, {wait: settings.nothing}]",
        "[{at: 2026-03-06 15:30, event: asked}, {wait: soon}]",
        "[{at: 2026-03-06 15:30, event: asked}, {expect: {due: {first_reply: soon}}}]",
        "[{at: 2026-03-06 15:30, event: asked}, {expect: {facts: {order.total: {}}}}]",
        "[{at: 2026-03-06 15:30, event: carepolicy.merge}]",
        "[{at: 2026-03-06 15:30}]",
        "[{until: 2026-03-06 15:30}, {expect: {state: received}}]",
    ],
)
def test_a_step_that_makes_no_sense_is_told_and_never_a_traceback(write, steps: str) -> None:
    write(f"scenario: S\nflow: inquiry\nsteps: {steps}\n")
    told = run()
    assert told.exception is None or isinstance(told.exception, SystemExit)
    assert told.exit_code in (0, 1, 2)
    assert told.exit_code == 0 or "one.yaml:3" in told.output


def test_a_long_run_shows_a_bar_on_a_terminal_only(write, here: Path) -> None:
    write("---\n".join([GOOD_ENOUGH] * 500))
    command = "from carepolicy.cli import main; main()"
    child = pexpect.spawn(
        sys.executable, ["-c", command, "test", "--workers", "1"], cwd=str(here), encoding="utf-8", timeout=60
    )
    said = child.read()
    child.close()
    assert child.exitstatus == 0
    assert "/500" in said
    assert "500 scenarios: 500 passed" in said
    assert "/500" not in run("--workers", "1").output


@pytest.mark.parametrize(("form", "where"), [("junit", "<error "), ("json", '"findings"')])
def test_a_set_that_cannot_be_run_is_told_in_the_form_that_was_asked_for(
    write, here: Path, form: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    flow = here / "policies/flows/inquiry.yaml"
    flow.write_text(flow.read_text().replace("with_lead", "with_laed", 1))
    assert run_all(["test", "--format", form]) == 2
    told = capsys.readouterr().out
    assert where in told
    assert "with_laed" in told
