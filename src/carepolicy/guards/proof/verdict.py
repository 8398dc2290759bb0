"""What can be proved of guards that are tried in order: which never hold, which are hidden, what falls through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from carepolicy.guards.proof.assignments import MOST, Assignment, holds, tables_of
from carepolicy.guards.proof.formulas import (
    TRUE,
    Compared,
    Constant,
    Formula,
    Opaque,
    Variable,
    atoms,
    both,
    either,
    held_in,
    opposite,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is sure of the guards of one list, by their index.

    ``never`` hold for no case. ``hidden`` hold, but only for cases that those before them take; the indexes are of one
    guard that takes them all, or of all that do so together. ``gap`` is a case that none takes; None where there is
    none, or where it cannot be told.
    """

    never: frozenset[int]
    hidden: dict[int, tuple[int, ...]] = field(hash=False)
    gap: Assignment | None = field(hash=False)


def judge(guards: tuple[Formula, ...], prove: bool = True) -> Verdict:
    """Judge guards that are tried in order; the guard of a way without one is ``TRUE``.

    With ``prove`` the solver is asked, if it is installed, what trying cases leaves open.
    """
    verdict, unsettled, gap_unsettled = _tried(guards)
    if prove and (unsettled or gap_unsettled):
        from carepolicy.guards.proof.solver import is_installed

        if is_installed():
            return _proved(guards, verdict, unsettled, gap_unsettled)
    return verdict


def _tried(guards: tuple[Formula, ...]) -> tuple[Verdict, list[int], bool]:
    """What trying cases gives; the guards that it does not settle, and whether it leaves open if there is a gap."""
    tables = tables_of(guards)
    exact, ever, first = not tables.guessed, set[int](), set[int]()
    before = {index: set(range(index)) for index in range(len(guards))}
    gap, whole = None, _whole(guards)
    closed = TRUE in guards
    for case in tables.cases():
        held = [index for index, guard in enumerate(guards) if holds(guard, case)]
        first.update(held[:1])
        ever.update(held)
        for index in held:
            before[index].intersection_update(held)
        if gap is None and not held and _is_whole(case, whole):
            gap = case
        if len(first) == len(guards) and (closed or gap is not None):
            break
    if exact and tables.size > MOST:
        exact = False
        rest = [index for index in range(len(guards)) if index not in first]
        return Verdict(frozenset(), {}, gap), rest, gap is None and not closed
    if not exact and tables.size > MOST:
        return Verdict(frozenset(), {}, None), list(range(len(guards))), not closed
    hidden = {
        index: (min(before[index]),) if before[index] else tuple(range(index))
        for index in range(len(guards))
        if index in ever and index not in first
    }
    never = frozenset(range(len(guards))) - ever
    if exact:
        return Verdict(never, hidden, gap), [], False
    return Verdict(never, hidden, None), sorted(first), gap is not None


def _proved(guards: tuple[Formula, ...], verdict: Verdict, unsettled: Sequence[int], gap: bool) -> Verdict:
    """The verdict, with what the solver can add."""
    from carepolicy.guards.proof.solver import Solver

    solver = Solver(guards)
    never, hidden = set(verdict.never), dict(verdict.hidden)
    for index in unsettled:
        earlier = guards[:index]
        if solver.case(guards[index]) is False:
            never.add(index)
        elif earlier and solver.case(guards[index], opposite(either(*earlier))) is False:
            alone = (n for n, each in enumerate(earlier) if solver.case(both(guards[index], opposite(each))) is False)
            culprit = next(alone, None)
            hidden[index] = tuple(range(index)) if culprit is None else (culprit,)
    proved = replace(verdict, never=frozenset(never), hidden=hidden)
    # What an opaque part means is not known, so that a case in which it goes one way may not exist.
    if not gap or any(isinstance(atom, Opaque) for guard in guards for atom in atoms(guard)):
        return proved
    found = solver.case(opposite(either(*guards)), whole=_whole(guards))
    return replace(proved, gap=found) if isinstance(found, Assignment) else proved


def _whole(guards: Sequence[Formula]) -> tuple[Variable, ...]:
    """The numbers that are compared with whole ones only: a case with 1.5 of something that is counted is none."""
    found: dict[Variable, bool] = {}
    for atom in (atom for guard in guards for atom in atoms(guard)):
        sides = (atom.left, atom.right) if isinstance(atom, Compared) else ()
        values = [each.value for each in sides if isinstance(each, Constant)]
        parts = any(isinstance(each, Fraction) and each.denominator != 1 for each in values)
        for held in held_in(atom):
            if held.variable.kind == "number":
                found[held.variable] = found.get(held.variable, True) and not parts
    return tuple(variable for variable, whole in found.items() if whole)


def _is_whole(case: Assignment, whole: Sequence[Variable]) -> bool:
    values = (case.values.get(variable) for variable in whole)
    return all(each.denominator == 1 for each in values if isinstance(each, Fraction))
