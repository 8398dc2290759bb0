"""An audit on Spark: the lines of a log go to the tasks that have their subjects, each task replays its subjects by the
engine that replays them on one machine, and what the tasks count is added up.

The stages: tasks read parts of the log and name the subject of each line; the lines are shuffled by subject and sorted;
tasks replay them and keep what is open (the first half); when the latest time of all is known, what falls due by then
does (the second half). What flows raise to others, or watches count, concerns subjects of other tasks: it comes to the
driver, which works on the higher strata in the order of time, as an audit of several processes on one machine does.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from carepolicy.audit.mapping import Mapper
from carepolicy.audit.replay import Log, Replay, SubjectMemory, columns_for, opened
from carepolicy.audit.tables import LogFault
from carepolicy.audit.xes import Traces
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import AT_THE_END, MERGE
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import from_bytes, to_bytes
from carepolicy.spark.lines import as_uri, batch_of, placed, subject_and_time
from carepolicy.spark.session import session, told_plainly
from carepolicy.spark.subject import Subjects

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame, SparkSession

    from carepolicy.audit.tables import Begin
    from carepolicy.engine.case import Raised
    from carepolicy.engine.run import Waiting
    from carepolicy.engine.stratum import CountedEvent
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping

FILE_BITS = 44
"""The number of a line is that of its file, and below it so many bits for its place there: sixteen tebibytes."""

AT_A_TIME = 1_000
"""Rows, subjects or events that go from one stage to the next together."""

LINES = "kind int, subject string, at long, number long, line binary"
"""What goes to the tasks that replay: ``kind`` is one of the next three; ``at`` orders lines where subjects meet."""

OPENS, LINE, ASIDE = range(3)
"""A row says that a flow opens cases of its subject by time; or is of the log; or tells something aside."""

FINDINGS = "kind string, body binary"
"""What comes of a replay: ``kind`` is a word of the driver's, ``body`` a pickle that only this audit reads."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every task of an audit is told. ``whole``: one task has all subjects, in the order of time."""

    bundle: bytes
    paths: tuple[str, ...]
    form: str
    mapping: LogMapping | None
    by: tuple[str, ...]
    columns: tuple[str, ...] = ()
    all_columns: tuple[str, ...] = ()
    whole: bool = False


Findings = Iterator[tuple[str, Any]]


def replayed_on_spark(
    bundle: Bundle, paths: Sequence[str], form: str, mapping: LogMapping | None, by: Sequence[str], until: int | None,
    say: Callable[[str], None], watch: Begin | None = None,
) -> Replay:  # fmt: skip
    """The replay of some logs on the cluster of Spark's session. ``say`` hears what is worth a note, ``watch`` which
    part of the work begins.

    Raises ``LogFault`` where a log cannot be read, and ``SparkFault`` where Spark cannot do it.
    """
    spark = session()
    work = _prepared(Work(to_bytes(bundle), tuple(paths), form, mapping, tuple(by)), bundle)
    with told_plainly():
        found = _Shared(spark, work, bundle, watch).replay(until)
        if found is None:
            say("carepolicy: the log joins subjects: one task of Spark replays it all")
            found = _Shared(spark, replace(work, whole=True), bundle, watch).replay_whole(until)
    return found


def _prepared(work: Work, bundle: Bundle) -> Work:
    """The work, with the columns that its mapping reads. Raises ``LogFault``."""
    if work.mapping is None:
        return work
    mapper = Mapper(work.mapping, bundle, work.form)
    with opened(work.paths, work.form, mapper) as log:
        columns = columns_for(mapper, log)
        return replace(work, columns=tuple(columns), all_columns=tuple(log.columns or columns))


def _is_table(work: Work) -> bool:
    return work.form not in ("xes", "ocel")


# -- the driver ------------------------------------------------------------------------------------------------


