"""An audit on Spark: the lines of a log go to the tasks that have their subjects, each task replays its subjects by the
engine that replays them on one machine, and what the tasks count is added up.

The stages: tasks read parts of the log and name the subject of each line; the lines are shuffled by subject and sorted;
tasks replay them and keep what is open (the first half); when the latest time of all is known, what falls due by then
does (the second half). What flows raise to others, or watches count, goes to the tasks that have the subjects of the
next stratum, and so on up to the highest. The driver adds up, and has each round that somebody asks for pass by.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from carepolicy.audit.export import END_OF_TRACES, form_of, joined, rest_of_objects
from carepolicy.audit.mapping import Mapper
from carepolicy.audit.replay import Replay, columns_for, opened
from carepolicy.audit.tables import LogFault
from carepolicy.audit.whatif import Point
from carepolicy.engine.instants import NEVER
from carepolicy.machine.bundle import to_bytes
from carepolicy.spark import tasks
from carepolicy.spark.lines import as_uri, plain_uri
from carepolicy.spark.session import session, told_plainly
from carepolicy.spark.strata import SUBJECT, WATCH, higher_strata, opened_by_time, watches_of_several
from carepolicy.spark.tasks import FACTS, FINDINGS, LINES, MESSAGE, OBJECT, OPENING, OPENS, ROUND, TEXT, Work, found_by

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from carepolicy.audit.export import Owners
    from carepolicy.audit.measures import Round
    from carepolicy.audit.tables import Begin
    from carepolicy.audit.whatif import Differs, Sweep
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping

SUMS = ("sums", "points", "types", "fault")
"""What the driver adds up."""


@dataclass(frozen=True, slots=True)
class ClusterLog:
    """The files of a log, and how they become events; ``by`` names facts by which rounds are counted, ``until`` is when
    the log ends (microseconds since 1970; None: with its last event). ``say`` hears what is worth a note, ``watch``
    which part of the work begins."""

    paths: Sequence[str]
    form: str
    mapping: LogMapping | None
    by: Sequence[str]
    until: int | None
    say: Callable[[str], None]
    watch: Begin | None = None

    def work(self, bundle: Bundle) -> Work:
        """What tasks are told of it, with the columns that the mapping reads. Raises ``LogFault``."""
        work = Work(to_bytes(bundle), tuple(self.paths), self.form, self.mapping, tuple(self.by))
        if self.mapping is None:
            return work
        mapper = Mapper(self.mapping, bundle, self.form)
        with opened(self.paths, self.form, mapper) as log:
            columns = columns_for(mapper, log)
            return replace(work, columns=tuple(columns), all_columns=tuple(log.columns or columns))


@dataclass(frozen=True, slots=True)
class Aside:
    """What is told of an audit beside its sums: ``told`` hears of each round, in the order in which one machine would
    come to it; ``export`` is a file of records for others' tools, with their ``owners``."""

    told: Callable[[Round], None] | None = None
    export: str | None = None
    owners: Owners = field(default_factory=dict)

    def asked(self, work: Work) -> Work:
        """The work, with what tasks tell of it."""
        form = None if self.export is None else form_of(self.export)
        return replace(work, rounds=work.rounds or self.told is not None, export=form, owners=self.owners)

    def tell(self, replay: _Whole, parts: Sequence[DataFrame]) -> None:
        """Tell it, of what tasks have found."""
        if self.told is not None:
            for row in _of_kind(parts, ROUND).orderBy("place").select("body").toLocalIterator():
                self.told(pickle.loads(row.body))
        if self.export is not None:
            texts = _texts(_of_kind(parts, TEXT).orderBy("place"))
            joined(self.export, texts, self._rest(replay, parts))

    def _rest(self, replay: _Whole, parts: Sequence[DataFrame]) -> str:
        """With what the file ends."""
        from pyspark.sql import functions

        if self.export is None or form_of(self.export) == "xes":
            return END_OF_TRACES
        first = functions.min(functions.struct("place", "body")).alias("first")
        objects = _of_kind(parts, OBJECT).groupBy("name").agg(first).orderBy("first.place")
        found = objects.selectExpr("name", "CAST(first.body AS string) AS type").toLocalIterator()
        return rest_of_objects(replay.types, {row.name: row.type for row in found})


NOTHING_ASIDE = Aside()


def replayed_on_spark(bundle: Bundle, log: ClusterLog, aside: Aside = NOTHING_ASIDE) -> Replay:
    """The replay of a log on the cluster of Spark's session.

    Raises ``LogFault`` where the log cannot be read, ``SparkFault`` where Spark cannot do it, and ``ExportFault``.
    """
    with _replayed(bundle, log, aside.asked(log.work(bundle))) as (replay, parts):
        aside.tell(replay, parts)
    return replay


