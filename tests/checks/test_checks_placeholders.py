"""Placeholders in texts: names between braces, and braces that are meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.policy.placeholders import Placeholder, PlaceholderError, pieces, placeholders


def test_a_text_is_cut_into_words_and_names() -> None:
    assert pieces("Dear {customer.name}, hello") == ("Dear ", Placeholder("customer.name", 6, 19), ", hello")


def test_two_braces_are_one_literal_brace() -> None:
    assert pieces("a {{b}} {c}") == ("a {b} ", Placeholder("c", 9, 10))


def test_blanks_around_a_name_do_not_matter() -> None:
    assert placeholders("{ case }") == (Placeholder("case", 2, 6),)


@pytest.mark.parametrize(
    ("text", "start", "end"), [("a {b", 2, 3), ("a } b", 2, 3), ("{}", 0, 2), ("{a b}", 0, 5), ("{a.}", 0, 4)]
)
def test_braces_that_do_not_hold_a_name_are_told_with_their_place(text: str, start: int, end: int) -> None:
    with pytest.raises(PlaceholderError) as fault:
        placeholders(text)
    assert (fault.value.start, fault.value.end) == (start, end)


@given(st.text())
def test_any_text_comes_back_when_its_braces_are_doubled(text: str) -> None:
    assert "".join(map(str, pieces(text.replace("{", "{{").replace("}", "}}")))) == text


@given(st.text(alphabet="{}ab. "))
def test_no_text_fails_in_another_way(text: str) -> None:
    try:
        found = [(each.start, each.end) for each in placeholders(text)]
    except PlaceholderError as fault:
        found = [(fault.start, fault.end)]
    assert all(0 <= start < end <= len(text) for start, end in found)
