"""CP411: a way through a flow that takes longer than the flow promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.checks.graph import graphs
from carepolicy.checks.lengths import calendar_of, days_of, said
from carepolicy.checks.longest import bounds_of, longest_way
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.checks.graph import Graph
    from carepolicy.checks.longest import Piece, Way
    from carepolicy.policy.model import Policies

MARGIN = 1.001
"""How much longer a way must be: typical weeks are no exact measure."""


def find(policies: Policies) -> Iterator[Finding]:
    """Flows with a ``promise:`` that the sum of the limits on a way exceeds, or that a stay without any limit does."""
    for graph in graphs(policies).values():
        flow = graph.flow
        promised = None if flow.promise is None else days_of(policies, flow.promise, calendar_of(policies, flow))
        if flow.promise is None or promised is None:
            continue
        bounds = bounds_of(policies, graph)
        endless = [name for name, each in bounds.items() if not each]
        for name in endless:
            text = f'nothing ends the time in "{name}", and the whole flow is promised in {flow.promise}'
            hint = "let a clock run here, or lead out of it with after:"
            yield Finding(CODE, text, policies.key_place(flow.states[name].at), hint, Severity.WARNING)
        way = longest_way(graph, bounds)
        alone = [each for each in way.pieces if each.bound.clock and (each.bound.days or 0.0) > promised * MARGIN]
        if not endless and not alone and way.days > promised * MARGIN:  # one that is too long alone is told by CP405
            text = f"the longest way takes {said(way.days)}, longer than the promised {flow.promise}: {_told(way)}"
            yield Finding(CODE, text, policies.place(flow.at / "promise"), _hint(graph, way), Severity.WARNING)


def _told(way: Way) -> str:
    told = ", ".join(map(_piece, way.pieces))
    if not way.back:
        return told
    again = " and ".join(f"from {source} back to {target}" for source, target in way.back[:3])
    return f"{told}; each time {again} comes on top of it"


def _piece(piece: Piece) -> str:
    states = " → ".join(piece.states)
    open_end = "" if piece.bound.days is not None else ", not counted"
    clock = f", clock {piece.bound.clock}" if piece.bound.clock is not None else ""
    return f"{states} ({piece.bound.text}{clock}{open_end})"


def _hint(graph: Graph, way: Way) -> str:
    longest = max(way.pieces, key=lambda piece: piece.bound.days or 0.0)
    return f"shorten a limit on this way, such as that of {longest.states[0]}, or promise more time"


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
