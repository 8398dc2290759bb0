"""What is wrong with a file's shape is found at its token, and said in words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from carepolicy.policy.codes import CODES
from carepolicy.policy.findings import Finding
from carepolicy.policy.shape import check_shape
from carepolicy.policy.text import read_source, source_of

HERE = Path(__file__).parent
ERRORS = yaml.load((HERE / "shape_errors.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
IN_PIECES = {"CP101", "CP106", "CP115", "CP116", "CP120", "CP121", "CP290", "CP295", "CP296"}
"""Codes whose examples are no piece of a flow: other tests have them."""


def token(text: str, finding: Finding) -> str:
    """What the finding's place covers."""
    place = finding.place
    lines = text.split("\n")[place.line - 1 : place.end_line]
    lines[-1] = lines[-1][: place.end_column - 1]
    lines[0] = lines[0][place.column - 1 :]
    return "\n".join(lines)


def check(case: dict, head: str, findings: list[Finding]) -> None:
    assert [each.code for each in findings] == [case["code"]], findings
    assert token(head + case["rest"], findings[0]) == case["token"]
    assert case["says"] in findings[0].message
    assert case.get("hint", "") in findings[0].hint


@pytest.mark.parametrize("case", ERRORS["flow"], ids=lambda case: case["rest"])
def test_a_flow_of_wrong_shape(case: dict, flow_of) -> None:
    policies, findings = flow_of(case["rest"])
    assert policies is None
    check(case, "flow: example\nversion: 1\nowner: care_lead\n", findings)


@pytest.mark.parametrize("case", ERRORS["organisation"], ids=lambda case: case["rest"])
def test_an_organisation_of_wrong_shape(case: dict, organisation_of) -> None:
    policies, findings = organisation_of(case["rest"])
    assert policies is None
    check(case, "organisation: Harbour & Finch\ntimezone: Europe/London\n", findings)


def test_all_faults_of_all_files_are_found_at_once(load_files) -> None:
    _, findings = load_files(
        {
            "organisation.yaml": "organisation: A\ntimezone: UTC\nroels: {}\npaper: A5\n",
            "flows/a.yaml": "flow: a\nversion: one\nowner: Me\nstates: {x: {ower: y}}\n",
            "flows/b.yaml": "flow: [\n",
            "messages/en.yaml": "language: en\nmessages: {a: {}}\n",
        }
    )
    assert [(each.place.file, each.place.line, each.code) for each in findings] == [
        ("flows/a.yaml", 2, "CP112"),
        ("flows/a.yaml", 3, "CP113"),
        ("flows/a.yaml", 4, "CP110"),
        ("flows/b.yaml", 1, "CP103"),
        ("messages/en.yaml", 2, "CP111"),
        ("organisation.yaml", 3, "CP110"),
        ("organisation.yaml", 4, "CP112"),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "~", "[]", "3", "text", "- a"])
@pytest.mark.parametrize("kind", ["organisation", "flow", "messages", "scenario"])
def test_a_file_that_is_no_mapping_is_a_finding(text: str, kind: str) -> None:
    source, _ = source_of(text.encode(), "a.yaml")
    assert source is not None
    assert [each.code for each in check_shape(source, kind)] == ["CP112"]


def test_the_sample_scenario_has_the_right_shape() -> None:
    source, findings = read_source(HERE / "samples/scenarios/gold_late.yaml", HERE / "samples")
    assert source is not None
    assert source.file == "scenarios/gold_late.yaml"
    assert findings == check_shape(source, "scenario") == []


def test_a_scenario_of_wrong_shape() -> None:
    text = "scenario: x\nflow: a\nsteps:\n  - {expect: {stat: a}}\n  - {}\n  - {wait: [1]}\n"
    source, _ = source_of(text.encode(), "a.yaml")
    assert source is not None
    found = [(each.code, each.place.line) for each in check_shape(source, "scenario")]
    assert found == [("CP110", 4), ("CP112", 5), ("CP112", 6)]


def test_a_badly_written_name_comes_with_its_right_form() -> None:
    source, _ = source_of(b"language: en\nmessages: {Auto-Reply: {text: x}}", "messages/en.yaml")
    assert source is not None
    assert [each.replacement for each in check_shape(source, "messages")] == ["auto_reply"]


@pytest.mark.parametrize("code", sorted(set(CODES) - IN_PIECES))
def test_the_bad_example_of_a_code_gets_it_and_the_good_one_does_not(code: str, load_files) -> None:
    page = CODES[code]
    for example, expected in ((page.bad, {code}), (page.good, set())):
        if page.bad.startswith("calendars"):
            text = "organisation: A\ntimezone: UTC\n" + example
            _, findings = load_files({"organisation.yaml": text})
        else:
            _, findings = load_files({"flows/a.yaml": "flow: a\nversion: 1\nowner: care_lead\n" + example})
        assert {each.code for each in findings} == expected


def test_every_code_has_a_page_and_examples() -> None:
    for code, page in CODES.items():
        assert page.title[:1].islower() or page.title[:2].isupper(), code
        assert page.meaning.endswith("."), code
        assert bool(page.bad) == bool(page.good) == (code != "CP106"), code


def test_a_long_value_is_cut_in_the_message_and_whole_in_the_place(flow_of) -> None:
    _, [finding] = flow_of("states: {a: {channel: " + "X" * 5000 + "}}")
    assert len(finding.message) < 100
    assert finding.place.end_column - finding.place.column == 5000


def test_a_misspelt_key_that_is_required_is_one_fault(flow_of) -> None:
    _, findings = flow_of("clocks: {c: {limti: 1 day, runs_in: a}}\nstates: {a: {}}")
    assert [(each.code, each.replacement) for each in findings] == [("CP110", "limit")]


def test_a_key_that_is_there_already_is_not_suggested(flow_of) -> None:
    _, [finding] = flow_of("states: {a: {title: x, titel: y}}")
    assert finding.replacement is None
    assert finding.hint == '"title" is there already'
