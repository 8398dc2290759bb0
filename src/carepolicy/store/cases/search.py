"""Questions about the cases of a store: by its indexes, so that they cost by what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.engine.reading import Record, read_record
from carepolicy.engine.view import Cases, CaseView
from carepolicy.store.contract import named, storable
from carepolicy.store.privacy.seal import NOBODY, Reader, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.store.contract import Transaction
    from carepolicy.store.privacy.seal import DataKeys

NEIGHBOURS = 50
"""So many names on either side of an unknown one may be what was meant."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open cases: of this flow, in this state, of this role or person, only late ones, at most so many.

    ``by_due`` wants only those with a clock that will fall due, the soonest first, else the oldest come first.
    """

    flow: str | None = None
    state: str | None = None
    owner: str | None = None
    late: bool = False
    limit: int | None = None
    by_due: bool = False


@dataclass(frozen=True, slots=True)
class Looker:
    """Who looks, and who opens what is private; with None for ``sealer`` it stays masked."""

    reader: Reader = NOBODY
    sealer: DataKeys | None = None

    def line(self, line: str, sealed: bytes | None) -> bytes:
        """The line of a record as it may be seen. Raises ``WrongKey``."""
        if sealed is None or self.sealer is None or self.reader is NOBODY:
            return line.encode()
        record = orjson.loads(line)
        return orjson.dumps({**record, "data": shown(record["data"], sealed, self.sealer, self.reader)})


ANYBODY = Looker()


def records_of(
    transaction: Transaction, subject: str, flow: str | None = None, looker: Looker = ANYBODY
) -> Iterator[tuple[Record, bytes]]:
    """The records of a subject with their lines, by flow and sequence."""
    sql = "SELECT line, sealed FROM records WHERE subject = ?"
    values = [storable(subject)]
    if flow is not None:
        sql += " AND flow = ?"
        values.append(flow)
    for row in transaction.rows(f"{sql} ORDER BY flow, sequence, time, line", values):
        line = looker.line(*row)
        yield read_record(line), line


def all_lines(transaction: Transaction, flow: str | None = None, looker: Looker = ANYBODY) -> Iterator[bytes]:
    """The lines of all records by subject, flow and sequence."""
    where, values = ("", ()) if flow is None else ("WHERE flow = ?", (flow,))
    sql = f"SELECT line, sealed FROM records {where} ORDER BY subject, flow, sequence, time, line"
    for row in transaction.stream(sql, values):
        yield looker.line(*row)


def open_cases(transaction: Transaction, wanted: Wanted, looker: Looker = ANYBODY) -> Iterator[CaseView]:
    """Open cases as their records tell of them."""
    conditions: list[str] = []
    values: list[Any] = []
    for column, value in (("flow", wanted.flow), ("state", wanted.state)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if wanted.owner is not None:
        conditions.append("(role = ? OR person = ?)")
        values += [wanted.owner, wanted.owner]
    if wanted.late:
        conditions.append("late <> 0")
    if wanted.by_due:
        conditions.append("due IS NOT NULL")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    order = "due, subject, flow" if wanted.by_due else "opened, subject, flow"
    limit = "" if wanted.limit is None else f"LIMIT {wanted.limit:d}"
    sql = f"SELECT subject, flow FROM cases {where} ORDER BY {order} {limit}"
    for subject, flow in transaction.stream(sql, values):
        yield from _open_of(transaction, subject, flow, looker)


def _open_of(transaction: Transaction, subject: str, flow: str, looker: Looker) -> Iterator[CaseView]:
    cases = Cases()
    for record, _ in records_of(transaction, named(subject), flow, looker):
        if record.sequence:
            cases.take(record)
    return cases.open()


def names_near(transaction: Transaction, subject: str) -> list[str]:
    """Names of subjects that stand near to one that is not there."""
    name = storable(subject)
    found: list[str] = []
    for sign, order in ((">=", "ASC"), ("<", "DESC")):
        sql = f"SELECT subject FROM subjects WHERE key = '' AND subject {sign} ? ORDER BY subject {order} LIMIT ?"
        found += [named(text) for (text,) in transaction.rows(sql, (name, NEIGHBOURS))]
    return found
