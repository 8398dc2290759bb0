"""Questions about the cases of a store: by its indexes, so that they cost by what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.engine.history.cases import Cases, CaseView
from carepolicy.engine.history.log import read_record
from carepolicy.engine.instants import parse
from carepolicy.engine.record import Record
from carepolicy.store.contract import named, storable
from carepolicy.store.privacy.seal import ANYBODY, Looker
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.store.contract import Transaction

NEIGHBOURS = 50
"""So many names on either side of an unknown one may be what was meant."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which open cases: of this flow, in this state, of this role or person, only late ones, at most so many.

    ``by_due`` wants only those with a clock that will fall due, the soonest first, else the oldest come first.
    """

    flow: str | None = None
    state: str | None = None
    owner: str | None = None
    late: bool = False
    limit: int | None = None
    by_due: bool = False


def records_of(
    transaction: Transaction, subject: str, flow: str | None = None, looker: Looker = ANYBODY
) -> Iterator[tuple[Record, bytes]]:
    """The records of a subject with their lines, by flow and sequence."""
    name = storable(subject)
    asked = (statements.RECORDS_OF, (name,)) if flow is None else (statements.RECORDS_OF_FLOW, (name, flow))
    for row in transaction.rows(*asked):
        line = looker.line(*row)
        yield read_record(line), line


def all_lines(transaction: Transaction, flow: str | None = None, looker: Looker = ANYBODY) -> Iterator[bytes]:
    """The lines of all records by subject, flow and sequence."""
    asked = (statements.ALL_RECORDS, ()) if flow is None else (statements.ALL_RECORDS_OF_FLOW, (flow,))
    for row in transaction.stream(*asked):
        yield looker.line(*row)


def open_cases(transaction: Transaction, wanted: CaseFilter, looker: Looker = ANYBODY) -> Iterator[CaseView]:
    """Open cases as their records tell of them."""
    given: dict[str, tuple[str, ...]] = {}
    if wanted.flow is not None:
        given["flow"] = (wanted.flow,)
    if wanted.state is not None:
        given["state"] = (wanted.state,)
    if wanted.owner is not None:
        given["owner"] = (wanted.owner, wanted.owner)
    given |= {name: () for name, asked in (("late", wanted.late), ("by_due", wanted.by_due)) if asked}
    values = [value for each in given.values() for value in each]
    for subject, flow in transaction.stream(statements.open_cases(given, wanted.limit), values):
        yield from _open_of(transaction, subject, flow, looker)


def _open_of(transaction: Transaction, subject: str, flow: str, looker: Looker) -> Iterator[CaseView]:
    cases = Cases()
    for record, _ in records_of(transaction, named(subject), flow, looker):
        if record.sequence:
            cases.take(record)
    return cases.open()


def open_cases_in(records: Iterable[Record], wanted: CaseFilter) -> list[CaseView]:
    """The same of the records of a run, in place of a store."""
    cases = Cases()
    for record in records:
        if record.sequence:
            cases.take(record)
    found = [case for case in cases.open() if _is_wanted(case, wanted)]
    if wanted.by_due:
        return _by_due(found)[: wanted.limit]
    return sorted(found, key=lambda case: (case.opened, case.subject, case.flow))[: wanted.limit]


def _is_wanted(case: CaseView, wanted: CaseFilter) -> bool:
    return (
        wanted.flow in (None, case.flow)
        and wanted.state in (None, case.state)
        and (wanted.owner is None or wanted.owner in (case.role, case.person))
        and (case.late or not wanted.late)
    )


def _by_due(cases: list[CaseView]) -> list[CaseView]:
    waiting = [
        (parse(clock.due), case) for case in cases if (clock := case.next_due) is not None and clock.due is not None
    ]
    waiting.sort(key=lambda each: (each[0], each[1].subject, each[1].flow))
    return [case for _, case in waiting]


def names_near(transaction: Transaction, subject: str) -> list[str]:
    """Names of subjects that stand near to one that is not there."""
    asked = (storable(subject), NEIGHBOURS)
    found = transaction.rows(statements.NAMES_FROM, asked) + transaction.rows(statements.NAMES_BEFORE, asked)
    return [named(name) for (name,) in found]


def names_beginning(transaction: Transaction, beginning: str, most: int) -> list[str]:
    """Names of subjects with open cases that begin so, or stand behind those that do; so many at most."""
    return [named(name) for (name,) in transaction.rows(statements.NAMES_OF_CASES, (storable(beginning), most))]


def count_open(transaction: Transaction) -> int:
    """How many cases are open."""
    return int(transaction.rows(statements.COUNT_CASES)[0][0])
