"""``carepolicy case``: cases as a store, or the records of a run, tells of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import click
import orjson
from click.core import ParameterSource

from carepolicy.cli.completion import flows, roles, states, subjects
from carepolicy.cli.sets import (
    Command,
    demand_language,
    format_option,
    language_option,
    outcomes_in,
    policies_option,
    showing_errors,
    words_in,
)
from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.stores import bundle_of, limit_option, open_or_exit, reader_of, reveal_options, store_option
from carepolicy.cli.terminal import csv_rows, plain, table, width
from carepolicy.cli.times import wall_clock
from carepolicy.engine.history.cases import CaseView, cases_of
from carepolicy.engine.history.log import in_order, read_record, read_records
from carepolicy.engine.history.words import NAMES, Titles, clock_in_words, due_in_words, record_in_words, time_in_words
from carepolicy.engine.instants import parse
from carepolicy.engine.record import Record
from carepolicy.machine.bundle import PolicyErrors, load_bundle
from carepolicy.machine.timetable import timetable_of
from carepolicy.policy.files import layers_of
from carepolicy.policy.likeness import did_you_mean
from carepolicy.store.cases.search import CaseFilter, all_lines, names_near, open_cases, open_cases_in, records_of
from carepolicy.store.privacy.seal import ANYBODY, Looker
from carepolicy.store.records.checkpoint import NotSigned, proof_of
from carepolicy.translations import msg, pmsg

if TYPE_CHECKING:
    from carepolicy.engine.history.log import Skipped
    from carepolicy.store.contract import Store, Transaction


def records_option(wanted: Command) -> Command:
    """``--records FILE``, what `carepolicy run` wrote, and ``--store URL``, as ``records`` and ``store``."""
    option = click.option(
        "--records",
        metavar="FILE",
        type=click.Path(),
        help="The records of a run (- is standard input), in place of a store.",
    )
    return option(store_option(wanted))


def flow_option(wanted: Command) -> Command:
    """``--flow FLOW``, as the parameter ``flow``."""
    return click.option("--flow", metavar="FLOW", shell_complete=flows, help="Only cases of this flow.")(wanted)


TITLED = language_option("Titles in this language in place of names, in text.")


@click.group(
    epilog="\b\nExamples:\n  carepolicy case show order-2001 --records records.jsonl\n"
    "  carepolicy case list --late --store sqlite:///care.db\n"
)
def command() -> None:
    """Look at cases: those of a store, or of the records that `carepolicy run` wrote."""


@command.command(
    epilog="\b\nExamples:\n  carepolicy case show order-2001 --records records.jsonl\n"
    "  carepolicy case show order-2001 --records records.jsonl --flow complaint --format json\n"
    "  carepolicy case show order-2001 --reveal --as care_lead\n"
)
@click.argument("subject", shell_complete=subjects)
@records_option
@flow_option
@reveal_options
@format_option("text", "json", "jsonl")
@language_option("The language of titles; default: the set's first.")
@policies_option
def show(
    subject: str, records: str | None, store: str, flow: str | None, reveal: bool, role: str | None, form: str,
    language: str | None, policies: str,
) -> None:  # fmt: skip
    """Show the cases of SUBJECT: state, owner, clocks, and what happened, in the organisation's time zone.

    What is private is masked; with a store, --reveal --as ROLE shows what the role may see.
    """
    with source_of(records, store, reveal, role) as source:
        zone, titles = _zone(policies), titles_in(policies, language)
        found = [record for record, _ in source.of_subject(subject, flow)]
    cases = cases_of(each for each in found if each.sequence)
    loose = sorted((each for each in found if not each.sequence), key=lambda each: each.at)
    if form == "text":
        click.echo(shown(subject, cases, loose, zone, titles), nl=False)
    elif form == "jsonl":
        _print_json(case_object(case, zone, titles) for case in cases)
    else:
        _print_object(subject_object(subject, cases, loose, zone, titles))


@command.command(
    epilog="\b\nExamples:\n  carepolicy case history order-2001 --records records.jsonl\n"
    "  carepolicy case history --all --records records.jsonl > in_order.jsonl\n"
)
@click.argument("subject", required=False, shell_complete=subjects)
@click.option("--all", "every", is_flag=True, help="The records of all cases, by subject, flow and sequence.")
@click.option("--proof", is_flag=True, help="With what proves them, for `verify --proof`; needs a store.")
@records_option
@flow_option
@reveal_options
@format_option("jsonl", "text")
@language_option("The language of titles; default: the set's first.")
@policies_option
def history(
    subject: str | None, every: bool, proof: bool, records: str | None, store: str, flow: str | None, reveal: bool,
    role: str | None, form: str, language: str | None, policies: str,
) -> None:  # fmt: skip
    """Print the records of SUBJECT, or of all cases, in order by subject, flow and sequence."""
    if every == (subject is not None):
        raise click.UsageError("name one subject, or --all", click.get_current_context())
    if proof:
        if subject is None or records is not None or reveal:
            said = "--proof wants one subject of a store, and proves records with what is private masked"
            raise click.UsageError(said, click.get_current_context())
        _print_proof(store, subject, flow)
        return
    out = sys.stdout.buffer
    with source_of(records, store, reveal, role) as source:
        zone, titles = (_zone(policies), titles_in(policies, language)) if form == "text" else (ZoneInfo("UTC"), NAMES)
        lines = source.in_order(flow) if subject is None else in_order(source.of_subject(subject, flow))
        for line in lines:
            told = line if form == "jsonl" else line_of(read_record(line), zone, titles).encode()
            out.write(told + b"\n")


@command.command(
    name="list",
    epilog="\b\nExamples:\n  carepolicy case list --records records.jsonl\n"
    "  carepolicy case list --flow complaint --late --records records.jsonl --format jsonl\n",
)
@records_option
@flow_option
@click.option("--state", metavar="STATE", shell_complete=states, help="Only cases in this state.")
@click.option(
    "--owner", metavar="ROLE", shell_complete=roles, help="Only cases that this role, or this person, is to work on."
)
@click.option("--late", is_flag=True, help="Only cases with a clock that is late.")
@limit_option("cases")
@reveal_options
@format_option("text", "json", "jsonl", "csv")
@TITLED
@policies_option
def list_(
    records: str | None, store: str, flow: str | None, state: str | None, owner: str | None, late: bool,
    limit: int | None, reveal: bool, role: str | None, form: str, language: str | None, policies: str,
) -> None:  # fmt: skip
    """List the open cases, those first that were opened first."""
    with source_of(records, store, reveal, role) as source:
        cases = source.open_cases(CaseFilter(flow, state, owner, late, limit))
        _print_cases(cases, form, policies, language)


@command.command(
    epilog="\b\nExamples:\n  carepolicy case due --records records.jsonl\n"
    "  carepolicy case due --flow complaint --limit 5 --records records.jsonl\n"
)
@records_option
@flow_option
@limit_option("cases")
@reveal_options
@format_option("text", "json", "jsonl", "csv")
@TITLED
@policies_option
def due(
    records: str | None, store: str, flow: str | None, limit: int | None, reveal: bool, role: str | None, form: str,
    language: str | None, policies: str,
) -> None:  # fmt: skip
    """List the open cases by what falls due next."""
    with source_of(records, store, reveal, role) as source:
        cases = source.open_cases(CaseFilter(flow, limit=limit, by_due=True))
        _print_cases(cases, form, policies, language)


def _print_proof(url: str, subject: str, flow: str | None) -> None:
    with source_of(None, url, False, None) as source:
        source.of_subject(subject, flow)  # refuses an unknown one
    try:
        with open_or_exit(url, create=False) as store:
            said = proof_of(store, subject, flow, wall_clock())
    except NotSigned as fault:
        raise CommandError(f"nothing is proved: {fault}; `carepolicy verify` says more", NO) from None
    click.echo(said)


def _print_cases(cases: Iterable[CaseView], form: str, policies: str, language: str | None) -> None:
    """Print cases: as lines of JSON each as it comes, so that there may be as many as there are."""
    if form == "text":
        titles = NAMES if language is None else titles_in(policies, language)
        click.echo(as_table(list(cases), _zone(policies), titles), nl=False)
    elif form == "jsonl":
        _print_json(case.as_dict() for case in cases)
    elif form == "csv":
        for row in as_csv(cases):
            click.echo(row, nl=False)
    else:
        _print_object({"cases": [case.as_dict() for case in cases]})


def _print_json(objects: Iterable[dict[str, Any]]) -> None:
    for each in objects:
        click.echo(orjson.dumps(each))


def _print_object(answer: dict[str, Any]) -> None:
    click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))


def _zone(policies: str) -> ZoneInfo:
    """The organisation's zone; UTC, said so, where there is no set in the default folder."""
    given = click.get_current_context().get_parameter_source("policies")
    if given is ParameterSource.DEFAULT and not os.path.isdir(policies):
        click.echo(f"there is no folder {policies}: times are in UTC; name a set with --policies", err=True)
        return ZoneInfo("UTC")
    with showing_errors(policies):
        return ZoneInfo(timetable_of(policies).timezone)


