"""The examples on a rule's page are true: the bad one is found by the rule, the good one is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.checks import check_folder, rules
from carepolicy.checks.rule import Rule
from carepolicy.policy.composing import compose

ORGANISATION = ("timezone", "calendars", "facts", "roles", "channels", "settings", "watches", "languages")


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


def codes_of(harbour: Path, example: str) -> set[str]:
    data = data_of(example)
    file = harbour / file_of(data)
    file.write_text(yaml.safe_dump(laid_over(data_of(file.read_text()), data), sort_keys=False, allow_unicode=True))
    policies, findings = check_folder(harbour)
    assert policies is not None, findings
    return {each.code for each in findings}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_the_bad_example_is_found(harbour: Path, rule: Rule) -> None:
    assert rule.code in codes_of(harbour, rule.bad)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_the_good_example_is_not_found(harbour: Path, rule: Rule) -> None:
    assert rule.code not in codes_of(harbour, rule.good)


def test_the_pages_in_docs_are_those_of_the_codes() -> None:
    """Where this fails: carepolicy explain --all --output docs/rules"""
    from carepolicy.cli.pages import pages

    folder = Path(__file__).parents[2] / "docs" / "rules"
    assert {each.stem: each.read_text() for each in folder.iterdir()} == {
        code: page.markdown() for code, page in pages().items()
    }
