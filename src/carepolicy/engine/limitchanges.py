"""Limits that change while a clock runs: other facts, another limit, more time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.case import used_of
from carepolicy.engine.roundrecords import write_running
from carepolicy.engine.rounds import cancel, choose, start
from carepolicy.engine.settling import settle, settle_standing, used_in
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Round
    from carepolicy.engine.liveclocks import LiveClock, LiveLimit


def look_again(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """Look up a clock's limit again, because a fact that it reads has changed."""
    held = case.rounds[clock.index]
    if held is None:
        if clock.phases[case.state.index] == Phase.RUNNING:
            start(out, case, clock, now, when)
        return
    if held.late:
        return
    limit = choose(case, clock)
    if limit is None:
        cancel(out, case, held, now, when)
        return
    before, replaced = held.due, held.limit
    if limit.place != replaced.place:
        _change_limit(held, limit, now)
    elif not limit.until:
        return
    if held.running:
        settle(case, held)
    else:
        settle_standing(case, held, now)
    if (held.running and held.due != before) or held.limit.limit != replaced.limit:
        write_running(out, case, held, held.limit.extended, now, when, held.limit.extended_as)


def _change_limit(held: Round, limit: LiveLimit, now: int) -> None:
    """Take another limit; the time already used counts, told in the new limit's basis."""
    if _alike(held.limit, limit):
        used = used_of(held, now)
    else:
        used = used_in((*held.segments, (held.since, now)) if held.running else held.segments, limit)
    position = limit.position
    held.limit, held.amount, held.extras = limit, 0, ()
    held.used = used
    held.base = (now if position is None else position(now)) - used


def _alike(one: LiveLimit, other: LiveLimit) -> bool:
    """Whether two limits count in the same measure, be it in different calendars."""
    return (one.position is None and other.position is None) or one.limit.kind == other.limit.kind


def extend(out: list[str], case: Case, held: Round, by: Any, now: int, when: str, reason: str) -> None:
    """Give a round more time: in its own basis where ``by`` is in it, else on top of its due time."""
    limit = held.limit
    if by.kind == limit.limit.kind and not limit.dated:
        held.amount += by.amount
    else:
        held.extras += (by,)
    if held.running:
        settle(case, held)
    write_running(out, case, held, limit.extended, now, when, reason)
