"""A calendar: when we are open, when a limit falls due, and how much open time lies between two instants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.errors import CalendarError, NeverOpen, OutOfRange
from carepolicy.businesstime.instants import (
    FIRST_ORDINAL,
    MICROSECOND,
    OUT,
    TWO_YEARS,
    microseconds,
    midnight_of,
    moment,
)
from carepolicy.businesstime.opentime import OpenTime
from carepolicy.policy.limit import (
    BUSINESS_DAYS,
    BUSINESS_TIME,
    CLOSE_OF_BUSINESS,
    DAY,
    MONTHS,
    NANODAYS,
    UNTIL,
    Limit,
    parse_limit,
)

if TYPE_CHECKING:
    from fractions import Fraction

    from carepolicy.businesstime.explanation import Explanation
    from carepolicy.policy.language.calendar import Closing, Season
    from carepolicy.policy.model import CalendarSpec, Holidays, ImportedFile, Interval
    from carepolicy.translations import Translation


ALL_DAY: tuple[tuple[Interval, ...], ...] = (((0, 86_400),),) * 7


class Calendar(OpenTime):
    """Opening hours in a time zone.

    ``hours[0]`` is Monday: intervals in seconds after local midnight, of which a closing may lie up to 24
    hours after its opening. ``closed`` are inclusive ranges of dates, each perhaps with its title; ``seasons`` give
    other hours in a part of every year; ``open`` gives the hours of single dates, whatever else is said of them.
    Raises ``CalendarError``.

    Rules of the clock: an hour falls at the first instant at which the zone's clock shows it or later.
    So where clocks go forward over an opening, it is open from the change on; an hour that comes twice
    counts at its first time; and a date that a zone leaves out has no open time.
    """

    __slots__ = ()

    def __init__(
        self,
        timezone: str,
        hours: tuple[tuple[Interval, ...], ...],
        *,
        name: str = "unnamed",
        holidays: Holidays | None = None,
        closed: tuple[Closing | tuple[date, date], ...] = (),
        open: Mapping[date, tuple[Interval, ...]] | None = None,
        imports: tuple[ImportedFile, ...] = (),
        seasons: tuple[Season, ...] = (),
    ) -> None:
        one_off = open or {}
        # Who takes a compiled calendar out of the cache does without what reads one.
        from carepolicy.businesstime.closures import read_closures
        from carepolicy.businesstime.holidays import check_holidays
        from carepolicy.businesstime.rules import Rules, check_hours
        from carepolicy.policy.language.calendar import Closing

        check_hours(hours, one_off, None, seasons)
        if holidays is not None:
            check_holidays(holidays)
        closings = tuple(Closing(*each) for each in closed)
        for begin, end, _ in closings:
            if isinstance(begin, date) and isinstance(end, date) and end < begin:
                raise CalendarError(f"the closed range {begin}/{end} ends before it begins", f"write {end}/{begin}")
        closures = tuple(read_closures(file, timezone) for file in imports)
        by_ordinal = {day.toordinal(): intervals for day, intervals in one_off.items()}
        super().__init__(Rules(timezone, hours, holidays, closings, by_ordinal, closures, seasons), name)

    @classmethod
    def from_spec(cls, spec: CalendarSpec) -> Calendar:
        """The calendar of organisation.yaml. Raises ``CalendarError``, whose ``at`` is the address of the fault."""
        try:
            return cls(
                spec.timezone,
                spec.hours,
                name=spec.name,
                holidays=spec.holidays,
                closed=spec.closed,
                open=spec.open,
                imports=spec.imports,
                seasons=spec.seasons,
            )
        except CalendarError as fault:
            raise CalendarError(fault.reason, fault.hint, fault.at or spec.at) from None

    @classmethod
    def round_the_clock(cls, timezone: str, name: str = "always") -> Calendar:
        """A calendar that is always open; its days are 23 or 25 hours long where clocks change."""
        return cls(timezone, ALL_DAY, name=name)

    def add_us(self, instant: int, limit: Limit, facts: Mapping[str, Any] | None = None) -> int | None:
        """When a limit that starts at ``instant`` falls due, in microseconds since 1970.

        ``facts`` hold an instant as an int, or a ``date``, which stands for the end of that date. None where
        the limit's fact has no value. Raises ``NeverOpen`` and ``OutOfRange``.
        """
        kind, amount = limit.kind, limit.amount
        if kind == BUSINESS_DAYS:
            due = self.days_later(instant, amount, limit.days) if amount else self.nothing_after(instant)
        elif kind == BUSINESS_TIME:
            due = self.instant(self.position(instant) + amount) if amount else self.nothing_after(instant)
        elif kind == CLOSE_OF_BUSINESS:
            due = self.date_instant(self.date_position(instant) + amount)
        elif kind == MONTHS:
            return self._months_later(instant, amount)
        elif kind == UNTIL:
            return self._hanging_on(limit, facts or {})
        else:
            return instant + amount
        if due - instant > TWO_YEARS and not self.opens_within_us(instant):
            raise NeverOpen(f"the calendar {self.name} has no open time in the two years after the start")
        return due

    def nothing_after(self, instant: int) -> int:
        """Zero open time after an instant: itself inside of hours (their end included), else the next opening."""
        return instant if self.is_inside_us(instant) else self.next_opening_us(instant)

    def opens_within_us(self, instant: int, length: int = TWO_YEARS) -> bool:
        """Whether there is open time in the ``length`` after an instant, both in microseconds."""
        return self.position(instant + length) > self.position(instant)

    def opens_within(self, start: datetime, years: int = 2) -> bool:
        """Whether there is open time in the years that follow ``start``."""
        return self.opens_within_us(microseconds(start), years * TWO_YEARS // 2)

    def add(self, start: datetime, limit: str | Limit | timedelta) -> datetime:
        """When a limit that starts at ``start`` falls due, in the zone of ``start``.

        A ``timedelta`` is open time, and may be zero or negative: then it is the last instant from which
        that much open time is left to ``start``. Raises ``LimitError`` for a text that is no limit,
        ``ValueError`` for a naive ``start`` or a limit that depends on a fact, ``NeverOpen``, ``OutOfRange``.
        """
        if isinstance(limit, str):
            limit = parse_limit(limit)
        elif isinstance(limit, timedelta):
            return moment(self._add_open(microseconds(start), limit // MICROSECOND), start)
        due = self.add_us(microseconds(start), limit)
        if due is None:
            raise ValueError(f"`{limit}` depends on a fact: ask due() with its value")
        return moment(due, start)

    def _add_open(self, instant: int, amount: int) -> int:
        if amount < 0:
            return self.last_instant(self.position(instant) + amount)
        due = self.add_us(instant, Limit(BUSINESS_TIME, amount, "business second"))
        return instant if due is None else due

    def due(
        self, start: datetime, limit: str | Limit, facts: Mapping[str, Any] | None = None, *, rolls: bool = False
    ) -> datetime | None:
        """As ``add``, with facts by dotted name: aware datetimes, dates, or microseconds since 1970.

        ``rolls`` moves a due time on a closed day to the next open one. None where the fact that the limit
        depends on is missing.
        """
        read = parse_limit(limit) if isinstance(limit, str) else limit
        values = {
            name: microseconds(value) if isinstance(value, datetime) else value for name, value in (facts or {}).items()
        }
        due = self.due_us(microseconds(start), read, values, rolls)
        return None if due is None else moment(due, start)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The open time from ``start`` to ``end``; negative where ``end`` is earlier."""
        return self.between_us(microseconds(start), microseconds(end)) * MICROSECOND

    def between_days(self, start: datetime, end: datetime) -> Fraction:
        """The business days from ``start`` to ``end``, to the nanoday; negative where ``end`` is earlier."""
        from fractions import Fraction

        return Fraction(self.day_position(microseconds(end)) - self.day_position(microseconds(start)), NANODAYS)

    def is_open(self, at: datetime) -> bool:
        """Whether it is open. It is at an opening instant; at a closing instant it is not."""
        return self.is_open_us(microseconds(at))

    def next_opening(self, at: datetime) -> datetime:
        """``at`` where it is open, else the next opening."""
        return moment(self.next_opening_us(microseconds(at)), at)

    def roll(self, instant: int, ends_date: bool = False) -> int:
        """An instant on a date without open time, moved to the same local time of the next open date.

        With ``ends_date`` the instant is the end of a date (midnight) and stays the end of one. An instant
        inside of open time, its end included, stays where it is.
        """
        if self.is_inside_us(instant):
            return instant
        ordinal, time = divmod(self.local(instant - ends_date), DAY)
        day = self.open_date_from(ordinal + FIRST_ORDINAL, instant)
        if day == ordinal + FIRST_ORDINAL:
            return instant
        return self.utc(midnight_of(day + 1) if ends_date else midnight_of(day) + time)

    def end_of(self, day: date) -> int:
        """The instant at which a date ends on the local clock."""
        if not 1970 <= day.year <= 2200:
            raise OutOfRange(OUT)
        return self.utc(midnight_of(day.toordinal() + 1))

    def is_end_of_date(self, instant: int) -> bool:
        """Whether a date ends at an instant; the next one may begin later than at midnight, or be left out."""
        return self.local(instant - 1) // DAY < self.local(instant) // DAY

    def due_us(
        self, instant: int, limit: Limit, facts: Mapping[str, Any] | None = None, rolls: bool = False
    ) -> int | None:
        """As ``add_us``, rolled on to an open date where ``rolls`` says so."""
        due = self.add_us(instant, limit, facts)
        if due is None or not rolls:
            return due
        dated = limit.fact is not None and isinstance((facts or {}).get(limit.fact), date)
        return self.roll(due, dated and self.is_end_of_date(due))

    def explain(
        self,
        start: datetime,
        limit: str | Limit,
        facts: Mapping[str, Any] | None = None,
        *,
        rolls: bool = False,
        words: Translation | None = None,
    ) -> Explanation:
        """Why a limit falls due when it does: what was counted, and which days were left out, and why; in ``words``,
        or in English."""
        from carepolicy.businesstime.explanation import IN_ENGLISH, explain

        read, values = parse_limit(limit) if isinstance(limit, str) else limit, facts or {}
        due = self.due(start, read, values)
        fact = None if due is None or read.fact is None else self._instant_of(values[read.fact])
        return explain(self, start, read, fact, due, self.due(start, read, values, rolls=rolls), words or IN_ENGLISH)

    def _instant_of(self, value: Any) -> int:
        """The instant of a fact's value; a date stands for its end."""
        if isinstance(value, datetime):
            return microseconds(value)
        return self.end_of(value) if isinstance(value, date) else int(value)

    def _months_later(self, instant: int, months: int) -> int:
        """The same time of the local clock on the date some months on, clamped to the month's last day."""
        ordinal, time = divmod(self.local(instant), DAY)
        day = _later_date(date.fromordinal(ordinal + FIRST_ORDINAL), months)
        return self.utc(midnight_of(day.toordinal()) + time)

    def _hanging_on(self, limit: Limit, facts: Mapping[str, Any]) -> int | None:
        """When a limit that hangs on a fact falls due; None where the fact has no value.

        A date stands for its end, so that the whole day counts.
        """
        value = facts.get(limit.fact or "")
        if isinstance(value, date):
            return self._from_date(limit, value)
        if not isinstance(value, int):
            return None
        if limit.offset is None:
            return value
        return self._from_instant(limit.offset, limit.direction, value)

    def _from_date(self, limit: Limit, day: date) -> int:
        offset = limit.offset
        if offset is not None and offset.kind == MONTHS:
            return self.end_of(_later_date(day, limit.direction * offset.amount))
        if offset is not None and offset.kind == CLOSE_OF_BUSINESS:
            # The end of a date is the first instant of the next one: days are counted from the date itself.
            return self._from_instant(offset, limit.direction, self.end_of(day) - 1)
        if offset is not None and offset.kind == BUSINESS_DAYS and limit.direction < 0 and offset.amount >= NANODAYS:
            return self.day_instant(self.position_before_date(day.toordinal()) + NANODAYS - offset.amount)
        end = self.end_of(day)
        return end if offset is None else self._from_instant(offset, limit.direction, end)

    def _from_instant(self, offset: Limit, direction: int, instant: int) -> int:
        """``offset`` after or before an instant. Before: the last instant from which it falls due by then."""
        amount = offset.amount
        if offset.kind == BUSINESS_TIME:
            position = self.position(instant)
            return self.instant(position + amount) if direction > 0 else self.last_instant(position - amount)
        if offset.kind == BUSINESS_DAYS:
            position = self.day_position(instant)
            if direction > 0:
                return self.day_instant(position + amount)
            return self.last_day_instant(position - amount)
        if offset.kind == CLOSE_OF_BUSINESS:
            if direction > 0:
                return self.date_instant(self.date_position(instant) + amount)
            midnight = self.utc(self.local(instant) // DAY * DAY)
            return self.date_instant(self.date_position(midnight - 1) - amount + NANODAYS)
        if offset.kind == MONTHS:
            return self._months_later(instant, direction * amount)
        return instant + direction * amount


def _later_date(day: date, months: int) -> date:
    """The same date some months on (or back), clamped to the last day of its month."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1969 <= years <= 2201:
        raise OutOfRange(OUT)
    first_of_next = date(years + (month == 11), (month + 1) % 12 + 1, 1)
    last = date.fromordinal(first_of_next.toordinal() - 1).day
    return date(years, month + 1, min(day.day, last))
