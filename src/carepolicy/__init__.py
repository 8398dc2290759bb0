"""Customer-care policies that a shop manager can read, a machine can run, and an audit can hold to its word.

``carepolicy.load("policies")`` gives a checked ``PolicySet``. Names of this module are the public API;
everything else is private by position. They are imported when they are first used.
"""

from __future__ import annotations

from carepolicy._version import __version__

TYPE_CHECKING = False  # as type checkers know it: importing typing takes as long as all else of `carepolicy --version`
if TYPE_CHECKING:
    from typing import Any

    from carepolicy.api import Engine, Flow, PolicyErrors, PolicySet, load

__all__ = ["Engine", "Flow", "PolicyErrors", "PolicySet", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from carepolicy import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
