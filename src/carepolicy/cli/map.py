"""``carepolicy map``: drafts of mappings from a log to the events of a flow, and the events that a mapping makes."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import click

from carepolicy.cli.completion import flows
from carepolicy.cli.piped import copied_pipes, ending_tidily
from carepolicy.cli.sets import bundle_or_exit, policies_option, policies_or_exit
from carepolicy.cli.status import NO, CommandError, note
from carepolicy.cli.terminal import busy, parts
from carepolicy.policy.likeness import with_hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.audit.replay import Seen
    from carepolicy.audit.suggest import Rows
    from carepolicy.machine.program import Bundle

SHOWN = 10
"""So many rows that make no event are named."""


@click.group(
    epilog="Examples: carepolicy map suggest tickets.csv complaint, "
    "carepolicy map events tickets.csv --map tickets | carepolicy run"
)
def command() -> None:
    """Work on mappings, which say how a log that others wrote becomes events."""


@command.command(epilog="Example: carepolicy map suggest orders.csv order_fulfilment > policies/mappings/orders.yaml")
@click.argument("log", type=click.Path())
@click.argument("flow", shell_complete=flows)
@click.option(
    "--format", "form", metavar="FORMAT", type=click.Choice(("csv", "tsv", "jsonl", "parquet", "xes", "ocel")),
    help="csv, tsv, jsonl, parquet, xes or ocel; default: by its name.",
)  # fmt: skip
@policies_option
def suggest(log: str, flow: str, form: str | None, policies: str) -> None:
    """Draft a mapping from LOG to the events of FLOW, by names, values and the order of events.

    Each line says how sure it is; what is not sure stands in a comment. Judge it, put it into mappings/ of the set, and
    let `carepolicy check` look at it.
    """
    from carepolicy.audit.suggest import SURE, drafted

    found = policies_or_exit(policies)
    if flow not in found.flows:
        raise CommandError(with_hint(f'there is no flow "{flow}"', flow, found.flows))
    with busy(f"looking at {log}"):
        with ending_tidily(), copied_pipes([log], False) as (path,):
            rows, form = _sampled(path, form)
        name = re.sub(r"[^a-z0-9]+", "_", os.path.basename(log).partition(".")[0].lower()).strip("_") or "log"
        name = name if name[0].isalpha() else f"log_{name}"
        draft = drafted(rows, found, found.flows[flow], name, form) if rows else None
    if draft is None:
        raise CommandError(f"{log} has no rows with times in them, so nothing can be drafted")
    click.echo("\n".join(draft.text()))
    sure = sum(each.certainty >= SURE for each in draft.events.values())
    note(f"{sure} of {len(draft.events)} kinds of event found; read it before you use it")


@command.command(epilog="Example: carepolicy map events orders.csv --map orders > events.jsonl")
@click.argument("logs", nargs=-1, required=True, metavar="LOG...", type=click.Path())
@click.option(
    "--map", "mapping", metavar="MAPPING", required=True,
    help="How the log becomes events: a file, or a name in mappings/.",
)  # fmt: skip
@policies_option
def events(logs: tuple[str, ...], mapping: str, policies: str) -> None:
    """Print the events that a mapping makes of LOGs, as CloudEvents, one a line, by case and then by time.

    They are those that `carepolicy audit --map` replays, for `carepolicy run` and others. An event has the id that the
    log gives it, else one of its case and its place there, which a longer log gives it again. Exit status 1 means that
    rows made no event: the first of them are named.
    """
    bundle = bundle_or_exit(policies)
    with ending_tidily(), copied_pipes(logs, False) as paths:
        seen = _printed(paths, bundle, policies, mapping)
    for number, reason in sorted(seen.shown)[:SHOWN]:
        click.echo(f"row {number}: {reason}", err=True)
    if seen.refused:
        click.echo(f"{seen.refused:,} row{'' if seen.refused == 1 else 's'} made no event", err=True)
        raise SystemExit(NO)


def _printed(paths: Sequence[str], bundle: Bundle, policies: str, mapping: str) -> Seen:
    """Print the events of logs; what was read of them."""
    from carepolicy.audit.export import by_subject
    from carepolicy.audit.replay import Replay, columns_for, opened
    from carepolicy.audit.tables import LogFault, Table
    from carepolicy.cli.audit.logs import mapper_or_exit

    for path in paths:
        if not os.path.exists(path):
            raise CommandError(f"{path}: there is no such file")
    mapper = mapper_or_exit(bundle, policies, mapping, paths[0])
    replay = Replay(bundle)
    try:
        with parts("map") as watch, opened(paths, mapper.form, mapper, watch=watch) as log:
            groups = log.groups(mapper.mapping.subject, columns_for(mapper, log))
            for lines in by_subject(replay.events_of(groups, mapper, isinstance(log, Table)), mapper):
                sys.stdout.buffer.write(lines)
            replay.note_read(log, mapper)
    except LogFault as fault:
        raise CommandError(str(fault)) from None
    return replay.seen


def _sampled(log: str, form: str | None) -> tuple[Rows, str]:
    """The first rows of a log, and its format."""
    from carepolicy.audit.replay import opened
    from carepolicy.audit.suggest import LOOKED_AT
    from carepolicy.audit.tables import LogFault, format_of

    if not os.path.exists(log):
        raise CommandError(f"{log}: there is no such file")
    try:
        form = form or format_of(log)
        with opened([log], form) as found:
            return found.sample(LOOKED_AT), form
    except LogFault as fault:
        raise CommandError(str(fault)) from None
