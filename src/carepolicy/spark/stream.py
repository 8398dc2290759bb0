"""A stream of events on Spark: each subject is a key with its cases as state and one timer, at the earliest instant at
which anything of it falls due.

Time is that of the events: timers fire when the latest time of all events, less how late events may come, has passed
their instant. What happens to a subject is what ``Run`` makes of its events, taken in the order of time of each batch.
Each stratum is an operator of its own behind the one below it. A higher one holds what it hears until the time of the
stream has passed it, and so takes it in the order of time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.cards import SHORTEST, names_card
from carepolicy.engine.instants import NEVER
from carepolicy.engine.intake import is_too_long
from carepolicy.engine.record import text_of_all
from carepolicy.machine.bundle import to_bytes
from carepolicy.spark.keeper import MILLISECOND, HigherKeeper, Keeper, ring_at
from carepolicy.spark.lines import as_uri, batch_of, placed, subject_and_time
from carepolicy.spark.session import SparkFault, session, told_plainly
from carepolicy.spark.strata import (
    ONCE,
    SUBJECT,
    Message,
    counted_by,
    higher_strata,
    opened_by_time,
    ordered,
    watches_of_several,
)

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle

KAFKA = "kafka://"

EVENTS = "subject string, at long, time timestamp, place string, line binary"
"""Events with their subjects: ``at`` is the time (microseconds since 1970), ``place`` orders those of one instant."""

ROWS = "level int, about string, name string, place binary, body binary"
"""What comes of a stratum: messages for those above it, and (``OUT``) lines of records of a subject. ``place`` puts in
order what comes to one."""

OUT = 0

STATE = "body binary, timer long"
"""What is remembered of a subject, and when its timer rings (milliseconds since 1970; 0: it has none)."""

NOT_STARTED = "Python worker failed to connect back"
"""What Spark says when a process of Python has not started within ten seconds, which it has no setting for."""

MOST_TRIES = 5

HELD = "place binary, body binary"
"""What a subject of a higher stratum has heard and not taken yet."""


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

    Raises ``SparkFault`` where Spark cannot do it.
    """
    spark = session()
    spark.conf.set(
        "spark.sql.streaming.stateStore.providerClass",
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    )
    with told_plainly():
        records = _records(spark, bundle, stream)
        writer = records.writeStream.format("text").option("path", as_uri(stream.records))
        writer = writer.option("checkpointLocation", as_uri(stream.checkpoint))
        last = ended((writer.trigger(availableNow=True) if stream.once else writer).start)
        return None if last is None else last["eventTime"].get("watermark")


def ended(start: Callable[[], StreamingQuery]) -> Any:
    """What a query last told of itself, once it has ended. It is begun again, from its checkpoint, where Spark has
    given up waiting for a process of Python to start, as on a machine that is too busy."""
    from pyspark.errors import StreamingQueryException

    for tries_left in reversed(range(MOST_TRIES)):
        query = start()
        try:
            query.awaitTermination()
            break
        except StreamingQueryException as fault:
            if not tries_left or NOT_STARTED not in str(fault):
                raise
        finally:
            query.stop()
    return query.lastProgress


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
    except (OSError, ValueError, LookupError, TypeError) as fault:
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
    names = [(name,) for name in opened_by_time(bundle, 0)]
    begin = spark.createDataFrame(names, "subject string").groupBy("subject") if names else None
    rows = keyed.transformWithState(lowest_operator(packed), ROWS, "append", "eventTime", initialState=begin)
    for level in higher_strata(bundle):
        whom = "level", "about", "name"
        opens = [(level, SUBJECT, name) for name in opened_by_time(bundle, level)]
        begin = spark.createDataFrame(opens, "level int, about string, name string").groupBy(*whom) if opens else None
        if any(each.stratum == level and each.name in watches_of_several(bundle) for each in bundle.watches):
            rows = rows.groupBy(*whom).transformWithState(once_operator(level), ROWS, "append", "eventTime")
        work = higher_operator(packed, level)
        rows = rows.groupBy(*whom).transformWithState(work, ROWS, "append", "eventTime", initialState=begin)
    return rows.selectExpr("CAST(body AS string) AS line")


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


