"""Times that are promised in so many words are read in each language, and what customers may do is no promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from carepolicy.businesstime import parse_limit
from carepolicy.checks import check_folder
from carepolicy.checks.times import TimesInTexts

TIMES = TimesInTexts()
SENTENCES = yaml.safe_load((Path(__file__).parent / "promises.yaml").read_text())


def sentence_of(case: dict[str, Any]) -> tuple[str, str]:
    return next((language, text) for language, text in case.items() if language != "is")


@pytest.mark.parametrize("case", SENTENCES, ids=lambda case: " ".join(sentence_of(case)))
def test_a_time_that_is_promised_is_read(case: dict[str, Any]) -> None:
    language, text = sentence_of(case)
    found = [each.limit for each in TIMES.durations(text, language) if each.promised]
    wanted = [] if case["is"] is None else [parse_limit(case["is"])]
    assert [(each.kind, each.amount) for each in found] == [(each.kind, each.amount) for each in wanted]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("say: Thank you for writing.", "say: You will have an answer within 3 business hours.", "CP409"),
        ("say: Thank you for writing.", "say: You will have an answer within 20 days.", "CP416"),
        ("say: Thank you for writing.", "say: You may send it back within 20 days.", None),
        ("say: Thank you for writing.", "say: You may send it back within 3 hours.", None),
        ("steps: [Read the whole message.,", "steps: [Answer within 3 business hours.,", "CP409"),
        ("steps: [Read the whole message.,", "steps: [Answer within 5 business hours.,", None),
        ("purpose: Every e-mail gets", "purpose: Within 3 business hours every e-mail gets", "CP409"),
        ("say: Thank you for writing.", "never: Promise it within 3 business hours.", "CP409"),
    ],
)
def test_what_staff_say_and_do_repeats_no_clock(old: str, new: str, code: str | None, harbour: Path) -> None:
    flow = harbour / "flows/email_inquiry.yaml"
    assert flow.read_text().count(old) == 1
    flow.write_text(flow.read_text().replace(old, new))
    assert [each.code for each in check_folder(harbour)[1]] == ([] if code is None else [code])


def test_a_comment_says_who_keeps_a_time_that_no_clock_has(harbour: Path) -> None:
    flow = harbour / "flows/email_inquiry.yaml"
    said = "say: Our bank pays you back within 20 days.  # carepolicy: allow CP416 because the bank keeps it"
    flow.write_text(flow.read_text().replace("say: Thank you for writing.", said))
    assert check_folder(harbour)[1] == []
