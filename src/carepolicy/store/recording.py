"""Lines of records become rows: each in its chain, with what it says of the case that lists ask for."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from orjson import loads

from carepolicy.engine.instants import NoInstant, parse
from carepolicy.store.chain import BEGINNING, LOOSE
from carepolicy.store.keeping import erase_at
from carepolicy.store.revealing import whole
from carepolicy.store.rows import RecordRow, RequestRow
from carepolicy.store.shelf import address_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.store.desks import Desks
    from carepolicy.store.remembered import Remembered
    from carepolicy.store.shelf import Name

Unmasked = dict[tuple[str, str, int], tuple[str, Mapping[str, tuple[str, ...]]]]
"""What stands behind the masks of records, by (flow, subject, sequence)."""

REQUESTS = {
    "carepolicy.message.requested": "message",
    "carepolicy.notice.requested": "notice",
    "carepolicy.action.requested": "action",
}
ASSIGNED = "carepolicy.task.assigned"
CLOSED = "carepolicy.case.closed"
ENTERED = frozenset(("carepolicy.case.moved", "carepolicy.case.opened"))
START = (0, BEGINNING)

make_tuple = tuple.__new__
"""Makes a named tuple of a tuple that has its fields, several times quicker than its class does."""


class Recording:
    """The records of one transaction as rows, and what they request."""

    def __init__(self, desks: Desks, input: int) -> None:
        self._desks = desks
        self._input = input
        self.records: list[RecordRow] = []
        self.requests: list[RequestRow] = []
        self.closings: list[tuple[str, str, str, int, int, int]] = []

    def take(self, texts: Iterable[tuple[int, str]], unmasked: Unmasked) -> None:
        """Take lines of records with the positions that caused them, in their order."""
        records, requests, input = self.records, self.requests, self._input
        before: tuple[str, str, bool] | None = None
        when, time = None, 0
        for position, text in texts:
            line = text[:-1]
            record: dict[str, Any] = loads(line)
            get = record.get
            subject, flow, sequence, kind = get("subject", ""), get("flow", ""), get("sequence", 0), record["type"]
            place = subject, flow, sequence > 0
            if place != before:  # most records have the case of the one before them
                before = place
                known, (key, stored) = self._known(subject, flow if sequence else None)
                chain = flow if sequence else LOOSE
            number, end = known.chains.get(chain, START)
            end = sha256(end + line.encode()).digest()
            known.chains[chain] = number + 1, end
            if get("time") != when:
                when = get("time")
                time = _instant(when)
            if kind == ASSIGNED:
                known.owners[flow] = record["data"]["role"], record["data"].get("person")
            elif kind == CLOSED:
                self._closed(key, stored, flow, sequence, time)
            elif kind in ENTERED:
                known.owners.pop(flow, None)
            sealed = self._sealed(unmasked, (flow, subject, sequence)) if unmasked else None
            loose = 0 if sequence else number + 1
            row = (key, stored, flow, sequence, loose, kind, time, line, end, sealed, input, position)
            records.append(make_tuple(RecordRow, row))
            if kind in REQUESTS:
                channel = record["data"].get("channel") or ""
                identity = f"{flow}/{stored}/{sequence}"
                requests.append(RequestRow(identity, REQUESTS[kind], stored, flow, sequence, time, channel))

    def _closed(self, key: str, subject: str, flow: str, sequence: int, closed: int) -> None:
        """Note when what is private of a closed case is erased."""
        erase = erase_at(self._desks.bundle, flow, closed)
        if erase is not None:
            self.closings.append((key, subject, flow, sequence, closed, erase))

    def _known(self, subject: str, flow: str | None) -> tuple[Remembered, tuple[str, str]]:
        """What is known of the address of a record, and the address; it is kept with the rows."""
        key = None if flow is None else self._desks.keys[flow]
        name: Name = subject if key is None else (key, subject)
        return self._desks.remembered(name), address_of(name)

    def _sealed(self, unmasked: Unmasked, record: tuple[str, str, int]) -> bytes | None:
        secret = unmasked.get(record)
        return None if secret is None else self._desks.sealer.seal(whole(*secret))


def _instant(when: str | None) -> int:
    """The time of a record; that of an event without a time that exists is 0."""
    try:
        return 0 if when is None else parse(when)
    except NoInstant:
        return 0
