"""A case, and what a subject must remember beside its cases, as bytes and back.

The bytes are JSON with names, not places, of states, clocks and flows, and bear the number of their form (``FORM``), so
that they can be read after the policy set or this module has changed. Whatever can be worked out from the
rest (when the next timer falls due) is not kept. Private facts go into bytes of their own, to be sealed. Of facts, what
JSON has no type for stands in an object with one letter as its name.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct
from msgspec.structs import astuple

from carepolicy.businesstime import Limit, parse_limit
from carepolicy.engine.case import Case
from carepolicy.engine.instants import NEVER
from carepolicy.engine.round import MOST_SEGMENTS, Kept, PartUsed, Round, Summed, sum_up, with_more

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carepolicy.engine.case import LiveProgram
    from carepolicy.engine.round import LiveClock, LiveLimit
    from carepolicy.machine.program import Bundle

FORM = 1

NUMBERS = ("base", "used", "mark", "amount", "warned", "marked")
"""Of a round: what is kept where it is not nothing."""


class Frozen(Struct, frozen=True):
    """A case as bytes; ``private`` holds its private facts, None where it has none."""

    body: bytes
    private: bytes | None


def dues(body: bytes) -> dict[str, int]:
    """When each running clock of a case that was frozen as these bytes falls due, ``NEVER`` where a fact is lacking."""
    rounds = orjson.loads(body).get("rounds", {})
    return {name: held.get("due", NEVER) for name, held in rounds.items() if held.get("running", True)}


class Freezer:
    """Cases of one flow in one version as bytes, and back."""

    def __init__(self, program: LiveProgram, private: frozenset[str]) -> None:
        self.program = program
        self._private = private
        self._states = {state.name: state for state in program.states}
        self._clocks = {clock.name: clock for clock in program.clocks}
        self._seen: dict[int, list[str]] = {}
        self._limits: dict[int, tuple[str | int, ...]] = {}
        for clock in program.clocks:
            for state, choices in zip(program.states, clock.choices, strict=True):
                for place, limit in enumerate(choices):
                    self._limits.setdefault(id(limit), (state.name, place))
                    for each in limit.parts[1:]:
                        self._limits.setdefault(id(each), (state.name, place, each.part))

    # -- out -----------------------------------------------------------------------------------------

    def freeze(self, case: Case) -> Frozen:
        """The case as bytes."""
        facts, hidden = self._facts(case.facts)
        kept: dict[str, Any] = {
            "form": FORM,
            "state": case.state.name,
            "sequence": case.sequence,
            "opened": case.opened,
            "received": case.received,
            "entered": case.entered,
            "now": case.now,
            "facts": facts,
        }
        rounds = None
        for held in case.rounds:
            if held is not None:
                if rounds is None:
                    rounds = kept["rounds"] = {}
                rounds[held.clock.name] = self._round(held)
        seen = case.seen
        if seen:
            kept["seen"] = self._seen.get(seen) or self._name_seen(seen)
        if case.afters:
            kept["afters"] = [(due, after.trigger) for due, _, after in case.afters]
        if case.channel is not None:
            kept["channel"] = case.channel
        self._freeze_rare(case, kept)
        if case.assigned is not None:
            kept["assigned"], hidden["person"] = case.assigned
        if case.holder is not None:
            kept["holder"], hidden["held_by"] = case.holder
        return Frozen(orjson.dumps(kept), orjson.dumps(hidden) if hidden else None)

    def _name_seen(self, seen: int) -> list[str]:
        """The clocks that a case has seen, by the bits of a number."""
        names = self._seen[seen] = [clock.name for clock in self.program.clocks if seen & clock.bit]
        return names

    def _freeze_rare(self, case: Case, kept: dict[str, Any]) -> None:
        clocks = self.program.clocks
        if case.kept:
            kept["kept"] = {clocks[index].name: _of_kept(each) for index, each in case.kept.items()}
        if case.extended:
            kept["extended"] = {clocks[index].name: count for index, count in case.extended.items()}
        if case.pending:
            kept["pending"] = [clock.name for clock in case.pending]
        if case.visited:
            kept["visited"] = case.visited
        if case.fired:
            kept["fired"] = case.fired

    def _facts(self, facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        private = self._private
        if private.isdisjoint(facts):
            return put_all(facts), {}
        shown = put_all({name: value for name, value in facts.items() if name not in private})
        hidden = put_all({name: value for name, value in facts.items() if name in private})
        return shown, {"facts": hidden}

    def _round(self, held: Round) -> dict[str, Any]:
        kept: dict[str, Any] = {
            "limit": self._limits[id(held.limit)],
            "started": held.started,
            "since": held.since,
        }
        if held.base:
            kept["base"] = held.base
        if held.used:
            kept["used"] = held.used
        if held.mark:
            kept["mark"] = held.mark
        if held.amount:
            kept["amount"] = held.amount
        if held.warned:
            kept["warned"] = held.warned
        if held.marked:
            kept["marked"] = held.marked
        if held.due != NEVER:
            kept["due"] = held.due
        if held.next != NEVER:
            kept["next"] = held.next
        if not held.running:
            kept["running"] = False
        if held.late:
            kept["late"] = True
        if held.segments:
            kept["segments"] = held.segments
        if held.summed is not None:
            kept["summed"] = astuple(held.summed)
        if held.parts:
            kept["parts"] = list(map(astuple, held.parts))
        if held.given:
            kept["given"] = [str(more) for more in held.given]
        return kept

    # -- back ----------------------------------------------------------------------------------------

    def thaw(self, subject: str, body: bytes | bytearray, private: bytes | None) -> Case:
        """The case that was frozen as these bytes. Raises ``LookupError`` where its flow has no such state or clock."""
        kept = orjson.loads(body)
        case = Case(self.program, subject, kept["sequence"])
        case.state = self._states[kept["state"]]
        case.opened, case.received, case.entered, case.now = (
            kept["opened"], kept["received"], kept["entered"], kept["now"],
        )  # fmt: skip
        case.facts = take_all(kept["facts"])
        for name, held in kept.get("rounds", {}).items():
            clock = self._clocks[name]
            case.rounds[clock.index] = self._thaw_round(clock, held)
        for name in kept.get("seen", ()):
            case.seen |= self._clocks[name].bit
        if "afters" in kept:
            afters = {after.trigger: after for after in case.state.afters}
            case.afters = tuple((due, afters[name].place, afters[name]) for due, name in kept["afters"])
        case.channel = kept.get("channel")
        self._thaw_rare(case, kept)
        hidden = orjson.loads(private) if private is not None else {}
        if "facts" in hidden:
            case.facts.update(take_all(hidden["facts"]))
        if "assigned" in kept:
            case.assigned = kept["assigned"], hidden.get("person")
        if "holder" in kept:
            case.holder = kept["holder"], hidden.get("held_by")
        return case

    def _thaw_rare(self, case: Case, kept: Mapping[str, Any]) -> None:
        clocks = self._clocks
        if "kept" in kept:
            case.kept = {clocks[name].index: _as_kept(each) for name, each in kept["kept"].items()}
        if "extended" in kept:
            case.extended = {clocks[name].index: count for name, count in kept["extended"].items()}
        if "pending" in kept:
            case.pending = tuple(clocks[name] for name in kept["pending"])
        if "visited" in kept:
            case.visited = kept["visited"]
        case.fired = kept.get("fired", 0)

    def _thaw_round(self, clock: LiveClock, kept: Mapping[str, Any]) -> Round:
        held = Round(clock, self._limit(clock, *kept["limit"]), kept["since"])
        held.started = kept["started"]
        for name in NUMBERS:
            if name in kept:
                setattr(held, name, kept[name])
        held.due, held.next = kept.get("due", NEVER), kept.get("next", NEVER)
        held.running, held.late = kept.get("running", True), kept.get("late", False)
        if "segments" in kept:
            held.segments = _pairs(kept["segments"])
        held.summed = _as_summed(kept.get("summed"))
        if len(held.segments) >= MOST_SEGMENTS:  # as all of them were kept once
            sum_up(held)
        if "parts" in kept:
            held.parts = tuple(PartUsed(*each) for each in kept["parts"])
        if "given" in kept:
            held.given = tuple(parse_limit(text) for text in kept["given"])
        elif "extras" in kept or (held.amount and not held.limit.dated and held.amount != held.limit.amount):
            held.given = _once_given(held, kept.get("extras", ()))
        return held

    def _limit(self, clock: LiveClock, state: str, place: int, part: int = 0) -> LiveLimit:
        limit = clock.choices[self._states[state].index][place]
        return limit.parts[part] if part else limit


def _of_kept(kept: Kept) -> dict[str, Any]:
    told: dict[str, Any] = {"segments": kept.segments, "used": kept.used, "measure": kept.measure}
    told |= {"warned": kept.warned, "given": [str(more) for more in kept.given]}
    if kept.marked:
        told["marked"] = kept.marked
    if kept.others:
        told["others"] = kept.others
    if kept.summed is not None:
        told["summed"] = astuple(kept.summed)
    return told


def _as_kept(kept: Any) -> Kept:
    if isinstance(kept, list):  # as it was kept once: what is used is counted anew
        return Kept(_pairs(kept), 0, "", 0, ())
    given = tuple(parse_limit(text) for text in kept["given"])
    marked = kept.get("marked", 0)
    others = tuple((measure, used) for measure, used in kept.get("others", ()))
    segments, summed = _pairs(kept["segments"]), _as_summed(kept.get("summed"))
    return Kept(segments, kept["used"], kept["measure"], kept["warned"], given, None, marked, others, summed)


def _as_summed(kept: Any) -> Summed | None:
    if kept is None:
        return None
    count, first, used = kept
    return Summed(count, first, tuple((measure, calendar, time) for measure, calendar, time in used))


def _once_given(held: Round, extras: Iterable[str]) -> tuple[Limit, ...]:
    """The time given to a round as it was kept once: what is of the limit's own kind was part of its amount."""
    limit = held.limit
    given: tuple[Limit, ...] = ()
    if held.amount > limit.amount and not limit.dated:
        given = (Limit(limit.limit.kind, held.amount - limit.amount, limit.limit.unit),)
    for text in extras:
        given = with_more(given, parse_limit(text))
    return given


