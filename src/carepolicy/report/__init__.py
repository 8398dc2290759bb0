"""The report of an audit: pages that open from a folder, and tables beside them."""

from carepolicy.report.pages import build
from carepolicy.report.rounds import Rounds

__all__ = ["Rounds", "build"]
