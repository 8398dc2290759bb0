"""When a round falls due, when it warns, and how much time stretches of it have used."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from carepolicy.businesstime.errors import NeverOpen, OutOfRange
from carepolicy.engine.instants import DAY, NEVER
from carepolicy.engine.live import due_of

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Round
    from carepolicy.engine.liveclocks import LiveLimit


def share(amount: int, millionths: int) -> int:
    """A share of an amount, rounded up to a whole unit."""
    return -(-amount * millionths // 1_000_000)


def used_in(segments: tuple[tuple[int, int], ...], limit: LiveLimit) -> int:
    """The time used in stretches of running, in the basis of ``limit``."""
    position, first = limit.position, limit.first
    if position is None or first is None:
        return sum(end - begin for begin, end in segments)
    if not segments:
        return 0
    start = segments[0][0]
    return sum(position(end) - position(begin) for begin, end in segments) + position(start) - first(start)


def settle(case: Case, held: Round) -> None:
    """Work out when a running round falls due, and what it does next."""
    limit = held.limit
    if limit.dated:
        _settle_dated(case, held)
    else:
        held.amount = held.amount or limit.amount
        instant = limit.instant
        held.due = held.base + held.amount if instant is None else instant(held.base + held.amount)
    if held.due != NEVER and limit.rolls:
        with suppress(NeverOpen, OutOfRange):  # where no open day follows it stays where it is
            held.due = limit.calendar.roll(held.due, limit.until and _ends_date(case, limit, held.due))
    for extra in held.extras:
        if held.due != NEVER:
            held.due = due_of(limit.calendar, extra, held.due, case.facts)
    plan(held)


def _settle_dated(case: Case, held: Round) -> None:
    limit = held.limit
    if limit.until or held.amount == 0:
        due = due_of(limit.calendar, limit.limit, held.started, case.facts)
        if due == NEVER:
            held.due, held.amount = NEVER, 0
            return
        held.amount = due - (held.base if limit.until else held.started)
    held.due = held.base + held.amount


def _ends_date(case: Case, limit: LiveLimit, due: int) -> bool:
    """Whether a due time is the end of a date that a fact holds, which is the first instant of the next date."""
    return isinstance(case.facts.get(limit.limit.fact or ""), date) and limit.calendar.local(due) % DAY == 0


def passed(held: Round, now: int) -> bool:
    """Whether the due time of a round is past by ``now``; that of a strict limit is at its very instant."""
    return held.due < now or (held.due == now and held.limit.strict)


def settle_standing(case: Case, held: Round, now: int) -> None:
    """See whether a round that pauses is late: it is where it would be if it went on now, and falls late at once."""
    position = held.limit.position
    held.base = (now if position is None else position(now)) - held.used
    settle(case, held)
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
        part = share(held.amount, shares[held.warned])
        instant = held.limit.instant
        warn = held.base + part if instant is None else instant(held.base + part)
        held.next = min(held.next, warn)
