"""What a plan says: what becomes of the open cases when a changed policy set is applied."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from carepolicy.engine.instants import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

FATES = ("gone", "rekeyed", "stuck", "late", "moved", "closed", "due", "kept")
"""What may become of a case: its state is gone; its flow is keyed otherwise; it has no way on; a clock is late at once;
its state has another name; it is closed; a due time moves; its flow is gone and it lives on by its version."""

REFUSES = ("gone", "rekeyed")


class Tellable(Protocol):
    """What JSON can be told of."""

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""


One = TypeVar("One", bound=Tellable)


class Examples(Generic[One]):
    """How many there are of each of some ``kinds``, with the first of each kind, ``most`` at most."""

    def __init__(self, kinds: Sequence[str], most: int) -> None:
        self._kinds = kinds
        self._most = most
        self.counts: Counter[str] = Counter()
        self.first: dict[str, list[One]] = {}

    def note(self, kind: str, one: One) -> None:
        """Count one, and keep it while there are few."""
        self.counts[kind] += 1
        kept = self.first.setdefault(kind, [])
        if len(kept) < self._most:
            kept.append(one)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return {
            kind: {"count": self.counts[kind], "examples": [each.as_dict() for each in self.first[kind]]}
            for kind in self._kinds
            if kind in self.counts
        }


@dataclass(frozen=True, slots=True)
class Example:
    """What becomes of one case; ``before`` and ``after`` are states, or due times of ``clock``."""

    subject: str
    flow: str
    state: str
    clock: str | None = None
    before: str | None = None
    after: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        told = {name: getattr(self, name) for name in ("subject", "flow", "state", "clock", "before", "after")}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(slots=True)
class Plan:
    """What becomes of the open cases: how many there are, and by fate how many, with up to ``most`` examples of each.

    ``fired`` counts the records of what was due first, ``late`` the clocks that fell late by it, and ``last`` is the
    number of the last record then. ``ended_shadow`` says that another set was tried, which was ended by this.
    """

    digest: str
    now: int
    most: int
    cases: int = 0
    same: bool = False
    fired: int = 0
    late: int = 0
    last: int = 0
    ended_shadow: bool = False
    fates: Examples[Example] = field(init=False)

    def __post_init__(self) -> None:
        self.fates = Examples(FATES, self.most)

    @property
    def refused(self) -> bool:
        """Whether a case could not be moved."""
        return any(fate in self.fates.counts for fate in REFUSES)

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        return {
            "now": text_of(self.now),
            "installed_already": self.same,
            "due_first": {"records": self.fired, "late": self.late},
            "open_cases": self.cases,
            "refused": self.refused,
            "fates": self.fates.as_dict(),
        }


class RefusedPlan(Exception):
    """A set cannot be applied; ``plan`` says why."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("open cases cannot be moved")
        self.plan = plan
