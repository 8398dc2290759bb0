"""``carepolicy case``: cases as a store, or the records of a run, tells of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import orjson
from click.core import ParameterSource

from carepolicy.cli.case import text
from carepolicy.cli.case.source import source_of
from carepolicy.cli.completion import flows, roles, states, subjects
from carepolicy.cli.sets import Command, format_option, policies_option, showing_errors
from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.stores import open_or_exit, reveal_options, store_option
from carepolicy.cli.times import wall_clock
from carepolicy.engine.history.cases import cases_of
from carepolicy.engine.history.log import in_order, read_record
from carepolicy.engine.history.words import NAMES, Titles
from carepolicy.machine.bundle import PolicyErrors, load_bundle
from carepolicy.machine.timetable import timetable_of
from carepolicy.store.cases.search import CaseFilter
from carepolicy.store.records.checkpoint import NotSigned, proof_of

if TYPE_CHECKING:
    from carepolicy.engine.history.cases import CaseView


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
@policies_option
def show(
    subject: str, records: str | None, store: str, flow: str | None, reveal: bool, role: str | None, form: str,
    policies: str,
) -> None:  # fmt: skip
    """Show the cases of SUBJECT: state, owner, clocks, and what happened, in the organisation's time zone.

    What is private is masked; with a store, --reveal --as ROLE shows what the role may see.
    """
    with source_of(records, store, reveal, role) as source:
        zone, titles = _zone(policies), _titles(policies)
        found = [record for record, _ in source.of_subject(subject, flow)]
    cases = cases_of(each for each in found if each.sequence)
    loose = sorted((each for each in found if not each.sequence), key=lambda each: each.at)
    if form == "text":
        click.echo(text.shown(subject, cases, loose, zone, titles), nl=False)
    elif form == "jsonl":
        _print_json(text.case_object(case, zone, titles) for case in cases)
    else:
        _print_object(text.subject_object(subject, cases, loose, zone, titles))


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
@policies_option
def history(
    subject: str | None, every: bool, proof: bool, records: str | None, store: str, flow: str | None, reveal: bool,
    role: str | None, form: str, policies: str,
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
        zone, titles = (_zone(policies), _titles(policies)) if form == "text" else (ZoneInfo("UTC"), NAMES)
        lines = source.in_order(flow) if subject is None else in_order(source.of_subject(subject, flow))
        for line in lines:
            told = line if form == "jsonl" else text.line(read_record(line), zone, titles).encode()
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
@click.option("--limit", type=click.IntRange(1), help="No more cases than these.")
@reveal_options
@format_option("text", "json", "jsonl", "csv")
@policies_option
def list_(
    records: str | None, store: str, flow: str | None, state: str | None, owner: str | None, late: bool,
    limit: int | None, reveal: bool, role: str | None, form: str, policies: str,
) -> None:  # fmt: skip
    """List the open cases, those first that were opened first."""
    with source_of(records, store, reveal, role) as source:
        cases = source.open_cases(CaseFilter(flow, state, owner, late, limit))
        _print_cases(cases, form, policies)


@command.command(
    epilog="\b\nExamples:\n  carepolicy case due --records records.jsonl\n"
    "  carepolicy case due --flow complaint --limit 5 --records records.jsonl\n"
)
@records_option
@flow_option
@click.option("--limit", type=click.IntRange(1), help="No more cases than these.")
@reveal_options
@format_option("text", "json", "jsonl", "csv")
@policies_option
def due(
    records: str | None, store: str, flow: str | None, limit: int | None, reveal: bool, role: str | None, form: str,
    policies: str,
) -> None:  # fmt: skip
    """List the open cases by what falls due next."""
    with source_of(records, store, reveal, role) as source:
        cases = source.open_cases(CaseFilter(flow, limit=limit, by_due=True))
        _print_cases(cases, form, policies)


def _print_proof(url: str, subject: str, flow: str | None) -> None:
    with source_of(None, url, False, None) as source:
        source.of_subject(subject, flow)  # refuses an unknown one
    try:
        with open_or_exit(url, create=False) as store:
            said = proof_of(store, subject, flow, wall_clock())
    except NotSigned as fault:
        raise CommandError(f"nothing is proved: {fault}; `carepolicy verify` says more", NO) from None
    click.echo(said)


def _print_cases(cases: Iterable[CaseView], form: str, policies: str) -> None:
    """Print cases: as lines of JSON each as it comes, so that there may be as many as there are."""
    if form == "text":
        click.echo(text.as_table(list(cases), _zone(policies)), nl=False)
    elif form == "jsonl":
        _print_json(case.as_dict() for case in cases)
    elif form == "csv":
        for row in text.as_csv(cases):
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


def _titles(policies: str) -> Titles:
    """The titles of the set in a folder; none where there is no sound one: cases are shown all the same."""
    if not os.path.isdir(policies):
        return NAMES
    try:
        return Titles(load_bundle(policies))
    except PolicyErrors:
        return NAMES
