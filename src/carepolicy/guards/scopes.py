"""What an expression may name, by the place in a flow where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.guards.scope import Scope

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Organisation


def scope_of(organisation: Organisation, flow: Flow, trigger: str | None = None) -> Scope:
    """The scope of an expression in ``flow``; with the event ``trigger``, what that event carries too.

    A clock's event, an ``after`` and a limit bring no data: there ``event.*`` names nothing.
    """
    event = flow.events.get(trigger) if trigger is not None else None
    carried = None if event is None else frozenset((*event.required, *event.optional))
    return Scope(organisation.facts, organisation.settings, tuple(flow.clocks), tuple(flow.states), carried)
