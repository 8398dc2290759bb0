"""What often happens, done quicker: moves, timers and openings are written out in Python once they come often.

It is put around programs from outside. Whoever steps cases calls what a state has for an event, and does not know
whether that is this.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import text_of

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, LiveAfter, LiveProgram, LiveState, Move, Open, Steps, Subject

OFTEN = 20
"""How often an event must have come in a state before its move is written out: that takes about as long as it saves in
forty steps. A process that takes one event writes none, and does not import what does."""


def quicken(programs: Iterable[LiveProgram]) -> None:
    """Let what comes often in the states of some programs be written out, once they are linked."""
    for program in programs:
        program.put_around(_count)


def _count(program: LiveProgram, state: LiveState) -> None:
    for event in state.ways:
        state.moves[event] = _counted_move(program, state, event)
    for after in state.afters:
        after.move = _counted_timer(program, state, after)
    state.opening = _counted_opening(program, state)


def _counted_move(program: LiveProgram, state: LiveState, event: str) -> Move:
    """Counts how often an event has come, and is replaced when that was often."""
    count = 0

    def move(stepper: Steps, subject: Subject, case: Case, now: int, when: str, data: dict[str, Any]) -> bool:
        nonlocal count
        count += 1
        if count == OFTEN:
            from carepolicy.engine.fast.code import begin_for
            from carepolicy.engine.fast.moves import write_move

            written = write_move(program, state, event, begin_for(stepper))
            if written is None:
                del state.moves[event]
            else:
                state.moves[event] = written
        return stepper.interpret(subject, case, event, now, when or text_of(now), data)

    return move


def _counted_timer(program: LiveProgram, state: LiveState, after: LiveAfter) -> Move:
    """Counts how often a timer has fired, and is replaced when that was often."""
    count = 0

    def move(stepper: Steps, subject: Subject, case: Case, now: int, when: str, data: dict[str, Any]) -> bool:
        nonlocal count
        count += 1
        if count == OFTEN:
            from carepolicy.engine.fast.code import begin_for
            from carepolicy.engine.fast.moves import write_timer

            after.move = write_timer(program, state, after, begin_for(stepper))
        return stepper.interpret_timer(subject, case, after, now, when)

    return move


def _counted_opening(program: LiveProgram, state: LiveState) -> Open:
    """Counts how often a case was opened in a state, and is replaced when that was often."""
    count = 0

    def opening(stepper: Steps, subject: Subject, now: int, when: str, facts: dict[str, Any], received: int) -> Case:
        nonlocal count
        count += 1
        if count == OFTEN:
            from carepolicy.engine.fast.code import begin_for
            from carepolicy.engine.fast.moves import write_opening

            state.opening = write_opening(program, state, begin_for(stepper))
        return stepper.interpret_opening(subject, program, state, now, when or text_of(now), facts, received)

    return opening
