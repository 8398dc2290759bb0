"""Where `carepolicy case` finds cases: in a store, or in the file of records that a run wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Protocol

import click

from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.stores import bundle_of, open_or_exit, reader_of
from carepolicy.engine.history.log import in_order, read_records
from carepolicy.policy.findings import did_you_mean
from carepolicy.store.cases.search import all_lines, names_near, open_cases, open_cases_in, records_of
from carepolicy.store.privacy.seal import ANYBODY, Looker

if TYPE_CHECKING:
    from carepolicy.engine.history.cases import CaseView
    from carepolicy.engine.history.log import Skipped
    from carepolicy.engine.record import Record
    from carepolicy.store.cases.search import CaseFilter
    from carepolicy.store.contract import Store, Transaction

BLOCK = 1 << 18
SHOWN = 10


class CaseSource(Protocol):
    """What can be asked about cases, once."""

    def of_subject(self, subject: str, flow: str | None) -> list[tuple[Record, bytes]]:
        """The records of a subject, with their lines. Refuses an unknown one, naming the nearest."""

    def in_order(self, flow: str | None) -> Iterator[bytes]:
        """The lines of all records by subject, flow and sequence."""

    def open_cases(self, wanted: CaseFilter) -> Iterable[CaseView]:
        """The open cases that are wanted, in their order."""


class _OfFile:
    def __init__(self, records: Iterator[tuple[Record, bytes]]) -> None:
        self._records = records

    def of_subject(self, subject: str, flow: str | None) -> list[tuple[Record, bytes]]:
        return _of_subject(self._records, subject, flow)

    def in_order(self, flow: str | None) -> Iterator[bytes]:
        return in_order(each for each in self._records if flow in (None, each[0].flow))

    def open_cases(self, wanted: CaseFilter) -> list[CaseView]:
        return open_cases_in((record for record, _ in self._records), wanted)


class _OfStore:
    def __init__(self, transaction: Transaction, looker: Looker) -> None:
        self._transaction = transaction
        self._looker = looker

    def of_subject(self, subject: str, flow: str | None) -> list[tuple[Record, bytes]]:
        found = list(records_of(self._transaction, subject, looker=self._looker))
        if found:
            return _of_subject(found, subject, flow)
        _refuse_unknown(subject, set(names_near(self._transaction, subject)))
        return []

    def in_order(self, flow: str | None) -> Iterator[bytes]:
        return all_lines(self._transaction, flow, self._looker)

    def open_cases(self, wanted: CaseFilter) -> Iterable[CaseView]:
        return open_cases(self._transaction, wanted, self._looker)


@contextmanager
def source_of(records: str | None, store: str, reveal: bool = False, role: str | None = None) -> Iterator[CaseSource]:
    """The source that the command line names: the file of records, else the store, as the one who asks may see it."""
    if records is not None:
        if reveal or role is not None:
            raise CommandError("--reveal and --as are for a store: records in a file are as the run wrote them")
        with _read(records) as found:
            yield _OfFile(found)
        return
    with open_or_exit(store, create=False) as opened:
        looker = _looker(opened, reveal, role)
        with opened.reading() as transaction:
            yield _OfStore(transaction, looker)


def _looker(store: Store, reveal: bool, role: str | None) -> Looker:
    if not reveal and role is None:
        return ANYBODY
    bundle, sealer = bundle_of(store)
    return Looker(reader_of(bundle, reveal, role), sealer)


def _of_subject(source: Iterable[tuple[Record, bytes]], subject: str, flow: str | None) -> list[tuple[Record, bytes]]:
    """The records of a subject, with their lines. Refuses an unknown one, naming the nearest."""
    found: list[tuple[Record, bytes]] = []
    others: set[str] = set()
    flows: set[str] = set()
    for record, line in source:
        if record.subject == subject:
            others.clear()
            flows.add(record.flow)
            if flow in (None, record.flow):
                found.append((record, line))
        elif not flows:
            others.add(record.subject)
    if found:
        return found
    if flows:
        hint = did_you_mean(flow or "", flows - {""}) or "no flow has one"
        raise CommandError(f'"{subject}" has no case of the flow "{flow}"; {hint}')
    _refuse_unknown(subject, others)
    return []


def _refuse_unknown(subject: str, others: set[str]) -> None:
    hint = did_you_mean(subject, others - {""}) or "`carepolicy case list` shows the open cases"
    raise CommandError(f'there are no records of "{subject}"; {hint}')


@contextmanager
def _read(file: str) -> Iterator[Iterator[tuple[Record, bytes]]]:
    """The records in a file. Lines that are none are told of at the end, and make the exit status 1."""
    skipped: list[Skipped] = []
    try:
        with ExitStack() as stack:
            source: IO[bytes] = sys.stdin.buffer if file == "-" else stack.enter_context(open(file, "rb"))
            yield read_records(iter(lambda: source.read(BLOCK), b""), skipped)
    finally:
        for each in skipped[:SHOWN]:
            click.echo(f"{file}:{each.line}: left out: {each.reason}", err=True)
        if len(skipped) > SHOWN:
            click.echo(f"{file}: {len(skipped) - SHOWN:,} more lines left out", err=True)
    if skipped:
        click.get_current_context().call_on_close(_not_clean)


def _not_clean() -> None:
    raise SystemExit(NO)
