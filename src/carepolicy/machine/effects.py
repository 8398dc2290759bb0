"""Effects of transitions and states, compiled: expressions to functions, notices to templates."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from carepolicy.businesstime import parse_limit
from carepolicy.guards import compile_expression
from carepolicy.guards.scopes import scope_of
from carepolicy.machine.messages import compile_notice
from carepolicy.machine.program import (
    ArgumentTable,
    EffectsTable,
    ExtendTable,
    OpenTable,
    RaiseTable,
    SpendTable,
)
from carepolicy.policy.settings import limit_text

if TYPE_CHECKING:
    from carepolicy.machine.program import Function
    from carepolicy.policy.model import Effects, Flow, Policies, State


def compile_effects(
    policies: Policies, flow: Flow, effects: Effects | None, trigger: str | None, state: str
) -> EffectsTable | None:
    """The table of ``effects``, or None where there are none. ``trigger`` is what they follow, ``state`` the title of
    that in which the case is after them."""
    if effects is None:
        return None
    scope = scope_of(policies.organisation, flow, trigger)
    clocks = list(flow.clocks)
    facts = policies.organisation.facts

    def function(text: str) -> Function:
        return compile_expression(text, scope, None).function

    def argument(name: str, text: str) -> ArgumentTable:
        expression = compile_expression(text, scope, None)
        read = sorted({*expression.reads, *expression.reads_event})
        return ArgumentTable(
            name, expression.function, expression.type, tuple(fact for fact in read if facts[fact].private)
        )

    table = EffectsTable(
        set=tuple((fact, function(text)) for fact, text in effects.set.items()),
        assign=_assignee(policies, effects.assign),
        send=effects.send,
        tell=tuple((each.role, compile_notice(policies, flow, each.say, state, trigger)) for each in effects.tell),
        request=tuple(
            (each.action, tuple(argument(name, text) for name, text in each.arguments.items()))
            for each in effects.request
        ),
        open=tuple(OpenTable(each.flow, each.on, each.keep_time) for each in effects.open),
        raises=tuple(
            RaiseTable(
                each.event, function(each.subject), tuple((name, function(text)) for name, text in each.data.items())
            )
            for each in effects.raises
        ),
        extend=tuple(
            ExtendTable(clocks.index(each.clock), parse_limit(limit_text(each.by, policies.organisation)), each.at_most)
            for each in effects.extend
        ),
    )
    return table if table != _NOTHING else None


def compile_spending(
    policies: Policies, flow: Flow, state: State, effects: Effects, trigger: str | None
) -> SpendTable | None:
    """What a transition gives away, and how much whoever acts in ``state`` may; None where it gives nothing away."""
    if effects.spends is None:
        return None
    name = state.owner or flow.owner
    role = policies.organisation.roles.get(name)
    most = role.authority if role is not None else None
    amount = compile_expression(effects.spends, scope_of(policies.organisation, flow, trigger), "money")
    return SpendTable(amount.function, Decimal(0) if most is None else most, name)


_NOTHING = EffectsTable((), None, (), (), (), (), (), ())


def _assignee(policies: Policies, name: str | None) -> tuple[str | None, str | None] | None:
    """(role, None) or (None, fact): who is to do the work."""
    if name is None:
        return None
    return (name, None) if name in policies.organisation.roles else (None, name)
