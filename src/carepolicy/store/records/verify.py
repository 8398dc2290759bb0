"""Whether all that a store holds is there, and as it was written.

Every row is held against its mac, and every table against the sums (see ``sums``), whatever stands in them. Records are
also held against the chains that they form: these tell which records are lacking.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.engine.instants import NoInstant, parse
from carepolicy.store.contract import named
from carepolicy.store.faults import Altered, StoreFault, WrongKey
from carepolicy.store.live.inputs import own_share, progress_of
from carepolicy.store.privacy.keys import fingerprint, given_keys
from carepolicy.store.records.chain import BEGINNING, LOOSE, links
from carepolicy.store.sql import statements, sums
from carepolicy.store.sql.sums import MAC, MODULUS, Total
from carepolicy.store.sql.tables import RECORDS, SUBJECTS, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.sql.sums import Macs
    from carepolicy.store.sql.tables import Table

ALTERED, MISSING, INSERTED, DAMAGED = "altered", "missing", "inserted", "damaged"
UNPROVEN = "no row proves anything: the key of the macs is gone, or was never made"


class Discrepancy(NamedTuple):
    """What is wrong: ``kind`` is altered, missing, inserted or damaged; ``table`` says where, ``row`` names a row.

    Of a record ``flow`` and ``number`` tell which it is of its case; ``flow`` is "" for records that belong to no case,
    whose ``number`` then counts those of the subject.
    """

    kind: str
    subject: str
    flow: str
    number: int
    words: str
    table: str = "records"
    row: str = ""

    def in_words(self) -> str:
        """What is wrong, in a sentence."""
        if self.number:
            case = f"{self.flow}/{self.subject}" if self.flow else f"{self.subject}, of no case"
            return f"{self.kind}: {case}, record {self.number} {self.words}"
        if self.row:
            return f"{self.kind}: {self.table} {self.row} {self.words}"
        return f"{self.kind}: {self.table}: {self.words}" if self.table else f"{self.kind}: {self.words}"


def fault_in(table: str, kind: str, words: str, row: str = "") -> Discrepancy:
    """What is wrong with a table, or a row in it."""
    return Discrepancy(kind, "", "", 0, words, table, row)


class Inspection:
    """One look at the tables of a store. ``faults`` are those of single rows; ``numbers`` says how often each row of
    the sums was written, ``totals`` what the tables ought to hold."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._macs: Macs | None = None
        self.totals: dict[str, Total] | None = None
        self._counted: dict[str, Total] = {}
        self.faults: list[Discrepancy] = []
        self.numbers: dict[str, int] = {}

    def begin(self) -> bool:
        """Open what proves the rest; whether there is anything to prove. Raises ``WrongKey``."""
        try:
            self._macs = self._transaction.known_macs()
        except Altered as fault:
            self.faults.append(fault_in("macs", ALTERED, str(fault)))
            return False
        except WrongKey:
            if not self._is_at_hand():
                raise
            self.faults.append(fault_in("macs", MISSING, UNPROVEN))
            return False
        if self._macs is None:
            if self._transaction.holds_anything():
                self.faults.append(fault_in("macs", MISSING, UNPROVEN))
            return False
        self.totals = self._read_sums(self._macs)
        return True

    def _is_at_hand(self) -> bool:
        """Whether a key at hand is one of the store's."""
        known = {each for (each,) in self._transaction.rows(statements.ACTIVE_KEYS)}
        return not known.isdisjoint(map(fingerprint, given_keys()))

    def _read_sums(self, macs: Macs) -> dict[str, Total] | None:
        """What all tables ought to hold; None where nobody can say."""
        bodies: dict[int, str] = {}
        for shard, body, mac in self._transaction.rows(statements.ALL_SUMS):
            if is_text(body) and macs.of_sums(shard, body) == mac:
                bodies[shard] = body
            else:
                words = "was altered, or written over after it had been"
                self.faults.append(fault_in("sums", ALTERED, words, repr(shard)))
        for shard in range(self._transaction.shards):
            if shard not in bodies and not self.faults:
                self.faults.append(fault_in("sums", MISSING, "is not there", repr(shard)))
        self.numbers = {str(shard): sums.number(body) for shard, body in bodies.items()}
        return None if self.faults else sums.totals(bodies.values())

    def rows(self, table: Table, order: str = "", beside: str = "") -> Iterator[tuple[tuple[Any, ...], bool]]:
        """The rows of a table (with a column ``beside`` its own), and whether their macs are right. Rows in
        which other things stand than its columns can hold are left out."""
        assert self._macs is not None
        width, rows, sum = len(table.columns), 0, 0
        for whole in self._transaction.stream(statements.with_macs(table, order, beside)):
            rows += 1
            row = whole[:width]
            if not _fits(table, row):
                self.doubt(table, row)
                continue
            digest = self._macs.digest(table, row)
            sum += int.from_bytes(digest, "big")
            yield (*row, *whole[width + 1 :]), digest[:MAC] == whole[width]
        self._counted[table.name] = Total(rows, sum % MODULUS)

    def go_through(self, table: Table) -> None:
        """Hold all rows of a table against their macs."""
        for row, proven in self.rows(table):
            if not proven:
                self.doubt(table, row)

    def doubt(self, table: Table, row: Sequence[Any]) -> None:
        """Note that a row is not what was written."""
        self.faults.append(fault_in(table.name, ALTERED, "is not what was written", self.name_of(table, row)))

    def name_of(self, table: Table, row: Sequence[Any]) -> str:
        """What may be shown of a row, so that people find it."""
        shown = [row[table.columns.index(name)] for name in table.shown]
        return "/".join(named(each) if isinstance(each, str) else repr(each) for each in shown if each not in ("", 0))

    def of_totals(self, of_records: Counter[str]) -> Iterator[Discrepancy]:
        """Where rows are lacking or were put in. ``of_records`` counts by kind what was told of records already."""
        told = Counter(fault.table for fault in self.faults)
        told["records"] += of_records.total()
        for name, ought in (self.totals or {}).items():
            there = self._counted[name]
            lacking = ought.rows - there.rows
            if name == "records":
                lacking += of_records[INSERTED] - of_records[MISSING]
            if lacking > 0:
                yield fault_in(name, MISSING, f"{lacking:,} that were written, with all that told which they were")
            elif lacking < 0:
                yield fault_in(name, INSERTED, f"{-lacking:,} that were not written as others are")
            elif there.sum != ought.sum and not told[name]:
                words = "one is not the last that was written in its place, or that was altered before it was written"
                yield fault_in(name, ALTERED, words)