def lowest_operator(packed: bytes) -> Any:
    """What Spark calls for each subject of the lowest stratum."""
    from pyspark.sql.streaming.stateful_processor import StatefulProcessor

    class Processor(StatefulProcessor):
        """Calls a keeper, which is made in the process that works."""

        def init(self, handle: Any) -> None:
            self.handle = handle
            self.state = handle.getValueState("subject", STATE)
            self.keeper = Keeper(packed)

        def handleInputRows(self, key: Any, rows: Any, timerValues: Any) -> Any:  # noqa: N802, N803
            found = sorted(rows, key=lambda row: (row.at is not None, row.at or 0, row.place))
            lines, places = [bytes(row.line) for row in found], [(row.at or 0, row.place) for row in found]
            yield from self.told(key[0], lambda keeper: keeper.events(lines, places), 0)

        def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Any:  # noqa: N802, N803
            until = timerValues.getCurrentWatermarkInMs() * MILLISECOND
            yield from self.told(key[0], lambda keeper: keeper.due(until), 1, expiredTimerInfo.getExpiryTimeInMs())

        def handleInitialState(self, key: Any, initialState: Any, timerValues: Any) -> None:  # noqa: N802, N803
            self.keeper.begin(key[0])
            self.keep(key[0], 0)

        def told(self, name: str, work: Callable[[Keeper], list[Record]], turn: int, rung: int = 0) -> Iterator[Any]:
            body, timer = self.state.get() if self.state.exists() else (None, 0)
            self.keeper.take_up(name, None if body is None else bytes(body))
            records = work(self.keeper)
            self.keep(name, 0 if timer == rung else timer)
            yield from _handed(name, ordered(0, turn), records, self.keeper.handed_on())

        def keep(self, name: str, timer: int) -> None:
            rings = _rung(self.handle, timer, self.keeper.rings(name))
            self.state.update((self.keeper.put_down(name), rings))

        def close(self) -> None:
            """Nothing is held open."""

    return Processor()


def higher_operator(packed: bytes, level: int) -> Any:
    """What Spark calls for each subject of a higher stratum, and for what goes past it: to others, or out."""
    from pyspark.sql.streaming.stateful_processor import StatefulProcessor

    class Processor(StatefulProcessor):
        """Calls a keeper, which is made in the process that works; holds what is heard until its time has passed."""

        def init(self, handle: Any) -> None:
            self.handle = handle
            self.state = handle.getValueState("subject", STATE)
            self.held = handle.getListState("held", HELD)
            self.keeper = HigherKeeper(packed, level)

        def handleInputRows(self, key: Any, rows: Any, timerValues: Any) -> Any:  # noqa: N802, N803
            if key[0] != level:
                yield from sorted(rows, key=lambda row: bytes(row.place))
                return
            until = timerValues.getCurrentWatermarkInMs() * MILLISECOND
            found = [_message(row) for row in rows]
            early = [each for each in found if each.time >= until]
            if early:
                self.held.appendList([(each.order, each.body) for each in early])
            if len(early) == len(found):
                body, timer = self.state.get() if self.state.exists() else (None, 0)
                rings = ring_at(min(each.time for each in early))
                if not timer or rings < timer:
                    self.state.update((body, _rung(self.handle, timer, rings)))
            else:
                yield from self.told(key, [each for each in found if each.time < until], until, 0)

        def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Any:  # noqa: N802, N803
            until = timerValues.getCurrentWatermarkInMs() * MILLISECOND
            yield from self.told(key, [], until, 1, expiredTimerInfo.getExpiryTimeInMs())

        def handleInitialState(self, key: Any, initialState: Any, timerValues: Any) -> None:  # noqa: N802, N803
            self.keeper.begin(key[2])
            self.state.update((self.keeper.put_down(key[1], key[2]), _rung(self.handle, 0, self.keeper.rings())))

        def told(self, key: Any, late: Sequence[Message], until: int, turn: int, rung: int = 0) -> Iterator[Any]:
            about, name = key[1], key[2]
            body, timer = self.state.get() if self.state.exists() else (None, 0)
            self.keeper.take_up(about, name, None if body is None else bytes(body))
            held = [Message(level, about, name, bytes(order), bytes(said)) for order, said in self.held.get()]
            left = [each for each in held if each.time >= until]
            records = self.keeper.hear([*late, *(each for each in held if each.time < until)], until)
            if len(left) < len(held):
                self.held.clear()
                if left:
                    self.held.put([(each.order, each.body) for each in left])
            next_heard = ring_at(min((each.time for each in left), default=NEVER))
            rings = min((each for each in (next_heard, self.keeper.rings()) if each), default=0)
            rings = _rung(self.handle, 0 if timer == rung else timer, rings)
            self.state.update((self.keeper.put_down(about, name), rings))
            yield from _handed(name, ordered(level, turn), records, self.keeper.handed_on())

        def close(self) -> None:
            """Nothing is held open."""

    return Processor()


