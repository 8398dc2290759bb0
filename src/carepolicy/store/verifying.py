"""Whether the records of a store are all there, and as they were written."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.instants import NoInstant, parse
from carepolicy.named import NamedTuple
from carepolicy.store.chain import BEGINNING, LOOSE, links
from carepolicy.store.naming import named
from carepolicy.store.progress import progress_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.store.contract import Transaction

RECORDS = "SELECT key, subject, flow, sequence, loose, type, time, line, hash FROM records ORDER BY subject, no"
TALLY = "SELECT coalesce(sum(records), 0) FROM tallies"
SUBJECTS = "SELECT subject, key, state FROM subjects ORDER BY subject, key"


class Fault(NamedTuple):
    """What is wrong with a record: ``kind`` is altered, missing or inserted. ``flow`` is "" for records that belong to
    no case, whose ``number`` then counts those of the subject, and of what is no record at all."""

    kind: str
    subject: str
    flow: str
    number: int
    words: str


class Row(NamedTuple):
    """A record as its columns have it."""

    key: str
    subject: str
    flow: str
    sequence: int
    loose: int
    type: str
    time: int
    line: str
    hash: bytes


Ends = dict[tuple[str, str], tuple[int, bytes]]
"""The number and hash of the last record of each chain of a subject, by (key, flow)."""


class Verifying:
    """One look at all records. ``records`` counts them."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.records = 0

    def faults(self) -> Iterator[Fault]:
        """What is wrong, in the order of subjects."""
        rows = groupby((Row(*each) for each in self._transaction.stream(RECORDS)), key=lambda row: row.subject)
        ends = groupby(self._transaction.stream(SUBJECTS), key=lambda row: row[0])
        nothing: tuple[str, Any] | None = None
        named_ones: Counter[str] = Counter()
        here, known = next(rows, nothing), next(ends, nothing)
        while here is not None or known is not None:
            subject = min(each[0] for each in (here, known) if each is not None)
            kept: Ends = {}
            found: list[Row] = []
            if known is not None and known[0] == subject:
                kept = _ends(known[1])
                known = next(ends, nothing)
            if here is not None and here[0] == subject:
                found = list(here[1])
                here = next(rows, nothing)
            self.records += len(found)
            for fault in _of_subject(named(subject), found, kept):
                named_ones[fault.kind] += 1
                yield fault
        of_runs = 0
        for lacking, name in self._of_inputs():
            of_runs += lacking
            yield Fault("missing", "", "", 0, f"{lacking:,} records of the run over {name}")
        named_ones["missing"] += max(0, of_runs - named_ones["missing"])
        yield from self._of_tallies(named_ones)

    def _of_tallies(self, told: Counter[str]) -> Iterator[Fault]:
        """Whether there are as many records as were written, but for those that were told of."""
        written = int(self._transaction.rows(TALLY)[0][0]) - told["missing"] + told["inserted"]
        if self.records < written:
            yield Fault("missing", "", "", 0, f"{written - self.records:,} records, and all that told whose they were")
        elif self.records > written:
            yield Fault(
                "inserted", "", "", 0, f"{self.records - written:,} records that were not written as others are"
            )

    def _of_inputs(self) -> Iterator[tuple[int, str]]:
        """How many records of each run are lacking, by their number, and what it ran over."""
        sql = "SELECT no, name, shares, (SELECT count(*) FROM records WHERE input = inputs.no) FROM inputs ORDER BY no"
        for number, name, shares, count in self._transaction.rows(sql):
            wanted = progress_of(self._transaction.position(number, shares if shares > 1 else 0)).records
            if count < wanted:
                yield wanted - count, name


def _ends(rows: Iterator[tuple[str, str, bytes]]) -> Ends:
    kept: Ends = {}
    for _, key, state in rows:
        for flow, (number, said) in orjson.loads(state)["chains"].items():
            kept[key, flow] = number, bytes.fromhex(said)
    return kept


def _of_subject(subject: str, rows: list[Row], ends: Ends) -> Iterator[Fault]:
    chains: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for row in rows:
        name, number = (row.flow, row.sequence) if row.sequence else (LOOSE, row.loose)
        chains.setdefault((row.key, name), []).append((number, row))
    for chain in sorted({*chains, *ends}):
        found = sorted(chains.get(chain, ()), key=lambda each: each[0])
        yield from _of_chain(subject, chain[1], found, ends.get(chain, (0, BEGINNING)))


def _of_chain(subject: str, flow: str, found: list[tuple[int, Row]], end: tuple[int, bytes]) -> Iterator[Fault]:
    last, said = end
    before, expected, whole = BEGINNING, 1, True
    for number, row in found:
        if number > last:
            yield Fault("inserted", subject, flow, number, f"stands behind the last record, which is {last}")
            continue
        while expected < number:
            yield Fault("missing", subject, flow, expected, "is not there")
            expected, whole = expected + 1, False
        if whole and not links(before, row.line, bytes(row.hash)):
            yield Fault("altered", subject, flow, number, "is not what was written")
        elif not _agrees(row):
            yield Fault("altered", subject, flow, number, "is not what its columns say")
        before, whole, expected = bytes(row.hash), True, number + 1
    for number in range(expected, last + 1):
        yield Fault("missing", subject, flow, number, "is not there")
    if expected == last + 1 and found and before != said:
        yield Fault("altered", subject, flow, last, "is not the last record that was written")


def _agrees(row: Row) -> bool:
    """Whether the columns of a record are those of its line."""
    try:
        record = orjson.loads(row.line)
        time = parse(record["time"]) if "time" in record else 0
    except NoInstant:
        time = 0
    except (ValueError, KeyError, TypeError):
        return False
    told = record.get("type"), record.get("subject", ""), record.get("flow", ""), record.get("sequence", 0), time
    return bool(told == (row.type, named(row.subject), row.flow, row.sequence, row.time))
