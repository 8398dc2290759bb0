"""Paper, and how a long flow is divided into sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.charts.order import Tree
    from carepolicy.policy.model import Flow

MOST = 12
"""Steps on one sheet: above this the text on A4 falls under 8 points (measured, see the design guide)."""

PAPERS = {"A4": (595, 842), "A3": (842, 1191), "Letter": (612, 792)}
"""Width and height in points of 1/72 inch: ISO 216 A4 and A3, ANSI A (Letter), upright."""

MARGIN = 28
"""Points of white on each side of a sheet (about 1 cm)."""


FEWEST = 2
"""Steps on one sheet from which on it is divided no more, however small its text."""

Groups = list[list[str]]
"""Sheets in order: of each the states in drawing order."""


def halved(names: list[str], entered_from: Mapping[str, str]) -> list[list[str]]:
    """A sheet's states as two runs, cut near the middle where the fewest arrows are cut.

    ``entered_from`` says for a state from which one its arrow comes.
    """
    middle = len(names) / 2
    reach = max(1, len(names) // 4)
    least = 2 if len(names) > FEWEST + 1 else 1
    cuts = [cut for cut in range(least, len(names) - least + 1) if abs(cut - middle) <= reach]

    def cost(cut: int) -> tuple[int, float]:
        before = set(names[:cut])
        return sum(entered_from.get(name) in before for name in names[cut:]), abs(cut - middle)

    best = min(cuts, key=cost)
    return [names[:best], names[best:]]


def divided(flow: Flow, tree: Tree) -> Groups:
    """The states of each sheet in drawing order; one sheet where twelve steps are enough.

    A state of no phase goes with the state from which it is first entered. A phase of more than twelve
    steps, or a flow without phases, is cut into runs of nearly equal length.
    """
    if len(tree.order) <= MOST:
        return [list(tree.order)]
    phase_of = {name: phase.name for phase in flow.phases.values() for name in phase.states}
    groups: dict[str, list[str]] = {}
    for name in tree.order:
        home = name
        while home not in phase_of and home in tree.parent:
            home = tree.parent[home].state
        groups.setdefault(phase_of.get(home, ""), []).append(name)
    return [run for names in _merged(groups).values() for run in _runs(names)]


def title_of(flow: Flow, names: list[str]) -> str:
    """What a sheet of several is called: the title of the one phase that its states are of; "" for none or several."""
    titles = [phase.title for phase in flow.phases.values() if not set(names).isdisjoint(phase.states)]
    return titles[0] if len(titles) == 1 else ""


def _merged(groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """Small neighbours share a sheet: a sheet with one card on it helps nobody."""
    merged: dict[str, list[str]] = {}
    last = ""
    for phase, names in groups.items():
        if merged and (len(names) < 3 or len(merged[last]) < 3) and len(merged[last]) + len(names) <= MOST:
            merged[last] = [*merged[last], *names]
        else:
            merged[phase] = names
            last = phase
    return merged


def _runs(names: list[str]) -> list[list[str]]:
    count = -(-len(names) // MOST)
    size = -(-len(names) // count)
    return [names[start : start + size] for start in range(0, len(names), size)]
