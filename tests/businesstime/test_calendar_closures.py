"""Holidays, closed ranges, one-off hours, and closures from iCalendar files."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from businesstime_samples import AT, GB, NINE_TO_FIVE, at, hours, office

from carepolicy.businesstime import Calendar, CalendarError
from carepolicy.businesstime.closures import read_closures
from carepolicy.policy.model import CalendarSpec, Holidays, ImportedFile
from carepolicy.policy.places import At


def closures(*events: str) -> tuple[ImportedFile, ...]:
    """A file of events, each given as its lines parted by `|`."""
    told = "".join(
        "BEGIN:VEVENT\r\n" + "".join(f"{line}\r\n" for line in each.split("|")) + "END:VEVENT\r\n" for each in events
    )
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{told}END:VCALENDAR\r\n"
    return (ImportedFile("calendars/closures.ics", text, AT / "import"),)


def is_closed(calendar: Calendar, day: str) -> bool:
    start = at(f"{day}T00:00", calendar.rules.timezone)
    return not calendar.between(start, start + timedelta(days=1))


def test_public_holidays_of_a_part_of_a_country() -> None:
    england = office(holidays=GB)
    scotland = office(holidays=Holidays("GB", "SCT", (), (), AT))
    assert is_closed(england, "2026-04-06")
    assert not is_closed(scotland, "2026-04-06")
    assert is_closed(scotland, "2026-01-02")


def test_except_and_also_change_the_public_holidays() -> None:
    calendar = office(holidays=Holidays("GB", "ENG", (date(2026, 12, 25),), (date(2026, 12, 24),), AT))
    assert is_closed(calendar, "2026-12-24")
    assert not is_closed(calendar, "2026-12-25")
    assert is_closed(calendar, "2027-12-27")


@pytest.mark.parametrize(
    ("country", "subdivision", "said"),
    [
        ("gb", None, "GB"),
        ("GX", None, "nearest"),
        ("GB", "ENGL", "ENG"),
        ("DE", "BAY", "BY"),
        ("SM", "X", "leave it out"),
    ],
)
def test_an_unknown_country_or_part_is_refused_with_the_nearest(
    country: str, subdivision: str | None, said: str
) -> None:
    with pytest.raises(CalendarError, match=said) as caught:
        office(holidays=Holidays(country, subdivision, (), (), At("organisation.yaml", ("calendars", "x", "holidays"))))
    assert caught.value.at is not None
    assert caught.value.at.path[-1] == ("country" if subdivision is None else "subdivision")


def test_a_closed_range_has_both_its_ends() -> None:
    calendar = office(closed=((date(2026, 8, 3), date(2026, 8, 7)),))
    assert [is_closed(calendar, f"2026-08-{day:02}") for day in (3, 7, 10)] == [True, True, False]
    assert not is_closed(calendar, "2026-07-31")


def test_a_closed_range_over_new_year_closes_both_years() -> None:
    calendar = office(closed=((date(2026, 12, 28), date(2027, 1, 4)),))
    assert calendar.add(at("2026-12-25T16:00"), "2 business hours") == at("2027-01-05T10:00")


def test_a_closed_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(CalendarError, match="ends before it begins"):
        office(closed=((date(2026, 8, 7), date(2026, 8, 3)),))


def test_one_off_hours_hold_on_a_weekday_a_holiday_and_a_closed_day() -> None:
    short = hours("10:00-14:00")
    calendar = office(
        holidays=GB,
        closed=((date(2026, 8, 3), date(2026, 8, 7)),),
        open={date(2026, 12, 23): short, date(2026, 12, 25): short, date(2026, 8, 4): short, date(2026, 3, 7): short},
    )
    for day in ("2026-12-23", "2026-12-25", "2026-08-04", "2026-03-07"):
        assert calendar.next_opening(at(f"{day}T00:00")) == at(f"{day}T10:00")
        assert calendar.add(at(f"{day}T10:00"), "1 business day") == at(f"{day}T14:00")


def test_one_off_hours_of_none_close_a_day() -> None:
    assert is_closed(office(open={date(2026, 3, 6): ()}), "2026-03-06")


@pytest.mark.parametrize("wrong", [((61_200, 32_400),), ((-1, 5),), ((86_400, 90_000),), ((0, 90_000),), ((5, 5),)])
def test_hours_that_cannot_be_are_refused(wrong: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(CalendarError, match="Monday"):
        Calendar("UTC", (wrong,) + ((),) * 6)
    with pytest.raises(CalendarError, match="2026-03-06"):
        office(open={date(2026, 3, 6): wrong})


def test_an_all_day_event_closes_its_days_and_not_the_day_on_which_it_ends() -> None:
    calendar = office(imports=closures("DTSTART;VALUE=DATE:20260803|DTEND;VALUE=DATE:20260805|SUMMARY:Stock\\, taking"))
    assert [is_closed(calendar, f"2026-08-0{day}") for day in (3, 4, 5)] == [True, True, False]
    told = calendar.explain(at("2026-08-03T10:00"), "1 business hour")
    assert [each.reason for each in told.left_out] == ["Stock, taking (calendars/closures.ics)"] * 2


def test_an_all_day_event_without_an_end_closes_one_day() -> None:
    calendar = office(imports=closures("DTSTART;VALUE=DATE:20260803|SUMMARY:x"))
    assert is_closed(calendar, "2026-08-03")
    assert not is_closed(calendar, "2026-08-04")


def test_a_timed_event_closes_its_hours() -> None:
    calendar = office(imports=closures("DTSTART;TZID=Europe/London:20260804T120000|DURATION:PT2H|SUMMARY:Drill"))
    assert calendar.add(at("2026-08-04T11:00"), "2 business hours") == at("2026-08-04T15:00")
    assert calendar.between_days(at("2026-08-04T00:00"), at("2026-08-05T00:00")) == 1


def test_times_in_utc_and_times_without_a_zone() -> None:
    utc = office(imports=closures("DTSTART:20260804T110000Z|DTEND:20260804T120000Z"))
    floating = office(imports=closures("DTSTART:20260804T120000|DTEND:20260804T130000"))
    for calendar in (utc, floating):
        assert not calendar.is_open(at("2026-08-04T12:30"))
        assert calendar.is_open(at("2026-08-04T13:00"))


def test_a_timed_event_over_a_whole_day_leaves_no_business_day() -> None:
    calendar = office(imports=closures("DTSTART:20260804T000000|DTEND:20260805T000000|SUMMARY:Flood"))
    assert calendar.add(at("2026-08-03T17:00"), "1 business day") == at("2026-08-05T17:00")
    told = calendar.explain(at("2026-08-03T17:00"), "1 business day")
    assert "Flood (calendars/closures.ics)" in [each.reason for each in told.left_out]


def test_an_event_that_comes_every_year_does_so_less_its_exceptions() -> None:
    calendar = Calendar(
        "Europe/London",
        (hours("09:00-17:00"),) * 7,
        imports=closures(
            "DTSTART;VALUE=DATE:20250303|RRULE:FREQ=YEARLY;COUNT=4|EXDATE;VALUE=DATE:20260303|SUMMARY:Fair"
        ),
    )
    closed = [is_closed(calendar, f"{year}-03-03") for year in (2025, 2026, 2027, 2028, 2029)]
    assert closed == [True, False, True, True, False]


def test_an_hour_that_is_closed_every_friday_keeps_to_the_wall_clock() -> None:
    calendar = office(
        imports=closures(
            "DTSTART;TZID=Europe/London:20260102T120000|DTEND;TZID=Europe/London:20260102T130000"
            "|RRULE:FREQ=WEEKLY;UNTIL=20260731T120000Z"
        )
    )
    for day in ("2026-01-09", "2026-07-10"):
        assert [calendar.is_open(at(f"{day}T{hour}:30")) for hour in (11, 12, 13)] == [True, False, True]
    assert calendar.is_open(at("2026-08-07T12:30"))


def open_days(calendar: Calendar, *days: str) -> list[str]:
    """Which of some days of 2026 are open."""
    return [day for day in days if not is_closed(calendar, f"2026-{day}")]


def test_dates_that_are_listed_close_as_the_first_one_does() -> None:
    feast = closures("UID:e|DTSTART;VALUE=DATE:20250421|RDATE;VALUE=DATE:20260406,20270329|SUMMARY:Easter Monday")
    assert open_days(office(imports=feast), "04-03", "04-06", "04-07") == ["04-03", "04-07"]
    drill = closures("UID:d|DTSTART:20260105T120000Z|DURATION:PT1H|RDATE;VALUE=PERIOD:20260302T140000Z/PT2H")
    calendar = office(imports=drill)
    assert [calendar.is_open(at(f"2026-03-02T{hour}:30")) for hour in (13, 14, 15, 16)] == [True, False, False, True]


WEEKLY = "UID:w|DTSTART:20260504T120000|DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=3|SUMMARY:Meeting"


@pytest.mark.parametrize(
    ("instance", "open_at"),
    [
        ("UID:w|RECURRENCE-ID:20260511T120000|DTSTART:20260512T150000|DURATION:PT1H", ["05-11T12", "05-12T12"]),
        (
            "UID:w|RECURRENCE-ID:20260511T120000|DTSTART:20260511T120000|STATUS:CANCELLED",
            ["05-11T12", "05-12T12", "05-12T15"],
        ),
        (
            "UID:w|RECURRENCE-ID;RANGE=THISANDFUTURE:20260511T120000|DTSTART:20260512T150000|DURATION:PT1H",
            ["05-11T12", "05-12T12", "05-18T12"],
        ),
    ],
)
def test_an_instance_that_was_moved_or_cancelled_does_not_close_its_old_time(instance: str, open_at: list[str]) -> None:
    calendar = office(imports=closures(WEEKLY, instance))
    asked = ("05-04T12", "05-11T12", "05-12T12", "05-12T15", "05-18T12")
    assert [hour for hour in asked if calendar.is_open(at(f"2026-{hour}:30"))] == open_at


def test_a_time_zone_that_the_file_describes_is_used() -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Shop Time\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0500\r\n"
        "TZOFFSETTO:+0500\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    (file,) = closures("UID:z|DTSTART;TZID=Shop Time:20260302T170000|DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=2")
    text = file.text.replace("BEGIN:VEVENT", f"{zone}BEGIN:VEVENT", 1)
    calendar = office(imports=(ImportedFile(file.path, text, file.at),))
    for day in ("2026-03-02", "2026-03-09"):
        assert [calendar.is_open(at(f"{day}T{hour}:30")) for hour in (11, 12, 13)] == [True, False, True]


def test_what_closes_nothing_is_told() -> None:
    (file,) = closures("UID:k|DTSTART:20260427T000000Z|DTEND:20260427T000000Z|SUMMARY:Koningsdag")
    todo = "BEGIN:VTODO\r\nUID:t\r\nDTSTART;VALUE=DATE:20260428\r\nEND:VTODO\r\nEND:VCALENDAR"
    file = ImportedFile(file.path, file.text.replace("END:VCALENDAR", todo), file.at)
    assert list(read_closures(file, "Europe/Amsterdam").unread()) == [
        "a VTODO of `calendars/closures.ics` is not read: only events close a calendar",
        "the event `Koningsdag` of `calendars/closures.ics` ends as it begins (2026-04-27 00:00), so it closes nothing",
    ]
    assert not is_closed(office(imports=(file,)), "2026-04-27")


def test_a_whole_day_that_ends_as_it_begins_is_closed() -> None:
    calendar = office(imports=closures("UID:k|DTSTART;VALUE=DATE:20260427|DTEND;VALUE=DATE:20260427"))
    assert open_days(calendar, "04-27", "04-28") == ["04-28"]


def test_a_cancelled_event_closes_nothing() -> None:
    assert not is_closed(office(imports=closures("DTSTART;VALUE=DATE:20260803|STATUS:CANCELLED")), "2026-08-03")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("DTSTART:rubbish|SUMMARY:Odd", "the event `Odd` .* no readable start"),
        ("SUMMARY:Odd", "no readable start"),
        ("DTSTART:20260804T120000|DTEND:20260804T110000|SUMMARY:Odd", "ends before it begins"),
        ("DTSTART:20260804T120000|DURATION:PT1H|RRULE:FREQ=HOURLY", "more often than daily"),
        ("DTSTART:20260804T120000|DURATION:PT1H|RRULE:FREQ=DAILY|EXRULE:FREQ=WEEKLY", "EXRULE"),
        ("DTSTART:20260804T120000|DURATION:PT1H|RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY", "more than one RRULE"),
        ("DTSTART;TZID=Nowhere Time:20260804T120000|DURATION:PT1H", "time zone Nowhere Time"),
        ("DTSTART:20260804T120000|DURATION:PT1H|RDATE;TZID=Nowhere Time:20260805T120000", "time zone Nowhere Time"),
    ],
)
def test_an_event_that_cannot_be_is_refused(event: str, said: str) -> None:
    with pytest.raises(CalendarError, match=said) as caught:
        office(imports=closures(event))
    assert caught.value.at == AT / "import"


@pytest.mark.parametrize("text", ["", "nonsense", "<html></html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"])
def test_a_file_that_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(CalendarError, match=r"`a\.ics` is not an iCalendar file"):
        office(imports=(ImportedFile("a.ics", text, AT),))


def test_a_calendar_is_made_from_what_organisation_yaml_says() -> None:
    spec = CalendarSpec(
        "office", "Office", NINE_TO_FIVE, "Europe/London", GB, ((date(2026, 8, 3), date(2026, 8, 7)),),
        {date(2026, 12, 23): hours("10:00-14:00")}, (), AT,
    )  # fmt: skip
    calendar = Calendar.from_spec(spec)
    assert calendar.name == "office"
    assert is_closed(calendar, "2026-08-03")
    assert calendar.add(at("2026-12-23T10:00"), "1 business day") == at("2026-12-23T14:00")


def test_a_fault_without_a_place_of_its_own_is_at_the_calendar() -> None:
    spec = CalendarSpec("office", "Office", NINE_TO_FIVE, "Mars/Olympus", None, (), {}, (), AT)
    with pytest.raises(CalendarError) as caught:
        Calendar.from_spec(spec)
    assert caught.value.at == AT
