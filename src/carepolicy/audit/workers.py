"""An audit shared by several processes: each reads the log, and takes the subjects that fall to it.

Which process has a subject is a matter of a checksum of its name. What they count is added up, to the same figures as
one process counts, to the digit.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, cast

from carepolicy.audit.mapping import Mapper
from carepolicy.audit.replay import Replay, opened, taken
from carepolicy.audit.tables import LogFault, Table
from carepolicy.engine.parallel import WorkerDied, deaf_to_interrupts
from carepolicy.machine.bundle import from_bytes, to_bytes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from carepolicy.audit.replay import Log
    from carepolicy.audit.tables import Begin, Done
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping


@dataclass(frozen=True, slots=True)
class LogShare:
    """What one of several processes takes of some logs: the subjects of which the checksum leaves its number."""

    paths: tuple[str, ...]
    form: str
    mapping: LogMapping | None
    by: tuple[str, ...]
    number: int
    of: int
    watched: bool


def may_be_shared(bundle: Bundle, log: Log) -> bool:
    """Whether subjects concern nobody but themselves: no flow is keyed by a fact or hears what others raise, no watch
    counts, and the log joins no subjects."""
    from carepolicy.engine.intake import MERGE

    alone = all(each.key is None and each.stratum == 0 for each in bundle.programs) and not bundle.watches
    return alone and not (isinstance(log, Table) and log.form == "jsonl" and log.holds(MERGE))


def shared_replay(
    bundle: Bundle, paths: Sequence[str], form: str, mapping: LogMapping | None, by: Sequence[str],
    until: int | None, workers: int, watch: Begin | None = None,
) -> Replay:  # fmt: skip
    """The replay of some logs by so many processes; ``watch`` hears how far they are, together. Raises ``LogFault``
    and ``WorkerDied``."""
    context = multiprocessing.get_context("spawn")
    packed = to_bytes(bundle)
    pipes: list[Connection] = []
    processes = []
    for number in range(workers):
        ours, theirs = context.Pipe()
        share = LogShare(tuple(paths), form, mapping, tuple(by), number, workers, watch is not None)
        process = context.Process(target=_work, args=(theirs, packed, share), daemon=True)
        with deaf_to_interrupts():
            process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    whole = Replay(bundle, by)
    try:
        latest = max(_latest(pipes, watch))
        if watch is not None:
            watch("what falls due", 0)
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


def _latest(pipes: Sequence[Connection], watch: Begin | None) -> list[int]:
    """The latest time that each process has read, once all have; until then ``watch`` hears how far they are."""
    found: list[int] = []
    begun: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    early: Counter[str] = Counter()
    done: dict[str, Done] = {}
    waiting = [*pipes]
    while waiting:
        for pipe in wait(waiting):
            said = _heard(cast("Connection", pipe))
            if isinstance(said, int):
                found.append(said)
                waiting.remove(cast("Connection", pipe))
            elif isinstance(said, _PartBegun) and watch is not None:
                begun[said.name] += 1
                totals[said.name] += said.total
                if begun[said.name] == len(pipes):
                    done[said.name] = watch(said.name, totals[said.name])
                    done[said.name](early[said.name])
            elif isinstance(said, _PartStep):
                early[said.name] += said.done
                if said.name in done:
                    done[said.name](said.done)
    return found


@dataclass(frozen=True, slots=True)
class _PartBegun:
    """A process begins a part of its work."""

    name: str
    total: int


@dataclass(frozen=True, slots=True)
class _PartStep:
    """A process has done more of a part."""

    name: str
    done: int


def _telling(pipe: Connection) -> Begin:
    """What tells the process that has begun this one how far it is."""

    def begin(part: str, total: int) -> Done:
        pipe.send(_PartBegun(part, total))
        return lambda done: pipe.send(_PartStep(part, done))

    return begin


def _heard(pipe: Connection) -> Any:
    try:
        said = pipe.recv()
    except EOFError:
        raise WorkerDied("a process of the audit ended before its work was done") from None
    if isinstance(said, str):
        raise LogFault(said)
    return said


def _part(share: LogShare, bundle: Bundle, watch: Begin | None, sure: bool) -> tuple[Log, Mapper | None]:
    """The part of the logs that is a process's share, and what makes events of its rows."""
    mapper = None if share.mapping is None else Mapper(share.mapping, bundle, share.form)
    part = share.number, share.of
    return opened(share.paths, share.form, mapper, part=part, watch=watch, sure=sure), mapper


def _work(pipe: Connection, packed: bytes, share: LogShare) -> None:
    bundle = from_bytes(packed)
    try:
        replay = taken(
            lambda: Replay(bundle, share.by),
            lambda sure: _part(share, bundle, _telling(pipe) if share.watched else None, sure),
            not share.watched,
        )
        replay.flush()
        pipe.send(replay.seen.last)
        replay.finish(pipe.recv())
        pipe.send((replay.measures, replay.seen))
    except LogFault as fault:
        pipe.send(str(fault))
    except (EOFError, BrokenPipeError):
        return
