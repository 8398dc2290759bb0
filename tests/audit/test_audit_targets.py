"""Continuous integration is told which clocks keep their targets."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from commands import run
from shops import EVENTS, SHOP


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
