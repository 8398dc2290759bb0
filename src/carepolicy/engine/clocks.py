"""Clocks: what happens to them, when they fall due, and the records of it.

Each function that something happens in changes a clock's round of a case at an instant and appends the record of it to
``out``.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from carepolicy.businesstime.errors import OutOfRange
from carepolicy.engine import codes
from carepolicy.engine.facts import NO_DATA
from carepolicy.engine.instants import DAY, FIRST_YEAR, NEVER
from carepolicy.engine.record import ClockData, seconds
from carepolicy.engine.round import (
    Kept,
    PartUsed,
    Round,
    end_stretch,
    note_warning,
    parts_after,
    passed,
    place_of,
    plan,
    settle,
    settle_standing,
    stand,
    stretches_of,
    used_as,
    used_before,
    used_of,
    with_more,
)
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from carepolicy.engine.case import Case
    from carepolicy.engine.record import Sink
    from carepolicy.engine.round import LiveClock, LiveLimit
    from carepolicy.policy.limit import Limit


EARLIEST = 3 * DAY
"""The earliest instant from which a round counts, in any zone a day that calendars know."""


def begin(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes from stopped to running."""
    if case.rounds[clock.index] is None:
        start(out, case, clock, now, when)


def go_on(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes from pausing to running."""
    held = case.rounds[clock.index]
    if held is None:
        start(out, case, clock, now, when)
    else:
        resume(out, case, held, now, when)


def stand_still(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes from running to pausing."""
    held = case.rounds[clock.index]
    if held is not None:
        pause(out, case, held, now, when)


def begin_anew(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
    """An event restarts a clock."""
    held = case.rounds[clock.index]
    if held is not None:
        restart(out, case, held, now, when)


def change_calendar(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock counts on in the calendar of another state's owner."""
    held = case.rounds[clock.index]
    if held is not None:
        rebase(out, case, held, now, when)


def end(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
    """A clock comes to be stopped."""
    held = case.rounds[clock.index]
    if held is not None:
        stop(out, case, held, now, when)


def choose(case: Case, choices: tuple[LiveLimit, ...]) -> LiveLimit | None:
    """The limit that holds for the case now: the first of some whose guard holds."""
    for limit in choices:
        if limit.when is None or limit.when(case.facts, NO_DATA, case):
            return limit
    return None


def start(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
    """Begin a round, unless no limit holds. The first may count from an earlier instant."""
    limit = choose(case, clock.choices[case.state.index])
    if limit is None:
        return
    since, reason = now, None
    if not case.seen & clock.bit:
        case.seen |= clock.bit
        if clock.counts_from is not None or (case.opened == now != case.received):
            since, reason = _first_instant(case, clock, limit, now)
    held = Round(clock, limit, since)
    case.rounds[clock.index] = held
    if limit.parts:
        held.parts = (PartUsed(0),) * len(limit.parts)
    used = _go_on_counting(case, held) if clock.goes_on else 0
    held.base = base = place_of(held, since) - used
    if limit.plain and since == now and not stretches_of(held):
        instant = limit.instant
        held.amount = amount = limit.amount
        held.due = due = base + amount if instant is None else instant(base + amount)
        if clock.plans:
            plan(held)
        else:
            held.next = due
        if reason is None:
            told = limit.told
            out.append(case.record("clock.started", when, ClockData(told, due, 0, told.limit)))
            return
    else:
        settle(held, case.facts)
    code = None if reason is None else codes.FUTURE_START
    write_running(out, case, held, "clock.started", now, when, reason, code)


def _go_on_counting(case: Case, held: Round) -> int:
    """Let a round go on where an earlier one has ended; the time that is used already."""
    kept = case.take_kept(held.clock.index)
    if kept is None:
        return 0
    held.segments, held.warned, held.given, held.totals = kept.segments, kept.warned, kept.given, kept.totals
    held.marked, held.summed = kept.marked, kept.summed
    if held.limit.parts:
        held.parts = tuple(PartUsed(_kept_as(kept, held, each)) for each in held.limit.parts)
    return _kept_as(kept, held, held.limit)


def _kept_as(kept: Kept, held: Round, limit: LiveLimit) -> int:
    """The time that was used before a round goes on, in the basis of a limit."""
    if kept.measure == limit.measure:
        return kept.used
    for measure, used in kept.others:
        if measure == limit.measure:
            return used
    return used_before(held, limit, held.since)


def keep(case: Case, held: Round, now: int, clock: LiveClock) -> None:
    """Keep what a round has used for the one in which its clock, or what is that by now, goes on."""
    others: tuple[tuple[str, int], ...] = ()
    if held.limit.parts:
        others = tuple((each.measure, used_as(held, each, now)) for each in held.limit.parts)
    used, measure = used_of(held, now), held.limit.measure
    segments, totals, summed = held.segments, held.totals, held.summed
    if held.running:
        ended = held.successor(held.clock, held.limit)
        ended.totals = totals
        end_stretch(ended, now)
        segments, totals, summed = ended.segments, ended.totals, ended.summed
    kept = Kept(segments, used, measure, held.warned, held.given, totals, held.marked, others, summed)
    case.keep(clock.index, kept)


def _first_instant(case: Case, clock: LiveClock, limit: LiveLimit, now: int) -> tuple[int, str | None]:
    """Where a clock's first round counts from: a fact, or the receipt of a case handed over; and what is to be said of
    a fact that cannot be counted from. A date stands for its end."""
    since = case.received if case.opened == now else now
    if clock.counts_from is None:
        return min(since, now), None
    said = case.facts.get(clock.counts_from)
    if isinstance(said, date):
        begins, counted = _date_of(limit, said)
    elif type(said) is int:
        begins = counted = said
    else:
        return min(since, now), None
    if begins <= now:
        return max(min(counted, now), EARLIEST), None
    return now, f"{clock.counts_from} lies in the future: it counts from now"


def _date_of(limit: LiveLimit, day: date) -> tuple[int, int]:
    """The instants at which a date begins and ends. One that no calendar knows lies before or after all others."""
    try:
        end = limit.calendar.end_of(day)
    except OutOfRange:
        end = EARLIEST if day.year < FIRST_YEAR else NEVER
    return end - DAY, end


def pause(out: Sink, case: Case, held: Round, now: int, when: str) -> None:
    """Let a running round stand still."""
    if not held.running:
        return
    held.used = used_of(held, now)
    if held.parts:
        held.parts = parts_after(held, now)
    held.running = False
    end_stretch(held, now)
    held.next = held.due if not held.late and passed(held, now) else NEVER
    write_ended(out, case, held, "clock.paused", held.used, when)


def resume(out: Sink, case: Case, held: Round, now: int, when: str) -> None:
    """Let a paused round go on, in the calendar of the state that it goes on in; what was used stays used."""
    if held.running:
        return
    held.limit = _same_in(held, held.clock.choices[case.state.index])
    held.base = place_of(held, now) - held.used
    held.since = now
    held.running = True
    if held.late:
        plan(held)
    else:
        settle(held, case.facts)
    write_running(out, case, held, "clock.resumed", now, when)


def restart(out: Sink, case: Case, held: Round, now: int, when: str) -> None:
    """Begin a round anew: a late one ends and another starts, any other counts from zero again."""
    if held.late:
        stop(out, case, held, now, when)
        case.take_kept(held.clock.index)  # anew also where the clock goes on after a stop
        start(out, case, held.clock, now, when)
        begun = case.rounds[held.clock.index]
        if begun is not None and held.clock.phases[case.state.index] == Phase.PAUSED:
            pause(out, case, begun, now, when)
        return
    if held.clock.phases[case.state.index] is Phase.RUNNING:
        held.limit = _same_in(held, held.clock.choices[case.state.index])
    held.segments, held.used, held.amount, held.warned, held.given, held.totals = (), 0, 0, 0, (), None
    held.marked, held.summed = 0, None
    held.parts = (PartUsed(0),) * len(held.limit.parts)
    held.started = held.since = now
    held.base = place_of(held, now)
    found_late = held.next != NEVER and not held.running
    settle(held, case.facts)
    if found_late and passed(held, now):  # the same event has moved its date into the past
        held.next = held.due
    write_running(out, case, held, "clock.restarted", now, when)


def rebase(out: Sink, case: Case, held: Round, now: int, when: str) -> None:
    """Count on in the calendar of another state's owner: what was used stays used."""
    changed = _same_in(held, held.clock.choices[case.state.index])
    if changed is held.limit or not held.running:
        return
    if changed.calendar is held.limit.calendar:  # the limit's own, whoever owns the case
        held.limit = changed
        return
    used, before = used_of(held, now), held.due
    begin_stretch(held, now)
    held.limit = changed
    held.base = place_of(held, now) - used
    if not held.late:
        settle(held, case.facts)
    if held.due != before:
        write_running(out, case, held, "clock.extended", now, when, changed.recounted_as)


def begin_stretch(held: Round, now: int) -> None:
    """Let another stretch of a running round begin: what is left is counted in another way from now on."""
    if held.parts:
        held.parts = parts_after(held, now)
    end_stretch(held, now)
    held.since = now


def _same_in(held: Round, choices: tuple[LiveLimit, ...]) -> LiveLimit:
    """The limit of a round among those of its clock in another state, which may count in another calendar."""
    found = choices[held.limit.place]
    return found.parts[held.limit.part] if found.parts else found


def stop(out: Sink, case: Case, held: Round, now: int, when: str) -> None:
    """End a round: met if it is not late, else ended with the time by which it was over.

    A timer of the very instant at which a strict limit falls due may end the round before its own turn; it is late.
    A round that pauses ends as if it went on now: the date that it had to be done by may have passed.
    """
    clock = held.clock
    if not held.late:
        if not held.running:
            settle_standing(held, case.facts, now)
        if held.next != NEVER and passed(held, now):
            fall_late(out, case, held, when, now)
    used = used_of(held, now)
    case.rounds[clock.index] = None
    forget_lateness(case, clock)
    if clock.goes_on:
        keep(case, held, now, clock)
    if held.late:
        write_ended(out, case, held, "clock.ended", used, when, max(used - held.mark, 0))
    else:
        write_ended(out, case, held, "clock.met", used, when)


def cancel(out: Sink, case: Case, held: Round, now: int, when: str) -> None:
    """End a round because the clock does not apply any more."""
    case.rounds[held.clock.index] = None
    if held.clock.goes_on:
        keep(case, held, now, held.clock)
    write_ended(out, case, held, "clock.cancelled", used_of(held, now), when)


def forget_lateness(case: Case, clock: LiveClock) -> None:
    """Lateness that nobody heard is gone with its round."""
    if clock in case.pending:
        case.pending = tuple(each for each in case.pending if each is not clock)


def warn(out: Sink, case: Case, held: Round, when: str, now: int) -> None:
    """Say that a share of the limit is used, or that the due instant is near."""
    note_warning(held)
    plan(held)
    write_running(out, case, held, "clock.warned", now, when)


def fall_late(out: Sink, case: Case, held: Round, when: str, now: int) -> None:
    """Say that the limit is passed; the round counts on."""
    held.late = True
    held.clock.lates += 1
    held.next = NEVER
    held.mark = place_of(held, held.due) - held.base
    write_running(out, case, held, "clock.late", now, when)


def tell(out: Sink, case: Case, held: Round, now: int, when: str) -> None:
    """Say of a round that another case began that it is this case's now."""
    if held.running:
        write_running(out, case, held, "clock.started", now, when)
    else:
        write_ended(out, case, held, "clock.paused", held.used, when)


def tell_extended(out: Sink, case: Case, held: Round, now: int, when: str, reason: str) -> None:
    """Say that a round's due time has changed, and why."""
    write_running(out, case, held, "clock.extended", now, when, reason)


def look_again(out: Sink, case: Case, clock: LiveClock, now: int, when: str) -> None:
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
    if limit is not replaced.chosen:
        _change_limit(held, limit, now)
    elif not limit.moves:
        return
    if held.running:
        settle(held, case.facts)
    else:
        settle_standing(held, case.facts, now)
    if (held.running and held.due != before) or limit.whole != replaced.whole:
        recounted = limit.whole == replaced.whole and not limit.moves
        reason = limit.recounted_as if recounted else held.limit.extended_as
        write_running(out, case, held, "clock.extended", now, when, reason)


def _choices_of(held: Round) -> tuple[LiveLimit, ...]:
    """The limits of a round's clock in the calendar in which it counts."""
    return next(each for each in held.clock.choices if each[held.limit.place] is held.limit.chosen)


def _change_limit(held: Round, limit: LiveLimit, now: int) -> None:
    """Take another limit; the time already used counts, told in the new limit's basis."""
    replaced = held.limit
    if replaced.parts or limit.parts:
        _change_parts(held, limit, now)
        return
    if replaced.measure != limit.measure:
        used = used_before(held, limit, now)
    else:
        used = used_of(held, now)
        if held.running and limit.calendar is not replaced.calendar:
            begin_stretch(held, now)
    held.limit, held.amount = limit, held.amount if limit.limit == replaced.limit else 0
    held.used = used
    held.base = place_of(held, now) - used


def _change_parts(held: Round, limit: LiveLimit, now: int) -> None:
    """Take another limit where it, or the one before, is the first to fall due of several: of each, what was used in
    its measure stays used, or else the stretches are counted anew."""
    used = [used_as(held, each, now) for each in limit.parts or (limit,)]
    same = limit.whole == held.limit.whole
    amounts = [known.amount for known in held.parts] if same else [0] * len(used)
    if held.running:
        begin_stretch(held, now)
    held.parts = tuple(map(PartUsed, used, amounts)) if limit.parts else ()
    held.limit, held.used, held.amount = limit, used[0], 0
    held.base = place_of(held, now) - used[0]


def extend(out: Sink, case: Case, held: Round, by: Limit, now: int, when: str, reason: str) -> None:
    """Give a round more time: in its own basis where ``by`` is in it, else on top of its due time."""
    held.given = with_more(held.given, by)
    if held.running:
        settle(held, case.facts)
    else:
        stand(held, case.facts, now)
    write_running(out, case, held, "clock.extended", now, when, reason)


def write_running(
    out: Sink, case: Case, held: Round, kind: str, now: int, when: str, reason: str | None = None,
    code: str | None = None,
) -> None:  # fmt: skip
    """Write a record of a round that runs, or may: with the due time where there is one."""
    unit = held.limit.unit
    due = held.due if held.due != NEVER and held.running else None
    used, limit = seconds(used_of(held, now), unit), seconds(held.amount, unit)
    out.append(case.record(kind, when, ClockData(held.limit.told, due, used, limit, None, code, reason)))


def used_seconds(held: Round, now: int) -> int | float:
    """The time that a round has used by an instant, in seconds, as records tell it."""
    return seconds(used_of(held, now), held.limit.unit)


def write_ended(out: Sink, case: Case, held: Round, kind: str, used: int, when: str, over: int | None = None) -> None:
    """Write a record of a round that does not run any more; ``over`` is the time by which it was late."""
    unit = held.limit.unit
    beyond = None if over is None else seconds(over, unit)
    data = ClockData(held.limit.told, None, seconds(used, unit), seconds(held.amount, unit), beyond)
    out.append(case.record(kind, when, data))
