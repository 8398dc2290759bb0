"""``carepolicy case``: cases as the records of a run tell of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
from click.core import ParameterSource

from carepolicy.cli.completing import flows
from carepolicy.cli.sets import Command, format_option, policies_option
from carepolicy.cli.status import NO, Refused

if TYPE_CHECKING:
    from carepolicy.engine.reading import Record, Skipped
    from carepolicy.engine.view import CaseView

BLOCK = 1 << 18
SHOWN = 10


def records_option(wanted: Command) -> Command:
    """``--records FILE``, what `carepolicy run` wrote, as the parameter ``records``."""
    return click.option(
        "--records",
        metavar="FILE",
        required=True,
        type=click.Path(),
        help="The records of a run (- is standard input).",
    )(wanted)


def flow_option(wanted: Command) -> Command:
    """``--flow FLOW``, as the parameter ``flow``."""
    return click.option("--flow", metavar="FLOW", shell_complete=flows, help="Only cases of this flow.")(wanted)


@click.group(
    epilog="\b\nExamples:\n  carepolicy case show order-2001 --records records.jsonl\n"
    "  carepolicy case list --late --records records.jsonl\n"
)
def command() -> None:
    """Look at cases, from the records that `carepolicy run` wrote."""


@command.command(
    epilog="\b\nExamples:\n  carepolicy case show order-2001 --records records.jsonl\n"
    "  carepolicy case show order-2001 --records records.jsonl --flow complaint --format json\n"
)
@click.argument("subject")
@records_option
@flow_option
@format_option("text", "json", "jsonl")
@policies_option
def show(subject: str, records: str, flow: str | None, form: str, policies: str) -> None:
    """Show the cases of SUBJECT: state, owner, clocks, and what happened, in the organisation's time zone."""
    from carepolicy.cli import casetext
    from carepolicy.engine.view import cases_of

    zone = _zone(policies)
    with _read(records) as source:
        found = [record for record, _ in _of_subject(source, subject, flow)]
    cases = cases_of(each for each in found if each.sequence)
    loose = sorted((each for each in found if not each.sequence), key=lambda each: each.at)
    if form == "text":
        click.echo(casetext.shown(subject, cases, loose, zone), nl=False)
    elif form == "jsonl":
        _print_json(casetext.case_object(case, zone) for case in cases)
    else:
        _print_object(casetext.subject_object(subject, cases, loose, zone))


@command.command(
    epilog="\b\nExamples:\n  carepolicy case history order-2001 --records records.jsonl\n"
    "  carepolicy case history --all --records records.jsonl > in_order.jsonl\n"
)
@click.argument("subject", required=False)
@click.option("--all", "every", is_flag=True, help="The records of all cases, by subject, flow and sequence.")
@records_option
@flow_option
@format_option("jsonl", "text")
@policies_option
def history(subject: str | None, every: bool, records: str, flow: str | None, form: str, policies: str) -> None:
    """Print the records of SUBJECT, or of all cases, in order by subject, flow and sequence."""
    from carepolicy.cli import casetext
    from carepolicy.engine.history import in_order
    from carepolicy.engine.reading import read_record

    if every == (subject is not None):
        raise click.UsageError("name one subject, or --all", click.get_current_context())
    zone = _zone(policies) if form == "text" else ZoneInfo("UTC")
    out = sys.stdout.buffer
    with _read(records) as source:
        if subject is not None:
            wanted: Iterable[tuple[Record, bytes]] = _of_subject(source, subject, flow)
        else:
            wanted = (each for each in source if flow in (None, each[0].flow))
        for line in in_order(wanted):
            told = line if form == "jsonl" else casetext.line(read_record(line), zone).encode()
            out.write(told + b"\n")


