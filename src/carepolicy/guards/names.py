"""Names in expressions: facts, the event's data, settings, and what a case knows of itself."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from carepolicy.guards.faults import NAME
from carepolicy.guards.kinds import DURATION, FLAG, NUMBER, TEXT, UNKNOWN, Draft, Piece, Type, type_of
from carepolicy.guards.literals import day, instant
from carepolicy.policy.likeness import did_you_mean, nearest, sole

if TYPE_CHECKING:
    from carepolicy.guards.scope import Scope
    from carepolicy.policy.model import Fact


class Names:
    """Looks names up, and remembers what was read."""

    def __init__(self, scope: Scope, draft: Draft) -> None:
        self._scope = scope
        self._draft = draft
        self.facts: set[str] = set()
        self.event: set[str] = set()
        self.clocks: set[str] = set()
        self.visits: set[str] = set()
        self.age = False
        self.local: dict[str, Type] = {}

    def single(self, node: Any) -> Piece:
        """A name of one word."""
        name = str(node.children[0])
        start, end = node.meta.start_pos, node.meta.end_pos
        if name in self.local:
            return Piece(self.local[name], f"v_{name}", True, start, end)
        return self.named(name, start, end)

    def dotted(self, node: Any) -> Piece:
        """A name of several words with dots between them."""
        start, end = node.meta.start_pos, node.meta.end_pos
        name = chain(node)
        if name is None:
            self._draft.fault(NAME, "a name may be followed by a dot, anything else may not", node)
            return Piece(UNKNOWN, "None", True, start, end)
        return self.named(name, start, end)

    def named(self, name: str, start: int, end: int) -> Piece:
        """The piece of a name, or of nothing where it is not known."""
        scope = self._scope
        fact = scope.facts.get(name)
        if fact is not None:
            self.facts.add(name)
            return _fact(fact, scope, start, end)
        first, _, rest = name.partition(".")
        if first == "event" and scope.event is not None and rest in scope.event and rest in scope.facts:
            self.event.add(rest)
            return Piece(type_of(scope.facts[rest]), f"e.get({rest!r})", True, start, end)
        if first == "settings" and rest in scope.settings:
            return _setting(scope.settings[rest].value, start, end)
        return self._own(name, start, end) or self._unknown(name, start, end)

    def _own(self, name: str, start: int, end: int) -> Piece | None:
        """What a case knows of itself."""
        parts = name.split(".")
        if name == "case.age":
            self.age = True
            return Piece(DURATION, "c.age()", False, start, end)
        if len(parts) == 3 and parts[:2] == ["case", "visits"] and parts[2] in self._scope.states:
            self.visits.add(parts[2])
            return Piece(NUMBER, f"c.visits({parts[2]!r})", False, start, end)
        if len(parts) == 3 and parts[0] == "clock" and parts[1] in self._scope.clocks:
            self.clocks.add(parts[1])
            if parts[2] == "left":
                return Piece(DURATION, f"c.left({parts[1]!r})", True, start, end)
            if parts[2] == "late":
                return Piece(FLAG, f"c.late({parts[1]!r})", False, start, end)
        return None

    def _unknown(self, name: str, start: int, end: int) -> Piece:
        known = self.known()
        near = nearest(name, known)
        hint = f'did you mean "{near}"?' if near is not None else ""
        if name.startswith("event.") and self._scope.event is None:
            hint = "no event brings data here"
        elif name.startswith("event.") and name.removeprefix("event.") in self._scope.facts:
            hint, near = f"the event does not carry {name.removeprefix('event.')}", None
        elif not hint and "." not in name and any(fact.startswith(f"{name}.") for fact in known):
            hint = did_you_mean(name, [fact for fact in known if fact.startswith(f"{name}.")])
        piece = Piece(UNKNOWN, "None", True, start, end)
        self._draft.fault(NAME, f'unknown name "{name}"', piece, hint, near and sole(name, known))
        return piece

    def known(self) -> list[str]:
        """Every name that may stand here."""
        scope = self._scope
        return [
            *scope.facts,
            *(f"settings.{name}" for name in scope.settings),
            *(f"event.{name}" for name in sorted(scope.event or ())),
            "case.age",
            *(f"case.visits.{name}" for name in scope.states),
            *(f"clock.{name}.{what}" for name in scope.clocks for what in ("left", "late")),
        ]


def chain(node: Any) -> str | None:
    """The dotted name that a tree of members is, None where it is none."""
    parts: list[str] = []
    while node.data == "member_dot":
        parts.append(str(node.children[1]))
        node = node.children[0]
        while node.data in ("member", "primary"):
            node = node.children[0]
    if node.data != "ident":
        return None
    return ".".join([str(node.children[0]), *reversed(parts)])


def _fact(fact: Fact, scope: Scope, start: int, end: int) -> Piece:
    """A fact's value, or its default. Facts hold no None, so one look is enough."""
    code = _default(fact, scope)
    if code is None:
        return Piece(type_of(fact), f"f.get({fact.name!r})", True, start, end)
    return Piece(type_of(fact), f"f.get({fact.name!r}, {code})", False, start, end)


def _default(fact: Fact, scope: Scope) -> str | None:
    """Code of a fact's default; None where there is none, or none of the fact's type."""
    value = fact.default
    match fact.type:
        case "phone" | "email" if isinstance(value, str):
            kept = scope.spelled(fact.type, value)
            return None if kept is None else repr(kept)
        case "text" | "choice" if isinstance(value, str):
            return repr(value)
        case "flag" if isinstance(value, bool):
            return repr(value)
        case "number" if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            found = float(value) if isinstance(value, Decimal) else value
            return repr(found) if isfinite(found) else None
        case "money" if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            return f"K[{str(value)!r}]" if isfinite(value) else None
        case "date" if isinstance(value, str) and day(value) is not None:
            return f"T[{value!r}]"
        case "time" if isinstance(value, str):
            at = instant(value)
            return None if at is None else repr(at)
    return None


def _setting(value: Any, start: int, end: int) -> Piece:
    if isinstance(value, bool):
        return Piece(FLAG, repr(value), False, start, end)
    if isinstance(value, str):
        return Piece(TEXT, repr(value), False, start, end, said=value)
    number = float(value) if isinstance(value, Decimal) else value
    if number is None or not isfinite(number):
        return Piece(NUMBER, "None", True, start, end)
    return Piece(NUMBER, repr(number), False, start, end, number)