def compared_on_spark(
    bundle: Bundle, earlier: Bundle, log: ClusterLog, aside: Aside = NOTHING_ASIDE
) -> tuple[Replay, list[Differs]]:
    """The replay of a log, and the rounds that another set would have decided otherwise, by flow, clock and subject."""
    once, twice = replace(log, by=()), log
    before, after = (replace(each, rounds=True) for each in (once.work(earlier), aside.asked(twice.work(bundle))))
    with _replayed(earlier, once, before) as (_, old), _replayed(bundle, twice, after) as (replay, new):
        before_and_after = ("false", _of_kind(old, ROUND)), ("true", _of_kind(new, ROUND))
        both = _union([rounds.selectExpr(f"{second} AS second", "*") for second, rounds in before_and_after])
        by_name = both.repartition("name").sortWithinPartitions("name", "place").select("second", "name", "body")
        rows = by_name.mapInArrow(tasks.differing, "body binary").toLocalIterator()
        found: list[Differs] = [pickle.loads(row.body) for row in rows]
        aside.tell(replay, new)
    return replay, sorted(found, key=lambda each: (each.flow, each.clock, each.subject, each.number))


def swept_on_spark(bundle: Bundle, log: ClusterLog, sweep: Sweep) -> list[Point]:
    """What each of several limits on a clock would have given; ``bundle`` has the longest of them."""
    work = replace(log.work(bundle), sweep=sweep)
    with _replayed(bundle, log, work) as (replay, _):
        return replay.points(sweep)


@contextmanager
def _replayed(bundle: Bundle, log: ClusterLog, work: Work) -> Iterator[tuple[_Whole, list[DataFrame]]]:
    """The replay of a log, and what its tasks have found, which is kept until the block ends."""
    spark = session()
    with told_plainly():
        shared = _Shared(spark, work, bundle, log.watch)
        try:
            found = shared.replay(log.until)
            if found is None:
                log.say("carepolicy: the log joins subjects: one task of Spark replays it all")
                shared.let_go()
                shared = _Shared(spark, replace(work, whole=True), bundle, log.watch)
                found = shared.replay_whole(log.until)
            yield found, shared.parts
        finally:
            shared.let_go()


def _of_kind(parts: Sequence[DataFrame], kind: str) -> DataFrame:
    """What tasks have told of one kind, with its names and places."""
    return _union([each.where(f"kind = '{kind}'").select("name", "place", "body") for each in parts])


def _texts(rows: DataFrame) -> Iterator[str]:
    return (bytes(row.body).decode("utf-8", "surrogatepass") for row in rows.select("body").toLocalIterator())


def _union(parts: Sequence[DataFrame]) -> DataFrame:
    whole, *others = parts
    for each in others:
        whole = whole.unionByName(each)
    return whole


class _Whole(Replay):
    """What all tasks have counted, added up."""

    def __init__(self, bundle: Bundle, by: Sequence[str]) -> None:
        super().__init__(bundle, by)
        self.types: dict[str, set[str]] = {}
        self._points: list[tuple[int, int]] = []

    def add(self, kind: str, body: Any) -> None:
        """Add what a task has counted. Raises ``LogFault`` where it could not read."""
        if kind == "fault":
            raise LogFault(body)
        if kind == "points":
            before = self._points or [(0, 0)] * len(body)
            self._points = [(met + more, late + later) for (met, late), (more, later) in zip(before, body, strict=True)]
        elif kind == "types":
            for name, attributes in body.items():
                self.types.setdefault(name, set()).update(attributes)
        elif kind == "sums":
            measures, seen = body
            self.measures.add(measures)
            self.seen.add(seen)

    def points(self, sweep: Sweep) -> list[Point]:
        """What each limit would have given."""
        counts = zip(sweep.lengths, self._points, strict=True)
        return [Point(words, length, met, late) for (length, words), (met, late) in counts]


