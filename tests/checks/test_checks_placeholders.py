"""Placeholders in texts: names between braces, what stands in for them, and braces that are meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.policy.placeholders import Name, Placeholder, PlaceholderError, names_in, pieces, placeholders


def test_a_text_is_cut_into_words_and_names() -> None:
    assert pieces("Dear {customer.name}, hello") == (
        "Dear ",
        Placeholder((Name("customer.name", 6, 19),)),
        ", hello",
    )


def test_two_braces_are_one_literal_brace() -> None:
    assert pieces("a {{b}} {c}") == ("a {b} ", Placeholder((Name("c", 9, 10),)))


def test_blanks_around_a_name_do_not_matter() -> None:
    assert names_in("{ case }") == (Name("case", 2, 6),)


@pytest.mark.parametrize(
    ("text", "names", "otherwise"),
    [
        ('{a or "x"}', [("a", 1, 2)], "x"),
        ('{ a.b  or c.d or "x y" }', [("a.b", 2, 5), ("c.d", 10, 13)], "x y"),
        ("{a or b}", [("a", 1, 2), ("b", 6, 7)], None),
        ("{or or or}", [("or", 1, 3), ("or", 7, 9)], None),
        ("{a or ''}", [("a", 1, 2)], ""),
        ("{a or “x”}", [("a", 1, 2)], "x"),
        ('{a or "O\'Brien, or so"}', [("a", 1, 2)], "O'Brien, or so"),
    ],
)
def test_a_placeholder_may_say_what_stands_in_for_a_value(
    text: str, names: list[tuple[str, int, int]], otherwise: str | None
) -> None:
    assert placeholders(text) == (Placeholder(tuple(Name(*each) for each in names), otherwise),)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("a {b", 2, 3), ("a } b", 2, 3), ("{}", 0, 2), ("{a b}", 0, 5), ("{a.}", 0, 4), ('{"x"}', 0, 5),
        ("{a or }", 0, 7), ('{a or "x" or b}', 0, 15), ('{a or "x}', 0, 9), ('{a "x"}', 0, 7),
    ],
)  # fmt: skip
def test_braces_that_do_not_hold_a_name_are_told_with_their_place(text: str, start: int, end: int) -> None:
    with pytest.raises(PlaceholderError) as fault:
        placeholders(text)
    assert (fault.value.start, fault.value.end) == (start, end)


@given(st.text())
def test_any_text_comes_back_when_its_braces_are_doubled(text: str) -> None:
    assert "".join(map(str, pieces(text.replace("{", "{{").replace("}", "}}")))) == text


@given(st.text(alphabet="{}ab. or\"'"))
def test_no_text_fails_in_another_way(text: str) -> None:
    try:
        found = [(each.start, each.end) for each in names_in(text)]
        assert all(text[start:end] == each.name for each in names_in(text) for _, start, end in [each])
    except PlaceholderError as fault:
        found = [(fault.start, fault.end)]
    assert all(0 <= start < end <= len(text) for start, end in found)