@command.command(
    name="list",
    epilog="\b\nExamples:\n  carepolicy case list --records records.jsonl\n"
    "  carepolicy case list --flow complaint --late --records records.jsonl --format jsonl\n",
)
@records_option
@flow_option
@click.option("--state", metavar="STATE", help="Only cases in this state.")
@click.option("--owner", metavar="ROLE", help="Only cases that this role, or this person, is to work on.")
@click.option("--late", is_flag=True, help="Only cases with a clock that is late.")
@click.option("--limit", type=click.IntRange(1), help="No more cases than these.")
@format_option("text", "json", "jsonl")
@policies_option
def list_(
    records: str, flow: str | None, state: str | None, owner: str | None, late: bool, limit: int | None, form: str,
    policies: str,
) -> None:  # fmt: skip
    """List the open cases, those first that were opened first."""
    cases = [
        case
        for case in sorted(_open_cases(records), key=lambda case: (case.opened, case.subject, case.flow))
        if flow in (None, case.flow) and state in (None, case.state)
        and (owner is None or owner in (case.role, case.person)) and (case.late or not late)
    ]  # fmt: skip
    _print_cases(cases[:limit], form, policies)


@command.command(
    epilog="\b\nExamples:\n  carepolicy case due --records records.jsonl\n"
    "  carepolicy case due --flow complaint --limit 5 --records records.jsonl\n"
)
@records_option
@flow_option
@click.option("--limit", type=click.IntRange(1), help="No more cases than these.")
@format_option("text", "json", "jsonl")
@policies_option
def due(records: str, flow: str | None, limit: int | None, form: str, policies: str) -> None:
    """List the open cases by what falls due next."""
    from carepolicy.engine.instants import parse

    waiting = [
        (parse(clock.due), case)
        for case in _open_cases(records)
        if flow in (None, case.flow) and (clock := case.next_due) is not None and clock.due is not None
    ]
    waiting.sort(key=lambda each: (each[0], each[1].subject, each[1].flow))
    _print_cases([case for _, case in waiting[:limit]], form, policies)


def _open_cases(records: str) -> list[CaseView]:
    from carepolicy.engine.view import Cases

    cases = Cases()
    with _read(records) as source:
        for record, _ in source:
            if record.sequence:
                cases.take(record)
    return list(cases.open())


def _print_cases(cases: list[CaseView], form: str, policies: str) -> None:
    if form == "text":
        from carepolicy.cli import casetext

        click.echo(casetext.table(cases, _zone(policies)), nl=False)
    elif form == "jsonl":
        _print_json(case.as_dict() for case in cases)
    else:
        _print_object({"cases": [case.as_dict() for case in cases]})


def _print_json(objects: Iterable[dict[str, Any]]) -> None:
    import orjson

    for each in objects:
        click.echo(orjson.dumps(each))


def _print_object(answer: dict[str, Any]) -> None:
    import orjson

    click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))


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
    from carepolicy.policy.findings import did_you_mean

    if flows:
        hint = did_you_mean(flow or "", flows - {""}) or "no flow has one"
        raise Refused(f'"{subject}" has no case of the flow "{flow}"; {hint}')
    hint = did_you_mean(subject, others - {""}) or "`carepolicy case list` shows the open cases"
    raise Refused(f'there are no records of "{subject}"; {hint}')


@contextmanager
def _read(file: str) -> Iterator[Iterator[tuple[Record, bytes]]]:
    """The records in a file. Lines that are none are told of at the end, and make the exit status 1."""
    from carepolicy.engine.reading import read_records

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


def _zone(policies: str) -> ZoneInfo:
    """The organisation's zone; UTC, said so, where there is no set in the default folder."""
    import os

    given = click.get_current_context().get_parameter_source("policies")
    if given is ParameterSource.DEFAULT and not os.path.isdir(policies):
        click.echo(f"there is no folder {policies}: times are in UTC; name a set with --policies", err=True)
        return ZoneInfo("UTC")
    from carepolicy.cli.calendars import timetable_of

    return ZoneInfo(timetable_of(policies).timezone)
