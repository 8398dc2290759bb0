"""Tries guards on one case of each kind: exact wherever guards compare a variable with constants.

Two values of a variable that lie between the same constants are alike for every such guard, so one of each stretch
is enough. An atom that is more than that (two variables, an ``Opaque``) is tried both ways; then what never
holds is still proved, and what does hold may be a case that there is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product
from math import ceil, floor

from carepolicy.guards.proof.formulas import (
    NUMERIC,
    TEXTS,
    WHOLE,
    All,
    Always,
    Any,
    Calculated,
    Compared,
    Constant,
    Flagged,
    Formula,
    HasValue,
    Held,
    Not,
    Value,
    Variable,
    atoms,
    held_in,
)
from carepolicy.guards.proof.reader import HOLDS

MOST = 4096
"""Cases that are tried for one list of guards."""

OTHER = "\N{HORIZONTAL ELLIPSIS}"
"""A text that is none of those in the guards."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One case: the ``values`` of variables (None: it has none), whether the event ``brings`` each, and how the atoms
    go that nobody can tell."""

    values: dict[Variable, Value | None]
    brings: dict[Variable, bool]
    guessed: dict[Formula, bool]

    def value(self, held: Held) -> Value | None:
        """The value of a variable, or that which the event brings."""
        return None if held.brought and not self.brings[held.variable] else self.values[held.variable]


@dataclass(slots=True)
class Tables:
    """The variables of guards with a value for each stretch, those that an event may bring, and opaque atoms."""

    values: dict[Variable, tuple[Value | None, ...]] = field(default_factory=dict)
    brought: list[Variable] = field(default_factory=list)
    guessed: list[Formula] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of cases."""
        size = 1 << (len(self.brought) + len(self.guessed))
        for values in self.values.values():
            size *= len(values)
        return size

    def cases(self) -> Iterator[Assignment]:
        """Every case, at most ``MOST``."""
        free = len(self.brought)
        flags = product((True, False), repeat=free + len(self.guessed))
        pairs = product(flags, product(*self.values.values()))
        for (chosen, values), _ in zip(pairs, range(MOST), strict=False):
            yield Assignment(
                dict(zip(self.values, values, strict=True)),
                dict(zip(self.brought, chosen, strict=False)),
                dict(zip(self.guessed, chosen[free:], strict=True)),
            )


def tables_of(guards: Sequence[Formula]) -> Tables:
    """What there is to be tried for these guards."""
    tables = Tables()
    constants: dict[Variable, set[Value]] = {}
    for atom in dict.fromkeys(atom for guard in guards for atom in atoms(guard)):
        simple = _simple(atom)
        if simple is None and not isinstance(atom, Always):
            tables.guessed.append(atom)
            continue
        for held in held_in(atom):
            constants.setdefault(held.variable, set()).update(simple or ())
            if held.brought and held.variable not in tables.brought:
                tables.brought.append(held.variable)
    tables.values = {variable: _stretches(variable, found) for variable, found in constants.items()}
    return tables


def _simple(atom: Formula) -> set[Value] | None:
    """The constants of an atom that reads one variable; None where it says more than that."""
    if isinstance(atom, (HasValue, Flagged)):
        return set()
    if not isinstance(atom, Compared) or atom.operator not in HOLDS:
        return None
    sides = (atom.left, atom.right)
    constants = [each.value for each in sides if isinstance(each, Constant)]
    return set(constants) if len(constants) == 1 and not any(isinstance(each, Calculated) for each in sides) else None


def _stretches(variable: Variable, constants: set[Value]) -> tuple[Value | None, ...]:
    """A value of each stretch between the constants, the constants themselves, and none where it may be missing."""
    found: list[Value | None] = []
    if variable.kind == "flag":
        found += [True, False]
    elif variable.of:
        found += variable.of
    elif variable.kind in TEXTS:
        found += [*sorted(str(each) for each in constants), OTHER]
    elif variable.kind in NUMERIC:
        found += _amounts(variable, sorted(each for each in constants if isinstance(each, Fraction)))
    else:
        found.append(OTHER)
    return (*found, None) if variable.may_miss else tuple(found)


def _amounts(variable: Variable, constants: list[Fraction]) -> list[Value]:
    """A value of each stretch between constants and bounds, as far as the bounds allow it."""
    bounds = [each for each in (variable.least, variable.most) if each is not None]
    if not bounds:
        return _free_amounts(variable, constants)
    found = _free_amounts(variable, sorted({*constants, *bounds}))
    return [each for each in found if isinstance(each, Fraction) and variable.allows(each)]


def _free_amounts(variable: Variable, constants: list[Fraction]) -> list[Value]:
    if variable.kind in WHOLE:
        near = {Fraction(each) for c in constants for each in (ceil(c) - 1, floor(c), ceil(c), floor(c) + 1)}
        return [each for each in sorted(near | {Fraction(0)}) if variable.kind != "count" or each >= 0]
    if not constants:
        return [Fraction(0)]
    middles = [(one + other) / 2 for one, other in pairwise(constants)]
    return sorted({*constants, *middles, constants[0] - 1, constants[-1] + 1})


def holds(formula: Formula, case: Assignment) -> bool:
    """Whether a guard holds for a case."""
    if isinstance(formula, Always):
        return formula.holds
    if isinstance(formula, All):
        return all(holds(part, case) for part in formula.parts)
    if isinstance(formula, Any):
        return any(holds(part, case) for part in formula.parts)
    if isinstance(formula, Not):
        return not holds(formula.part, case)
    if formula in case.guessed:
        return case.guessed[formula]
    if isinstance(formula, HasValue):
        return case.value(formula.held) is not None
    if isinstance(formula, Flagged):
        return case.value(formula.held) is True
    return isinstance(formula, Compared) and _holds(formula, case)


def _holds(formula: Compared, case: Assignment) -> bool:
    left, right = (
        case.value(each) if isinstance(each, Held) else each.value if isinstance(each, Constant) else None
        for each in (formula.left, formula.right)
    )
    return left is not None and right is not None and HOLDS[formula.operator](left, right)
