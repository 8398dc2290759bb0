"""Two subjects turn out to be one: cases join the survivor's, and the earlier start of a clock is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine import clocks
from carepolicy.engine.case import place_of, start_of, used_of
from carepolicy.engine.due import settle, used_in
from carepolicy.engine.effects import tell_task
from carepolicy.engine.record import Told

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Round, Subject
    from carepolicy.engine.record import Record
    from carepolicy.engine.stepper import Stepper

OUTCOME = "merged"


def merge_subjects(stepper: Stepper, merged: Subject, survivor: Subject, now: int, when: str) -> None:
    """Let the cases of a subject join those of the survivor."""
    for subject in (merged, survivor):
        stepper.fire(subject, now, False)
        subject.last = now
    for place in sorted(merged.cases):
        _join(stepper, merged.cases[place], survivor, now, when)
    if merged.openings:
        survivor.openings = {**merged.openings, **(survivor.openings or {})}


def _join(stepper: Stepper, case: Case, survivor: Subject, now: int, when: str) -> None:
    out, program = stepper.out, case.program
    case.now = now
    held_before = list(case.rounds)
    other = survivor.cases.get(program.place)
    moved = case.successor(program, survivor.name, survivor.sequences.get(program.place, 0))
    _close(out, case, now, when)
    if other is None:
        _open(stepper, moved, held_before, survivor, now, when)
        return
    before, other.facts = other.facts, {**case.facts, **other.facts}
    other.now = now
    stepper.look_at_facts(other, before, now, when)
    for held in held_before:
        if held is not None:
            _keep_earlier_start(out, other, held, now, when)


def _close(out: list[Record], case: Case, now: int, when: str) -> None:
    """The merged case ends: its clocks run on in the survivor, so here they are cancelled."""
    for held in list(case.rounds):
        if held is not None and held.late:
            clocks.stop(out, case, held, now, when)
        elif held is not None:
            clocks.cancel(out, case, held, now, when)
    out.append(case.record("case.closed", when, Told(state=case.state.name, outcome=OUTCOME)))
    case.closed = True


def _open(
    stepper: Stepper, moved: Case, rounds_before: list[Round | None], survivor: Subject, now: int, when: str
) -> None:
    """The survivor has no case of this flow: it takes over the merged one, with its clocks and who works on it."""
    out = stepper.out
    moved.opened = moved.now = now
    survivor.put(moved.program.place, moved)
    out.append(moved.record("case.opened", when, moved.state.opened))
    for held in rounds_before:
        if held is not None:
            moved.rounds[held.clock.index] = held
            clocks.tell(out, moved, held, now, when)
    tell_task(stepper, moved, moved.state, when)


def _keep_earlier_start(out: list[Record], case: Case, merged: Round, now: int, when: str) -> None:
    held = case.rounds[merged.clock.index]
    if held is None or held.late or not held.running or held.started <= merged.started:
        return
    segments = merged.segments + (((merged.since, now),) if merged.running else ())
    used = max(used_in(segments, held.limit, start_of(merged)), used_of(held, now))
    held.started, held.since, held.segments, held.totals = merged.started, now, segments, None
    held.base = place_of(held, now) - used
    settle(case, held)
    clocks.tell_extended(out, case, held, now, when, "merged: the earlier start is kept")
