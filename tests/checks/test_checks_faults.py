"""Each fault of faults.yaml is found, at the very token, and it alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.checks import check_folder
from carepolicy.policy.places import Place

FLOW = "flows/email_inquiry.yaml"
CATALOGUES = yaml.safe_load((Path(__file__).parent / "texts.yaml").read_text())
FAULTS = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text())


def place_of(text: str, file: str, first: str, last: str) -> Place:
    start, end = text.index(first), text.index(last)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Place(file, line, column, line, column + end - start - 1)


def name_of(fault: dict[str, Any]) -> str:
    return f"{fault['code']} {fault['new'].strip() or 'nothing'}"


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_a_fault_is_found_at_its_very_token(harbour: Path, fault: dict[str, Any]) -> None:
    file = fault.get("file", FLOW)
    text = (harbour / file).read_text()
    assert text.count(fault["old"]) == 1, "the case no longer fits the set"
    broken = text.replace(fault["old"], fault["new"])
    for old, new in fault.get("also", {}).items():
        assert broken.count(old) == 1, "the case no longer fits the set"
        broken = broken.replace(old, new)
    (harbour / file).write_text(broken.replace("«", "").replace("»", ""))
    if "token" in fault:
        file = fault["at"]
        before = fault.get("after", "")
        other = (harbour / file).read_text().replace(before + fault["token"], f"{before}«{fault['token']}»", 1)
        expected = place_of(other, file, "«", "»")
    else:
        expected = place_of(broken, file, "«", "»")
    if fault.get("quoted"):
        expected = expected._replace(column=expected.column - 1, end_column=expected.end_column + 1)
    policies, findings = check_folder(harbour)
    assert policies is not None
    codes = sorted([fault["code"], *fault.get("beside", [])])
    assert sorted((each.code, each.place) for each in findings) == [(each, expected) for each in codes]
    if "hint" in fault:
        assert next(each for each in findings if each.code == fault["code"]).hint == fault["hint"]


def test_the_sound_set_has_no_finding(harbour: Path) -> None:
    policies, findings = check_folder(harbour)
    assert policies is not None
    assert findings == []


def test_messages_in_an_undeclared_language_are_found(harbour: Path) -> None:
    text = (harbour / "messages/fr.yaml").read_text().replace("language: fr", "language: de")
    (harbour / "messages/fr.yaml").unlink()
    (harbour / "messages/de.yaml").write_text(text)
    _, findings = check_folder(harbour)
    assert [(each.code, each.place) for each in findings] == [("CP209", Place("messages/de.yaml", 1, 11, 1, 13))]


def test_every_rule_has_a_fault_here() -> None:
    from carepolicy.checks.rule import modules

    of_layers = {"CP247"}  # tests/policy/test_policy_layers.py
    assert set(modules()) - {fault["code"] for fault in (*FAULTS, *CATALOGUES)} - of_layers == set()
