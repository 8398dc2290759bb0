"""Asks the solver Z3 what trying cases cannot settle: guards that compare variables with each other, or calculate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any

from carepolicy.guards.proof import formulas
from carepolicy.guards.proof.assignments import Assignment
from carepolicy.guards.proof.formulas import (
    TEXTS,
    WHOLE,
    All,
    Always,
    Calculated,
    Constant,
    Flagged,
    Formula,
    Held,
    Known,
    Not,
    Opaque,
    Term,
    Value,
    Variable,
    atoms,
    held_in,
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
        if isinstance(formula, Known):
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
