"""Names in a scenario that nothing bears, found before it is played: at the very token, with the nearest right one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.engine.intake import MERGE
from carepolicy.policy.findings import unknown

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.model import Policies
    from carepolicy.policy.places import Path, Source

CLOCKS = ("late", "met", "warned", "cancelled", "running", "paused", "stopped")
"""Keys of an expectation that name clocks."""

_NAMED = {
    **dict.fromkeys(CLOCKS, ("CP205", "clock")),
    "sent": ("CP206", "message"),
    "not_sent": ("CP206", "message"),
    "told": ("CP201", "role"),
    "not_told": ("CP201", "role"),
    "opened": ("CP208", "flow"),
    "raised": ("CP202", "event"),
}


@dataclass(frozen=True, slots=True)
class FlowNames:
    """What a scenario may name of one flow."""

    events: Collection[str]
    states: Collection[str]
    clocks: Collection[str]


@dataclass(frozen=True, slots=True)
class ScenarioNames:
    """What a scenario may name of a policy set."""

    flows: Mapping[str, FlowNames]
    facts: Collection[str]
    roles: Collection[str]
    messages: Collection[str]

    def of(self, what: str, flow: str) -> Collection[str]:
        """The known names of a kind, where an expectation is about ``flow``."""
        if what == "event":
            return {event for each in self.flows.values() for event in each.events}
        by_kind = {"clock": self.flows[flow].clocks, "role": self.roles, "flow": self.flows, "message": self.messages}
        return by_kind[what]


def names_of_bundle(bundle: Bundle) -> ScenarioNames:
    """The names of a compiled set."""
    flows = {
        each.flow: FlowNames(each.events, [state.name for state in each.states], [clock.name for clock in each.clocks])
        for each in bundle.programs
    }
    messages = {name for each in bundle.programs for name in each.templates}
    return ScenarioNames(flows, bundle.facts, bundle.role_titles, messages)


def names_of_policies(policies: Policies) -> ScenarioNames:
    """The names of a set that is not compiled, as an editor has it."""
    flows = {name: FlowNames(each.events, each.states, each.clocks) for name, each in policies.flows.items()}
    messages = {name for each in policies.messages.values() for name in each}
    return ScenarioNames(flows, policies.organisation.facts, policies.organisation.roles, messages)


def unknown_names(source: Source, names: ScenarioNames) -> Iterator[Finding]:
    """What a scenario of the right shape names that the set does not have.

    An event that no flow declares may be fed where the next expectation says that it is rejected or unexpected.
    """
    data: Any = source.data
    flow = str(data["flow"])
    if flow not in names.flows:
        yield unknown("CP208", "flow", flow, source.value(("flow",)), names.flows)
        return
    steps = data["steps"]
    for number, step in enumerate(steps):
        path: Path = ("steps", number)
        whose = str(step.get("flow", flow))
        if whose not in names.flows:
            yield unknown("CP208", "flow", whose, source.value((*path, "flow")), names.flows)
            continue
        known = names.of("event", whose)
        event = step.get("event")
        if event is not None and event not in known and event != MERGE and not _refused(steps[number:]):
            yield unknown("CP202", "event", event, source.value((*path, "event")), known)
        if isinstance(step.get("expect"), dict):
            yield from _in_expectation(source, (*path, "expect"), step["expect"], whose, names)


def _refused(steps: list[Any]) -> bool:
    """Whether the first expectation of some steps is that an event is refused."""
    expected: dict[str, Any] = next((step["expect"] for step in steps if isinstance(step.get("expect"), dict)), {})
    return bool(expected.get("rejected") or expected.get("unexpected"))


def _in_expectation(
    source: Source, path: Path, wanted: dict[str, Any], flow: str, names: ScenarioNames
) -> Iterator[Finding]:  # fmt: skip
    mine = names.flows[flow]
    state = wanted.get("state")
    if state is not None and state not in mine.states:
        yield unknown("CP203", "state", str(state), source.value((*path, "state")), mine.states)
    for key, code, what, known in (("due", "CP205", "clock", mine.clocks), ("facts", "CP204", "fact", names.facts)):
        for name in wanted.get(key) or ():
            if name not in known:
                yield unknown(code, what, name, source.key((*path, key, name)), known)
    for key, (code, what) in _NAMED.items():
        known = names.of(what, flow)
        for name, at in _listed(wanted.get(key), (*path, key)):
            if name not in known:
                yield unknown(code, what, name, source.value(at), known)


def _listed(said: Any, path: Path) -> Iterator[tuple[str, Path]]:
    """Each name of a list, or the only one, with its path."""
    if isinstance(said, list):
        yield from ((str(name), (*path, number)) for number, name in enumerate(said))
    elif said is not None:
        yield str(said), path
