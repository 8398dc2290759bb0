"""From DOT to pictures: by ``dot`` on the PATH, else by the Graphviz inside of the pygraphviz wheel.

Where the system lacks the libraries that this one wants: by graphviz-pure, a wheel that stands alone.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from multiprocessing import get_context
from typing import Any, TypeVar

from carepolicy.cores import can_fork, cores

_SECONDS = 60
Job = TypeVar("Job")
Made = TypeVar("Made")
_MANY = 8
"""Jobs from which on more processes are worth their start."""


class NoRenderer(RuntimeError):
    """What would draw this is not installed; the text says what to install."""

    def __init__(self, how: str = "") -> None:
        super().__init__(how or how_to_draw())


class RenderError(RuntimeError):
    """Graphviz refused a source; the text is what it said."""


def renderer() -> str | None:
    """What draws pictures here: "dot", "pygraphviz", "graphviz-pure" or None.

    ``CAREPOLICY_RENDERER`` may choose one of them; "none" stands for a machine without Graphviz.
    """
    chosen = os.environ.get("CAREPOLICY_RENDERER")
    there = (name for name, is_there in _RENDERERS.items() if chosen in (None, "", name) and is_there())
    return next(there, None)


def how_to_draw() -> str:
    """What to install to get pictures, where nothing draws them here."""
    fault = _fault_of_pygraphviz()
    if fault is None or isinstance(fault, ModuleNotFoundError):
        return "no Graphviz found: install Graphviz, or carepolicy[render], to get pictures"
    return (
        f"no pictures, since the Graphviz of pygraphviz cannot be loaded ({fault}) and graphviz-pure is not there; "
        "install carepolicy[render], or Graphviz (on Debian: apt-get install graphviz)"
    )


@cache
def _fault_of_pygraphviz() -> ImportError | None:
    """Why pygraphviz cannot be loaded. Where it is installed it still wants libraries of the system."""
    try:
        import pygraphviz  # noqa: F401 - whether it can be is the question
    except ImportError as fault:
        return fault
    return None


@cache
def _path_of_pure() -> str | None:
    """The program of graphviz-pure, which stands beside Python's own where pip put it, on the PATH or not."""
    try:
        files = distribution("graphviz-pure").files or []
    except PackageNotFoundError:
        return shutil.which("graphviz-pure")
    return next((str(file.locate()) for file in files if file.stem == "graphviz-pure" and file.suffix != ".md"), None)


_RENDERERS: Mapping[str, Callable[[], bool]] = {
    "dot": lambda: shutil.which("dot") is not None,
    "pygraphviz": lambda: _fault_of_pygraphviz() is None,
    "graphviz-pure": lambda: _path_of_pure() is not None,
}
"""What can draw, and whether it is there: the first that is draws."""


def render(source: str, kind: str) -> bytes:
    """A picture of a DOT source; ``kind`` is one of Graphviz's formats. Raises NoRenderer, RenderError."""
    by = renderer()
    if by == "dot":
        return _by_program("dot", source, kind)
    if by == "pygraphviz":
        return _by_pygraphviz(source, kind)
    if by == "graphviz-pure":
        return _by_pure(source, kind)
    raise NoRenderer


def in_parallel(work: Callable[[Job], Made], jobs: Sequence[Job]) -> Iterator[Made]:
    """What ``work``, which draws, makes of each job, in order; as many at a time as there are cores.

    Results can be pickled. Raises what ``work`` raises.
    """
    many = cores()
    if renderer() in ("dot", "graphviz-pure") and many > 1:
        # processes of their own: threads are enough to wait for them
        with ThreadPoolExecutor(max_workers=many) as threads:
            yield from threads.map(work, jobs)
    elif renderer() == "pygraphviz" and many > 1 and len(jobs) >= _MANY and can_fork():
        _FORKED[:] = [work, jobs]
        try:
            with ProcessPoolExecutor(
                max_workers=many, mp_context=get_context("fork"), initializer=gc.freeze
            ) as processes:
                yield from processes.map(_forked, range(len(jobs)), chunksize=2)
        finally:
            _FORKED.clear()
    else:
        yield from map(work, jobs)


_FORKED: list[Any] = []
"""What processes are to do, and the jobs: they have it from the moment they are forked, and need not be sent it."""


def _forked(place: int) -> Any:
    work, jobs = _FORKED
    return work(jobs[place])


def _by_program(program: str, source: str, kind: str) -> bytes:
    try:
        done = subprocess.run(
            [program, f"-T{kind}"], input=source.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RenderError(str(problem)) from problem
    if done.returncode or not done.stdout:
        raise RenderError(done.stderr.decode(errors="replace").strip())
    return done.stdout


def _by_pure(source: str, kind: str) -> bytes:
    """What graphviz-pure draws."""
    program = _path_of_pure()
    if program is None:
        raise NoRenderer
    return _by_program(program, source, kind)


def _by_pygraphviz(source: str, kind: str) -> bytes:
    from pygraphviz import AGraph

    try:
        with _heard():
            picture = AGraph(string=source).draw(format=kind, prog="dot")
    except (OSError, ValueError) as problem:
        raise RenderError(str(problem)) from problem
    if not picture:
        raise RenderError("Graphviz drew nothing")
    return bytes(picture)


@contextmanager
def _heard() -> Iterator[None]:
    """What the library writes to standard error, less what its own fontconfig says of newer files of the system."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                if not line.startswith("Fontconfig warning"):
                    print(line, file=sys.stderr)
