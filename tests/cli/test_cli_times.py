"""Times as people type them on the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.businesstime.instants import EPOCH, microseconds
from carepolicy.cli.status import CommandError
from carepolicy.cli.times import instant_of, lateness_of, moment
from carepolicy.machine.program import Bundle
from laws import examples
from stories import ORGANISATION, compiled


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-03-06 16:30", "2026-03-06T16:30:00+00:00"),
        ("2026-07-06 16:30", "2026-07-06T16:30:00+01:00"),
        ("2026-07-06", "2026-07-06T00:00:00+01:00"),
        ("2026-07-06T16:30:00+02:00", "2026-07-06T15:30:00+01:00"),
        ("2026-07-06T15:30:00Z", "2026-07-06T16:30:00+01:00"),
        ("2026-10-25 01:30", "2026-10-25T01:30:00+01:00"),
        ("2026-03-29T01:30:00+00:00", "2026-03-29T02:30:00+01:00"),
    ],
)
def test_a_time_without_an_offset_is_local(typed: str, meant: str) -> None:
    assert moment(typed, "Europe/London").isoformat() == meant


@pytest.mark.parametrize("typed", ["", "tomorrow", "2026-02-30", "16:30", "2026-13-01 10:00", "9999-12-31T23:59-12:00"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(CommandError):
        moment(typed, "Europe/London")


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(CommandError, match="does not exist in Europe/London"):
        moment("2026-03-29 01:30", "Europe/London")


ZONES = ("Europe/London", "Africa/Casablanca", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "UTC")
INSTANT = st.datetimes(datetime(2014, 1, 1), datetime(2037, 1, 1))


def told(work: Callable[[], int]) -> int | str:
    try:
        return work()
    except CommandError as refused:
        return str(refused)


@pytest.fixture(scope="module")
def in_zones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    return {
        zone: compiled(tmp_path_factory.mktemp("zone"), organisation=ORGANISATION.replace("Europe/London", zone))
        for zone in ZONES
    }


@given(zone=st.sampled_from(ZONES), typed=INSTANT, beside=st.integers(-90, 90))
@settings(max_examples=examples(300))
def test_the_clock_that_a_set_knows_says_what_the_zone_says(
    in_zones: dict[str, Bundle], zone: str, typed: datetime, beside: int
) -> None:
    bundle = in_zones[zone]
    changes = bundle.zone.instants[1:]
    texts = [typed.isoformat(sep=" "), f"{typed.isoformat()}+05:00"]
    if changes:  # and about as clocks are put forward or back
        local = EPOCH + timedelta(microseconds=bundle.zone.local(changes[beside % len(changes)]), minutes=beside)
        texts.append(local.replace(tzinfo=None).isoformat())
    for text in texts:
        assert told(lambda text=text: instant_of(text, bundle)) == told(
            lambda text=text: microseconds(moment(text, zone))
        )


def test_microseconds_are_exact() -> None:
    assert microseconds(datetime(2026, 3, 2, 9, 5, 0, 1, tzinfo=UTC)) == 1_772_442_300_000_001


@pytest.mark.parametrize(
    ("typed", "seconds"), [(None, 0), ("5m", 300), ("30s", 30), ("2 hours", 7_200), ("1d", 86_400)]
)
def test_lateness_is_a_number_and_a_unit(typed: str | None, seconds: int) -> None:
    assert lateness_of(typed) == seconds * 1_000_000


@pytest.mark.parametrize("typed", ["", "5", "m", "-5m", "5 moons", "1.5h"])
def test_a_lateness_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(CommandError, match="no length of time"):
        lateness_of(typed)
