"""Calendars as the model holds them: opening hours by weekday and date, closed days, holidays, imports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from carepolicy.policy.called import days_meant, hours_meant
from carepolicy.policy.findings import did_you_mean, quoted
from carepolicy.policy.model import CalendarSpec, Holidays, ImportedFile, Interval
from carepolicy.policy.part import Part, in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 86_400
"""Seconds of wall-clock time."""

HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_HINT = "hours are written like 09:00-17:30; 24:00 ends a day"


def build_calendar(name: str, part: Part, timezone: str, files: Mapping[str, bytes]) -> CalendarSpec:
    """The calendar that ``part`` describes. ``files`` are those that it may import, by their path."""
    holidays = part.find("holidays")
    closed: list[tuple[date, date]] = []
    imports = [each for each in (_imported(file, files) for file in part.each("import")) if each is not None]
    for entry in part.each("closed"):
        if "import" in entry:
            imported = _imported(entry["import"], files)
            imports += [imported] if imported is not None else []
        else:
            closed += _closed(entry)
    opened: dict[date, tuple[Interval, ...]] = {}
    for said, hours in part.items("open"):
        day = hours.date(said, on_key=True)
        if day is not None:
            opened[day] = _intervals(hours)
    return CalendarSpec(
        name=name,
        title=part.said("title", in_words(name)),
        timezone=part.said("timezone", timezone),
        hours=_week(part),
        holidays=_holidays(holidays) if holidays is not None else None,
        closed=tuple(closed),
        open=opened,
        imports=tuple(imports),
        at=part.at,
    )


def _holidays(part: Part) -> Holidays:
    return Holidays(
        part.said("country"), part.maybe("subdivision"), _dates(part, "except"), _dates(part, "also"), part.at
    )


def _dates(part: Part, key: str) -> tuple[date, ...]:
    return tuple(day for day in (each.date() for each in part.each(key)) if day is not None)


def _closed(part: Part) -> Iterator[tuple[date, date]]:
    said = part.text()
    if re.fullmatch(r"\s*\d\d?-\d\d?(\s*/\s*\d\d?-\d\d?)?\s*", said):
        hint = "each year needs its own dates, such as 2026-12-24/2027-01-06"
        part.fault("CP114", f"{quoted(said)} has no year", hint)
        return
    meant = days_meant(said)
    if meant is not None and meant != "".join(said.split()):
        part.fault("CP114", f"{quoted(said)} is no date, and no two", f"write {meant}")
        return
    first, slash, last = said.partition("/")
    start = part.date(first.strip())
    end = part.date(last.strip()) if slash else start
    if start is None or end is None:
        return
    if end < start:
        part.fault("CP114", f"{last.strip()} is before {first.strip()}", "the first day comes first")
        return
    yield start, end


def _imported(part: Part, files: Mapping[str, bytes]) -> ImportedFile | None:
    path = part.text()
    if path not in files:
        hint = did_you_mean(path, files) or "it must end in .ics and stand in the policy folder or a folder in it"
        part.fault("CP115", f"there is no file {quoted(path)} to import", hint)
        return None
    try:
        return ImportedFile(path, files[path].decode("utf-8-sig"), part.at)
    except UnicodeDecodeError as problem:
        part.fault("CP101", f"{path} is not UTF-8: see its byte {problem.start + 1}", "save it with the encoding UTF-8")
        return None


def _week(part: Part) -> tuple[tuple[Interval, ...], ...]:
    week: list[tuple[Interval, ...]] = [()] * 7
    seen: dict[int, str] = {}
    for said, hours in part.items("hours"):
        intervals = _intervals(hours)
        for day in _days(said, hours):
            if day in seen:
                message = f'"{seen[day]}" has given the hours of {WEEKDAYS[day]} already'
                hours.fault("CP114", message, "give each weekday its hours once", on_key=True)
                break
            seen[day] = said
            week[day] = intervals
    return tuple(week)


def _days(said: str, part: Part) -> list[int]:
    """The weekdays of ``mon``, ``mon-thu`` or (past the week's end) ``sat-mon``."""
    names = [name.strip() for name in said.split("-")]
    if len(names) > 2 or not all(name in WEEKDAYS for name in names):
        part.fault("CP114", f"{quoted(said)} is no weekday", _meant_days(said), on_key=True)
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


def _intervals(part: Part) -> tuple[Interval, ...]:
    """The intervals of one day in order of time; what overlaps is a fault."""
    found: list[tuple[Interval, Part]] = []
    for entry in part.entries():
        interval = _interval(entry)
        if interval is not None:
            found.append((interval, entry))
    found.sort(key=lambda each: each[0])
    for (before, first), (after, second) in pairwise(found):
        if after[0] < before[1]:
            message = f"these hours overlap {first.text().strip()} of the same day"
            second.fault("CP114", message, "begin when the other ends, or later")
    return tuple(interval for interval, _ in found)


def _interval(part: Part) -> Interval | None:
    said = part.text()
    match = HOURS.fullmatch(said)
    if match is None:
        meant = hours_meant(said)
        part.fault("CP114", f"{quoted(said)} is no opening hours", _HINT if meant is None else f"write {meant}")
        return None
    opens, closes = _seconds(match[1], match[2]), _seconds(match[3], match[4])
    if opens is None or closes is None or opens == DAY:
        part.fault("CP114", f"{quoted(said)} has a time that no clock shows", _HINT)
        return None
    if opens == closes:
        part.fault("CP114", f"{quoted(said)} is no time at all", "a day that is open round the clock is 00:00-24:00")
        return None
    return opens, closes if closes > opens else closes + DAY


def _seconds(hours: str, minutes: str) -> int | None:
    seconds = int(hours) * 3600 + int(minutes) * 60
    return seconds if int(minutes) < 60 and seconds <= DAY else None
