"""The language of calendars: opening hours by weekday and date, closed days, holidays, imports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise

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
from carepolicy.policy.language.shapes import DATE, DAYS, HOURS, TEXT, Array, Either, Several
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

CLOSED = "a date, two dates with a slash between them, or {import: closures.ics}"
"""What an entry of closed: is expected to be."""


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
class ClosureImport(Mapped):
    """An entry of closed: that names a file of closures."""

    file: str = text(
        "An iCalendar file of closures, by its path below this folder.", key="import", required=True,
        example="closures.ics", codes=("CP101", "CP115", "CP606"),
    )  # fmt: skip


_IMPORT = Fields(ClosureImport)
_CLOSED_DAYS = Either(
    TEXT,
    _IMPORT,
    {
        "type": ["string", "object"],
        "format": "carepolicy-closed",
        "pattern": r"^\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?$",
        **{keyword: _IMPORT.body()[keyword] for keyword in ("properties", "required", "additionalProperties")},
        "errorMessage": CLOSED,
        "patternErrorMessage": "closed days are written like 2026-12-24, or 2026-08-03/2026-08-07",
    },
)


@mapping("a calendar, such as {hours: {mon-fri: 09:00-17:00}}", piece="calendar")
class CalendarSpec(Mapped):
    """Opening hours: ``hours[0]`` is Monday; ``closed`` are inclusive ranges of dates."""

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
    closed: tuple[tuple[date, date], ...] = key(
        Several(_CLOSED_DAYS, ("string", "object"), "a date, a range of dates, or a list of these"),
        "Days on which it is closed.", bare=True, read=lambda node, name: tuple(_closed_days(node)),
        example="[2026-12-24, 2026-08-03/2026-08-07]", codes=("CP114",), rank=1, told=msg("closed days"),
    )  # fmt: skip
    open: Mapping[date, tuple[Interval, ...]] = named(
        HOURS, "hours by date", "One day's hours in place of its weekday's.", names=DATE,
        read=lambda node, name: dict(_opened(node)), example="{2026-12-23: 09:00-12:00}", codes=("CP114",), rank=1,
        told=msg("special hours"), aspect="open_days",
    )  # fmt: skip
    imports: tuple[ImportedFile, ...] = texts(
        "iCalendar files of closures, by their path below this folder.", key="import",
        read=lambda node, name: tuple(_imports(node)), example="closures.ics", codes=("CP101", "CP115", "CP606"),
        rank=1, told=msg("imported days"), aspect="imports",
    )  # fmt: skip
    at: At = located()


def _closed_days(node: Node) -> Iterator[tuple[date, date]]:
    for entry in node.each("closed"):
        if "import" not in entry:
            yield from _closed(entry)


def _opened(node: Node) -> Iterator[tuple[date, tuple[Interval, ...]]]:
    for said, hours in node.items("open"):
        day = hours.date(said, on_key=True)
        if day is not None:
            yield day, _intervals(hours)


def _imports(node: Node) -> Iterator[ImportedFile]:
    files = [*node.each("import"), *(each["import"] for each in node.each("closed") if "import" in each)]
    yield from (each for each in map(_imported, files) if each is not None)


def _closed(node: Node) -> Iterator[tuple[date, date]]:
    said = node.text()
    if re.fullmatch(r"\s*\d\d?-\d\d?(\s*/\s*\d\d?-\d\d?)?\s*", said):
        hint = "each year needs its own dates, such as 2026-12-24/2027-01-06"
        node.fault("CP114", f"{quoted(said)} has no year", hint)
        return
    meant = days_meant(said)
    if meant is not None and meant != "".join(said.split()):
        node.fault("CP114", f"{quoted(said)} is no date, and no two", f"write {meant}")
        return
    first, slash, last = said.partition("/")
    start = node.date(first.strip())
    end = node.date(last.strip()) if slash else start
    if start is None or end is None:
        return
    if end < start:
        node.fault("CP114", f"{last.strip()} is before {first.strip()}", "the first day comes first")
        return
    yield start, end


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
    week: list[tuple[Interval, ...]] = [()] * 7
    seen: dict[int, str] = {}
    for said, hours in node.items("hours"):
        intervals = _intervals(hours)
        for day in _days(said, hours):
            if day in seen:
                message = f'"{seen[day]}" has given the hours of {WEEKDAYS[day]} already'
                hours.fault("CP114", message, "give each weekday its hours once", on_key=True)
                break
            seen[day] = said
            week[day] = intervals
    return tuple(week)


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
