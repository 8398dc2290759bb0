"""Other formats of a flow, by the ending of the file; each is imported only when it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies

Format = Callable[["Policies", str, "str | None"], str]
"""Writes a flow: (policies, name of the flow, language or None) to the text of a file."""

_MODULES = {".mmd": "mermaid", ".puml": "plantuml", ".scxml": "scxml", ".xstate.json": "xstate", ".bpmn": "bpmn"}


def _late(module: str) -> Callable[[], Format]:
    return lambda: cast(Format, import_module(f"carepolicy.charts.formats.{module}").text_of)


FORMATS: Mapping[str, Callable[[], Format]] = {ending: _late(module) for ending, module in _MODULES.items()}
