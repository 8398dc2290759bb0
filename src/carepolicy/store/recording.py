"""Lines of records become rows: each in its chain, with what it says of the case that lists ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from orjson import loads

from carepolicy.engine.instants import NoInstant, parse
from carepolicy.store.contract import RecordRow, RequestRow, storable
from carepolicy.store.privacy.erase import erase_at
from carepolicy.store.privacy.seal import whole
from carepolicy.store.records.chain import BEGINNING, LOOSE, link
from carepolicy.store.remembered import Remembered
from carepolicy.store.shelf import address_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carepolicy.store.desks import Desks
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
TOLD = frozenset((ASSIGNED, CLOSED, *REQUESTS))
START = (0, BEGINNING)
ID, BETWEEN, TYPE, TIME = '{"specversion":"1.0","id":"', '","', 'type":"', 'time":"'
BEHIND_ID = f'{BETWEEN}source":"'
"""What stands behind the id of a record, and nowhere before it: a quote in an id is escaped."""

SEQUENCE, DATA = ',"sequence":', ',"data":'
NOWHERE = "\0"
"""With which no line begins."""


class Place(NamedTuple):
    """Where records of one flow of a subject belong; ``flow`` is "" where they belong to no case.

    What all records of a case have in common stands in four stretches of their lines: up to the number in the id, from
    behind it to the type, from behind that to the time, and from behind that to the sequence.
    """

    known: Remembered
    name: Name
    key: str
    subject: str
    flow: str
    chain: str
    head: str = NOWHERE
    between: str = ""
    about: str = ""
    tail: str = ""


Beginning = tuple[Place, int, str, int, str]
"""Of the first of some records: its place, sequence, type and time, and what stands from behind the type to the
sequence in all records of the same case at the same instant."""


class Recording:
    """The records of one transaction as rows, and what they request."""

    def __init__(self, desks: Desks, input: int) -> None:
        self._desks = desks
        self._input = input
        self._owners: dict[str, tuple[str | None, str | None]] = {}
        self._times: dict[str, int] = {}
        self.records: list[RecordRow] = []
        self.requests: list[RequestRow] = []
        self.closings: list[tuple[str, str, str, int, int, int]] = []

    def take(self, positions: Iterable[int], lines: Iterable[str], unmasked: Unmasked, times: dict[str, int]) -> None:
        """Take lines of records with the positions that caused them, in their order. ``times`` has instants that are
        known already by their texts."""
        self._times = times
        if unmasked:
            self._desks.prepare_sealing({storable(subject) for _, subject, _ in unmasked})
        add, input, touched, epoch = self.records.append, self._input, self._desks.touched, self._desks.epoch
        known, chain, (number, end) = Remembered(("", ""), None), LOOSE, START  # of no record yet
        sequence, time, head, between, rest, before = 0, 0, NOWHERE, "", "", -1
        for position, text in zip(positions, lines, strict=True):
            line = text[:-1]
            if (
                position == before  # mostly another event is about another case
                and line.startswith(opening := f"{head}{sequence + 1}{between}")
                and line.startswith(rest, stop := line.index('"', begin := len(opening)))
            ):
                sequence, kind = sequence + 1, line[begin:stop]
            else:
                before = position
                known.chains[chain] = number, end
                place, sequence, kind, time, rest = self._begin(line)
                known, name, key, stored, flow, chain, head, between, _, _ = place
                touched[name] = None
                number, end = known.chains.get(chain, START)
            number += 1
            if epoch:
                line = line.replace(BEHIND_ID, f"{epoch}{BEHIND_ID}", 1)
            end = link(end, line)
            if kind in ENTERED:
                known.owners.pop(flow, None)
            elif kind in TOLD:
                self._note(place, kind, sequence, time, line)
            loose = 0 if sequence else number
            sealed = self._sealed(unmasked, place, sequence) if unmasked else None
            add((key, stored, flow, sequence, loose, kind, time, input, position, bytearray(end), sealed, line))
        known.chains[chain] = number, end

    def _begin(self, line: str) -> Beginning:
        """What a record says that is not one more of the same case at the same instant. Mostly the case is known, and
        its record has only its number, type and time to itself."""
        stop = line.index('"', len(ID))
        head = line[: line.rfind("/", 0, stop) + 1]
        place = self._desks.places.get(head)
        if place is not None and line.startswith(place.between, stop):
            begin = stop + len(place.between)
            end = line.index('"', begin)
            if line.startswith(place.about, end):
                at = end + len(place.about)
                until = line.index('"', at)
                if line.startswith(place.tail, until):
                    when = line[at:until]
                    rest = f"{place.about}{when}{place.tail}"
                    time = self._times.get(when)
                    if time is None:
                        time = _instant(when)
                    return place, int(line[len(head) : stop]), line[begin:end], time, rest
        return self._read(line, head)

    def _read(self, line: str, head: str) -> Beginning:
        """The same, by reading all of the record; its place is remembered if it is that of a case and its id has
        nothing that JSON escapes."""
        desks, record = self._desks, loads(line)
        subject, flow, sequence = record.get("subject", ""), record.get("flow", ""), record.get("sequence", 0)
        kind, time = record["type"], _instant(record.get("time"))
        key = desks.keys[flow] if sequence else None
        name: Name = subject if key is None else (key, subject)
        where = desks.remembered(name), name, *address_of(name), flow, flow if sequence else LOOSE
        if not sequence or head != f"{ID}{flow}/{subject}/":
            return Place(*where), sequence, kind, time, ""
        # The engine writes the attributes of a record in one order. A quote inside of a text is escaped: `","` stands
        # only between attributes.
        _, _, source, _, about, when, data = line.split(BETWEEN, 6)
        of_flow, found, _ = data.partition(SEQUENCE)
        between = f"{BETWEEN}{source}{BETWEEN}{TYPE}"
        place = Place(*where, head, between, f"{BETWEEN}{about}{BETWEEN}{TIME}", f"{BETWEEN}{of_flow}{found}")
        desks.places[head] = place
        return place, sequence, kind, time, f"{place.about}{when[len(TIME) :]}{place.tail}"

    def _note(self, place: Place, kind: str, sequence: int, time: int, line: str) -> None:
        """Note what a record says that lists ask for, or that is to be done."""
        flow, known = place.flow, place.known
        if kind == ASSIGNED:
            data = line[line.index(DATA) + len(DATA) :]
            owner = self._owners.get(data)
            if owner is None:
                told = loads(line)["data"]
                owner = self._owners[data] = told["role"], told.get("person")
            known.owners[flow] = owner
        elif kind == CLOSED:
            self._closed(place.key, place.subject, flow, sequence, time)
        else:
            channel = loads(line)["data"].get("channel") or ""
            identity = f"{flow}/{place.subject}/{sequence}{self._desks.epoch}"
            row = RequestRow(identity, REQUESTS[kind], place.subject, flow, sequence, time, channel)
            self.requests.append(row)

    def _closed(self, key: str, subject: str, flow: str, sequence: int, closed: int) -> None:
        """Note when what is private of a closed case is erased."""
        erase = erase_at(self._desks.bundle, flow, closed)
        if erase is not None:
            self.closings.append((key, subject, flow, sequence, closed, erase))

    def _sealed(self, unmasked: Unmasked, place: Place, sequence: int) -> bytes | None:
        name = place.name
        secret = unmasked.get((place.flow, name if isinstance(name, str) else name[1], sequence))
        return None if secret is None else self._desks.seal(place.subject, whole(*secret))


def _instant(when: str | None) -> int:
    """The time of a record; that of an event without a time that exists is 0."""
    try:
        return 0 if when is None else parse(when)
    except NoInstant:
        return 0
