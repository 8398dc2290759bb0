"""Every place at which a file names something: a state, an event, a role. Who defines it, and who only speaks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from carepolicy.policy.places import Path, Place, Source

_CLOCK_EVENT = re.compile(r"([a-z][a-z0-9_]*)\.(warned|late|met)")
_VISITS = re.compile(r"\bcase\.visits\.([a-z][a-z0-9_]*)")
_EFFECTS = {"send": "message", "assign": "role", "tell": "role", "open": "flow"}
_CLOCK = {
    "runs_in": "state",
    "pauses_in": "state",
    "restarts_on": "event",
    "counts_from": "fact",
    "calendar": "calendar",
}
_EXPECTED = {
    "sent": "message", "not_sent": "message", "told": "role", "not_told": "role", "opened": "flow", "raised": "event",
    **dict.fromkeys(("late", "met", "warned", "cancelled", "running", "paused", "stopped"), "clock"),
}  # fmt: skip


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
    walk = _Walk(source)
    data = source.data
    if isinstance(data, dict):
        {"organisation": walk.organisation, "flow": walk.flow, "messages": walk.messages, "scenario": walk.scenario}[
            kind
        ](data)
    return sorted(set(walk.found), key=lambda each: each.place)


class _Walk:
    """Goes through the data of a file, and takes whatever has the shape that it should have."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.split("\n")
        self.found: list[Mention] = []
        self.scope = ""

    def organisation(self, data: dict[str, Any]) -> None:
        for section, kind in (("roles", "role"), ("facts", "fact"), ("channels", "channel"), ("calendars", "calendar")):
            self.defined(data, section, kind)
        for name, role in _items(data, "roles"):
            self.named(role, ("roles", name), {"deputy": "role", "calendar": "calendar", "may_see": "fact"})
        for name, watch in _items(data, "watches"):
            self.named(watch, ("watches", name), {"count": "event", "raise": "event", "by": "fact"})

    def messages(self, data: dict[str, Any]) -> None:
        self.defined(data, "messages", "message")

    def flow(self, data: dict[str, Any]) -> None:
        self.scope = str(data.get("flow", ""))
        self.add("flow", ("flow",), True)
        self.named(data, (), {"owner": "role", "steward": "role", "calendar": "calendar", "subject": "fact"})
        for section, kind in (("events", "event"), ("clocks", "clock"), ("states", "state")):
            self.defined(data, section, kind)
        for name, event in _items(data, "events"):
            carries = event.get("carries") if isinstance(event, dict) else None
            self.named(carries, ("events", name, "carries"), {"required": "fact", "optional": "fact"})
        for name, clock in _items(data, "clocks"):
            self.named(clock, ("clocks", name), _CLOCK)
        for name, state in _items(data, "states"):
            self.state(state, ("states", name))
        for name, phase in _items(data, "phases"):
            self.named(phase, ("phases", name), {"states": "state"})
            self.triggers(phase, ("phases", name, "on"))
        self.triggers(data, ("anywhere",))
        self.named(data.get("moves_to"), ("moves_to",), dict.fromkeys(data.get("moves_to") or (), "state"))
        for path, place in self.source.values.items():
            if (path and path[-1] in ("when", "is", "spends")) or (len(path) > 1 and path[-2] in ("set", "data")):
                self.expression(place)

    def state(self, state: Any, path: Path) -> None:
        self.named(state, path, {"start_on": "event", "owner": "role", "channel": "channel"})
        self.triggers(state, (*path, "on"))
        for limit, transition in _items(state, "after"):
            self.transition(transition, (*path, "after", limit))
        for key in ("enter", "leave"):
            self.effects(state.get(key) if isinstance(state, dict) else None, (*path, key))

    def triggers(self, data: Any, path: Path) -> None:
        for name, transition in _items(data, path[-1]):
            clock = _CLOCK_EVENT.fullmatch(name)
            place = self.source.keys.get((*path, name))
            if place is not None:
                kind, said = ("clock", clock[1]) if clock else ("event", name)
                self.put(kind, said, place._replace(end_column=place.column + len(said)) if clock else place, False)
            self.transition(transition, (*path, name))

    def transition(self, data: Any, path: Path) -> None:
        if isinstance(data, str):
            self.add("state", path)
        for number, each in enumerate(data if isinstance(data, list) else ()):
            self.transition(each, (*path, number))
        self.named(data, path, {"to": "state", "except": "state"})
        self.effects(data, path)

    def effects(self, data: Any, path: Path) -> None:
        if not isinstance(data, dict):
            return
        self.named(data, path, _EFFECTS)
        self.defined(data, "set", "fact", path, False)
        for key, kinds in (
            ("tell", {"role": "role"}), ("open", {"flow": "flow", "on": "event"}), ("raise", {"event": "event"}),
            ("extend", {"clock": "clock"}),
        ):  # fmt: skip
            said = data.get(key)
            self.named(said, (*path, key), kinds)
            for number, each in enumerate(said if isinstance(said, list) else ()):
                self.named(each, (*path, key, number), kinds)

    def scenario(self, data: dict[str, Any]) -> None:
        own = str(data.get("flow", ""))
        self.add("flow", ("flow",))
        steps = data.get("steps")
        for number, step in enumerate(steps if isinstance(steps, list) else ()):
            path = ("steps", number)
            self.scope = str(step.get("flow", own)) if isinstance(step, dict) else own
            self.named(step, path, {"event": "event", "flow": "flow"})
            self.defined(step, "data", "fact", path, False)
            expected = step.get("expect") if isinstance(step, dict) else None
            self.named(expected, (*path, "expect"), {"state": "state", **_EXPECTED})
            self.defined(expected, "due", "clock", (*path, "expect"), False)
            self.defined(expected, "facts", "fact", (*path, "expect"), False)

    def defined(self, data: Any, section: str, kind: str, path: Path = (), defines: bool = True) -> None:
        """The keys of a mapping are names."""
        for name, _ in _items(data, section):
            place = self.source.keys.get((*path, section, name))
            if place is not None:
                self.put(kind, name, place, defines)

    def named(self, data: Any, path: Path, kinds: dict[str, str]) -> None:
        """The values of some keys are names, or lists of them."""
        for key, kind in kinds.items():
            value = data.get(key) if isinstance(data, dict) else None
            if isinstance(value, str):
                self.add(kind, (*path, key))
            for number, each in enumerate(value if isinstance(value, list) else ()):
                if isinstance(each, str):
                    self.add(kind, (*path, key, number))

    def add(self, kind: str, path: Path, defines: bool = False) -> None:
        place = self.source.values.get(path)
        if place is not None and place.line == place.end_line:
            text = self.lines[place.line - 1][place.column - 1 : place.end_column - 1]
            self.put("fact" if kind == "role" and "." in text else kind, text.strip("'\""), place, defines)

    def put(self, kind: str, name: str, place: Place, defines: bool) -> None:
        text = self.lines[place.line - 1][place.column - 1 : place.end_column - 1]
        quoted = text[:1] in ("'", '"')
        inner = place._replace(column=place.column + quoted, end_column=place.end_column - quoted)
        self.found.append(Mention(kind, name, self.scope if kind in ("state", "clock") else "", inner, defines))

    def expression(self, place: Place) -> None:
        line = self.lines[place.line - 1]
        for each in _VISITS.finditer(line, place.column - 1, place.end_column - 1):
            start, end = each.span(1)
            self.put("state", each[1], place._replace(column=start + 1, end_line=place.line, end_column=end + 1), False)


def _items(data: Any, key: str | int) -> Iterator[tuple[str, Any]]:
    section = data.get(key) if isinstance(data, dict) else None
    return iter(section.items()) if isinstance(section, dict) else iter(())
