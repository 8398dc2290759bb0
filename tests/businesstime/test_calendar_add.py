"""When limits fall due: the examples of the language, boundaries, months, rolling, facts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from businesstime_samples import GB, NINE_TO_FIVE, at, hours, office, week

from carepolicy.businesstime import NANODAYS, Calendar, NeverOpen, OutOfRange, parse_limit


def test_three_business_hours_from_friday_half_past_four_end_on_monday() -> None:
    assert office().add(at("2026-03-06T16:30"), "3 business hours") == at("2026-03-09T11:30")


def test_two_business_days_from_tuesday_ten_is_thursday_ten() -> None:
    assert office().add(at("2026-03-03T10:00"), "2 business days") == at("2026-03-05T10:00")


def test_mail_on_sunday_counts_from_monday_morning() -> None:
    assert office().add(at("2026-03-08T11:00"), "3 business hours") == at("2026-03-09T12:00")


def test_exactly_at_a_boundary_it_is_the_closing_and_not_the_next_opening() -> None:
    assert office().add(at("2026-03-06T15:00"), "2 business hours") == at("2026-03-06T17:00")
    assert office().add(at("2026-03-06T09:00"), "1 business day") == at("2026-03-06T17:00")


def test_zero_added_outside_of_hours_is_the_next_opening() -> None:
    nothing = timedelta(0)
    assert office().add(at("2026-03-07T12:00"), nothing) == at("2026-03-09T09:00")
    assert office().add(at("2026-03-06T12:00"), nothing) == at("2026-03-06T12:00")
    assert office().add(at("2026-03-06T17:00"), nothing) == at("2026-03-06T17:00")
    assert office().add(at("2026-03-06T17:00:00.000001"), nothing) == at("2026-03-09T09:00")


def test_a_lunch_break_is_left_out() -> None:
    calendar = Calendar("Europe/London", week(hours("09:00-12:30", "13:30-17:30"), hours("10:00-14:00")))
    assert calendar.add(at("2026-03-06T12:00"), "1 business hour") == at("2026-03-06T14:00")
    assert not calendar.is_open(at("2026-03-06T12:30"))
    assert calendar.next_opening(at("2026-03-06T12:30")) == at("2026-03-06T13:30")
    assert calendar.next_opening(at("2026-03-06T12:29")) == at("2026-03-06T12:29")


def test_half_of_a_short_saturday_is_half_a_business_day() -> None:
    calendar = Calendar("Europe/London", week(hours("09:00-17:00"), hours("10:00-14:00")))
    assert calendar.add(at("2026-03-06T13:00"), "1 business day") == at("2026-03-07T12:00")
    assert calendar.add(at("2026-03-07T12:00"), "1 business day") == at("2026-03-09T13:00")
    assert calendar.between_days(at("2026-03-06T13:00"), at("2026-03-07T12:00")) == 1


def test_half_a_business_day() -> None:
    assert office().add(at("2026-03-03T09:00"), "0.5 business days") == at("2026-03-03T13:00")


def test_a_night_shift_belongs_to_the_day_on_which_it_opens() -> None:
    calendar = Calendar("Europe/London", ((),) * 4 + (hours("22:00-02:00"), (), ()), closed=((date(2026, 3, 7),) * 2,))
    assert calendar.add(at("2026-03-06T23:00"), "2 business hours") == at("2026-03-07T01:00")
    assert calendar.add(at("2026-03-06T00:00"), "1 business day") == at("2026-03-07T02:00")
    assert calendar.add(at("2026-03-05T00:00"), "close of business day 1") == at("2026-03-07T02:00")


def test_a_night_shift_that_runs_into_the_morning_hours_counts_once() -> None:
    calendar = Calendar("Europe/London", (hours("20:00-06:00", "05:00-10:00"),) * 7)
    start = at("2026-03-04T00:00")
    assert calendar.between(start, start + timedelta(days=1)) == timedelta(hours=14)
    assert calendar.between_days(start, start + timedelta(days=1)) == Fraction(1)
    # Wednesday's own hours are those from 06:00, when Tuesday's night is over.
    assert calendar.add(at("2026-03-04T06:00"), "1 business day") == at("2026-03-05T06:00")


def test_close_of_business_counts_open_days_after_the_day_of_the_start() -> None:
    calendar = office(holidays=GB)
    assert calendar.add(at("2026-03-03T10:00"), "close of business day 3") == at("2026-03-06T17:00")
    assert calendar.add(at("2026-03-03T23:30"), "close of business day 3") == at("2026-03-06T17:00")
    # Received on Easter Saturday: days 1 to 3 are Tuesday to Thursday.
    assert calendar.add(at("2026-04-04T10:00"), "close of business day 3") == at("2026-04-09T17:00")


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-01-31T10:00", "1 month", "2026-02-28T10:00"),
        ("2028-01-31T10:00", "1 month", "2028-02-29T10:00"),
        ("2026-01-31T10:00", "3 months", "2026-04-30T10:00"),
        ("2028-02-29T10:00", "1 year", "2029-02-28T10:00"),
        ("2026-12-15T10:00", "1 month", "2027-01-15T10:00"),
        ("2026-03-15T10:00", "1 month", "2026-04-15T10:00"),
        ("2026-02-28T01:30", "1 month", "2026-03-28T01:30"),
        ("2026-02-28T01:30", "less than 1 month", "2026-03-28T01:30"),
    ],
)
def test_months_keep_the_wall_clock_and_clamp_to_the_last_day(start: str, limit: str, due: str) -> None:
    assert office().add(at(start), limit) == at(due)


def test_a_month_that_ends_in_the_hour_that_clocks_skip_ends_at_the_change() -> None:
    assert office().add(at("2026-01-29T01:30"), "2 months") == at("2026-03-29T02:00")


def test_elapsed_days_are_24_hours_over_a_change_of_clocks() -> None:
    assert office().add(at("2026-03-28T12:00"), "1 day") == at("2026-03-29T13:00")
    assert office().add(at("2026-03-27T12:00"), "72 hours") == at("2026-03-30T13:00")


def test_a_due_time_on_a_closed_day_rolls_to_the_same_time_of_the_next_open_one() -> None:
    calendar = office(holidays=GB)
    start = at("2026-03-03T18:45")
    assert calendar.due(start, "1 month") == at("2026-04-03T18:45")
    assert calendar.due(start, "1 month", rolls=True) == at("2026-04-07T18:45")
    assert calendar.due(start, "14 days", rolls=True) == at("2026-03-17T18:45")


def test_the_end_of_a_date_rolls_to_the_end_of_the_next_open_one() -> None:
    calendar = office()
    friday, saturday = date(2026, 3, 6), date(2026, 3, 7)
    start = at("2026-03-01T10:00")
    assert calendar.due(start, "until x.y", {"x.y": friday}, rolls=True) == at("2026-03-07T00:00")
    assert calendar.due(start, "until x.y", {"x.y": saturday}, rolls=True) == at("2026-03-10T00:00")


def test_a_due_time_in_the_night_shift_of_the_day_before_does_not_roll() -> None:
    calendar = Calendar("Europe/London", ((),) * 4 + (hours("22:00-02:00"), (), ()))
    assert calendar.due(at("2026-02-28T01:00"), "1 week", rolls=True) == at("2026-03-07T01:00")
    assert calendar.due(at("2026-02-28T03:00"), "1 week", rolls=True) == at("2026-03-13T03:00")


@pytest.mark.parametrize(
    ("limit", "value", "due"),
    [
        ("until order.ship_by", "2026-03-05T10:00", "2026-03-05T10:00"),
        ("2 days after order.ship_by", "2026-03-05T10:00", "2026-03-07T10:00"),
        ("7 days before order.ship_by", "2026-03-12T10:00", "2026-03-05T10:00"),
        ("1 business day before order.ship_by", "2026-03-09T10:00", "2026-03-06T10:00"),
        ("3 business hours before order.ship_by", "2026-03-09T10:00", "2026-03-06T15:00"),
        ("3 business hours before order.ship_by", "2026-03-08T10:00", "2026-03-06T14:00"),
        ("1 business day before order.ship_by", "2026-03-08T10:00", "2026-03-06T09:00"),
        ("2 business days after order.ship_by", "2026-03-08T10:00", "2026-03-10T17:00"),
        ("1 month before order.ship_by", "2026-03-31T10:00", "2026-02-28T10:00"),
        ("close of business day 1 after order.ship_by", "2026-03-06T10:00", "2026-03-09T17:00"),
        ("close of business day 1 before order.ship_by", "2026-03-09T10:00", "2026-03-06T17:00"),
        ("close of business day 2 before order.ship_by", "2026-03-08T10:00", "2026-03-05T17:00"),
    ],
)
def test_limits_that_hang_on_an_instant(limit: str, value: str, due: str) -> None:
    assert office().due(at("2026-03-02T09:00"), limit, {"order.ship_by": at(value)}) == at(due)


@pytest.mark.parametrize(
    ("limit", "due"),
    [
        ("until order.ship_by", "2026-03-07T00:00"),
        ("2 days after order.ship_by", "2026-03-09T00:00"),
        ("1 business day after order.ship_by", "2026-03-09T17:00"),
        ("1 business day before order.ship_by", "2026-03-05T17:00"),
        ("2 business days before order.ship_by", "2026-03-04T17:00"),
        ("1.5 business days before order.ship_by", "2026-03-05T13:00"),
        ("0.5 business days before order.ship_by", "2026-03-06T13:00"),
        ("8 business hours before order.ship_by", "2026-03-06T09:00"),
        ("close of business day 1 after order.ship_by", "2026-03-09T17:00"),
        ("close of business day 1 before order.ship_by", "2026-03-05T17:00"),
        ("1 month after order.ship_by", "2026-04-07T00:00"),
    ],
)
def test_a_date_stands_for_its_end(limit: str, due: str) -> None:
    assert office().due(at("2026-03-02T09:00"), limit, {"order.ship_by": date(2026, 3, 6)}) == at(due)


def test_the_last_of_february_and_a_month_is_the_end_of_the_same_date_in_march() -> None:
    assert office().due(at("2026-02-02T09:00"), "1 month after x.y", {"x.y": date(2026, 2, 28)}) == at(
        "2026-03-29T00:00"
    )


def test_a_fact_without_a_value_gives_no_due_time() -> None:
    assert office().due(at("2026-03-02T09:00"), "until order.ship_by") is None
    with pytest.raises(ValueError, match=r"order\.ship_by"):
        office().add(at("2026-03-02T09:00"), "until order.ship_by")


def test_a_timedelta_is_open_time_and_may_go_back() -> None:
    assert office().add(at("2026-03-09T10:00"), timedelta(hours=-2)) == at("2026-03-06T16:00")
    assert office().add(at("2026-03-06T16:00"), timedelta(hours=2)) == at("2026-03-09T10:00")


def test_between_is_negative_where_the_end_comes_first() -> None:
    assert office().between(at("2026-03-09T10:00"), at("2026-03-06T16:00")) == timedelta(hours=-2)
    assert office().between_days(at("2026-03-09T13:00"), at("2026-03-06T13:00")) == -1


def test_the_answer_is_in_the_zone_of_the_start() -> None:
    due = office().add(datetime(2026, 7, 3, 15, 30, tzinfo=UTC), "3 business hours")
    assert due == at("2026-07-06T11:30")
    assert due.tzinfo is UTC


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        office().add(datetime(2026, 3, 6, 16, 30), "3 business hours")


def test_a_calendar_that_never_opens_says_so() -> None:
    empty = Calendar("Europe/London", ((),) * 7, name="empty")
    for limit in ("3 business hours", "1 business day", "close of business day 1"):
        with pytest.raises(NeverOpen, match="empty"):
            empty.add(at("2026-03-06T16:30"), limit)
    with pytest.raises(NeverOpen):
        empty.next_opening(at("2026-03-06T16:30"))
    with pytest.raises(NeverOpen):
        empty.roll(0)
    assert not empty.opens_within(at("2026-03-06T16:30"))
    assert empty.between(at("2026-03-06T16:30"), at("2027-03-06T16:30")) == timedelta(0)
    assert office().opens_within(at("2026-03-06T16:30"))


def test_a_calendar_that_opens_after_more_than_two_years_never_opens() -> None:
    late = Calendar("Europe/London", ((),) * 7, open={date(2029, 1, 2): hours("09:00-17:00")})
    with pytest.raises(NeverOpen):
        late.add(at("2026-03-06T16:30"), "3 business hours")
    assert late.add(at("2027-03-06T16:30"), "3 business hours") == at("2029-01-02T12:00")


def test_a_closure_of_three_years_is_found_even_where_hours_are_declared() -> None:
    shut = office(closed=((date(2026, 3, 7), date(2029, 3, 7)),))
    assert not shut.opens_within(at("2026-03-07T00:00"))
    assert shut.opens_within(at("2026-03-07T00:00"), years=4)
    with pytest.raises(NeverOpen):
        shut.add(at("2026-03-07T00:00"), "1 business day")


@pytest.mark.parametrize("start", ["1969-12-31T23:00", "2201-01-01T00:00"])
def test_years_that_calendars_do_not_know_are_refused(start: str) -> None:
    with pytest.raises(OutOfRange, match="1970 to 2200"):
        office("UTC").add(at(start, "UTC"), "1 business hour")


def test_a_limit_that_leaves_the_known_years_is_refused() -> None:
    for limit in ("150 years", "40000 business days", "1752000 business hours"):
        with pytest.raises(OutOfRange):
            office("UTC").add(at("2100-06-01T12:00", "UTC"), limit)


def test_the_ends_of_the_known_years_are_known() -> None:
    calendar = office("UTC")
    assert calendar.add(at("1970-01-01T00:00", "UTC"), "1 business hour") == at("1970-01-01T10:00", "UTC")
    assert calendar.add(at("2200-12-31T09:00", "UTC"), "1 business hour") == at("2200-12-31T10:00", "UTC")


def test_the_engine_counts_in_the_same_measures() -> None:
    calendar = Calendar("UTC", NINE_TO_FIVE)
    monday = 1_772_442_000_000_000  # 2026-03-02T09:00Z
    assert calendar.instant(calendar.position(monday) + 3_600_000_000) == monday + 3_600_000_000
    assert calendar.day_position(monday + 4 * 3_600_000_000) - calendar.day_position(monday) == NANODAYS // 2
    assert calendar.date_instant(calendar.date_position(monday) + NANODAYS) == monday + 32 * 3_600_000_000
    assert calendar.add_us(monday, parse_limit("2 business days")) == monday + 32 * 3_600_000_000