def _fits(table: Table, row: Sequence[Any]) -> bool:
    """Whether a row holds bytes where its table has bytes, and elsewhere whole numbers and texts that are texts."""
    return all(
        value is None or (type(value) is bytes if place >= table.plain else type(value) is int or is_text(value))
        for place, value in enumerate(row)
    )


def is_text(value: Any) -> bool:
    """Whether something is a text, and one that can be written."""
    if type(value) is not str:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that are no text, read as if they were
        return False
    return True


class Row(NamedTuple):
    """A record as its columns have it; ``proven`` says whether its mac is right."""

    no: int
    key: str
    subject: str
    flow: str
    sequence: int
    loose: int
    type: str
    time: int
    input: int
    position: int
    hash: bytes
    sealed: bytes | None
    line: str
    proven: bool


class Verified(NamedTuple):
    """How many records there are, and what is wrong; ``numbers`` says how often each row of the sums was written."""

    records: int
    faults: list[Discrepancy]
    numbers: dict[str, int]


START = (0, BEGINNING)
"""Before the first record of a chain."""

Ends = dict[tuple[str, str], tuple[int, bytes]]
"""The number and hash of the last record of each chain of a subject, by (key, flow)."""


def to_verify(store: Store) -> int:
    """How many records there are to look at; 0 where damage hides it."""
    try:
        with store.reading() as transaction:
            return int(transaction.rows(statements.COUNT_RECORDS)[0][0])
    except StoreFault:
        return 0


def verify(store: Store, told: Callable[[int], None] = lambda records: None) -> Verified:
    """One look at all that a store holds; ``told`` hears of the records as they are done. Raises a ``StoreFault``."""
    damages = [fault_in(table, DAMAGED, words) for table, words in store.damages()]
    if damages:
        return Verified(0, damages, {})
    with store.inspection() as transaction:
        verification = Verification(transaction, told)
        found = list(verification.faults())
        return Verified(verification.records, found, verification.inspection.numbers)


