"""Work that is shared out to the cores of the machine, with word of how far it is."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

Job = TypeVar("Job")
Made = TypeVar("Made")
Told = Callable[[int], None]

_SHARED = [1]
"""Among how many processes the cores are shared out: in a process that ``on_cores`` forked, all that it did."""


def cores() -> int:
    """How many cores this process may use."""
    return max(1, (os.cpu_count() or 1) // _SHARED[0])


def can_fork() -> bool:
    """Whether processes can be forked here that have all that this one has read."""
    return sys.platform == "linux"


def on_cores(work: Callable[[Job, Told], Made], jobs: Sequence[Job], told: Told) -> list[Made]:
    """What ``work`` makes of each job, in order, as many at a time as there are cores, each in a process of its own.

    What is made can be pickled; jobs need not. ``work`` is given a function to say how much more is done, which
    ``told`` hears. Raises what ``work`` raises.
    """
    if not can_fork() or min(cores(), len(jobs)) < 2:
        return [work(job, told) for job in jobs]
    waiting = list(range(len(jobs)))[::-1]
    running: dict[Any, tuple[int, Any]] = {}
    made: dict[int, Made] = {}
    share = min(cores(), len(jobs))
    try:
        while waiting or running:
            while waiting and len(running) < share:
                place = waiting.pop()
                connection, process = _forked(work, jobs[place], share)
                running[connection] = place, process
            for connection in wait(list(running)):
                place, process = running[connection]
                said = _heard(connection)
                if isinstance(said, int):
                    told(said)
                    continue
                del running[connection]
                process.join()
                # A process that failed says nothing: what failed there fails here again, and says why.
                made[place] = work(jobs[place], lambda done: None) if said is None else said[0]
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return [made[place] for place in range(len(jobs))]


def _forked(work: Callable[[Job, Told], Made], job: Job, share: int) -> tuple[Any, Any]:
    """A process that does a job, and where it tells of it."""
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_do, args=(work, job, theirs, share))
    process.start()
    theirs.close()
    return ours, process


def _do(work: Callable[[Job, Told], Made], job: Job, told: Connection, share: int) -> None:
    _SHARED[0] *= share
    with suppress(BaseException):
        told.send((work(job, told.send),))


def _heard(connection: Any) -> Any:
    """What a process tells: how much more is done, or in a tuple what it made; None where it ended without it."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        connection.close()
        return None


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep Python from looking for circles of objects meanwhile: where much is made and little of it falls away, that
    takes a fifth of the time and finds nothing."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
