"""Two subjects turn out to be one: cases join the survivor's, and the earlier start of a clock is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.engine import codes, rounds
from carepolicy.engine.case import Case, used_of
from carepolicy.engine.instants import text_of
from carepolicy.engine.settling import settle, used_in

if TYPE_CHECKING:
    from carepolicy.engine.case import Round
    from carepolicy.engine.desk import Desk
    from carepolicy.engine.intake import Incoming
    from carepolicy.engine.subject import Subject

OUTCOME = "merged"


def merge_subjects(desk: Desk, event: Incoming) -> None:
    """Carry out ``carepolicy.merge``: the cases of the event's subject join those of ``data.into``."""
    into = event.data.get("into")
    survivor = desk.subject(None, into) if into else None
    merged = desk.subject(None, event.subject)
    if survivor is None or survivor is merged:
        desk.refuse(event, codes.MERGE, "it must name another subject to merge into", event.subject)
        return
    now = event.time
    for subject in (merged, survivor):
        if now < subject.last:
            reason = f"{subject.name} has already seen {text_of(subject.last)}"
            desk.refuse(event, codes.OUT_OF_ORDER, reason, event.subject)
            return
    for subject in (merged, survivor):
        desk.stepper.fire(subject, now, False)
        subject.last = now
    for place in sorted(merged.cases):
        _join(desk, merged.cases[place], survivor, now, event.when)
    desk.merged[merged.name] = survivor.name
    del desk.subjects[merged.name]
    desk.stepper.plan(survivor)


def _join(desk: Desk, case: Case, survivor: Subject, now: int, when: str) -> None:
    out = desk.stepper.out
    case.now = now
    held_before = list(case.rounds)
    other = survivor.cases.get(case.program.place)
    _close(out, case, now, when)
    if other is None:
        _move(out, case, held_before, survivor, now, when)
        return
    other.facts = {**case.facts, **other.facts}
    other.now = now
    for held in held_before:
        if held is not None:
            _keep_earlier_start(out, other, held, now, when)


def _close(out: list[str], case: Case, now: int, when: str) -> None:
    """The merged case ends: its clocks run on in the survivor, so here they are cancelled."""
    for held in list(case.rounds):
        if held is not None and held.late:
            rounds.stop(out, case, held, now, when)
        elif held is not None:
            rounds.cancel(out, case, held, now, when)
    out.append(case.line(case.program.writer.fixed("case.closed", state=case.state.name, outcome=OUTCOME), when))
    case.closed = True


def _move(out: list[str], case: Case, held_before: list[Round | None], survivor: Subject, now: int, when: str) -> None:
    """The survivor has no case of this flow: it takes over the merged one, clocks and all."""
    program = case.program
    moved = Case(program, survivor.name, survivor.sequences.get(program.place, 0))
    for name in ("state", "facts", "seen", "kept", "extended", "afters", "visited", "channel", "received", "entered"):
        setattr(moved, name, getattr(case, name))
    moved.opened = moved.now = now
    survivor.put(program.place, moved)
    out.append(moved.line(moved.state.opened, when))
    for held in held_before:
        if held is not None:
            moved.rounds[held.clock.index] = held
            rounds.tell(out, moved, held, now, when)


def _keep_earlier_start(out: list[str], case: Case, merged: Round, now: int, when: str) -> None:
    held = case.rounds[merged.clock.index]
    if held is None or held.late or not held.running or held.started <= merged.started:
        return
    segments = merged.segments + (((merged.since, now),) if merged.running else ())
    used = max(used_in(segments, held.limit), used_of(held, now))
    position = held.limit.position
    held.started, held.since, held.segments = merged.started, now, segments
    held.base = (now if position is None else position(now)) - used
    settle(case, held)
    rounds.tell_extended(out, case, held, now, when, "merged: the earlier start is kept")
