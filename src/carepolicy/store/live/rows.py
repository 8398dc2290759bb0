"""Records become rows: each in its chain, with what it says of the case that lists ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from carepolicy.engine.instants import NoInstant, parse
from carepolicy.engine.record import PREFIX, render
from carepolicy.store.contract import RecordRow, RequestRow, storable
from carepolicy.store.live.memory import Remembered, address_of
from carepolicy.store.privacy.seal import whole
from carepolicy.store.records.chain import BEGINNING, LOOSE, link
from carepolicy.store.sql.statements import NOTE_CLOSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from carepolicy.engine.memory import Name
    from carepolicy.engine.record import Data, Record
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Transaction
    from carepolicy.store.live.memory import StoreMemory

Unmasked = dict[tuple[str, str, int], tuple["Data", Mapping[str, tuple[str, ...]]]]
"""What stands behind the masks of records, by (flow, subject, sequence)."""

REQUESTS = {"message.requested": "message", "notice.requested": "notice", "action.requested": "action"}
ASSIGNED, CLOSED = "task.assigned", "case.closed"
ENTERED = frozenset(("case.moved", "case.opened"))
TOLD = frozenset((ASSIGNED, CLOSED, *REQUESTS))
START = (0, BEGINNING)


class RecordRows:
    """The records of one transaction as rows, and what they request."""

    def __init__(self, memory: StoreMemory, input: int) -> None:
        self._memory = memory
        self._input = input
        self.records: list[RecordRow] = []
        self.requests: list[RequestRow] = []
        self.closings: list[tuple[str, str, str, int, int, int]] = []

    def take(
        self, positions: Iterable[int], records: Sequence[Record], unmasked: Unmasked, times: dict[str, int]
    ) -> list[str]:
        """Take records with the positions that caused them, in their order; their lines, as they are kept. ``times``
        has instants that are known already by their texts."""
        memory, input, add = self._memory, self._input, self.records.append
        if unmasked:
            memory.prepare_sealing({storable(subject) for _, subject, _ in unmasked})
        lines = render(records, memory.epoch)
        known, chain, (number, end) = Remembered(("", ""), None), LOOSE, START  # of no record yet
        program: object = None
        about, key, stored, flow, time, when = "", "", "", "", 0, ""
        for position, record, text in zip(positions, records, lines, strict=True):
            sequence, kind = record.sequence, record.kind
            if record.program is not program or record.subject is not about:
                known.chains[chain] = number, end
                program, about, flow = record.program, record.subject, record.flow
                of_fact = memory.keys[flow] if sequence else None
                name: Name = about if of_fact is None else (of_fact, about)
                known, (key, stored), chain = memory.remembered(name), address_of(name), flow if sequence else LOOSE
                number, end = known.chains.get(chain, START)
            if record.when is not when:
                when = record.when
                at = times.get(when)
                time = _instant(when) if at is None else at
            number += 1
            line = text[:-1]
            end = link(end, line)
            if kind in ENTERED:
                known.owners.pop(flow, None)
            elif kind in TOLD:
                self._note(record, known, key, stored, time)
            secret = unmasked.get((flow, about, sequence)) if unmasked else None
            sealed = None if secret is None else memory.seal(stored, whole(*secret))
            loose = 0 if sequence else number
            row = [
                0, key, stored, flow, sequence, loose, PREFIX + kind, time, input, position, bytearray(end), sealed,
                line,
            ]  # fmt: skip
            add(row)
        known.chains[chain] = number, end
        return lines

    def keep(self, transaction: Transaction) -> None:
        """Keep what was taken."""
        if self.records:
            transaction.append(self.records, self.requests)
        if self.closings:
            transaction.many(NOTE_CLOSING, self.closings)

    def _note(self, record: Record, known: Remembered, key: str, subject: str, time: int) -> None:
        """Note what a record says that lists ask for, or that is to be done."""
        flow, kind, sequence, data = record.flow, record.kind, record.sequence, record.data
        if kind == ASSIGNED:
            known.owners[flow] = data["role"], data.get("person")
        elif kind == CLOSED:
            erase = _erase_at(self._memory.bundle, flow, time)
            if erase is not None:  # when what is private of a closed case is erased
                self.closings.append((key, subject, flow, sequence, time, erase))
        else:
            identity = f"{flow}/{subject}/{sequence}{self._memory.epoch}"
            channel = data.get("channel") or ""
            self.requests.append(RequestRow(identity, REQUESTS[kind], subject, flow, sequence, time, channel))


def _instant(when: str) -> int:
    """The time of a record; that of an event without a time that exists is 0."""
    try:
        return parse(when)
    except NoInstant:
        return 0


def _erase_at(bundle: Bundle, flow: str, closed: int) -> int | None:
    """When the facts of a case that closed at ``closed`` are erased; None where they are kept for good."""
    program = next((each for each in bundle.programs if each.flow == flow), None)
    keep = bundle.keep if program is None or program.keep is None else program.keep
    if keep is None:
        return None
    calendar = bundle.calendars[program.calendar if program is not None else next(iter(bundle.calendars))]
    due: int | None = calendar.add_us(closed, keep)
    return due
