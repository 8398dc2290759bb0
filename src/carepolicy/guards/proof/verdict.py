"""What can be proved of guards that are tried in order: which never hold, which are hidden, what falls through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any

from carepolicy.guards.proof import formulas
from carepolicy.guards.proof.assignments import MOST, Assignment, holds, tables_of
from carepolicy.guards.proof.formulas import (
    TEXTS,
    TRUE,
    WHOLE,
    All,
    Always,
    Calculated,
    Compared,
    Constant,
    Flagged,
    Formula,
    HasValue,
    Held,
    Not,
    Opaque,
    Term,
    Value,
    Variable,
    atoms,
    both,
    either,
    held_in,
    opposite,
)

EFFORT = 2_000_000
"""What one question may cost, in Z3's own measure. Unlike a time it gives the same answer on every machine."""


@cache
def is_installed() -> bool:
    """Whether the extra ``prove`` is there, and works."""
    try:
        import_module("z3")
    except Exception:  # without its library z3 raises an error of its own; it is then as good as absent
        return False
    return True


class Solver:
    """The guards of one list, put to Z3. Every answer may be None: it cannot be told."""

    def __init__(self, guards: Sequence[Formula]) -> None:
        self.z3: Any = import_module("z3")
        self.context = self.z3.Context()
        self.solver = self.z3.Solver(ctx=self.context)
        self.solver.set("rlimit", EFFORT)
        self.values: dict[Variable, Any] = {}
        self.missing: dict[Variable, Any] = {}
        self.brings: dict[Variable, Any] = {}
        for guard in guards:
            for held in (held for atom in atoms(guard) for held in held_in(atom)):
                self._declare(held)

    def case(self, *parts: Formula, whole: Sequence[Variable] = ()) -> Assignment | bool | None:
        """A case in which all ``parts`` hold, and the variables ``whole`` have whole numbers; False: there is none."""
        self.solver.push()
        self.solver.add(*(self._bool(part) for part in parts))
        self.solver.add(*(self.z3.IsInt(self.values[each]) for each in whole if each in self.values))
        answer = self.solver.check()
        found = self._case() if answer == self.z3.sat else False if answer == self.z3.unsat else None
        self.solver.pop()
        return found

    def _declare(self, held: Held) -> None:
        variable, z3 = held.variable, self.z3
        if held.brought and variable not in self.brings:
            self.brings[variable] = z3.Bool(f"brings {variable.name}", self.context)
        if variable in self.values:
            return
        name = variable.name
        if variable.kind == "flag":
            value = z3.Bool(name, self.context)
        elif variable.kind in TEXTS:
            value = z3.String(name, self.context)
            if variable.of:
                self.solver.add(z3.Or(*(value == z3.StringVal(each, self.context) for each in variable.of)))
        elif variable.kind in WHOLE:
            value = z3.Int(name, self.context)
            if variable.kind == "count":
                self.solver.add(value >= 0)
        else:
            value = z3.Real(name, self.context)
            bounds = [(variable.least, value.__ge__), (variable.most, value.__le__)]
            self.solver.add(*(within(self._term(Constant(each))) for each, within in bounds if each is not None))
        self.values[variable] = value
        if variable.may_miss:
            self.missing[variable] = z3.Bool(f"no {name}", self.context)

    def _bool(self, formula: Formula) -> Any:
        z3 = self.z3
        if isinstance(formula, Always):
            return z3.BoolVal(formula.holds, self.context)
        if isinstance(formula, (All, formulas.Any)):
            joined = z3.And if isinstance(formula, All) else z3.Or
            return joined(*(self._bool(part) for part in formula.parts))
        if isinstance(formula, Not):
            return z3.Not(self._bool(formula.part))
        if isinstance(formula, HasValue):
            return self._known(formula.held)
        if isinstance(formula, Flagged):
            return z3.And(self._known(formula.held), self.values[formula.held.variable])
        if isinstance(formula, Opaque):
            return z3.Bool(f"whether {formula.text}", self.context)
        told = [self._known(held) for held in held_in(formula)]
        return z3.And(*told, self._compared(formula.operator, self._term(formula.left), self._term(formula.right)))

    def _compared(self, operator: str, left: Any, right: Any) -> Any:
        match operator:
            case "starts":
                return self.z3.PrefixOf(right, left)
            case "ends":
                return self.z3.SuffixOf(right, left)
            case "holds":
                return self.z3.Contains(left, right)
            case "==":
                return left == right
            case "!=":
                return left != right
        # The operators of these are the objects' own.
        return {"<": left.__lt__, "<=": left.__le__, ">": left.__gt__, ">=": left.__ge__}[operator](right)

    def _known(self, held: Held) -> Any:
        z3, variable = self.z3, held.variable
        parts = [z3.Not(self.missing[variable])] if variable in self.missing else []
        if held.brought:
            parts.append(self.brings[variable])
        return z3.And(z3.BoolVal(True, self.context), *parts)

    def _term(self, term: Term) -> Any:
        z3 = self.z3
        if isinstance(term, Held):
            value = self.values[term.variable]
            return z3.ToReal(value) if term.variable.kind in WHOLE else value
        if isinstance(term, Constant):
            value = term.value
            if isinstance(value, Fraction):
                return z3.RealVal(f"{value.numerator}/{value.denominator}", self.context)
            return z3.StringVal(str(value), self.context)
        return self._calculated(term)

    def _calculated(self, term: Calculated) -> Any:
        left, right = self._term(term.left), self._term(term.right)
        match term.operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        return left / right

    def _case(self) -> Assignment:
        model = self.solver.model()

        def told(expression: Any) -> Any:
            return model.eval(expression, model_completion=True)

        true = self.z3.is_true
        values: dict[Variable, Value | None] = {}
        for variable, value in self.values.items():
            missing = variable in self.missing and true(told(self.missing[variable]))
            values[variable] = None if missing else self._value(variable, told(value))
        return Assignment(values, {variable: true(told(each)) for variable, each in self.brings.items()}, {})

    def _value(self, variable: Variable, found: Any) -> Value:
        if variable.kind == "flag":
            return bool(self.z3.is_true(found))
        if variable.kind in TEXTS:
            return str(found.as_string())
        return Fraction(found.as_long() if variable.kind in WHOLE else found.as_fraction())


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """What is sure of the guards of one list, by their index.

    ``never`` hold for no case. ``hidden`` hold, but only for cases that those before them take; the indexes are of one
    guard that takes them all, or of all that do so together. ``gap`` is a case that none takes; None where there is
    none, or where it cannot be told.
    """

    never: frozenset[int]
    hidden: dict[int, tuple[int, ...]] = field(hash=False)
    gap: Assignment | None = field(hash=False)