class _Shared:
    """One audit, as the driver sees it."""

    def __init__(self, spark: SparkSession, work: Work, bundle: Bundle, watch: Begin | None) -> None:
        self._spark = spark
        self._work = work
        self._bundle = bundle
        self._begin: Begin = watch or (lambda part, total: lambda done: None)

    def replay(self, until: int | None) -> Replay | None:
        """The replay, shared among tasks; None where the log joins subjects, which concerns all of them."""
        from pyspark import StorageLevel

        self._begin("events on Spark", 0)
        lines = self._log().unionByName(self._openers()).repartition("subject")
        sorted_lines = lines.sortWithinPartitions("kind", "subject", "number")
        first = sorted_lines.mapInArrow(partial(_arrow, _first_half, self._work), FINDINGS)
        first = first.persist(StorageLevel.DISK_ONLY)
        try:
            rows = first.where("kind IN ('latest', 'fault', 'joins')").collect()
            told = [(row.kind, pickle.loads(row.body)) for row in rows]
            for kind, value in told:
                if kind == "fault":
                    raise LogFault(value)
            if any(kind == "joins" for kind, _ in told):
                return None
            end = max((value for kind, value in told if kind == "latest"), default=-NEVER) if until is None else until
            self._begin("what falls due", 0)
            second = first.mapInArrow(partial(_arrow, partial(_second_half, until=end), self._work), FINDINGS)
            return self._added(second, end)
        finally:
            first.unpersist()

    def replay_whole(self, until: int | None) -> Replay:
        """The replay by one task."""
        order = ("at", "number") if self._work.mapping is None else ("subject", "number")
        lines = self._log().repartition(1).sortWithinPartitions("kind", *order)
        done = lines.mapInArrow(partial(_arrow, partial(_all_at_once, until=until), self._work), FINDINGS)
        whole = Replay(self._bundle, self._work.by)
        for row in done.toLocalIterator():
            _add(whole, row.kind, pickle.loads(row.body))
        return whole

    def _log(self) -> DataFrame:
        """The rows of the log, as ``LINES``."""
        work = self._work
        if work.mapping is not None:
            tasks = len(work.paths) if _is_table(work) else 1  # traces and objects of several files are one log
            files = self._spark.range(0, tasks, 1, tasks)
            return files.mapInArrow(partial(_mapped_rows, work), LINES)
        text = self._spark.read.text([as_uri(path) for path in work.paths])
        order = _in_order(work.paths, text.inputFiles())
        columns = "CAST(value AS binary) AS line", "_metadata.file_path AS file", "_metadata.file_block_start AS begin"
        return text.selectExpr(*columns).mapInArrow(partial(_lines, work, order), LINES)

    def _openers(self) -> DataFrame:
        """A row for each subject of which a flow opens cases by time."""
        names = {each.every.subject for each in self._bundle.programs if each.every is not None and not each.stratum}
        rows = [(OPENS, name, 0, 0, b"") for name in sorted(names)]
        return self._spark.createDataFrame(rows, LINES)

    def _added(self, second: DataFrame, until: int) -> Replay:
        """What the tasks have counted, and what the higher strata make of what they were handed."""
        whole = Replay(self._bundle, self._work.by)
        facts: dict[str, dict[str, Any]] = {}
        run = whole.running()
        run.strata[0].subjects.clear()
        raised_at_the_end: list[Raised] = []
        for row in second.toLocalIterator():
            kind, body = row.kind, pickle.loads(row.body)
            if kind == "waiting":
                for level, waiting in body:
                    run.wait(level, waiting)
            elif kind == "counted":
                for counted in body:
                    run.count(0, counted)
            elif kind == "raised":
                raised_at_the_end += body
            elif kind == "facts":
                facts.update(body)
            else:
                _add(whole, kind, body)
        run.hand_on_raised(0, raised_at_the_end, AT_THE_END)
        whole.measures.facts_of = facts
        whole.finish(until)
        return whole


def _add(whole: Replay, kind: str, body: Any) -> None:
    if kind == "fault":
        raise LogFault(body)
    if kind == "sums":
        measures, seen = body
        whole.measures.add(measures)
        whole.seen.add(seen)


