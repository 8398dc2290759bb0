"""What is put into a text that is written from right to left keeps to itself; other texts stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

import carepolicy
from carepolicy.machine.locales import is_right_to_left
from laws import examples
from nasty_texts import texts
from stories import ORGANISATION, event, write_set

FLOW = """\
    flow: inquiry
    version: 1
    title: استعلام
    purpose: Try.
    owner: care_agent
    events:
      asked: {title: Asked, by: customer, carries: {optional: [customer.name, customer.language, order.total]}}
      solved: {title: Solved, by: staff}
    states:
      open: {title: Open, start_on: asked, owner: care_agent, channel: email, enter: {send: ack}, on: {solved: done}}
      done: {title: Done, final: resolved}
"""

TEXT = "{customer.name}, {case}: {order.total} {organisation}!"


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> carepolicy.PolicySet:
    languages = ("en", "fa", "az-Arab")
    organisation = ORGANISATION.replace("[en, fr]", f"[{', '.join(languages)}]")
    root = write_set(tmp_path_factory.mktemp("set"), FLOW, organisation=organisation)
    for each in languages:
        said = f'language: {each}\nmessages:\n  ack: {{subject: "{{customer.name}}", text: "{TEXT}"}}\n'
        Path(root, "messages", f"{each}.yaml").write_text(said)
    return carepolicy.load(str(root))


def sent(policies: carepolicy.PolicySet, language: str, name: str, subject: str = "s-1") -> tuple[str, str]:
    data = {"customer.name": name, "customer.language": language, "order.total": 3.5}
    records = policies.engine().run([event("asked", "2026-03-02T10:00", subject, data)])
    (told,) = (each["data"] for each in records if each["type"] == "carepolicy.message.requested")
    return told["subject"], told["text"]


@settings(max_examples=examples(50))
@given(texts.filter(lambda text: "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)))
def test_a_value_in_a_text_from_right_to_left_is_isolated_and_cannot_end_it(
    policies: carepolicy.PolicySet, name: str
) -> None:
    plain, _ = sent(policies, "en", name)
    subject, text = sent(policies, "fa", name)
    inner = "".join(each for each in plain if each not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert subject == (f"\u2068{inner}\u2069" if inner else "")
    assert text.count("\u2068") == text.count("\u2069") == (4 if inner else 3)
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067")


def test_all_that_is_put_in_is_isolated_and_nothing_where_writing_goes_to_the_right(
    policies: carepolicy.PolicySet,
) -> None:
    assert sent(policies, "en", "שלום 12", "n-7")[1] == "שלום 12, n-7: £3.50 Harbour & Finch!"
    told = sent(policies, "fa", "Ada (1)", "n-7")[1]
    for each in ("Ada (1)", "n-7", "Harbour & Finch"):
        assert f"\u2068{each}\u2069" in told
    assert sent(policies, "az-Arab", "Ada")[0] == "\u2068Ada\u2069"


@pytest.mark.parametrize(
    ("language", "left"),
    [
        ("fa", True), ("ar-EG", True), ("he", True), ("az-Arab", True), ("pa-Arab-PK", True), ("fa-Latn", False),
        ("en", False), ("en-GB", False), ("az", False), ("sr-Cyrl", False), ("si", False), ("UR", True),
    ],
)  # fmt: skip
def test_a_script_of_a_tag_decides_the_direction(language: str, left: bool) -> None:
    assert is_right_to_left(language) == left
