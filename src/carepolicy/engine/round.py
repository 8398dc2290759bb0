"""A round: one run of a clock under one of its limits, when it falls due and warns, and the time that it has used."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.engine.instants import FIRST_INSTANT, FIRST_YEAR, LAST_INSTANT, NEVER
from carepolicy.engine.record import ClockBasis, seconds
from carepolicy.machine.program import LimitTable
from carepolicy.policy.limit import (
    BUSINESS_DAYS,
    BUSINESS_TIME,
    CLOSE_OF_BUSINESS,
    ELAPSED,
    LONGEST,
    NANODAYS,
    UNITS,
    UNTIL,
    Limit,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.machine.program import ClockTable, Function


class LiveLimit:
    """A limit of a clock in one calendar.

    ``position`` and ``instant`` translate between instants and the limit's own basis; both are None
    for elapsed time, whose positions are the instants themselves. ``day_zero`` is the position of the end of an
    instant's day, for closings, which count from that of the start. ``measure`` names the kind of time that is
    counted. ``amount`` is in units of the basis, ``unit`` of which make a second; None where it depends on the start
    or on facts. ``plain`` ones have an amount, and count from any instant in the same way.

    Of a limit that is the first to fall due of several (``whole``), each is a live limit of its own: ``parts`` are
    all of them, ``part`` the number of this one, and ``chosen`` the first, by which they are chosen. Of any other limit
    ``whole`` and ``chosen`` are what it is itself, and it has no parts.
    """

    __slots__ = (
        "amount",
        "calendar",
        "chosen",
        "dated",
        "day_zero",
        "extended_as",
        "instant",
        "limit",
        "measure",
        "months",
        "moves",
        "part",
        "parts",
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
        "whole",
    )

    def __init__(self, table: LimitTable, place: int, calendar: Calendar, clock: str, part: int = 0) -> None:
        self.whole: Limit = table.limit
        limit = self.whole.all[part]
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
        self.part = part
        self.parts: tuple[LiveLimit, ...] = ()
        self.chosen: LiveLimit = self
        self.moves = self.until
        self.plain = not self.dated and not self.rolls and self.day_zero is None and not self.whole.parts
        self.told = ClockBasis(clock, limit.basis, seconds(self.amount, self.unit))
        self.extended_as = f"the limit is now {self.limit}"
        self.recounted_as = f"it counts in the calendar {self.calendar.name} now"


def live_limit(table: LimitTable, place: int, calendar: Calendar, clock: str) -> LiveLimit:
    """A limit of a clock in a calendar; of the first of several, the one by which they are chosen."""
    first = LiveLimit(table, place, calendar, clock)
    if table.limit.parts:
        others = (LiveLimit(table, place, calendar, clock, part) for part in range(1, len(table.limit.parts)))
        parts = (first, *others)
        moves = any(each.until for each in parts)
        for each in parts:
            each.parts, each.chosen, each.moves = parts, first, moves
    return first


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
        "lengths",
        "marks",
        "measures",
        "met_trigger",
        "name",
        "phases",
        "place",
        "plans",
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
        self.warns = tuple(each.share for each in table.warns if each.mark is None)
        self.marks = tuple(each.mark for each in table.warns if each.mark is not None)
        self.plans = bool(table.warns)
        self.lengths: dict[tuple[int, str], LiveLimit] = {}
        self.measures: tuple[LiveLimit, ...] = ()
        self.counts_from = table.counts_from
        self.place = table.place
        self.reads = frozenset(fact for each in table.limits for fact in each.reads)
        self.warned_trigger = f"{table.name}.warned"
        self.late_trigger = f"{table.name}.late"
        self.met_trigger = f"{table.name}.met"
        by_calendars: dict[tuple[str, ...], tuple[LiveLimit, ...]] = {}
        found: list[tuple[LiveLimit, ...]] = []
        for state, name in enumerate(table.calendars):
            names = tuple(name if each.calendars is None else each.calendars[state] for each in table.limits)
            if names not in by_calendars:
                by_calendars[names] = tuple(
                    live_limit(each, at, calendars[own], table.name)
                    for at, (each, own) in enumerate(zip(table.limits, names, strict=True))
                )
            found.append(by_calendars[names])
        self.choices = tuple(found)

    def length_of(self, mark: int, calendar: Calendar) -> LiveLimit:
        """The length of a warning as a limit in a calendar, by which the time that is used is counted."""
        found = self.lengths.get((mark, calendar.name))
        if found is None:
            table = LimitTable(None, self.marks[mark].length, False, frozenset())
            found = self.lengths[mark, calendar.name] = LiveLimit(table, 0, calendar, self.name)
        return found

    def all_measures(self) -> tuple[LiveLimit, ...]:
        """A limit of each measure in which the time of its rounds may ever be counted: elapsed time, and each kind of
        business time in each of its calendars."""
        if not self.measures:
            limits = [each for choices in self.choices for chosen in choices for each in chosen.parts or (chosen,)]
            calendars = list({each.calendar.name: each.calendar for each in limits}.values())
            kinds = [(ELAPSED, each) for each in calendars[:1]]
            kinds += [(kind, each) for each in calendars for kind in (BUSINESS_TIME, BUSINESS_DAYS, CLOSE_OF_BUSINESS)]
            limits_of = {kind: Limit(kind, NANODAYS, next(iter(UNITS[kind]))) for kind, _ in kinds}
            tables = {kind: LimitTable(None, limit, False, frozenset()) for kind, limit in limits_of.items()}
            self.measures = tuple(LiveLimit(tables[kind], 0, each, self.name) for kind, each in kinds)
        return self.measures


Segments = tuple[tuple[int, int], ...]
"""Stretches of time, from and to, in microseconds since 1970."""

MOST_SEGMENTS = 64
"""So many stretches are kept one by one. When there are so many, only what comes of them is kept, so that a case that
pauses a million times is no larger than one that pauses a hundred times."""


class Summed(Struct, frozen=True):
    """What is kept of stretches that are not kept one by one: how many they are, when the first began, and the time
    used in them by measure and calendar."""

    count: int
    first: int
    used: tuple[tuple[str, str, int], ...]

    def used_as(self, limit: LiveLimit) -> int:
        """The time used in them in the basis of a limit. In a calendar that the clock did not have when they were
        summed up, it is as in the first that it had."""
        of_measure = [(calendar, used) for measure, calendar, used in self.used if measure == limit.measure]
        return dict(of_measure).get(limit.calendar.name, of_measure[0][1])


class PartUsed(Struct, frozen=True):
    """Of one of several limits of which the first to fall due counts: the time used before the stretch that runs, and
    how long it is where that was found out (months)."""

    used: int
    amount: int = 0


Totals = dict[tuple[str, str], tuple[int, int]]
"""By measure and calendar: how many stretches were counted, and the time used in them."""


class Kept(Struct, frozen=True):
    """What is kept of a round that has ended, by a clock that goes on in its next round.

    - ``segments``: the stretches in which it ran; ``summed`` is what is kept of stretches before them.
    - ``used``: the time used, in ``measure``; ``others`` the same in other measures, where the round had several
      limits.
    - ``warned``: how many shares it has warned of; ``marked`` has a bit for each other warning that was given.
    - ``given``: the time that was given on top of its limit.
    - ``totals``: what was counted of the stretches in other bases already.
    """

    segments: Segments
    used: int
    measure: str
    warned: int
    given: tuple[Limit, ...]
    totals: Totals | None = None
    marked: int = 0
    others: tuple[tuple[str, int], ...] = ()
    summed: Summed | None = None


class Round:
    """One run of a clock, from its start until it is met, ended or cancelled.

    While it runs, ``base`` is the position (in the basis of its limit) at which the time used is zero;
    while it pauses, ``used`` is the time used; ``mark`` is the time used when it fell due. ``amount`` is
    the limit in the same units, and ``due`` the instant that it falls due (``NEVER`` where there is
    none). ``segments`` are the stretches in which it ran before, so that the time used can be told in
    another basis, and ``totals`` what was counted of them in others already; ``summed`` is what is kept of those before
    them. ``given`` is the time that was given on top of its limit, one sum for each kind of time.
    ``parts`` is what is known of each of several limits of which the first to fall due counts: ``limit`` is that one.
    ``warned`` counts the shares of which it has warned, and ``marked`` has a bit for each other warning that was given.
    """

    __slots__ = (
        "amount",
        "base",
        "clock",
        "due",
        "given",
        "late",
        "limit",
        "mark",
        "marked",
        "next",
        "parts",
        "running",
        "segments",
        "since",
        "started",
        "summed",
        "totals",
        "used",
        "warned",
    )

    def __init__(
        self,
        clock: LiveClock,
        limit: LiveLimit,
        since: int,
        base: int = 0,
        amount: int = 0,
        due: int = NEVER,
        soonest: int = NEVER,
    ) -> None:
        self.clock = clock
        self.limit = limit
        self.started = self.since = since
        self.running = True
        self.late = False
        self.base = base
        self.amount = amount
        self.due = due
        self.next = soonest
        self.used = self.mark = self.warned = self.marked = 0
        self.given: tuple[Limit, ...] = ()
        self.segments: Segments = ()
        self.summed: Summed | None = None
        self.parts: tuple[PartUsed, ...] = ()
        self.totals: Totals | None = None

    def successor(self, clock: LiveClock, limit: LiveLimit) -> Round:
        """A round that goes on in the place of this one, under another limit or in another calendar."""
        new = Round(clock, limit, self.since)
        for name in HANDED_ON:
            setattr(new, name, getattr(self, name))
        return new


HANDED_ON = ("due", "given", "late", "mark", "marked", "running", "segments", "since", "started", "summed", "warned")
"""Fields of a round that the one that goes on in its place has; the others are worked out under its own limit."""


def place_of(held: Round, instant: int) -> int:
    """Where an instant lies in the basis of a round's limit. Closings count from the day of the round's start on."""
    limit = held.limit
    if limit.position is None:
        return instant
    if limit.day_zero is None:
        return limit.position(instant)
    return max(limit.position(instant), limit.day_zero(start_of(held)))


def start_of(held: Round) -> int:
    """When a round started (also where that was anew, in a pause), or the first of those that it goes on from."""
    if held.summed is not None:
        return min(held.summed.first, held.started)
    return min(held.segments[0][0], held.started) if held.segments else held.started


def stretches_of(held: Round) -> int:
    """In how many stretches a round has run before the one in which it does."""
    return len(held.segments) + (0 if held.summed is None else held.summed.count)


def end_stretch(held: Round, now: int) -> None:
    """Keep the stretch in which a round has run until an instant."""
    held.segments += ((held.since, now),)
    if len(held.segments) >= MOST_SEGMENTS:
        sum_up(held)


def sum_up(held: Round) -> None:
    """Keep only what comes of the stretches in which a round has run, in each measure in which its clock may count."""
    used = tuple((each.measure, each.calendar.name, used_in_all(held, each)) for each in held.clock.all_measures())
    held.summed = Summed(stretches_of(held), start_of(held), used)
    held.segments, held.totals = (), None


def used_in_all(held: Round, limit: LiveLimit) -> int:
    """The time used in all stretches but the one in which a round runs, counted in the basis of a limit."""
    before = 0 if held.summed is None else held.summed.used_as(limit)
    return before + used_in(held.segments, limit, start_of(held))


def used_of(held: Round, now: int) -> int:
    """The time that a round has used by ``now``, in units of its limit's basis."""
    return place_of(held, now) - held.base if held.running else held.used


