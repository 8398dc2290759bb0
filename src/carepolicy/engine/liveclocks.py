"""Clocks and limits made ready to run: linked to calendars, and to what their records have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.record import ClockBasis, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.machine.program import ClockTable, Function, LimitTable
    from carepolicy.policy.limit import Limit


class LiveLimit:
    """A limit of a clock in one calendar.

    ``position`` and ``instant`` translate between instants and the limit's own basis; both are None
    for elapsed time, whose positions are the instants themselves. ``day_zero`` is the position of the end of an
    instant's day, for closings, which count from that of the start. ``measure`` names the kind of time that is
    counted. ``amount`` is in units of the basis, ``unit`` of which make a second; None where it depends on the start
    or on facts. ``plain`` ones have an amount, and count from any instant in the same way.
    """

    __slots__ = (
        "amount",
        "calendar",
        "dated",
        "day_zero",
        "extended_as",
        "instant",
        "limit",
        "measure",
        "months",
        "place",
        "plain",
        "position",
        "reads",
        "recounted_as",
        "rolls",
        "rounded",
        "strict",
        "told",
        "unit",
        "until",
        "when",
    )

    def __init__(self, table: LimitTable, place: int, calendar: Calendar, clock: str) -> None:
        limit = table.limit
        self.place = place
        self.limit: Limit = limit
        self.when: Function | None = table.when
        self.rolls = table.rolls
        self.strict = limit.strict
        self.reads = table.reads
        self.calendar = calendar
        self.until = limit.kind == "until"
        self.months = limit.kind == "months"
        self.dated = self.until or self.months
        self.amount: int = 0 if self.dated else limit.amount
        self.unit = 1_000_000
        self.rounded = 1 if limit.kind == "business_days" else 0
        self.position: Callable[[int], int] | None = None
        self.instant: Callable[[int], int] | None = None
        if limit.kind == "business_time":
            self.position, self.instant = calendar.position, calendar.instant
        elif limit.kind == "business_days":
            self.position, self.instant, self.unit = calendar.day_position, calendar.day_instant, 1_000_000_000
        elif limit.kind == "close_of_business":
            self.position, self.instant, self.unit = calendar.closing_position, calendar.date_instant, 1_000_000_000
        self.day_zero = calendar.date_position if limit.kind == "close_of_business" else None
        self.measure: str = "elapsed" if self.position is None else limit.kind
        self.plain = not self.dated and not self.rolls and self.day_zero is None
        self.told = ClockBasis(clock, limit.basis, seconds(self.amount, self.unit))
        self.extended_as = f"the limit is now {self.limit}"
        self.recounted_as = f"it counts in the calendar {self.calendar.name} now"


class LiveClock:
    """A clock; ``choices`` are its limits by the index of the state (they differ where calendars do).

    ``lates`` counts its rounds that fell late so far.
    """

    __slots__ = (
        "bit",
        "choices",
        "counts_from",
        "goes_on",
        "index",
        "late_trigger",
        "lates",
        "met_trigger",
        "name",
        "phases",
        "place",
        "reads",
        "restarts_on",
        "warned_trigger",
        "warns",
    )

    def __init__(self, index: int, table: ClockTable, calendars: Mapping[str, Calendar]) -> None:
        self.index = index
        self.bit = 1 << index
        self.name = table.name
        self.phases = table.phases
        self.goes_on = table.goes_on
        self.lates = 0
        self.restarts_on = table.restarts_on
        self.warns = tuple(each.share for each in table.warns)
        self.counts_from = table.counts_from
        self.place = table.place
        self.reads = frozenset(fact for each in table.limits for fact in each.reads)
        self.warned_trigger = f"{table.name}.warned"
        self.late_trigger = f"{table.name}.late"
        self.met_trigger = f"{table.name}.met"
        by_calendar = {
            name: tuple(LiveLimit(each, at, calendars[name], table.name) for at, each in enumerate(table.limits))
            for name in sorted(set(table.calendars))
        }
        self.choices = tuple(by_calendar[name] for name in table.calendars)
