"""The work of one transaction: events taken or timers fired, and all that follows from them, kept together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from msgspec import Struct
from msgspec.structs import astuple, replace

from carepolicy.engine import codes
from carepolicy.engine.instants import DAY, NEVER, text_of
from carepolicy.engine.intake import AT_THE_END, MERGE, Incoming, Reading, Refused, is_too_long, make_tuple
from carepolicy.engine.record import as_read
from carepolicy.store.contract import LetterRow, storable
from carepolicy.store.live.memory import Ids, name_of
from carepolicy.store.live.rows import RecordRows
from carepolicy.store.sql.statements import BURY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from carepolicy.engine.intake import Line, Row
    from carepolicy.engine.letters import Refusal
    from carepolicy.engine.memory import Name
    from carepolicy.engine.record import Record
    from carepolicy.store.contract import Transaction
    from carepolicy.store.live.memory import Id, StoreMemory
    from carepolicy.store.live.rows import Unmasked
    from carepolicy.store.shadow.journal import Journal


def _journal(memory: StoreMemory) -> Journal:
    from carepolicy.store.shadow.journal import Journal  # seldom is another set tried

    return Journal(memory.bundle, memory.sealer)


NOT_AGAIN = frozenset((codes.DUPLICATE, codes.CARD))
"""What became of an event that was taken, so that it is not to be taken again."""


NEAR = DAY
"""By so many microseconds an event may be ahead of the clock: clocks of machines differ, and some have a wrong zone."""


class Wall(Struct, frozen=True):
    """What events that come alone, as things happen, are held against: the clock of the machine. A log has its own
    time, and is run without any of this.

    ``clock`` tells microseconds since 1970. Each event waits ``lateness`` microseconds whether an earlier one comes.
    ``far`` lets events happen more than a day ahead of the clock."""

    clock: Callable[[], int]
    lateness: int = 0
    far: bool = False

    def timed(self, line: bytes | str) -> bytes | str:
        """The line of an event, with the time of the clock where it says none."""
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            return line  # as the intake will find
        if not isinstance(event, dict) or event.get("time") is not None:
            return line
        return orjson.dumps({**event, "time": text_of(self.clock())})

    def refused(self, place: int, row: Row, line: bytes | str) -> Refused | None:
        """Why an event that lies far ahead is refused."""
        if self.far or row[3] <= self.clock() + NEAR:
            return None
        return Refused(codes.FUTURE, f"{row[4]} is more than a day ahead of the clock", orjson.loads(line))

    def until(self) -> int | None:
        """Up to when events need wait no longer; None where they do not wait."""
        return self.clock() - self.lateness if self.lateness else None


class LetterTexts(Struct, frozen=True):
    """A dead letter as it is shown, and without masks; the subject and the data of the event."""

    shown: str
    whole: str
    subject: str | None
    data: Mapping[str, object]


class Batch:
    """What one transaction does. ``input`` is the number of the input that the lines are of, 0 for none.

    ``records`` holds the records, ``positions`` the position of each, ``lines`` their lines when it is closed;
    ``letters`` the dead letters; ``tally`` counts what was refused; ``latest`` is the latest time read.

    ``wall`` says that events come alone, as things happen. Then one that does not say when it happened does so when
    it is its subject's turn, so never before what the subject has seen; ``ahead`` is by how much that was ahead of the
    clock.
    """

    def __init__(self, memory: StoreMemory, transaction: Transaction, input: int = 0, wall: Wall | None = None) -> None:
        self.records: list[Record] = []
        self.lines: list[str] = []
        self.positions: list[int] = []
        self.letters: list[str] = []
        self.tally: Counter[str] = Counter()
        self.latest = -NEVER
        self.ahead = 0
        self._wall = wall
        self._untimed: set[tuple[str, str]] = set()
        self._memory = memory
        self._transaction = transaction
        self._input = input
        self._letters: list[LetterRow] = []
        self._wholes: dict[int, tuple[str, str]] = {}
        self._end = AT_THE_END
        self._times: dict[str, int] = {}
        self._journal = _journal(memory) if memory.shadowed else None
        memory.begin(transaction)
        memory.ids = self._ids = Ids(transaction, input)

    # -- what comes in -----------------------------------------------------------------------------------

    def read(self, lines: Sequence[Line]) -> Reading:
        """The events on numbered lines, each noted as taken; what cannot be taken, or was before, is refused."""
        wall, run = self._wall, self._memory.run
        if wall is None:
            return run.read(lines)
        timed = [(number, wall.timed(line)) for number, line in lines]
        near = Reading(*run.intake.read_lines(timed)).without(timed, wall.refused)
        reading = run.claimed(near, timed)
        told = {number for (number, line), (_, before) in zip(timed, lines, strict=True) if line is not before}
        self._untimed.update((row[5], row[6]) for row in reading.rows if row[0] in told)
        return reading

    def hold_back(self, event: Incoming) -> None:
        """Note whose facts an event has that is taken later, so that its customer is found until then."""
        for stratum in self._memory.run.strata:
            self._memory.notes.hold(stratum, event)

    def take(self, reading: Reading) -> None:
        """Take what was read, in its order."""
        memory, rows = self._memory, reading.rows
        memory.fetch(self._all_names(reading))
        if self._untimed and self._wall is not None:
            rows = [self._at_its_turn(row, self._wall.clock()) for row in rows]
            reading = Reading(rows, reading.odd)
        if self._journal is not None:
            self._journal.take(reading)
        if rows:
            self._times = {row[4]: row[3] for row in rows}
            self.latest = max(self.latest, max(row[3] for row in rows))
        for caused in memory.run.take(reading):
            self._write(caused.line, caused.values)
        self._bury_all()

    def _at_its_turn(self, row: Row, now: int) -> Row:
        """An event that did not say when it happened, as of now: nobody else changes what its subjects have seen."""
        if (row[5], row[6]) not in self._untimed:
            return row
        event: Incoming = make_tuple(Incoming, row)
        time = max(now, self._seen(event))
        self.ahead = max(self.ahead, time - now)
        return event._replace(time=time, when=text_of(time))[:]

    def _seen(self, event: Incoming) -> int:
        """The latest time that a subject of an event has seen."""
        last, strata = -NEVER, self._memory.run.strata
        for each in self._names(event):
            name = each
            while isinstance(name, str) and name in self._memory.merged:
                name = self._memory.merged[name]
            for stratum in strata:
                subject = dict.get(stratum.subjects, name)
                if subject is not None:
                    last = max(last, subject.last)
        return last

    def _all_names(self, reading: Reading) -> dict[Name, None]:
        """The subjects that events concern, each once."""
        names: dict[Name, None] = {}
        direct = self._memory.direct
        for row in reading.rows:
            if direct(row[2]):
                names[row[1]] = None
            else:
                names.update(dict.fromkeys(self._names(make_tuple(Incoming, row))))
        for _, fault in reading.odd:
            if fault is not None:
                names[fault.refused.text("subject", self._memory.bundle.card_never) or ""] = None
        return names

    def _names(self, event: Incoming) -> Iterable[Name]:
        if event.type == MERGE:
            yield event.subject
            yield event.data.get("into") or event.subject
            return
        for stratum in self._memory.run.strata:
            for key, _ in stratum.routes(event.type):
                if key is None:
                    yield event.subject
                elif event.data.get(key) is not None:
                    yield key, str(event.data[key])

    # -- what was not taken --------------------------------------------------------------------------------

    def _bury_all(self) -> None:
        """Make dead letters of what the run refused."""
        run = self._memory.run
        self.tally += run.tally
        run.tally.clear()
        for refusal in run.refusals:
            letter = self._letter(refusal)
            self.letters.append(letter.shown)
            subject = None if letter.subject is None or is_too_long(letter.subject) else storable(letter.subject)
            position = self._end if refusal.line == AT_THE_END else refusal.line
            row = LetterRow(self._input, position, refusal.code, letter.shown.rstrip("\n"), subject, None)
            if subject is not None and letter.whole != letter.shown:
                self._wholes[len(self._letters)] = subject, letter.whole
                self._memory.notes.hold_letter(subject, letter.data)
            self._letters.append(row)
        run.refusals.clear()

    def _letter(self, refusal: Refusal) -> LetterTexts:
        """The dead letter of an event. What a flow has raised cannot come again from outside."""
        memory, event = self._memory, refusal.event
        shown = whole = memory.letters.written(refusal)
        if refusal.code not in NOT_AGAIN and (isinstance(event, Refused) or not event.raised):
            whole = memory.whole_letters.written(refusal)
        if isinstance(event, Incoming):
            return LetterTexts(shown, whole, event.subject, event.data)
        data = event.event.get("data")
        subject = event.text("subject", memory.bundle.card_never)
        return LetterTexts(shown, whole, subject, data if isinstance(data, dict) else {})

    def _letter_rows(self) -> Iterator[LetterRow]:
        """The dead letters, each with what is masked in it sealed beside it."""
        self._memory.prepare_sealing({subject for subject, _ in self._wholes.values()})
        for number, row in enumerate(self._letters):
            if number in self._wholes:
                subject, whole = self._wholes[number]
                yield replace(row, sealed=self._memory.seal(subject, whole.encode()))
            else:
                yield row

    # -- what falls due ------------------------------------------------------------------------------------

    def fire(self, until: int, most: int, position: int = AT_THE_END) -> bool:
        """Fire timers due by ``until`` of the ``most`` subjects that come first; whether there may be more."""
        self._end, memory = position, self._memory
        found = self._transaction.due(until, most)
        memory.firing = [name_of(address) for _, address in found]
        memory.fetch(memory.firing)
        if found:
            memory.ticks.fired = True
        if len(found) == most:  # so that what is raised comes to higher strata in the order of time
            until = found[-1][0]
        elif self._journal is not None:
            self._journal.tick(until, memory.ticks)
        self._write(position, memory.run.finish(until).due_values)
        self._bury_all()
        return len(found) == most

    # -- what goes out -------------------------------------------------------------------------------------

    def _write(self, position: int, records: Sequence[Record]) -> None:
        self.records += records
        self.positions += [position] * len(records)

    def values(self) -> list[Record]:
        """The records as they are read back from the store."""
        return [as_read(each, self._memory.epoch) for each in self.records]

    def untaken(self) -> frozenset[Id]:
        """The events that no case took."""
        return frozenset(self._ids.untaken)

    def close(self) -> None:
        """Keep all of it in the store; what is left to do is to commit."""
        memory = self._memory
        unmasked: Unmasked = {}
        for stratum in memory.run.strata:
            if stratum.stepper.unmasked:
                unmasked.update(stratum.stepper.unmasked)
                stratum.stepper.unmasked.clear()
        rows = RecordRows(memory, self._input)
        self.lines = rows.take(self.positions, self.records, unmasked, self._times)
        self._ids.keep()
        memory.keep()
        if self._letters:
            self._transaction.many(BURY, map(astuple, self._letter_rows()))
        memory.notes.keep(self._transaction)
        rows.keep(self._transaction)
        if self._journal is not None:
            self._journal.keep(self._transaction)
