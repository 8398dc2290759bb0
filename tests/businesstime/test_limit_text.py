"""The text of limits: what is read, how it is written back, and what is refused at which place."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carepolicy.businesstime import NANODAYS, Limit, LimitError, parse_limit

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("text", "kind", "amount", "basis"),
    [
        ("20 seconds", "elapsed", 20_000_000, "elapsed"),
        ("1 second", "elapsed", 1_000_000, "elapsed"),
        ("72 hours", "elapsed", 72 * HOUR, "elapsed"),
        ("1.5 hours", "elapsed", 3 * HOUR // 2, "elapsed"),
        ("14 days", "elapsed", 14 * 24 * HOUR, "elapsed"),
        ("8 weeks", "elapsed", 56 * 24 * HOUR, "elapsed"),
        ("0.000001 seconds", "elapsed", 1, "elapsed"),
        ("1 month", "months", 1, "elapsed"),
        ("2 years", "months", 24, "elapsed"),
        ("0.5 years", "months", 6, "elapsed"),
        ("3 business hours", "business_time", 3 * HOUR, "business_time"),
        ("30 business minutes", "business_time", HOUR // 2, "business_time"),
        ("20 business seconds", "business_time", 20_000_000, "business_time"),
        ("2 business days", "business_days", 2 * NANODAYS, "business_days"),
        ("0.5 business days", "business_days", NANODAYS // 2, "business_days"),
        ("close of business day 3", "close_of_business", 3 * NANODAYS, "business_days"),
    ],
)
def test_a_limit_is_read_exactly(text: str, kind: str, amount: int, basis: str) -> None:
    limit = parse_limit(text)
    assert (limit.kind, limit.amount, limit.basis) == (kind, amount, basis)
    assert not limit.strict
    assert limit.reads == ()
    assert str(limit) == text


def test_a_limit_that_hangs_on_a_fact_says_which() -> None:
    assert parse_limit("until order.ship_by").reads == ("order.ship_by",)
    before = parse_limit("1 business day before order.ship_by")
    assert (before.kind, before.fact, before.direction) == ("until", "order.ship_by", -1)
    assert before.offset == parse_limit("1 business day")
    assert parse_limit("2 days after order.ship_by").direction == 1


@pytest.mark.parametrize(
    "text",
    [
        "less than 2 business days",
        "until order.ship_by",
        "1.25 business hours before order.ship_by",
        "close of business day 2 after order.placed",
        "less than 2 days before network.limit",
        "1 year",
        "0.001 seconds",
    ],
)
def test_the_canonical_text_is_read_as_the_same_limit(text: str) -> None:
    assert str(parse_limit(text)) == text
    assert parse_limit(str(parse_limit(text))) == parse_limit(text)


def test_less_than_is_strict() -> None:
    assert parse_limit("less than 2 business days").strict
    assert not parse_limit("2 business days").strict


@pytest.mark.parametrize(
    ("loose", "canonical"),
    [("  3   business  hour ", "3 business hours"), ("1 days", "1 day"), ("2.50 hours", "2.5 hours")],
)
def test_spaces_plurals_and_zeros_do_not_matter(loose: str, canonical: str) -> None:
    assert str(parse_limit(loose)) == canonical


def test_limits_that_mean_the_same_are_equal_and_keep_their_words() -> None:
    assert parse_limit("72 hours") == parse_limit("3 days")
    assert (parse_limit("72 hours") != parse_limit("3 days")) is False
    assert str(parse_limit("72 hours")) == "72 hours"
    assert parse_limit("24 business hours") != parse_limit("24 hours")


@pytest.mark.parametrize(
    ("text", "reason", "hint", "faulty"),
    [
        ("", "missing", "3 business hours", ""),
        ("3 busines hours", "not a unit", "business", "busines"),
        ("3 working days", "not a unit", "business days", "working days"),
        ("3 hourz", "not a unit", "hours", "hourz"),
        ("2 fortnights", "not a unit", "2 weeks", "fortnights"),
        ("3h", "not an amount", "3 hours", "3h"),
        ("1,5 hours", "not an amount", "1.5", "1,5"),
        ("three hours", "not an amount", "", "three"),
        ("-3 hours", "negative", "longer than nothing", "-3"),
        ("0 business hours", "zero", "longer than nothing", "0"),
        ("0.0 days", "zero", "longer than nothing", "0.0"),
        ("3", "no unit", "business hours", "3"),
        ("3 before order.ship_by", "no unit", "hours", "3"),
        ("0.5 months", "too fine", "whole months", "0.5"),
        ("0.0000001 seconds", "too fine", "microseconds", "0.0000001"),
        ("close of business day 0", "start", "day 1", "0"),
        ("close of business day 1.5", "whole number", "", "1.5"),
        ("until", "fact is missing", "date or time", "until"),
        ("until 3pm", "not the name of a fact", "order.ship_by", "3pm"),
        ("3 hours before", "fact is missing", "", "before"),
        ("3 hours or so", "unexpected `or so`", "", "or so"),
        ("less than until order.ship_by", "strict", "leave out", "less than"),
        ("less than close of business day 2", "strict", "leave out", "less than"),
        ("99999999999999999999999999999999999999 days", "too large", "200 years", "9" * 38),
        ("201 years", "too large", "200 years", "201"),
        ("close of business day 999999999", "too large", "200 years", "999999999"),
    ],
)
def test_a_text_that_is_no_limit_is_refused_at_the_word_that_is_wrong(
    text: str, reason: str, hint: str, faulty: str
) -> None:
    with pytest.raises(LimitError) as caught:
        parse_limit(text)
    fault = caught.value
    assert reason in fault.reason
    assert hint in fault.hint
    assert text[fault.start : fault.end] == faulty


def test_a_numeral_of_a_million_digits_is_refused_at_once() -> None:
    with pytest.raises(LimitError, match="too large") as caught:
        parse_limit("9" * 1_000_000 + " days")
    assert len(str(caught.value)) < 120
    with pytest.raises(LimitError, match="too fine"):
        parse_limit("0." + "3" * 1_000_000 + " days")


def read(text: str) -> Limit | LimitError:
    try:
        return parse_limit(text)
    except LimitError as fault:
        return fault


WORDS = ["0", "1.5", "less", "than", "until", "before", "close", "of", "business", "day", "hours", "x.y"]


@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_a_limit_or_a_located_error(text: str) -> None:
    found = read(text)
    if isinstance(found, LimitError):
        assert 0 <= found.start <= found.end <= len(text)
    else:
        assert parse_limit(str(found)) == found


UNITS = ["second", "minute", "hour", "day", "week", "month", "year", "business second", "business hour", "business day"]


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(UNITS), st.booleans())
def test_what_is_written_back_means_the_same(whole: int, part: int, unit: str, strict: bool) -> None:
    number = str(whole) if unit in ("month", "year") else f"{whole}.{part:03}"
    limit = read(f"{'less than ' if strict else ''}{number} {unit}s")
    if isinstance(limit, LimitError):
        assert "too large" in limit.reason
    else:
        assert parse_limit(str(limit)) == limit
        assert pickle.loads(pickle.dumps(limit)) == limit


def test_a_limit_is_immutable() -> None:
    limit = parse_limit("3 hours")
    assert isinstance(limit, Limit)
    name = "amount"
    with pytest.raises(AttributeError):
        setattr(limit, name, 4)
