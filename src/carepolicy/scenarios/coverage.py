"""What of the policies the scenarios go through: states, transitions, guards both ways, clock outcomes, messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.policy.resolve import transitions_of

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Policies, Transition
    from carepolicy.policy.places import At
    from carepolicy.scenarios.tracing import Seen

KINDS = ("states", "transitions", "guards", "clocks", "messages")


@dataclass(frozen=True, slots=True)
class Item:
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

    items: tuple[Item, ...]

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
    first = policies.organisation.languages[0] if policies.organisation.languages else ""
    for message in policies.messages.get(first, {}).values():
        covered = ("message", message.name) in found
        items.append(_item(policies, "messages", "", f"the message {message.name}", message.at, covered))
    return Coverage(tuple(items))


def _of_flow(policies: Policies, flow: Flow, seen: frozenset[Seen]) -> Iterator[Item]:
    for state in flow.states.values():
        covered = ("state", flow.name, state.name) in seen
        yield _item(policies, "states", flow.name, f"the state {state.name}", state.at, covered)
    for at, (rule, ways) in ways_of(flow).items():
        name = described(flow, rule, ways)
        covered = any(("way", flow.name, *way) in seen for way in ways)
        yield _item(policies, "transitions", flow.name, name, at, covered)
        if rule.when is not None:
            for held in (True, False):
                said = f"{name} when {rule.when} is {str(held).lower()}"
                covered = any(("guard", flow.name, *way, held) in seen for way in ways)
                yield _item(policies, "guards", flow.name, said, at / "when", covered)
    for clock in flow.clocks.values():
        for what in ("met", "late"):
            covered = ("clock", flow.name, clock.name, what) in seen
            yield _item(policies, "clocks", flow.name, f"the clock {clock.name} being {what}", clock.at, covered)
        for place, limit in enumerate(clock.limits):
            for held in (True, False) if limit.when is not None else ():
                said = f"the clock {clock.name} when {limit.when} is {str(held).lower()}"
                covered = ("limit", flow.name, clock.name, place, held) in seen
                yield _item(policies, "guards", flow.name, said, limit.at / "when", covered)


Way = tuple[str, str, int]
"""A state, a trigger of it, and the place of a transition among those of the trigger."""


def ways_of(flow: Flow) -> Mapping[At, tuple[Transition, list[Way]]]:
    """Each transition that is written in a flow, by its address, with the ways that it is for the machine.

    One that a phase shares, or that holds anywhere, is a way from several states: covered once, it is covered.
    """
    found: dict[At, tuple[Transition, list[Way]]] = {}
    for state in flow.states.values():
        triggers = {**transitions_of(flow, state.name)}
        if state.final is None:
            triggers |= {f"after {each.limit}": each.transitions for each in state.after}
        for trigger, rules in triggers.items():
            for place, rule in enumerate(rules):
                found.setdefault(rule.at, (rule, []))[1].append((state.name, trigger, place))
    return found


def described(flow: Flow, rule: Transition, ways: list[Way]) -> str:
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


def _item(policies: Policies, kind: str, flow: str, name: str, at: At, covered: bool) -> Item:
    listed = bool(at.path) and isinstance(at.path[-1], int)
    place = policies.place(at) if kind == "guards" or listed else policies.key_place(at)
    return Item(kind, flow, name, f"{policies.root}/{place.file}", place.line, covered)
