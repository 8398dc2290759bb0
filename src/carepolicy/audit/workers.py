"""An audit shared by several processes: each reads the log, and takes the subjects that fall to it.

Which process has a subject is a matter of a checksum of its name. What they count is added up, to the same figures as
one process counts, to the digit.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.audit.mapping import Mapper
from carepolicy.audit.replay import Replay
from carepolicy.audit.tables import LogFault, Table
from carepolicy.engine.parallel import WorkerDied, deaf_to_interrupts
from carepolicy.machine.bundle import from_bytes, to_bytes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several processes takes of some tables: the subjects of which the checksum leaves its number."""

    paths: tuple[str, ...]
    form: str
    mapping: LogMapping | None
    by: tuple[str, ...]
    number: int
    of: int


def may_be_shared(bundle: Bundle, log: Table) -> bool:
    """Whether subjects concern nobody but themselves: no flow is keyed by a fact or hears what others raise, no watch
    counts, and the log joins no subjects."""
    from carepolicy.engine.intake import MERGE

    alone = all(each.key is None and each.stratum == 0 for each in bundle.programs) and not bundle.watches
    return alone and not (log.form == "jsonl" and log.holds(MERGE))


def shared_replay(
    bundle: Bundle, paths: Sequence[str], form: str, mapping: LogMapping | None, by: Sequence[str],
    until: int | None, workers: int,
) -> Replay:  # fmt: skip
    """The replay of some tables by so many processes. Raises ``LogFault`` and ``WorkerDied``."""
    context = multiprocessing.get_context("spawn")
    packed = to_bytes(bundle)
    pipes: list[Connection] = []
    processes = []
    for number in range(workers):
        ours, theirs = context.Pipe()
        share = Share(tuple(paths), form, mapping, tuple(by), number, workers)
        process = context.Process(target=_work, args=(theirs, packed, share), daemon=True)
        with deaf_to_interrupts():
            process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    whole = Replay(bundle, by)
    try:
        latest = max(_heard(pipe) for pipe in pipes)
        for pipe in pipes:
            pipe.send(latest if until is None else until)
        for pipe in pipes:
            measures, seen = _heard(pipe)
            whole.measures.add(measures)
            whole.seen.add(seen)
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join()
    return whole


def _heard(pipe: Connection) -> Any:
    try:
        said = pipe.recv()
    except EOFError:
        raise WorkerDied("a process of the audit ended before its work was done") from None
    if isinstance(said, str):
        raise LogFault(said)
    return said


def _work(pipe: Connection, packed: bytes, share: Share) -> None:
    bundle = from_bytes(packed)
    replay = Replay(bundle, share.by)
    try:
        mapper = None if share.mapping is None else Mapper(share.mapping, bundle, share.form)
        reads = None if share.mapping is None else share.mapping.reads
        times = frozenset[str]() if mapper is None else mapper.times
        with Table(share.paths, share.form, reads, times, part=(share.number, share.of)) as table:
            if mapper is None:
                replay.take_lines(table)
            else:
                replay.take_mapped(table, mapper)
        replay.flush()
        pipe.send(replay.seen.last)
        replay.finish(pipe.recv())
        pipe.send((replay.measures, replay.seen))
    except LogFault as fault:
        pipe.send(str(fault))
    except (EOFError, BrokenPipeError):
        return
