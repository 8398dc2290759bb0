"""``carepolicy audit``: past events through the policies, and what they say of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import orjson

from carepolicy.cli.formats import reported, written
from carepolicy.cli.sets import bundle_or_exit, format_option, policies_option
from carepolicy.cli.status import NO, USAGE, CommandError
from carepolicy.cli.terminal import busy, plain
from carepolicy.cli.times import until_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.audit.mapping import Mapper
    from carepolicy.audit.replay import Replay
    from carepolicy.machine.program import Bundle


@click.command(
    epilog="Examples: carepolicy audit events.jsonl, carepolicy audit tickets.xes.gz --map helpdesk --format json, "
    "carepolicy audit orders.csv --map mappings/orders.yaml --by order.country --fail-under 95"
)
@click.argument("logs", nargs=-1, required=True, metavar="LOG...", type=click.Path())
@policies_option
@click.option("--map", "mapping", metavar="MAPPING", help="How the log becomes events: a file, or a name in mappings/.")
@click.option("--by", metavar="FACT", multiple=True, help="Count in-time shares by this fact too; may be given again.")
@click.option("--until", metavar="TIME", help="Let timers fall due until TIME; default: the latest time read.")
@click.option(
    "--fail-under", metavar="N|target",
    help="Exit with 1 where less than N % of a clock's rounds are in time, or less than its own target.",
)  # fmt: skip
@format_option("text", "json")
def command(
    logs: tuple[str, ...], policies: str, mapping: str | None, by: tuple[str, ...], until: str | None,
    fail_under: str | None, form: str,
) -> None:  # fmt: skip
    """Replay the events of LOGs through the policies, and report which promises were kept.

    A log is CloudEvents (.jsonl), or, with --map, CSV, TSV, Parquet, JSON lines or XES. The very engine that runs live
    replays them, sorted by subject and time. Exit status 1 means that a clock was below what --fail-under demands.
    """
    from carepolicy.audit.figures import as_object, as_text, below

    bundle = bundle_or_exit(policies)
    for fact in by:
        _demand_fact(fact, bundle)
    least = _least(fail_under)
    end = until_of(until, bundle)
    with busy("audit"):
        replay = replayed(bundle, policies, logs, mapping, by, end)
    if form == "json":
        click.echo(orjson.dumps(as_object(replay), option=orjson.OPT_INDENT_2).decode())
    else:
        titles = {each.flow: each.title for each in bundle.programs}
        click.echo("\n".join(plain(line) for line in as_text(replay, titles)))
    missed = below(replay, least) if fail_under is not None else []
    for flow, clock, share, wanted in missed:
        click.echo(f"{flow}.{clock}: {share:.1%} in time, less than {wanted:.0%}", err=True)
    if missed:
        raise SystemExit(NO)


def _least(text: str | None) -> float | None:
    """The share from 0 to 1 that is demanded; None where it is each clock's own target."""
    if text is None or text == "target":
        return None
    try:
        share = float(text.removesuffix("%"))
    except ValueError:
        share = -1.0
    if not 0 <= share <= 100:
        raise CommandError(f'--fail-under "{text}": a share from 0 to 100, or target')
    return share / 100


def _demand_fact(fact: str, bundle: Bundle) -> None:
    from carepolicy.policy.likeness import did_you_mean

    table = bundle.facts.get(fact)
    if table is None:
        raise CommandError(f'there is no fact "{fact}"; {did_you_mean(fact, bundle.facts)}')
    if table.private:
        raise CommandError(f"{fact} is private, and stands in no report")


def mapper_or_exit(bundle: Bundle, policies: str, named: str, log: str) -> Mapper:
    """The mapping of a file, or of a name in the set; ends where there is something wrong with it."""
    from carepolicy.audit.mapping import Mapper, known_to
    from carepolicy.audit.tables import format_of
    from carepolicy.checks.mappings import mapping_files, read_mapping
    from carepolicy.policy.likeness import did_you_mean

    known = mapping_files(policies)
    path = known.get(named, named)
    if not os.path.exists(path):
        near = f"; {did_you_mean(named, known)}" if known else ""
        raise CommandError(f"there is no mapping {named}{near}")
    made, findings = read_mapping(path, known_to(bundle))
    if made is None:
        click.echo(written(reported("", findings), "text"), err=True, nl=False)
        raise SystemExit(USAGE)
    return Mapper(made, bundle, (made.reads.format if made.reads is not None else None) or format_of(log))


def replayed(
    bundle: Bundle, policies: str, logs: Sequence[str], mapping: str | None, by: Sequence[str], until: int | None
) -> Replay:
    """The replay of some logs; ends where one cannot be read."""
    from carepolicy.audit.ocel import Objects
    from carepolicy.audit.replay import Replay, replay_lines
    from carepolicy.audit.tables import LogFault, Table, format_of
    from carepolicy.audit.xes import Repeated, Traces

    for path in logs:
        if not os.path.exists(path):
            raise CommandError(f"{path}: there is no such file")
    try:
        if mapping is None:
            for path in logs:
                if format_of(path) != "jsonl":
                    raise CommandError(f"{path} needs a mapping (--map): how its rows become events")
            with Table(logs, "jsonl", None) as table:
                return replay_lines(bundle, table, by, until)
        mapper = mapper_or_exit(bundle, policies, mapping, logs[0])
        form = mapper.form
        replay = Replay(bundle, by)
        if form in ("xes", "ocel"):
            for path in logs:
                with Traces(path) if form == "xes" else Objects(path) as log:
                    replay.take_mapped(log, mapper)
        else:
            with Table(logs, form, mapper.mapping.reads, mapper.times) as table:
                replay.take_mapped(table, mapper)
        replay.finish(until)
    except LogFault as fault:
        raise CommandError(str(fault)) from None
    except Repeated as fault:
        raise CommandError(f'two traces are called "{fault}"') from None
    return replay
