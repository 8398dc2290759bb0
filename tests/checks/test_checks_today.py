"""Rules for which the day matters are told the day: they read no clock."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from carepolicy.checks import check_folder
from carepolicy.cli.check import command
from carepolicy.policy.findings import Severity

SHOP = "calendars:\n  shop: {title: Shop, hours: {mon: 09:00-17:00}, closed: [2030-12-24/2031-01-02]}\n"


@pytest.fixture
def shop(harbour: Path) -> Path:
    file = harbour / "organisation.yaml"
    file.write_text(file.read_text().replace("calendars:\n", SHOP))
    return harbour


@pytest.mark.parametrize(
    ("today", "found"),
    [
        (date(2029, 8, 1), []),
        (date(2030, 8, 1), []),
        (date(2031, 8, 1), [("CP604", Severity.WARNING)]),
        (date(2031, 6, 30), [("CP604", Severity.NOTE)]),
        (date(2027, 8, 1), [("CP604", Severity.WARNING)]),
    ],
)
def test_next_years_holidays_are_asked_for_from_july_on(
    shop: Path, today: date, found: list[tuple[str, Severity]]
) -> None:
    _, findings = check_folder(shop, today)
    assert [(each.code, each.severity) for each in findings] == found


def test_the_command_hands_the_day_to_the_rules(shop: Path) -> None:
    def status(*more: str) -> int:
        return CliRunner().invoke(command, [str(shop), "--strict", *more]).exit_code

    assert [status("--today", day) for day in ("2030-08-01", "2031-08-01", "2031-02-30")] == [0, 1, 2]


def test_holidays_of_the_library_are_known_as_far_as_it_reaches(harbour: Path) -> None:
    _, findings = check_folder(harbour, date(2040, 8, 1))
    assert findings == []