def _in_order(paths: Sequence[str], files: Iterable[str]) -> dict[str, int]:
    """The numbers of files, which may stand in the folders that are ``paths``, in the order of those."""
    places = [_plain(as_uri(path)) for path in paths]

    def key(file: str) -> tuple[int, str]:
        name = _plain(file)
        found = (place for place, path in enumerate(places) if name == path or name.startswith(path.rstrip("/") + "/"))
        return next(found, len(places)), name

    return {_plain(file): number for number, file in enumerate(sorted(files, key=key))}


def _plain(uri: str) -> str:
    """A URI without what differs between writings of one: ``file:/a`` is ``file:///a``."""
    scheme, _, rest = unquote(uri).partition(":")
    return f"{scheme}:{rest if rest.startswith('//') and not rest.startswith('///') else '/' + rest.lstrip('/')}"


# -- tasks that read -------------------------------------------------------------------------------------------


def _lines(work: Work, order: dict[str, int], batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """Lines of CloudEvents with their subjects. The number of a line rises along its file."""
    begins = cache(lambda file: order[_plain(file)] << FILE_BITS)
    for lines in placed(batches):
        rows = []
        for line, file, number in lines:
            if line:
                subject, time = subject_and_time(line, work.whole)
                rows.append((LINE, subject, -NEVER if time is None else time, begins(file) + number, line))
        yield _line_batch(rows)


def _mapped_rows(work: Work, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """The rows of files that a mapping reads, with their subjects; the tasks have the files' numbers."""
    mapper = Mapper(_mapping(work), _bundle(work.bundle), work.form)
    for batch in batches:
        for number in batch.column(0).to_pylist():
            paths = (work.paths[number],) if _is_table(work) else work.paths
            begin = number << FILE_BITS
            try:
                with opened(paths, work.form, mapper) as log:
                    yield from _rows_of(log, begin, mapper.mapping.subject, work.columns)
                    aside: Any = list(log.refused), log.repeated if isinstance(log, Traces) else 0
            except LogFault as fault:
                aside = str(fault)
            yield _line_batch([(ASIDE, None, 0, begin, pickle.dumps(aside))])


def _rows_of(log: Log, begin: int, subject: str, columns: Sequence[str]) -> Iterator[RecordBatch]:
    waiting: list[tuple[Any, ...]] = []
    for name, rows in log.groups(subject, columns):
        waiting += [(LINE, name, 0, begin + row[0], pickle.dumps((begin + row[0], *row[1:]))) for row in rows]
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


# -- tasks that replay -----------------------------------------------------------------------------------------


def _arrow(half: Any, work: Work, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """What a half of the replay finds in some rows, as ``FINDINGS``."""
    import pyarrow

    kinds = {"kind": pyarrow.string(), "body": pyarrow.binary()}
    rows = (row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns), strict=True))
    for kind, body in half(work, rows):
        yield batch_of(kinds, [(kind, _packed(kind, body))])


def _packed(kind: str, body: Any) -> bytes:
    return body if isinstance(body, bytes) and kind != "fault" else pickle.dumps(body)


class _LowestRun(Run):
    """The run of one task: its subjects of the lowest stratum. What concerns higher ones is kept, to be handed over."""

    def __init__(self, bundle: Bundle, own: frozenset[str]) -> None:
        self.counted: list[CountedEvent] = []
        self.raised_at_the_end: list[Raised] = []
        super().__init__(bundle, memory=SubjectMemory(), owns=own.__contains__)
        for stratum in self.strata[1:]:
            stratum.subjects.clear()

    def count(self, level: int, counted: CountedEvent) -> None:
        """Keep an event that watches may count."""
        self.counted.append(counted)

    def hand_on_raised(self, level: int, raised: Sequence[Raised], line: int) -> None:
        """Keep what timers raise at the end apart: its order is that of all tasks together."""
        if line == AT_THE_END:
            self.raised_at_the_end += raised
        else:
            super().hand_on_raised(level, raised, line)


class _Part(Replay):
    """The replay of the subjects of one task; those in ``own`` open cases by time."""

    def __init__(self, work: Work, own: frozenset[str] = frozenset()) -> None:
        super().__init__(_bundle(work.bundle), work.by)
        self._own = own
        self._known: dict[str, dict[str, Any]] = {}

    def begun(self) -> _LowestRun:
        """A run of the lowest stratum."""
        self.lowest = _LowestRun(self.bundle, self._own)
        return self.lowest

    def handed(self, least: int) -> Findings:
        """What there is for the higher strata, where it is ``least`` or more."""
        waiting: list[tuple[int, Waiting]] = self.lowest.waiting() if self.lowest.levels > 1 else []
        if waiting:
            yield "waiting", waiting
        if len(self.lowest.counted) > least:
            yield "counted", self.lowest.counted
            self.lowest.counted.clear()


def _replayed(work: Work, rows: Iterable[tuple[Any, ...]], replay: Replay) -> Findings:
    """Give the rows of the log to a replay, subject by subject (or all of them, where it is the whole); what is aside
    of them comes back."""
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
            replay.take_groups(_by_subject(found), mapper, _is_table(work))
        else:
            yield from _take_lines(found, replay)
        if isinstance(replay, _Part):
            yield from replay.handed(AT_A_TIME)
    if mapper is not None:
        replay.seen.left_out += mapper.skipped
    replay.flush()


def _by_subject(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str | None, list[Any]]]:
    for (_, subject), group in groupby(rows, itemgetter(0, 1)):
        yield subject, [pickle.loads(row[4]) for row in group]


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


