"""Staff flowcharts: a flow as cards that can be read on a wall, and the same flow in other formats."""

from carepolicy.charts.draw import Drawn, UnknownFormat, draw, pictures, sources
from carepolicy.charts.overview import draw_all
from carepolicy.charts.plan import Mark, chart_of
from carepolicy.charts.render import NoRenderer, RenderError, renderer
from carepolicy.charts.sheets import UnknownPaper, sheets_of
from carepolicy.charts.words import UnknownFlow

__all__ = [
    "Drawn",
    "Mark",
    "NoRenderer",
    "RenderError",
    "UnknownFlow",
    "UnknownFormat",
    "UnknownPaper",
    "chart_of",
    "draw",
    "draw_all",
    "pictures",
    "renderer",
    "sheets_of",
    "sources",
]
