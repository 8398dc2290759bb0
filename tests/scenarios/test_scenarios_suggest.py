"""Suggested scenarios: each takes its transition, passes when it is run, and is the shortest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from carepolicy.cli.app import app
from carepolicy.cli.app import run as run_all
from carepolicy.scenarios import stage
from carepolicy.scenarios.scenario import read_text
from carepolicy.scenarios.stage import Stage
from carepolicy.scenarios.suggestions import suggestions_of
from carepolicy.scenarios.verdict import judge
from shops import SHOP


@pytest.fixture(autouse=True)
def _fresh_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_stages", {})


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def test_a_suggestion_is_a_scenario_with_the_data_that_its_guard_needs(here: Path) -> None:
    told = run("scenarios", "suggest", "inquiry")
    assert told.exit_code == 0
    assert told.stderr == "7 suggested, 0 not found\n"
    assert told.stdout.split("---\n")[1] == (
        "# flows/inquiry.yaml:25\n"
        'scenario: "To be named - received, escalated -> with_lead"\n'
        "flow: inquiry\n"
        "steps:\n"
        "  - {at: 2026-03-02 10:00, event: asked}\n"
        '  - {at: 2026-03-02 10:05, event: escalated, data: {order.total: "101"}}\n'
        "  - expect: {state: with_lead, met: [first_reply]}\n"
    )


def test_written_suggestions_pass_and_cover_every_transition(here: Path) -> None:
    assert run("scenarios", "suggest", "inquiry", "--output", "policies/scenarios").exit_code == 0
    told = run("test", "--coverage")
    assert told.exit_code == 0, told.stdout
    assert "transitions     7 of    7  100.0 %" in told.stdout
    assert run("scenarios", "suggest", "inquiry").stderr == "0 suggested, 0 not found\n"


def test_nothing_that_is_there_is_overwritten(here: Path) -> None:
    folder = here / "policies" / "scenarios"
    first = run("scenarios", "suggest", "inquiry", "--output", "drafts").stdout.split()
    second = run("scenarios", "suggest", "inquiry", "--output", "drafts").stdout.split()
    assert len(set(first) | set(second)) == 14
    assert not folder.exists()


def test_a_transition_that_nothing_takes_is_named(here: Path) -> None:
    flow = here / "policies" / "flows" / "inquiry.yaml"
    flow.write_text(flow.read_text().replace("order.total > 100,", "order.total > 100 && case.visits.with_lead > 99,"))
    told = run("scenarios", "suggest", "inquiry")
    assert "policies/flows/inquiry.yaml:25: no history was found for received, escalated -> with_lead" in told.stderr
    assert told.stderr.endswith("4 suggested, 3 not found\n")


def test_a_flow_that_is_not_there_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all(["scenarios", "suggest", "inqiry"]) == 2
    assert 'there is no flow "inqiry"; did you mean "inquiry"?' in capsys.readouterr().err


def test_every_transition_of_a_flow_of_the_shop_has_a_suggestion_that_passes() -> None:
    shop = Stage(SHOP)
    found = list(suggestions_of(shop, shop.policies.flows["email_inquiry"]))
    assert [each.name for each in found if each.text is None] == []
    for each in found:
        scenarios, findings = read_text(each.text or "", each.name)
        assert findings == []
        assert judge(shop, scenarios[0]).passed, each.name


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["scenarios", "suggest", "inquiry", "--output", "drafts"], "drafts/*"),
        (["schema", "--output", "schemas"], "schemas/*"),
    ],
)
def test_all_files_are_written_though_nobody_reads_their_names(here: Path, arguments: list[str], written: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "carepolicy", *arguments]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert len(list(here.glob(written))) >= 4
