"""An open case is moved to another version of its flow: state, facts and clocks, with records of what changes by it.

The time that a clock has used stays used; the rest is counted in the new calendars and limits. A clock that is
late stays late. A state that was renamed, or that is gone, has a name in ``moves``; without one a case cannot be moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine import rounds
from carepolicy.engine.case import Round, place_of, used_of
from carepolicy.engine.effects import tell_task
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.recordtext import quoted
from carepolicy.engine.roundrecords import seconds, write_running
from carepolicy.engine.settling import settle, settle_standing, used_before
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from collections.abc import Collection

    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveAfter, LiveProgram, LiveState
    from carepolicy.engine.liveclocks import LiveClock, LiveLimit
    from carepolicy.engine.telling import Telling

APPLIED = "apply"
"""What moved a case, in its record."""

WHY = quoted("the policies have changed")


def target_of(case: Case, program: LiveProgram) -> LiveState | None:
    """The state of ``program`` that a case of an older version belongs in; None where there is none."""
    names = {state.name: state for state in program.states}
    name = case.state.name
    return names.get(name) or names.get(program.program.moves.get(name, ""))


def moved(
    case: Case, program: LiveProgram, state: LiveState, facts: Collection[str], now: int, telling: Telling
) -> Case:
    """The case as one of ``program``, in ``state``, at ``now``; its records are added to what ``telling`` writes. It
    keeps those of its facts that are among ``facts``. One that is moved to a final state is closed."""
    new = case.successor(program, case.subject, case.sequence)
    out, when = telling.out, text_of(now)
    new.opened, new.now = case.opened, now
    new.state = state
    new.facts = {name: value for name, value in case.facts.items() if name in facts}
    new.afters, new.seen, new.visited, new.kept, new.extended = (), 0, None, None, None
    _translate(case, new)
    if state.name != case.state.name:
        form = program.writer.fixed("case.moved", **{"from": case.state.name, "to": state.name, "on": APPLIED})
        out.append(new.line(form, when))
    _move_clocks(case, new, now, when, out)
    if state.final is not None:
        out.append(new.line(state.closed, when))
        new.closed = True
        return new
    if (state.name, state.owner) != (case.state.name, case.state.owner):
        tell_task(telling, new, state, when)
    new.afters = tuple(_afters(case, new))
    return new


def _translate(case: Case, new: Case) -> None:
    """What is known by states and clocks of the old program, by those of the new one that have their names: visits,
    clocks seen, time kept and given, lateness that nobody heard."""
    moves = new.program.program.moves
    if case.visited is not None:
        names = {state.name for state in new.program.states}
        for name, count in case.visited.items():
            to = name if name in names else moves.get(name, name)
            new.visited = {**(new.visited or {}), to: count + (new.visited or {}).get(to, 0)}
    clocks = {clock.name: clock for clock in new.program.clocks}
    for before in case.program.clocks:
        clock = clocks.get(before.name)
        if clock is None:
            continue
        if case.seen & before.bit:
            new.seen |= clock.bit
        if case.kept and before.index in case.kept:
            new.keep(clock.index, case.kept[before.index])
        if case.extended and before.index in case.extended:
            new.extended = {**(new.extended or {}), clock.index: case.extended[before.index]}
    new.pending = tuple(clocks[each.name] for each in case.pending if each.name in clocks)


def _move_clocks(case: Case, new: Case, now: int, when: str, out: list[str]) -> None:
    before = {held.clock.name: held for held in case.rounds if held is not None}
    phases = {clock.name: clock.phases[case.state.index] for clock in case.program.clocks}
    for clock in new.program.clocks:
        phase = clock.phases[new.state.index]
        held = before.pop(clock.name, None)
        if held is not None:
            _move_round(new, held, clock, phase, now, when, out)
        elif phase is Phase.RUNNING and phases.get(clock.name) is not Phase.RUNNING:
            rounds.start(out, new, clock, now, when)
    out += [_cancelled(new, gone, now, when) for gone in before.values()]


def _move_round(new: Case, held: Round, clock: LiveClock, phase: Phase, now: int, when: str, out: list[str]) -> None:
    limit = rounds.choose(new, clock.choices[new.state.index]) if phase is not Phase.STOPPED else None
    if limit is None:
        if clock.goes_on:
            rounds.keep(new, held, now, clock)
        out.append(_cancelled(new, held, now, when))
        return
    taken = new.rounds[clock.index] = _carried(new, held, clock, limit, now)
    if taken.running and phase is Phase.PAUSED:
        rounds.pause(out, new, taken, now, when)
    elif not taken.running and phase is Phase.RUNNING:
        rounds.resume(out, new, taken, now, when)
    elif not taken.late and ((taken.running and taken.due != held.due) or taken.limit.limit != held.limit.limit):
        write_running(out, new, taken, limit.extended, now, when, WHY)


def _carried(new: Case, held: Round, clock: LiveClock, limit: LiveLimit, now: int) -> Round:
    """A round that goes on under another limit, or in another calendar."""
    old = held.limit
    taken = Round(clock, limit, held.since)
    for name in ("started", "running", "late", "warned", "given", "segments", "due", "mark"):
        setattr(taken, name, getattr(held, name))
    if old.measure == limit.measure:
        taken.used = used_of(held, now)
    else:
        taken.used = used_before(held, limit, now)
        taken.mark = limit.amount
    if taken.running:
        taken.segments += ((held.since, now),)
        taken.since = now
    taken.base = place_of(taken, now) - taken.used
    taken.amount = held.amount if limit.limit == old.limit else limit.amount
    taken.warned = min(held.warned, len(clock.warns))
    if taken.running and not taken.late:
        settle(new, taken)
    elif not taken.late:
        settle_standing(new, taken, now)
    return taken


def _cancelled(new: Case, held: Round, now: int, when: str) -> str:
    """The record that a round ends with the version that it belongs to."""
    unit = held.limit.unit
    form = held.limit.cancelled
    return new.line(form, when, form.data % (seconds(used_of(held, now), unit), seconds(held.amount, unit)))


def _afters(case: Case, new: Case) -> list[tuple[int, int, LiveAfter]]:
    """The timers of the state: those that have fired do not fire again."""
    same = new.state.name == case.state.name
    left = {after.trigger for _, _, after in case.afters}
    fired = {after.trigger for after in case.state.afters} - left if same else set()
    found: list[tuple[int, int, LiveAfter]] = []
    for after in new.state.afters:
        due = after.due(new.entered, new.facts)
        if after.trigger not in fired and due != NEVER:
            found.append((due, after.place, after))
    return found
