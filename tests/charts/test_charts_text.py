from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from carepolicy.charts import text


def test_wide_characters_take_two_columns_and_marks_none():
    assert text.width("abc") == 3
    assert text.width("東京") == 4
    assert text.width("e\u0301") == 1


def test_text_is_broken_at_words():
    assert text.wrapped("Thank you for writing to us", 10) == ["Thank you", "for", "writing to", "us"]


def test_a_word_that_is_too_long_is_broken_with_a_hyphen():
    assert text.wrapped("Rechtsschutzversicherung", 12) == ["Rechtsschut-", "zversicheru-", "ng"]


def test_chinese_is_broken_by_what_it_takes_on_paper():
    assert all(text.width(line) <= 10 for line in text.wrapped("感谢您的来信我们会尽快回复", 10))


@given(st.text(max_size=200), st.integers(4, 40))
def test_no_line_is_wider_than_asked(words, columns):
    assert all(text.width(line) <= columns for line in text.wrapped(words, columns))
    assert all(text.width(line) <= columns for line in text.balanced(words, columns))


@given(st.text(max_size=80))
def test_ids_have_only_safe_characters_and_stay_distinct(name):
    found = text.identifier(name)
    assert all(character in "abcdefghijklmnopqrstuvwxyz0123456789_" for character in found)


def test_only_https_and_relative_links_pass():
    assert text.safe_link("https://harbour.example/a") == "https://harbour.example/a"
    assert text.safe_link("flows/a.html#state-b") == "flows/a.html#state-b"
    for bad in ("javascript:alert(1)", "http://a.example", "//a.example", "data:text/html,x", "JaVaScRiPt:x", ""):
        assert text.safe_link(bad) is None


def test_no_line_ends_inside_of_french_marks():
    assert text.wrapped("On dit « voilà » ici : oui ou non ?", 10) == [
        "On dit", "«\u00a0voilà\u00a0»", "ici\u00a0: oui", "ou non\u00a0?",
    ]  # fmt: skip
