"""CP412: a guard compares a fact that may have no value."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.known import Spot, spots_in, where_told
from carepolicy.checks.rule import Rule
from carepolicy.guards.presence import Lack
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import At


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Comparisons by order, and by !=, which are false without a value."""
    told: set[tuple[At, Lack]] = set()
    for spot in spots_in(checked):
        for lack in _found(checked, spot):
            if (spot.at, lack) not in told:
                told.add((spot.at, lack))
                yield _finding(checked, spot, lack)


def _found(checked: CheckedSet, spot: Spot) -> list[Lack]:
    found = [] if spot.guard is None else checked.guards.compared(spot.guard, spot.knows)
    return [each for each in found if each.operator in SURPRISING]


def _finding(checked: CheckedSet, spot: Spot, lack: Lack) -> Finding:
    guard, name, operator = spot.guard or "", lack.name, lack.operator
    place = checked.within(spot.at / "when", guard, lack.start, lack.end)
    said = f"{name} may have no value {where_told(spot)}, and {operator} is false then"
    if operator == "!=":
        return Finding(CODE, said, place, f"say what then: !has({name}) || …, or has({name}) && …", Severity.WARNING)
    return Finding(CODE, said, place, f"if that is not meant: !has({name}) || …", Severity.NOTE)


SURPRISING = ("!=", "<", "<=", ">", ">=")
CODE = "CP412"
RULE = Rule(
    CODE,
    "guard compares what may have no value",
    "A fact without a value makes every comparison on it false: where the country is not known, it is not "
    '!= "GB" either, and whatever that guard asks for is left out. The fact is not required by every event that leads '
    "here, not set on every way, and has no default. Ask for it: has(order.country) && order.country != "
    '"GB" leaves the unknown out, !has(order.country) || order.country != "GB" takes it in. A guard before '
    "it in the list that asks is enough. Of <, <=, > and >= it is a note; == is silent, since what is not known "
    "equals nothing.",
    'states:\n  received:\n    on:\n      reply_sent:\n        - {when: complaint.cause != "late", to: answered}\n'
    "        - {to: answered, tell: care_lead}\n",
    "states:\n  received:\n    on:\n      reply_sent:\n"
    '        - {when: has(complaint.cause) && complaint.cause != "late", to: answered}\n'
    "        - {to: answered, tell: care_lead}\n",
    find,
    Severity.WARNING,
)
