"""Explanations name every interval that counted and every day that did not."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from businesstime_samples import GB, at, hours, office
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime import Calendar
from laws import examples

EASTER = office(holidays=GB, open={date(2026, 4, 7): hours("10:00-12:00")})


def test_the_days_before_easter_are_told_one_by_one() -> None:
    assert EASTER.explain(at("2026-04-02T16:00"), "4 business hours").lines() == [
        "4 business hours from Thu 2026-04-02 16:00, calendar office",
        "  Thu 2026-04-02  16:00-17:00  1 h",
        "  Fri 2026-04-03  left out: public holiday: Good Friday",
        "  Sat 2026-04-04  left out: Saturday is closed",
        "  Sun 2026-04-05  left out: Sunday is closed",
        "  Mon 2026-04-06  left out: public holiday: Easter Monday",
        "  Tue 2026-04-07  10:00-12:00  2 h  (one-off hours)",
        "  Wed 2026-04-08  09:00-10:00  1 h",
        "due Wed 2026-04-08 10:00",
    ]


def test_a_start_after_closing_is_said_to_be_one() -> None:
    told = office().explain(at("2026-03-06T18:30"), "1 business hour")
    assert str(told.left_out[0]) == "Fri 2026-03-06  left out: closed at 17:00, before it began"


def test_a_night_and_a_midnight_are_written_as_hours_of_their_day() -> None:
    nights = Calendar("Europe/London", (hours("22:00-02:00"), hours("20:00-00:00")) + ((),) * 5)
    lines = nights.explain(at("2026-03-02T00:00"), "2 business days").lines()
    assert lines[1:3] == ["  Mon 2026-03-02  22:00-02:00 on Tue  4 h", "  Tue 2026-03-03  20:00-24:00  4 h"]


def test_rolling_names_the_days_that_it_passes_over() -> None:
    told = office(holidays=GB).explain(at("2026-03-03T18:45"), "1 month", rolls=True)
    assert told.due == at("2026-04-07T18:45")
    assert [each.day.day for each in told.left_out] == [3, 4, 5, 6]
    assert "rolled on from Fri 2026-04-03 18:45" in told.notes[-1]


def test_a_limit_on_a_fact_names_it_and_a_missing_one_too() -> None:
    told = office().explain(at("2026-03-02T09:00"), "1 business day before x.y", {"x.y": at("2026-03-09T10:00")})
    assert told.due == at("2026-03-06T10:00")
    assert told.notes == ("counted from x.y, Mon 2026-03-09 10:00",)
    missing = office().explain(at("2026-03-02T09:00"), "until x.y")
    assert (missing.due, missing.notes) == (None, ("x.y has no value",))
    assert missing.lines()[-1] == "no due time"


def test_elapsed_limits_say_that_the_calendar_plays_no_part() -> None:
    assert office().explain(at("2026-03-02T09:00"), "72 hours").lines()[1] == "elapsed time: opening hours play no part"


@settings(max_examples=examples(30))
@given(st.integers(0, 40 * 1440), st.integers(1, 5000))
def test_what_is_told_adds_up_to_the_limit(minute: int, minutes: int) -> None:
    start = at("2026-03-10T00:00") + timedelta(minutes=minute)
    told = EASTER.explain(start, f"{minutes} business minutes")
    assert sum((each.time for each in told.counted), timedelta(0)) == timedelta(minutes=minutes)
    assert told.due == EASTER.add(start, f"{minutes} business minutes")
    days = {each.day for each in told.counted} | {each.day for each in told.left_out}
    assert told.due is not None
    assert len(days) == (told.due.date() - start.date()).days + 1


def test_the_shares_of_the_days_add_up_to_the_business_days() -> None:
    told = EASTER.explain(at("2026-04-02T13:00"), "2 business days")
    assert sum(each.share for each in told.counted) == 2
    assert [each.share for each in told.counted] == [Fraction(1, 2), Fraction(1), Fraction(1, 2)]
