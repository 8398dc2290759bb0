"""Watches over a store: what each has noted of a value within its window, and what it raises at once."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

import orjson

from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.intake import Incoming
from carepolicy.store.contract import storable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.engine.desk import Counted
    from carepolicy.machine.program import Bundle, WatchTable
    from carepolicy.store.contract import Transaction


Counting = tuple[str, tuple[str, str]]
"""A watch, and the source and id of an event."""


def count(
    transaction: Transaction, bundle: Bundle, level: int, counted: Counted, before: set[Counting]
) -> Iterator[tuple[int, Incoming]]:
    """Note an event that a stratum has taken with the watches above it; (stratum, event) of what they raise.

    A watch raises once when the number within its window reaches the bound, and again only after the
    number has fallen below it. An event that flows of several keys took counts once: ``before`` holds what was counted.
    """
    for watch in bundle.watches:
        if watch.stratum > level and watch.counts == counted.type:
            value = counted.watched_by(watch, bundle)
            counting = watch.name, counted.identity
            if value is None or counting in before:
                continue
            before.add(counting)
            if _reaches(transaction, bundle, watch, value, counted.time):
                yield watch.stratum, _event(watch, value, counted)


def _reaches(transaction: Transaction, bundle: Bundle, watch: WatchTable, value: str, time: int) -> bool:
    name = storable(value)
    noted = transaction.watched(watch.name, name)
    window: list[int] = orjson.loads(noted) if noted is not None else []
    insort(window, time)
    calendar = bundle.calendars[watch.calendar]
    while (calendar.add_us(window[0], watch.within) or NEVER) < window[-1]:
        del window[0]
    transaction.keep_watched(watch.name, name, orjson.dumps(window))
    return len(window) == watch.reaches and time >= window[0]


def _event(watch: WatchTable, value: str, counted: Counted) -> Incoming:
    key = f"{watch.name}/{value}/{counted.time}"
    when = text_of(counted.time)
    data = {watch.by: value}
    return Incoming(counted.line, value, watch.raises, counted.time, when, "/carepolicy", key, data, raised=True)
