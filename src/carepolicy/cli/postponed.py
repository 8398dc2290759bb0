"""Modules of the standard library that are imported in passing and hardly ever used, as ``inspect`` by dataclasses."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class Postponed(ModuleType):
    """Stands for a module until something is asked of it, which imports it.

    ``importlib.util.LazyLoader`` does not serve: it imports the module as soon as a second one imports it.
    """

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def postpone(name: str, **known: Any) -> None:
    """Let a module be imported when it is used and not before, unless it is there already. What is ``known`` of it can
    be asked without that."""
    if name not in sys.modules:
        module = sys.modules[name] = Postponed(name)
        vars(module).update(known)