class _Shared:
    """One audit, as the driver sees it. ``parts`` are what its tasks have found, stage by stage."""

    def __init__(self, spark: SparkSession, work: Work, bundle: Bundle, watch: Begin | None) -> None:
        self.parts: list[DataFrame] = []
        self._spark = spark
        self._work = work
        self._bundle = bundle
        self._begin: Begin = watch or (lambda part, total: lambda done: None)

    def let_go(self) -> None:
        """Let go of what was found."""
        for each in self.parts:
            each.unpersist()

    def replay(self, until: int | None) -> _Whole | None:
        """The replay, shared among tasks; None where the log joins subjects, which concerns all of them."""
        self._begin("events on Spark", 0)
        lines = self._log().unionByName(self._openers()).repartition("subject")
        first = self._found(lines.sortWithinPartitions("kind", "subject", "number"), tasks.first_half)
        told = [(row.kind, pickle.loads(row.body)) for row in _of_kinds(first, ("latest", "fault", "joins")).collect()]
        for kind, value in told:
            if kind == "fault":
                raise LogFault(value)
        if any(kind == "joins" for kind, _ in told):
            return None
        end = max((value for kind, value in told if kind == "latest"), default=-NEVER) if until is None else until
        self._begin("what falls due", 0)
        self._found(_of_kinds(first, ("subjects", "open", "begun")), partial(tasks.second_half, until=end))
        for level in higher_strata(self._bundle):
            heard = self._heard_by(level).repartition("name").sortWithinPartitions("name", "about", "place")
            self._found(heard, partial(tasks.higher_stratum, level=level, until=end))
        return self._added()

    def replay_whole(self, until: int | None) -> _Whole:
        """The replay by one task."""
        order = ("at", "number") if self._work.mapping is None else ("subject", "number")
        lines = self._log().repartition(1).sortWithinPartitions("kind", *order)
        self._found(lines, partial(tasks.all_at_once, until=until))
        return self._added()

    def _found(self, rows: DataFrame, part: Any) -> DataFrame:
        """What a part of the replay finds in some rows; it is kept on the executors' disks."""
        from pyspark import StorageLevel

        found = rows.mapInArrow(partial(found_by, part, self._work), FINDINGS).persist(StorageLevel.DISK_ONLY)
        self.parts.append(found)
        return found

    def _added(self) -> _Whole:
        whole = _Whole(self._bundle, self._work.by)
        for row in _union([_of_kinds(each, SUMS) for each in self.parts]).toLocalIterator():
            whole.add(row.kind, pickle.loads(row.body))
        return whole

    def _log(self) -> DataFrame:
        """The rows of the log, as ``LINES``."""
        work = self._work
        if work.mapping is not None:
            files = len(work.paths) if tasks.is_table(work) else 1  # traces and objects of several files are one log
            return self._spark.range(0, files, 1, files).mapInArrow(partial(tasks.mapped_rows, work), LINES)
        text = self._spark.read.text([as_uri(path) for path in work.paths])
        order = _in_order(work.paths, text.inputFiles())
        columns = "CAST(value AS binary) AS line", "_metadata.file_path AS file", "_metadata.file_block_start AS begin"
        return text.selectExpr(*columns).mapInArrow(partial(tasks.lines_of, work, order), LINES)

    def _openers(self) -> DataFrame:
        """A row for each subject of the lowest stratum of which a flow opens cases by time."""
        opens = [(OPENS, name, 0, 0, b"") for name in opened_by_time(self._bundle, 0)]
        return self._spark.createDataFrame(opens, LINES)

    def _heard_by(self, level: int) -> DataFrame:
        """What a stratum hears of those below it, what is known of whom it may concern, and whom its flows open cases
        of by time."""
        messages = _union([each.where(f"kind = '{MESSAGE}' AND level = {level}") for each in self.parts])
        opens = [(OPENING, level, SUBJECT, name, b"", b"") for name in opened_by_time(self._bundle, level)]
        heard = [self._counted_once(messages, level), self._spark.createDataFrame(opens, FINDINGS)]
        return _union([*heard, _of_kinds(self.parts[0], (FACTS,))] if self._work.by else heard)

    def _counted_once(self, messages: DataFrame, level: int) -> DataFrame:
        """Messages without those of events that a watch has counted by another case already."""
        from pyspark.sql import Window
        from pyspark.sql.functions import row_number

        levels = {each.name: each.stratum for each in self._bundle.watches}
        several = [WATCH + name for name in watches_of_several(self._bundle) if levels[name] == level]
        if not several:
            return messages
        counted = messages.about.isin(several)
        first = row_number().over(Window.partitionBy("about", "body").orderBy("place"))
        once = messages.where(counted).withColumn("nth", first).where("nth = 1").drop("nth")
        return messages.where(~counted).unionByName(once)


def _of_kinds(found: DataFrame, kinds: Sequence[str]) -> DataFrame:
    return found.where(found.kind.isin(*kinds))


def _in_order(paths: Sequence[str], files: Iterable[str]) -> dict[str, int]:
    """The numbers of files, which may stand in the folders that are ``paths``, in the order of those."""
    places = [plain_uri(as_uri(path)) for path in paths]

    def key(file: str) -> tuple[int, str]:
        name = plain_uri(file)
        found = (place for place, path in enumerate(places) if name == path or name.startswith(path.rstrip("/") + "/"))
        return next(found, len(places)), name

    return {plain_uri(file): number for number, file in enumerate(sorted(files, key=key))}
