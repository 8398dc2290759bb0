"""Customer-care policies that a shop manager can read, a machine can run, and an audit can hold to its word.

``carepolicy.load("policies")`` gives a checked ``PolicySet``, ``carepolicy.open_store(url)`` a store to live on. Names
of this module are the public API (docs/api.md); everything else is private by position. They are imported when they are
first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from carepolicy._version import __version__

if TYPE_CHECKING:
    from carepolicy.api import Engine, Flow, PolicyErrors, PolicySet, check, load
    from carepolicy.businesstime import Calendar
    from carepolicy.engine.record import Record
    from carepolicy.livestore import (
        AsyncLiveStore,
        LiveStore,
        Posted,
        UnknownSubject,
        open_async_store,
        open_store,
    )
    from carepolicy.policy.findings import Finding
    from carepolicy.store.faults import (
        Busy,
        Full,
        NoStoreUrl,
        NotInstalled,
        ReadOnly,
        StoreFault,
        Unreachable,
        WrongKey,
    )
    from carepolicy.store.outbox.queue import NoRequest

_HOMES = {
    "api": ("Engine", "Flow", "PolicyErrors", "PolicySet", "check", "load"),
    "businesstime": ("Calendar",),
    "engine.record": ("Record",),
    "livestore": ("AsyncLiveStore", "LiveStore", "Posted", "UnknownSubject", "open_async_store", "open_store"),
    "policy.findings": ("Finding",),
    "store.faults": (
        "Busy", "Full", "NoStoreUrl", "NotInstalled", "ReadOnly", "StoreFault", "Unreachable", "WrongKey",
    ),
    "store.outbox.queue": ("NoRequest",),
}  # fmt: skip

__all__ = [
    "AsyncLiveStore", "Busy", "Calendar", "Engine", "Finding", "Flow", "Full", "LiveStore", "NoRequest", "NoStoreUrl",
    "NotInstalled", "PolicyErrors", "PolicySet", "Posted", "ReadOnly", "Record", "StoreFault", "UnknownSubject",
    "Unreachable", "WrongKey", "__version__", "check", "load", "open_async_store", "open_store",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"carepolicy.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