def titles_in(policies: str, language: str | None = None) -> Titles:
    """The titles of the set in a folder, and words of ours, in a language (default: the set's first); none where there
    is no sound set: cases are shown all the same."""
    if not all(map(os.path.isdir, layers_of(policies))):
        return NAMES
    try:
        bundle = load_bundle(policies)
        demand_language(language, bundle.languages)
        words = words_in(policies, language or bundle.languages[0])
        if language is None:
            return Titles(bundle, words)
        return Titles(load_bundle(policies, language), words, outcomes_in(policies, language))
    except PolicyErrors:
        return NAMES


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


NOWHEN, NOBODY = msg("no time given"), msg("no subject")
_STATE, _OPENED, _CLOSED = pmsg("case", "state"), pmsg("case", "opened"), pmsg("case", "closed")
_OWNER, _CLOCKS, _SINCE = pmsg("case", "owner"), pmsg("case", "clocks"), msg("{}, since {}")
_NUMBER, _HAPPENED = msg("{}, case {}"), msg("what happened (times of {})")
_NO_CASE = msg("events of {} that reached no case")


def shown(
    subject: str, cases: Sequence[CaseView], loose: Sequence[Record], zone: ZoneInfo, titles: Titles = NAMES
) -> str:
    """The cases of a subject with their timelines; ``loose`` are records of events that reached no case."""
    parts = [_case(case, zone, titles) for case in cases]
    if loose:
        title = plain(titles.say(_NO_CASE, subject))
        parts.append("\n".join([title, *(f"  {_line(each, zone, titles)}" for each in loose)]) + "\n")
    return "\n".join(parts)


