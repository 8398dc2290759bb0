"""What is written to a terminal steers neither it nor the direction of what stands after it, and loses no letter."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings

from carepolicy.cli.terminal import plain
from carepolicy.policy.characters import END_OF_ISOLATE, ISOLATES, OVERRIDES
from laws import examples
from nasty_texts import texts


@settings(max_examples=examples(100))
@given(texts)
def test_no_text_steers_a_terminal_or_what_stands_after_it(text: str) -> None:
    shown = plain(text)
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in shown if each != "\t")
    assert not set(shown) & OVERRIDES
    depth = 0
    for each in shown:
        depth += (each in ISOLATES) - (each == END_OF_ISOLATE)
        assert depth >= 0
    assert depth == 0
    for kept in "\u200c\u200d\u200e\u200f\u00ad":
        assert shown.count(kept) == text.count(kept)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("به‌زودی", "به‌زودی"), ("👨‍👩‍👧", "👨‍👩‍👧"), ("\u2068Ada\u2069!", "\u2068Ada\u2069!"), ("a\u202eb", "a�b"),
        ("a\u2069b", "a�b"), ("\u2067a", "\u2067a\u2069"), ("9:00\u202fPM", "9:00 PM"), ("\x1b[2J", "�[2J"),
    ],
)  # fmt: skip
def test_letters_that_are_not_seen_stay_and_what_turns_a_line_is_marked(text: str, shown: str) -> None:
    assert plain(text) == shown
