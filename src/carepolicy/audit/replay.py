"""The replay: events of a log go through the policies, subject by subject, and what comes of them is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, pairwise, repeat
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from orjson import dumps

from carepolicy.audit.blocks import of_blocks, of_groups
from carepolicy.audit.mapping import SOURCE, CalledAlike, Mapper
from carepolicy.audit.measures import NO_INSTANTS, Measures
from carepolicy.audit.ocel import Objects
from carepolicy.audit.tables import LogFault, Table
from carepolicy.audit.xes import Traces, Unsure
from carepolicy.checks.mappings import plain_name
from carepolicy.engine.cards import SHORTEST, names_card, one_names_card
from carepolicy.engine.codes import UNREADABLE
from carepolicy.engine.facts import NO_DATA
from carepolicy.engine.instants import NEVER, text_of
from carepolicy.engine.intake import (
    MERGE,
    SURELY_SHORT,
    Incoming,
    NotTaken,
    Reading,
    Refused,
    is_too_long,
    make_tuple,
)
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.run import Run, Schedule
from carepolicy.guards.faults import ExpressionError
from carepolicy.policy.likeness import with_hint

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from carepolicy.audit.blocks import Block
    from carepolicy.audit.blocks import Row as LogRow
    from carepolicy.audit.mapping import Made
    from carepolicy.audit.measures import Round
    from carepolicy.audit.tables import Begin
    from carepolicy.engine.case import Case
    from carepolicy.engine.intake import Row
    from carepolicy.engine.memory import Closed
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle

AT_A_TIME = 2_000
"""Events that are given to the engine together."""

SHOWN = 1_000
"""So many rows that make no event are told one by one."""


NO_OBJECT = "the line is no object of JSON"


class _Forgetful(dict[str, "Closed"]):
    """What is kept of subjects that never come again: nothing."""

    def __setitem__(self, name: str, closed: Closed) -> None:
        """Forget a subject."""


class SubjectMemory(ProcessMemory):
    """A memory for a log that is sorted by subject: a subject without open cases is forgotten, and so are the ids."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = _Forgetful()

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Events of one subject that come twice stand beside each other."""
        if len({row[6] for row in rows}) == len(rows):  # mostly all is well, which is seen at once of many
            return ()
        seen: set[tuple[str, str, str]] = set()
        again = set()
        for place, row in enumerate(rows):
            key = (row[1], row[5], row[6])
            if key in seen:
                again.add(place)
            seen.add(key)
        return again


@dataclass(slots=True)
class Seen:
    """What was read of a log: ``events`` that the engine took in, rows that ``where`` or the mapping left out, rows
    that stood there twice, and rows that make no event: how many, of the first of them the number and why, and by
    the reasons the first row.
    ``not_taken`` are events that reached no case, by their code; ``repeated`` are traces whose name one before them
    had."""

    events: int = 0
    left_out: int = 0
    twice: int = 0
    repeated: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    not_taken: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[int, str]] = field(default_factory=list)
    first_rows: dict[str, int] = field(default_factory=dict)
    first: int = NEVER
    last: int = -NEVER

    def refuse(self, row: int, reason: str) -> None:
        """A row makes no event."""
        self.refused += 1
        self.reasons[reason] += 1
        self.first_rows[reason] = min(row, self.first_rows.get(reason, row))
        if len(self.shown) < SHOWN:
            self.shown.append((row, reason))

    def commonest(self, most: int) -> list[tuple[str, int]]:
        """The commonest reasons why rows make no event; of those that are equally common, the first by its words."""
        return sorted(self.reasons.items(), key=lambda each: (-each[1], each[0]))[:most]

    def shift(self, rows: int) -> None:
        """Count rows from so many later."""
        self.shown = [(row + rows, reason) for row, reason in self.shown]
        self.first_rows = {reason: row + rows for reason, row in self.first_rows.items()}

    def add(self, other: Seen) -> None:
        """Add what was read of other subjects."""
        self.events += other.events
        self.left_out += other.left_out
        self.twice += other.twice
        self.repeated += other.repeated
        self.refused += other.refused
        self.reasons.update(other.reasons)
        for reason, row in other.first_rows.items():
            self.first_rows[reason] = min(row, self.first_rows.get(reason, row))
        self.not_taken.update(other.not_taken)
        self.shown = sorted({*self.shown, *other.shown})[:SHOWN]
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)


Log = Table | Traces | Objects

Lines = Sequence[tuple[int, str]]
"""Lines with their numbers."""

Group = tuple[str | None, "Sequence[LogRow]"]
"""A subject, and its rows."""


def opened(
    paths: Sequence[str], form: str, mapper: Mapper | None = None, *, part: tuple[int, int] = (0, 1),
    watch: Begin | None = None, sure: bool = True, stretches: bool = False,
) -> Log:  # fmt: skip
    """Some logs of one format, not read yet. Of OCEL there are no parts; only traces are read by who is not ``sure``
    that each has a name of its own, and in ``stretches``."""
    if form == "xes":
        return Traces(paths, part=part, watch=watch, sure=sure, stretches=stretches)
    if form == "ocel":
        return Objects(paths, watch=watch)
    reads, times = (None, frozenset[str]()) if mapper is None else (mapper.mapping.reads, mapper.times)
    return Table(paths, form, reads, times, part=part, watch=watch)


def columns_for(mapper: Mapper, log: Log) -> list[str]:
    """The columns of a log that a mapping reads, to which it is bound. Raises ``LogFault`` where the log lacks one."""
    wanted = [*mapper.columns]
    wanted += [each for each in log.columns if each not in wanted and _is_named(each, mapper.names_in_where)]
    log.demand([*mapper.columns, *([mapper.mapping.subject] if isinstance(log, Table) else [])])
    if not log.columns:  # which are known only row by row
        there = {plain_name(each) for each in wanted}
        wanted += [each for each in mapper.names_in_where if each not in there]
    try:
        mapper.bind(wanted, log.columns or wanted)
    except ExpressionError as fault:
        known = [plain_name(each) for each in log.columns]
        lacks = next((each for each in mapper.names_in_where if each not in known), "")
        said = f"{log.paths[0]} is not as where: has it: {fault}"
        raise LogFault(with_hint(said, lacks, known) if lacks else said) from None
    return wanted


class Replay:
    """One audit of a policy set. ``by`` names facts by which late rounds are counted; ``told`` hears of each round,
    ``heard`` of each record. It ``has_events`` unless only records were there, which do not tell their sequences."""

    def __init__(
        self,
        bundle: Bundle,
        by: Sequence[str] = (),
        told: Callable[[Round], None] | None = None,
        heard: Callable[[Record], None] | None = None,
    ) -> None:
        self.bundle = bundle
        self._heard = heard
        self.seen = Seen()
        self.measures = Measures(bundle, by, told)
        self.has_events = True
        self.by_subject = all(each.key is None for each in bundle.programs if each.stratum == 0)
        self._run: Run | None = None
        self._rows: list[Row] = []
        self._may_repeat = self._may_be_odd = self._lack_texts = False
        self._faults: list[NotTaken] = []
        self._facts: dict[str, dict[str, Any]] = {}
        self._remembers = bool(by) or told is not None
        self._only_counts = heard is None and self.measures.only_counts

    # -- logs ----------------------------------------------------------------------------------------------

    def take_mapped(self, log: Log, mapper: Mapper) -> None:
        """Take the rows of a log by a mapping."""
        wanted, subject = columns_for(mapper, log), mapper.mapping.subject
        if isinstance(log, Traces) and self._takes_blocks(mapper):
            for block in of_blocks(log.blocks(subject, wanted)):
                self._take_block(block, mapper, may_repeat=False)
        else:
            self.take_groups(log.groups(subject, wanted), mapper, isinstance(log, Table))
        self.note_read(log, mapper)

    def note_read(self, log: Log, mapper: Mapper) -> None:
        """Note what became of the rows of a log that was read to its end."""
        for number, reason in log.refused:
            self.seen.refuse(number, reason)
        self.seen.left_out += mapper.skipped
        self.seen.repeated += log.repeated if isinstance(log, Traces) else 0

    def take_groups(self, groups: Iterable[Group], mapper: Mapper, may_repeat: bool) -> None:
        """Take rows by their subjects; of those that ``may_repeat`` others, each counts once unless the mapping says
        otherwise."""
        if self._takes_blocks(mapper):
            for block in of_groups(groups):
                self._take_block(block, mapper, may_repeat)
        else:
            self._take_row_by_row(groups, mapper, may_repeat)

    def _takes_blocks(self, mapper: Mapper) -> bool:
        """Whether the rows of many subjects may be taken at once."""
        return mapper.tells_plainly and self.by_subject

    def _take_row_by_row(self, groups: Iterable[Group], mapper: Mapper, may_repeat: bool) -> None:
        held: list[tuple[Made, str]] = []
        for subject, made in self.events_of(groups, mapper, may_repeat):
            self.measures.saw(subject, [each.type for each in made], [each.time for each in made])
            if self.by_subject:
                self._take_made(subject, made)
            else:
                held += [(each, subject) for each in made]
        held.sort(key=lambda each: (each[0].time, each[0].row))
        for one, subject in held:
            self._take_made(subject, [one])

    def events_of(
        self, groups: Iterable[Group], mapper: Mapper, may_repeat: bool
    ) -> Iterator[tuple[str, Sequence[Made]]]:
        """What each case is called, and its events by a mapping in the order of time; rows that make none are noted."""
        for name, rows in groups:
            single = self._without_copies(rows) if may_repeat and not mapper.keeps_duplicates else rows
            subject = self._called(name, mapper)
            if subject is None:
                empty = f"the column {mapper.mapping.subject}, which names the case, is empty"
                for each in single:
                    self.seen.refuse(each[0], NO_OBJECT if may_repeat and each[1] is None else empty)
                continue
            made = mapper.events(subject, single, self.seen.refuse)
            if made:
                yield subject, made

    def _called(self, name: str | None, mapper: Mapper) -> str | None:
        """What a case is called; None where the log does not say. Raises ``LogFault``."""
        try:
            return mapper.called(name) if name else None
        except CalledAlike as fault:
            raise LogFault(str(fault)) from None

    def take_lines(self, log: Table) -> None:
        """Take a log of CloudEvents; one that joins subjects in the order of time."""
        self.by_subject = self.by_subject and not log.holds(MERGE)
        some: list[Lines] = []
        waiting = 0
        for _, lines in log.lines(not self.by_subject):
            some.append(lines)
            waiting += len(lines)
            if waiting >= AT_A_TIME:
                self._take_groups_of_lines(some)
                some, waiting = [], 0
        self._take_groups_of_lines(some)
        for number, reason in log.refused:
            self.seen.refuse(number, f"{UNREADABLE}: {reason}")

    def take_group_of_lines(self, lines: Lines) -> None:
        """Take numbered lines of one subject, or (not ``by_subject``) lines in the order of time."""
        self._take_groups_of_lines([lines])

    def _take_groups_of_lines(self, groups: Sequence[Lines]) -> None:
        """Take the lines of some subjects: as quickly as may be where each has all of its lines beside each other."""
        if not self.by_subject:
            for lines in groups:
                for begin in range(0, len(lines), AT_A_TIME):
                    reading = self._read_lines(lines[begin : begin + AT_A_TIME])
                    rows = [*reading.rows]
                    _sort_by_time(rows)
                    self._queue_read(rows, reading)
            return
        reading = self._read_lines([*chain.from_iterable(groups)])
        subjects = [(name, [*own]) for name, own in groupby(reading.rows, itemgetter(1))]
        if len({name for name, _ in subjects}) < len(subjects) and len(groups) > 1:
            for lines in groups:
                self._take_groups_of_lines([lines])
            return
        by_name: dict[str, list[Row]] = {}
        for name, own in subjects:
            by_name.setdefault(name, []).extend(own)
        rows = []
        for name, own in by_name.items():
            _sort_by_time(own)
            self.measures.saw(name, [row[2] for row in own], [row[3] for row in own])
            rows += own
        if len(by_name) < len(subjects):  # lines that name their subject twice
            _sort_by_time(rows)
        self._queue_read(rows, reading)

    def _read_lines(self, lines: Lines) -> Reading:
        numbered = [(number, line.encode("utf-8", "surrogatepass")) for number, line in lines]
        return Reading(*self.running().intake.read_lines(numbered))

    def _queue_read(self, rows: Iterable[Row], reading: Reading) -> None:
        self._faults += reading.faults
        self._queue(rows, bool(reading.odd))

    def _without_copies(self, rows: Sequence[LogRow]) -> Sequence[LogRow]:
        """The rows without those that are the same in every column as one before."""
        hashes = {row[1] for row in rows}
        if len(hashes) == len(rows):
            return rows
        seen: set[Any] = set()
        found = []
        for row in rows:
            if row[1] is None:
                found.append(row)
            elif row[1] not in seen:
                seen.add(row[1])
                found.append(row)
        self.seen.twice += len(rows) - len(found)
        return found

    # -- events --------------------------------------------------------------------------------------------

    def running(self) -> Run:
        """The run through which the events go."""
        if self._run is None:
            self._run = self.begun()
        return self._run

    def begun(self) -> Run:
        """A run at its beginning."""
        memory = SubjectMemory() if self.by_subject else ProcessMemory()
        hearer = self.measures if self._only_counts else None
        return Run(self.bundle, memory=memory, schedule=Schedule.AFTER_ALL_LINES, hearer=hearer)

    def _take_block(self, block: Block, mapper: Mapper, may_repeat: bool) -> None:
        """Give the events of some subjects to the engine: row by row those of a subject that does not tell them plainly
        or, where that ``may_repeat``, has a row twice."""
        if not len(block):
            self._take_row_by_row(block.groups(), mapper, may_repeat)
            return
        subjects = [self._called(name, mapper) for name in block.names]
        only_counts = mapper.mapping.id is None and self._needs_no_texts()
        told = mapper.told(subjects, block, only_counts)
        self._lack_texts |= only_counts
        odd = {*told.odd, *self._odd_among(subjects)}
        odd.update(place for place, count in enumerate(block.counts) if not count)
        begins = block.begins()
        hashes = block.hashes
        if may_repeat and hashes is not None and len(set(hashes)) < len(hashes):
            for place, (begin, end) in enumerate(pairwise(begins)):
                if len(set(hashes[begin:end])) < end - begin:
                    odd.add(place)
        rows: list[Any] = [*zip(
            block.numbers, block.by_row(subjects), told.kinds, told.times, told.whens, repeat(SOURCE), told.ids,
            told.data, repeat(False), repeat(False), strict=False,
        )]  # fmt: skip
        done = 0
        groups = enumerate(block.groups()) if odd else iter(())
        for place, (subject, begin, end) in enumerate(zip(subjects, begins, begins[1:], strict=False)):
            if subject is not None and place not in odd:
                self.measures.saw(subject, told.kinds[begin:end], told.times[begin:end])
                continue
            self._hand_over(rows[done:begin], mapper)
            done = end
            self._take_row_by_row([next(group for at, group in groups if at == place)], mapper, may_repeat)
        self._hand_over(rows[done:] if done else rows, mapper)

    def _hand_over(self, rows: Sequence[Row], mapper: Mapper) -> None:
        self._may_repeat |= mapper.mapping.id is not None
        self._rows += rows
        if len(self._rows) >= AT_A_TIME:
            self.flush()

    def _needs_no_texts(self) -> bool:
        """Whether neither texts of times nor ids of events are asked for but of few events: where measures hear of all
        that happens, and nothing waits for higher strata."""
        run = self.running()
        return run.hearer is not None and run.levels == 1

    def _odd_among(self, subjects: Sequence[str | None]) -> Iterator[int]:
        """Those that are no name, or an odd one, by their places."""
        names = [each for each in subjects if each is not None]
        short = len(names) == len(subjects) and len(max(names, key=len)) <= SURELY_SHORT
        if short and (self.bundle.card_never or not one_names_card(names)):
            return
        for place, each in enumerate(subjects):
            if each is None or self._is_odd(each):
                yield place

    def _is_odd(self, subject: str) -> bool:
        """Whether what names a case is too long, or a card number."""
        named = not self.bundle.card_never and len(subject) >= SHORTEST and names_card(subject)
        return named or is_too_long(subject)

    def _take_made(self, subject: str, made: Sequence[Made]) -> None:
        """Give the events of a subject to the engine as it reads its own."""
        run = self.running()
        straight = run.intake.straight
        rows: list[Row] = []
        odd = self._is_odd(subject)
        for each in made:
            try:
                if odd:
                    raise ValueError
                takers = straight[each.type][0]
                data = {fact: takers[fact](value) for fact, value in each.data.items()} if each.data else NO_DATA
            except (ValueError, LookupError, TypeError):
                self._read_closely(subject, each, rows)
                continue
            time = each.time
            rows.append((each.row, subject, each.type, time, text_of(time), SOURCE, each.id, data, False, False))
        self._queue(rows, True)

    def _read_closely(self, subject: str, made: Made, rows: list[Row]) -> None:
        event = {
            "specversion": "1.0", "id": made.id, "source": SOURCE, "type": made.type, "subject": subject,
            "time": text_of(made.time), "data": made.data,
        }  # fmt: skip
        line = dumps(event)
        try:
            rows.append(self.running().intake.read(made.row, line)[:])
        except Refused as refused:
            self._faults.append(NotTaken(made.row, refused, line))

    def _queue(self, rows: Iterable[Row], may_be_odd: bool) -> None:
        self._rows += rows
        self._may_repeat = True
        self._may_be_odd |= may_be_odd
        if len(self._rows) + len(self._faults) >= AT_A_TIME:
            self.flush()

    def flush(self) -> None:
        """Give the engine what waits for it."""
        rows, faults = self._rows, self._faults
        if not rows and not faults:
            return
        self._rows, self._faults = [], []
        run = self.running()
        if rows:
            times = [*map(itemgetter(3), rows)]
            self.seen.first = min(self.seen.first, min(times))
            self.seen.last = max(self.seen.last, max(times))
        if self._remembers:
            self._remember(rows)
        for fault in faults:
            self.seen.refuse(fault.number, f"{fault.refused.code}: {fault.refused.reason}")
        if self._may_repeat and self._lack_texts:
            rows = [row if row[4] else make_tuple(Incoming, row).whole(_id_of)[:] for row in rows]
        again = run.memory.claim(rows) if self._may_repeat else ()
        if again:
            self.seen.twice += len(again)
            rows = [row for place, row in enumerate(rows) if place not in again]
        odd = self._may_be_odd and _has_odd(rows)
        ids = _id_of if self._lack_texts else None
        self._may_repeat = self._may_be_odd = self._lack_texts = False
        at_a_time = AT_A_TIME if len(rows) >= 2 * AT_A_TIME else max(len(rows), 1)
        for begin in range(0, len(rows), at_a_time):
            self._take(run, rows[begin : begin + at_a_time], odd, ids)
        self._note_refusals(run)
        self.seen.events += len(rows)

    def _take(self, run: Run, rows: Sequence[Row], odd: bool, ids: Callable[[Incoming], str] | None) -> None:
        """Give the engine some events, and measure what comes of them: records of a long case are not there all at
        once. One of them may be ``odd``, and go no short way."""
        events: list[Incoming] = [make_tuple(Incoming, row) for row in rows] if odd else []
        reading = Reading(rows, Reading.of((), events).odd if events else (), ids)
        found = run.take(reading)
        if run.hearer is not None:  # the measures, which have heard all
            self.measures.note(len(rows))
            return
        instants = {row[4]: row[3] for row in rows}
        for caused in found:
            self._measure(caused.values, instants)

    def take_records(self, records: Sequence[Record]) -> None:
        """Measure what has happened already, without the engine."""
        self._measure(records)

    def _measure(self, records: Sequence[Record], instants: Mapping[str, int] = NO_INSTANTS) -> None:
        self.measures.take(records, instants)
        if self._heard is not None:
            for record in records:
                self._heard(record)

    def _note_refusals(self, run: Run) -> None:
        """Count the events that reached no case, and those in which a card number was masked."""
        for refusal in run.refusals:
            self.seen.not_taken[refusal.code] += 1
        run.refusals.clear()

    def _remember(self, rows: Sequence[Row]) -> None:
        """What is known of the subjects whose events come: the last values. Higher strata ask for it at the end."""
        if self.by_subject and self.running().levels == 1:
            last = rows[-1][1] if rows else ""
            self._facts = {last: self._facts[last]} if last in self._facts else {}
        for row in rows:
            if row[7]:
                self._facts.setdefault(row[1], {}).update(row[7])
            else:
                self._facts.setdefault(row[1], {})
        self.measures.facts_of = self._facts

    def finish(self, until: int | None = None) -> None:
        """Let fall due what falls due by ``until`` (by default the latest time read), and count what is open."""
        self.flush()
        run = self.running()
        ending = run.finish(until)
        for caused in sorted(ending.caused, key=attrgetter("order")):
            self._measure(caused.values)
        self._measure(ending.due_values)
        self._note_refusals(run)
        self.measures.finish()

    def open_cases(self) -> Iterator[Case]:
        """The cases that are open now."""
        for stratum in self.running().strata:
            for subject in stratum.subjects.values():
                yield from subject.cases.values()


def taken(begun: Callable[[], Replay], reads: Callable[[bool], tuple[Log, Mapper | None]], hopes: bool) -> Replay:
    """The replay of a log, but for what falls due at its end. Who ``hopes`` reads traces once; where some prove to have
    one name, the replay is ``begun`` anew, and ``reads`` the log to be sure."""
    try:
        return taken_once(begun(), *reads(not hopes))
    except Unsure:
        return taken(begun, reads, False)


def taken_once(replay: Replay, log: Log, mapper: Mapper | None) -> Replay:
    """The same replay, with what a log says. Raises ``Unsure``, after which it is to be thrown away."""
    with log:
        if mapper is not None:
            replay.take_mapped(log, mapper)
        elif isinstance(log, Table):
            replay.take_lines(log)
    return replay


def _sort_by_time(rows: list[Row]) -> None:
    """Put rows in the order of their times, and of their lines where these are the same."""
    times = [row[3] for row in rows]
    if times != sorted(times):
        rows.sort(key=itemgetter(3, 0))


def _id_of(event: Incoming) -> str:
    """The id that the audit makes of an event of a row."""
    return f"{event.subject}/{event.line}/{event.type}"


def _has_odd(rows: Sequence[Row]) -> bool:
    return any(row[8] or (row[7] and None in row[7].values()) for row in rows)


def _is_named(column: str, names: Sequence[str]) -> bool:
    return plain_name(column) in names
