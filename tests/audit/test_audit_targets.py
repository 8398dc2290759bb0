"""Continuous integration is told which clocks keep their targets."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from carepolicy.audit.figures import falls_short
from carepolicy.businesstime.words import duration
from commands import run
from shops import EVENTS, SHOP
from stories import write_set

CALLS = """\
    flow: call
    version: 1
    title: A call
    purpose: Calls are answered.
    owner: care_lead
    events:
      rang: {title: It rang, by: customer}
      answered: {title: Answered, by: staff}
    clocks:
      answer: {title: Answer, limit: 20 seconds, runs_in: [ringing], target: 80%}
    states:
      ringing: {title: It rings, start_on: rang, owner: care_agent, on: {answered: done}}
      done: {title: Done, final: answered}
"""
"""80 % in 20 seconds."""


def clocks_of(*more):
    found = json.loads(run("audit", str(EVENTS), "--policies", SHOP, "--format", "json", *more).stdout)
    return {(flow, name): each for flow, figures in found["flows"].items() for name, each in figures["clocks"].items()}


def test_junit_has_a_case_for_each_clock_with_a_target_and_fails_those_below():
    told = run("audit", str(EVENTS), "--policies", SHOP, "--format", "junit")
    assert told.returncode == 0, told.stderr
    suites = ElementTree.fromstring(told.stdout.encode())
    cases = {(suite.get("name"), each.get("name")): each for suite in suites for each in suite}
    clocks = {key: each for key, each in clocks_of().items() if each["target"] is not None}
    assert set(clocks) <= set(cases)
    below = {key for key, each in clocks.items() if each["share"] is not None and each["share"] < each["target"]}
    assert below
    assert {key for key, case in cases.items() if case.find("failure") is not None} == below
    undecided = {key for key in cases if key not in clocks or clocks[key]["share"] is None}
    assert {key for key, case in cases.items() if case.find("skipped") is not None} == undecided
    for suite in suites:
        assert int(suite.get("tests")) == len(suite)
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))


@pytest.mark.parametrize(("slow", "kept"), [(0, True), (2, True), (3, False)])
def test_a_target_is_of_all_rounds_together_and_kept_where_their_share_is_not_below(tmp_path, slow, kept):
    policies = write_set(tmp_path / "set", CALLS)
    mapping, log = tmp_path / "calls.yaml", tmp_path / "calls.csv"
    mapping.write_text("mapping: calls\nreads: {format: csv}\nsubject: call\ntime: at\nevent: {column: what}\n")
    rows = [(f"c-{number}", "rang", 0) for number in range(10)]
    rows += [(f"c-{number}", "answered", 21 if number < slow else 19) for number in range(10)]
    rows.append(("still-rings", "rang", 30))
    log.write_text("call,what,at\n" + "".join(f"{call},{what},2026-03-02T10:00:{s:02}Z\n" for call, what, s in rows))
    told = run("audit", str(log), "--policies", str(policies), "--map", str(mapping), "--format", "json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["flows"]["call"]["clocks"]["answer"]
    assert (found["met"] + found["late"], found["late"], found["running"]) == (10, slow, 1)
    assert (found["target"], found["share"], found["kept"]) == (0.8, 1 - slow / 10, kept)


def test_github_is_shown_the_line_of_each_clock_below():
    told = run("audit", str(EVENTS), "--policies", SHOP, "--format", "github", "--fail-under", "100")
    assert told.returncode == 1
    below = {f"{flow}.{name}": flow for (flow, name), each in clocks_of().items() if each["late"]}
    lines = told.stdout.splitlines()
    assert len(lines) == len(below) > 0
    for line in lines:
        said, _, text = line.removeprefix("::error ").partition("::")
        about = dict(part.split("=", 1) for part in said.split(","))
        with open(about["file"], encoding="utf-8") as file:
            at = file.read().splitlines()[int(about["line"]) - 1]
        assert at.strip().startswith(f"{about['title'].partition('.')[2]}:")
        assert about["file"].endswith(f"{below[about['title']]}.yaml")
        assert "less than 100%25" in text


@pytest.mark.parametrize(
    ("met", "late", "wanted", "short"),
    [
        (19, 1, 0.95, False), (567, 433, 0.567, False), (566, 434, 0.567, True), (9_499_996, 500_004, 0.95, True),
        (1, 0, 1.0, False), (9_999_999, 1, 1.0, True), (0, 1, 0.0, False), (2, 1, 0.667, True), (2, 1, 0.6666, False),
    ],
)  # fmt: skip
def test_a_share_is_held_against_one_that_is_wanted_exactly(met, late, wanted, short):
    assert falls_short(met, late, wanted) is short


def test_shares_that_somebody_wrote_are_told_in_full_and_those_below_so_that_it_can_be_seen(tmp_path):
    policies = write_set(tmp_path / "set", CALLS.replace("target: 80%", "target: 99.95%"))
    mapping, log = tmp_path / "calls.yaml", tmp_path / "calls.csv"
    mapping.write_text("mapping: calls\nreads: {format: csv}\nsubject: call\ntime: at\nevent: {column: what}\n")
    rows = [f"c-{number},{what},2026-03-02T10:00:{second}Z\n" for number in range(1_000)
            for what, second in (("rang", "00"), ("answered", "21" if number == 7 else "19"))]  # fmt: skip
    log.write_text("call,what,at\n" + "".join(rows))
    asked = ("audit", str(log), "--policies", str(policies), "--map", str(mapping))
    told = run(*asked, "--fail-under", "99.95", "--report", str(tmp_path / "report"))
    assert told.returncode == 1
    assert "99.95% missed" in told.stdout
    assert told.stderr.splitlines()[-1] == "call.answer: 99.9% in time, less than 99.95%"
    page = (tmp_path / "report" / "flows" / "call.html").read_text()
    assert "99.95%" in page
    assert "<strong>100%</strong>" not in page
    assert run(*asked, "--fail-under", "99.9").returncode == 0


@pytest.mark.parametrize("share", ["nan", "-1", "100.1", "sNaN", "1e999", "90,5", ""])
def test_a_share_that_is_none_is_told(share):
    told = run("audit", str(EVENTS), "--policies", SHOP, "--fail-under", share)
    assert told.returncode == 2
    assert "a share from 0 to 100, or target" in told.stderr


def test_days_are_those_of_the_organisation(tmp_path):
    policies = write_set(tmp_path / "set", CALLS)
    assert "timezone: Europe/London" in (policies / "organisation.yaml").read_text()
    mapping, log = tmp_path / "calls.yaml", tmp_path / "calls.csv"
    mapping.write_text("mapping: calls\nreads: {format: csv}\nsubject: call\ntime: at\nevent: {column: what}\n")
    log.write_text("call,what,at\nc-1,rang,2026-06-30T23:30:00Z\n")
    told = run("audit", str(log), "--policies", str(policies), "--map", str(mapping))
    assert told.stdout.startswith("1 event, 2026-07-01 to 2026-07-01\n")


def test_days_in_short_words_are_rounded_to_hours():
    assert duration(2 * 86_400 + 11 * 3_600 + 3_447, days=True) == "2 d 12 h"
    assert duration(2 * 86_400 + 23 * 3_600 + 3_000, days=True) == "3 d"
