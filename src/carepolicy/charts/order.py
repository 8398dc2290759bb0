"""The order of the steps: the main path, the tree of arrows that hangs on it, and the numbers.

Only the arrows of a tree, and a few joins that keep it planar, are drawn as arrows; every other
transition becomes a chip that names its destination. That is why no two arrows need to cross.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carepolicy.charts.exits import WayOut
    from carepolicy.policy.model import Flow


_GOOD = frozenset({"resolved", "solved", "done", "completed", "complete", "delivered", "success", "kept", "fulfilled"})
_SMALL = 4


@dataclass(slots=True)
class Tree:
    """``parent``: the way by which a state is first entered (its arrow). ``children`` in drawing order,
    ``main`` the states of the main path, ``order`` all states that are not final, as numbered."""

    roots: list[str] = field(default_factory=list)
    parent: dict[str, WayOut] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    main: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)


def success_of(flow: Flow) -> str | None:
    """The end that the flow is meant to reach: a good outcome by name, else the first end of the file."""
    ends = [name for name, state in flow.states.items() if state.final is not None]
    good = [name for name in ends if (flow.states[name].final or "").lower() in _GOOD]
    return next(iter([*good, *ends]), None)


def tree_of(flow: Flow, ways: Mapping[str, tuple[WayOut, ...]], states: Iterable[str], starts: Iterable[str]) -> Tree:
    """The tree of arrows over ``states`` from ``starts``; states that no way reaches become roots too."""
    inside = [name for name in states if flow.states[name].final is None]
    moves = {name: [way for way in ways[name] if _forward(way, name, inside)] for name in inside}
    tree = Tree(children={name: [] for name in inside})
    begin = [name for name in starts if name in moves] or inside[:1]
    if begin:
        tree.main = _main_path(begin[0], moves, {name: ways[name] for name in inside}, success_of(flow))
        for before, after in zip(tree.main, tree.main[1:], strict=False):
            tree.parent[after] = next(way for way in _preferred(moves[before]) if way.to == after)
    placed = list(tree.main)
    tree.roots = begin[:1]
    for name in begin[1:]:
        if name not in placed:
            tree.roots.append(name)
            placed.append(name)
    while True:
        _claim(placed, moves, tree)
        left = [name for name in inside if name not in placed]
        if not left:
            break
        tree.roots.append(left[0])
        placed.append(left[0])
    _arrange(tree, moves)
    return tree


def joins_of(tree: Tree, ways: Mapping[str, tuple[WayOut, ...]]) -> set[str]:
    """Keys of ways that may be drawn as arrows although they are not of the tree.

    Such a way leads from the last step of a side branch to the main continuation of the step from
    which the branch left. There are at most two branches, one for either side of the main path, and all hang
    on the card or all on its question: so the picture stays planar.
    """
    found: set[str] = set()
    for name, children in tree.children.items():
        if len(children) < 2 or name not in tree.main:
            continue
        target = children[-1] if children[-1] in tree.main else None
        if target is None or tree.parent[target].timer:
            continue
        sides = [child for child in children if child != target]
        if len(sides) > 2 or len({tree.parent[child].source for child in children}) > 1:
            continue
        for side in sides:
            last = _last(tree, side)
            way = next((way for way in ways[last] if way.to == target and not way.timer), None)
            if way is not None:
                found.add(way.key)
    return found


def _forward(way: WayOut, state: str, inside: list[str]) -> bool:
    return way.to is not None and way.to != state and way.to in inside


def _preferred(ways: Iterable[WayOut]) -> list[WayOut]:
    return sorted(ways, key=lambda way: way.timer)


def _main_path(
    start: str, moves: Mapping[str, list[WayOut]], ways: Mapping[str, tuple[WayOut, ...]], success: str | None
) -> list[str]:
    ending = {name for name, out in ways.items() if any(way.to == success for way in out)}
    far = _distances(ending, moves)
    path = [start]
    while True:
        here = path[-1]
        options = [way.to for way in _preferred(moves[here]) if way.to is not None and way.to not in path]
        options = [each for each in dict.fromkeys(options) if _reaches(each, ending, moves, set(path)) or not ending]
        if not options or (here in ending and all(_returns(each, here, moves, set(path)) for each in options)):
            return path
        path.append(_bypassing(options, moves, far))


def _bypassing(options: list[str], moves: Mapping[str, list[WayOut]], far: Mapping[str, int]) -> str:
    """The first option, or one that the first leads to anyway: the first is then a detour beside it."""
    chosen = options[0]
    for _ in options:
        direct = {way.to for way in moves[chosen] if not way.timer}
        nearer = [each for each in options if each in direct and far.get(each, 0) < far.get(chosen, 0)]
        if not nearer:
            return chosen
        chosen = nearer[0]
    return chosen


def _distances(goals: set[str], moves: Mapping[str, list[WayOut]]) -> dict[str, int]:
    """Fewest steps from each state to one of ``goals``."""
    far = dict.fromkeys(sorted(goals), 0)
    changed = True
    while changed:
        changed = False
        for name, out in moves.items():
            nearest = min((far[way.to] + 1 for way in out if way.to in far), default=None)
            if nearest is not None and nearest < far.get(name, nearest + 1):
                far[name] = nearest
                changed = True
    return far


def _returns(state: str, here: str, moves: Mapping[str, list[WayOut]], path: set[str]) -> bool:
    return _reaches(state, {here}, moves, path - {here})


def _reaches(state: str, goals: set[str], moves: Mapping[str, list[WayOut]], avoid: set[str]) -> bool:
    seen = {state}
    waiting = [state]
    while waiting:
        name = waiting.pop()
        if name in goals:
            return True
        fresh = [way.to for way in moves[name] if way.to is not None and way.to not in seen and way.to not in avoid]
        seen.update(fresh)
        waiting += fresh
    return False


def _claim(placed: list[str], moves: Mapping[str, list[WayOut]], tree: Tree) -> None:
    """Each state that is not placed is entered by the first event that leads to it, else by a timer."""
    known = set(placed)
    while True:
        found = None
        for by_timer in (False, True):
            options = (way for name in placed for way in moves[name] if way.timer is by_timer)
            found = next((way for way in options if way.to not in known and way.draw != "chip"), None)
            if found is not None:
                break
        if found is None or found.to is None:
            return
        tree.parent[found.to] = found
        known.add(found.to)
        placed.append(found.to)


def _arrange(tree: Tree, moves: Mapping[str, list[WayOut]]) -> None:
    """Children in the order of their ways, the main continuation last; then numbers, depth first."""
    for name, out in moves.items():
        for way in out:
            if way.to is not None and tree.parent.get(way.to) is way:
                tree.children[name].append(way.to)
        tree.children[name].sort(key=lambda child: child in tree.main)
    for root in tree.roots:
        _number(tree, root)


def _number(tree: Tree, name: str) -> None:
    """A small side branch is numbered before the path goes on, a large one after it."""
    tree.order.append(name)
    main = [child for child in tree.children[name] if child in tree.main]
    sides = [child for child in tree.children[name] if child not in tree.main]
    small = [child for child in sides if _size(tree, child) <= _SMALL]
    for child in (*small, *main, *(child for child in sides if child not in small)):
        _number(tree, child)


def _size(tree: Tree, name: str) -> int:
    return 1 + sum(_size(tree, child) for child in tree.children[name])


def _last(tree: Tree, name: str) -> str:
    while tree.children[name]:
        name = tree.children[name][-1]
    return name


_MANY = 12
"""Steps above which those of a phase are numbered together."""


def ordered(flow: Flow, tree: Tree) -> list[str]:
    """The steps in the order of their numbers: as the tree has them, in a long flow phase by phase.

    A state of no phase goes with the state from which it is first entered.
    """
    if len(tree.order) <= _MANY:
        return list(tree.order)
    phase_of = {name: phase.name for phase in flow.phases.values() for name in phase.states}
    groups: dict[str, list[str]] = {}
    for name in tree.order:
        home = name
        while home not in phase_of and home in tree.parent:
            home = tree.parent[home].state
        groups.setdefault(phase_of.get(home, ""), []).append(name)
    return [name for names in groups.values() for name in names]
