"""What the first page tells: when we are open (weekly hours, closed days, special hours), and who owns what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from carepolicy.charts.text import clean
from carepolicy.machine.locales import hours_in_words, locale_in, value_in_words
from carepolicy.policy.likeness import compared
from carepolicy.policy.region import region_of
from carepolicy.policy.strata import effects_of

if TYPE_CHECKING:
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import CalendarSpec, Flow


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """A calendar in words, with the days of the book's year and of the next that are not as the others."""

    name: str
    title: str
    hours: str
    timezone: str
    years: tuple[YearPage, ...]


@dataclass(frozen=True, slots=True)
class YearPage:
    """A year of a calendar. ``closed`` and ``special`` are pairs: the day or days, and why or from when to when."""

    year: int
    closed: tuple[tuple[str, str], ...]
    special: tuple[tuple[str, str], ...]


def calendar_pages(book: Book) -> list[CalendarPage]:
    """Every calendar of the set, by the order of the file."""
    return [_page(book, spec) for spec in book.policies.organisation.calendars.values()]


def _page(book: Book, spec: CalendarSpec) -> CalendarPage:
    region = region_of(book.policies.organisation)
    return CalendarPage(
        name=spec.name,
        title=book.calendar_title(spec.name),
        hours=hours_in_words(spec.hours, locale_in(book.ui_language, region), spec.seasons),
        timezone=spec.timezone,
        years=tuple(_year(book, spec, year) for year in (book.year, book.year + 1)),
    )


def _year(book: Book, spec: CalendarSpec, year: int) -> YearPage:
    special = tuple((book.day(day), _hours(book, spec, day)) for day in sorted(spec.open) if day.year == year)
    return YearPage(year, tuple(_closed(book, spec, year)), special)


def _closed(book: Book, spec: CalendarSpec, year: int) -> list[tuple[str, str]]:
    """The year's closed days on which the week would be open; days in a row with one reason are one line."""
    rules = book.calendars[spec.name].rules
    own = {
        day: clean(closing.title) or book.ui.closed_word
        for closing in spec.closed
        for first, last in closing.times(year, year)
        for day in _days(first, last)
    }
    runs: list[tuple[date, date, str]] = []
    for ordinal, why in sorted(rules.closed_days(year, year).items()):
        day = date.fromordinal(ordinal)
        if day in spec.open or not spec.hours_on(day):
            continue
        reason = own.get(day, clean(why))
        if runs and runs[-1][1] == day - timedelta(days=1) and runs[-1][2] == reason:
            runs[-1] = (runs[-1][0], day, reason)
        else:
            runs.append((day, day, reason))
    return [(_span(book, a, b), reason) for a, b, reason in runs]


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _hours(book: Book, spec: CalendarSpec, day: date) -> str:
    intervals = spec.open[day]
    if not intervals:
        return book.ui.closed
    return hours_in_words((intervals, *((),) * 6), book.ui_language).partition(" ")[2]


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role: its people and deputy, how much it may decide on, and its letters (of RACI) by flow."""

    name: str
    title: str
    people: str
    deputy: str
    authority: str
    letters: tuple[str, ...]


def matrix_of(book: Book) -> list[RoleRow]:
    """A row for each role, with a text of the letters A, R, C and I for each flow in the order of the files.

    A: owns the flow. R: owns a step. C: the flow's steward, or a role to whom its cases are given. I: is
    told. A role that answers or acts is not said to be told as well.
    """
    organisation = book.policies.organisation
    shares = [_shares(flow) for flow in book.policies.flows.values()]
    return [
        RoleRow(
            name=role.name,
            title=book.role(role.name),
            people=", ".join(_person(book, person) for person in role.people),
            deputy=book.role(role.deputy),
            authority="" if role.authority is None else _amount(book, role.authority),
            letters=tuple(_letters(role.name, share) for share in shares),
        )
        for role in organisation.roles.values()
    ]


def _person(book: Book, person: str) -> str:
    """A person's name, and when he is away from the year of the book on."""
    away = [each for name, found in book.policies.organisation.away.items() if compared(name) == compared(person)
            for each in found if each.last.year >= book.year]  # fmt: skip
    days = [
        _span(book, each.first, each.last) + (f" ({clean(each.title)})" if each.title else "")
        for each in sorted(away, key=lambda each: each.first)
    ]
    return clean(person) + (f" – {book.ui.away.format('; '.join(days))}" if days else "")


def _span(book: Book, first: date, last: date) -> str:
    return book.day(first) if first == last else f"{book.day(first)} – {book.day(last)}"


def _shares(flow: Flow) -> dict[str, set[str]]:
    effects = list(effects_of(flow))
    return {
        "A": {flow.owner},
        "R": {state.owner for state in flow.states.values() if state.owner is not None},
        "C": {flow.steward or ""} | {each.assign for each in effects if each.assign is not None},
        "I": {tell.role for each in effects for tell in each.tell},
    }


def _letters(role: str, shares: dict[str, set[str]]) -> str:
    acts = "".join(letter for letter in "AR" if role in shares[letter])
    return acts or next((letter for letter in "CI" if role in shares[letter]), "")


def _amount(book: Book, amount: object) -> str:
    """A sum of money in the currency of the set's money facts, or a bare number where they have several."""
    currencies = {fact.currency for fact in book.policies.organisation.facts.values() if fact.type == "money"}
    currency = currencies.pop() if len(currencies) == 1 else None
    kind = "money" if currency is not None else "number"
    return value_in_words(amount, kind, currency, book.ui_language, book.policies.organisation.timezone)
