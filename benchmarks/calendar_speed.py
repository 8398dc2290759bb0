"""Answers a second of a warm calendar on one core, beside one bare bisection of a list as long as the calendar's.

    python benchmarks/calendar_speed.py [--calls 10000] [--rounds 60]

The calendar has lunch breaks, English holidays and the years 2015 to 2035; a second one has shorter Fridays, so
that business days are not alike. Each figure is the median of the
rounds; the rounds of all questions take turns, so that a busy moment of the machine hits them alike.
"""

from __future__ import annotations

import argparse
import statistics
import time
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from carepolicy.businesstime import Calendar, parse_limit
from carepolicy.policy.model import Holidays
from carepolicy.policy.places import At

HOUR = 3600
DAY = ((9 * HOUR, 12 * HOUR + 1800), (13 * HOUR + 1800, 17 * HOUR + 1800))
SHORT = ((9 * HOUR, 16 * HOUR),)
STARTS = 1000
TARGET = 300_000


def office(friday: tuple[tuple[int, int], ...] = DAY) -> Calendar:
    england = Holidays("GB", "ENG", (), (), At("organisation.yaml"))
    calendar = Calendar("Europe/London", (DAY,) * 4 + (friday, (), ()), name="office", holidays=england)
    calendar.prepare(2015, 2035)
    return calendar


def questions(calendar: Calendar, calls: int) -> dict[str, Callable[[], None]]:
    """Each asks ``calls`` times, from starts spread over a year at odd minutes."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    starts = [first + timedelta(minutes=525 * n + n % 7) for n in range(STARTS)] * (calls // STARTS)
    ends = [each + timedelta(days=30) for each in starts[:STARTS]] * (calls // STARTS)
    instants = [round(each.timestamp()) * 1_000_000 for each in starts]
    openings = calendar.span_over(*instants).opens
    limit = parse_limit("3 business hours")
    short_fridays = office(SHORT)

    def adding(text: str, asked: Calendar = calendar) -> Callable[[], None]:
        def work() -> None:
            for start in starts:
                asked.add(start, text)

        return work

    def between() -> None:
        for start, end in zip(starts, ends, strict=True):
            calendar.between(start, end)

    def add_us() -> None:
        for instant in instants:
            calendar.add_us(instant, limit)

    def bare() -> None:
        for instant in instants:
            bisect_right(openings, instant)

    return {
        "add 3 business hours": adding("3 business hours"),
        "add 300 business hours": adding("300 business hours"),
        "add 2 business days": adding("2 business days"),
        "add 300 business days": adding("300 business days"),
        "add 3 hours, short Fridays": adding("3 business hours", short_fridays),
        "add 301 days, short Fridays": adding("301 business days", short_fridays),
        "add 0.5 days, short Fridays": adding("0.5 business days", short_fridays),
        "add close of business day 3": adding("close of business day 3"),
        "between": between,
        "add_us 3 business hours": add_us,
        "one bare bisection": bare,
    }


def timed(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    calls = max(asked.calls // STARTS, 1) * STARTS
    work = questions(office(), calls)
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(asked.rounds):
        for name, each in work.items():
            times[name].append(timed(each))
    rates = {name: calls / statistics.median(each) for name, each in times.items()}
    bare = rates["one bare bisection"]
    print(f"{calls:,} calls each, median of {asked.rounds}")
    for name, rate in rates.items():
        print(f"  {name:28} {rate:12,.0f} a second   {bare / rate:5.1f} bare bisections")
    longer = rates["add 3 business hours"] / rates["add 300 business days"]
    print(f"  300 business days take {longer:.2f} times as long as 3 business hours (bound: 1.0)")
    unlike = rates["add 3 hours, short Fridays"] / rates["add 301 days, short Fridays"]
    print(f"  with short Fridays 301 business days take {unlike:.2f} times as long as 3 business hours")
    slowest = min(rate for name, rate in rates.items() if name.startswith(("add ", "between")))
    print(f"  slowest of add and between: {slowest:,.0f} a second (bound: {TARGET:,})")


if __name__ == "__main__":
    main()