def _first_half(work: Work, rows: Iterable[tuple[Any, ...]]) -> Findings:
    """Replay some subjects, and keep what is open of them."""
    own, rest = _own_and_rest(iter(rows))
    replay = _Part(work, own)
    run = replay.running()
    yield from _replayed(work, rest, replay)
    yield from replay.handed(0)
    subjects = Subjects(replay.bundle, run.programs)
    waiting = [subjects.freeze(each) for each in run.strata[0].subjects.values() if each.cases or each.timers]
    for begin in range(0, len(waiting), AT_A_TIME):
        yield "subjects", waiting[begin : begin + AT_A_TIME]
    if work.by and run.levels > 1:
        wanted = frozenset(work.by)
        known = replay.measures.facts_of
        yield "facts", {name: {fact: facts[fact] for fact in wanted & facts.keys()} for name, facts in known.items()}
    yield "latest", replay.seen.last
    yield "open", replay.measures.hand_over()
    replay.measures.finish()
    yield "sums", (replay.measures, replay.seen)


def _own_and_rest(rows: Iterator[tuple[Any, ...]]) -> tuple[frozenset[str], Iterator[tuple[Any, ...]]]:
    """The subjects of which cases are opened by time, whose rows come first; and all other rows."""
    own: set[str] = set()
    for row in rows:
        if row[0] != OPENS:
            return frozenset(own), chain((row,), rows)
        own.add(row[1])
    return frozenset(own), iter(())


def _second_half(work: Work, rows: Iterable[tuple[Any, ...]], until: int) -> Findings:
    """Let fall due what falls due by ``until`` of the subjects that the first half has kept."""
    replay = _Part(work)
    run = replay.running()
    subjects = Subjects(replay.bundle, run.programs)
    for kind, body in rows:
        if kind == "subjects":
            for each in pickle.loads(body):
                subjects.thaw(each, run.strata[0])
        elif kind == "open":
            replay.measures.go_on(*pickle.loads(body))
        elif kind != "latest":
            yield kind, body
    replay.finish(until)
    yield from replay.handed(0)
    if replay.lowest.raised_at_the_end:
        yield "raised", replay.lowest.raised_at_the_end
    yield "sums", (replay.measures, replay.seen)


def _all_at_once(work: Work, rows: Iterable[tuple[Any, ...]], until: int | None) -> Findings:
    """Replay the whole log, in the order of time."""
    replay = Replay(_bundle(work.bundle), work.by)
    replay.by_subject = False
    yield from _replayed(work, rows, replay)
    replay.finish(until)
    yield "sums", (replay.measures, replay.seen)
