"""Lines read together: what ``Intake.read`` does to one line, done to a block of them, column by column.

Python does the same thing to many values in a row several times quicker than many things to each value. Where a
block holds anything that is not plain (a fault, a card number, an id that was seen), it is not taken at all:
its lines are to be read one by one.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from orjson import loads

from carepolicy.engine.instants import NoInstant, hour_start, read_instant, rest_of_hour
from carepolicy.engine.intake import LONGEST_IDENTITY, LONGEST_LINE, SURELY_SHORT
from carepolicy.engine.masking import one_names_card
from carepolicy.engine.values import NO_DATA, plain_taker_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from carepolicy.engine.intake import Intake
    from carepolicy.engine.values import Taker
    from carepolicy.machine.program import Bundle

Row = tuple[int, str, str, str, int, "dict[str, Any]", str, str]
"""Line, subject, type, the text of the time, the time, data, source and id of an event."""

VERSION = "1.0"
"""The version of CloudEvents."""

NONE_SEEN: frozenset[str] = frozenset()
"""The ids that were seen of a new source."""

_attributes = itemgetter("subject", "type", "time", "source", "id")


class Columns:
    """Reads blocks of lines for an ``Intake``, whose memory of ids it shares."""

    def __init__(self, intake: Intake, bundle: Bundle) -> None:
        self._seen = intake.seen
        self._card_never = intake.card_never
        takers = {name: plain_taker_of(fact) for name, fact in bundle.facts.items()}
        self._takers: dict[str, dict[str, Taker]] = {
            event: {fact: takers[fact] for fact in facts} for event, facts in bundle.carries.items()
        }

    def read(self, numbers: Sequence[int], lines: Sequence[bytes | str]) -> tuple[int, Iterable[Row]] | None:
        """The latest time and the events of some lines; None, and nothing is remembered, where one is not plain."""
        longest = max(map(len, lines))
        if longest > LONGEST_LINE:
            return None
        try:
            events = list(map(loads, lines))
            names, kinds, whens, sources, ids = zip(*map(_attributes, events), strict=True)
            # Joining is the quickest way to see that all of them are texts.
            "".join(names), "".join(sources), "".join(ids)
            if longest > LONGEST_IDENTITY and max(map(len, chain(names, sources, ids))) > SURELY_SHORT:
                return None
            if not self._card_never and any(map(one_names_card, (names, ids, tuple(set(sources))))):
                return None
            nows, told = _instants(whens)
            data = self._data(events, kinds)
            versions = {event.get("specversion", VERSION) for event in events}
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
        if versions != {VERSION} or not all(names) or not all(ids) or not self._take_ids(sources, ids):
            return None
        return max(nows), zip(numbers, names, kinds, told, nows, data, sources, ids, strict=True)

    def _data(self, events: list[dict[str, Any]], kinds: tuple[str, ...]) -> list[dict[str, Any]]:
        takers = self._takers
        found = []
        for event, kind in zip(events, kinds, strict=True):
            known = takers[kind]
            given = event.get("data")
            if given:
                found.append({name: known[name](value) for name, value in given.items()})
            elif given is None or given == NO_DATA:
                found.append(NO_DATA)
            else:
                raise TypeError
        return found

    def _take_ids(self, sources: tuple[str, ...], ids: tuple[str, ...]) -> bool:
        """Remember the ids, if none was seen before."""
        if len(set(sources)) == 1:
            fresh = {sources[0]: set(ids)}
        else:
            fresh = {source: set() for source in sources}
            for source, key in zip(sources, ids, strict=True):
                fresh[source].add(key)
        different = 0
        for source, keys in fresh.items():
            different += len(keys)
            if not keys.isdisjoint(self._seen.get(source, NONE_SEEN)):
                return False
        if different < len(ids):
            return False
        for source, keys in fresh.items():
            self._seen.setdefault(source, set()).update(keys)
        return True


def _instants(texts: tuple[str, ...]) -> tuple[Sequence[int], Sequence[str]]:
    """Instants and their own texts. Raises ``NoInstant``, ``TypeError``."""
    try:
        return [hour_start[text[:13]] + rest_of_hour[text[13:]] for text in texts], texts
    except NoInstant:
        instants, own = zip(*map(read_instant, texts), strict=True)
        return instants, own