def _case(case: CaseView, zone: ZoneInfo, titles: Titles = NAMES) -> str:
    since = titles.say(_SINCE, titles.state(case.flow, case.state), _when(case.since, zone, titles))
    rows = [(_STATE, since), (_OPENED, _when(case.opened, zone, titles))]
    if case.closed is not None:
        outcome = titles.outcome(case.flow, case.state, case.outcome or "")
        rows.append((_CLOSED, titles.pair(_when(case.closed, zone, titles), outcome)))
    elif case.role is not None:
        rows.append((_OWNER, titles.role(case.role) + (f" ({case.person})" if case.person else "")))
    if case.clocks:
        rows.append((_CLOCKS, ""))
    told = [(titles.say(name), value) for name, value in rows]
    column = max(len("opened"), *(width(name) for name, _ in told))
    flow = titles.flow(case.flow)
    lines = [
        titles.pair(case.subject, titles.say(_NUMBER, flow, case.number) if case.number > 1 else flow),
        *(f"  {_wide(name, column)}  {value}".rstrip() for name, value in told),
    ]
    names = {name: titles.clock(case.flow, name) for name in case.clocks}
    wide = max(map(width, names.values()), default=0)
    lines += [
        f"    {_wide(names[each.name], wide)}  {clock_in_words(each, zone, titles.words)}"
        for each in case.clocks.values()
    ]
    lines.append(f"  {titles.say(_HAPPENED, zone.key)}")
    lines += [f"    {_line(record, zone, titles)}" for record in case.records]
    return "\n".join(plain(each) for each in lines) + "\n"


