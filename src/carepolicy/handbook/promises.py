"""The promises of a set: every clock in one row, and each clock of a flow with its examples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.businesstime import NeverOpen, OutOfRange
from carepolicy.charts.text import clean, identifier
from carepolicy.handbook.steps import anchor_of, limit_choices, limits_in_words
from carepolicy.policy.limit import BUSINESS_DAYS, BUSINESS_TIME, CLOSE_OF_BUSINESS
from carepolicy.policy.placeholders import PlaceholderError, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.businesstime import Calendar, Limit
    from carepolicy.charts.words import Words
    from carepolicy.handbook.book import Book
    from carepolicy.policy.model import CalendarSpec, Clock, Flow


@dataclass(frozen=True, slots=True)
class Promise:
    """One clock as a row: what is promised, in what time, counted in which calendar, and in how many cases."""

    flow: str
    flow_title: str
    anchor: str
    title: str
    promise: str
    limit: str
    target: str
    calendar: str


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit of a clock: its words, its condition, worked examples, and what it hangs on ("" for nothing)."""

    limit: str
    condition: str
    examples: tuple[str, ...]
    hangs_on: str
    rolls: bool


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A clock with all that a flow's page tells of it. States are pairs of anchor and title."""

    promise: Promise
    choices: tuple[LimitRow, ...]
    runs_in: tuple[tuple[str, str], ...]
    pauses_in: tuple[tuple[str, str], ...]
    never_pauses: str
    restarts_on: str
    warns_at: str
    counts_from: str


def promises_of(book: Book) -> list[Promise]:
    """Every clock of every flow, by the order of the files."""
    return [promise_of(book, flow, clock) for flow in book.policies.flows.values() for clock in flow.clocks.values()]


def promise_of(book: Book, flow: Flow, clock: Clock) -> Promise:
    """One clock as a row."""
    words = book.words(flow)
    limits = limits_in_words(book, words, clock)
    calendar = book.calendar_of(flow, clock)
    return Promise(
        flow=flow.name,
        flow_title=words.flow_title(flow.name),
        anchor=clock_anchor(clock.name),
        title=words.clock(clock.name),
        promise=clean(_promised(book, clock)),
        limit=limits,
        target="" if clock.target is None else _share(clock.target),
        calendar=book.calendar_title(calendar) if calendar and _is_counted(book, clock) else book.ui.elapsed,
    )


def _promised(book: Book, clock: Clock) -> str:
    """A clock's promise in the language in which it is written, with its limit filled in."""
    spoken = book.spoken_of(clock.promise)

    def told(case: str) -> str:
        return " / ".join(dict.fromkeys(f"{book.limit(choice.limit, spoken):{case}}" for choice in clock.limits))

    try:
        found = pieces(clock.promise)
    except PlaceholderError:
        return clock.promise
    organisation = book.policies.organisation.name
    names = ((each if isinstance(each, str) else each.names[0]) for each in found)
    return "".join(
        each if isinstance(each, str) else told(each.case) if each.name == "limit" else organisation for each in names
    )


def clocks_of(book: Book, flow: Flow) -> list[ClockRow]:
    """The clocks of a flow, by the order of its file."""
    return [_row(book, flow, clock) for clock in flow.clocks.values()]


def clock_anchor(name: str) -> str:
    """The id of a clock in its flow's page."""
    return f"clock-{identifier(name)}"


def _row(book: Book, flow: Flow, clock: Clock) -> ClockRow:
    words = book.words(flow)
    return ClockRow(
        promise=promise_of(book, flow, clock),
        choices=tuple(_choices(book, words, clock)),
        runs_in=tuple((anchor_of(name), words.state(name)) for name in clock.runs_in),
        pauses_in=tuple((anchor_of(name), words.state(name)) for name in clock.pauses_in),
        never_pauses=clean(clock.never_pauses or ""),
        restarts_on=", ".join(words.event(name) for name in clock.restarts_on),
        warns_at=", ".join(words.warning(each) for each in clock.warn_at),
        counts_from=book.fact(clock.counts_from) if clock.counts_from is not None else "",
    )


def _choices(book: Book, words: Words, clock: Clock) -> list[LimitRow]:
    found: list[LimitRow] = []
    for choice, (said, condition) in zip(clock.limits, limit_choices(book, words, clock), strict=True):
        limit = book.parsed(choice.limit)
        calendar = book.calendar_of(words.flow, clock, choice)
        examples = [] if limit is None else examples_of(book, limit, calendar, choice.rolls is not None)
        hangs_on = ", ".join(map(book.fact, limit.reads)) if limit is not None else ""
        found.append(LimitRow(said, condition, tuple(examples), hangs_on, choice.rolls is not None))
    return found


