"""What may be wrong with catalogues of texts is found where it stands: each fault of texts.yaml, and it alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.checks import check_folder
from carepolicy.policy.catalogue import catalogue_text, read_catalogue
from carepolicy.policy.load import load_policies
from carepolicy.policy.phrases import phrases_of
from carepolicy.policy.places import Place
from carepolicy.policy.translations import updated

FAULTS = yaml.safe_load((Path(__file__).parent / "texts.yaml").read_text())


def translated(harbour: Path, language: str = "fr") -> str:
    """The text of a whole catalogue: every translation is its text in brackets."""
    policies, findings = load_policies(harbour)
    assert policies is not None, findings
    text = updated(policies, phrases_of(policies), language).text
    catalogue, _ = read_catalogue(text.encode(), f"texts/{language}.po")
    from dataclasses import replace

    entries = tuple(replace(each, translation=f"[{each.text}]") for each in catalogue.entries)
    return catalogue_text(replace(catalogue, entries=entries))


def place_of(text: str, file: str) -> Place:
    start, end = text.index("«"), text.index("»")
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Place(file, line, column, line, column + end - start - 1)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['code']} {fault['name']}")
def test_a_fault_of_a_catalogue_is_found_where_it_stands(harbour: Path, fault: dict[str, Any]) -> None:
    file, text = fault.get("file", "texts/fr.po"), translated(harbour)
    if "file" in fault:
        text = text.replace("Language: fr", f"Language: {Path(file).stem}")
    else:
        assert text.count(fault["old"]) == 1, "the case no longer fits the set"
        text = text.replace(fault["old"], fault["new"])
    expected = Place(file, *fault["at"]) if "at" in fault else place_of(text, file)
    (harbour / file).parent.mkdir()
    (harbour / file).write_bytes(text.replace("«", "").replace("»", "").encode(fault.get("bytes", "utf-8")))
    policies, findings = check_folder(harbour)
    assert policies is not None
    found = [each for each in findings if each.code == fault["code"]]
    assert [each.place for each in found] == [expected]
    assert fault.get("say", "") in found[0].message
    assert found[0].hint == fault.get("hint", found[0].hint)
    assert {each.code for each in findings} <= {fault["code"], "CP622"}


def test_a_whole_catalogue_has_no_finding(harbour: Path) -> None:
    (harbour / "texts").mkdir()
    (harbour / "texts/fr.po").write_text(translated(harbour))
    assert check_folder(harbour)[1] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace('msgstr "', 'msgstr\t"'),
        lambda text: "# by hand\n\n" + text.replace("\n\n", "\n# a remark\n"),
        lambda text: text.replace("charset=UTF-8", "charset=utf8"),
        lambda text: text.partition("\n\n")[2],
    ],
    ids=["lines of Windows", "a byte order mark", "tabs", "remarks", "utf8", "no header"],
)
def test_a_catalogue_is_read_however_an_editor_saved_it(harbour: Path, change: Any) -> None:
    (harbour / "texts").mkdir()
    (harbour / "texts/fr.po").write_bytes(change(translated(harbour)).encode())
    assert check_folder(harbour)[1] == []


def test_a_language_without_a_catalogue_is_no_finding_and_a_region_takes_that_of_its_language(harbour: Path) -> None:
    organisation = harbour / "organisation.yaml"
    organisation.write_text(organisation.read_text().replace("languages: [en, fr]", "languages: [en, fr-CA]"))
    (harbour / "messages/fr.yaml").unlink()
    assert {each.code for each in check_folder(harbour)[1]} <= {"CP601"}
    (harbour / "texts").mkdir()
    (harbour / "texts/fr.po").write_text(translated(harbour))
    assert {each.code for each in check_folder(harbour)[1]} <= {"CP601"}


@pytest.mark.parametrize("name", ["texts/fr.pot", "texts/FR.PO", "Texts/fr.po", "translations/fr.po"])
def test_a_catalogue_that_would_be_overlooked_is_found(harbour: Path, name: str) -> None:
    text = translated(harbour)
    (harbour / name).parent.mkdir()
    (harbour / name).write_text(text)
    findings = check_folder(harbour)[1]
    assert [(each.code, each.place.file) for each in findings] == [("CP115", name)]


@pytest.mark.parametrize(("languages", "texts", "found"), [("en, pl", "", 0), ("en, pl", "pl", 1), ("pl, en", "", 1)])
def test_words_of_ours_are_missed_where_staff_read_a_language_and_not_where_customers_alone_do(
    harbour: Path, languages: str, texts: str, found: int
) -> None:
    organisation = harbour / "organisation.yaml"
    organisation.write_text(organisation.read_text().replace("languages: [en, fr]", f"languages: [{languages}]"))
    if texts:
        (harbour / "texts").mkdir()
        (harbour / "texts" / f"{texts}.po").write_text(translated(harbour, texts))
    assert [each.code for each in check_folder(harbour)[1] if each.code == "CP625"] == ["CP625"] * found
