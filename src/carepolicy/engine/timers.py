"""Which timer of a subject fires next: a round of a clock, a timer of a state, or what falls due beside its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carepolicy.engine.instants import NEVER
from carepolicy.engine.round import Round

if TYPE_CHECKING:
    from carepolicy.engine.case import Case, Subject


def first_timer(subject: Subject) -> tuple[int, Case | None, Any]:
    """The timer that fires next: (due, case, its round or (due, place, after)), or one of the subject's own."""
    only = subject.only
    if only is not None and not subject.timers:
        return only.next, only, first_of(only)
    best: tuple[tuple[int, int, int], Case | None, Any] | None = None
    for place, case in subject.cases.items():
        if case.next > subject.next:
            continue
        for held in case.rounds:
            if held is not None and held.next != NEVER:
                key = (held.next, place, held.clock.place)
                if best is None or key < best[0]:
                    best = (key, case, held)
        for timer in case.afters:
            key = (timer[0], place, timer[1])
            if best is None or key < best[0]:
                best = (key, case, timer)
    for own in (subject.timers or {}).values():
        key = (own.due, own.place, own.order)
        if best is None or key < best[0]:
            best = (key, None, own)
    assert best is not None, "a subject's next due time belongs to one of its timers"
    return best[0][0], best[1], best[2]


def first_strict(subject: Subject, due: int) -> tuple[Case | None, Any]:
    """The first strict timer that falls due at an instant, whatever else does at it."""
    found: list[tuple[int, int, Case, Any]] = []
    for place, case in subject.cases.items():
        held_now = [held for held in case.rounds if held is not None and held.next == due]
        found += [(place, held.clock.place, case, held) for held in held_now if is_strict(held, due)]
        found += [(place, timer[1], case, timer) for timer in case.afters if timer[0] == due and is_strict(timer, due)]
    return min(found, key=lambda each: each[:2])[2:] if found else (None, None)


def trigger_of(timer: Any) -> str:
    """What a timer is to a policy."""
    if not isinstance(timer, Round):
        trigger: str = timer[2].trigger
        return trigger
    return timer.clock.late_trigger if timer.next >= timer.due else timer.clock.warned_trigger


def is_strict(timer: Any, due: int) -> bool:
    """Whether a timer comes before an event of the instant at which it falls due."""
    if isinstance(timer, Round):
        return timer.due == due and timer.limit.strict
    return isinstance(timer, tuple) and timer[2].limit.strict


def first_of(case: Case) -> Any:
    """The timer of a case that fires next: a round or (due, place, after); of several at one instant the first in the
    file."""
    first: Any = None
    due, place = case.next, NEVER
    for held in case.rounds:
        if held is not None and held.next == due and held.clock.place < place:
            first, place = held, held.clock.place
    for timer in case.afters:
        if timer[0] == due and timer[1] < place:
            first, place = timer, timer[1]
    assert first is not None, "a case's next due time belongs to one of its timers"
    return first
