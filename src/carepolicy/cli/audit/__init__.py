"""``carepolicy audit``: past events through the policies, or what a store tells of them, and what they say."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import click
import orjson

from carepolicy.cli.configuration import STORE_VARIABLE, store_asked_for
from carepolicy.cli.formats import reported, written
from carepolicy.cli.sets import (
    bundle_or_exit,
    demand_language,
    earlier_or_exit,
    format_option,
    language_option,
    policies_option,
    show,
)
from carepolicy.cli.status import NO, UNREACHABLE, USAGE, CommandError, note
from carepolicy.cli.terminal import parts, plain
from carepolicy.cli.times import until_of, until_option
from carepolicy.store.url import names_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from carepolicy.audit.export import Owners
    from carepolicy.audit.mapping import Mapper
    from carepolicy.audit.measures import Round
    from carepolicy.audit.replay import Log, Replay
    from carepolicy.audit.tables import Begin
    from carepolicy.audit.whatif import Differs, Sweep
    from carepolicy.charts.changes import Difference
    from carepolicy.cli.sets import Command
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping
    from carepolicy.policy.model import Policies
    from carepolicy.report import Rounds
    from carepolicy.spark.audit import Aside, ClusterLog
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
class ReplayedLogs:
    """Which logs are to be replayed, and how; ``until`` in microseconds since 1970. ``watch`` hears how far it is;
    ``export`` is the file that a cluster writes, of which one machine hears the records."""

    paths: Sequence[str]
    policies: str
    mapping: str | None
    by: Sequence[str]
    until: int | None
    workers: int = 1
    watch: Begin | None = None
    engine: str = "local"
    export: str | None = None


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit found: the replay, and what is told beside its figures, as JSON and as lines."""

    replay: Replay
    more: Mapping[str, Any] = field(default_factory=dict)
    lines: Sequence[str] = ()

    def also(self, more: Mapping[str, Any], lines: Sequence[str]) -> AuditResult:
        """The same result with more to tell, after an empty line."""
        return AuditResult(self.replay, {**self.more, **more}, (*self.lines, "", *lines))


def share_option(wanted: Command) -> Command:
    """``--fail-under N|target``, as the parameter ``fail_under``; ``least_share`` reads it."""
    return click.option(
        "--fail-under", metavar="N|target",
        help="Exit with 1 where less than N % of a clock's rounds are in time, or less than its own target.",
    )(wanted)  # fmt: skip


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

    A log is CloudEvents (.jsonl), or, with --map, CSV, TSV, Parquet, JSON lines, XES or OCEL 2.0. The very engine that
    runs live replays them, sorted by subject and time. Exit status 1 means that a clock was below what --fail-under
    demands, 2 that a log cannot be read, or that none of its rows makes an event.

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
        _audit(options, None)
        return
    from carepolicy.cli.stores import open_or_exit  # large, and not needed for logs

    _demand_without(
        "{} needs the events, and a store keeps what came of them: audit a log of them",
        {"--map": options.mapping, "--by": options.by, "--sweep": options.sweep,
         "--engine spark": options.engine == "spark"},
    )  # fmt: skip
    with open_or_exit(url, create=False) as opened:
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
    if options.report is not None and told is not None:
        _report(options.report, found(), result.replay, told, options.language)
    _print(options, result, bundle, found, least)
    if result.replay.seen.refused and not result.replay.seen.events:
        raise CommandError("no row of the log makes an event")
    if options.fail_under is not None:
        _demand_shares(result.replay, least)


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
        click.echo(_targets(result.replay, found(), options.policies, least, options.form), nl=False)
    elif options.form == "json":
        told = {**as_object(result.replay), **result.more}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        titles = {each.flow: each.title for each in bundle.programs}
        click.echo("\n".join(plain(line) for line in [*as_text(result.replay, titles), *result.lines]))


def _note_repeated(traces: int) -> None:
    """Say that traces of one name were taken for one case, where there were such."""
    if traces:
        had = "1 trace has" if traces == 1 else f"{traces:,} traces have"
        note(f"note: {had} the name of one before; the events of traces of one name are those of one case")


def _demand_shares(replay: Replay, least: float | None) -> None:
    """Name the clocks of which less was in time than is demanded, and end with 1 where there are any."""
    from carepolicy.audit.figures import below, goal, short_of

    missed = below(replay, least)
    for flow, clock, share, wanted in missed:
        click.echo(f"{flow}.{clock}: {short_of(share, wanted)} in time, less than {goal(wanted)}", err=True)
    if missed:
        raise SystemExit(NO)