class Verification:
    """One look at all tables. ``records`` counts the records."""

    def __init__(self, transaction: Transaction, told: Callable[[int], None] = lambda records: None) -> None:
        self.inspection = Inspection(transaction)
        self.records = 0
        self._told = told
        self._transaction = transaction

    def faults(self) -> Iterator[Discrepancy]:
        """What is wrong: first with records, in the order of subjects, then with the other tables."""
        inspection = self.inspection
        if not inspection.begin():
            yield from inspection.faults
            return
        told: Counter[str] = Counter()
        for fault in self._of_chains():
            told[fault.kind] += 1
            yield fault
        of_runs = 0
        for lacking, name in self._of_inputs():
            of_runs += lacking
            yield Discrepancy(MISSING, "", "", 0, f"{lacking:,} of the run over {name}")
        told[MISSING] = max(told[MISSING], of_runs)
        for table in TABLES.values():
            if table is not RECORDS and table is not SUBJECTS:
                inspection.go_through(table)
        yield from inspection.faults
        yield from inspection.of_totals(told)

    def _of_chains(self) -> Iterator[Discrepancy]:
        rows = groupby(self._rows(), key=lambda row: row.subject)
        subjects = groupby(self._subjects(), key=lambda row: row[0])
        here, known = next(rows, None), next(subjects, None)
        cut = bool(self._transaction.rows(statements.CUT))
        while here is not None or known is not None:
            subject = min(each[0] for each in (here, known) if each is not None)
            ends: Ends = {}
            found: list[Row] = []
            if known is not None and known[0] == subject:
                ends = _ends(known[1])
                known = next(subjects, None)
            if here is not None and here[0] == subject:
                found = list(here[1])
                here = next(rows, None)
            self.records += len(found)
            self._told(len(found))
            yield from _of_subject(named(subject), found, ends, self._cuts(subject) if cut else {})

    def _cuts(self, subject: str) -> Ends:
        """Where the chains of a subject begin of which the first records were let go."""
        found = self._transaction.rows(statements.CUTS, (subject,))
        return {(key, flow): (number, bytes(hash)) for key, flow, number, hash in found}

    def _rows(self) -> Iterator[Row]:
        for whole, proven in self.inspection.rows(RECORDS, "subject, no", "line"):
            row = Row._make((*whole, proven))
            if None in row[:11] or not is_text(row.line):
                self.inspection.doubt(RECORDS, whole)
            else:
                yield row

    def _subjects(self) -> Iterator[tuple[str, str, bytes]]:
        for row, proven in self.inspection.rows(SUBJECTS, "subject, key"):
            key, subject, _, _, state = row
            if not proven:
                self.inspection.doubt(SUBJECTS, row)
            if None not in (key, subject, state):
                yield subject, key, state

    def _of_inputs(self) -> Iterator[tuple[int, str]]:
        """How many records of each run are lacking, by their number, and what it ran over."""
        for number, name, shares, count in self._transaction.rows(statements.RECORDS_BY_INPUT):
            try:
                wanted = progress_of(self._transaction, number, own_share(shares)).records
            except (ValueError, TypeError, KeyError):  # its mac tells that it was altered
                continue
            if count < wanted:
                yield wanted - count, name


def _ends(rows: Iterable[tuple[str, str, bytes]]) -> Ends:
    """The ends of the chains of a subject; none where they cannot be read, which the mac of their row tells too."""
    kept: Ends = {}
    for _, key, state in rows:
        try:
            for flow, (number, said) in orjson.loads(state)["chains"].items():
                kept[key, flow] = number, bytes.fromhex(said)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return kept


def _of_subject(subject: str, rows: list[Row], ends: Ends, cuts: Ends) -> Iterator[Discrepancy]:
    chains: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for row in rows:
        name, number = (row.flow, row.sequence) if row.sequence else (LOOSE, row.loose)
        chains.setdefault((row.key, name), []).append((number, row))
    for chain in sorted({*chains, *ends, *cuts}):
        found = sorted(chains.get(chain, ()), key=lambda each: each[0])
        yield from _of_chain(subject, chain[1], found, cuts.get(chain, START), ends.get(chain, START))


def _of_chain(
    subject: str, flow: str, found: list[tuple[int, Row]], begin: tuple[int, bytes], end: tuple[int, bytes]
) -> Iterator[Discrepancy]:
    last, said = end
    first, before = begin
    expected, whole = first + 1, True
    for number, row in found:
        if number <= first:
            yield Discrepancy(INSERTED, subject, flow, number, f"stands where records up to {first} were let go")
            continue
        if number > last:
            yield Discrepancy(INSERTED, subject, flow, number, f"stands behind the last record, which is {last}")
            continue
        while expected < number:
            yield Discrepancy(MISSING, subject, flow, expected, "is not there")
            expected, whole = expected + 1, False
        if whole and not links(before, row.line, row.hash):
            yield Discrepancy(ALTERED, subject, flow, number, "is not what was written")
        elif not row.proven or not _agrees(row):
            yield Discrepancy(ALTERED, subject, flow, number, "is not what its columns say")
        before, whole, expected = row.hash, row.proven, number + 1
    for number in range(expected, last + 1):
        yield Discrepancy(MISSING, subject, flow, number, "is not there")
    if expected == last + 1 and before != said:
        yield Discrepancy(ALTERED, subject, flow, last, "is not the last record that was written")


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
