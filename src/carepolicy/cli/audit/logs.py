"""The logs that an audit replays: what they are, what reads them, and their replay on one machine or a cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carepolicy.cli.sets import show
from carepolicy.cli.status import UNREACHABLE, USAGE, CommandError, note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from carepolicy.audit.export import Owners
    from carepolicy.audit.mapping import Mapper
    from carepolicy.audit.measures import Round
    from carepolicy.audit.replay import Log, Replay
    from carepolicy.audit.tables import Begin
    from carepolicy.engine.record import Record
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping
    from carepolicy.spark.audit import Aside, ClusterLog


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
            return cluster.replayed(bundle, *on_cluster(logs, bundle, told))
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


def mapper_or_exit(bundle: Bundle, policies: str, named: str, log: str) -> Mapper:
    """The mapping of a file, or of a name in the set; ends where there is something wrong with it."""
    from carepolicy.audit.mapping import Mapper, known_to
    from carepolicy.audit.tables import LogFault, format_of
    from carepolicy.checks.mappings import mapping_files, read_mapping
    from carepolicy.policy.likeness import did_you_mean

    known = mapping_files(policies)
    path = known.get(named, named)
    if not os.path.exists(path):
        near = did_you_mean(named, known) or _to_draft(log)
        raise CommandError(f'there is no mapping "{named}", neither as a file nor in mappings/ of the set; {near}')
    made, findings = read_mapping(path, known_to(bundle))
    if made is None:
        show(findings)
        raise SystemExit(USAGE)
    try:
        return Mapper(made, bundle, (made.reads.format if made.reads is not None else None) or format_of(log))
    except LogFault as fault:
        raise CommandError(str(fault)) from None


def _to_draft(log: str) -> str:
    """What drafts a mapping, where there is none."""
    return f"`carepolicy map suggest {log} FLOW` drafts one"


def owners_of(bundle: Bundle) -> Owners:
    """Roles by flow and state."""
    return {(each.flow, state.name): state.owner or "" for each in bundle.programs for state in each.states}


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
            from carepolicy.checks.mappings import mapping_files

            known = ", ".join(sorted(mapping_files(logs.policies)))
            there = f"in mappings/ of the set: {known}" if known else _to_draft(path)
            raise CommandError(f"{path} needs a mapping (--map), which says how its rows become events; {there}")
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


def on_cluster(
    logs: ReplayedLogs, bundle: Bundle, told: Callable[[Round], None] | None = None
) -> tuple[ClusterLog, Aside]:
    """The logs as tasks of a cluster read them, and what is told beside the sums. Raises ``LogFault``."""
    from carepolicy.spark.audit import Aside, ClusterLog  # an extra

    mapper, form = _form_of(logs, bundle)
    mapping = None if mapper is None else mapper.mapping
    log = ClusterLog(logs.paths, form, mapping, logs.by, logs.until, note, logs.watch)
    return log, Aside(told, logs.export, owners_of(bundle))