def _targets(replay: Replay, found: Policies, policies: str, least: float | None, form: str) -> str:
    """Which clocks kept their targets, or the share ``least``, for continuous integration."""
    from carepolicy.audit.figures import below, goal, share_of, short_of
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import At

    missed = {(flow, clock): (share, wanted) for flow, clock, share, wanted in below(replay, least)}
    findings, cases = [], []
    for flow, measure in replay.measures.flows.items():
        for clock, each in measure.clocks.items():
            if each.target is None and least is None:
                continue
            share, _ = share_of(each.met, each.late)
            said = (
                "no round was decided"
                if share is None
                else f"{share:.1%} in time, {each.met} of {each.met + each.late}"
            )
            if (flow, clock) in missed:
                less, wanted = missed[flow, clock]
                of = f"{each.met} of {each.met + each.late}"
                said = f"{short_of(less, wanted)} in time, {of}, less than {goal(wanted)}"
                place = found.key_place(At(f"flows/{flow}.yaml", ("clocks", clock)))
                findings.append(Finding(f"{flow}.{clock}", said, place))
            cases.append((flow, clock, said, share is None, (flow, clock) in missed))
    return written(reported(policies, findings), form) if form == "github" else _junit(cases)


def _junit(cases: Sequence[tuple[str, str, str, bool, bool]]) -> str:
    """A test case for each clock: its flow, name, what it came to, whether nothing was decided, whether it failed."""
    from xml.etree import ElementTree

    from carepolicy.cli.formats.junit_form import document

    suites = ElementTree.Element("testsuites")
    for flow in dict.fromkeys(each[0] for each in cases):
        mine = [each for each in cases if each[0] == flow]
        counts = {"tests": len(mine), "failures": sum(each[4] for each in mine), "errors": 0,
                  "skipped": sum(each[3] for each in mine)}  # fmt: skip
        told = {name: str(count) for name, count in counts.items()}
        suite = ElementTree.SubElement(suites, "testsuite", {"name": flow, **told})
        for _, clock, said, skipped, failed in mine:
            case = ElementTree.SubElement(suite, "testcase", classname=f"carepolicy.audit.{flow}", name=clock)
            if failed:
                ElementTree.SubElement(case, "failure", message=said)
            elif skipped:
                ElementTree.SubElement(case, "skipped", message=said)
            else:
                ElementTree.SubElement(case, "system-out").text = said
    return document(suites)


def _owners(bundle: Bundle) -> Owners:
    """Roles by flow and state."""
    return {(each.flow, state.name): state.owner or "" for each in bundle.programs for state in each.states}


@contextmanager
def _exported(path: str | None, bundle: Bundle) -> Iterator[Callable[[Record], None] | None]:
    """What takes the records that are exported; None where none are."""
    from carepolicy.audit.export import ExportFault, exported

    if path is None:
        yield None
        return
    try:
        with exported(path, _owners(bundle)) as write:
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
            return cluster.against(bundle, compile_policies(earlier), *_on_cluster(logs, bundle, told))
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
        counted = [(late, "late now"), (mended, "late no more"), (other, "only under one of them")]
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
            points = cluster.swept(longest, _on_cluster(once, longest)[0], sweep)
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


def least_share(text: str | None) -> float | None:
    """The share from 0 to 1 that is demanded; None where it is each clock's own target."""
    if text is None or text == "target":
        return None
    try:
        share = Decimal(text.removesuffix("%").strip())
        if 0 <= share <= 100:
            return float(share / 100)
    except InvalidOperation:
        pass
    raise CommandError(f'--fail-under "{text}": a share from 0 to 100, or target')


def _demand_fact(fact: str, bundle: Bundle) -> None:
    from carepolicy.policy.likeness import with_hint

    table = bundle.facts.get(fact)
    if table is None:
        raise CommandError(with_hint(f'there is no fact "{fact}"', fact, bundle.facts))
    if table.private:
        raise CommandError(f"{fact} is private, and stands in no report")


