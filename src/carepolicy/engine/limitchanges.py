"""Limits that change while a clock runs: other facts, another limit, more time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.case import place_of, used_of
from carepolicy.engine.roundrecords import write_running
from carepolicy.engine.rounds import cancel, choose, start
from carepolicy.engine.settling import settle, settle_standing, used_before, with_more
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from carepolicy.businesstime.limit import Limit
    from carepolicy.engine.case import Case, Round
    from carepolicy.engine.liveclocks import LiveClock, LiveLimit


def look_before_end(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """Look up the limit of a clock that is about to be stopped, in the calendar in which it has counted."""
    held = case.rounds[clock.index]
    if held is not None and clock.reads:
        place = held.limit.place
        choices = next(each for each in clock.choices if each[place] is held.limit)
        _look_at_round(out, case, held, choices, now, when)


def look_again(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """Look up a clock's limit again, because a fact that it reads has changed."""
    held = case.rounds[clock.index]
    if held is None:
        if clock.phases[case.state.index] == Phase.RUNNING:
            start(out, case, clock, now, when)
        return
    _look_at_round(out, case, held, clock.choices[case.state.index], now, when)


def _look_at_round(
    out: list[str], case: Case, held: Round, choices: tuple[LiveLimit, ...], now: int, when: str
) -> None:
    if held.late:
        return
    limit = choose(case, choices)
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
    used = used_of(held, now) if held.limit.measure == limit.measure else used_before(held, limit, now)
    held.limit, held.amount = limit, 0
    held.used = used
    held.base = place_of(held, now) - used


def extend(out: list[str], case: Case, held: Round, by: Limit, now: int, when: str, reason: str) -> None:
    """Give a round more time: in its own basis where ``by`` is in it, else on top of its due time."""
    held.given = with_more(held.given, by)
    if held.running:
        settle(case, held)
    write_running(out, case, held, held.limit.extended, now, when, reason)
