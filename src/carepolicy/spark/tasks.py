"""What the tasks of an audit on Spark do: name the subjects of lines, replay the subjects that they have, and count.

The lowest stratum is replayed in two halves: until its lines are read, and, once the latest time of all lines is known,
what falls due by then. The higher strata are replayed one after the other, each by the tasks that have its subjects.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from carepolicy.audit.mapping import Mapper
from carepolicy.audit.measures import NO_INSTANTS
from carepolicy.audit.replay import Log, Replay, SubjectMemory, opened
from carepolicy.audit.tables import LogFault
from carepolicy.audit.whatif import RoundVerdicts, Sweep, SweptRounds, compared
from carepolicy.audit.xes import Traces
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import MERGE
from carepolicy.machine.bundle import from_bytes
from carepolicy.spark.exports import placed_export
from carepolicy.spark.lines import batch_of, placed, plain_uri, rows_of, subject_and_time
from carepolicy.spark.strata import END_OF_LOG, ByLines, HigherRun, KeyMemory, LowestRun, Message, ordered
from carepolicy.spark.subject import Subjects

if TYPE_CHECKING:
    from pyarrow import RecordBatch

    from carepolicy.audit.export import Owners
    from carepolicy.audit.measures import Round
    from carepolicy.engine.record import Record
    from carepolicy.engine.run import Run
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping

FILE_BITS = 44
"""The number of a line is that of its file, and below it so many bits for its place there: sixteen tebibytes."""

AT_A_TIME = 1_000
"""Rows, subjects or events that go from one stage to the next together."""

LINES = "kind int, subject string, at long, number long, line binary"
"""What goes to the tasks that replay: ``kind`` is one of the next three; ``at`` orders lines where subjects meet, and
says of rows that a mapping reads how many subjects its log has told before."""

OPENS, LINE, ASIDE = range(3)
"""A row says that a flow opens cases of its subject by time; or is of the log; or tells something aside."""

FINDINGS = "kind string, level int, about string, name string, place binary, body binary"
"""What comes of a replay: ``kind`` is a word of the driver's, ``body`` a pickle that only this audit reads. Of a
message, and of facts by the name of their subject, the columns between say for whom it is; of a round of a clock, and
of a text or an object that is exported, where it stands among all."""

MESSAGE, FACTS, OPENING, ROUND, TEXT, OBJECT = "message", "facts", "opening", "round", "text", "object"

ABOUT_ALL = ""
"""What is known of a name, whomever it names: it comes before all messages about it."""

FIRST, THEN, LAST, LEFT = range(4)
"""A log on one machine is replayed by subjects; then come the higher strata, and last what falls due at the end. Cases
that are left open are exported behind that."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every task of an audit is told. ``whole``: one task has all subjects, in the order of time. ``rounds``: each
    round is told; ``sweep`` is the clock of which limits are tried; ``export`` the form (xes or ocel) in which records
    are told, with their ``owners``."""

    bundle: bytes
    paths: tuple[str, ...]
    form: str
    mapping: LogMapping | None
    by: tuple[str, ...]
    columns: tuple[str, ...] = ()
    all_columns: tuple[str, ...] = ()
    whole: bool = False
    rounds: bool = False
    sweep: Sweep | None = None
    export: str | None = None
    owners: Owners = field(default_factory=dict)


Findings = Iterator[tuple[Any, ...]]
"""Rows of ``FINDINGS``; where nothing stands between, a kind and a body."""


def is_table(work: Work) -> bool:
    """Whether the rows of each file stand by themselves; traces and objects may go on in another."""
    return work.form not in ("xes", "ocel")


# -- reading ---------------------------------------------------------------------------------------------------


def lines_of(work: Work, order: dict[str, int], batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """Lines of CloudEvents with their subjects. The number of a line rises along its file; ``order`` has the files by
    plain names."""
    begins = cache(lambda file: order[plain_uri(file)] << FILE_BITS)
    for lines in placed(batches):
        rows = []
        for line, file, number in lines:
            if line:
                subject, time = subject_and_time(line, work.whole)
                rows.append((LINE, subject, -NEVER if time is None else time, begins(file) + number, line))
        yield _line_batch(rows)


def mapped_rows(work: Work, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """The rows of files that a mapping reads, with their subjects; the tasks have the files' numbers."""
    mapper = Mapper(_mapping(work), _bundle(work.bundle), work.form)
    for batch in batches:
        for number in batch.column(0).to_pylist():
            paths = (work.paths[number],) if is_table(work) else work.paths
            begin = number << FILE_BITS
            try:
                with opened(paths, work.form, mapper) as log:
                    yield from _rows_of(log, begin, mapper.mapping.subject, work.columns)
                    of = f"{paths[0]}: " if len(paths) < len(work.paths) else ""  # as of files that are read together
                    refused = [(row, of + why) for row, why in log.refused]
                    aside: Any = refused, log.repeated if isinstance(log, Traces) else 0
            except LogFault as fault:
                aside = str(fault)
            yield _line_batch([(ASIDE, None, 0, begin, pickle.dumps(aside))])


