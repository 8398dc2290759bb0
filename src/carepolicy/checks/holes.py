"""Placeholders of messages and notices that may stand for nothing where these are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.checks.context import CheckedSet, Hole
    from carepolicy.policy.places import At


def first_of_each(holes: Iterable[Hole]) -> list[Hole]:
    """Each name in each text once, at the first place where it may have no value."""
    found: dict[tuple[At, str], Hole] = {}
    for hole in holes:
        found.setdefault((hole.at, hole.name.name), hole)
    return list(found.values())


def unsure_in(checked: CheckedSet) -> dict[tuple[str, str], frozenset[str]]:
    """The names that may have no value where a flow sends a message, by flow and message."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for hole in checked.holes:
        if hole.template is not None:
            key = hole.spot.flow.name, hole.template
            found[key] = found.get(key, frozenset()) | {hole.name.name}
    return found
