"""The longest way through a flow: by what each stay is bounded, and how long a case may take from state to state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.checks.lengths import calendar_of, days_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.checks.graph import Graph
    from carepolicy.policy.model import Policies


class Bound(NamedTuple):
    """What bounds a stay: a clock that runs there, or an ``after`` that leads out (``clock`` is None). ``days`` is
    None where it hangs on a fact."""

    clock: str | None
    text: str
    days: float | None


class Piece(NamedTuple):
    """Some states of a way, one after the other, that one bound holds for."""

    states: tuple[str, ...]
    bound: Bound


Cover = tuple[float, tuple[Piece, ...]]
"""Pieces of a way, and before them their days."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way from a start: its pieces, their sum in days, and the steps back that it does not take."""

    pieces: tuple[Piece, ...]
    days: float
    back: tuple[tuple[str, str], ...]


def bounds_of(policies: Policies, graph: Graph) -> dict[str, list[Bound]]:
    """The bounds of each state that is reached and not final, the shortest first; none: a case may stay for ever."""
    flow = graph.flow
    found: dict[str, list[Bound]] = {}
    for state in flow.states.values():
        if state.final is not None or state.name not in graph.reached:
            continue
        bounds = [
            Bound(None, step.after.limit, days_of(policies, step.after.limit, calendar_of(policies, flow)))
            for step in graph.steps[state.name]
            if step.after is not None and step.transition.when is None and step.target != state.name
        ]
        for clock in flow.clocks.values():
            if state.name in clock.runs_in:
                calendar = calendar_of(policies, flow, clock, state.name)
                days = [days_of(policies, choice.limit, calendar) for choice in clock.limits]
                known = [each for each in days if each is not None]
                most = max(known) if known else None
                text = clock.limits[0 if most is None else days.index(most)].limit
                bounds.append(Bound(clock.name, text, most))
        found[state.name] = sorted(bounds, key=lambda each: (each.days is None, each.days or 0.0))
    return found


def longest_way(graph: Graph, bounds: Mapping[str, list[Bound]]) -> Way:
    """The longest way from a start on which no state comes twice, each stay as long as its bounds allow.

    Steps back to a state that the way came through are left out, so that this is found in time linear in the flow;
    with them there would be a longer one for each number of times that they are taken.
    """
    onward, order, back = _without_circles(graph, bounds)
    days: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for name in order:
        if name not in days:
            days[name], before[name] = _of(bounds[name]), None
        for target in onward[name]:
            more = days[name] + (0.0 if _one_clock(bounds[name], bounds[target]) else _of(bounds[target]))
            if target not in days or more > days[target]:
                days[target], before[target] = more, name
    path: list[str] = []
    at = max(order, key=lambda name: days[name], default=None)
    while at is not None:
        path.insert(0, at)
        at = before[at]
    pieces = _covered(path, bounds)
    taken = tuple(step for step in back if step[0] in path and step[1] in path)
    return Way(pieces, sum(piece.bound.days or 0.0 for piece in pieces), taken)


def _of(bounds: list[Bound]) -> float:
    return (bounds[0].days or 0.0) if bounds else 0.0


def _one_clock(here: list[Bound], there: list[Bound]) -> bool:
    return bool(here and there) and here[0].clock is not None and here[0].clock == there[0].clock


def _without_circles(
    graph: Graph, bounds: Mapping[str, list[Bound]]
) -> tuple[dict[str, list[str]], list[str], list[tuple[str, str]]]:
    """The steps between states with bounds that lead on, the states in an order of these, and the steps back."""
    onward: dict[str, list[str]] = {name: [] for name in bounds}
    back: list[tuple[str, str]] = []
    done: list[str] = []
    seen: set[str] = set()
    for start in (name for name in graph.starts if name in bounds):
        if start in seen:
            continue
        seen.add(start)
        path = {start}
        work = [(start, iter(graph.targets(start)))]
        while work:
            name, rest = work[-1]
            target = next(rest, None)
            if target is None:
                work.pop()
                path.discard(name)
                done.append(name)
            elif target in path and target != name:
                back.append((name, target))
            elif target in bounds and target != name:
                onward[name].append(target)
                if target not in seen:
                    seen.add(target)
                    path.add(target)
                    work.append((target, iter(graph.targets(target))))
    return onward, done[::-1], back


def _covered(path: list[str], bounds: Mapping[str, list[Bound]]) -> tuple[Piece, ...]:
    """The fewest days that bound a whole way: one clock holds for all states in a row in which it runs."""
    best: list[Cover] = [(0.0, ())]
    for end in range(1, len(path) + 1):
        options: list[Cover] = []
        for bound in bounds[path[end - 1]]:
            begin = end - 1
            options.append(_joined(best[begin], path[begin:end], bound))
            while bound.clock is not None and begin and _bound(bounds[path[begin - 1]], bound.clock) is not None:
                begin -= 1
                options.append(_joined(best[begin], path[begin:end], bound))
        best.append(min(options, key=lambda each: each[0]) if options else best[-1])
    return best[-1][1]


def _bound(bounds: list[Bound], clock: str) -> Bound | None:
    return next((each for each in bounds if each.clock == clock), None)


def _joined(before: Cover, states: list[str], bound: Bound) -> Cover:
    return before[0] + (bound.days or 0.0), (*before[1], Piece(tuple(states), bound))
