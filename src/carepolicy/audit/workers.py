"""An audit shared by several processes: each reads the log, and takes the subjects that fall to it; or, where that is
possible, each reads a stretch of the log, and takes the subjects that stand there.

Which process has a subject is a matter of a checksum of its name, or of its place. What they count is added up, to the
same figures as one process counts, to the digit.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from signal import SIGTERM, signal
from typing import TYPE_CHECKING, Any, cast

from carepolicy.audit.mapping import Mapper
from carepolicy.audit.replay import Replay, opened, taken, taken_once
from carepolicy.audit.tables import LogFault, Table
from carepolicy.audit.xes import NameSums, Traces, Unsure, may_be_stretched, one_comes_twice
from carepolicy.cores import can_fork
from carepolicy.engine.parallel import WorkerDied, deaf_to_interrupts
from carepolicy.machine.bundle import from_bytes, to_bytes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from carepolicy.audit.replay import Log
    from carepolicy.audit.tables import Begin, Done
    from carepolicy.machine.program import Bundle
    from carepolicy.policy.language.mapping import LogMapping


SELDOM = 100_000, 20, 20
"""How seldom Python looks for circles of garbage, of which an audit makes none."""


@dataclass(frozen=True, slots=True)
class LogShare:
    """What one of several processes takes of some logs: the subjects of which the checksum leaves its number, or one of
    as many ``stretches``."""

    paths: tuple[str, ...]
    form: str
    mapping: LogMapping | None
    by: tuple[str, ...]
    number: int
    of: int
    watched: bool
    stretches: bool


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
    wanted = tuple(paths), form, mapping, tuple(by)
    stretches = form == "xes" and may_be_stretched(paths)
    shares = [LogShare(*wanted, number, workers, watch is not None, stretches) for number in range(workers)]
    try:
        return _replayed(bundle, shares, until, watch)
    except Unsure:
        return _replayed(bundle, [replace(each, stretches=False) for each in shares], until, watch)


def _replayed(bundle: Bundle, shares: Sequence[LogShare], until: int | None, watch: Begin | None) -> Replay:
    """The replay of the logs that are shared out. Raises ``Unsure`` where they are to be shared in another way."""
    # A process that is forked need not import and compile what is here already; but threads of DuckDB were here.
    context: Any = multiprocessing.get_context("fork" if can_fork() and shares[0].form == "xes" else "spawn")
    packed = to_bytes(bundle)
    pipes: list[Connection] = []
    processes = []
    for share in shares:
        ours, theirs = context.Pipe()
        others = [*pipes, ours] if context.get_start_method() == "fork" else []
        process = context.Process(target=_work, args=(theirs, packed, share, others), daemon=True)
        with deaf_to_interrupts():
            process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    whole = Replay(bundle, shares[0].by)
    try:
        read = _read(pipes, watch)
        if one_comes_twice(each.sums for each in read if each.sums is not None):
            raise Unsure
        if watch is not None:
            watch("what falls due", 0)
        latest = max(each.latest for each in read)
        for pipe in pipes:
            pipe.send(latest if until is None else until)
        before = 0
        for pipe, each in zip(pipes, read, strict=True):
            measures, seen = _heard(pipe)
            seen.shift(before)
            before += each.number
            whole.measures.add(measures)
            whole.seen.add(seen)
    except BaseException:
        for process in processes:  # nobody waits for what they would read yet
            process.terminate()
        raise
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join()
    return whole


def _give_up(*_: Any) -> None:
    """End this process in an orderly way, so that its files on the disk go too."""
    raise SystemExit(1)


@dataclass(frozen=True, slots=True)
class _ShareRead:
    """A process has read its share: the latest time in it; of a stretch the number of its events, and sums of the names
    of its traces."""

    latest: int
    number: int
    sums: NameSums | None


def _read(pipes: Sequence[Connection], watch: Begin | None) -> list[_ShareRead]:
    """What each process has read, once all have; until then ``watch`` hears how far they are. Raises ``Unsure``."""
    found: dict[Connection, _ShareRead] = {}
    begun: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    early: Counter[str] = Counter()
    done: dict[str, Done] = {}
    while len(found) < len(pipes):
        for pipe in wait([each for each in pipes if each not in found]):
            said = _heard(cast("Connection", pipe))
            if isinstance(said, _ShareRead):
                found[cast("Connection", pipe)] = said
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
    return [found[each] for each in pipes]


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
    if isinstance(said, Unsure):
        raise said
    return said


def _part(share: LogShare, bundle: Bundle, watch: Begin | None, sure: bool) -> tuple[Log, Mapper | None]:
    """The part of the logs that is a process's share, and what makes events of its rows."""
    mapper = None if share.mapping is None else Mapper(share.mapping, bundle, share.form)
    part = share.number, share.of
    log = opened(share.paths, share.form, mapper, part=part, watch=watch, sure=sure, stretches=share.stretches)
    return log, mapper


def _work(pipe: Connection, packed: bytes, share: LogShare, others: Sequence[Connection]) -> None:
    for each in others:  # or this process would not hear that the other ends are closed
        each.close()
    signal(SIGTERM, _give_up)
    gc.set_threshold(*SELDOM)
    bundle = from_bytes(packed)
    watch = _telling(pipe) if share.watched else None
    try:
        if share.stretches:
            log, mapper = _part(share, bundle, watch, False)
            replay = taken_once(Replay(bundle, share.by), log, mapper)
        else:
            log = None
            replay = taken(lambda: Replay(bundle, share.by), lambda sure: _part(share, bundle, watch, sure), True)
        replay.flush()
        number, sums = (log.number, log.sums) if isinstance(log, Traces) else (0, None)
        pipe.send(_ShareRead(replay.seen.last, number, sums))
        replay.finish(pipe.recv())
        pipe.send((replay.measures, replay.seen))
    except LogFault as fault:
        pipe.send(str(fault))
    except Unsure as unsure:
        pipe.send(unsure)
    except (EOFError, BrokenPipeError):
        return