def judge(guards: tuple[Formula, ...], prove: bool = True) -> GuardVerdict:
    """Judge guards that are tried in order; the guard of a way without one is ``TRUE``.

    With ``prove`` the solver is asked, if it is installed, what trying cases leaves open.
    """
    verdict, unsettled, gap_unsettled = _tried(guards)
    if prove and (unsettled or gap_unsettled) and is_installed():
        return _proved(guards, verdict, unsettled, gap_unsettled)
    return verdict


def _tried(guards: tuple[Formula, ...]) -> tuple[GuardVerdict, list[int], bool]:
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
        return GuardVerdict(frozenset(), {}, gap), rest, gap is None and not closed
    if not exact and tables.size > MOST:
        return GuardVerdict(frozenset(), {}, None), list(range(len(guards))), not closed
    hidden = {
        index: (min(before[index]),) if before[index] else tuple(range(index))
        for index in range(len(guards))
        if index in ever and index not in first
    }
    never = frozenset(range(len(guards))) - ever
    if exact:
        return GuardVerdict(never, hidden, gap), [], False
    return GuardVerdict(never, hidden, None), sorted(first), gap is not None


def _proved(guards: tuple[Formula, ...], verdict: GuardVerdict, unsettled: Sequence[int], gap: bool) -> GuardVerdict:
    """The verdict, with what the solver can add."""
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
