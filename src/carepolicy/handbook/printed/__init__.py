"""The handbook on paper: the communication plan and the flows, the booklet of a role, quick cards."""

from carepolicy.handbook.printed.volume import Volume

__all__ = ["Volume"]