def once_operator(level: int) -> Any:
    """What Spark calls for each event that watches of a stratum count and cases of several keys take: when all have
    told, the first of them counts. What is not about such an event goes past."""
    from pyspark.sql.streaming.stateful_processor import StatefulProcessor

    class Processor(StatefulProcessor):
        """Holds what was told first, until the time of the event has passed."""

        def init(self, handle: Any) -> None:
            self.handle = handle
            self.state = handle.getValueState("first", HELD)

        def handleInputRows(self, key: Any, rows: Any, timerValues: Any) -> Any:  # noqa: N802, N803
            if key[0] != level or not key[1].startswith(ONCE):
                yield from sorted(rows, key=lambda row: bytes(row.place))
                return
            until = timerValues.getCurrentWatermarkInMs() * MILLISECOND
            known = self.first(key)
            first = min([*([] if known is None else [known]), *(_message(row) for row in rows)])
            if first.time < until:
                if known is not None:
                    self.handle.deleteTimer(ring_at(known.time))
                    self.state.clear()
                yield from _messages([counted_by(first)])
            else:
                if known is not None and known.time != first.time:
                    self.handle.deleteTimer(ring_at(known.time))
                self.handle.registerTimer(ring_at(first.time))
                self.state.update((first.order, first.body))

        def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Any:  # noqa: N802, N803
            first = self.first(key)
            if first is not None:
                self.state.clear()
                yield from _messages([counted_by(first)])

        def first(self, key: Any) -> Message | None:
            if not self.state.exists():
                return None
            order, body = self.state.get()
            return Message(key[0], key[1], key[2], bytes(order), bytes(body))

        def close(self) -> None:
            """Nothing is held open."""

    return Processor()


def _rung(handle: Any, timer: int, rings: int) -> int:
    """Let a key's timer ring at another time (0: none) than it did; when it rings now."""
    if timer and timer != rings:
        handle.deleteTimer(timer)
    if rings and timer != rings:
        handle.registerTimer(rings)
    return rings


def _handed(name: str, place: bytes, records: Sequence[Record], messages: Iterable[Message]) -> Iterator[Any]:
    """Records of a subject, and messages, as ``ROWS``."""
    from pyspark.sql import Row

    if records:
        text = text_of_all(records).removesuffix("\n").encode()
        yield Row(level=OUT, about="", name=name, place=place, body=text)
    yield from _messages(messages)


def _message(row: Any) -> Message:
    return Message(row.level, row.about, row.name, bytes(row.place), bytes(row.body))


def _messages(messages: Iterable[Message]) -> Iterator[Any]:
    from pyspark.sql import Row

    for each in messages:
        yield Row(level=each.level, about=each.about, name=each.name, place=each.order, body=each.body)
