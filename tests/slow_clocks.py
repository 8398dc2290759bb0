"""A slow second opinion on clocks: what records say, counted again day by day, by definitions instead of positions.

It knows the organisation of ``random_flows`` and shares no code with the engine or with ``businesstime``.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import yaml

LONDON = ZoneInfo("Europe/London")
SECOND = 1_000_000
DAY = 86_400 * SECOND
HOURS = {
    "always": {day: [(0, 1440)] for day in range(7)},
    "office": {**{day: [(540, 750), (810, 1050)] for day in range(4)}, 4: [(540, 960)], 5: [], 6: []},
}
LIMITS = {
    "2 hours": ("elapsed", 7200 * SECOND),
    "20 minutes": ("elapsed", 1200 * SECOND),
    "3 business hours": ("business_time", 10_800 * SECOND),
    "less than 3 business hours": ("business_time", 10_800 * SECOND),
    "1 business day": ("business_days", DAY),
    "less than 2 business days": ("business_days", 2 * DAY),
    "30 business minutes": ("business_time", 1800 * SECOND),
    "close of business day 1": ("closings", DAY),
    "1 month": ("month", 0),
    "until order.ship_by": ("until", 0),
}
BASIS = {"closings": "business_days", "month": "elapsed", "until": "elapsed"}


def microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def local(instant: int) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)).astimezone(LONDON)


def at_wall(day: date, minute: int) -> int:
    """The instant at which the clocks of London show a minute of a day; 1440 is the end of it."""
    shown = datetime.combine(day + timedelta(days=minute // 1440), time(minute % 1440 // 60, minute % 60), LONDON)
    return (shown.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def open_hours(calendar: str, day: date) -> list[tuple[int, int]]:
    return [(at_wall(day, begin), at_wall(day, end)) for begin, end in HOURS[calendar][day.weekday()]]


def count(measure: str, calendar: str, begin: int, end: int) -> Fraction:
    """What passes between two instants: open time, shares of days (of 24 hours each), or closings."""
    if end < begin:
        return -count(measure, calendar, end, begin)
    if measure in ("elapsed", "month", "until"):
        return Fraction(end - begin)
    total, day = Fraction(0), local(begin).date() - timedelta(days=1)
    while day <= local(end).date():
        hours = open_hours(calendar, day)
        within = sum(max(min(closes, end) - max(opens, begin), 0) for opens, closes in hours)
        if measure == "business_time":
            total += within
        elif hours and measure == "business_days":
            total += Fraction(within * DAY, sum(closes - opens for opens, closes in hours))
        elif hours and begin < hours[-1][1] <= end:
            total += DAY
        day += timedelta(days=1)
    return total


@dataclass
class Round:
    """A round of a clock as it should be by now."""

    started: int
    limit: str
    calendar: str
    due_known: int
    running: bool = True
    late: bool = False
    since: int = 0
    marks: tuple[Fraction, ...] = ()
    used: Fraction = Fraction(0)
    ran: list[tuple[int, int]] = field(default_factory=list)

    @property
    def measure(self) -> str:
        return LIMITS[self.limit][0]

    def advance(self, now: int) -> None:
        if self.running:
            self.used += count(self.measure, self.calendar, self.since, now)
            self.ran.append((self.since, now))
        self.since = now

    def begin(self, now: int) -> None:
        """Nothing was used at ``now``. A closing on the day of the start does not count."""
        self.started = self.since = now
        self.ran = []
        self.used = Fraction(0) - self._day_zero(now)

    def _day_zero(self, start: int) -> Fraction:
        if self.measure != "closings":
            return Fraction(0)
        return count("closings", self.calendar, start, at_wall(local(start).date(), 1440))

    def change(self, limit: str, calendar: str) -> None:
        """Another limit: what was used stays used, or is counted again where it is counted otherwise now."""
        timed = ("elapsed", "month", "until")
        before, self.limit = self.measure, limit
        if before != self.measure and not (before in timed and self.measure in timed):
            self.calendar = calendar
            self.used = sum((count(self.measure, calendar, *each) for each in self.ran), Fraction(0))
            self.used -= self._day_zero(self.ran[0][0] if self.ran else self.started)

    def amount(self) -> int:
        if self.measure != "month":
            return LIMITS[self.limit][1]
        start = local(self.started)
        year, month = divmod(start.year * 12 + start.month, 12)
        then = start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))
        return (then.astimezone(UTC) - start.astimezone(UTC)) // timedelta(microseconds=1)


class Watcher:
    """Follows one clock of a flow through the records of a case, and holds each against its own count."""

    def __init__(self, flow: str, name: str, guards: dict[str, Any]) -> None:
        read = yaml.load(flow, yaml.BaseLoader)
        self.name, self.guards = name, guards
        self.clock = read["clocks"][name]
        self.owners = {state: each.get("owner", read["owner"]) for state, each in read["states"].items()}
        limits = self.clock["limit"]
        self.limits = [(None, limits)] if isinstance(limits, str) else [(e.get("when"), e["is"]) for e in limits]
        self.round: Round | None = None
        self.kept: list[tuple[int, int]] = []
        self.rounds = 0

    def phase(self, state: str) -> str:
        if state in self.clock["runs_in"]:
            return "running"
        return "paused" if state in self.clock.get("pauses_in", ()) else "stopped"

    def calendar(self, state: str) -> str:
        if self.clock["calendar"] != "owner":
            return str(self.clock["calendar"])
        return {"care_agent": "office", "care_lead": "always"}[self.owners[state]]

    def choose(self, facts: dict[str, Any]) -> str | None:
        return next((limit for when, limit in self.limits if when is None or self.guards[when](facts)), None)

    def moved(self, now: int, state: str) -> None:
        """The case is in another state, whose owner may count in another calendar: what was used stays used."""
        held = self.round
        if held is not None and held.running and self.phase(state) == "running":
            held.advance(now)
            held.calendar = self.calendar(state)

    def take(self, kind: str, now: int, data: dict[str, Any], state: str, facts: list[dict[str, Any]]) -> None:
        """One record of the clock; ``facts`` are what the case may have known at that instant."""
        if kind == "started":
            self._start(now, data, state, facts)
        held = self.round
        assert held is not None, f"{kind} of a clock that does not run"
        held.advance(now)
        getattr(self, f"_{kind}", lambda *_: None)(now, data, state, facts)
        self._compare(held, kind, now, data, facts)
        if kind in ("met", "ended", "cancelled"):
            self.round = None
            if kind == "ended" and self.phase(state) != "stopped":
                self.kept = []  # an event restarts it: anew, also where it goes on after a stop
            elif kind != "cancelled":
                self.kept = held.ran

    def _start(self, now: int, data: dict[str, Any], state: str, facts: list[dict[str, Any]]) -> None:
        assert self.round is None, "a round begins before the last has ended"
        self.round = Round(now, self._fitting(data, facts), self.calendar(state), now)
        self.rounds += 1
        self.round.begin(now)
        if self.clock.get("again") == "continue" and self.kept:
            held = self.round
            held.ran, held.used = list(self.kept), Fraction(0)
            held.used = sum((count(held.measure, held.calendar, *each) for each in held.ran), Fraction(0))
            held.used -= held._day_zero(held.ran[0][0])

    def _fitting(self, data: dict[str, Any], facts: list[dict[str, Any]]) -> str:
        """The limit that a record speaks of: one that the facts of the instant choose."""
        chosen = [each for each in map(self.choose, facts) if each is not None]
        for each in chosen:
            measure, amount = LIMITS[each]
            told = BASIS.get(measure, measure) == data["basis"]
            if told and (measure in ("month", "until") or amount == data["limit"] * SECOND):
                return each
        raise AssertionError(f"{self.name}: no limit of {chosen} is told by {data}")

    def _paused(self, now: int, *_: Any) -> None:
        assert self.round is not None
        assert self.round.running
        self.round.running = False
        self.round.due_known = now

    def _resumed(self, now: int, data: dict[str, Any], state: str, facts: list[dict[str, Any]]) -> None:
        assert self.round is not None
        assert not self.round.running
        self.round.running, self.round.calendar, self.round.due_known = True, self.calendar(state), now

    def _restarted(self, now: int, *_: Any) -> None:
        assert self.round is not None
        assert not self.round.late
        self.round.begin(now)
        self.round.due_known = now

    def _extended(self, now: int, data: dict[str, Any], state: str, facts: list[dict[str, Any]]) -> None:
        assert self.round is not None
        if not data["reason"].startswith("it counts in"):
            self.round.change(self._fitting(data, facts), self.calendar(state))
        self.round.due_known = now

    def _late(self, now: int, data: dict[str, Any], state: str, facts: list[dict[str, Any]]) -> None:
        held = self.round
        assert held is not None
        assert not held.late
        held.late = True
        if not held.running:
            self._late_in_a_pause(held, now, data, facts)
            return
        due = microseconds(data["due"])
        assert now == max(due, held.due_known), "late is told at its instant, or when it comes to be past"
        held.marks = (held.used - count(held.measure, held.calendar, due, now),)

    def _late_in_a_pause(self, held: Round, now: int, data: dict[str, Any], facts: list[dict[str, Any]]) -> None:
        """A pause stops the count, so another limit makes a pausing round late, or a date that passed by its end."""
        assert "due" not in data
        if held.measure == "until":
            dates = [each["order.ship_by"] for each in facts if each.get("order.ship_by", now) < now]
            assert dates, "late, and no date has passed"
            held.marks = tuple(held.used - (now - date) for date in dates)
            return
        assert now == held.due_known, "late at the instant from which it is"
        assert held.used >= held.amount()
        assert held.used > held.amount() or held.limit.startswith("less")
        held.marks = (Fraction(held.amount()),)

    def _met(self, now: int, data: dict[str, Any], *_: Any) -> None:
        held = self.round
        assert held is not None
        assert not held.late
        if held.measure not in ("until", "month"):
            assert held.used <= held.amount()
            assert held.used < held.amount() or not held.limit.startswith("less")

    def _ended(self, now: int, data: dict[str, Any], *_: Any) -> None:
        held = self.round
        assert held is not None
        assert held.late
        over = [max(held.used - mark, Fraction(0)) for mark in held.marks]
        assert any(abs(data["over"] * SECOND - each) <= 1 for each in over), f"over: {data['over']}, not {over}"

    def _compare(self, held: Round, kind: str, now: int, data: dict[str, Any], facts: list[dict[str, Any]]) -> None:
        _near(data["used"], max(held.used, Fraction(0)), f"{self.name} {kind}: used")
        assert data["basis"] == BASIS.get(held.measure, held.measure)
        if held.measure == "until":
            if "due" in data and not held.late:
                assert microseconds(data["due"]) in [each.get("order.ship_by") for each in facts]
            return
        _near(data["limit"], Fraction(held.amount()), f"{self.name} {kind}: limit")
        if "due" in data and (kind == "late" or not held.late):
            due, rest = microseconds(data["due"]), held.amount() - held.used
            slack = Fraction(1, 100) if held.measure == "business_days" else 0
            assert count(held.measure, held.calendar, now, due) >= rest - slack
            assert count(held.measure, held.calendar, now, due - 1) < rest + slack

    def rest(self, now: int, state: str, facts: dict[str, Any]) -> None:
        """All that an event caused has been told: the clock is what the state and the facts make it."""
        phase, held = self.phase(state), self.round
        if phase == "stopped":
            assert held is None
        elif phase == "running":
            assert (held is None) == (self.choose(facts) is None) or (held is not None and held.late)
        assert held is None or held.running == (phase == "running")
        assert held is None or held.late or held.limit == self.choose(facts), "the limit follows the facts"


def _near(told: float, meant: Fraction, what: str) -> None:
    assert abs(Fraction(told).limit_denominator(SECOND) * SECOND - meant) <= 1, (
        f"{what}: {told}, not {float(meant) / 1e6}"
    )
