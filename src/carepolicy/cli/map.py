"""``carepolicy map``: drafts of mappings from a log to the events of a flow."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from carepolicy.cli.completion import flows
from carepolicy.cli.sets import policies_option, policies_or_exit
from carepolicy.cli.status import CommandError, note
from carepolicy.cli.terminal import busy
from carepolicy.policy.likeness import did_you_mean

if TYPE_CHECKING:
    from carepolicy.audit.suggest import Rows


@click.group(epilog="Example: carepolicy map suggest tickets.csv complaint")
def command() -> None:
    """Work on mappings, which say how a log that others wrote becomes events."""


@command.command(epilog="Example: carepolicy map suggest orders.csv order_fulfilment > policies/mappings/orders.yaml")
@click.argument("log", type=click.Path())
@click.argument("flow", shell_complete=flows)
@click.option("--format", "form", metavar="FORMAT", help="csv, tsv, jsonl, parquet, xes or ocel; default: by its name.")
@policies_option
def suggest(log: str, flow: str, form: str | None, policies: str) -> None:
    """Draft a mapping from LOG to the events of FLOW, by names, values and the order of events.

    Each line says how sure it is; what is not sure stands in a comment. Judge it, put it into mappings/ of the set, and
    let `carepolicy check` look at it.
    """
    from carepolicy.audit.suggest import SURE, drafted

    found = policies_or_exit(policies)
    if flow not in found.flows:
        raise CommandError(f'there is no flow "{flow}"; {did_you_mean(flow, found.flows)}')
    with busy(f"looking at {log}"):
        rows, form = _sampled(log, form)
        name = re.sub(r"[^a-z0-9]+", "_", os.path.basename(log).partition(".")[0].lower()).strip("_") or "log"
        draft = drafted(rows, found, found.flows[flow], name, form) if rows else None
    if draft is None:
        raise CommandError(f"{log} has no rows with times in them, so nothing can be drafted")
    click.echo("\n".join(draft.text()))
    sure = sum(each.certainty >= SURE for each in draft.events.values())
    note(f"{sure} of {len(draft.events)} kinds of event found; read it before you use it")


def _sampled(log: str, form: str | None) -> tuple[Rows, str]:
    """The first rows of a log, and its format."""
    from carepolicy.audit.ocel import Objects
    from carepolicy.audit.suggest import LOOKED_AT
    from carepolicy.audit.tables import LogFault, Table, format_of
    from carepolicy.audit.xes import Traces

    if not os.path.exists(log):
        raise CommandError(f"{log}: there is no such file")
    try:
        form = form or format_of(log)
        if form in ("xes", "ocel"):
            with Traces([log]) if form == "xes" else Objects([log]) as found:
                return found.sample(LOOKED_AT), form
        with Table([log], form, None) as table:
            return table.sample(LOOKED_AT), form
    except LogFault as fault:
        raise CommandError(str(fault)) from None
