"""What changed between two policy sets: in words, as data, and coloured on the chart of both."""

from carepolicy.charts.changes.difference import Change, Difference, compare

__all__ = ["Change", "Difference", "compare"]