def mapper_or_exit(bundle: Bundle, policies: str, named: str, log: str) -> Mapper:
    """The mapping of a file, or of a name in the set; ends where there is something wrong with it."""
    from carepolicy.audit.mapping import Mapper, known_to
    from carepolicy.audit.tables import format_of
    from carepolicy.checks.mappings import mapping_files, read_mapping
    from carepolicy.policy.likeness import with_hint

    known = mapping_files(policies)
    path = known.get(named, named)
    if not os.path.exists(path):
        raise CommandError(with_hint(f"there is no mapping {named}", named, known))
    made, findings = read_mapping(path, known_to(bundle))
    if made is None:
        show(findings)
        raise SystemExit(USAGE)
    return Mapper(made, bundle, (made.reads.format if made.reads is not None else None) or format_of(log))


def replayed(
    logs: ReplayedLogs,
    bundle: Bundle,
    told: Callable[[Round], None] | None = None,
    heard: Callable[[Record], None] | None = None,
) -> Replay:
    """The replay of some logs through a set; ends where one cannot be read. ``told`` hears of each round, ``heard`` of
    each record."""
    from carepolicy.audit.replay import Replay, taken
    from carepolicy.audit.tables import LogFault
    from carepolicy.audit.workers import shared_replay
    from carepolicy.engine.parallel import WorkerDied

    if logs.engine == "spark":
        from carepolicy.cli.audit import cluster  # an extra

        with cluster.reached():
            return cluster.replayed(bundle, *_on_cluster(logs, bundle, told))
    sums = told is None and heard is None
    try:
        mapper, form = _form_of(logs, bundle)
        mapping = None if mapper is None else mapper.mapping
        if sums and _may_be_shared(logs, bundle, form, mapping):
            return shared_replay(bundle, logs.paths, form, mapping, logs.by, logs.until, logs.workers, logs.watch)
        replay = taken(
            lambda: Replay(bundle, logs.by, told, heard),
            lambda sure: _opened(logs, bundle, form, mapping, sure),
            sums,
        )
        if logs.watch is not None:
            logs.watch("what falls due", 0)
        replay.finish(logs.until)
    except LogFault as fault:
        raise CommandError(str(fault)) from None
    except WorkerDied as fault:
        raise CommandError(str(fault), UNREACHABLE) from None
    return replay


def _form_of(logs: ReplayedLogs, bundle: Bundle) -> tuple[Mapper | None, str]:
    """What makes events of the logs' rows (None for CloudEvents), and the logs' format; ends where one is not there."""
    from carepolicy.audit.tables import format_of

    on_cluster = logs.engine == "spark" and logs.mapping is None  # which reads folders, and files of others
    for path in logs.paths:
        if not os.path.exists(path) and not (on_cluster and "://" in path):
            raise CommandError(f"{path}: there is no such file")
    if logs.mapping is not None:
        mapper = mapper_or_exit(bundle, logs.policies, logs.mapping, logs.paths[0])
        return mapper, mapper.form
    for path in logs.paths:
        if not (on_cluster and ("://" in path or os.path.isdir(path))) and format_of(path) != "jsonl":
            raise CommandError(f"{path} needs a mapping (--map): how its rows become events")
    return None, "jsonl"


def _may_be_shared(logs: ReplayedLogs, bundle: Bundle, form: str, mapping: LogMapping | None) -> bool:
    """Whether several processes may share the logs."""
    from carepolicy.audit.workers import may_be_shared

    if logs.workers == 1 or form == "ocel":
        return False
    log, _ = _opened(logs, bundle, form, mapping)
    with log:
        return may_be_shared(bundle, log)


def _opened(
    logs: ReplayedLogs, bundle: Bundle, form: str, mapping: LogMapping | None, sure: bool = True
) -> tuple[Log, Mapper | None]:
    """The logs, not read yet, and what makes events of their rows."""
    from carepolicy.audit.mapping import Mapper
    from carepolicy.audit.replay import opened

    mapper = None if mapping is None else Mapper(mapping, bundle, form)
    return opened(logs.paths, form, mapper, watch=logs.watch, sure=sure), mapper


def _on_cluster(
    logs: ReplayedLogs, bundle: Bundle, told: Callable[[Round], None] | None = None
) -> tuple[ClusterLog, Aside]:
    """The logs as tasks of a cluster read them, and what is told beside the sums. Raises ``LogFault``."""
    from carepolicy.spark.audit import Aside, ClusterLog  # an extra

    mapper, form = _form_of(logs, bundle)
    mapping = None if mapper is None else mapper.mapping
    log = ClusterLog(logs.paths, form, mapping, logs.by, logs.until, note, logs.watch)
    return log, Aside(told, logs.export, _owners(bundle))
