"""Programs made ready to run: linked to calendars, to each other, and to what the records say that they write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.case import LiveAfter, LiveProgram, LiveState, LiveWay
from carepolicy.engine.clocks import begin, begin_anew, change_calendar, end, go_on, stand_still
from carepolicy.engine.effects import LiveEffects
from carepolicy.engine.record import Known
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.engine.case import Case, Operation, Operations
    from carepolicy.engine.round import LiveClock
    from carepolicy.machine.program import (
        AfterTable,
        Bundle,
        EffectsTable,
        Function,
        Program,
        RuleTable,
        StateTable,
    )


def live_program(place: int, program: Program, bundle: Bundle, opens: bool = True) -> LiveProgram:
    """A program made ready to run. ``place`` orders flows that act at one instant; one that does not open (``opens``)
    only steps the cases that it has."""
    return LiveProgram(place, program, bundle, _states, opens)


def _states(program: LiveProgram, bundle: Bundle) -> tuple[LiveState, ...]:
    """The states of a program, which will be linked to each other and to its clocks."""
    tables = program.program.states

    def link(state: LiveState) -> None:
        _link(program, states, bundle, state, tables[state.index])
        program.has_linked(state)

    states = tuple(LiveState(index, table, link) for index, table in enumerate(tables))
    return states


def _link(
    program: LiveProgram, states: tuple[LiveState, ...], bundle: Bundle, state: LiveState, table: StateTable
) -> None:
    """Fill in what a state needs to know of the others and of the clocks."""
    state.moves, state.opening = {}, None
    state.enter = _effects(program, bundle, table.enter, f"entering {state.name}")
    state.leave = _effects(program, bundle, table.leave, f"leaving {state.name}")
    state.starting = operations(program.clocks, None, state.index, "")
    state.ways = {
        trigger: tuple(_way(program, states, bundle, state, trigger, rule) for rule in rules)
        for trigger, rules in table.ways.items()
    }
    state.afters = tuple(_after(program, states, bundle, state, each) for each in table.afters)
    if state.final is None:
        _touches(program, state)


def operations(clocks: tuple[LiveClock, ...], source: int | None, target: int, trigger: str) -> Operations:
    """What a move from ``source`` (None: from nowhere) to ``target`` does to each clock, in file order."""
    found: list[tuple[LiveClock, Operation]] = []
    for clock in clocks:
        before = Phase.STOPPED if source is None else clock.phases[source]
        after = clock.phases[target]
        again = trigger in clock.restarts_on
        if after is Phase.RUNNING:
            if before is Phase.STOPPED:
                found.append((clock, begin))
            elif again:
                found.append((clock, begin_anew))
            if before is Phase.PAUSED:
                found.append((clock, go_on))
            elif before is Phase.RUNNING and source is not None and clock.choices[source] is not clock.choices[target]:
                found.append((clock, change_calendar))
        elif after is Phase.PAUSED:
            if again and before is not Phase.STOPPED:
                found.append((clock, begin_anew))
            if before is Phase.RUNNING:
                found.append((clock, stand_still))
        elif before is not Phase.STOPPED:
            found.append((clock, end))
    return tuple(found)


def _effects(program: LiveProgram, bundle: Bundle, table: EffectsTable | None, trigger: str) -> LiveEffects | None:
    return None if table is None else LiveEffects(program, bundle, table, trigger)


def _way(
    program: LiveProgram, states: tuple[LiveState, ...], bundle: Bundle, state: LiveState, trigger: str, rule: RuleTable
) -> LiveWay:
    effects = _effects(program, bundle, rule.effects, trigger)
    if rule.to < 0:
        return LiveWay(rule.when, None, None, _restarts(program, state, trigger), effects, rule.spends)
    target = states[rule.to]
    moved = Known(**{"from": state.name, "to": target.name, "on": trigger})
    ops = operations(program.clocks, state.index, target.index, trigger)
    return LiveWay(rule.when, target, moved, ops, effects, rule.spends)


def _restarts(program: LiveProgram, state: LiveState, trigger: str) -> Operations:
    """The clocks that an event begins anew although the case stays where it is."""
    return tuple(
        (clock, begin_anew)
        for clock in program.clocks
        if trigger in clock.restarts_on and clock.phases[state.index] is not Phase.STOPPED
    )


def _after(
    program: LiveProgram, states: tuple[LiveState, ...], bundle: Bundle, state: LiveState, table: AfterTable
) -> LiveAfter:
    after = LiveAfter(table, bundle.calendars[table.calendar])
    after.ways = tuple(_way(program, states, bundle, state, "after", rule) for rule in table.rules)
    return after


def _touches(program: LiveProgram, state: LiveState) -> None:
    """An event that begins a clock anew is expected wherever that clock runs or pauses."""
    for trigger in sorted({event for clock in program.clocks for event in clock.restarts_on}):
        ops = _restarts(program, state, trigger)
        if ops:
            state.ways[trigger] = (*state.ways.get(trigger, ()), LiveWay(_has_round(ops), None, None, ops, None))


def _has_round(ops: Operations) -> Function:
    """Whether one of some clocks runs or pauses: one that is cancelled is not begun anew."""
    indexes = tuple(clock.index for clock, _ in ops)

    def has_round(facts: Mapping[str, Any], event: Mapping[str, Any], case: Case) -> bool:
        return any(case.rounds[index] is not None for index in indexes)

    return has_round
