"""What happens to a clock: started, paused, resumed, warned, late, met, ended, restarted, extended, cancelled.

Each function changes the clock's round of a case at an instant and appends the record of it to ``out``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carepolicy.engine.case import Round, used_of
from carepolicy.engine.instants import DAY, NEVER, text_of
from carepolicy.engine.live import PAUSE, REBASE, RESTART, RESUME, START, STOP
from carepolicy.engine.recordtext import quoted
from carepolicy.engine.roundrecords import seconds, write_ended, write_over, write_running
from carepolicy.engine.settling import passed, plan, settle, settle_standing, share, used_in
from carepolicy.engine.values import NO_DATA
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from carepolicy.engine.case import Case
    from carepolicy.engine.liveclocks import LiveClock, LiveLimit

EARLIEST = 3 * DAY
"""The earliest instant from which a round counts, in any zone a day that calendars know."""


Operation = Callable[[list[str], "Case", "LiveClock", int, str], None]
"""What a transition does to a clock, at an instant (and its text)."""


def begin(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes from stopped to running."""
    if case.rounds[clock.index] is None:
        start(out, case, clock, now, when)


def go_on(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes from pausing to running."""
    held = case.rounds[clock.index]
    if held is None:
        start(out, case, clock, now, when)
    else:
        resume(out, case, held, now, when)


def stand_still(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes from running to pausing."""
    held = case.rounds[clock.index]
    if held is not None:
        pause(out, case, held, now, when)


def begin_anew(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """An event restarts a clock."""
    held = case.rounds[clock.index]
    if held is not None:
        restart(out, case, held, now, when)


def change_calendar(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock counts on in the calendar of another state's owner."""
    held = case.rounds[clock.index]
    if held is not None:
        rebase(out, case, held, now, when)


def end(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes to be stopped."""
    held = case.rounds[clock.index]
    if held is not None:
        stop(out, case, held, now, when)


OPERATIONS: dict[int, Operation] = {
    START: begin,
    RESUME: go_on,
    PAUSE: stand_still,
    STOP: end,
    RESTART: begin_anew,
    REBASE: change_calendar,
}


def choose(case: Case, clock: LiveClock) -> LiveLimit | None:
    """The limit that holds for the case now: the first of the clock's whose guard holds."""
    for limit in clock.choices[case.state.index]:
        if limit.when is None or limit.when(case.facts, NO_DATA, case):
            return limit
    return None


def start(out: list[str], case: Case, clock: LiveClock, now: int, when: str) -> None:
    """Begin a round, unless no limit holds. The first may count from an earlier instant."""
    limit = choose(case, clock)
    if limit is None:
        return
    since = now
    if not case.seen & clock.bit:
        case.seen |= clock.bit
        if clock.counts_from is not None or (case.opened == now != case.received):
            since = _first_instant(case, clock, now)
    held = Round(clock, limit, since)
    case.rounds[clock.index] = held
    first = limit.first
    held.base = base = since if first is None else first(since)
    if clock.goes_on:
        _go_on_counting(case, held)
        base = held.base
    if limit.plain and since == now and not held.segments:
        instant = limit.instant
        held.amount = amount = limit.amount
        held.due = due = base + amount if instant is None else instant(base + amount)
        if clock.warns:
            plan(held)
        else:
            held.next = due
        out.append(case.line(limit.fresh, when, limit.fresh.data % text_of(due)))
        return
    settle(case, held)
    write_running(out, case, held, limit.started, now, when)


def _go_on_counting(case: Case, held: Round) -> None:
    """Count on from what earlier rounds used; warnings that they gave are not given again."""
    held.segments = case.kept_of(held.clock.index)
    if not held.segments:
        return
    used = used_in(held.segments, held.limit)
    position = held.limit.position
    held.base = (held.since if position is None else position(held.since)) - used
    if not held.limit.dated:
        held.warned = sum(share(held.limit.amount, each) < used for each in held.clock.warns)


def _first_instant(case: Case, clock: LiveClock, now: int) -> int:
    """Where a clock's first round counts from: a fact, or the receipt of a case handed over."""
    since = case.received if case.opened == now else now
    if clock.counts_from is not None:
        said = case.facts.get(clock.counts_from)
        if type(said) is int:
            since = max(said, EARLIEST)
    return min(since, now)


def pause(out: list[str], case: Case, held: Round, now: int, when: str) -> None:
    """Let a running round stand still."""
    if not held.running:
        return
    held.used = used_of(held, now)
    held.running = False
    held.segments += ((held.since, now),)
    held.next = held.due if not held.late and passed(held, now) else NEVER
    write_ended(out, case, held, held.limit.paused, held.used, when)


def resume(out: list[str], case: Case, held: Round, now: int, when: str) -> None:
    """Let a paused round go on, in the calendar of the state that it goes on in; what was used stays used."""
    if held.running:
        return
    held.limit = held.clock.choices[case.state.index][held.limit.place]
    position = held.limit.position
    held.base = (now if position is None else position(now)) - held.used
    held.since = now
    held.running = True
    if held.late:
        plan(held)
    else:
        settle(case, held)
    write_running(out, case, held, held.limit.resumed, now, when)


def restart(out: list[str], case: Case, held: Round, now: int, when: str) -> None:
    """Begin a round anew: a late one ends and another starts, any other counts from zero again."""
    if held.late:
        stop(out, case, held, now, when)
        case.kept_of(held.clock.index)  # anew also where the clock goes on after a stop
        start(out, case, held.clock, now, when)
        begun = case.rounds[held.clock.index]
        if begun is not None and held.clock.phases[case.state.index] == Phase.PAUSED:
            pause(out, case, begun, now, when)
        return
    held.limit = held.clock.choices[case.state.index][held.limit.place]
    held.segments, held.amount, held.warned, held.extras = (), 0, 0, ()
    held.started = held.since = now
    position, first = held.limit.position, held.limit.first
    held.base = now if first is None else first(now)
    held.used = 0 if position is None else position(now) - held.base
    settle(case, held)
    if not held.running:
        held.next = NEVER
    write_running(out, case, held, held.limit.restarted, now, when)


def rebase(out: list[str], case: Case, held: Round, now: int, when: str) -> None:
    """Count on in the calendar of another state's owner: what was used stays used."""
    changed = held.clock.choices[case.state.index][held.limit.place]
    if changed is held.limit or not held.running:
        return
    used, before = used_of(held, now), held.due
    held.limit = changed
    held.base = (now if changed.position is None else changed.position(now)) - used
    if not held.late:
        settle(case, held)
    if held.due != before:
        write_running(out, case, held, changed.extended, now, when, changed.recounted_as)


def stop(out: list[str], case: Case, held: Round, now: int, when: str) -> None:
    """End a round: met if it is not late, else ended with the time by which it was over.

    A timer of the very instant at which a strict limit falls due may end the round before its own turn; it is late.
    A round that pauses ends as if it went on now: the date that it had to be done by may have passed.
    """
    limit = held.limit
    position = limit.position
    if not held.late:
        if limit.until and not held.running:
            settle_standing(case, held, now)
        if held.next != NEVER and passed(held, now):
            fall_late(out, case, held, when, now)
    used = (now if position is None else position(now)) - held.base if held.running else held.used
    clock = held.clock
    case.rounds[clock.index] = None
    if clock.goes_on:
        case.keep(clock.index, held.segments + (((held.since, now),) if held.running else ()))
    if held.late:
        write_over(out, case, held, used, when)
    elif held.amount == limit.amount:
        form = limit.plainly_met
        out.append(case.line(form, when, form.data % seconds(used, limit.unit)))
    else:
        write_ended(out, case, held, limit.met, used, when)


def cancel(out: list[str], case: Case, held: Round, now: int, when: str) -> None:
    """End a round because the clock does not apply any more."""
    case.rounds[held.clock.index] = None
    write_ended(out, case, held, held.limit.cancelled, used_of(held, now), when)


def warn(out: list[str], case: Case, held: Round, when: str, now: int) -> None:
    """Say that a share of the limit is used."""
    held.warned += 1
    plan(held)
    write_running(out, case, held, held.limit.warned, now, when)


def fall_late(out: list[str], case: Case, held: Round, when: str, now: int) -> None:
    """Say that the limit is passed; the round counts on."""
    position = held.limit.position
    held.late = True
    held.clock.lates += 1
    held.next = NEVER
    held.mark = (held.due if position is None else position(held.due)) - held.base
    write_running(out, case, held, held.limit.late, now, when)


def tell(out: list[str], case: Case, held: Round, now: int, when: str) -> None:
    """Say of a round that another case began that it is this case's now."""
    if held.running:
        write_running(out, case, held, held.limit.started, now, when)
    else:
        write_ended(out, case, held, held.limit.paused, held.used, when)


def tell_extended(out: list[str], case: Case, held: Round, now: int, when: str, reason: str) -> None:
    """Say that a round's due time has changed, and why."""
    write_running(out, case, held, held.limit.extended, now, when, quoted(reason))
