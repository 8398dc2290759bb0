"""Questions about the cases of a store: by its indexes, so that they cost by what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.engine.reading import Record, read_record
from carepolicy.engine.view import Cases, CaseView
from carepolicy.store.naming import named, storable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.store.contract import Transaction

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


def records_of(transaction: Transaction, subject: str, flow: str | None = None) -> Iterator[tuple[Record, bytes]]:
    """The records of a subject with their lines, by flow and sequence."""
    sql = "SELECT line FROM records WHERE subject = ?"
    values = [storable(subject)]
    if flow is not None:
        sql += " AND flow = ?"
        values.append(flow)
    for (line,) in transaction.rows(f"{sql} ORDER BY flow, sequence, time, line", values):
        yield read_record(line.encode()), line.encode()


def all_lines(transaction: Transaction, flow: str | None = None) -> Iterator[bytes]:
    """The lines of all records by subject, flow and sequence."""
    where, values = ("", ()) if flow is None else ("WHERE flow = ?", (flow,))
    sql = f"SELECT line FROM records {where} ORDER BY subject, flow, sequence, time, line"
    for (line,) in transaction.stream(sql, values):
        yield line.encode()


def open_cases(transaction: Transaction, wanted: Wanted) -> Iterator[CaseView]:
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
    for subject, flow in transaction.rows(sql, values):
        yield from _open_of(transaction, subject, flow)


def _open_of(transaction: Transaction, subject: str, flow: str) -> Iterator[CaseView]:
    cases = Cases()
    for record, _ in records_of(transaction, named(subject), flow):
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
