"""Facts as JSON and back, exactly: what JSON has no type for stands in an object with one letter as its name."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAIN = frozenset((str, bool, type(None)))
WIDEST = 1 << 63


def put(value: Any) -> Any:
    """A fact's value as JSON can hold it. Raises ``TypeError`` for what is no value of a fact."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is int:
        return value if -WIDEST <= value < WIDEST else {"i": str(value)}
    if kind is float:
        return value if isfinite(value) else {"f": repr(value)}
    if kind is Decimal:
        return {"m": str(value)}
    if kind is date:
        return {"d": value.isoformat()}
    if kind is tuple:
        return [put(each) for each in value]
    raise TypeError(f"a fact cannot hold a {kind.__name__}")


def take(value: Any) -> Any:
    """The value that ``put`` has put."""
    kind = type(value)
    if kind is list:
        return tuple(take(each) for each in value)
    if kind is dict:
        ((name, text),) = value.items()
        return _TYPES[name](text)
    return value


_TYPES: Mapping[str, Any] = {"i": int, "f": float, "m": Decimal, "d": date.fromisoformat}


def put_all(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON can hold them."""
    return {name: value if type(value) is str else put(value) for name, value in facts.items()}


def take_all(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that ``put_all`` has put."""
    return {name: value if type(value) is str else take(value) for name, value in facts.items()}
