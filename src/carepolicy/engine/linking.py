"""Links a state to the others of its program: ways, effects and what each move does to the clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine.effects import LiveEffects
from carepolicy.engine.live import RESTART, LiveAfter, LiveWay, operations
from carepolicy.engine.record import Known
from carepolicy.engine.rounds import OPERATIONS
from carepolicy.machine.program import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from carepolicy.engine.case import Case
    from carepolicy.engine.live import LiveProgram, LiveState, Operations
    from carepolicy.engine.liveclocks import LiveClock
    from carepolicy.machine.program import Bundle, EffectsTable, Function, RuleTable


def link(state: LiveState, program: LiveProgram, bundle: Bundle) -> None:
    """Fill in what a state of ``program`` needs to know of the others."""
    table = program.program.states[state.index]
    state.heat, state.moves, state.alone, state.opening = {}, {}, {}, None
    state.opened = Known(state=state.name)
    state.closed = Known(state=state.name, outcome=state.final)
    worked = state.owner is not None and state.final is None
    state.task = Known(state=state.name, role=state.owner) if worked else None
    state.enter = _effects(program, bundle, table.enter, f"entering {state.name}")
    state.leave = _effects(program, bundle, table.leave, f"leaving {state.name}")
    state.starting = _functions(operations(program.clocks, None, state.index, ""))
    state.ways = {
        trigger: tuple(_way(program, bundle, state, trigger, rule) for rule in rules)
        for trigger, rules in table.ways.items()
    }
    state.afters = tuple(_after(program, bundle, state, index) for index in range(len(table.afters)))
    if state.final is None:
        _touches(program, state)


def _effects(program: LiveProgram, bundle: Bundle, table: EffectsTable | None, trigger: str) -> LiveEffects | None:
    return None if table is None else LiveEffects(program, bundle, table, trigger)


def _way(program: LiveProgram, bundle: Bundle, state: LiveState, trigger: str, rule: RuleTable) -> LiveWay:
    effects = _effects(program, bundle, rule.effects, trigger)
    if rule.to < 0:
        return LiveWay(rule.when, None, None, _restarts(program, state, trigger), effects, rule.spends)
    target = program.states[rule.to]
    moved = Known(**{"from": state.name, "to": target.name, "on": trigger})
    ops = _functions(operations(program.clocks, state.index, target.index, trigger))
    return LiveWay(rule.when, target, moved, ops, effects, rule.spends)


def _functions(found: tuple[tuple[LiveClock, int], ...]) -> Operations:
    return tuple((clock, OPERATIONS[each]) for clock, each in found)


def _restarts(program: LiveProgram, state: LiveState, trigger: str) -> Operations:
    """The clocks that an event begins anew although the case stays where it is."""
    return tuple(
        (clock, OPERATIONS[RESTART])
        for clock in program.clocks
        if trigger in clock.restarts_on and clock.phases[state.index] is not Phase.STOPPED
    )


def _after(program: LiveProgram, bundle: Bundle, state: LiveState, index: int) -> LiveAfter:
    table = program.program.states[state.index].afters[index]
    after = LiveAfter(table, bundle.calendars[table.calendar])
    after.ways = tuple(_way(program, bundle, state, "after", rule) for rule in table.rules)
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
