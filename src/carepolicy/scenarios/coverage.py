"""What of the policies the scenarios go through: states, transitions, guards both ways, clock outcomes, messages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from carepolicy.policy.files import file_at
from carepolicy.policy.language.flow import transitions_of
from carepolicy.policy.placeholders import included_in

if TYPE_CHECKING:
    from carepolicy.engine.case import LiveProgram, LiveState, LiveWay
    from carepolicy.engine.record import Record
    from carepolicy.engine.round import LiveClock
    from carepolicy.policy.model import Flow, Policies, Transition
    from carepolicy.policy.places import At


KINDS = ("states", "transitions", "guards", "clocks", "messages")


@dataclass(frozen=True, slots=True)
class CoverageItem:
    """One thing that scenarios should go through. ``flow`` is empty for a message, ``file`` and ``line`` say where
    it stands."""

    kind: str
    flow: str
    name: str
    file: str
    line: int
    covered: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """All items of a set, in the order of its files."""

    items: tuple[CoverageItem, ...]

    def share(self, kind: str | None = None) -> tuple[int, int]:
        """How many items (of a kind) are covered, and of how many."""
        chosen = [each for each in self.items if kind is None or each.kind == kind]
        return sum(each.covered for each in chosen), len(chosen)

    @property
    def percent(self) -> float:
        """The share of all items that is covered, in percent; all of nothing is 100."""
        covered, total = self.share()
        return 100.0 * covered / total if total else 100.0

    def as_dict(self) -> dict[str, Any]:
        """The coverage as JSON: shares by kind, and what is not covered with its place."""
        shares = {kind: dict(zip(("covered", "total"), self.share(kind), strict=True)) for kind in KINDS}
        missing = [
            {"kind": each.kind, "flow": each.flow, "name": each.name, "file": each.file, "line": each.line}
            for each in self.items
            if not each.covered
        ]
        return {"percent": round(self.percent, 2), **shares, "not_covered": missing}

    def as_text(self) -> Iterator[str]:
        """Lines: the shares, then what is not covered."""
        for kind in KINDS:
            covered, total = self.share(kind)
            yield f"{kind:<12} {covered:>4} of {total:>4}" + (f"  {100 * covered / total:5.1f} %" if total else "")
        covered, total = self.share()
        yield f"{'all':<12} {covered:>4} of {total:>4}  {self.percent:5.1f} %"
        for each in self.items:
            if not each.covered:
                yield f"  {each.file}:{each.line}: no scenario for {each.name}"


def coverage_of(policies: Policies, seen: Iterable[Seen]) -> Coverage:
    """What ``seen`` covers of a set."""
    found = frozenset(seen)
    items = [item for flow in policies.flows.values() for item in _of_flow(policies, flow, found)]
    items += _of_common(policies, found)
    first = policies.organisation.languages[0] if policies.organisation.languages else ""
    written = policies.messages.get(first, {})
    parts = {name for each in written.values() for name in included_in(each.text)}
    for message in written.values():
        if message.name in parts:
            continue
        covered = ("message", message.name) in found
        items.append(_item(policies, "messages", "", f"the message {message.name}", message.at, covered))
    return Coverage(tuple(items))


def _of_flow(policies: Policies, flow: Flow, seen: frozenset[Seen]) -> Iterator[CoverageItem]:
    for state in flow.states.values():
        covered = ("state", flow.name, state.name) in seen
        yield _item(policies, "states", flow.name, f"the state {state.name}", state.at, covered)
    for at, (rule, ways) in ways_of(flow).items():
        if at.file == flow.at.file:
            keys = [(flow.name, *way) for way in ways]
            yield from _of_way(policies, flow.name, described(flow, rule, ways), rule, keys, seen)
    for clock in flow.clocks.values():
        for what in ("met", "late"):
            covered = ("clock", flow.name, clock.name, what) in seen
            yield _item(policies, "clocks", flow.name, f"the clock {clock.name} being {what}", clock.at, covered)
        for place, limit in enumerate(clock.limits):
            for held in (True, False) if limit.when is not None else ():
                said = f"the clock {clock.name} when {limit.when} is {str(held).lower()}"
                covered = ("limit", flow.name, clock.name, place, held) in seen
                yield _item(policies, "guards", flow.name, said, limit.at / "when", covered)


def _of_common(policies: Policies, seen: frozenset[Seen]) -> Iterator[CoverageItem]:
    """What is said once for all flows, and gone through once: in whichever flow takes it up."""
    found: dict[At, tuple[Transition, list[tuple[str, str, str, int]]]] = {}
    for flow in policies.flows.values():
        for at, (rule, ways) in ways_of(flow).items():
            if at.file != flow.at.file:
                found.setdefault(at, (rule, []))[1].extend((flow.name, *way) for way in ways)
    for rule, keys in found.values():
        name = f"every flow, {keys[0][2]} -> {rule.to or 'no change'}"
        yield from _of_way(policies, "", name, rule, keys, seen)


def _of_way(
    policies: Policies,
    flow: str,
    name: str,
    rule: Transition,
    keys: list[tuple[str, str, str, int]],
    seen: frozenset[Seen],
) -> Iterator[CoverageItem]:
    """A transition, and its guard both ways; ``keys`` are the flows and ways that it is for the machine."""
    yield _item(policies, "transitions", flow, name, rule.at, any(("way", *key) in seen for key in keys))
    if rule.when is not None:
        for held in (True, False):
            said = f"{name} when {rule.when} is {str(held).lower()}"
            covered = any(("guard", *key, held) in seen for key in keys)
            yield _item(policies, "guards", flow, said, rule.at / "when", covered)


WayKey = tuple[str, str, int]
"""A state, a trigger of it, and the place of a transition among those of the trigger."""


def ways_of(flow: Flow) -> Mapping[At, tuple[Transition, list[WayKey]]]:
    """Each transition that is written in a flow, by its address, with the ways that it is for the machine.

    One that a phase shares, or that holds anywhere, is a way from several states: covered once, it is covered.
    """
    found: dict[At, tuple[Transition, list[WayKey]]] = {}
    for state in flow.states.values():
        triggers = {**transitions_of(flow, state.name)}
        if state.final is None:
            triggers |= {f"after {each.limit}": each.transitions for each in state.after}
        for trigger, rules in triggers.items():
            for place, rule in enumerate(rules):
                found.setdefault(rule.at, (rule, []))[1].append((state.name, trigger, place))
    return found


def described(flow: Flow, rule: Transition, ways: list[WayKey]) -> str:
    """``received, reply_sent -> answered``: from where, on what, and where to."""
    states = [state for state, _, _ in ways]
    source = (
        states[0]
        if len(states) == 1
        else next(
            (phase.name for phase in flow.phases.values() if rule.at.path[:2] == ("phases", phase.name)), "anywhere"
        )
    )
    return f"{source}, {ways[0][1]} -> {rule.to or 'no change'}"


def _item(policies: Policies, kind: str, flow: str, name: str, at: At, covered: bool) -> CoverageItem:
    listed = bool(at.path) and isinstance(at.path[-1], int)
    place = policies.place(at) if kind == "guards" or listed else policies.key_place(at)
    return CoverageItem(kind, flow, name, file_at(policies.root, place.file).replace(os.sep, "/"), place.line, covered)


Seen = tuple[Any, ...]
"""What was gone through: ``("way", flow, state, trigger, place)``, ``("guard", flow, state, trigger, place, held)``,
``("limit", flow, clock, place, held)``, ``("state", flow, state)``, ``("clock", flow, clock, "met" | "late")``,
``("message", template)``."""

_Guard = Callable[[Any, Any, Any], Any]


def trace(programs: Iterable[LiveProgram], seen: set[Seen]) -> None:
    """Let every way and limit of some live programs add to ``seen`` what they go through from now on: those of flows
    and states that nothing concerns are not linked for it."""
    met: set[LiveProgram] = set()

    def traced(program: LiveProgram, state: LiveState) -> None:
        for trigger, ways in state.ways.items():
            _trace_ways((program.flow, state.name, trigger), ways, seen)
        for after in state.afters:
            _trace_ways((program.flow, state.name, after.trigger), after.ways, seen)
        if program not in met:
            met.add(program)
            for clock in program.clocks:
                _trace_limits(program.flow, clock, seen)

    for program in programs:
        program.put_around(traced)


def _trace_limits(flow: str, clock: LiveClock, seen: set[Seen]) -> None:
    for place, limits in enumerate(zip(*{id(each): each for each in clock.choices}.values(), strict=True)):
        for limit in limits:
            if limit.when is not None:
                key = (flow, clock.name, place)
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


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24;
  background: #fff }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.yes { color: #0a5c2b } .no { color: #8f1d14; font-weight: 600 }
meter { width: 12rem; height: 1rem }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } th, td { border-color: #30363d }
  .yes { color: #7ee2a8 } .no { color: #ffaba3 } }
"""


