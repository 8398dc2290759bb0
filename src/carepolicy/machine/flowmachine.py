"""The state machine of a flow as a ``transitions.Machine``: the one definition of which way is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from transitions import EventData, Machine, State, Transition

from carepolicy.guards.compiler import compile_expression
from carepolicy.guards.scope import scope_of
from carepolicy.policy.language.flow import transitions_of

if TYPE_CHECKING:
    from carepolicy.guards.compiler import Expression
    from carepolicy.policy import model


class Standstill:
    """What a guard sees of a case that has no clocks and no past: no visits, no age, no clock running."""

    def visits(self, state: str) -> int:
        """No state was ever entered."""
        return 0

    def age(self) -> int:
        """The case is opened at this very instant."""
        return 0

    def left(self, clock: str) -> int | None:
        """No clock runs."""
        return None

    def late(self, clock: str) -> bool:
        """No clock is late."""
        return False


class Guard:
    """A condition of ``transitions`` that evaluates a compiled guard.

    It reads the facts from the keyword argument ``facts`` of the trigger call, else from the attribute
    ``facts`` of the bound object; the event's data from the keyword argument ``data`` (they are taken
    up into the facts before the guard is read); and what the case knows of itself from the keyword
    argument ``case`` (``visits``, ``age``, ``left``, ``late``).
    """

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def __call__(self, event: EventData) -> bool:
        """Whether the guard holds for what the call gave and the bound object has."""
        given: Mapping[str, Any] = event.kwargs.get("data") or {}
        facts = event.kwargs.get("facts")
        if facts is None:
            facts = getattr(event.model, "facts", {})
        return bool(self.expression.function({**facts, **given}, given, event.kwargs.get("case") or Standstill()))


class FlowTransition(Transition):
    """A transition that remembers the rule of the policy it was made from, and its guard."""

    def __init__(self, *args: Any, rule: model.Transition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule = rule

    @property
    def guard(self) -> Expression | None:
        """The compiled guard, None where the transition always holds."""
        found = (each.func for each in self.conditions if isinstance(each.func, Guard))
        return next((guard.expression for guard in found), None)


class FlowMachine(Machine):
    """A flow as a ``transitions.Machine`` whose states are the flow's and whose triggers are its events.

    Triggers are the names of events, clock events (``CLOCK.late``) and ``after LIMIT``; those whose names
    are no Python names are called by ``model.trigger(name)``. A trigger without a transition that holds
    leaves the object as it is and returns False.
    """

    transition_cls = FlowTransition

    def __init__(self, flow: model.Flow, organisation: model.Organisation, bound: object | None = None) -> None:
        self.flow = flow
        states = [State(each.name, final=each.final is not None) for each in flow.states.values()]
        super().__init__(
            model=bound if bound is not None else Machine.self_literal,
            states=states,
            initial=starts_of(flow)[0],
            auto_transitions=False,
            send_event=True,
            ignore_invalid_triggers=True,
            name=flow.name,
        )
        for state in flow.states.values():
            for trigger, transitions in transitions_of(flow, state.name).items():
                self._add(organisation, trigger, state.name, transitions, trigger)
            for after in state.after:
                self._add(organisation, f"after {after.limit}", state.name, after.transitions, None)

    def _add(
        self,
        organisation: model.Organisation,
        name: str,
        source: str,
        transitions: Iterable[model.Transition],
        event: str | None,
    ) -> None:
        scope = scope_of(organisation, self.flow, event)
        for rule in transitions:
            guard = None if rule.when is None else Guard(compile_expression(rule.when, scope, "flag"))
            self.add_transition(name, source, rule.to, conditions=guard, rule=rule)

    def ways(self, state: str) -> dict[str, tuple[FlowTransition, ...]]:
        """The transitions out of (or inside) ``state`` by trigger, in the order in which they are tried."""
        found = {name: event.transitions.get(state, ()) for name, event in self.events.items()}
        return {
            name: tuple(each for each in ways if isinstance(each, FlowTransition))
            for name, ways in found.items()
            if ways
        }


def starts_of(flow: model.Flow) -> list[str]:
    """The names of the states in which a case may open, in the order of the file."""
    return [each.name for each in flow.states.values() if each.start_on] or [next(iter(flow.states))]
