"""A bar for long work: on standard error, only where that is a terminal, and gone when the work is done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from carepolicy.cli.status import Loudness
from carepolicy.cli.terminal import no_colour


@contextmanager
def progress(what: str, total: int, worth: int = 0) -> Iterator[Callable[[int], None]]:
    """A function that is called with how much more is done of ``total``; less than ``worth`` gets no bar."""
    if total < max(worth, 1) or Loudness.quiet or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, no_color=no_colour()), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Say on a terminal that something is being done whose length nobody knows."""
    if Loudness.quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True, no_color=no_colour()).status(what):
        yield
