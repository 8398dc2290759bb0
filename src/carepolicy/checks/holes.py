"""Placeholders of messages and notices that may stand for nothing where these are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from carepolicy.checks.known import spots_in
from carepolicy.policy.placeholders import included_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.checks.context import CheckedSet
    from carepolicy.checks.known import Spot
    from carepolicy.policy.placeholders import Name
    from carepolicy.policy.places import At


class Hole(NamedTuple):
    """A name in a text, with the address and the text, that may have no value at a ``spot``; ``template`` is None of a
    notice. ``gapes``: it is the first of its placeholder, and nothing is told in its place: the reader sees a hole."""

    name: Name
    at: At
    text: str
    spot: Spot
    template: str | None
    gapes: bool


def holes_in(checked: CheckedSet) -> Sequence[Hole]:
    """Each name in each text at each place where it may have no value."""
    return checked.once(_found)


def _found(checked: CheckedSet) -> list[Hole]:
    return list(_all_holes(checked))


def _all_holes(checked: CheckedSet) -> Iterator[Hole]:
    for spot in spots_in(checked):
        if spot.effects is None:
            continue
        for template in spot.effects.send:
            for messages in checked.messages.values():
                if template in messages:
                    message = messages[template]
                    yield from _holes_of(checked, spot, template, message.subject, message.at / "subject")
                    yield from _holes_of(checked, spot, template, message.text, message.at / "text")
                    for part in (messages[each] for each in included_in(message.text) if each in messages):
                        yield from _holes_of(checked, spot, template, part.text, part.at / "text")
        for tell in spot.effects.tell:
            yield from _holes_of(checked, spot, None, tell.say, tell.at / "say")


def _holes_of(checked: CheckedSet, spot: Spot, template: str | None, text: str, at: At) -> Iterator[Hole]:
    for each in checked.placeholders(text):
        if not any(spot.knows(name.name) for name in each.names):
            gapes = each.otherwise is None
            yield from (Hole(name, at, text, spot, template, gapes and name is each.names[0]) for name in each.names)


def first_of_each(holes: Iterable[Hole]) -> list[Hole]:
    """Each name in each text once, at the first place where it may have no value."""
    found: dict[tuple[At, str], Hole] = {}
    for hole in holes:
        found.setdefault((hole.at, hole.name.name), hole)
    return list(found.values())


def unsure_in(checked: CheckedSet) -> dict[tuple[str, str], frozenset[str]]:
    """The names that may have no value where a flow sends a message, by flow and message."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for hole in holes_in(checked):
        if hole.template is not None:
            key = hole.spot.flow.name, hole.template
            found[key] = found.get(key, frozenset()) | {hole.name.name}
    return found
