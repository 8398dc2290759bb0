"""Which transition of the old flow is which of the new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Transition

AFTER = "after"
ANYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Placed:
    """A transition and where it stands: at a state, in a phase ("phase NAME") or "anywhere".

    ``limit`` is that of an ``after``, else "". ``to`` is the target by the name that the newer flow has for it.
    """

    place: str
    trigger: str
    limit: str
    to: str | None
    transition: Transition


def placed(flow: Flow, renamed: dict[str, str]) -> dict[tuple[str, str], list[Placed]]:
    """All transitions by place and trigger; those of ``after`` are one group a state."""
    found: dict[tuple[str, str], list[Placed]] = {}

    def add(place: str, trigger: str, limit: str, transitions: tuple[Transition, ...]) -> None:
        for each in transitions:
            to = renamed.get(each.to, each.to) if each.to is not None else None
            found.setdefault((place, trigger), []).append(Placed(place, trigger, limit, to, each))

    for name, state in flow.states.items():
        here = renamed.get(name, name)
        for trigger, transitions in state.on.items():
            add(here, trigger, "", transitions)
        for after in state.after:
            add(here, AFTER, after.limit, after.transitions)
    for phase in flow.phases.values():
        for trigger, transitions in phase.on.items():
            add(f"phase {phase.name}", trigger, "", transitions)
    for trigger, transitions in flow.anywhere.items():
        add(ANYWHERE, trigger, "", transitions)
    return found


def paired(old: list[Placed], new: list[Placed]) -> list[tuple[Placed | None, Placed | None]]:
    """Pairs of one group, the likest first: all the same, the same but for its limit, the same target, the same place.

    What has no partner stands alone: new ones in their place, removed ones at the end.
    """
    partner: dict[int, Placed] = {}
    left = list(old)
    alike: list[Callable[[Placed, Placed], bool]] = [
        lambda a, b: (a.limit, a.transition.when, a.to) == (b.limit, b.transition.when, b.to),
        lambda a, b: (a.transition.when, a.to) == (b.transition.when, b.to),
        lambda a, b: a.to == b.to,
        lambda a, b: (a.limit, a.transition.when) == (b.limit, b.transition.when),
    ]
    for same in alike:
        for index, each in enumerate(new):
            if index not in partner:
                match = next((other for other in left if same(other, each)), None)
                if match is not None:
                    partner[index] = match
                    left.remove(match)
    pairs: list[tuple[Placed | None, Placed | None]] = [(partner.get(n), each) for n, each in enumerate(new)]
    return pairs + [(each, None) for each in left]
