"""Limits that change while a clock runs: other facts, another limit, more time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.case import place_of, used_of
from carepolicy.engine.roundrecords import write_running
from carepolicy.engine.rounds import begin_stretch, cancel, choose, start
from carepolicy.engine.settling import settle, settle_standing, stand, used_before, with_more
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Round
    from carepolicy.engine.liveclocks import LiveClock, LiveLimit
    from carepolicy.engine.record import Record
    from carepolicy.policy.limit import Limit


def look_again(out: list[Record], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """Look up a clock's limit again, because a fact that it reads has changed.

    A clock that runs in the state of the case counts in the calendar of that state from now on; any other, which is
    about to be stopped or pauses, in the one in which it has counted.
    """
    held = case.rounds[clock.index]
    runs = clock.phases[case.state.index] is Phase.RUNNING
    if held is None:
        if runs:
            start(out, case, clock, now, when)
        return
    if held.late:
        return
    limit = choose(case, clock.choices[case.state.index] if runs else _choices_of(held))
    if limit is None:
        cancel(out, case, held, now, when)
        return
    before, replaced = held.due, held.limit
    if limit is not replaced:
        _change_limit(held, limit, now)
    elif not limit.until:
        return
    if held.running:
        settle(case, held)
    else:
        settle_standing(case, held, now)
    if (held.running and held.due != before) or limit.limit != replaced.limit:
        reason = limit.recounted_as if limit.limit == replaced.limit and not limit.until else limit.extended_as
        write_running(out, case, held, "clock.extended", now, when, reason)


def _choices_of(held: Round) -> tuple[LiveLimit, ...]:
    """The limits of a round's clock in the calendar in which it counts."""
    return next(each for each in held.clock.choices if each[held.limit.place] is held.limit)


def _change_limit(held: Round, limit: LiveLimit, now: int) -> None:
    """Take another limit; the time already used counts, told in the new limit's basis."""
    replaced = held.limit
    if replaced.measure != limit.measure:
        used = used_before(held, limit, now)
    else:
        used = used_of(held, now)
        if held.running and limit.calendar is not replaced.calendar:
            begin_stretch(held, now)
    held.limit, held.amount = limit, held.amount if limit.limit == replaced.limit else 0
    held.used = used
    held.base = place_of(held, now) - used


def extend(out: list[Record], case: Case, held: Round, by: Limit, now: int, when: str, reason: str) -> None:
    """Give a round more time: in its own basis where ``by`` is in it, else on top of its due time."""
    held.given = with_more(held.given, by)
    if held.running:
        settle(case, held)
    else:
        stand(case, held, now)
    write_running(out, case, held, "clock.extended", now, when, reason)