FINEST = {"elapsed": "second", "business_time": "business second"}
"""By kind of time: a unit in which any sum of two lengths can be written."""


def share(amount: int, millionths: int) -> int:
    """A share of an amount, rounded up to a whole unit."""
    return -(-amount * millionths // 1_000_000)


def used_in(segments: Segments, limit: LiveLimit, started: int) -> int:
    """The time used in stretches of running of a round that started at an instant, in the basis of ``limit``."""
    position = limit.position
    if position is None:
        return sum(end - begin for begin, end in segments)
    if limit.day_zero is None:
        return sum(position(end) - position(begin) for begin, end in segments)
    zero = limit.day_zero(started)
    return sum(max(position(end), zero) - max(position(begin), zero) for begin, end in segments)


def used_as(held: Round, limit: LiveLimit, now: int) -> int:
    """The time that a round has used by ``now``, in the basis of another limit: as it was counted, where the round has
    counted in that measure, else the stretches in which it ran are counted anew."""
    if held.limit.measure == limit.measure:
        return used_of(held, now)
    for each, known in zip(held.limit.parts, held.parts, strict=True):
        if each.measure == limit.measure:
            return known.used + (_stretch(held, each, now) if held.running else 0)
    return used_before(held, limit, now)


def _stretch(held: Round, limit: LiveLimit, now: int) -> int:
    """The time used in the stretch that runs, in the basis of a limit."""
    return used_in(((held.since, now),), limit, start_of(held))


def parts_after(held: Round, now: int) -> tuple[PartUsed, ...]:
    """What is known of each of several limits when the stretch that runs ends."""
    pairs = zip(held.limit.parts, held.parts, strict=True)
    return tuple(PartUsed(known.used + _stretch(held, each, now), known.amount) for each, known in pairs)


def used_before(held: Round, limit: LiveLimit, now: int) -> int:
    """The time that a round has used by ``now``, in the basis of another limit. No stretch is counted twice for it."""
    started = start_of(held)
    measured = limit.measure, limit.calendar.name
    counted, used = (held.totals or {}).get(measured, (0, 0))
    if not counted and held.summed is not None:
        used = held.summed.used_as(limit)
    if counted < len(held.segments):
        used += used_in(held.segments[counted:], limit, started)
        held.totals = {**(held.totals or {}), measured: (len(held.segments), used)}
    return used + (used_in(((held.since, now),), limit, started) if held.running else 0)


def with_more(given: tuple[Limit, ...], more: Limit) -> tuple[Limit, ...]:
    """Time that was given, with more of it: one sum for each kind of time, in the order in which they came."""
    for index, each in enumerate(given):
        if each.kind == more.kind:
            unit = more.unit if more.unit == each.unit else FINEST.get(more.kind, "month")
            amount = min(each.amount + more.amount, LONGEST[more.kind])
            return (*given[:index], Limit(more.kind, amount, unit), *given[index + 1 :])
    return (*given, more)


def settle(held: Round, facts: Mapping[str, Any], since: int | None = None) -> None:
    """Work out when a running round falls due, and what it does next. ``since`` is when it began to run, or would."""
    if held.limit.parts:
        _settle_first(held, facts, held.since if since is None else since)
    else:
        _settle_one(held, facts, since)
    plan(held)


def _settle_first(held: Round, facts: Mapping[str, Any], since: int) -> None:
    """Of several limits, each worked out as if it were the only one, take the first to fall due; of those at one
    instant one that is passed then, else the first that is written."""
    trials = [_trial(held, each, known, facts, since) for each, known in zip(held.limit.parts, held.parts, strict=True)]
    first = min(trials, key=lambda each: (each.due, not each.limit.strict))
    held.parts = tuple(
        PartUsed(known.used, each.amount if each.limit.months else 0)
        for each, known in zip(trials, held.parts, strict=True)
    )
    held.limit, held.base, held.amount, held.due, held.used = (
        first.limit, first.base, first.amount, first.due, first.used,
    )  # fmt: skip


def _trial(held: Round, limit: LiveLimit, known: PartUsed, facts: Mapping[str, Any], since: int) -> Round:
    """A round as it would be if one of its limits were the only one."""
    trial = held.successor(held.clock, limit)
    trial.used, trial.amount = known.used, known.amount
    trial.base = place_of(trial, since) - known.used
    _settle_one(trial, facts, since)
    return trial


def _settle_one(held: Round, facts: Mapping[str, Any], since: int | None) -> None:
    limit = held.limit
    if limit.dated:
        _settle_dated(held, facts)
    else:
        held.amount = limit.amount
        for more in held.given:
            if more.kind == limit.limit.kind:
                held.amount += more.amount
        held.due = _reached(held, held.amount, held.since if since is None else since)
    if limit.rolls:
        _roll(held, facts)
    for more in held.given:
        if held.due != NEVER and (limit.dated or more.kind != limit.limit.kind):
            held.due = due_of(limit.calendar, more, held.due, facts)
            if limit.rolls:
                _roll(held, facts)


def _roll(held: Round, facts: Mapping[str, Any]) -> None:
    """Move a due time that falls on a closed day to the next open one. Where none follows it stays where it is."""
    limit = held.limit
    if held.due != NEVER:
        with suppress(NeverOpen, OutOfRange):
            held.due = limit.calendar.roll(held.due, limit.until and _ends_date(facts, limit, held.due))


def _settle_dated(held: Round, facts: Mapping[str, Any]) -> None:
    limit = held.limit
    if limit.until or held.amount == 0:
        due = due_of(limit.calendar, limit.limit, held.started, facts)
        if due == NEVER:
            held.due, held.amount = NEVER, 0
            return
        held.amount = due - (held.base if limit.until else held.started)
    held.due = held.base + held.amount


def _reached(held: Round, amount: int, since: int) -> int:
    """When an amount of a round is used that runs since an instant.

    Where none of it was left by then, that is at once, or outside of hours the next opening. A strict amount must not
    be used up: it is reached when it was. Rounding that adds up does not carry the time past a closing.
    """
    limit = held.limit
    position, instant = limit.position, limit.instant
    if position is None or instant is None:
        return held.base + amount
    due = instant(held.base + amount - limit.rounded * stretches_of(held))
    if due < since and not limit.strict and position(due) == position(since):
        return limit.calendar.nothing_after(since)
    return due


def _ends_date(facts: Mapping[str, Any], limit: LiveLimit, due: int) -> bool:
    """Whether a due time is the end of a date that a fact holds."""
    return isinstance(facts.get(limit.limit.fact or ""), date) and limit.calendar.is_end_of_date(due)


def passed(held: Round, now: int) -> bool:
    """Whether the due time of a round is past by ``now``; that of a strict limit is at its very instant."""
    return held.due < now or (held.due == now and held.limit.strict)


def stand(held: Round, facts: Mapping[str, Any], now: int) -> None:
    """Work out when a round that pauses would fall due if it went on now."""
    held.base = place_of(held, now) - held.used
    settle(held, facts, now)


def settle_standing(held: Round, facts: Mapping[str, Any], now: int) -> None:
    """See whether a round that pauses is late: it is where it would be if it went on now, and falls late at once."""
    stand(held, facts, now)
    if passed(held, now):
        held.next = held.due


def plan(held: Round) -> None:
    """Note when a round next warns or falls due; a round that pauses or is late does neither."""
    if held.late or not held.running:
        held.next = NEVER
        return
    held.next = held.due
    if held.clock.plans and held.due != NEVER:
        held.next = min(held.due, _next_share(held), *(at for at, _ in _next_marks(held)))


def note_warning(held: Round) -> None:
    """Note that the warning was given that comes first; of those at one instant a share, then the first in the file."""
    marks = _next_marks(held)
    at, mark = min(marks, default=(NEVER, 0))
    if held.warned < len(held.clock.warns) and (not marks or _next_share(held) <= at):
        held.warned += 1
    elif marks:
        held.marked |= 1 << mark


def marked_in(clock: LiveClock, before: LiveClock, marked: int) -> int:
    """The warnings at lengths of time that were given under another version of a clock, as bits of this one."""
    given = [mark for number, mark in enumerate(before.marks) if marked >> number & 1]
    return sum(1 << number for number, mark in enumerate(clock.marks) if mark in given)


def _next_share(held: Round) -> int:
    shares = held.clock.warns
    return _warns(held, shares[held.warned]) if held.warned < len(shares) else NEVER


def _next_marks(held: Round) -> list[tuple[int, int]]:
    """When each warning at a length of time comes that was not given yet, and its number."""
    return [(_marks(held, n), n) for n in range(len(held.clock.marks)) if not held.marked >> n & 1]


def _marks(held: Round, number: int) -> int:
    """When a round warns at a length of time; not before it started."""
    mark, calendar = held.clock.marks[number], held.limit.calendar
    if mark.before:
        ahead = Limit(UNTIL, 0, UNTIL, fact=_DUE, offset=mark.length, direction=-1)
        return max(due_of(calendar, ahead, held.started, {_DUE: held.due}), held.started)
    own = held.clock.length_of(number, calendar)
    if own.measure == held.limit.measure:
        return max(_reached(held, own.amount, held.since), held.started)
    left = own.amount - used_before(held, own, held.since) - own.rounded * stretches_of(held)
    try:
        at = (
            held.since + left
            if own.position is None or own.instant is None
            else own.instant(own.position(held.since) + left)
        )
    except (NeverOpen, OutOfRange):
        return NEVER
    return max(at, held.started)


_DUE = "due"
"""The name of a due instant where a length of time is counted back from it."""


def _warns(held: Round, part: int) -> int:
    """When a share of a round's limit is used; of one that is no length, of the open time from its start to its due
    time."""
    limit = held.limit
    if not limit.until and limit.day_zero is None:
        return _reached(held, share(held.amount, part), held.since)
    calendar = limit.calendar
    try:
        open_time = calendar.between_us(held.started, held.due)
        due = calendar.add_us(held.started, Limit(BUSINESS_TIME, share(max(open_time, 0), part), "business second"))
    except (NeverOpen, OutOfRange):
        return NEVER
    return NEVER if due is None else due


def due_of(calendar: Calendar, limit: Limit, started: int, facts: Mapping[str, Any]) -> int:
    """When a limit falls due that hangs on a fact or counts from ``started``; ``NEVER`` where the fact is missing.

    A fact may hold any instant, also one that means "never" (9999-12-31) or "not known" (0001-01-01). What
    falls due after the years that calendars know never does; what did before them is due at the start.
    """
    try:
        due = calendar.add_us(started, limit, facts)
    except NeverOpen:
        return NEVER
    except OutOfRange:
        said = facts.get(limit.fact or "")
        before = said.year < FIRST_YEAR if isinstance(said, date) else isinstance(said, int) and said < started
        return started if before else NEVER
    if due is None or due > LAST_INSTANT:
        return NEVER
    return max(due, FIRST_INSTANT)