def _is_counted(book: Book, clock: Clock) -> bool:
    limits = [book.parsed(choice.limit) for choice in clock.limits]
    each = [part for limit in limits if limit is not None for part in limit.all]
    kinds = {part.offset.kind if part.offset is not None else part.kind for part in each}
    return bool(kinds & set(COUNTED))


def _share(share: float) -> str:
    return f"{share * 100:g} %"


COUNTED = (BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS)
_QUIET_DAYS = 14
_LAST_HALF_HOUR = timedelta(minutes=30)


def examples_of(book: Book, limit: Limit, calendar: str | None, rolls: bool) -> list[str]:
    """Sentences that say when the limit falls due for typical arrivals; none where it hangs on a fact."""
    spec = book.policies.organisation.calendars.get(calendar or "")
    if limit.reads or spec is None:
        return []
    compiled = book.calendars[spec.name]
    found: list[str] = []
    for start in _arrivals_of(book, spec, any(part.kind in COUNTED for part in limit.all)):
        try:
            dues = [(compiled.due(start, part, rolls=rolls), part.strict) for part in limit.all]
        except (NeverOpen, OutOfRange):
            continue
        ahead = [(due, not strict) for due, strict in dues if due is not None]
        if ahead:
            due, inclusive = min(ahead)
            sentence = book.ui.example if inclusive else book.ui.example_strict
            found.append(sentence.format(book.moment(start), book.moment(due.astimezone(start.tzinfo))))
    return list(dict.fromkeys(found))


def _arrivals_of(book: Book, spec: CalendarSpec, counted: bool) -> tuple[datetime, ...]:
    """The typical arrivals in a calendar, worked out once a book: they cost a look at every day of the year."""
    key = (spec.name, counted)
    if key not in book.arrivals:
        book.arrivals[key] = tuple(_arrivals(spec, book.calendars[spec.name], book.year, counted))
    return book.arrivals[key]


def _arrivals(spec: CalendarSpec, calendar: Calendar, year: int, counted: bool) -> Iterator[datetime]:
    """A quiet Tuesday; half an hour before the week's last closing; a closed day; the eve of a holiday."""
    zone = ZoneInfo(spec.timezone)
    monday = _quiet_monday(spec, calendar, year)
    week = [spec.hours_on(monday + timedelta(days=day)) for day in range(7)]
    opening = week[1][0][0] if week[1] else 36_000
    open_at_ten = any(begin <= 36_000 < end for begin, end in week[1])
    yield _at(monday + timedelta(days=1), max(opening, 36_000) if open_at_ten else opening, zone)
    last = max((day for day in range(5) if week[day]), default=None)
    if last is not None:
        yield _at(monday + timedelta(days=last), week[last][-1][1], zone) - _LAST_HALF_HOUR
    if not counted:
        return
    closed = next((day for day in (6, 5) if not week[day]), None)
    if closed is not None:
        yield _at(monday + timedelta(days=closed), 39_600, zone)
    eve = _eve_of_holiday(spec, calendar, year)
    if eve is not None:
        yield _at(eve, spec.hours_on(eve)[-1][1], zone) - _LAST_HALF_HOUR


def _quiet_monday(spec: CalendarSpec, calendar: Calendar, year: int) -> date:
    """The first Monday from March on that two weeks of ordinary hours follow; the first of all where there is none."""
    first = date(year, 3, 1)
    first += timedelta(days=-first.weekday() % 7)
    unusual = _unusual(spec, calendar, year)
    for week in range(40):
        monday = first + timedelta(weeks=week)
        if not any(monday + timedelta(days=day) in unusual for day in range(_QUIET_DAYS)):
            return monday
    return first


def _unusual(spec: CalendarSpec, calendar: Calendar, year: int) -> set[date]:
    return {date.fromordinal(ordinal) for ordinal in calendar.rules.closed_days(year, year + 1)} | set(spec.open)


def _eve_of_holiday(spec: CalendarSpec, calendar: Calendar, year: int) -> date | None:
    """The last ordinary open day before the year's first closed day that is none of the weekly rest."""
    unusual = _unusual(spec, calendar, year)
    for day in sorted(day for day in unusual if day.year == year and spec.hours_on(day)):
        for back in range(1, 7):
            eve = day - timedelta(days=back)
            if eve.year == year and eve not in unusual and spec.hours_on(eve):
                return eve
    return None


def _at(day: date, seconds: int, zone: ZoneInfo) -> datetime:
    moment = datetime.combine(day, time()) + timedelta(seconds=seconds)
    return moment.replace(tzinfo=zone)
