"""The examples on a rule's page are true: the bad one is found by the rule, the good one is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.checks import check_folder, rules
from carepolicy.checks.rule import Rule
from carepolicy.policy.composer import compose

ORGANISATION = ("common", "timezone", "calendars", "facts", "roles", "channels", "settings", "watches", "languages")

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


def codes_of(harbour: Path, example: str, as_written: bool) -> set[str]:
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


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_the_bad_example_is_found(harbour: Path, rule: Rule) -> None:
    assert rule.code in codes_of(harbour, rule.bad, rule.code in OF_THE_TEXT)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_the_good_example_is_not_found(harbour: Path, rule: Rule) -> None:
    assert rule.code not in codes_of(harbour, rule.good, rule.code in OF_THE_TEXT)


def test_the_pages_in_docs_are_those_of_the_codes() -> None:
    """Where this fails: carepolicy explain --all --output docs/rules"""
    from carepolicy.cli.explain import pages

    folder = Path(__file__).parents[2] / "docs" / "rules"
    assert {each.stem: each.read_text() for each in folder.iterdir()} == {
        code: page.markdown() for code, page in pages().items()
    }
