"""The operators of a stream without Spark: their keys, state, timers and watermark as Spark hands them out, batch after
batch, in this process."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from carepolicy.machine.bundle import to_bytes
from carepolicy.machine.program import Bundle
from carepolicy.spark.lines import subject_and_time
from carepolicy.spark.strata import SUBJECT, opened_by_time
from carepolicy.spark.stream import OUT, higher_operator, lowest_operator, once_operator


class Value:
    def __init__(self) -> None:
        self.of: dict[Any, Any] = {}
        self.key: Any = None

    def exists(self) -> bool:
        return self.key in self.of

    def get(self) -> Any:
        return self.of.get(self.key, ())

    def update(self, value: Any) -> None:
        self.of[self.key] = value

    put = update

    def clear(self) -> None:
        self.of.pop(self.key, None)

    def appendList(self, values: list[Any]) -> None:  # noqa: N802
        self.of[self.key] = [*self.of.get(self.key, ()), *values]


class Handle:
    def __init__(self) -> None:
        self.states: list[Value] = []
        self.timers: dict[Any, set[int]] = {}
        self.key: Any = None

    def getValueState(self, name: str, schema: str) -> Value:  # noqa: N802
        self.states.append(Value())
        return self.states[-1]

    getListState = getValueState  # noqa: N815

    def registerTimer(self, at: int) -> None:  # noqa: N802
        self.timers.setdefault(self.key, set()).add(at)

    def deleteTimer(self, at: int) -> None:  # noqa: N802
        self.timers[self.key].discard(at)

    def go_on(self, other: Handle) -> None:
        self.timers = other.timers
        for mine, theirs in zip(self.states, other.states, strict=True):
            mine.of = theirs.of

    def at(self, key: Any) -> None:
        self.key = key
        for each in self.states:
            each.key = key


class Watermark:
    def __init__(self) -> None:
        self.now = 0

    def getCurrentWatermarkInMs(self) -> int:  # noqa: N802
        return self.now


class Rung:
    def __init__(self, at: int) -> None:
        self.at = at

    def getExpiryTimeInMs(self) -> int:  # noqa: N802
        return self.at


class Operator:
    """One stateful operator: rows by key, in any order, then the timers that the watermark has passed."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self.handle = Handle()
        processor.init(self.handle)

    def begin(self, keys: Iterable[Any]) -> None:
        for key in keys:
            self.handle.at(key)
            self.processor.handleInitialState(key, None, Watermark())

    def batch(self, rows: Sequence[tuple[Any, Any]], watermark: Watermark) -> Iterator[Any]:
        by_key: dict[Any, list[Any]] = {}
        for key, row in rows:
            by_key.setdefault(key, []).append(row)
        for key, found in by_key.items():
            self.handle.at(key)
            yield from self.processor.handleInputRows(key, iter(found), watermark)
        for key, timers in list(self.handle.timers.items()):
            for at in sorted(timers):
                if at <= watermark.now and at in timers:
                    timers.discard(at)
                    self.handle.at(key)
                    yield from self.processor.handleExpiredTimer(key, watermark, Rung(at))


class Operators:
    """All operators of a stream of a set, one behind the other. ``late`` in milliseconds."""

    def __init__(self, bundle: Bundle, late: int = 0) -> None:
        self.bundle, self.late = bundle, late
        self.operators = self._made()
        self.operators[0].begin((name,) for name in opened_by_time(bundle, 0))
        for level, operator in enumerate(self.operators[2::2], 1):
            operator.begin((level, SUBJECT, name) for name in opened_by_time(bundle, level))
        self.watermark = Watermark()
        self.latest = 0
        self.written: list[str] = []

    def _made(self) -> list[Operator]:
        packed, bundle = to_bytes(self.bundle), self.bundle
        strata = [each.stratum for each in bundle.programs] + [each.stratum for each in bundle.watches]
        made = [Operator(lowest_operator(packed))]
        for level in range(1, max(strata) + 1):
            made.append(Operator(once_operator(level)))
            made.append(Operator(higher_operator(packed, level)))
        return made

    def begun_anew(self) -> Operators:
        """The same in other processes, which know nothing but state and timers."""
        for before, after in zip(self.operators, made := self._made(), strict=True):
            after.handle.go_on(before.handle)
        self.operators = made
        return self

    def batch(self, lines: Sequence[tuple[str, bytes]], mixed: random.Random) -> None:
        """Take lines with their places, in any order, by the time that those before have told."""
        from pyspark.sql import Row

        found: list[Any] = []
        for place, line in lines:
            subject, at = subject_and_time(line)
            self.latest = max(self.latest, at or 0)
            found.append(((subject or "",), Row(subject=subject or "", at=at, place=place, line=line)))
        for operator in self.operators:
            mixed.shuffle(found)
            out = list(operator.batch(found, self.watermark))
            found = [((row.level, row.about, row.name), row) for row in out]
        assert all(row.level == OUT for _, row in found)
        self.written += [line for _, row in found for line in row.body.decode().splitlines()]
        self.watermark.now = max(self.watermark.now, self.latest // 1_000 - self.late)

    def until(self) -> int:
        """What falls due by this instant has happened, when a batch has come since."""
        return self.watermark.now * 1_000 - 1
