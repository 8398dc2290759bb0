"""Proves of guards that are tried in order which can never be taken, and what falls through them."""

from carepolicy.guards.proving.cases import Case
from carepolicy.guards.proving.formulas import TRUE, Formula, Variable, both, opposite
from carepolicy.guards.proving.reading import Ground, formula_of
from carepolicy.guards.proving.verdict import Verdict, judge

__all__ = ["TRUE", "Case", "Formula", "Ground", "Variable", "Verdict", "both", "formula_of", "judge", "opposite"]
