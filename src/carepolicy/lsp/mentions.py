"""Every place at which a file names something: a state, an event, a role. Who defines it, and who only speaks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from carepolicy.policy.language.kinds import occurrences

if TYPE_CHECKING:
    from carepolicy.policy.places import Place, Source

_CLOCK_EVENT = re.compile(r"([a-z][a-z0-9_]*)\.(warned|late|met)")
_VISITS = re.compile(r"\bcase\.visits\.([a-z][a-z0-9_]*)")
_OF_A_FLOW = ("state", "clock", "phase")
"""What each flow has for itself."""


class Mention(NamedTuple):
    """A name at a place. ``scope`` is the flow whose state or clock it is, "" for what all flows share."""

    kind: str
    name: str
    scope: str
    place: Place
    defines: bool

    @property
    def what(self) -> tuple[str, str, str]:
        """What is named: two mentions with the same are of one thing."""
        return self.kind, self.name, self.scope


def mentions_of(source: Source, kind: str) -> list[Mention]:
    """What a file of one kind (organisation, flow, messages, scenario) names, whatever its shape."""
    return sorted(set(_mentions(source, kind)), key=lambda each: each.place)


def _mentions(source: Source, kind: str) -> Iterator[Mention]:
    lines = source.text.split("\n")
    for here, path, _, flow in occurrences(kind, source.data):
        what = here.defines or here.shape.what
        place = (source.keys if here.on_key else source.values).get(path)
        if what in ("", "limit") or place is None or not isinstance(here.data, str):
            continue
        if what == "expression":
            yield from _visited(lines[place.line - 1], place, flow)
        elif what == "exception" and place.line == place.end_line:
            yield from _excepted(lines[place.line - 1], place)
        elif place.line == place.end_line:
            yield from _named(what, lines[place.line - 1], place, flow, bool(here.defines))


def _excepted(line: str, place: Place) -> Iterator[Mention]:
    """The flow, and the state of one, that take up nothing: ``complaint.decided``."""
    text = line[place.column - 1 : place.end_column - 1]
    flow, _, state = text.strip("'\"").partition(".")
    start = place.column + (text[:1] in ("'", '"'))
    end = start + len(flow)
    yield Mention("flow", flow, "", place._replace(column=start, end_column=end), False)
    if state:
        there = place._replace(column=end + 1, end_column=end + 1 + len(state))
        yield Mention("state", state, flow, there, False)


def _named(what: str, line: str, place: Place, flow: str, defines: bool) -> Iterator[Mention]:
    """The mention of a name that stands at a place, without its quotes."""
    text = line[place.column - 1 : place.end_column - 1]
    quoted = text[:1] in ("'", '"')
    place = place._replace(column=place.column + quoted, end_column=place.end_column - quoted)
    name = text.strip("'\"")
    clock = _CLOCK_EVENT.fullmatch(name) if what == "trigger" else None
    if clock is not None:
        name, place = clock[1], place._replace(end_column=place.column + len(clock[1]))
    kind = _KINDS.get(what, what)
    if what == "assignee" and "." in name:
        kind = "fact"
    elif clock is not None:
        kind = "clock"
    yield Mention(kind, name, flow if kind in _OF_A_FLOW else "", place, defines)


_KINDS = {"trigger": "event", "assignee": "role", "waiter": "role"}
"""What may be one of several things, and which of them it mostly is."""


def _visited(line: str, place: Place, flow: str) -> Iterator[Mention]:
    """States of which an expression asks how often the case has been there."""
    for each in _VISITS.finditer(line, place.column - 1, place.end_column - 1):
        start, end = each.span(1)
        there = place._replace(column=start + 1, end_line=place.line, end_column=end + 1)
        yield Mention("state", each[1], flow, there, False)
