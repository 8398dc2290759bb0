"""Which transitions hold in a state: its own, then its phases', then those that hold anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Transition


def transitions_of(flow: Flow, state: str) -> dict[str, tuple[Transition, ...]]:
    """All transitions that may be taken in ``state``, by trigger, in the order in which they are tried.

    A trigger that the state handles itself is not looked up further, whether or not a guard of it
    holds; the same goes for phases before ``anywhere``. A final state has none. ``after`` is not in
    here: it belongs to the state alone.
    """
    here = flow.states[state]
    if here.final is not None:
        return {}
    found = dict(here.on)
    for phase in flow.phases.values():
        if state in phase.states:
            for trigger, transitions in phase.on.items():
                found.setdefault(trigger, transitions)
    for trigger, transitions in flow.anywhere.items():
        open_here = tuple(each for each in transitions if state not in each.except_)
        if open_here:
            found.setdefault(trigger, open_here)
    return found
