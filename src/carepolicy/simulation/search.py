"""How many people a role needs so that a promise is kept: by bisection, each number tried on the same days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.audit.figures import goal
from carepolicy.simulation.figures import Estimate, estimate, percent, shares

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.simulation.run import RunResult

MOST_PEOPLE = 1_000
"""So many people are tried at most, or as many as the staff file has, if those are more."""


@dataclass(frozen=True, slots=True)
class ShareTarget:
    """The share of rounds of a clock that is to be in time."""

    flow: str
    clock: str
    share: float


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """How many people it takes, None where no number does; and the share in time of each number that was tried."""

    target: ShareTarget
    role: str
    people: int | None
    tried: tuple[tuple[int, Estimate], ...]

    def as_object(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "flow": self.target.flow, "clock": self.target.clock, "target": self.target.share, "role": self.role,
            "people": self.people, "tried": [{"people": n, **each.as_object()} for n, each in self.tried],
        }  # fmt: skip

    def as_text(self, bundle: Bundle) -> Iterator[str]:
        """Lines for people."""
        role, wanted = bundle.role_titles[self.role], goal(self.target.share)
        name = f"{self.target.flow}.{self.target.clock}"
        if self.people is None:
            yield f"{role}: no number of people keeps {wanted} of {name}; what is late is late elsewhere"
        else:
            one = self.people == 1
            yield f"{role}: {self.people} {'person keeps' if one else 'people keep'} {wanted} of {name}"
        for people, each in self.tried:
            yield f"  {people:5,} {'person' if people == 1 else 'people'}  {percent(each)}"


def sought(
    target: ShareTarget, role: str, start: int, play: Callable[[int], Sequence[RunResult]]
) -> tuple[SearchAnswer, Sequence[RunResult]]:
    """The least number of people with which the mean share in time reaches a target, and what became of the days then;
    where no number reaches it, the days with the most people. ``play`` lets the days pass with so many people.

    More people never make it worse on the same days, but for accidents of the order of work: so the numbers are halved.
    """
    tried: dict[int, Estimate] = {}
    runs: dict[int, Sequence[RunResult]] = {}

    def keeps(people: int) -> bool:
        runs.clear()
        runs[people] = play(people)
        found = estimate(shares(runs[people], target.flow, target.clock), 0.0, 1.0)
        tried[people] = found if found is not None else Estimate(0.0)
        return tried[people].mean >= target.share

    low, high = 0, max(start, 1)
    while not keeps(high):
        same = low and tried[high] == tried[low]
        low, high = high, min(2 * high, max(MOST_PEOPLE, high))
        if same or low == high:  # as many people more changed nothing: it is not for want of them
            return SearchAnswer(target, role, None, tuple(sorted(tried.items()))), runs[low]
    best = runs[high]
    while high - low > 1:
        middle = (low + high) // 2
        if keeps(middle):
            high, best = middle, runs[middle]
        else:
            low = middle
    return SearchAnswer(target, role, high, tuple(sorted(tried.items()))), best
