"""The examples on a rule's page are true: the bad one is found by the rule, the good one is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.checks import check_folder, rules
from carepolicy.checks.rule import Rule
from carepolicy.policy.catalogue import Catalogue, Entry, catalogue_text, read_catalogue
from carepolicy.policy.composer import compose
from carepolicy.policy.files import layered
from carepolicy.policy.load import load_policies
from carepolicy.policy.phrases import phrases_of

ORGANISATION = (
    "common", "timezone", "region", "away", "calendars", "facts", "roles", "channels", "settings", "watches",
    "languages", "commands",
)  # fmt: skip

OF_THE_TEXT = {"CP118", "CP119"}
"""Rules that judge how a thing is written: their examples stand in the file as they are."""


def laid_over(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: laid_over(below.get(key), value) for key, value in above.items()}}


def data_of(text: str) -> Any:
    source, findings = compose(text, "example.yaml")
    assert source is not None, findings
    return source.data


def file_of(example: dict[str, Any]) -> str:
    if "messages" in example:
        return f"messages/{example['language']}.yaml"
    return "organisation.yaml" if example.keys() & set(ORGANISATION) else "flows/email_inquiry.yaml"


OF_LAYERS = {"CP247"}
"""Rules about what lies over another set: their examples are a layer of their own."""


def codes_in_layer(harbour: Path, example: str) -> set[str]:
    upper = harbour.parent / "upper"
    upper.mkdir()
    (upper / "organisation.yaml").write_text(example)
    return {each.code for each in check_folder(layered((str(harbour), str(upper))))[1]}


def codes_of(harbour: Path, example: str, as_written: bool) -> set[str]:
    if "msgid" in example:
        return codes_of_catalogue(harbour, example)
    data = data_of(example)
    file = harbour / file_of(data)
    sound = data_of(file.read_text())
    if as_written:
        rest = {key: value for key, value in sound.items() if key not in data}
        text = yaml.safe_dump(rest, sort_keys=False, allow_unicode=True) + example
    else:
        text = yaml.safe_dump(laid_over(sound, data), sort_keys=False, allow_unicode=True)
    file.write_text(text)
    policies, findings = check_folder(harbour)
    assert policies is not None, findings
    return {each.code for each in findings}


def codes_of_catalogue(harbour: Path, example: str) -> set[str]:
    """The codes of the set with a whole catalogue in which the example's entry stands."""
    file = harbour / "texts/fr.po"
    file.parent.mkdir(exist_ok=True)
    policies, _ = load_policies(harbour)
    assert policies is not None
    there = {each.context for each in read_catalogue(example.encode(), "texts/fr.po")[0].entries}
    there |= set(re.findall('msgctxt "(.*)"', example))
    others = [Entry(each.path, each.text, each.text) for each in phrases_of(policies) if each.path not in there]
    header = Catalogue("texts/fr.po", tuple(others), (("Language", "fr"),))
    rest = catalogue_text(header) if 'msgid ""' not in example else catalogue_text(header).partition("\n\n")[2]
    file.write_text(f"{example}\n{rest}" if 'msgid ""' in example else f"{rest}\n{example}")
    return {each.code for each in check_folder(harbour)[1]}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_the_bad_example_is_found(harbour: Path, rule: Rule) -> None:
    if rule.code in OF_LAYERS:
        assert rule.code in codes_in_layer(harbour, rule.bad)
    else:
        assert rule.code in codes_of(harbour, rule.bad, rule.code in OF_THE_TEXT)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_the_good_example_is_not_found(harbour: Path, rule: Rule) -> None:
    if rule.code in OF_LAYERS:
        assert rule.code not in codes_in_layer(harbour, rule.good)
    else:
        assert rule.code not in codes_of(harbour, rule.good, rule.code in OF_THE_TEXT)


def test_the_pages_in_docs_are_those_of_the_codes() -> None:
    """Where this fails: carepolicy explain --all --output docs/rules"""
    from carepolicy.cli.explain import pages

    folder = Path(__file__).parents[2] / "docs" / "rules"
    assert {each.stem: each.read_text() for each in folder.iterdir()} == {
        code: page.markdown() for code, page in pages().items()
    }
