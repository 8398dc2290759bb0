"""The work of one transaction: events taken or timers fired, and all that follows from them, kept together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.engine import codes
from carepolicy.engine.desk import raised_as_incoming
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.intake import MERGE, Incoming, Refused, is_too_long
from carepolicy.store import watches
from carepolicy.store.contract import LetterRow, storable
from carepolicy.store.live.ids import Ids
from carepolicy.store.quick import Quick
from carepolicy.store.recording import Recording
from carepolicy.store.shadow.journal import Journal
from carepolicy.store.shelf import name_of
from carepolicy.store.sql.statements import NOTE_CLOSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from carepolicy.engine.desk import Desk
    from carepolicy.engine.record import Record
    from carepolicy.store.contract import EventRow, Transaction
    from carepolicy.store.desks import Desks
    from carepolicy.store.live.ids import Id
    from carepolicy.store.live.wall import Wall
    from carepolicy.store.recording import Unmasked
    from carepolicy.store.shelf import Name

Read = list[tuple[int, "Incoming | Refused", "bytes | str"]]
"""What lines were read as, each with its number and text."""

NOT_AGAIN = frozenset((codes.DUPLICATE, codes.CARD))
"""What became of an event that was taken, so that it is not to be taken again."""


class Letter(NamedTuple):
    """A dead letter as it is shown, and without masks; the subject and the data of the event."""

    shown: str
    whole: str
    subject: str | None
    data: Mapping[str, Any]


AT_THE_END = 1 << 61
"""The position of what falls due when an input was read to its end; when it has grown, one more each time."""


class Batch:
    """What one transaction does. ``input`` is the number of the input that the lines are of, 0 for none.

    ``records`` holds the records, ``positions`` the position of each,
    ``lines`` their lines when it is closed; ``letters`` the dead letters; ``tally``
    counts what was refused; ``latest`` is the latest time read.

    ``wall`` says that events come alone, as things happen. Then one that does not say when it happened does so when
    it is its subject's turn, so never before what the subject has seen; ``ahead`` is by how much that was ahead of the
    clock.
    """

    def __init__(self, desks: Desks, transaction: Transaction, input: int = 0, wall: Wall | None = None) -> None:
        self.records: list[Record] = []
        self.lines: list[str] = []
        self.positions: list[int] = []
        self.letters: list[str] = []
        self.tally: Counter[str] = Counter()
        self.latest = -NEVER
        self.taken = 0
        self.ahead = 0
        self._wall = wall
        self._untimed: set[tuple[str, str]] = set()
        self._desks = desks
        self._transaction = transaction
        self._input = input
        self._letters: list[LetterRow] = []
        self._wholes: dict[int, tuple[str, str]] = {}
        self._end = AT_THE_END
        self._times: dict[str, int] = {}
        self._counted: set[watches.Counting] = set()
        self._ids = Ids(transaction, desks.records, input)
        self._journal = Journal(desks.bundle, desks.sealer) if desks.shadowed else None
        desks.begin(transaction)

    # -- what comes in -----------------------------------------------------------------------------------

    def read(self, lines: Iterable[tuple[int, bytes | str]]) -> Read:
        """The events on numbered lines, each noted as taken; what cannot be taken, or was before, is refused."""
        found: Read = []
        ids: list[EventRow] = []
        read = self._desks.intake.read
        for number, line in lines:
            timed = line if self._wall is None else self._wall.timed(line)
            try:
                event = read(number, timed)
                if self._wall is not None:
                    self._wall.demand_near(event, timed)
            except Refused as refused:
                found.append((number, refused, timed))
                continue
            found.append((number, event, timed))
            if timed is not line:
                self._untimed.add((event.source, event.id))
            ids.append((storable(event.source), storable(event.id), storable(event.subject)))
        known = self._ids.claim(ids) if ids else None
        if known:
            found = [(number, self._if_new(event, line, known), line) for number, event, line in found]
        return found

    def _if_new(self, event: Incoming | Refused, line: bytes | str, known: set[tuple[str, str]]) -> Incoming | Refused:
        if isinstance(event, Refused) or (storable(event.source), storable(event.id)) not in known:
            return event
        return Refused(codes.DUPLICATE, "an event with this source and id was taken before", orjson.loads(line))

    def hold_back(self, event: Incoming) -> None:
        """Note whose facts an event has that is taken later, so that its customer is found until then."""
        for desk in self._desks.desks:
            self._desks.notes.hold(desk, event)

    def take(self, events: Sequence[tuple[int, Incoming | Refused, bytes | str]]) -> None:
        """Take what ``read`` has read, in its order."""
        self._desks.fetch(self._all_names(events))
        if self._untimed and self._wall is not None:
            events = [(number, self._at_its_turn(event, self._wall.clock()), line) for number, event, line in events]
        if self._journal is not None:
            self._journal.take(events)
        quick = Quick(self._desks) if len(self._desks.desks) == 1 else None
        for number, event, line in events:
            if isinstance(event, Refused):
                self._refuse(number, event, line)
            elif quick is not None and (told := quick.take(event)) is not None:
                self.taken += 1
                time = self._times[event.when] = event.time
                if time > self.latest:
                    self.latest = time
                self._write(number, told)
            else:
                self.give(event)

    def _at_its_turn(self, event: Incoming | Refused, now: int) -> Incoming | Refused:
        """An event that did not say when it happened, as of now: nobody else changes what its subjects have seen."""
        if isinstance(event, Refused) or (event.source, event.id) not in self._untimed:
            return event
        time = max(now, self._seen(event))
        self.ahead = max(self.ahead, time - now)
        return event._replace(time=time, when=text_of(time))

    def _seen(self, event: Incoming) -> int:
        """The latest time that a subject of an event has seen."""
        last = -NEVER
        for each in self._names(event):
            name = each
            while isinstance(name, str) and name in self._desks.desks[0].merged:
                name = self._desks.desks[0].merged[name]
            for desk in self._desks.desks:
                subject = dict.get(desk.subjects, name)
                if subject is not None:
                    last = max(last, subject.last)
        return last

    def _all_names(self, events: Sequence[tuple[int, Incoming | Refused, bytes | str]]) -> dict[Name, None]:
        """The subjects that events concern, each once."""
        names: dict[Name, None] = {}
        direct = self._desks.direct
        for _, event, _ in events:
            if type(event) is Incoming and direct(event.type):
                names[event.subject] = None
            else:
                names.update(dict.fromkeys(self._names(event)))
        return names

    def _names(self, event: Incoming | Refused) -> Iterable[Name]:
        if isinstance(event, Refused):
            yield event.text("subject", self._desks.bundle.card_never) or ""
            return
        if event.type == MERGE:
            yield event.subject
            yield event.data.get("into") or event.subject
            return
        for desk in self._desks.desks:
            for key, _ in desk.routes(event.type):
                if key is None:
                    yield event.subject
                elif event.data.get(key) is not None:
                    yield key, str(event.data[key])

    def _refuse(self, number: int, refused: Refused, line: bytes | str) -> None:
        self.tally[refused.code] += 1
        desks, data = self._desks, refused.event.get("data")
        shown = whole = desks.letters.refused(number, refused, line)
        if refused.code not in NOT_AGAIN:
            whole = desks.whole_letters.refused(number, refused, line)
        subject = refused.text("subject", desks.bundle.card_never)
        self._bury(number, refused.code, Letter(shown, whole, subject, data if isinstance(data, dict) else {}))
        self._write(number, [self._desks.records.refused(refused, line)])

    def _bury(self, position: int, code: str, letter: Letter) -> None:
        self.letters.append(letter.shown)
        subject = None if letter.subject is None or is_too_long(letter.subject) else storable(letter.subject)
        row = LetterRow(self._input, min(position, self._end), code, letter.shown.rstrip("\n"), subject, None)
        if subject is not None and letter.whole != letter.shown:
            self._wholes[len(self._letters)] = subject, letter.whole
            self._desks.notes.hold_letter(subject, letter.data)
        self._letters.append(row)

    def _letter(self, event: Incoming, code: str, reason: str) -> Letter:
        """The dead letter of an event that was read. What a flow has raised cannot come again from outside."""
        shown = self._desks.letters.untaken(event, code, reason)
        whole = shown if event.raised or code in NOT_AGAIN else self._desks.whole_letters.untaken(event, code, reason)
        return Letter(shown, whole, event.subject, event.data)

    def _letter_rows(self) -> Iterator[LetterRow]:
        """The dead letters, each with what is masked in it sealed beside it."""
        self._desks.prepare_sealing({subject for subject, _ in self._wholes.values()})
        for number, row in enumerate(self._letters):
            if number in self._wholes:
                subject, whole = self._wholes[number]
                yield row._replace(sealed=self._desks.seal(subject, whole.encode()))
            else:
                yield row

    def give(self, event: Incoming) -> None:
        """Give one event to all strata, and what is raised by it to those above."""
        self.taken += 1
        self.latest = max(self.latest, event.time)
        if event.masked:
            self.tally[codes.CARD] += 1
            reason = "a card number was masked; the event was taken"
            self._bury(event.line, codes.CARD, self._letter(event, codes.CARD, reason))
        desks = self._desks.desks
        for desk in desks:
            desk.took = False
        if len(desks) == 1:
            self._give(desks[0], event)
            self._write(event.line, desks[0].out)
        else:
            waiting: list[list[Incoming]] = [[event]]
            waiting += [[event] if desk.routes(event.type) else [] for desk in desks[1:]]
            self._work_through(waiting, event.line)
        if not any(desk.took for desk in desks):
            self._ids.note_untaken(event)

    def _work_through(self, waiting: list[list[Incoming]], position: int) -> None:
        for level, desk in enumerate(self._desks.desks):
            for event in sorted(waiting[level], key=lambda each: each.time):
                self._give(desk, self._at_present(desk, event) if event.raised else event)
                self._write(position, desk.out)
                self._hand_on(level, desk, waiting, position)

    def _give(self, desk: Desk, event: Incoming) -> None:
        self._desks.notes.take(desk, event, desk is self._desks.desks[0])
        if event.type == MERGE:
            desk.merge(event)
        else:
            desk.take(event)
        if desk.refusals:
            for each, code, reason in desk.refusals:
                self.tally[code] += 1
                self._bury(each.line, code, self._letter(each, code, reason))
            desk.refusals.clear()

    def _at_present(self, desk: Desk, event: Incoming) -> Incoming:
        """A raised event that comes when its key has already seen later ones happens to it when it comes."""
        if is_too_long(event.subject):
            return event  # nothing can be known of it, and the desk refuses it
        last = max((desk.subject(key, event.subject).last for key, _ in desk.routes(event.type)), default=-NEVER)
        return event if event.time >= last else event._replace(time=last, when=text_of(last))

    def _hand_on(self, level: int, desk: Desk, waiting: list[list[Incoming]], position: int) -> None:
        """What a stratum raised, and what a watch raises over it, to the strata above that declare it."""
        by_origin = desk.stepper.raised
        if position >= AT_THE_END:  # not in the order in which subjects come to have their turn
            by_origin = sorted(by_origin, key=lambda each: (each.origin, each.number))
        line = NEVER if position >= AT_THE_END else position
        raised = [(level, raised_as_incoming(each, line)) for each in by_origin]
        desk.stepper.raised.clear()
        for counted in desk.counted:
            raised += watches.count(self._transaction, self._desks.bundle, level, counted, self._counted)
        desk.counted.clear()
        for origin, event in raised:
            higher = [above for above in range(origin + 1, len(waiting)) if self._desks.desks[above].routes(event.type)]
            for above in higher:
                waiting[above].append(event)
            if not higher:
                self.tally[codes.NO_CASE] += 1

    # -- what falls due ------------------------------------------------------------------------------------

    def fire(self, until: int, most: int, position: int = AT_THE_END) -> bool:
        """Fire timers due by ``until`` of the ``most`` subjects that come first; whether there may be more."""
        self._end = position
        found = self._transaction.due(until, most)
        names = [name_of(address) for _, address in found]
        self._desks.fetch(names)
        desks = self._desks.desks
        if found:
            self._desks.ticks.fired = True
        if len(found) == most:  # so that what is raised comes to higher strata in the order of time
            until = found[-1][0]
        elif self._journal is not None:
            self._journal.tick(until, self._desks.ticks)
        waiting: list[list[Incoming]] = [[] for _ in desks]
        begin = len(self.records)
        for level, desk in enumerate(desks):
            for event in sorted(waiting[level], key=lambda each: each.time):
                self._give(desk, self._at_present(desk, event))
                self._write(position, desk.out)
                self._hand_on(level, desk, waiting, position)
            for name in names:
                subject = desk.subjects.get(name)
                if subject is not None and subject.next <= until:
                    desk.stepper.fire(subject, until, True)
            self._write(position, desk.out)
            self._hand_on(level, desk, waiting, position)
        from carepolicy.engine.stream import in_order_of_time

        self.records[begin:] = in_order_of_time(self.records[begin:])
        return len(found) == most

    # -- what goes out -------------------------------------------------------------------------------------

    def _write(self, position: int, out: list[Record]) -> None:
        self.records += out
        self.positions += [position] * len(out)
        out.clear()

    def untaken(self) -> frozenset[Id]:
        """The events that no case took."""
        return frozenset(self._ids.untaken)

    def close(self) -> None:
        """Keep all of it in the store; what is left to do is to commit."""
        unmasked: Unmasked = {}
        for desk in self._desks.desks:
            if desk.stepper.unmasked:
                unmasked.update(desk.stepper.unmasked)
                desk.stepper.unmasked.clear()
        recording = Recording(self._desks, self._input)
        self.lines = recording.take(self.positions, self.records, unmasked, self._times)
        self._ids.keep()
        self._desks.keep()
        if self._letters:
            self._transaction.bury(list(self._letter_rows()))
        self._desks.notes.keep(self._transaction)
        if recording.records:
            self._transaction.append(recording.records, recording.requests)
        if recording.closings:
            self._transaction.many(NOTE_CLOSING, recording.closings)
        if self._journal is not None:
            self._journal.keep(self._transaction)
