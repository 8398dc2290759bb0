"""CP411: a way through a flow that takes longer than the flow promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph
from carepolicy.checks.limits import calendar_of, days_of, said
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity


class Bound(NamedTuple):
    """What bounds a stay: a clock that runs there, or an ``after`` that leads out (``clock`` is None). ``days`` is
    None where it hangs on a fact."""

    clock: str | None
    text: str
    days: float | None


class Leg(NamedTuple):
    """Some states of a way, one after the other, that one bound holds for."""

    states: tuple[str, ...]
    bound: Bound


Cover = tuple[float, tuple[Leg, ...]]
"""Legs of a way, and before them their days."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A way from a start: its legs, their sum in days, and the edges back that it does not take."""

    legs: tuple[Leg, ...]
    days: float
    back: tuple[tuple[str, str], ...]


MARGIN = 1.001
"""How much longer a way must be: typical weeks are no exact measure."""


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Flows with a ``promise:`` that the sum of the limits on a way exceeds, or that a stay without any limit does."""
    for graph in checked.graphs.values():
        flow = graph.flow
        promised = None if flow.promise is None else days_of(checked, flow.promise, calendar_of(checked, flow))
        if flow.promise is None or promised is None:
            continue
        bounds = _bounds(checked, graph)
        endless = [name for name, each in bounds.items() if not each]
        for name in endless:
            text = f'nothing ends the time in "{name}", and the whole flow is promised in {flow.promise}'
            hint = "let a clock run here, or lead out of it with after:"
            yield Finding(CODE, text, checked.key_place(flow.states[name].at), hint, Severity.WARNING)
        way = _longest_way(graph, bounds)
        alone = [each for each in way.legs if each.bound.clock and (each.bound.days or 0.0) > promised * MARGIN]
        if not endless and not alone and way.days > promised * MARGIN:  # one that is too long alone is told by CP405
            text = f"the longest way takes {said(way.days)}, longer than the promised {flow.promise}: {_told(way)}"
            yield Finding(CODE, text, checked.place(flow.at / "promise"), _hint(graph, way), Severity.WARNING)


def _told(way: Journey) -> str:
    told = ", ".join(map(_leg, way.legs))
    if not way.back:
        return told
    again = " and ".join(f"from {source} back to {target}" for source, target in way.back[:3])
    return f"{told}; each time {again} comes on top of it"


def _leg(leg: Leg) -> str:
    states = " → ".join(leg.states)
    open_end = "" if leg.bound.days is not None else ", not counted"
    clock = f", clock {leg.bound.clock}" if leg.bound.clock is not None else ""
    return f"{states} ({leg.bound.text}{clock}{open_end})"


def _hint(graph: Graph, way: Journey) -> str:
    longest = max(way.legs, key=lambda leg: leg.bound.days or 0.0)
    return f"shorten a limit on this way, such as that of {longest.states[0]}, or promise more time"


def _bounds(checked: CheckedSet, graph: Graph) -> dict[str, list[Bound]]:
    """The bounds of each state that is reached and not final, the shortest first; none: a case may stay for ever."""
    flow = graph.flow
    found: dict[str, list[Bound]] = {}
    for state in flow.states.values():
        if state.final is not None or state.name not in graph.reached:
            continue
        bounds = [
            Bound(None, edge.after.limit, days_of(checked, edge.after.limit, calendar_of(checked, flow)))
            for edge in graph.edges[state.name]
            if edge.after is not None and edge.transition.when is None and edge.target != state.name
        ]
        for clock in flow.clocks.values():
            if state.name in clock.runs_in:
                days = [
                    days_of(checked, choice.limit, calendar_of(checked, flow, clock, state.name, choice))
                    for choice in clock.limits
                ]
                known = [each for each in days if each is not None]
                most = max(known) if known else None
                text = clock.limits[0 if most is None else days.index(most)].limit
                bounds.append(Bound(clock.name, text, most))
        found[state.name] = sorted(bounds, key=lambda each: (each.days is None, each.days or 0.0))
    return found


def _longest_way(graph: Graph, bounds: Mapping[str, list[Bound]]) -> Journey:
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
    legs = _covered(path, bounds)
    taken = tuple(edge for edge in back if edge[0] in path and edge[1] in path)
    return Journey(legs, sum(leg.bound.days or 0.0 for leg in legs), taken)


def _of(bounds: list[Bound]) -> float:
    return (bounds[0].days or 0.0) if bounds else 0.0


def _one_clock(here: list[Bound], there: list[Bound]) -> bool:
    return bool(here and there) and here[0].clock is not None and here[0].clock == there[0].clock


def _without_circles(
    graph: Graph, bounds: Mapping[str, list[Bound]]
) -> tuple[dict[str, list[str]], list[str], list[tuple[str, str]]]:
    """The edges between states with bounds that lead on, the states in an order of these, and the edges back."""
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


def _covered(path: list[str], bounds: Mapping[str, list[Bound]]) -> tuple[Leg, ...]:
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
    return before[0] + (bound.days or 0.0), (*before[1], Leg(tuple(states), bound))


CODE = "CP411"
RULE = Rule(
    CODE,
    "longest way is longer than the promise",
    "promise: of a flow is what the customer is told for all of it. On some way every single limit may be kept and the "
    "promise broken: their sum is longer. The message names that way, state by state, with the limits that bound each "
    "stay: an after: that leads on, or the shortest clock; a clock that runs through several states counts once. Way "
    "and promise are compared in ordinary weeks without holidays, steps back are taken not at all (the message names "
    "them), and limits that hang on a fact are not counted. A state in which nothing bounds the stay is found too.",
    "promise: 1 week\nclocks:\n  wait: {limit: 7 days, runs_in: [waiting_for_customer]}\n",
    "promise: 3 weeks\nclocks:\n  wait: {limit: 7 days, runs_in: [waiting_for_customer]}\n",
    find,
    Severity.WARNING,
)
