"""Laws of business time on random calendars, and a slow oracle that walks minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from functools import cache
from math import ceil
from zoneinfo import ZoneInfo

from businesstime_samples import hours
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime import NANODAYS, Calendar, parse_limit
from carepolicy.policy.model import Interval
from laws import examples

MINUTE = timedelta(minutes=1)
CHANGES = [
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("America/Sao_Paulo", date(2017, 10, 15)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("Asia/Kathmandu", date(2026, 1, 10)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("UTC", date(2024, 1, 1)),
]
DAYS_AROUND = 9


@cache
def clock_readings(zone: str, middle: date) -> tuple[datetime, list[datetime]]:
    """The first minute of a window around a date, and what the local clock shows at each of its minutes."""
    begin = datetime(middle.year, middle.month, middle.day, tzinfo=UTC) - timedelta(days=DAYS_AROUND + 3)
    minutes = (2 * DAYS_AROUND + 7) * 1440
    local = ZoneInfo(zone)
    return begin, [(begin + n * MINUTE).astimezone(local).replace(tzinfo=None) for n in range(minutes)]


@cache
def first_showing(zone: str, middle: date) -> dict[datetime, int]:
    """By local reading: the first minute of the window at which the clock shows it or later."""
    _, readings = clock_readings(zone, middle)
    found: dict[datetime, int] = {}
    shown = readings[0]
    for minute, reading in enumerate(readings):
        while shown <= reading:
            found[shown] = minute
            shown += MINUTE
    return found


class Oracle:
    """Knows of each minute of the window whether it is open, and to which date it belongs."""

    def __init__(self, zone: str, middle: date, week: tuple[tuple[Interval, ...], ...], closed: set[date]) -> None:
        self.begin, readings = clock_readings(zone, middle)
        showing = first_showing(zone, middle)
        self.owner: list[date | None] = [None] * len(readings)
        for ahead in range(-DAYS_AROUND, DAYS_AROUND + 1):
            day = middle + timedelta(days=ahead)
            if day in closed:
                continue
            midnight = datetime(day.year, day.month, day.day)
            for opening, closing in sorted(week[day.weekday()]):
                for minute in range(
                    showing[midnight + timedelta(seconds=opening)], showing[midnight + timedelta(seconds=closing)]
                ):
                    self.owner[minute] = self.owner[minute] or day
        self.total = {day: self.owner.count(day) for day in set(self.owner) - {None}}

    def index(self, at: datetime) -> int:
        return (at - self.begin) // MINUTE

    def between(self, start: datetime, end: datetime) -> timedelta:
        return MINUTE * sum(each is not None for each in self.owner[self.index(start) : self.index(end)])

    def add_minutes(self, start: datetime, minutes: int) -> datetime | None:
        for index in range(self.index(start), len(self.owner)):
            minutes -= self.owner[index] is not None
            if minutes == 0:
                return self.begin + (index + 1) * MINUTE
        return None

    def add_days(self, start: datetime, days: Fraction) -> tuple[datetime, Fraction] | None:
        """The minute in which the days are full, and how much of that minute that takes."""
        for index in range(self.index(start), len(self.owner)):
            day = self.owner[index]
            if day is not None:
                share = Fraction(1, self.total[day])
                if days <= share:
                    return self.begin + index * MINUTE, days / share
                days -= share
        return None


quarters = st.integers(0, 95)


@st.composite
def day_hours(draw: st.DrawFn) -> tuple[Interval, ...]:
    found = []
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3]))):
        opening = draw(quarters)
        found.append((opening * 900, (opening + draw(st.integers(1, 96))) * 900))
    return tuple(found)


weeks = st.one_of(
    st.tuples(*[day_hours()] * 7),
    st.sampled_from(
        [(hours("09:00-17:00"),) * 7, (hours("00:00-00:00"),) * 7, (hours("22:00-02:00", "01:30-03:30"),) * 7]
    ),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, Oracle, datetime]:
    zone, middle = draw(st.sampled_from(CHANGES))
    week = draw(weeks)
    closed = {middle + timedelta(days=each) for each in draw(st.sets(st.integers(-6, 6), max_size=4))}
    calendar = Calendar(zone, week, closed=tuple((each, each) for each in sorted(closed)))
    oracle = Oracle(zone, middle, week, closed)
    # Hours of the oracle's first day may be cut by those of the day before, which it does not know: it is asked later.
    start = oracle.begin + timedelta(days=6) + draw(st.integers(0, 7 * 1440)) * MINUTE
    return calendar, oracle, start


@settings(max_examples=examples(20))
@given(cases(), st.integers(1, 6000))
def test_add_is_the_end_of_the_last_minute_counted(case: tuple[Calendar, Oracle, datetime], minutes: int) -> None:
    calendar, oracle, start = case
    expected = oracle.add_minutes(start, minutes)
    if expected is not None and expected < oracle.begin + timedelta(days=2 * DAYS_AROUND):
        due = calendar.add(start, f"{minutes} business minutes")
        assert due == expected
        assert calendar.between(start, due) == minutes * MINUTE


@settings(max_examples=examples(20))
@given(cases(), st.integers(0, 6 * 1440))
def test_between_counts_open_minutes(case: tuple[Calendar, Oracle, datetime], minutes: int) -> None:
    calendar, oracle, start = case
    end = start + minutes * MINUTE
    assert calendar.between(start, end) == oracle.between(start, end)
    assert calendar.between(end, start) == -oracle.between(start, end)
    assert calendar.is_open(start) == (oracle.owner[oracle.index(start)] is not None)


@settings(max_examples=examples(20))
@given(cases(), st.integers(1, 400))
def test_business_days_run_proportionally_within_each_day(
    case: tuple[Calendar, Oracle, datetime], hundredths: int
) -> None:
    calendar, oracle, start = case
    found = oracle.add_days(start, Fraction(hundredths, 100))
    if found is not None and found[0] < oracle.begin + timedelta(days=2 * DAYS_AROUND - 1):
        minute, part = found
        due = calendar.add(start, f"{hundredths / 100:.2f} business days")
        off = Fraction((due - minute) // timedelta(microseconds=1)) - part * 60_000_000
        assert -1 <= off <= 1


@settings(max_examples=examples(30))
@given(cases(), st.integers(1, 3))
def test_the_day_of_an_instant_is_that_of_its_hours_else_its_date(
    case: tuple[Calendar, Oracle, datetime], number: int
) -> None:
    calendar, oracle, start = case
    lies = oracle.owner[oracle.index(start)] or start.astimezone(ZoneInfo(calendar.rules.timezone)).date()
    later = sorted(day for day in oracle.total if day is not None and day > lies)
    if len(later) > number + 1:
        last = len(oracle.owner) - oracle.owner[::-1].index(later[number - 1])
        assert calendar.add(start, f"close of business day {number}") == oracle.begin + last * MINUTE


@settings(max_examples=examples(30))
@given(st.sampled_from(CHANGES), st.integers(-4, 4), st.sets(st.integers(0, 6), max_size=5))
def test_the_end_of_a_date_rolls_to_the_end_of_the_first_open_date(
    change: tuple[str, date], ahead: int, closed: set[int]
) -> None:
    zone, middle = change
    nine_to_five = hours("09:00-17:00")
    calendar = Calendar(zone, tuple(() if day in closed else nine_to_five for day in range(7)))
    day = middle + timedelta(days=ahead)
    first = next(
        each
        for each in (day + timedelta(days=days) for days in range(9))
        if each.weekday() not in closed and (zone, each) != ("Pacific/Apia", date(2011, 12, 30))
    )
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=5)
    due = calendar.due(start, "until x.y", {"x.y": day}, rolls=True)
    left_out = (zone, day) == ("Pacific/Apia", date(2011, 12, 30))
    ends = day if left_out and (day - timedelta(days=1)).weekday() not in closed else first
    assert due == calendar.due(start, "until x.y", {"x.y": ends})


@settings(max_examples=examples(30))
@given(st.sampled_from(CHANGES), st.integers(-4, 4), st.sets(st.integers(0, 6), max_size=5), st.integers(1, 3))
def test_business_days_before_a_date_are_the_closings_of_the_open_days_before_it(
    change: tuple[str, date], ahead: int, closed: set[int], days: int
) -> None:
    zone, middle = change
    calendar = Calendar(zone, tuple(() if day in closed else hours("09:00-17:00") for day in range(7)))
    day = middle + timedelta(days=ahead)
    before = [day - timedelta(days=each) for each in range(1, 40)]
    opened = [
        each for each in before if each.weekday() not in closed and (zone, each) != ("Pacific/Apia", date(2011, 12, 30))
    ]
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=50)
    closes = datetime.combine(opened[days - 1], time(17), ZoneInfo(zone))
    assert calendar.due(start, f"{days} business days before x.y", {"x.y": day}) == closes


def opens_some_time(week: tuple[tuple[Interval, ...], ...]) -> bool:
    return any(week)


open_calendars = st.builds(
    Calendar,
    st.sampled_from(["Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
    weeks.filter(opens_some_time),
)
instants = st.integers(1_640_000_000_000_000, 1_850_000_000_000_000)
amounts = st.integers(1, 400 * 3_600_000_000)


@settings(max_examples=examples(20))
@given(open_calendars, instants, amounts, amounts)
def test_adding_twice_is_adding_once_to_the_microsecond(calendar: Calendar, start: int, a: int, b: int) -> None:
    middle = calendar.instant(calendar.position(start) + a)
    assert calendar.position(middle) - calendar.position(start) == a
    assert calendar.instant(calendar.position(middle) + b) == calendar.instant(calendar.position(start) + a + b)


@settings(max_examples=examples(20))
@given(open_calendars, instants, st.integers(0, 10**10))
def test_zero_first_or_last_changes_nothing(calendar: Calendar, start: int, a: int) -> None:
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start)
    amount, nothing = timedelta(microseconds=a), timedelta(0)
    assert calendar.add(calendar.add(begin, nothing), amount) == calendar.add(begin, amount)
    assert calendar.add(calendar.add(begin, amount), nothing) == calendar.add(begin, amount)


def day_length(calendar: Calendar, position: int) -> int:
    """The open microseconds of the day in which a position in nanodays lies."""
    span = calendar.span_over(calendar.day_instant(position))
    return span.totals[-(-position // NANODAYS) - 1 - span.first_number]


@settings(max_examples=examples(20))
@given(open_calendars, instants, st.integers(1, 30 * NANODAYS), st.integers(1, 30 * NANODAYS))
def test_business_days_are_additive_within_one_microsecond_of_the_day_between(
    calendar: Calendar, start: int, a: int, b: int
) -> None:
    # Instants are whole microseconds. One of a short day is worth more of a business day than one of a long day.
    begin = calendar.day_position(start)
    middle = calendar.day_instant(begin + a)
    once = calendar.day_instant(begin + a + b)
    twice = calendar.day_instant(calendar.day_position(middle) + b)
    ends = [day_length(calendar, begin + a + b), day_length(calendar, calendar.day_position(middle) + b)]
    worth = Fraction(max(ends), day_length(calendar, begin + a))
    assert 0 <= calendar.position(twice) - calendar.position(once) <= max(1, ceil(worth))


@settings(max_examples=examples(20))
@given(instants, st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_business_days_are_additive_exactly_where_days_are_alike(start: int, opening: int, a: int, b: int) -> None:
    calendar = Calendar("UTC", (((opening * 900, opening * 900 + 27_001),),) * 5 + ((), ()))
    middle = calendar.days_later(start, a * NANODAYS, a)
    assert calendar.days_later(middle, b * NANODAYS, b) == calendar.days_later(start, (a + b) * NANODAYS, a + b)
    assert middle == calendar.day_instant(calendar.day_position(start) + a * NANODAYS)


@settings(max_examples=examples(25))
@given(open_calendars, instants, st.integers(1, 60), st.integers(1, 60 * NANODAYS))
def test_business_days_are_the_same_by_the_quick_way(calendar: Calendar, start: int, days: int, amount: int) -> None:
    for begin in (start, calendar.next_opening_us(start)):
        position = calendar.day_position(begin)
        assert calendar.days_later(begin, days * NANODAYS, days) == calendar.day_instant(position + days * NANODAYS)
        assert calendar.days_later(begin, amount, 0) == calendar.day_instant(position + amount)


@settings(max_examples=examples(25))
@given(open_calendars, instants, instants)
def test_time_between_is_the_same_by_the_quick_way(calendar: Calendar, first: int, last: int) -> None:
    calendar.span_over(min(first, last))
    for _ in range(2):
        assert calendar.between_us(first, last) == calendar.position(last) - calendar.position(first)


@settings(max_examples=examples(20))
@given(open_calendars, instants, amounts)
def test_positions_and_instants_are_inverse_on_open_time(calendar: Calendar, start: int, ahead: int) -> None:
    position = calendar.position(start) + ahead
    first, last = calendar.instant(position), calendar.last_instant(position)
    assert calendar.position(first) == calendar.position(last) == position
    assert calendar.position(first - 1) == position - 1
    assert calendar.position(last + 1) == position + 1
    nanodays = calendar.day_position(start) + ahead
    assert calendar.day_position(calendar.day_instant(nanodays)) >= nanodays
    assert calendar.day_position(calendar.day_instant(nanodays) - 1) < nanodays


@settings(max_examples=examples(20))
@given(open_calendars, instants, st.integers(1, 20 * NANODAYS))
def test_before_is_the_last_instant_from_which_it_is_due_in_time(
    calendar: Calendar, deadline: int, amount: int
) -> None:
    last = calendar.last_day_instant(calendar.day_position(deadline) - amount)
    assert calendar.day_instant(calendar.day_position(last) + amount) <= deadline
    assert calendar.day_instant(calendar.day_position(last + 1) + amount) > deadline
    hours_before = parse_limit("7 business hours before x.y")
    found = calendar.add_us(0, hours_before, {"x.y": deadline})
    assert found is not None
    assert calendar.instant(calendar.position(found) + 7 * 3_600_000_000) <= deadline
    assert calendar.instant(calendar.position(found + 1) + 7 * 3_600_000_000) > deadline


@settings(max_examples=examples(10))
@given(open_calendars, st.lists(instants, min_size=2, max_size=6))
def test_no_position_moves_when_more_years_are_compiled(calendar: Calendar, asked: list[int]) -> None:
    def positions(of: Calendar) -> list[tuple[int, int, int]]:
        return [(of.position(each), of.day_position(each), of.date_position(each)) for each in asked]

    before = positions(calendar)
    calendar.prepare(2010, 2035)
    assert positions(calendar) == before
    fresh = Calendar(calendar.rules.timezone, calendar.rules.hours)
    asked.reverse()
    assert positions(fresh) == before[::-1]


@settings(max_examples=examples(20))
@given(open_calendars, instants, instants)
def test_positions_never_fall(calendar: Calendar, a: int, b: int) -> None:
    low, high = min(a, b), max(a, b)
    assert 0 <= calendar.position(high) - calendar.position(low) <= high - low
    assert calendar.day_position(low) <= calendar.day_position(high)
    assert calendar.date_position(low) <= calendar.date_position(high)
