"""Changes of clocks, dates that do not exist, and half-hour zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from businesstime_samples import at, hours, office, week
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime import Calendar, CalendarError
from carepolicy.businesstime.zones import zone_line
from laws import examples

HOUR = timedelta(hours=1)


def open_time(calendar: Calendar, zone: str, day: str) -> timedelta:
    start = at(f"{day}T00:00", zone)
    return calendar.between(start, start + timedelta(days=1))


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/London", "2026-03-29", 23 * HOUR),
        ("Europe/London", "2026-10-25", 25 * HOUR),
        ("Australia/Lord_Howe", "2026-04-05", 24.5 * HOUR),
        ("Australia/Lord_Howe", "2026-10-04", 23.5 * HOUR),
        ("America/Sao_Paulo", "2018-02-17", 25 * HOUR),
        ("Asia/Kathmandu", "2026-03-29", 24 * HOUR),
    ],
)
def test_a_round_the_clock_day_is_as_long_as_the_clocks_make_it(zone: str, day: str, length: timedelta) -> None:
    assert open_time(Calendar.round_the_clock(zone), zone, day) == length


def test_the_hours_of_opening_stay_the_same_on_the_wall() -> None:
    calendar = Calendar("Europe/London", (hours("09:00-17:00"),) * 7)
    for day in ("2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25"):
        assert calendar.next_opening(at(f"{day}T00:00")) == at(f"{day}T09:00")
        assert calendar.add(at(f"{day}T09:00"), "8 business hours") == at(f"{day}T17:00")


def test_a_night_is_an_hour_shorter_or_longer_when_clocks_change() -> None:
    nights = Calendar("Europe/London", (hours("22:00-06:00"),) * 7)
    assert nights.add(at("2026-03-28T22:00"), "1 business day") == at("2026-03-29T06:00")
    assert nights.between(at("2026-03-28T12:00"), at("2026-03-29T12:00")) == 7 * HOUR
    assert nights.between(at("2026-10-24T12:00"), at("2026-10-25T12:00")) == 9 * HOUR
    assert nights.add(at("2026-03-28T22:00"), "0.5 business days") == at("2026-03-29T02:30")


def test_an_opening_in_the_hour_that_clocks_skip_is_at_the_change() -> None:
    early = Calendar("Europe/London", (hours("01:30-05:00"),) * 7)
    assert early.next_opening(at("2026-03-29T00:00")) == at("2026-03-29T02:00")
    assert open_time(early, "Europe/London", "2026-03-29") == 3 * HOUR


def test_hours_within_the_hour_that_clocks_skip_do_not_come() -> None:
    brief = Calendar("Europe/London", (hours("01:15-01:45"),) * 7)
    assert open_time(brief, "Europe/London", "2026-03-29") == timedelta(0)
    assert brief.add(at("2026-03-28T01:15"), "2 business days") == at("2026-03-30T01:45")


def test_an_hour_that_comes_twice_counts_at_its_first_time() -> None:
    brief = Calendar("Europe/London", (hours("01:15-01:45"),) * 7)
    assert open_time(brief, "Europe/London", "2026-10-25") == HOUR / 2
    assert brief.is_open(at("2026-10-25T01:30"))
    assert not brief.is_open(at("2026-10-25T01:30", fold=1))


def test_a_day_that_begins_at_one_in_sao_paulo() -> None:
    zone = "America/Sao_Paulo"
    always = Calendar.round_the_clock(zone)
    assert always.between(at("2017-10-14T12:00", zone), at("2017-10-15T12:00", zone)) == 23 * HOUR
    midnight = datetime(2017, 10, 15, 3, tzinfo=UTC)
    assert always.add(at("2017-10-14T12:00", zone), "close of business day 1") == at("2017-10-16T00:00", zone)
    shop = office(zone)
    assert shop.next_opening(midnight) == at("2017-10-16T09:00", zone)
    assert shop.due(at("2017-09-15T00:00", zone), "1 month") == midnight


def test_the_date_that_samoa_left_out_is_no_business_day() -> None:
    zone = "Pacific/Apia"
    shop = Calendar(zone, week(hours("09:00-17:00"), hours("09:00-17:00"), hours("09:00-17:00")))
    assert shop.add(at("2011-12-29T09:00", zone), "2 business days") == at("2011-12-31T17:00", zone)
    assert shop.add(at("2011-12-29T12:00", zone), "close of business day 1") == at("2011-12-31T17:00", zone)
    told = shop.explain(at("2011-12-29T12:00", zone), "1 business day")
    assert [(str(each.day), each.reason) for each in told.left_out] == [
        ("2011-12-30", "the time zone leaves this date out")
    ]


def test_an_unknown_zone_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(CalendarError, match="Europe/London"):
        office("Europe/Londn")
    with pytest.raises(CalendarError, match="Europe/London"):
        office("london")
    with pytest.raises(CalendarError):
        office("../../etc/passwd")


ZONES = ["Europe/London", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "Asia/Tehran", "Africa/Monrovia"]
LINES = {name: zone_line(ZoneInfo(name), 0, 2_000_000_000_000_000) for name in ZONES}


@settings(max_examples=examples(150))
@given(st.sampled_from(ZONES), st.integers(0, 1_999_000_000))
def test_the_line_of_a_zone_shows_what_the_zone_shows(name: str, second: int) -> None:
    shown = datetime.fromtimestamp(second, ZoneInfo(name)).replace(tzinfo=UTC)
    instant = second * 1_000_000
    line = LINES[name]
    assert line.local(instant) == round(shown.timestamp()) * 1_000_000
    first = line.utc(line.local(instant))
    assert first <= instant
    assert line.local(first) == line.local(instant)
