"""Faults and wishes about calendars from other tools' trackers (PEERS.md), and what carepolicy's calendars do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from carepolicy.businesstime import NANODAYS, Calendar, parse_limit
from carepolicy.policy.model import Holidays, Interval
from carepolicy.policy.places import At

HOUR = 3_600
OFFICE: tuple[tuple[Interval, ...], ...] = (((9 * HOUR, 17 * HOUR),),) * 5 + ((), ())
LUNCH: tuple[tuple[Interval, ...], ...] = (((9 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR)),) * 5 + ((), ())
LONDON = ZoneInfo("Europe/London")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def us(text: str) -> int:
    return (at(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def office(**more: object) -> Calendar:
    return Calendar("Europe/London", OFFICE, name="office", **more)


def test_peer_glpi_687_created_outside_of_hours_has_zero_time() -> None:
    created = at("2026-03-06T19:00")
    assert office().between(created, at("2026-03-09T09:00")) == timedelta(0)
    assert office().add(created, "1 business hour") == at("2026-03-09T10:00")


def test_peer_frappe_2449_a_pause_over_a_night_costs_nothing() -> None:
    calendar, limit = office(), 3 * HOUR * 1_000_000
    used = calendar.position(us("2026-03-05T17:00")) - calendar.position(us("2026-03-05T16:00"))
    due = calendar.instant(calendar.position(us("2026-03-06T09:00")) - used + limit)
    assert due == us("2026-03-06T11:00")
    assert due == calendar.instant(calendar.position(us("2026-03-05T16:00")) + limit)


def test_peer_erpnext_49414_a_pause_is_counted_in_open_time_and_not_as_elapsed_hours() -> None:
    calendar = office()
    paused = calendar.between(at("2026-03-05T16:30"), at("2026-03-06T09:30"))
    assert paused == timedelta(hours=1)


def test_peer_glpi_14937_days_are_not_reckoned_with_closed_hours_in_them() -> None:
    assert office().add(at("2026-03-05T16:00"), "1 business day") == at("2026-03-06T16:00")
    assert office().between_days(at("2026-03-05T16:00"), at("2026-03-06T09:00")) * 8 == 1


def test_peer_frappe_2449_a_changed_holiday_list_moves_the_due_time() -> None:
    start = at("2026-03-05T16:00")
    assert office().add(start, "3 business hours") == at("2026-03-06T11:00")
    longer = office(closed=((date(2026, 3, 6), date(2026, 3, 6)),))
    assert longer.add(start, "3 business hours") == at("2026-03-09T11:00")


def test_peer_zammad_390_each_day_left_out_is_named_with_its_holiday() -> None:
    england = Holidays("GB", "ENG", (), (date(2026, 4, 7),), At("organisation.yaml"))
    told = office(holidays=england).explain(at("2026-04-02T16:30"), "1 business hour")
    assert [(each.day.isoformat(), each.reason) for each in told.left_out] == [
        ("2026-04-03", "public holiday: Good Friday"),
        ("2026-04-04", "Saturday is closed"),
        ("2026-04-05", "Sunday is closed"),
        ("2026-04-06", "public holiday: Easter Monday"),
        ("2026-04-07", "additional holiday"),
    ]


def test_peer_chatwoot_14009_a_lunch_break_does_not_count() -> None:
    calendar = Calendar("Europe/London", LUNCH)
    assert calendar.add(at("2026-03-05T11:30"), "1 business hour") == at("2026-03-05T13:30")


def test_peer_frappe_2212_a_day_with_a_lunch_break_is_one_business_day() -> None:
    calendar = Calendar("Europe/London", LUNCH)
    assert calendar.between_days(at("2026-03-05T00:00"), at("2026-03-06T00:00")) == 1
    assert calendar.add(at("2026-03-05T09:00"), "1 business day") == at("2026-03-05T17:00")


def test_peer_jbpm_1342_a_start_before_hours_counts_from_the_opening() -> None:
    assert office().add(at("2026-03-05T06:00"), "2 business hours") == at("2026-03-05T11:00")
    assert office().add(at("2026-03-05T09:00"), "2 business hours") == at("2026-03-05T11:00")


def test_peer_jbpm_1830_a_start_after_hours_counts_from_the_next_opening() -> None:
    assert office().add(at("2026-03-05T17:00"), "2 business hours") == at("2026-03-06T11:00")
    assert office().add(at("2026-03-06T22:00"), "2 business hours") == at("2026-03-09T11:00")
    assert office().add(at("2026-03-06T22:00"), "8 business hours") == at("2026-03-09T17:00")


def test_peer_jmix_790_a_business_day_is_not_24_business_hours() -> None:
    start = at("2026-03-03T10:00")
    assert office().add(start, "1 business day") == at("2026-03-04T10:00")
    assert office().add(start, "24 business hours") == at("2026-03-06T10:00")


def test_peer_camunda_7_1155_each_clock_may_have_its_own_calendar() -> None:
    start = at("2026-03-06T16:30")
    phones = Calendar("Europe/London", (((8 * HOUR, 20 * HOUR),),) * 6 + ((),), name="phones")
    assert office().add(start, "1 business hour") == at("2026-03-09T09:30")
    assert phones.add(start, "1 business hour") == at("2026-03-06T17:30")


def test_peer_camunda_8_18815_until_a_fact_follows_the_fact() -> None:
    start, limit = us("2026-03-03T10:00"), parse_limit("until order.ship_by")
    assert limit.reads == ("order.ship_by",)
    for ship_by in (us("2026-03-05T10:00"), us("2026-03-09T10:00")):
        assert office().add_us(start, limit, {"order.ship_by": ship_by}) == ship_by


def test_peer_camunda_8_3038_a_limit_at_a_wall_clock_time() -> None:
    calendar = office()
    assert calendar.add(at("2026-03-26T10:00"), "close of business day 2") == at("2026-03-30T17:00")
    assert calendar.date_position(us("2026-03-26T23:59")) == calendar.date_position(us("2026-03-26T00:00"))
    assert calendar.date_position(us("2026-03-27T00:00")) == calendar.date_position(us("2026-03-26T00:00")) + NANODAYS
