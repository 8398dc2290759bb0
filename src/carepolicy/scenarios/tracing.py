"""Which ways, guards, states, clocks and messages a run went through.

A run is traced by putting a function that takes notes in the place of each guard of its own live program, before it
is fed. An engine that is not traced has nothing of this in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carepolicy.engine.live import LiveProgram, LiveWay
    from carepolicy.engine.reading import Record

Seen = tuple[Any, ...]
"""What was gone through: ``("way", flow, state, trigger, place)``, ``("guard", flow, state, trigger, place, held)``,
``("limit", flow, clock, place, held)``, ``("state", flow, state)``, ``("clock", flow, clock, "met" | "late")``,
``("message", template)``."""

_Guard = Callable[[Any, Any, Any], Any]


def trace(programs: Iterable[LiveProgram], seen: set[Seen]) -> None:
    """Let every way and limit of some live programs add to ``seen`` what they go through from now on."""
    for program in programs:
        for state in program.states:
            for trigger, ways in state.ways.items():
                _trace_ways((program.flow, state.name, trigger), ways, seen)
            for after in state.afters:
                _trace_ways((program.flow, state.name, after.trigger), after.ways, seen)
        for clock in program.clocks:
            for place, limits in enumerate(zip(*{id(each): each for each in clock.choices}.values(), strict=True)):
                for limit in limits:
                    if limit.when is not None:
                        key = (program.flow, clock.name, place)
                        limit.when = _noting(limit.when, ("limit", *key, True), ("limit", *key, False), None, seen)


def _trace_ways(key: tuple[str, str, str], ways: tuple[LiveWay, ...], seen: set[Seen]) -> None:
    for place, way in enumerate(ways):
        taken = ("way", *key, place)
        if way.when is None:
            way.when = _always(taken, seen)
        else:
            held = ("guard", *key, place)
            way.when = _noting(way.when, (*held, True), (*held, False), taken, seen)


def _always(taken: Seen, seen: set[Seen]) -> _Guard:
    def holds(facts: Any, event: Any, case: Any) -> bool:
        seen.add(taken)
        return True

    return holds


def _noting(guard: _Guard, yes: Seen, no: Seen, taken: Seen | None, seen: set[Seen]) -> _Guard:
    def holds(facts: Any, event: Any, case: Any) -> Any:
        held = guard(facts, event, case)
        seen.add(yes if held else no)
        if held and taken is not None:
            seen.add(taken)
        return held

    return holds


def note_records(records: Iterable[Record], seen: set[Seen]) -> None:
    """Add what records tell of: states entered, clocks met and late, messages sent."""
    for each in records:
        data = each.data
        if each.kind == "case.opened":
            seen.add(("state", each.flow, data["state"]))
        elif each.kind == "case.moved":
            seen.add(("state", each.flow, data["to"]))
        elif each.kind in ("clock.met", "clock.late"):
            seen.add(("clock", each.flow, data["clock"], each.kind.removeprefix("clock.")))
        elif each.kind == "message.requested":
            seen.add(("message", data["template"]))
