"""A pickled calendar answers as before, and without the libraries that made it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from businesstime_samples import GB, at, office

from carepolicy.businesstime import NANODAYS, Calendar

WITHOUT_LIBRARIES = """
import pickle, sys
for name in ("holidays", "zoneinfo", "icalendar", "dateutil"):
    sys.modules[name] = None
calendar = pickle.load(open(sys.argv[1], "rb"))
start = 1_775_066_400_000_000
due = calendar.instant(calendar.position(start) + 3 * 3_600_000_000)
from carepolicy.businesstime import parse_limit
month = calendar.due_us(start, parse_limit("1 month"), rolls=True)
print(due, calendar.date_position(start) - calendar.date_position(start - 7 * 86_400_000_000), month)
"""


def test_a_pickled_calendar_needs_no_library_for_the_years_it_bears(tmp_path: Path) -> None:
    calendar = office(holidays=GB)
    file = tmp_path / "calendar.pickle"
    file.write_bytes(pickle.dumps(calendar))
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBRARIES, str(file)], capture_output=True, text=True, check=True
    ).stdout.split()
    start = at("2026-04-01T19:00")
    due = calendar.add(start, "3 business hours")
    assert due == at("2026-04-02T12:00")
    assert int(told[0]) == due.timestamp() * 1_000_000
    assert int(told[1]) == 5 * NANODAYS
    assert int(told[2]) == calendar.due(start, "1 month", rolls=True).timestamp() * 1_000_000


def test_a_pickled_calendar_has_the_same_positions_and_grows_on() -> None:
    calendar = office(holidays=GB)
    loaded: Calendar = pickle.loads(pickle.dumps(calendar))
    for instant in (1_000_000_000_000_000, 1_775_066_400_000_000, 2_500_000_000_000_000):
        assert loaded.position(instant) == calendar.position(instant)
        assert loaded.day_position(instant) == calendar.day_position(instant)
        assert loaded.date_position(instant) == calendar.date_position(instant)
    told = loaded.explain(at("2026-04-02T18:00"), "1 business hour").left_out
    assert "public holiday: Good Friday" in [each.reason for each in told]


def test_importing_business_time_loads_no_heavy_library() -> None:
    code = (
        "import carepolicy.businesstime, sys;"
        "print([x for x in ('holidays', 'icalendar', 'dateutil') if x in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