def _pairs(segments: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((begin, end) for begin, end in segments)


class Freezers(dict[tuple[int, str], Freezer]):
    """A freezer for each version and flow of ``programs``, made when it is first asked for."""

    def __init__(self, bundle: Bundle) -> None:
        self.programs: dict[tuple[int, str], LiveProgram] = {}
        self._private = frozenset(name for name, fact in bundle.facts.items() if fact.private)

    def __missing__(self, address: tuple[int, str]) -> Freezer:
        freezer = self[address] = Freezer(self.programs[address], self._private)
        return freezer


PLAIN = frozenset((str, bool, type(None)))
WIDEST = 1 << 63


def put(value: Any) -> Any:
    """A fact's value as JSON can hold it. Raises ``TypeError`` for what is no value of a fact."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is int:
        return value if -WIDEST <= value < WIDEST else {"i": str(value)}
    if kind is float:
        return value if isfinite(value) else {"f": repr(value)}
    if kind is Decimal:
        return {"m": str(value)}
    if kind is date:
        return {"d": value.isoformat()}
    if kind is tuple:
        return [put(each) for each in value]
    raise TypeError(f"a fact cannot hold a {kind.__name__}")


def take(value: Any) -> Any:
    """The value that ``put`` has put."""
    kind = type(value)
    if kind is list:
        return tuple(take(each) for each in value)
    if kind is dict:
        ((name, text),) = value.items()
        return _TYPES[name](text)
    return value


_TYPES: Mapping[str, Any] = {"i": int, "f": float, "m": Decimal, "d": date.fromisoformat}


def put_all(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON can hold them."""
    return {name: value if type(value) is str else put(value) for name, value in facts.items()}


def take_all(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that ``put_all`` has put."""
    return {name: value if type(value) is str else take(value) for name, value in facts.items()}
