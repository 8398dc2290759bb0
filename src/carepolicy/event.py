"""Events as programs hand them over: CloudEvents as lines, mappings, or objects of the ``cloudevents`` package."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import orjson


@runtime_checkable
class CloudEventObject(Protocol):
    """What objects of the ``cloudevents`` package can be asked."""

    def get_attributes(self) -> Mapping[str, Any]:
        """The attributes by name."""

    def get_data(self) -> Any:
        """The data."""


Event = Mapping[str, Any] | str | bytes | CloudEventObject


def line_of(event: Event) -> str | bytes:
    """An event as a line of JSON. Raises ``TypeError`` for what is none, and for data that JSON cannot hold."""
    if isinstance(event, (str, bytes)):
        return event
    if isinstance(event, Mapping):
        return orjson.dumps(event if isinstance(event, dict) else dict(event), default=_plain)
    if isinstance(event, CloudEventObject):
        data = event.get_data()
        told = {} if data is None else {"data": data}
        return orjson.dumps({**event.get_attributes(), **told}, default=_plain)
    raise TypeError(f"an event is a mapping, a line of JSON or a CloudEvent, not {type(event).__name__}")


def _plain(value: object) -> Any:
    """What JSON does not know of itself: amounts of money go in as their text, mappings as objects."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
