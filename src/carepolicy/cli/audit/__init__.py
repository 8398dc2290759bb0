"""``carepolicy audit``: past events through the policies, or what a store tells of them, and what they say."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click
import orjson

from carepolicy.cli.audit.logs import ReplayedLogs, on_cluster, owners_of, replayed
from carepolicy.cli.audit.targets import demand_shares, least_share, share_option, told_of_targets
from carepolicy.cli.configuration import STORE_VARIABLE, store_asked_for
from carepolicy.cli.piped import copied_pipes, ending_tidily
from carepolicy.cli.sets import (
    bundle_or_exit,
    demand_language,
    earlier_or_exit,
    format_option,
    language_option,
    policies_option,
)
from carepolicy.cli.status import UNREACHABLE, CommandError, note
from carepolicy.cli.terminal import breadth, fitted, parts, plain
from carepolicy.cli.times import until_of, until_option
from carepolicy.store.url import names_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from carepolicy.audit.measures import Round
    from carepolicy.audit.replay import Replay
    from carepolicy.audit.tables import Begin
    from carepolicy.audit.whatif import Differs, Sweep
    from carepolicy.charts.changes import Difference
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.model import Policies
    from carepolicy.report import Rounds
    from carepolicy.store.contract import Store


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, as it was written on the command line."""

    logs: tuple[str, ...]
    store: str | None
    policies: str
    mapping: str | None
    by: tuple[str, ...]
    until: str | None
    fail_under: str | None
    against: str | None
    sweep: str | None
    workers: int
    engine: str
    export: str | None
    report: str | None
    language: str | None
    form: str


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit found: the replay, and what is told beside its figures, as JSON and as lines."""

    replay: Replay
    more: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()

    def also(self, more: Mapping[str, Any], lines: Sequence[str]) -> AuditResult:
        """The same result with more to tell, after an empty line."""
        return AuditResult(self.replay, {**self.more, **more}, (*self.lines, "", *lines))


@click.command(
    epilog="Examples: carepolicy audit events.jsonl, carepolicy audit tickets.xes.gz --map helpdesk --format json, "
    "carepolicy audit orders.csv --map orders --by order.country --fail-under 95, "
    "carepolicy audit events.jsonl --against HEAD~1, carepolicy audit events.jsonl --sweep first_reply.limit=1h..8h, "
    "carepolicy audit --store sqlite:///care.db --against policies"
)
@click.argument("logs", nargs=-1, metavar="LOG...", type=click.Path())
@click.option(
    "--store", metavar="URL", envvar=STORE_VARIABLE, show_envvar=True, help="Audit what a store took, in place of logs."
)
@policies_option
@click.option("--map", "mapping", metavar="MAPPING", help="How the log becomes events: a file, or a name in mappings/.")
@click.option("--by", metavar="FACT", multiple=True, help="Count in-time shares by this fact too; may be given again.")
@until_option
@share_option
@click.option("--against", metavar="OLD", help="What differs, case by case, from the set of this folder or revision.")
@click.option(
    "--sweep",
    metavar="CLOCK.limit=A..B",
    help="Tell the share in time for limits from A to B, as 1h..8h, or 1h..8h/30m.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes to share tables and traces among.",
)
@click.option(
    "--engine", type=click.Choice(("local", "spark")), default="local", show_default=True,
    help="Where to replay: on this machine, or on Spark's cluster (docs/cluster.md).",
)  # fmt: skip
@click.option(
    "--export", metavar="FILE", help="Write what happened for other tools: .xes, .xes.gz or .json (OCEL 2.0)."
)
@click.option("--report", metavar="DIR", type=click.Path(), help="Write pages and tables that open from this folder.")
@language_option("Write the report in this language of the set; default: its first.")
@format_option("text", "json", "github", "junit")
def command(**given: Any) -> None:
    """Replay the events of LOGs through the policies, and report which promises were kept.

    A log is CloudEvents (.jsonl), or, with --map, CSV, TSV, Parquet, JSON lines, XES or OCEL 2.0; - is standard input.
    The very engine that runs live replays them, sorted by subject and time. Exit status 1 means that a clock was below
    what --fail-under demands, 2 that a log cannot be read, or that none of its rows makes an event.

    --format junit has a test case for each clock with a target, or with the share that --fail-under demands; github an
    annotation at each clock that is below it.

    --report writes an overview, a page for each flow, and every round of every clock as a table (CSV and Parquet).

    --against replays them through another set too, and names the rounds that are late under one and not under the
    other. --sweep tries many limits on one clock, all else as it was.

    --store measures the records of what a store took, by the set that is installed in it; --against then says what
    another set would do to its open cases.
    """
    options = Options(**given)
    url = _store_in(options.logs, options.store)
    if url is None:
        if not options.logs:
            raise click.UsageError("name a LOG, or a --store", click.get_current_context())
        afar = options.engine == "spark"  # which sees no copies of ours
        with ending_tidily(), copied_pipes(() if afar else options.logs, options.mapping is None) as logs:
            _audit(options if afar else replace(options, logs=logs), None)
        return
    from carepolicy.cli.stores import open_or_exit  # large, and not needed for logs

    _demand_without(
        "{} needs the events, and a store keeps what came of them: audit a log of them",
        {"--map": options.mapping, "--by": options.by, "--sweep": options.sweep,
         "--engine spark": options.engine == "spark"},
    )  # fmt: skip
    with ending_tidily(), open_or_exit(url, create=False) as opened:
        _audit(replace(options, logs=()), opened)


def _store_in(logs: Sequence[str], store: str | None) -> str | None:
    """The URL of the store that is to be audited: of ``--store``, or one in place of a log; None where logs are. One
    that is configured counts where nothing else is named."""
    named = [each for each in logs if names_store(each)]
    store = store_asked_for(store, bool(logs))
    if store is None and len(named) == len(logs) == 1:
        return named[0]
    if named or (store is not None and logs):
        raise CommandError("one store is audited by itself: leave the logs out")
    return store


def _demand_without(why: str, options: Mapping[str, Any]) -> None:
    """End where one of the options is given; ``why`` says why it does not go, with ``{}`` for its name."""
    for name, given in options.items():
        if given not in (None, False, ()):
            raise CommandError(why.format(name))


def _audit(options: Options, opened: Store | None) -> None:
    """Audit the logs, or the store that is open, and print what was found."""
    from zoneinfo import ZoneInfo

    from carepolicy.audit.figures import day_of

    if opened is not None:
        from carepolicy.cli.audit import stored  # large, and not needed for logs
    bundle = bundle_or_exit(options.policies) if opened is None else stored.installed_bundle(opened, options.policies)
    for fact in options.by:
        _demand_fact(fact, bundle)
    least = least_share(options.fail_under)
    until = until_of(options.until, bundle)
    _demand_fitting(options, bundle)
    found = cache(  # read once, where anybody asks for it
        partial(earlier_or_exit, options.policies, options.policies) if opened is None
        else partial(stored.installed_policies, opened)
    )  # fmt: skip
    with (
        parts("audit") as watch,
        _exported(None if options.engine == "spark" else options.export, bundle) as heard,
        _tabled(options.report, options.by) as told,
    ):
        if opened is None:
            result = _of_logs(options, _logs_of(options, until, watch), bundle, found, told, heard)
        else:
            result = AuditResult(*stored.of_store(opened, bundle, until, watch, told, heard))
            if options.against is not None:
                result = result.also(*stored.planned(opened, bundle, options.against, options.policies, until))
    _note_repeated(result.replay.seen.repeated)
    if until is not None and until < result.replay.seen.last:
        last = day_of(result.replay.seen.last, ZoneInfo(bundle.timezone))
        note(f"note: --until lies before the last event (of {last}), and changes nothing: all events are replayed")
    if options.report is not None and told is not None:
        _report(options.report, found(), result.replay, told, options.language)
    _print(options, result, bundle, found, least)
    if result.replay.seen.refused and not result.replay.seen.events:
        raise CommandError("no row of the log makes an event")
    if options.fail_under is not None:
        demand_shares(result.replay, least)


def _demand_fitting(options: Options, bundle: Bundle) -> None:
    """End where options do not go together, or name a language that the set does not have."""
    if options.language is not None and options.report is None:
        raise click.UsageError("--language goes with --report", click.get_current_context())
    demand_language(options.language, bundle.languages or ("en",))


def _logs_of(options: Options, until: int | None, watch: Begin | None) -> ReplayedLogs:
    """The logs that the options name."""
    return ReplayedLogs(
        options.logs, options.policies, options.mapping, options.by, until, options.workers, watch, options.engine,
        options.export,
    )  # fmt: skip


def _of_logs(
    options: Options, logs: ReplayedLogs, bundle: Bundle, found: Callable[[], Policies],
    told: Callable[[Round], None] | None, heard: Callable[[Record], None] | None,
) -> AuditResult:  # fmt: skip
    """What came of logs: how they were replayed, what differs from another set, and the curve of a sweep."""
    limits = None if options.sweep is None else _sweep(options.sweep, found())
    if options.against is None:
        result = AuditResult(replayed(logs, bundle, told, heard))
    else:
        from carepolicy.charts.changes import compare  # seldom needed

        earlier = earlier_or_exit(options.against, options.policies)
        replay, differing = _against(logs, bundle, earlier, told, heard)
        more, lines = _differences(differing, options.against, compare(earlier, found(), None))
        result = AuditResult(replay).also({"against": more}, lines)
    if limits is not None:
        more, lines = _swept(logs, limits, result.replay, found())
        result = result.also({"sweep": more}, lines)
    return result


def _print(
    options: Options, result: AuditResult, bundle: Bundle, found: Callable[[], Policies], least: float | None
) -> None:
    """Print the figures in the form that was asked for."""
    from carepolicy.audit.figures import as_object, as_text

    if options.form in ("github", "junit"):
        click.echo(told_of_targets(result.replay, found(), options.policies, least, options.form), nl=False)
    elif options.form == "json":
        told = {**as_object(result.replay), **result.more}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        titles = {each.flow: each.title for each in bundle.programs}
        columns = breadth()
        lines = [plain(line) for line in [*as_text(result.replay, titles, columns), *result.lines]]
        click.echo("\n".join(part for line in lines for part in fitted(line, columns)))


def _note_repeated(traces: int) -> None:
    """Say that traces of one name were taken for one case, where there were such."""
    if traces:
        had = "1 trace has" if traces == 1 else f"{traces:,} traces have"
        note(f"note: {had} the name of one before; the events of traces of one name are those of one case")


@contextmanager
def _exported(path: str | None, bundle: Bundle) -> Iterator[Callable[[Record], None] | None]:
    """What takes the records that are exported; None where none are."""
    from carepolicy.audit.export import ExportFault, exported

    if path is None:
        yield None
        return
    try:
        with exported(path, owners_of(bundle)) as write:
            yield write
    except ExportFault as fault:
        raise CommandError(str(fault)) from None


@contextmanager
def _tabled(folder: str | None, by: Sequence[str]) -> Iterator[Rounds | None]:
    """What writes down each round for a report below a folder; None without one."""
    if folder is None:
        yield None
        return
    from carepolicy.report import Rounds  # pages and tables

    if find_spec("duckdb") is None:
        raise CommandError("a report has tables that need DuckDB: install carepolicy[audit]")
    with Rounds(folder, by) as rounds:
        yield rounds


def _report(folder: str, found: Policies, replay: Replay, rounds: Rounds, language: str | None) -> None:
    """Write the pages of a report, and say where they are."""
    from carepolicy.charts import RenderError
    from carepolicy.machine.locales import nearest_language
    from carepolicy.report import build

    tag = None if language is None else nearest_language(language, found.organisation.languages or ("en",))
    try:
        site = build(found, replay, rounds, folder, tag)
    except RenderError as problem:
        raise CommandError(str(problem), UNREACHABLE) from None
    note(f"{os.path.join(folder, 'index.html')} ({len(site.files)} files)")
    if site.advice:
        note(f"carepolicy: {site.advice}")


def _against(
    logs: ReplayedLogs, bundle: Bundle, earlier: Policies, told: Callable[[Round], None] | None,
    heard: Callable[[Record], None] | None,
) -> tuple[Replay, list[Differs]]:  # fmt: skip
    """The replay, and the rounds whose verdicts another set would have changed."""
    from carepolicy.audit.whatif import RoundVerdicts, compared
    from carepolicy.machine.compiler import compile_policies

    if logs.engine == "spark":
        from carepolicy.cli.audit import cluster  # an extra

        with cluster.reached():
            return cluster.against(bundle, compile_policies(earlier), *on_cluster(logs, bundle, told))
    before, after = RoundVerdicts(), RoundVerdicts()
    replayed(replace(logs, by=()), compile_policies(earlier), before)

    def both(each: Round) -> None:
        after(each)
        if told is not None:
            told(each)

    replay = replayed(logs, bundle, both, heard)
    return replay, compared(before, after)


def _differences(found: Sequence[Differs], old: str, difference: Difference) -> tuple[dict[str, Any], list[str]]:
    """What differs, as JSON and as lines: by clock, with what changed in its flow."""
    from carepolicy.audit.whatif import by_clock

    counts = by_clock(found)
    told: list[dict[str, Any]] = []
    lines = [f"against {old}: {len(found):,} round{'' if len(found) == 1 else 's'} decided otherwise"]
    for (flow, clock), (late, mended, other) in counts.items():
        changes = [change.text for change in difference.of(flow)]
        told.append({"flow": flow, "clock": clock, "late_now": late, "late_no_more": mended, "other": other,
                     "changes": changes})  # fmt: skip
        counted = [
            (late, "late that were in time"), (mended, "in time that were late"), (other, "only under one of them"),
        ]  # fmt: skip
        said = ", ".join(f"{number:,} {what}" for number, what in counted if number)
        cases = [each for each in found if (each.flow, each.clock) == (flow, clock)]
        lines.append(f"  {flow}.{clock}: {said} (as in {cases[0].subject})")
        lines += [f"    {each}" for each in changes]
    return {"rounds": [each.as_object() for each in found], "clocks": told}, lines


def _sweep(text: str, policies: Policies) -> Sweep:
    """The limits that are to be tried; ends where they cannot be."""
    from carepolicy.audit.whatif import SweepFault, parse_sweep

    try:
        return parse_sweep(text, policies)
    except SweepFault as fault:
        raise CommandError(str(fault)) from None


def _swept(logs: ReplayedLogs, sweep: Sweep, replay: Replay, policies: Policies) -> tuple[dict[str, Any], list[str]]:
    """The curve of a sweep, as JSON and as lines."""
    from carepolicy.audit.whatif import SweptRounds, swept_set

    longest, once = swept_set(policies, sweep), replace(logs, by=())
    if logs.engine == "spark":
        from carepolicy.cli.audit import cluster  # an extra

        with cluster.reached():
            points = cluster.swept(longest, on_cluster(once, longest)[0], sweep)
    else:
        rounds = SweptRounds(sweep, longest)
        swept = replayed(once, longest, rounds)
        rounds.note_running(swept, logs.until if logs.until is not None else replay.seen.last)
        points = rounds.points()
    lines = [f"{sweep.flow}.{sweep.clock}, had its limit been:"]
    widest = max(len(each.limit) for each in points)
    for place, each in enumerate(points):
        total = each.met + each.late
        before = points[place - 1]
        if 0 < place < len(points) - 1 and (each.met, each.late) == (before.met, before.late):
            continue  # a line for each step of the curve
        share = each.met / total if total else 0.0
        lines.append(f"  {each.limit:<{widest}}  {share:7.1%}  {'█' * round(40 * share)}")
    made = {"flow": sweep.flow, "clock": sweep.clock, "points": [each.as_object() for each in points]}
    return made, lines


def _demand_fact(fact: str, bundle: Bundle) -> None:
    from carepolicy.policy.likeness import with_hint

    table = bundle.facts.get(fact)
    if table is None:
        raise CommandError(with_hint(f'there is no fact "{fact}"', fact, bundle.facts))
    if table.private:
        raise CommandError(f"{fact} is private, and stands in no report")
