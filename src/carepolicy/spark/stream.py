"""A stream of events on Spark: each subject is a key with its cases as state and one timer, at the earliest instant at
which anything of it falls due.

Time is that of the events: timers fire when the latest time of all events, less how late events may come, has passed
their instant. What happens to a subject is what ``Run`` makes of its events, taken in the order of time of each batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import msgpack

from carepolicy.engine import codes
from carepolicy.engine.cards import SHORTEST, names_card
from carepolicy.engine.case import Subject
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import MERGE, Incoming, is_too_long
from carepolicy.engine.memory import ProcessMemory
from carepolicy.engine.record import text_of_all
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import from_bytes, to_bytes
from carepolicy.spark.lines import as_uri, batch_of, placed, subject_and_time
from carepolicy.spark.session import SparkFault, session, told_plainly
from carepolicy.spark.subject import Subjects

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame, SparkSession

    from carepolicy.engine.intake import Row
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle

KAFKA = "kafka://"

EVENTS = "subject string, at long, time timestamp, place string, line binary"
"""Events with their subjects: ``at`` is the time (microseconds since 1970), ``place`` orders those of one instant."""

STATE = "body binary, timer long"
"""What is remembered of a subject, and when its timer rings (milliseconds since 1970; 0: it has none)."""

MILLISECOND = 1_000


class OtherSetError(Exception):
    """A stream goes on from a checkpoint of another policy set."""


@dataclass(frozen=True, slots=True)
class Stream:
    """From where events come, whereto records go, and where the stream remembers what it has done: folders, as Spark
    names them, or for events ``kafka://HOST:PORT/TOPIC``. ``late`` is how late events may come (milliseconds);
    ``files`` how many are taken in one batch (0: all that are there); ``once``: end when all that is there is done."""

    source: str
    records: str
    checkpoint: str
    late: int
    files: int = 0
    once: bool = False


def streamed(bundle: Bundle, stream: Stream) -> str | None:
    """Run events through a policy set until the stream ends: by itself with ``once``, or else by Ctrl-C. What falls due
    before the time that is given back (ISO 8601) has happened by then; None where no event has told one.

    Raises ``SparkFault`` where Spark cannot do it, or the set needs more than each subject's own events.
    """
    demand_one_stratum(bundle)
    spark = session()
    spark.conf.set(
        "spark.sql.streaming.stateStore.providerClass",
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    )
    with told_plainly():
        records = _records(spark, bundle, stream)
        writer = records.writeStream.format("text").option("path", as_uri(stream.records))
        writer = writer.option("checkpointLocation", as_uri(stream.checkpoint))
        query = (writer.trigger(availableNow=True) if stream.once else writer).start()
        try:
            query.awaitTermination()
        finally:
            query.stop()
        last: Any = query.lastProgress
        return None if last is None else last["eventTime"].get("watermark")


def demand_one_stratum(bundle: Bundle) -> None:
    """Raise ``SparkFault`` where a set has flows that hear of other subjects, or watches: their events come from many
    keys."""
    above = [each.flow for each in bundle.programs if each.stratum] + [each.name for each in bundle.watches]
    if above:
        raise SparkFault(
            f"a stream has each subject by itself, and {', '.join(sorted(above))} "
            f"{'hears' if len(above) == 1 else 'hear'} of other subjects, by a fact, a raised event or a count: "
            "run this set on a store (carepolicy run --store), or stream one without"
        )


def files_of(records: str) -> list[str]:
    """The files of a stream's records that count, in the order of their batches: those that its log names. Others are
    left by a batch that was broken off, and stand in one that counts too.

    Raises ``SparkFault`` where the folder, which is one of this machine, has no such log.
    """
    log = os.path.join(records, "_spark_metadata")
    try:
        names = [each for each in os.listdir(log) if each.removesuffix(".compact").isdecimal()]
        compact = max((int(each.removesuffix(".compact")) for each in names if each.endswith(".compact")), default=-1)
        batches = sorted(int(each) for each in names if each.isdecimal() and int(each) > compact)
        logs = [f"{compact}.compact"] if compact >= 0 else []
        found: list[str] = []
        for name in (*logs, *map(str, batches)):
            with open(os.path.join(log, name), "rb") as file:
                entries = [orjson.loads(line) for line in file.read().splitlines()[1:]]
            found += [os.path.join(records, os.path.basename(each["path"])) for each in entries]
    except (OSError, ValueError) as fault:
        what = getattr(fault, "strerror", None) or "its log cannot be read"
        raise SparkFault(f"{records} holds no records of a stream: {what}") from None
    return found


# -- the driver ------------------------------------------------------------------------------------------------


def _records(spark: SparkSession, bundle: Bundle, stream: Stream) -> DataFrame:
    """The records of a stream, a line each."""
    from pyspark.sql import functions

    packed = to_bytes(bundle)
    read = _from_kafka(spark, stream) if stream.source.startswith(KAFKA) else _from_files(spark, stream)
    # An event that is dated ahead of the clock does not move the time of all others with it.
    time = functions.expr("CASE WHEN time > current_timestamp() THEN current_timestamp() ELSE time END")
    timed = read.mapInArrow(partial(_named, bundle.card_never), EVENTS).withColumn("time", time)
    events = timed.withWatermark("time", f"{stream.late} milliseconds")
    # Rows that bear no time are not thrown away where they are late: the engine says of each why it is refused.
    keyed = events.drop("time").groupBy("subject")
    names = {each.every.subject for each in bundle.programs if each.every is not None}
    begin = spark.createDataFrame([(name,) for name in sorted(names)], "subject string").groupBy("subject")
    return keyed.transformWithState(
        _processor(packed), "line string", "append", "eventTime", initialState=begin if names else None
    )


def _from_files(spark: SparkSession, stream: Stream) -> DataFrame:
    reader = spark.readStream
    if stream.files:
        reader = reader.option("maxFilesPerTrigger", stream.files)
    found = reader.text(as_uri(stream.source))
    return found.selectExpr("CAST(value AS binary)", "_metadata.file_path", "_metadata.file_block_start")


def _from_kafka(spark: SparkSession, stream: Stream) -> DataFrame:
    from pyspark.errors import AnalysisException

    servers, _, topic = stream.source.removeprefix(KAFKA).partition("/")
    if not servers or not topic or "/" in topic:
        raise SparkFault("events from Kafka are named as kafka://HOST:PORT/TOPIC")
    reader = spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers).option("subscribe", topic)
    try:
        found = reader.option("startingOffsets", "earliest").load()
    except AnalysisException as fault:
        if "kafka" not in str(fault).lower():
            raise
        raise SparkFault(
            "Spark has no connector for Kafka here: add --packages "
            f"org.apache.spark:spark-sql-kafka-0-10_2.13:{spark.version} to PYSPARK_SUBMIT_ARGS or spark-submit"
        ) from None
    return found.selectExpr("value", "CAST(partition AS string)", "offset")


# -- tasks -----------------------------------------------------------------------------------------------------


def _named(cards: bool, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """Lines (with their file or partition, and where they begin in it) as ``EVENTS``. ``cards``: what looks like a card
    number may name a subject."""
    import pyarrow

    kinds = {
        "subject": pyarrow.string(), "at": pyarrow.int64(), "time": pyarrow.timestamp("us", "UTC"),
        "place": pyarrow.string(), "line": pyarrow.binary(),
    }  # fmt: skip
    for lines in placed(batches):
        rows = []
        for line, file, number in lines:
            if line.strip():
                subject, at = subject_and_time(line)
                name = subject or ""
                if is_too_long(name) or not (cards or len(name) < SHORTEST or not names_card(name)):
                    name = ""  # it is refused, and names no state
                rows.append((name, at, at, f"{file} {number:020}", line))
        yield batch_of(kinds, rows)


class Keeper:
    """One subject after another, through a run that remembers the one at hand."""

    def __init__(self, packed: bytes) -> None:
        bundle = from_bytes(packed)
        self.memory = _KeyMemory()
        self.run = _KeyRun(bundle, memory=self.memory, owns=lambda name: False)
        self._bundle = bundle
        self._subjects = Subjects(bundle, self.run.programs)
        self._openers = [each for each in self.run.programs if each.every is not None]

    def begin(self, name: str) -> None:
        """Take up a subject of which flows open cases by time."""
        self.memory.forget()
        stratum = self.run.strata[0]
        subject = stratum.subject(None, name)
        for program in self._openers:
            if program.every is not None and program.every.subject == name:
                stratum.stepper.open_by_time(subject, program)

    def take_up(self, name: str, body: bytes | None) -> None:
        """Take up a subject as it was put down; None where it is new. Raises ``OtherSetError``."""
        self.memory.forget()
        if body is None:
            return
        kept = msgpack.decode(body)
        if kept["set"] != self._bundle.digest:
            raise OtherSetError("the checkpoint is of another policy set: begin with a new one")
        self.memory.take_up(kept["ids"], kept["counts"])
        if kept["subject"] is not None:
            self._subjects.thaw(kept["subject"], self.run.strata[0])
            self.run.strata[0].let_go(name)

    def put_down(self, name: str) -> bytes:
        """The subject as bytes."""
        subject = self.memory.subjects(0).get(name)
        if subject is None and name in self.memory.closed:
            last, sequences = self.memory.closed[name]
            subject = Subject(name, last)
            subject.sequences = dict(sequences)
        frozen = None if subject is None else self._subjects.freeze(subject)
        ids, counts = self.memory.put_down()
        return msgpack.encode({"set": self._bundle.digest, "subject": frozen, "ids": ids, "counts": counts})

    def rings(self, name: str) -> int:
        """When anything of the subject falls due next: the first millisecond after that instant; 0 where never."""
        subject = self.memory.subjects(0).get(name)
        if subject is None or subject.next == NEVER:
            return 0
        return max(subject.next // MILLISECOND + 1, 1)

    def events(self, lines: Sequence[bytes]) -> list[Record]:
        """What some events, in the order of time, cause."""
        caused = self.run.feed(list(enumerate(lines, 1)))
        self.run.refusals.clear()
        return [record for each in caused for record in each.records]

    def due(self, until: int) -> list[Record]:
        """What falls due before an instant (microseconds since 1970)."""
        return self.run.finish(until - 1).due


class _KeyRun(Run):
    """A run of one subject, which cannot join another."""

    def give_to(self, level: int, event: Incoming) -> None:
        """Take an event by the stratum; refuse to join subjects."""
        if event.type == MERGE:
            self.strata[level].refuse(event, codes.MERGE, "a stream on a cluster cannot join subjects", event.subject)
            self.strata[level].refusals.clear()
        else:
            super().give_to(level, event)


class _KeyMemory(ProcessMemory):
    """A memory of the subject at hand. Of its events it keeps eight bytes each, to know them when they come again."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: set[bytes] = set()

    def claim(self, rows: Sequence[Row]) -> Collection[int]:
        """Note events as taken; the places of those that were."""
        again = set()
        for place, row in enumerate(rows):
            digest = blake2b(f"{row[5]}\0{row[6]}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
            if digest in self._ids:
                again.add(place)
            self._ids.add(digest)
        return again

    def forget(self) -> None:
        """Forget the subject at hand."""
        for each in (self.subjects(0), self.closed, self._counts, self._ids):
            each.clear()

    def take_up(self, ids: bytes, counts: Iterable[tuple[tuple[str, str, str], int]]) -> None:
        """Remember what was put down."""
        self._ids.update(ids[begin : begin + 8] for begin in range(0, len(ids), 8))
        self._counts.update(((kind, source, key), count) for (kind, source, key), count in counts)

    def put_down(self) -> tuple[bytes, list[tuple[tuple[str, str, str], int]]]:
        """The events that were taken, and how often each was refused."""
        return b"".join(sorted(self._ids)), sorted(self._counts.items())


def _processor(packed: bytes) -> Any:
    """What Spark calls for each subject."""
    from pyspark.sql import Row
    from pyspark.sql.streaming.stateful_processor import StatefulProcessor

    class Processor(StatefulProcessor):
        """Calls a keeper, which is made in the process that works."""

        def init(self, handle: Any) -> None:
            self.handle = handle
            self.state = handle.getValueState("subject", STATE)
            self.keeper = Keeper(packed)

        def handleInputRows(self, key: Any, rows: Any, timerValues: Any) -> Any:  # noqa: N802, N803
            found = sorted(rows, key=lambda row: (row.at is not None, row.at or 0, row.place))
            yield from self.told(key[0], lambda keeper: keeper.events([bytes(row.line) for row in found]))

        def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Any:  # noqa: N802, N803
            until = timerValues.getCurrentWatermarkInMs() * MILLISECOND
            yield from self.told(key[0], lambda keeper: keeper.due(until), expiredTimerInfo.getExpiryTimeInMs())

        def handleInitialState(self, key: Any, initialState: Any, timerValues: Any) -> None:  # noqa: N802, N803
            self.keeper.begin(key[0])
            self.keep(key[0], 0)

        def told(self, name: str, work: Callable[[Keeper], list[Record]], rung: int = 0) -> Iterator[Any]:
            body, timer = self.state.get() if self.state.exists() else (None, 0)
            self.keeper.take_up(name, None if body is None else bytes(body))
            records = work(self.keeper)
            self.keep(name, 0 if timer == rung else timer)
            for line in text_of_all(records).splitlines():
                yield Row(line=line)

        def keep(self, name: str, timer: int) -> None:
            rings = self.keeper.rings(name)
            if timer and timer != rings:
                self.handle.deleteTimer(timer)
            if rings and timer != rings:
                self.handle.registerTimer(rings)
            self.state.update((self.keeper.put_down(name), rings))

        def close(self) -> None:
            """Nothing is held open."""

    return Processor()
