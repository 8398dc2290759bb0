"""Where a case is surely late: which transitions are taken only then, and which states are entered only so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from carepolicy.checks.graph import Same
from carepolicy.guards import ExpressionError
from carepolicy.guards.names import chain
from carepolicy.guards.parsing import inside, parse
from carepolicy.policy.resolve import transitions_of

if TYPE_CHECKING:
    from typing import Any

    from carepolicy.policy.model import Effects, Flow, State, Transition


@dataclass(frozen=True, slots=True)
class Step:
    """A transition as it is taken in the state ``source``. ``late``: only when a promise is broken."""

    source: State
    target: State | None
    transition: Transition
    late: bool

    def groups(self) -> tuple[Effects, ...]:
        """The effects in the order in which they happen: leaving, the transition's own, entering."""
        around = (self.source.leave, self.target.enter) if self.target is not None else (None, None)
        return tuple(each for each in (around[0], self.transition.effects, around[1]) if each is not None)

    def sends(self) -> tuple[str, ...]:
        """The messages that the customer gets with it."""
        return tuple(name for effects in self.groups() for name in effects.send)


def steps(flow: Flow) -> tuple[Step, ...]:
    """Every transition of every state in which it holds, those of phases and ``anywhere`` once for each."""
    return _steps(Same(flow))


@lru_cache(maxsize=1000)
def _steps(same: Same[Flow]) -> tuple[Step, ...]:
    flow = same.kept
    promised = {clock.name for clock in flow.clocks.values() if clock.promise}
    return tuple(step for state in flow.states.values() for step in _of(flow, state, promised))


def owing(flow: Flow, all_steps: tuple[Step, ...]) -> frozenset[str]:
    """States in which an apology is owed: every way into them is taken when a promise is broken, and is silent.

    So is a way from another such state. A state in which cases begin is none.
    """
    ways: dict[str, list[Step]] = {}
    for step in all_steps:
        if step.target is not None and step.target.name != step.source.name:
            ways.setdefault(step.target.name, []).append(step)
    found = {name for name in ways if not flow.states[name].start_on and flow.states[name].final is None}
    changed = True
    while changed:
        wrong = {
            name
            for name in found
            if any(each.sends() or not (each.late or each.source.name in found) for each in ways[name])
        }
        found -= wrong
        changed = bool(wrong)
    return frozenset(_reached({name for name in found if any(each.late for each in ways[name])}, ways, found))


def _reached(begun: set[str], ways: dict[str, list[Step]], found: set[str]) -> set[str]:
    """Those of ``found`` to which lateness comes at all: a mere circle of states owes nothing."""
    waiting = True
    while waiting:
        more = {name for name in found - begun if any(each.source.name in begun for each in ways[name])}
        begun |= more
        waiting = bool(more)
    return begun


def _of(flow: Flow, state: State, promised: set[str]) -> Iterator[Step]:
    for trigger, transitions in transitions_of(flow, state.name).items():
        clock, _, what = trigger.rpartition(".")
        late = what == "late" and clock in promised
        yield from _listed(flow, state, transitions, late, promised)
    for after in state.after:
        yield from _listed(flow, state, after.transitions, False, promised)


def _listed(
    flow: Flow, state: State, transitions: tuple[Transition, ...], late: bool, promised: set[str]
) -> Iterator[Step]:
    for each in transitions:
        sure = late or (each.when is not None and any(demands_late(each.when, clock) for clock in promised))
        yield Step(state, flow.states.get(each.to) if each.to is not None else None, each, sure)


def demands_late(guard: str, clock: str) -> bool:
    """Whether a guard holds only where a clock is late: ``clock.NAME.late``, alone or among parts joined by &&."""
    wanted = f"clock.{clock}.late"
    if wanted not in guard:
        return False
    try:
        tree = parse(guard)
    except ExpressionError:
        return False
    return wanted in _conjuncts(inside(tree))


def _conjuncts(node: Any) -> Iterator[str | None]:
    if node.data == "conditionaland" and len(node.children) == 2:
        yield from _conjuncts(inside(node.children[0]))
        yield from _conjuncts(inside(node.children[1]))
    elif node.data in ("ident", "member_dot"):
        yield chain(node)