def _rows_of(log: Log, begin: int, subject: str, columns: Sequence[str]) -> Iterator[RecordBatch]:
    waiting: list[tuple[Any, ...]] = []
    for nth, (name, rows) in enumerate(log.groups(subject, columns)):
        waiting += [(LINE, name, nth, begin + row[0], pickle.dumps((begin + row[0], *row[1:]))) for row in rows]
        if len(waiting) >= AT_A_TIME:
            yield _line_batch(waiting)
            waiting.clear()
    yield _line_batch(waiting)


def _line_batch(rows: Sequence[tuple[Any, ...]]) -> RecordBatch:
    import pyarrow

    kinds = pyarrow.int32(), pyarrow.string(), pyarrow.int64(), pyarrow.int64(), pyarrow.binary()
    return batch_of(dict(zip(("kind", "subject", "at", "number", "line"), kinds, strict=True)), rows)


def _mapping(work: Work) -> LogMapping:
    assert work.mapping is not None
    return work.mapping


@cache
def _bundle(packed: bytes) -> Bundle:
    """The set, which a process of Python that works for Spark reads once."""
    return from_bytes(packed)


# -- replaying -------------------------------------------------------------------------------------------------


def found_by(half: Any, work: Work, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """What a part of the replay finds in some rows, as ``FINDINGS``."""
    rows = chain.from_iterable(map(rows_of, batches))
    waiting: list[tuple[Any, ...]] = []
    size = 0
    for found in half(work, rows):
        kind, *between, body = found if len(found) > 2 else (found[0], None, None, None, None, found[1])
        packed = body if isinstance(body, bytes) and kind != "fault" else pickle.dumps(body)
        waiting.append((kind, *between, packed))
        size += len(packed)
        if len(waiting) == AT_A_TIME or size > MOST_BYTES:
            yield _finding_batch(waiting)
            waiting, size = [], 0
    yield _finding_batch(waiting)


MOST_BYTES = 1 << 20


def _finding_batch(rows: Sequence[tuple[Any, ...]]) -> RecordBatch:
    import pyarrow

    text, binary = pyarrow.string(), pyarrow.binary()
    kinds = {"kind": text, "level": pyarrow.int32(), "about": text, "name": text, "place": binary, "body": binary}
    return batch_of(kinds, rows)


class _Part(Replay):
    """The replay of the subjects of one task. It places each round among those of the whole log as one machine would
    come to it, where somebody asks for rounds."""

    def __init__(self, work: Work, run: Run | None = None) -> None:
        told = work.rounds or work.sweep is not None
        self._listens = told or work.export is not None
        exports = None if work.export is None else placed_export(work.export, work.owners)
        heard = None if exports is None else self._heard_of
        super().__init__(_bundle(work.bundle), work.by, self._told if told else None, heard)
        self._remembers = bool(work.by)  # of rounds no other facts are told
        self._run = run
        self._swept = None if work.sweep is None else SweptRounds(work.sweep, self.bundle)
        self._rounds: list[tuple[bytes, Round]] | None = [] if work.rounds else None
        self._prefix: bytes | None = None
        self._places: dict[str, bytes] = {}
        self._place = b""
        self._number = 0
        self.group = b""
        self.exports = exports

    def part_of(self, run: Run) -> None:
        """Let events go through this run."""
        self._run = run

    def _called(self, name: str | None, mapper: Mapper) -> str | None:
        called = super()._called(name, mapper)
        if called is not None and self._listens:
            self._places[called] = self.group
        return called

    def flush(self) -> None:
        """Give the engine what waits for it."""
        super().flush()
        self._places.clear()

    def take_at(self, records: Sequence[Record], prefix: bytes | None) -> None:
        """Measure what happened; ``prefix`` is its place, None where it fell due at the end of the log."""
        self._prefix = ordered(LAST) if prefix is None else prefix
        self._measure(records)
        self._note_refusals(self.running())

    def finish(self, until: int | None = None) -> None:
        """Let fall due what falls due by ``until``, and count what is open."""
        self.flush()
        self._prefix = ordered(LAST)
        super().finish(until)

    def _measure(self, records: Sequence[Record], instants: Mapping[str, int] = NO_INSTANTS) -> None:
        if not self._listens:
            super()._measure(records, instants)
            return
        for record in records:
            self._number += 1
            self._place = self._place_of(record)
            super()._measure((record,), instants)

    def _place_of(self, record: Record) -> bytes:
        if not self.by_subject:
            return ordered(FIRST, self._number)
        if self._prefix is None:
            base = self._places.get(record.subject) or ordered(record.subject)
            return ordered(FIRST) + base + ordered(self._number)
        if self._prefix == ordered(LAST):
            return self._prefix + ordered(record.when, record.subject, record.flow, record.sequence)
        return self._prefix + ordered(self._number)

    def _told(self, each: Round) -> None:
        if self._swept is not None:
            self._swept(each)
        if self._rounds is not None:
            facts = {fact: each.facts[fact] for fact in self.measures.by if fact in each.facts}
            self._rounds.append((self._place, replace(each, facts=facts)))

    def _heard_of(self, record: Record) -> None:
        if self.exports is not None:
            self.exports.take_at(record, self._place)

    def heard(self) -> Findings:
        """The rounds that were told, and what is exported."""
        if self.exports is not None:
            for name, place, text in self.exports.taken():
                kind = TEXT if name is None else OBJECT
                yield kind, None, None, name, place, text.encode("utf-8", "surrogatepass")
        if self._rounds:
            for place, each in self._rounds:
                yield ROUND, None, None, each.subject, place, each
            self._rounds.clear()

    def end_exports(self) -> None:
        """Note that nothing more happens to these subjects."""
        if self.exports is not None:
            self.exports.end(ordered(LEFT))

    def note_running(self, until: int) -> None:
        """Note the rounds that still run at the end, for the limits that are tried."""
        if self._swept is not None:
            self._swept.note_running(self, until)

    def counted(self) -> Findings:
        """The sums; the audit of this part is over."""
        yield from self.heard()
        if self.exports is not None:
            yield "types", self.exports.types
        if self._swept is not None:
            yield "points", [(each.met, each.late) for each in self._swept.points()]
        yield "sums", (self.measures, self.seen)


def _replayed(work: Work, rows: Iterable[tuple[Any, ...]], replay: _Part) -> Findings:
    """Give the rows of the log to a replay, subject by subject (or all of them, where it is the whole); what is aside
    of them, and what the higher strata are to hear, comes back."""
    mapper = None
    if work.mapping is not None:
        mapper = Mapper(work.mapping, replay.bundle, work.form)
        mapper.bind(work.columns, work.all_columns)
    key: Any = (lambda row: row[:1]) if work.whole else itemgetter(0, 1)
    for (kind, *_), found in groupby(rows, key):
        if kind == ASIDE:
            for row in found:
                yield from _aside(pickle.loads(row[4]), replay)
        elif mapper is not None:
            replay.take_groups(_by_subject(found, replay, is_table(work)), mapper, is_table(work))
        else:
            yield from _take_lines(found, replay)
        yield from replay.heard()
        yield from _handed_on(replay)
    if mapper is not None:
        replay.seen.left_out += mapper.skipped
    replay.flush()
    yield from _handed_on(replay)


def _handed_on(replay: _Part) -> Findings:
    run = replay.running()
    if isinstance(run, LowestRun | HigherRun):
        for each in run.handed_on():
            yield MESSAGE, *each


def _by_subject(
    rows: Iterable[tuple[Any, ...]], replay: _Part, by_name: bool
) -> Iterator[tuple[str | None, list[Any]]]:
    for (_, subject), group in groupby(rows, itemgetter(0, 1)):
        rows_of_one = list(group)
        replay.group = ordered(subject or "") if by_name else ordered(rows_of_one[0][2])
        yield subject, [pickle.loads(row[4]) for row in rows_of_one]


def _take_lines(rows: Iterable[tuple[Any, ...]], replay: Replay) -> Findings:
    merge = MERGE.encode()
    lines = []
    for _, _, _, number, line in rows:
        if replay.by_subject and merge in line:
            yield "joins", True
        try:
            lines.append((number, line.decode()))
        except UnicodeDecodeError:
            yield "fault", "a line of the log is not written in UTF-8"
    if lines:
        replay.take_group_of_lines(lines)


def _aside(said: Any, replay: Replay) -> Findings:
    """Rows that a reader refused, and how many traces have the name of another; or why it could not read."""
    if isinstance(said, str):
        yield "fault", said
        return
    refused, repeated = said
    for number, reason in refused:
        replay.seen.refuse(number, reason)
    replay.seen.repeated += repeated


def first_half(work: Work, rows: Iterable[tuple[Any, ...]]) -> Findings:
    """Replay some subjects of the lowest stratum, and keep what is open of them."""
    own, rest = _own_and_rest(iter(rows))
    replay = _Part(work)
    run = LowestRun(replay.bundle, SubjectMemory(), ByLines(), own)
    replay.part_of(run)
    yield from _replayed(work, rest, replay)
    subjects = Subjects(replay.bundle, run.programs)
    waiting = [subjects.freeze(each) for each in run.strata[0].subjects.values() if each.cases or each.timers]
    for begin in range(0, len(waiting), AT_A_TIME):
        yield "subjects", waiting[begin : begin + AT_A_TIME]
    if work.by and run.levels > 1:
        for name, known in replay.measures.facts_of.items():
            facts = {fact: known[fact] for fact in work.by if fact in known}
            if facts:
                yield FACTS, None, ABOUT_ALL, name, b"", facts
    yield "latest", replay.seen.last
    yield "open", replay.measures.hand_over()
    if replay.exports is not None:
        yield "begun", replay.exports.hand_over({str(name) for name in run.strata[0].subjects})
    replay.measures.finish()
    yield from replay.counted()


def _own_and_rest(rows: Iterator[tuple[Any, ...]]) -> tuple[frozenset[str], Iterator[tuple[Any, ...]]]:
    """The subjects of which cases are opened by time, whose rows come first; and all other rows."""
    own: set[str] = set()
    for row in rows:
        if row[0] != OPENS:
            return frozenset(own), chain((row,), rows)
        own.add(row[1])
    return frozenset(own), iter(())


def second_half(work: Work, rows: Iterable[tuple[Any, ...]], until: int) -> Findings:
    """Let fall due what falls due by ``until`` of the subjects that the first half has kept."""
    replay = _Part(work)
    run = LowestRun(replay.bundle, SubjectMemory(), ByLines())
    replay.part_of(run)
    subjects = Subjects(replay.bundle, run.programs)
    for kind, *_, body in rows:
        if kind == "subjects":
            for each in pickle.loads(body):
                subjects.thaw(each, run.strata[0])
        elif kind == "begun" and replay.exports is not None:
            replay.exports.go_on(pickle.loads(body))
        else:
            replay.measures.go_on(*pickle.loads(body))
    replay.finish(until)
    replay.end_exports()
    yield from _handed_on(replay)
    replay.note_running(until)
    yield from replay.counted()


def higher_stratum(work: Work, rows: Iterable[tuple[Any, ...]], level: int, until: int) -> Findings:
    """Replay the subjects of a higher stratum, name by name: what is said to them, and what falls due by ``until``."""
    replay = _Part(work)
    memory = KeyMemory()
    run = HigherRun(replay.bundle, level, memory, ByLines())
    replay.part_of(run)
    for name, messages in groupby(rows, itemgetter(3)):
        replay.measures.facts_of = {}
        for kind, _, about, _, place, body in messages:
            if kind == FACTS:
                replay.measures.facts_of = {name: pickle.loads(body)}
            elif kind == OPENING:
                run.open_by_time(name)
            else:
                records = run.hear(Message(level, about, name, place, body))
                at_the_end = place[8:16] == END_OF_LOG
                before = None if at_the_end else ordered(THEN, level) + place + ordered(run.route)
                replay.take_at(records, before)
        replay.take_at(run.let_fall_due(until), None)
        replay.note_running(until)
        replay.end_exports()
        yield from replay.heard()
        yield from _handed_on(replay)
        memory.forget()
    replay.measures.finish()
    yield from replay.counted()


def all_at_once(work: Work, rows: Iterable[tuple[Any, ...]], until: int | None) -> Findings:
    """Replay the whole log, in the order of time."""
    replay = _Part(work)
    replay.by_subject = False
    replay.part_of(replay.begun())
    yield from _replayed(work, rows, replay)
    replay.finish(until)
    replay.end_exports()
    replay.note_running(replay.seen.last if until is None else until)
    yield from replay.counted()


def differing(batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """The rounds that two sets decided otherwise, a pickle each; of the rounds of each subject in their order there is
    whether they are of the second set, the subject, and the round."""
    import pyarrow

    rows = chain.from_iterable(map(rows_of, batches))
    for _, found in groupby(rows, itemgetter(1)):
        both = RoundVerdicts(), RoundVerdicts()
        for second, _, body in found:
            both[second](pickle.loads(body))
        told = [(pickle.dumps(each),) for each in compared(*both)]
        if told:
            yield batch_of({"body": pyarrow.binary()}, told)
