"""The style "plain": the same cards in black on white, for grey printers and for cutting out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from carepolicy.charts import card
from carepolicy.charts.colours import PLAIN

if TYPE_CHECKING:
    from carepolicy.charts.plan import Chart, Sheet


def dot_of(chart: Chart, sheet: Sheet, say: bool = True, heading: bool = True) -> str:
    """The DOT text of one sheet, without colours of owners."""
    return card.dot_of(replace(chart, shades=dict.fromkeys(chart.shades, PLAIN)), sheet, say, heading)
