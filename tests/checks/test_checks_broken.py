"""Whole files with one fault each, as managers make them: found where the first line says, and nothing else is.

A file's first line names the file of the set in broken/sound/ that it stands in for, the code, and the line and
column of the finding (of another file, where that is where it shows).
"""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from carepolicy.checks import check_folder
from carepolicy.policy.findings import Severity

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(BROKEN.glob("*.yaml"))
SAYS = re.compile(r"# (?P<file>\S+): (?P<code>CP\d{3}) at (?P<line>\d+):(?P<column>\d+)(?: of (?P<where>\S+))? - .+")
TODAY = date(2026, 11, 26)


def said(file: Path) -> re.Match[str]:
    with file.open(encoding="utf-8") as opened:
        found = SAYS.fullmatch(opened.readline().rstrip("\n"))
    assert found is not None, f"the first line of {file.name} does not say what is wrong"
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_fault_of_a_file_is_found_in_its_place_and_nothing_else(file: Path, tmp_path: Path) -> None:
    fault = said(file)
    root = Path(shutil.copytree(BROKEN / "sound", tmp_path / "set"))
    shutil.copyfile(file, root / fault["file"])
    _, findings = check_folder(root, TODAY)
    wrong = (fault["code"], fault["where"] or fault["file"], int(fault["line"]), int(fault["column"]))
    assert [(each.code, each.place.file, each.place.line, each.place.column) for each in findings] == [wrong]


def test_the_set_without_a_fault_has_no_finding() -> None:
    policies, findings = check_folder(BROKEN / "sound", TODAY)
    assert policies is not None
    assert findings == []


def test_there_are_sixty_files_and_more_with_faults_of_every_kind() -> None:
    codes = {said(file)["code"] for file in FILES}
    assert len(FILES) >= 60
    assert {code[:3] for code in codes} >= {"CP1", "CP2", "CP3", "CP4", "CP5", "CP6", "CP7", "CP8"}


def test_what_is_not_wrong_but_unwise_stops_nothing(tmp_path: Path) -> None:
    for file in FILES:
        fault = said(file)
        if fault["code"] < "CP5":
            continue
        root = Path(shutil.copytree(BROKEN / "sound", tmp_path / file.stem))
        shutil.copyfile(file, root / fault["file"])
        policies, findings = check_folder(root, TODAY)
        assert policies is not None
        assert all(each.severity is not Severity.ERROR for each in findings), file.name
