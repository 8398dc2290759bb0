"""An audit of a store: not its events, which it does not keep, but the records of what came of them are measured.

Figures are those of an audit of the log of the same events, but for the sequences of events (``variants``,
``trace_time``): an event that leaves a case as it is leaves no record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.audit.replay import Replay
from carepolicy.audit.tables import Steps
from carepolicy.engine import codes
from carepolicy.engine.history.log import read_record
from carepolicy.engine.instants import parse
from carepolicy.engine.record import ClockBasis, ClockData, Record
from carepolicy.store.records.audited import count_events, kept, lines, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carepolicy.audit.measures import Round
    from carepolicy.audit.tables import Begin
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Transaction

UNREAD = frozenset((
    codes.UNREADABLE, codes.INCOMPLETE, codes.NO_INSTANT, codes.UNKNOWN_TYPE, codes.UNDECLARED, codes.WRONG_TYPE,
    codes.TOO_LONG, codes.NAMES_CARD, codes.NUMBER_IS_CARD, codes.BOUNDS,
))  # fmt: skip
"""Why a line is no event of the policies, before it meets a case."""

AT_A_TIME = 2_000
"""Records that are measured together."""


@dataclass(frozen=True, slots=True)
class StoreAudit:
    """What was measured of a store, and what it does not tell: ``let_go`` are subjects of which the first records are
    gone by ``keep:``, so that the cases that began there are left out; of ``erased`` ones the private facts are gone,
    which no figure is made of."""

    replay: Replay
    let_go: int
    erased: int


def audited(
    transaction: Transaction, bundle: Bundle, last: int | None, told: Callable[[Round], None] | None = None,
    heard: Callable[[Record], None] | None = None, watch: Begin | None = None,
) -> StoreAudit:  # fmt: skip
    """Measure the records of a store by the set ``bundle``, that is installed in it, and whose events it took until
    ``last``. ``told`` hears of each round, ``heard`` of each record, ``watch`` of how far it is."""
    replay = Replay(bundle, (), told, heard)
    replay.has_events = False
    there, seen = kept(transaction), replay.seen
    untaken = set()
    for each in refused(transaction):
        if each.code in UNREAD:
            seen.refuse(each.line, f"{each.code}: {each.reason}")
            continue
        seen.not_taken[each.code] += 1
        if each.event is not None and each.code != codes.CARD:
            untaken.add(each.event)
    seen.events = count_events(transaction, untaken)
    steps = Steps(watch, "records", there.records)
    first: str | None = None
    known = _Known(replay)
    waiting: list[Record] = []
    for record in map(read_record, lines(transaction)):
        if record.data.get("code") not in UNREAD and record.when and (first is None or record.when < first):
            first = record.when
        waiting.append(known.measurable(record))
        if len(waiting) >= AT_A_TIME:
            replay.take_records(waiting)
            steps(len(waiting))
            waiting = []
    replay.take_records(waiting)
    replay.measures.finish()
    if seen.events and first is not None:
        seen.first = parse(first)
        seen.last = seen.first if last is None else last
    return StoreAudit(replay, there.let_go, there.erased)


class _Known:
    """Makes of records that were read what the engine makes: data of clocks with the instants, and of moves the same
    data for the same move."""

    def __init__(self, replay: Replay) -> None:
        self._measures = replay.measures
        self._bases: dict[tuple[Any, ...], ClockBasis] = {}
        self._moves: dict[tuple[Any, ...], Any] = {}

    def measurable(self, record: Record) -> Record:
        """A record as measures take it."""
        if not record.sequence:
            return record
        data: Any = record.data
        if record.kind.startswith("clock."):
            self._measures.admit(record.flow, data["clock"])
            data = self._clock(data)
        elif record.kind == "case.opened":
            self._measures.admit(record.flow)
        elif record.kind == "case.moved":
            data = self._moves.setdefault((data["from"], data["on"], data["to"]), data)
        return Record(record.program, record.subject, record.sequence, record.kind, record.when, data)

    def _clock(self, data: Mapping[str, Any]) -> ClockData:
        key: tuple[str, str, Any] = data["clock"], data["basis"], data.get("limit")
        basis = self._bases.get(key)
        if basis is None:
            basis = self._bases[key] = ClockBasis(*key)
        due = None if "due" not in data else parse(data["due"])
        limit: Any = data.get("limit")
        return ClockData(basis, due, data["used"], limit, data.get("over"), data.get("code"), data.get("reason"))
