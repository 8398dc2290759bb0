"""CP407: a clock that pauses although it must not."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.graph import Graph
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding
from carepolicy.policy.model import Clock


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Clocks with ``never_pauses`` that have ``pauses_in``, or that stop and later go on where they were."""
    for graph in checked.graphs.values():
        for clock in graph.flow.clocks.values():
            if clock.never_pauses is None:
                continue
            why = clock.never_pauses.rstrip(".")
            for number, name in enumerate(clock.pauses_in):
                text = f'the clock "{clock.name}" must never pause, and pauses in "{name}" ({why})'
                place = checked.place(clock.at / "pauses_in" / number)
                yield Finding(CODE, text, place, f"move {name} to runs_in: the time goes on there")
            between = _between(graph, clock) if clock.again == "continue" else None
            if between is not None:
                text = f'the clock "{clock.name}" must never pause, and stands still in "{between}" ({why})'
                yield Finding(CODE, text, checked.place(clock.at / "again"), f"add {between} to runs_in")


def _between(graph: Graph, clock: Clock) -> str | None:
    """A state in which a clock is stopped, between two in which it runs."""
    states = graph.flow.states
    running = [name for name in clock.runs_in if name in states]
    for name in graph.flow.states:
        stopped = name not in (*clock.runs_in, *clock.pauses_in) and name in graph.beyond(running)
        if stopped and graph.beyond([name]).intersection(running):
            return name
    return None


CODE = "CP407"
RULE = Rule(
    CODE,
    "clock pauses although it must not",
    "`never_pauses:` says why this clock goes on whatever happens, such as a law or a card scheme. It may have no "
    "pauses_in:, and with `again: continue` no state in which it is stopped between two in which it runs, which would "
    "be a pause by another name.",
    "clocks:\n  first_reply: {never_pauses: law, pauses_in: [waiting_for_customer]}\n",
    "clocks:\n  first_reply:\n    never_pauses: law\n"
    "    runs_in: [received, overdue, waiting_for_customer]\n    pauses_in: []\n",
    find,
)
