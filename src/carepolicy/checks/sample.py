"""A case that a proof found, in words; of a private fact neither name nor value is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from carepolicy.guards import in_words as said
from carepolicy.guards.proving.cases import OTHER

if TYPE_CHECKING:
    from carepolicy.guards.proving import Case, Variable
    from carepolicy.guards.scope import Scope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_words(case: Case, scope: Scope) -> str:
    """A case as a person would say it: "order total is 99 GBP and severity has no value"; "" where all is private."""
    told = []
    for variable, value in case.values.items():
        if variable.private:
            continue
        name = said(variable.name, scope)
        if value is None:
            told.append(f"{name} has no value")
        elif not case.brings.get(variable, True):
            told.append(f"the event does not bring {name}")
        elif isinstance(value, bool):
            told.append(name if value else said(f"!{variable.name}", scope))
        elif value == OTHER:
            told.append(f"{name} is another text")
        else:
            told.append(f"{name} is {_value(variable, value, scope)}")
    return " and ".join(told)


def _value(variable: Variable, value: Fraction | str, scope: Scope) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    try:
        match variable.kind:
            case "date":
                return date.fromordinal(int(value)).isoformat()
            case "time":
                return (EPOCH + timedelta(microseconds=int(value))).isoformat()
            case "duration":
                return str(timedelta(microseconds=int(value)))
    except (OverflowError, ValueError):
        return "far away"
    fact = scope.facts.get(variable.name)
    number = str(value) if value.denominator == 1 else f"{float(value):g}"
    return f"{number} {fact.currency}" if fact is not None and fact.currency else number
