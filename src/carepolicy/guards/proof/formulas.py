"""What a guard says, as a formula: comparisons of variables and values, joined by and, or and not.

A formula is true or false for every case. What cannot be put into these words (a macro over a list, a pattern) is an
``Opaque``: it may be either, but is the same wherever the same text stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from carepolicy.policy.addresses import SPELLED

Value = Fraction | str | bool
"""Amounts, instants (microseconds), dates (ordinals) and durations (microseconds) are numbers."""

NUMERIC = frozenset(("number", "money", "count", "date", "time", "duration"))
WHOLE = frozenset(("count", "date", "time", "duration"))
"""Kinds whose values are whole numbers; a ``count`` is also never below zero."""

TEXTS = frozenset(("text", "choice", *SPELLED))


@dataclass(frozen=True, slots=True)
class Variable:
    """A fact, or what a case knows of itself. ``of`` are the values of a choice, and no others can be; ``least`` and
    ``most`` are the bounds of an amount."""

    name: str
    kind: str
    of: tuple[str, ...] = ()
    may_miss: bool = False
    private: bool = False
    least: Fraction | None = None
    most: Fraction | None = None

    def allows(self, amount: Fraction) -> bool:
        """Whether an amount is within the bounds."""
        return (self.least is None or self.least <= amount) and (self.most is None or amount <= self.most)


@dataclass(frozen=True, slots=True)
class Held:
    """The value of a variable; with ``brought`` only where the event at hand brings it."""

    variable: Variable
    brought: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that never changes."""

    value: Value


@dataclass(frozen=True, slots=True)
class Calculated:
    """``left operator right`` of numbers, without a value where either has none. ``operator``: + - * /."""

    operator: str
    left: Term
    right: Term


Term = Held | Constant | Calculated


@dataclass(frozen=True, slots=True)
class Always:
    """True for every case, or false for every case."""

    holds: bool


@dataclass(frozen=True, slots=True)
class All:
    """True where each part is."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True where at least one part is."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where its part is not."""

    part: Formula


@dataclass(frozen=True, slots=True)
class Compared:
    """True where both sides have a value and it holds.

    ``operator``: < <= > >= == !=, or of texts: starts ends holds.
    """

    operator: str
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class HasValue:
    """True where there is a value."""

    held: Held


@dataclass(frozen=True, slots=True)
class Flagged:
    """True where a flag has a value and is set."""

    held: Held


@dataclass(frozen=True, slots=True)
class Opaque:
    """True or false, nobody knows for which cases."""

    text: str


Formula = Always | All | Any | Not | Compared | HasValue | Flagged | Opaque

TRUE, FALSE = Always(True), Always(False)


def both(*parts: Formula) -> Formula:
    """All of ``parts``, without those that always hold."""
    kept = tuple(part for part in parts if part != TRUE)
    if FALSE in kept:
        return FALSE
    return kept[0] if len(kept) == 1 else All(kept) if kept else TRUE


def either(*parts: Formula) -> Formula:
    """At least one of ``parts``, without those that never hold."""
    kept = tuple(part for part in parts if part != FALSE)
    if TRUE in kept:
        return TRUE
    return kept[0] if len(kept) == 1 else Any(kept) if kept else FALSE


def opposite(part: Formula) -> Formula:
    """True where ``part`` is not."""
    if isinstance(part, Always):
        return Always(not part.holds)
    return part.part if isinstance(part, Not) else Not(part)


def atoms(formula: Formula) -> list[Formula]:
    """The parts of a formula that are no and, or or not, in the order in which they stand."""
    if isinstance(formula, (All, Any)):
        return [atom for part in formula.parts for atom in atoms(part)]
    return atoms(formula.part) if isinstance(formula, Not) else [formula]


def held_in(atom: Formula) -> list[Held]:
    """The variables that an atom reads."""
    if isinstance(atom, (HasValue, Flagged)):
        return [atom.held]
    return [*_of_term(atom.left), *_of_term(atom.right)] if isinstance(atom, Compared) else []


def _of_term(term: Term) -> list[Held]:
    if isinstance(term, Calculated):
        return [*_of_term(term.left), *_of_term(term.right)]
    return [term] if isinstance(term, Held) else []
