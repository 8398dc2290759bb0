"""The language of calendars: opening hours by weekday and date, closed days, holidays, imports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import combinations, pairwise
from typing import NamedTuple

from carepolicy.policy.findings import quoted
from carepolicy.policy.language.keys import (
    Fields,
    Mapped,
    Reader,
    called,
    key,
    located,
    mapping,
    named,
    text,
    texts,
    title,
)
from carepolicy.policy.language.shapes import DATE, DAYS, HOURS, PERIOD, TEXT, Array, Either, Named, Several
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.node import Node
from carepolicy.policy.places import At
from carepolicy.policy.vocabulary import days_meant, hours_meant
from carepolicy.translations import msg

Interval = tuple[int, int]
"""Opening and closing in seconds after local midnight; a closing after 86,400 is on the next day."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 86_400
"""Seconds of wall-clock time."""

HOURS_WRITTEN = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_HINT = "hours are written like 09:00-17:30; 24:00 ends a day"

CLOSED = "a date, two dates with a slash between them, {dates: …, title: …} or {import: closures.ics}"
"""What an entry of closed: is expected to be."""


class MonthDay(NamedTuple):
    """A day that comes every year; 29 February in leap years alone."""

    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"

    def first_in(self, year: int) -> date:
        """The day in a year; 1 March for 29 February where the year has none."""
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return date(year, 3, 1)

    def last_in(self, year: int) -> date:
        """The day in a year; 28 February for 29 February where the year has none."""
        try:
            return date(year, self.month, self.day)
        except ValueError:
            return date(year, 2, 28)


class Closing(NamedTuple):
    """Days on which it is closed, both ends included: of one time, or (``MonthDay``) of every year; such ones may pass
    the turn of the year. ``title`` says what for, "" where nothing does."""

    first: date | MonthDay
    last: date | MonthDay
    title: str = ""

    def times(self, first_year: int, last_year: int) -> Iterator[tuple[date, date]]:
        """The first and the last day of each time that it comes and that touches these years."""
        first, last = self.first, self.last
        if isinstance(first, MonthDay) and isinstance(last, MonthDay):
            turns = last < first
            for year in range(first_year - turns, last_year + 1):
                begin, end = first.first_in(year), last.last_in(year + turns)
                if begin <= end:
                    yield begin, end
        elif isinstance(first, date) and isinstance(last, date):
            yield first, last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}/{self.last}"


