"""What comes every year: seasons with hours of their own, and days on which it is closed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from businesstime_samples import NINE_TO_FIVE, at, hours, office, week
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime import Calendar, CalendarError
from carepolicy.policy.language.calendar import Closing, MonthDay, Season
from laws import examples

SUMMER = Season(MonthDay(5, 1), MonthDay(8, 31), (hours("08:00-15:00"),) * 5 + (None, None))
WINTER = Season(MonthDay(11, 1), MonthDay(2, 15), (None,) * 4 + ((), hours("10:00-12:00"), None))
CHRISTMAS = Closing(MonthDay(12, 24), MonthDay(1, 6), "Christmas")
LEAP_DAY = MonthDay(2, 29)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-04-30T16:00", "2026-05-01T09:00"),
        ("2026-06-01T14:00", "2026-06-02T09:00"),
        ("2031-06-02T14:00", "2031-06-03T09:00"),
        ("2026-08-31T14:30", "2026-09-01T10:30"),
    ],
)
def test_a_season_has_hours_of_its_own_every_year(start: str, due: str) -> None:
    assert office(seasons=(SUMMER,)).add(at(start), "2 business hours") == at(due)


def test_a_season_may_pass_the_turn_of_the_year_and_leaves_weekdays_alone_that_it_does_not_name() -> None:
    calendar = office(seasons=(WINTER,))
    friday, saturday, thursday = at("2026-12-18T10:00"), at("2027-01-16T10:30"), at("2027-01-14T10:30")
    assert (calendar.is_open(friday), calendar.is_open(saturday), calendar.is_open(thursday)) == (False, True, True)
    assert calendar.is_open(at("2027-02-19T10:00"))
    assert calendar.is_open(at("2026-10-30T10:00"))


def test_what_closes_a_day_beats_its_season_and_what_opens_one_beats_both() -> None:
    calendar = office(
        seasons=(SUMMER,),
        closed=(Closing(MonthDay(6, 1), MonthDay(6, 2)),),
        open={date(2026, 6, 2): hours("20:00-22:00")},
    )
    assert not calendar.is_open(at("2026-06-01T10:00"))
    assert not calendar.is_open(at("2026-06-02T10:00"))
    assert calendar.is_open(at("2026-06-02T21:00"))
    assert not calendar.is_open(at("2027-06-02T10:00"))


def test_a_yearly_closing_passes_the_turn_of_every_year() -> None:
    calendar = office(closed=(CHRISTMAS,))
    for year in (2016, 2026, 2040):
        assert calendar.add(at(f"{year}-12-23T16:00"), "2 business hours") > at(f"{year + 1}-01-07T09:00")
        assert not any(calendar.is_open(at(f"{day}T10:00")) for day in (f"{year}-12-28", f"{year + 1}-01-05"))


def test_the_leap_day_closes_in_leap_years_alone() -> None:
    calendar = office(closed=(Closing(LEAP_DAY, LEAP_DAY),))
    assert not calendar.is_open(at("2028-02-29T10:00"))
    assert calendar.is_open(at("2027-03-01T10:00"))
    assert calendar.is_open(at("2028-02-28T10:00"))


def test_a_season_that_begins_on_the_leap_day_begins_a_day_later_in_other_years() -> None:
    season = Season(LEAP_DAY, MonthDay(3, 10), (hours("06:00-07:00"),) * 7)
    calendar = office(seasons=(season,))
    assert calendar.is_open(at("2028-02-29T06:30"))
    assert not calendar.is_open(at("2027-02-28T06:30"))
    assert calendar.is_open(at("2027-03-01T06:30"))


def test_days_are_explained_by_their_season_and_their_title() -> None:
    calendar = office(seasons=(SUMMER, WINTER), closed=(CHRISTMAS,))
    summer = calendar.explain(at("2026-06-01T14:00"), "2 business hours").lines()
    assert summer[1] == "  Mon 2026-06-01  14:00-15:00  1 h  (hours of the season 05-01/08-31)"
    winter = calendar.explain(at("2026-12-23T16:30"), "1 business hour").lines()
    assert winter[2] == "  Thu 2026-12-24  left out: Christmas (closed 2026-12-24 to 2027-01-06)"
    november = calendar.explain(at("2026-11-19T16:30"), "1 business hour").lines()
    assert "  Fri 2026-11-20  left out: Friday is closed in the season 11-01/02-15" in november


def test_seasons_that_share_a_day_are_refused() -> None:
    again = Season(MonthDay(8, 31), MonthDay(9, 2), (hours("10:00-11:00"),) + (None,) * 6)
    with pytest.raises(CalendarError, match="overlap"):
        office(seasons=(SUMMER, again))
    assert office(seasons=(SUMMER, Season(MonthDay(8, 31), MonthDay(9, 2), (None,) * 5 + ((), ()))))


def test_a_packed_calendar_has_its_seasons() -> None:
    calendar = office(seasons=(SUMMER, WINTER), closed=(CHRISTMAS,))
    again = Calendar.unpacked(calendar.packed())
    for start in ("2026-12-23T16:00", "2029-06-01T14:00", "2044-08-31T14:30"):
        assert again.add(at(start), "3 business hours") == calendar.add(at(start), "3 business hours")


@pytest.mark.parametrize("year", [1975, 2014, 2015, 2024, 2035, 2036, 2180])
def test_a_calendar_that_was_packed_answers_in_all_years_as_one_that_never_was(year: int) -> None:
    never, first, second = (office(seasons=(SUMMER, WINTER), closed=(CHRISTMAS,)) for _ in range(3))
    assert first.packed() == second.packed()
    for start in (f"{year}-02-13T16:00", f"{year}-06-03T14:00", f"{year}-12-23T16:00"):
        due = {each.add(at(start), "7 business hours") for each in (never, first, second)}
        assert len(due) == 1
    other = office(seasons=(SUMMER,))
    assert other.packed() != first.packed()
    assert other.add(at("2026-12-23T16:00"), "7 business hours") < never.add(at("2026-12-23T16:00"), "7 business hours")


days_of_year = st.integers(0, 365).map(lambda number: MonthDay(*_of(date(2024, 1, 1) + timedelta(days=number))))
weeks = st.tuples(*[st.sampled_from((None, (), hours("08:00-15:00"), hours("22:00-03:00")))] * 7)


def _of(day: date) -> tuple[int, int]:
    return day.month, day.day


@settings(max_examples=examples(40))
@given(days_of_year, days_of_year, weeks, days_of_year, days_of_year)
def test_what_comes_every_year_is_what_each_of_its_days_says(
    begin: MonthDay, end: MonthDay, own: tuple, shut: MonthDay, reopened: MonthDay
) -> None:
    """A calendar with a season and a yearly closing is one in which every day's hours are given one by one."""
    calendar = office(seasons=(Season(begin, end, own),), closed=(Closing(shut, reopened),))
    days = [date(2026, 12, 1) + timedelta(days=number) for number in range(470)]
    told = {}
    for day in days:
        usual = NINE_TO_FIVE[day.weekday()]
        inside = begin <= _of(day) <= end if begin <= end else _of(day) >= begin or _of(day) <= end
        closed = shut <= _of(day) <= reopened if shut <= reopened else _of(day) >= shut or _of(day) <= reopened
        named = own[day.weekday()] if inside else None
        told[day] = () if closed else usual if named is None else named
    plain = Calendar("Europe/London", week(()), open=told)
    for day in days[3:-3]:
        for clock in ("00:30", "02:59", "08:30", "10:00", "16:00", "23:00"):
            assert calendar.is_open(at(f"{day}T{clock}")) == plain.is_open(at(f"{day}T{clock}")), (day, clock)
    assert calendar.between(at("2027-01-01T00:00"), at("2028-03-01T00:00")) == plain.between(
        at("2027-01-01T00:00"), at("2028-03-01T00:00")
    )
