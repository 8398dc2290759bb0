"""Placeholders of messages and notices that may stand for nothing where these are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from carepolicy.policy.placeholders import PlaceholderError, placeholders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.checks.context import CheckedSet
    from carepolicy.checks.known import Spot
    from carepolicy.policy.placeholders import Name, Placeholder
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


def holes_in(checked: CheckedSet) -> Iterator[Hole]:
    """Each name in each text at each place where it may have no value."""
    texts: dict[str, list[tuple[At, str, tuple[Placeholder, ...]]]] = {}
    for messages in checked.messages.values():
        for name, message in messages.items():
            of_it = texts.setdefault(name, [])
            of_it += _read(message.subject, message.at / "subject")
            of_it += _read(message.text, message.at / "text")
    for spot in checked.spots:
        if spot.effects is not None:
            for template in spot.effects.send:
                yield from _in(spot, template, texts.get(template, ()))
            for tell in spot.effects.tell:
                yield from _in(spot, None, _read(tell.say, tell.at / "say"))


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


def _read(text: str, at: At) -> list[tuple[At, str, tuple[Placeholder, ...]]]:
    """A text with its placeholders; nothing of one without any, or whose braces are wrong, which CP225 tells."""
    try:
        return [(at, text, placeholders(text))] if "{" in text else []
    except PlaceholderError:
        return []


def _in(spot: Spot, template: str | None, texts: Iterable[tuple[At, str, tuple[Placeholder, ...]]]) -> Iterator[Hole]:
    for at, text, found in texts:
        for each in found:
            if not any(spot.knows(name.name) for name in each.names):
                gapes = each.otherwise is None
                for name in each.names:
                    yield Hole(name, at, text, spot, template, gapes and name is each.names[0])