@dataclass(frozen=True, slots=True)
class Season:
    """Other hours from one day of every year to another, both included: ``hours[0]`` is Monday, None of a weekday that
    keeps its ordinary hours. It passes the turn of the year where its last day is before its first."""

    first: MonthDay
    last: MonthDay
    hours: tuple[tuple[Interval, ...] | None, ...]

    def has(self, day: date) -> bool:
        """Whether a day is in it."""
        here = MonthDay(day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last

    def meets(self, other: Season) -> bool:
        """Whether both give the hours of one day of a leap year."""
        shared = any(a is not None and b is not None for a, b in zip(self.hours, other.hours, strict=True))
        return shared and (self._holds(other.first) or other._holds(self.first))

    def _holds(self, day: MonthDay) -> bool:
        return self.has(day.first_in(2024))

    def __str__(self) -> str:
        return f"{self.first}/{self.last}"


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file that a calendar imports (iCalendar): its path below the policy folder and its text."""

    path: str
    text: str
    at: At


def _dates(name: str) -> Reader:
    def read(node: Node, under: str) -> tuple[date, ...]:
        return tuple(day for day in (each.date() for each in node.each(name)) if day is not None)

    return read


@mapping("public holidays, such as {country: GB, subdivision: ENG}", piece="holidays")
class Holidays(Mapped):
    """Public holidays by ISO 3166 country and subdivision, less ``except_``, plus ``also``."""

    country: str = text("The country's ISO 3166 code, such as GB.", required=True, example="GB", codes=("CP604",))
    subdivision: str | None = text(
        "The region's ISO 3166-2 code, such as ENG.", missing=None, example="ENG", codes=("CP604",)
    )
    except_: tuple[date, ...] = key(
        Array(DATE), "Public holidays on which we work.", key="except", read=_dates("except"), example="[2026-04-03]",
        codes=("CP114",),
    )  # fmt: skip
    also: tuple[date, ...] = key(
        Array(DATE), "More days that are kept like holidays.", read=_dates("also"), example="[2026-12-24]",
        codes=("CP114",),
    )  # fmt: skip
    at: At = located()


@mapping()
class ClosedEntry(Mapped):
    """An entry of closed: that says what its days are for, or names a file of closures."""

    dates: str = text(
        "A day or two with a slash between them; without a year they come every year.", example="12-24/01-06",
        codes=("CP114",),
    )  # fmt: skip
    title: str = text("What these days are for.", example="Christmas", codes=("CP114",))
    file: str = text(
        "An iCalendar file of closures, by its path below this folder.", key="import", example="closures.ics",
        codes=("CP101", "CP114", "CP115", "CP606"),
    )  # fmt: skip


_ENTRY = Fields(ClosedEntry)
_CLOSED_DAYS = Either(
    TEXT,
    _ENTRY,
    {
        "type": ["string", "object"],
        "format": "carepolicy-closed",
        "pattern": r"^(\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?|\d{2}-\d{2}(/\d{2}-\d{2})?)$",
        **{keyword: _ENTRY.body()[keyword] for keyword in ("properties", "additionalProperties")},
        "errorMessage": CLOSED,
        "patternErrorMessage": "closed days are written like 2026-12-24, 2026-08-03/2026-08-07, or 12-24/01-06 for "
        "every year",
    },
)


@mapping("a calendar, such as {hours: {mon-fri: 09:00-17:00}}", piece="calendar")
class CalendarSpec(Mapped):
    """Opening hours: ``hours[0]`` is Monday."""

    name: str = called()
    title: str = title(example="Office hours")
    hours: tuple[tuple[Interval, ...], ...] = named(
        HOURS, "hours by weekday, such as {mon-fri: 09:00-17:00}", "Opening hours.", names=DAYS, required=True,
        read=lambda node, name: _week(node), example="{mon-thu: [09:00-12:30, 13:30-17:30], fri: 09:00-16:00}",
        codes=("CP114", "CP222", "CP232", "CP607"), rank=1, told=msg("hours"),
    )  # fmt: skip
    timezone: str = text(
        "An IANA time zone; the organisation's where it is not said.",
        missing=lambda node, name: node.top.said("timezone"), otherwise="the organisation's", example="Asia/Tokyo",
        codes=("CP231",), rank=1, told=msg("time zone"),
    )  # fmt: skip
    holidays: Holidays | None = key(
        Fields(Holidays, piece="holidays"), "Public holidays on which it is closed.", otherwise="none",
        example="{country: GB, subdivision: ENG}", rank=1, told=msg("public holidays"),
    )  # fmt: skip
    closed: tuple[Closing, ...] = key(
        Several(_CLOSED_DAYS, ("string", "object"), "a date, a range of dates, or a list of these"),
        "Days on which it is closed; those without a year every year.", bare=True,
        read=lambda node, name: tuple(_closed_days(node)),
        example="[2026-08-03/2026-08-07, {dates: 12-24/01-06, title: Christmas}]", codes=("CP114",), rank=1,
        told=msg("closed days"),
    )  # fmt: skip
    open: Mapping[date, tuple[Interval, ...]] = named(
        HOURS, "hours by date", "One day's hours in place of its weekday's.", names=DATE,
        read=lambda node, name: dict(_opened(node)), example="{2026-12-23: 09:00-12:00}", codes=("CP114",), rank=1,
        told=msg("special hours"), aspect="open_days",
    )  # fmt: skip
    seasons: tuple[Season, ...] = named(
        Named(HOURS, "hours by weekday, such as {mon-fri: 08:00-15:00}", DAYS),
        "seasons and their hours, such as {05-01/08-31: {mon-fri: 08:00-15:00}}",
        "Other hours in a part of every year, in place of hours: on the weekdays that it names.", names=PERIOD,
        read=lambda node, name: _seasons(node), example="{05-01/08-31: {mon-fri: 08:00-15:00}}",
        codes=("CP114", "CP232", "CP607"), rank=1, told=msg("seasons"), default=(),
    )  # fmt: skip
    imports: tuple[ImportedFile, ...] = texts(
        "iCalendar files of closures, by their path below this folder.", key="import",
        read=lambda node, name: tuple(_imports(node)), example="closures.ics", codes=("CP101", "CP115", "CP606"),
        rank=1, told=msg("imported days"), aspect="imports",
    )  # fmt: skip
    at: At = located()

    def hours_on(self, day: date) -> tuple[Interval, ...]:
        """The hours of a date, that of its season or else of its weekday, whatever closes or opens it."""
        return hours_on(day, self.hours, self.seasons)


def hours_on(day: date, hours: tuple[tuple[Interval, ...], ...], seasons: tuple[Season, ...]) -> tuple[Interval, ...]:
    """The hours that a date has by its season, or else by its weekday."""
    weekday = day.weekday()
    own = season_of(day, seasons)
    return hours[weekday] if own is None else own.hours[weekday] or ()


def season_of(day: date, seasons: tuple[Season, ...]) -> Season | None:
    """The season that gives the hours of a date, None where none does."""
    weekday = day.weekday()
    return next((each for each in seasons if each.hours[weekday] is not None and each.has(day)), None)


def _closed_days(node: Node) -> Iterator[Closing]:
    for entry in node.each("closed"):
        if not isinstance(entry.data, dict):
            yield from _closed(entry)
        elif _is_whole(entry) and "dates" in entry:
            yield from (each._replace(title=entry.said("title").strip()) for each in _closed(entry["dates"]))


def _is_whole(entry: Node) -> bool:
    """Whether a mapping under closed: says its days, or names a file, and not both."""
    if "dates" in entry and "import" in entry:
        entry["import"].fault("CP114", "one entry has days and a file", "give each an entry of its own", on_key=True)
        return False
    if "dates" not in entry and "import" not in entry:
        entry.fault("CP114", "no days stand here", "write {dates: 12-24/01-06, title: Christmas}")
        return False
    if "import" in entry and "title" in entry:
        entry["title"].fault("CP114", "a file brings the titles of its days", "leave the title out", on_key=True)
        return False
    return True


def _opened(node: Node) -> Iterator[tuple[date, tuple[Interval, ...]]]:
    for said, hours in node.items("open"):
        day = hours.date(said, on_key=True)
        if day is not None:
            yield day, _intervals(hours)


def _imports(node: Node) -> Iterator[ImportedFile]:
    files = [*node.each("import"), *(each["import"] for each in node.each("closed") if _names_file(each))]
    yield from (each for each in map(_imported, files) if each is not None)


def _names_file(entry: Node) -> bool:
    return isinstance(entry.data, dict) and "import" in entry and "dates" not in entry


_YEARLY = re.compile(r"(\d\d)-(\d\d)")


def _closed(node: Node) -> Iterator[Closing]:
    said = node.text()
    first, slash, last = (each.strip() for each in said.partition("/"))
    if _YEARLY.fullmatch(first) and (not slash or _YEARLY.fullmatch(last)):
        yearly = _month_days(node, (first, last or first))
        if yearly is not None:
            yield Closing(*yearly)
        return
    if any(re.fullmatch(r"\d\d?-\d\d?", each) for each in (first, last)):
        hint = "write both with a year, or neither: 2026-12-24/2027-01-06, or 12-24/01-06 for every year"
        node.fault("CP114", f"{quoted(said)} has a year missing, or a digit", hint)
        return
    meant = days_meant(said)
    if meant is not None and meant != "".join(said.split()):
        node.fault("CP114", f"{quoted(said)} is no date, and no two", f"write {meant}")
        return
    start = node.date(first)
    end = node.date(last) if slash else start
    if start is None or end is None:
        return
    if end < start:
        node.fault("CP114", f"{last} is before {first}", "the first day comes first")
        return
    yield Closing(start, end)


def _month_days(node: Node, said: tuple[str, str], on_key: bool = False) -> tuple[MonthDay, MonthDay] | None:
    """The two days of every year that are written like 12-24, None and a fault where one is no day."""
    found: list[MonthDay] = []
    for each in said:
        match = _YEARLY.fullmatch(each)
        try:
            leap = None if match is None else date(2024, int(match[1]), int(match[2]))
        except ValueError:
            leap = None
        if leap is None:
            hint = "a day of every year is its month and its day, such as 12-24 for 24 December"
            node.fault("CP114", f"{quoted(each)} is no day of the year", hint, on_key)
            return None
        found.append(MonthDay(leap.month, leap.day))
    return found[0], found[1]


def _seasons(node: Node) -> tuple[Season, ...]:
    """Seasons in the order of the file; a day whose hours two of them give is a fault of the later one."""
    found: list[tuple[Season, Node]] = []
    for said, hours in node.items("seasons"):
        first, slash, last = (each.strip() for each in said.partition("/"))
        if not slash:
            hint = "write its first and its last day, such as 05-01/08-31"
            hours.fault("CP114", f"{quoted(said)} is no season", hint, on_key=True)
            continue
        days = _month_days(hours, (first, last), on_key=True)
        week = _week_of(hours)
        if days is not None:
            found.append((Season(*days, tuple(week)), hours))
    for (before, _), (after, hours) in combinations(found, 2):
        if before.meets(after):
            message = f"this season overlaps {before}, which gives the hours of the same weekdays"
            hours.fault("CP114", message, "begin on the day after the other ends", on_key=True)
    return tuple(season for season, _ in found)


def _imported(node: Node) -> ImportedFile | None:
    path, files = node.text(), node.files
    if path not in files:
        hint = did_you_mean(path, files) or "it must end in .ics and stand in the policy folder or a folder in it"
        node.fault("CP115", f"there is no file {quoted(path)} to import", hint)
        return None
    try:
        return ImportedFile(path, files[path].decode("utf-8-sig"), node.at)
    except UnicodeDecodeError as problem:
        node.fault("CP101", f"{path} is not UTF-8: see its byte {problem.start + 1}", "save it with the encoding UTF-8")
        return None


def _week(node: Node) -> tuple[tuple[Interval, ...], ...]:
    return tuple(each or () for each in _week_of(node["hours"])) if "hours" in node else ((),) * 7


def _week_of(node: Node) -> list[tuple[Interval, ...] | None]:
    """The hours of each weekday that a mapping names."""
    week: list[tuple[Interval, ...] | None] = [None] * 7
    seen: dict[int, str] = {}
    for said in node.data:
        hours = node[said]
        intervals = _intervals(hours)
        for day in _days(said, hours):
            if day in seen:
                message = f'"{seen[day]}" has given the hours of {WEEKDAYS[day]} already'
                hours.fault("CP114", message, "give each weekday its hours once", on_key=True)
                break
            seen[day] = said
            week[day] = intervals
    return week


def _days(said: str, node: Node) -> list[int]:
    """The weekdays of ``mon``, ``mon-thu`` or (past the week's end) ``sat-mon``."""
    names = [name.strip() for name in said.split("-")]
    if len(names) > 2 or not all(name in WEEKDAYS for name in names):
        node.fault("CP114", f"{quoted(said)} is no weekday", _meant_days(said), on_key=True)
        return []
    first, last = WEEKDAYS.index(names[0]), WEEKDAYS.index(names[-1])
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _meant_days(said: str) -> str:
    """A hint with the whole range that somebody means who writes weekdays otherwise: ``Mon-Fri``, ``Mo - Fr``."""
    named = _weekdays_of_languages()
    days = [named.get(name.strip().strip(".").lower()) for name in re.split(r"-|–|—|\bto\b|\bbis\b", said)]
    known = [WEEKDAYS[day] for day in days if day is not None]
    if len(known) == len(days) <= 2:
        return f'did you mean "{"-".join(known)}"?'
    return "weekdays are mon, tue, wed, thu, fri, sat, sun, or a range such as mon-thu"


@cache
def _weekdays_of_languages() -> dict[str, int]:
    """The number of each weekday by the names that several languages have for it, whole and short (CLDR)."""
    from babel.dates import get_day_names

    named: dict[str, int] = {}
    for language in ("en", "de", "fr", "es", "it", "nl", "pt", "pl"):
        for width in ("wide", "abbreviated", "short"):
            for day, name in get_day_names(width, locale=language).items():
                named.setdefault(name.strip(".").lower(), day)
    return {**named, "tues": 1, "weds": 2, "thur": 3, "thurs": 3}


def _intervals(node: Node) -> tuple[Interval, ...]:
    """The intervals of one day in order of time; what overlaps is a fault."""
    found: list[tuple[Interval, Node]] = []
    for entry in node.entries():
        interval = _interval(entry)
        if interval is not None:
            found.append((interval, entry))
    found.sort(key=lambda each: each[0])
    for (before, first), (after, second) in pairwise(found):
        if after[0] < before[1]:
            message = f"these hours overlap {first.text().strip()} of the same day"
            second.fault("CP114", message, "begin when the other ends, or later")
    return tuple(interval for interval, _ in found)


def _interval(node: Node) -> Interval | None:
    said = node.text()
    match = HOURS_WRITTEN.fullmatch(said)
    if match is None:
        meant = hours_meant(said)
        node.fault("CP114", f"{quoted(said)} is no opening hours", _HINT if meant is None else f"write {meant}")
        return None
    opens, closes = _seconds(match[1], match[2]), _seconds(match[3], match[4])
    if opens is None or closes is None or opens == DAY:
        node.fault("CP114", f"{quoted(said)} has a time that no clock shows", _HINT)
        return None
    if opens == closes:
        node.fault("CP114", f"{quoted(said)} is no time at all", "a day that is open round the clock is 00:00-24:00")
        return None
    return opens, closes if closes > opens else closes + DAY


def _seconds(hours: str, minutes: str) -> int | None:
    seconds = int(hours) * 3600 + int(minutes) * 60
    return seconds if int(minutes) < 60 and seconds <= DAY else None
