"""Proves of guards that are tried in order which can never be taken, and what falls through them."""

from carepolicy.guards.proof.assignments import Assignment
from carepolicy.guards.proof.formulas import TRUE, Formula, Variable, both, opposite
from carepolicy.guards.proof.reader import Ground, formula_of
from carepolicy.guards.proof.verdict import GuardVerdict, judge

__all__ = [
    "TRUE",
    "Assignment",
    "Formula",
    "Ground",
    "GuardVerdict",
    "Variable",
    "both",
    "formula_of",
    "judge",
    "opposite",
]
