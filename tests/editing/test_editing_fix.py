"""``carepolicy check --fix``: what is mended, what is left to people, and that nothing else is touched."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path

import pexpect
import pytest
import yaml
from click.testing import CliRunner, Result

from carepolicy.checks import check_folder
from carepolicy.cli.app import app
from carepolicy.editing.files import editable_files
from carepolicy.editing.fixes import mended
from carepolicy.editing.layout import formatted
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.likeness import sole

CHECKS = Path(__file__).parents[1] / "checks"
FAULTS = yaml.safe_load((CHECKS / "faults.yaml").read_text())
FLOW = "flows/email_inquiry.yaml"
TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def well_laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(CHECKS / "harbour", tmp_path_factory.mktemp("sound") / "policies"))
    for file in editable_files([str(root)]):
        formatted(file).write()
    return root


@pytest.fixture
def harbour(well_laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(well_laid_out, tmp_path / "policies"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", "--today", "2026-03-02", *arguments])


def spoil(harbour: Path, old: str, new: str, file: str = FLOW) -> str:
    text = (harbour / file).read_text()
    assert text.count(old) >= 1
    (harbour / file).write_text(text.replace(old, new, 1))
    return text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reply_sent: answered", "reply_sent: answred"),
        ("reply_sent: answered", "reply_sent: 'answred'"),
        ("owner: care_agent", "onwer: care_agent"),
        ("owner: care_agent", "onwer: care_agnt"),
        ("start_on: email_received", "start_on: emial_received"),
        ("runs_in: [received, overdue]", "runs_in: [recieved, overdu]"),
        ("first_reply.warned: {tell", "first_reply.warnd: {tell"),
        ('customer.tier == "gold"', 'customer.teir == "gold"'),
        ('customer.tier == "gold"', 'customer.tier == "gould"'),
        ("by: customer", "by: custmer"),
    ],
)
def test_a_misspelt_name_is_mended_where_one_alone_is_near(harbour: Path, old: str, new: str) -> None:
    before = spoil(harbour, old, new)
    assert run().exit_code == 1
    told = run("--fix", "--yes")
    assert told.exit_code == 0, told.output
    assert (harbour / FLOW).read_text().replace("'answered'", "answered") == before
    assert told.stderr.startswith(f"--- policies/{FLOW}\n+++ policies/{FLOW}\n")


def test_a_name_that_could_be_two_is_left_to_people(harbour: Path) -> None:
    spoil(harbour, "reply_sent: answered", "reply_sent: waiting")
    told = run("--fix", "--yes")
    assert told.exit_code == 1
    assert told.stderr.startswith("nothing to mend\n")
    assert sole("closed_", ["closed", "closed_1", "opened"]) is None
    assert sole("waiting_for_custmer", ["waiting_for_customer", "waiting_for_carrier"]) == "waiting_for_customer"


def test_the_right_word_is_not_mended_to_the_misspelt_one_that_is_declared(harbour: Path) -> None:
    """A state whose own name is misspelt, and that ways and clocks name rightly: all of them would have to be wrong."""
    spoil(harbour, "\n  overdue:\n", "\n  overdoe:\n")
    text = (harbour / FLOW).read_text()
    assert run("--fix", "--yes").stderr.startswith("nothing to mend\n")
    assert (harbour / FLOW).read_text() == text


@pytest.mark.parametrize(
    ("old", "new", "mended_to"),
    [
        ("  overdue:\n", "  Överdue:\n", "  oeverdue:\n"),
        ("  overdue:\n", "  Overdue:\n", "  overdue:\n"),
        ("to: overdue,", "to: óverdue,", "to: overdue,"),
        ("    waits: us\n", "    waits: Customer\n", "    waits: customer\n"),
        ("target: 95%", "target: 0,95", "target: 95%"),
    ],
)
def test_a_name_is_written_as_names_are_without_its_marks(harbour: Path, old: str, new: str, mended_to: str) -> None:
    if old not in (harbour / FLOW).read_text():
        spoil(harbour, "    channel: email\n", f"    channel: email\n{old}")
    spoil(harbour, old, new)
    run("--fix", "--yes")
    assert mended_to in (harbour / FLOW).read_text()


def test_missing_titles_are_made_of_the_names(harbour: Path) -> None:
    spoil(harbour, "{title: The agent sends the answer, by: staff}", "{by: staff}")
    spoil(harbour, "    title: E-mail waits for an answer\n", "")
    assert "CP801" in run().stdout
    assert run("--fix", "--yes").exit_code == 0
    text = (harbour / FLOW).read_text()
    assert "reply_sent: {title: Reply sent, by: staff}" in text
    assert "received:\n    title: Received\n" in text
    assert run().stdout == ""


def test_keys_come_in_their_order(harbour: Path) -> None:
    spoil(harbour, "{title: The agent sends the answer, by: staff}", "{by: staff, title: The agent sends the answer}")
    assert run("--fix", "--yes").exit_code == 0
    assert "{title: The agent sends the answer, by: staff}" in (harbour / FLOW).read_text()


def test_a_fix_that_would_make_two_keys_one_is_not_made(harbour: Path) -> None:
    spoil(harbour, "      reply_sent: answered", "      reply_sent: answred\n      replysent: answred")
    run("--fix", "--yes")
    text = (harbour / FLOW).read_text()
    assert "      reply_sent: answered\n      replysent: answered\n" in text


def test_without_a_terminal_nothing_is_written_unless_told_to(harbour: Path) -> None:
    spoil(harbour, "reply_sent: answered", "reply_sent: answred")
    before = (harbour / FLOW).read_text()
    told = run("--fix")
    assert told.exit_code == 1
    assert "1 file not written: nobody is here to be asked; --yes writes without asking" in told.stderr
    assert (harbour / FLOW).read_text() == before


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1)])
def test_on_a_terminal_people_are_asked(harbour: Path, answer: str, status: int) -> None:
    spoil(harbour, "reply_sent: answered", "reply_sent: answred")
    command = ["-c", "from carepolicy.cli import main; main()", "check", "--fix", "--today", "2026-03-02"]
    child = pexpect.spawn(sys.executable, command, cwd=str(harbour.parent), encoding="utf-8", timeout=60)
    child.expect(r"Write 1 file\? \[Y/n\]")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == status


def test_only_the_named_file_is_mended(harbour: Path) -> None:
    spoil(harbour, "reply_sent: answered", "reply_sent: answred")
    spoil(harbour, "deputy: care_lead}", "deputy: care_laed}", "organisation.yaml")
    run("--fix", "--yes", "policies/organisation.yaml")
    assert "answred" in (harbour / FLOW).read_text()
    assert "care_laed" not in (harbour / "organisation.yaml").read_text()


def _errors(findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.severity is Severity.ERROR]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['code']} {fault['new'].strip()}")
def test_no_fix_makes_anything_worse(tmp_path: Path, fault: dict[str, str]) -> None:
    harbour = Path(shutil.copytree(CHECKS / "harbour", tmp_path / "policies"))
    file = fault.get("file", FLOW)
    text = (harbour / file).read_text()
    broken = text.replace(fault["old"], fault["new"]).replace("«", "").replace("»", "")
    for old, new in fault.get("also", {}).items():
        broken = broken.replace(old, new)
    (harbour / file).write_text(broken)
    files = {each: each.read_bytes() for each in harbour.rglob("*.yaml")}
    mends = list(mended(str(harbour), TODAY))
    if not mends:
        assert {each: each.read_bytes() for each in harbour.rglob("*.yaml")} == files
        return
    _, before = check_folder(harbour, TODAY)
    for each in mends:
        each.write()
    _, after = check_folder(harbour, TODAY)
    # Warnings about what a wrong name stands for are only told once it is right.
    assert len(_errors(after)) <= len(_errors(before))
