"""When we are open: each calendar's weekly hours, and the year's closed days and special hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean
from carepolicy.machine.locales import hours_in_words

if TYPE_CHECKING:
    from carepolicy.handbook.phrases import Book
    from carepolicy.policy.model import CalendarSpec


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """A calendar in words. ``closed`` and ``special`` are pairs: the day or days, and why or from when to when."""

    name: str
    title: str
    hours: str
    timezone: str
    closed: tuple[tuple[str, str], ...]
    special: tuple[tuple[str, str], ...]


def calendar_pages(book: Book) -> list[CalendarPage]:
    """Every calendar of the set, by the order of the file."""
    return [_page(book, spec) for spec in book.policies.organisation.calendars.values()]


def _page(book: Book, spec: CalendarSpec) -> CalendarPage:
    special = [(book.day(day), _hours(book, spec, day)) for day in sorted(spec.open) if day.year == book.year]
    return CalendarPage(
        name=spec.name,
        title=book.calendar_title(spec.name),
        hours=hours_in_words(spec.hours, book.ui.language),
        timezone=spec.timezone,
        closed=tuple(_closed(book, spec)),
        special=tuple(special),
    )


def _closed(book: Book, spec: CalendarSpec) -> list[tuple[str, str]]:
    """The year's closed days on which the week would be open; days in a row with one reason are one line."""
    rules = book.calendars[spec.name].rules
    own = {day: book.ui.closed_word for first, last in spec.closed for day in _days(first, last)}
    runs: list[tuple[date, date, str]] = []
    for ordinal, why in sorted(rules.closed_days(book.year, book.year).items()):
        day = date.fromordinal(ordinal)
        if day in spec.open or not spec.hours[day.weekday()]:
            continue
        reason = own.get(day, clean(why))
        if runs and runs[-1][1] == day - timedelta(days=1) and runs[-1][2] == reason:
            runs[-1] = (runs[-1][0], day, reason)
        else:
            runs.append((day, day, reason))
    return [(book.day(a) if a == b else f"{book.day(a)} – {book.day(b)}", reason) for a, b, reason in runs]


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _hours(book: Book, spec: CalendarSpec, day: date) -> str:
    intervals = spec.open[day]
    if not intervals:
        return book.ui.closed
    return hours_in_words((intervals, *((),) * 6), book.ui.language).partition(" ")[2]