def _wide(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _line(record: Record, zone: ZoneInfo, titles: Titles = NAMES) -> str:
    when = time_in_words(record.at, zone, titles.words) if record.when else titles.say(NOWHEN)
    return plain(f"{_wide(when, 20)}  {record_in_words(record, zone, titles)}")


def line_of(record: Record, zone: ZoneInfo, titles: Titles = NAMES) -> str:
    """One record of many cases, in words."""
    case = " ".join(each for each in (record.subject, record.flow) if each) or titles.say(NOBODY)
    return titles.pair(plain(case), _line(record, zone, titles))


def _when(text: str, zone: ZoneInfo, titles: Titles) -> str:
    return time_in_words(parse(text), zone, titles.words)


def case_object(case: CaseView, zone: ZoneInfo, titles: Titles = NAMES) -> dict[str, Any]:
    """A case with its timeline, as docs/records.md describes it."""
    return {**case.as_dict(), "timeline": [_object(each, zone, titles) for each in case.records]}


def subject_object(
    subject: str, cases: Iterable[CaseView], loose: Iterable[Record], zone: ZoneInfo, titles: Titles = NAMES
) -> dict[str, Any]:
    """All that is known of a subject, as docs/records.md describes it."""
    return {
        "subject": subject,
        "timezone": zone.key,
        "cases": [case_object(case, zone, titles) for case in cases],
        "not_taken": [_object(each, zone, titles) for each in loose],
    }


def _object(record: Record, zone: ZoneInfo, titles: Titles = NAMES) -> dict[str, Any]:
    return {
        "time": record.when or None,
        "sequence": record.sequence or None,
        "type": f"carepolicy.{record.kind}",
        "words": record_in_words(record, zone, titles),
        "data": record.data,
    }


FIELDS = ("subject", "flow", "state", "owner", "person", "opened", "since", "late", "next_clock", "next_due")


def as_csv(cases: Iterable[CaseView]) -> Iterator[str]:
    """Open cases as rows of CSV; times are those of records, ``late`` names the clocks that are late."""
    return csv_rows(map(_flat, cases), FIELDS)


def _flat(case: CaseView) -> dict[str, str]:
    upcoming = case.next_due
    return {
        "subject": case.subject, "flow": case.flow, "state": case.state, "owner": case.role or "",
        "person": case.person or "", "opened": case.opened, "since": case.since,
        "late": " ".join(name for name, clock in case.clocks.items() if clock.late and clock.is_open),
        "next_clock": upcoming.name if upcoming is not None else "",
        "next_due": (upcoming.due or "") if upcoming is not None else "",
    }  # fmt: skip


_HEADS = (
    pmsg("column", "subject"), pmsg("column", "flow"), pmsg("column", "state"), pmsg("column", "owner"),
    pmsg("column", "next due"),
)  # fmt: skip
_ARE_LATE = msg("{} late")


def as_table(cases: Sequence[CaseView], zone: ZoneInfo, titles: Titles = NAMES) -> str:
    """Open cases, one a line: subject, flow, state, owner, and what falls due next."""
    rows = [tuple(map(titles.say, _HEADS))] if cases else []
    for case in cases:
        late = [titles.clock(case.flow, name) for name, each in case.clocks.items() if each.late and each.is_open]
        upcoming = case.next_due
        told = [titles.say(_ARE_LATE, ", ".join(late))] if late else []
        if upcoming is not None and upcoming.due is not None:
            name = titles.clock(case.flow, upcoming.name)
            told.append(f"{due_in_words(upcoming.due, zone, titles.words)} {name}")
        state = titles.state_alone(case.flow, case.state)
        owner = case.person or (titles.role(case.role) if case.role else "")
        rows.append((case.subject, titles.flow_alone(case.flow), state, owner, "; ".join(told)))
    return table(rows)
