"""When a round falls due, when it warns, and how much time stretches of it have used."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.engine.case import place_of, start_of
from carepolicy.engine.instants import FIRST_INSTANT, FIRST_YEAR, LAST_INSTANT, NEVER
from carepolicy.policy.limit import BUSINESS_TIME, LONGEST, Limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.businesstime.calendar import Calendar
    from carepolicy.engine.case import Case, Round, Segments
    from carepolicy.engine.clocks import LiveLimit

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


def used_before(held: Round, limit: LiveLimit, now: int) -> int:
    """The time that a round has used by ``now``, in the basis of another limit. No stretch is counted twice for it."""
    started = start_of(held)
    measured = limit.measure, limit.calendar.name
    counted, used = (held.totals or {}).get(measured, (0, 0))
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


def settle(case: Case, held: Round, since: int | None = None) -> None:
    """Work out when a running round falls due, and what it does next. ``since`` is when it began to run, or would."""
    limit = held.limit
    if limit.dated:
        _settle_dated(case, held)
    else:
        held.amount = limit.amount
        for more in held.given:
            if more.kind == limit.limit.kind:
                held.amount += more.amount
        held.due = _reached(held, held.amount, held.since if since is None else since)
    if limit.rolls:
        _roll(case, held)
    for more in held.given:
        if held.due != NEVER and (limit.dated or more.kind != limit.limit.kind):
            held.due = due_of(limit.calendar, more, held.due, case.facts)
            if limit.rolls:
                _roll(case, held)
    plan(held)


def _roll(case: Case, held: Round) -> None:
    """Move a due time that falls on a closed day to the next open one. Where none follows it stays where it is."""
    limit = held.limit
    if held.due != NEVER:
        with suppress(NeverOpen, OutOfRange):
            held.due = limit.calendar.roll(held.due, limit.until and _ends_date(case, limit, held.due))


def _settle_dated(case: Case, held: Round) -> None:
    limit = held.limit
    if limit.until or held.amount == 0:
        due = due_of(limit.calendar, limit.limit, held.started, case.facts)
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
    due = instant(held.base + amount - limit.rounded * len(held.segments))
    if due < since and not limit.strict and position(due) == position(since):
        return limit.calendar.nothing_after(since)
    return due


def _ends_date(case: Case, limit: LiveLimit, due: int) -> bool:
    """Whether a due time is the end of a date that a fact holds."""
    return isinstance(case.facts.get(limit.limit.fact or ""), date) and limit.calendar.is_end_of_date(due)


def passed(held: Round, now: int) -> bool:
    """Whether the due time of a round is past by ``now``; that of a strict limit is at its very instant."""
    return held.due < now or (held.due == now and held.limit.strict)


def stand(case: Case, held: Round, now: int) -> None:
    """Work out when a round that pauses would fall due if it went on now."""
    held.base = place_of(held, now) - held.used
    settle(case, held, now)


def settle_standing(case: Case, held: Round, now: int) -> None:
    """See whether a round that pauses is late: it is where it would be if it went on now, and falls late at once."""
    stand(case, held, now)
    if passed(held, now):
        held.next = held.due


def plan(held: Round) -> None:
    """Note when a round next warns or falls due; a round that pauses or is late does neither."""
    if held.late or not held.running:
        held.next = NEVER
        return
    held.next = held.due
    shares = held.clock.warns
    if held.warned < len(shares) and held.due != NEVER:
        held.next = min(held.next, _warns(held, shares[held.warned]))


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
