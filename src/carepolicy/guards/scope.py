"""What an expression may name where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carepolicy.policy.addresses import PHONE, spelled
from carepolicy.policy.region import region_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from carepolicy.policy.model import Fact, Flow, Organisation, Setting


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The names of one place: facts and settings by name, clocks, states, and the facts that the event at hand
    carries (None where there is no event, so that ``event.*`` names nothing). Telephone numbers that name no country
    are of the ``organisation``'s. What clocks and states are called in another language than that of the set stands
    under ``clock_titles`` and ``state_titles``; words of an expression name them so."""

    facts: Mapping[str, Fact]
    settings: Mapping[str, Setting]
    clocks: tuple[str, ...]
    states: tuple[str, ...]
    event: frozenset[str] | None
    organisation: Organisation | None = None
    clock_titles: Mapping[str, str] = field(default_factory=dict)
    state_titles: Mapping[str, str] = field(default_factory=dict)

    def spelled(self, kind: str, written: str) -> str | None:
        """A telephone number or an address as it is kept; None where it is none."""
        region = region_of(self.organisation) if kind == PHONE and self.organisation is not None else None
        return spelled(kind, written, region)


def scope_of(organisation: Organisation, flow: Flow, trigger: str | None = None, titled: bool = False) -> Scope:
    """The scope of an expression in ``flow``; with the event ``trigger``, what that event carries too.

    A clock's event, an ``after`` and a limit bring no data: there ``event.*`` names nothing. ``titled``: clocks and
    states are called by their titles, where a set is told in another language than that of its names.
    """
    event = flow.events.get(trigger) if trigger is not None else None
    carried = None if event is None else frozenset((*event.required, *event.optional))
    return Scope(
        organisation.facts,
        organisation.settings,
        tuple(flow.clocks),
        tuple(flow.states),
        carried,
        organisation,
        {name: clock.title for name, clock in flow.clocks.items() if clock.title} if titled else {},
        {name: state.title for name, state in flow.states.items() if state.title} if titled else {},
    )
