"""Findings that stand on the very token: a name in a list, a word inside of a guard's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.policy.findings import Finding, did_you_mean, sole
from carepolicy.policy.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import At


def unknown(code: str, what: str, name: str, place: Place, known: Iterable[str]) -> Finding:
    """The finding that ``name`` is no known ``what``, with the nearest right name."""
    names = sorted(set(known))
    return Finding(code, f'unknown {what} "{name}"', place, did_you_mean(name, names), replacement=sole(name, names))


def inside(policies: Policies, place: Place, text: str, start: int, end: int) -> Place:
    """The place of ``text[start:end]``, where ``text`` is what a scalar at ``place`` says.

    Exact for plain and quoted scalars of one line without escapes, and for the lines of a block
    scalar; the whole scalar for any other.
    """
    lines = policies.sources[place.file].text.splitlines()
    if place.line == place.end_line and place.line <= len(lines):
        written = lines[place.line - 1][place.column - 1 : place.end_column - 1]
        quote = 1 if written[:1] in ("'", '"') else 0
        if written[quote : len(written) - quote] == text:
            first = place.column + quote
            return Place(place.file, place.line, first + start, place.line, first + max(end, start + 1))
        return place
    return _inside_block(place, text, start, end, lines) or place


def _inside_block(place: Place, text: str, start: int, end: int, lines: Sequence[str]) -> Place | None:
    """The same inside of a block scalar, whose lines follow its ``|`` indented."""
    before = text[:start]
    row = before.count("\n")
    said = text.split("\n")[row]
    number = place.line + 1 + row
    if number > len(lines) or lines[number - 1].strip() != said.strip():
        return None
    shift = lines[number - 1].index(said.strip()) - (len(said) - len(said.lstrip()))
    column = shift + start - (before.rfind("\n") + 1) + 1
    width = max(1, min(end - start, len(said) - (start - before.rfind("\n") - 1)))
    return Place(place.file, number, column, number, column + width)


def within(policies: Policies, at: At, text: str, start: int, end: int) -> Place:
    """The place of ``text[start:end]`` in the value at ``at``."""
    return inside(policies, policies.place(at), text, start, end)