def page_of(coverages: Mapping[str, Coverage]) -> str:
    """The page, in the order of the sets and of their files."""
    return "\n".join(_lines(coverages)) + "\n"


def _lines(coverages: Mapping[str, Coverage]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>What the scenarios cover</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"
    yield "<h1>What the scenarios cover</h1>"
    for root, coverage in coverages.items():
        yield f"<h2>{escape(root)}: {coverage.percent:.1f} %</h2>"
        yield from _shares(coverage)
        for flow in dict.fromkeys(each.flow for each in coverage.items):
            yield from _flow(flow, [each for each in coverage.items if each.flow == flow])
    yield "</main>\n</body>\n</html>"


def _shares(coverage: Coverage) -> Iterator[str]:
    yield '<table>\n<thead><tr><th scope="col">What</th><th scope="col">Covered</th><th scope="col">Of</th>'
    yield '<th scope="col">Share</th></tr></thead>\n<tbody>'
    for kind in KINDS:
        covered, total = coverage.share(kind)
        percent = 100 * covered / total if total else 100.0
        meter = f'<meter min="0" max="{total or 1}" value="{covered if total else 1}">{percent:.1f} %</meter>'
        yield f'<tr><th scope="row">{kind.capitalize()}</th><td class="number">{covered}</td>'
        yield f'<td class="number">{total}</td><td>{meter} {percent:.1f} %</td></tr>'
    yield "</tbody>\n</table>"


def _flow(flow: str, items: list[CoverageItem]) -> Iterator[str]:
    covered = sum(each.covered for each in items)
    yield f"<h3>{escape(flow) if flow else 'Messages'}: {covered} of {len(items)}</h3>"
    yield '<table>\n<thead><tr><th scope="col">What</th><th scope="col">Where</th><th scope="col">Covered</th></tr>'
    yield "</thead>\n<tbody>"
    for each in items:
        word, kind = ("yes", "yes") if each.covered else ("no scenario", "no")
        where = f"{escape(each.file)}:{each.line}"
        yield f'<tr><td>{escape(each.name)}</td><td>{where}</td><td class="{kind}">{word}</td></tr>'
    yield "</tbody>\n</table>"
