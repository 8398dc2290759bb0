"""Mistakes of a manager who does not program (mistakes.yaml): each is found at its word, with the hint for it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.checks import check_folder
from carepolicy.editing.recheck import Rechecked
from carepolicy.policy.findings import Finding

HERE = Path(__file__).parent
SET = HERE / "werkstatt"
MISTAKES = yaml.load(
    (HERE / "mistakes.yaml").read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
)
TODAY = date(2026, 11, 30)


@pytest.fixture(scope="module")
def checked() -> Rechecked:
    """The set, of which each mistake changes a file or two: only these are read again."""
    return Rechecked(str(SET))


def edited(mistake: dict[str, Any]) -> dict[str, bytes]:
    texts: dict[str, str] = {}
    for edit in mistake["edits"]:
        text = texts.get(edit["file"]) or (SET / edit["file"]).read_text(encoding="utf-8")
        assert edit["old"] in text, "the mistake no longer fits the set"
        texts[edit["file"]] = text.replace(edit["old"], edit["new"], 1)
    return {file: text.encode() for file, text in texts.items()}


def made_on_disk(mistake: dict[str, Any], root: Path) -> None:
    if "rename" in mistake:
        before, after = mistake["rename"]
        (root / after).parent.mkdir(exist_ok=True)
        (root / before).rename(root / after)
    elif "copy" in mistake:
        shutil.copyfile(root / mistake["copy"][0], root / mistake["copy"][1])
    elif "add" in mistake:
        (root / mistake["add"][0]).write_text(mistake["add"][1], encoding="utf-8")
    else:
        file, encoding = mistake.get("encode") or (mistake["crlf"], "utf-8")
        text = (root / file).read_text(encoding="utf-8")
        (root / file).write_bytes((text.replace("\n", "\r\n") if "crlf" in mistake else text).encode(encoding))


def found_for(mistake: dict[str, Any], checked: Rechecked, folder: Path) -> list[Finding]:
    if "edits" in mistake:
        return checked.check(TODAY, edited(mistake))[0]
    root = Path(shutil.copytree(SET, folder / "set"))
    made_on_disk(mistake, root)
    return check_folder(root, TODAY)[1]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_a_mistake_is_found_at_its_word_with_the_hint_it_needs(
    mistake: dict[str, Any], checked: Rechecked, tmp_path: Path
) -> None:
    findings = found_for(mistake, checked, tmp_path)
    told = [
        {
            "file": each.place.file,
            "line": each.place.line,
            "column": each.place.column,
            "code": each.code,
            "hint": each.hint,
        }
        for each in findings
    ]
    assert told == mistake.get("found", [])


def test_every_mistake_is_either_found_or_said_to_be_none() -> None:
    assert len(MISTAKES) >= 168
    assert all(("found" in each) != ("silent" in each) for each in MISTAKES)
    assert all(each.get("found", True) and each.get("silent", True) for each in MISTAKES)


def test_the_set_without_a_mistake_has_no_finding(checked: Rechecked) -> None:
    assert checked.check(TODAY)[0] == []
