"""Tables held against their macs and sums, whatever stands in them (see ``sums``)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from carepolicy.store.faults import Altered, WrongKey
from carepolicy.store.keyring import fingerprint, given_keys
from carepolicy.store.naming import named
from carepolicy.store.sql import sums
from carepolicy.store.sql.sums import MAC, MODULUS, Total

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.store.contract import Transaction
    from carepolicy.store.sql.sums import Macs
    from carepolicy.store.sql.tables import Table

ALTERED, MISSING, INSERTED, DAMAGED = "altered", "missing", "inserted", "damaged"
UNPROVEN = "no row proves anything: the key of the macs is gone, or was never made"


class Fault(NamedTuple):
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
        """The fault in a sentence."""
        if self.number:
            case = f"{self.flow}/{self.subject}" if self.flow else f"{self.subject}, of no case"
            return f"{self.kind}: {case}, record {self.number} {self.words}"
        if self.row:
            return f"{self.kind}: {self.table} {self.row} {self.words}"
        return f"{self.kind}: {self.table}: {self.words}" if self.table else f"{self.kind}: {self.words}"


def fault_in(table: str, kind: str, words: str, row: str = "") -> Fault:
    """A fault of a table, or of a row in it."""
    return Fault(kind, "", "", 0, words, table, row)


class Inspection:
    """One look at the tables of a store. ``faults`` are those of single rows; ``numbers`` says how often each row of
    the sums was written, ``totals`` what the tables ought to hold."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._macs: Macs | None = None
        self.totals: dict[str, Total] | None = None
        self._counted: dict[str, Total] = {}
        self.faults: list[Fault] = []
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
        known = {each for (each,) in self._transaction.rows("SELECT fingerprint FROM keys WHERE retired IS NULL")}
        return not known.isdisjoint(map(fingerprint, given_keys()))

    def _read_sums(self, macs: Macs) -> dict[str, Total] | None:
        """What all tables ought to hold; None where nobody can say."""
        bodies: dict[int, str] = {}
        for shard, body, mac in self._transaction.rows(sums.BODIES):
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

    def rows(self, table: Table, order: str = "", more: str = "") -> Iterator[tuple[tuple[Any, ...], bool]]:
        """The rows of a table (with ``more`` columns behind its own), and whether their macs are right. Rows in
        which other things stand than its columns can hold are left out."""
        assert self._macs is not None
        width, rows, sum = len(table.columns), 0, 0
        sql = f"SELECT {table.listed}, mac{more} FROM {table.name} {order}"
        for whole in self._transaction.stream(sql):
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

    def of_totals(self, of_records: Counter[str]) -> Iterator[Fault]:
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
