"""Commands that go on until they are told to end: they finish what they began, and outlast a store that is away."""

from __future__ import annotations

import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from carepolicy.cli.status import DONE, INTERRUPTED, UNREACHABLE, CommandError, log_as, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from carepolicy.cli.metrics import Metrics
    from carepolicy.cli.sets import Command

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before what could not be reached is tried again: twice as long each time."""


class _Ended(BaseException):
    """Wakes a watcher that sleeps, since it is to end."""


def watch_option(wanted: Command) -> Command:
    """``--watch``, as the parameter ``watch``."""
    return click.option("--watch", is_flag=True, help="Keep doing it, until it is interrupted.")(wanted)


def watcher_options(wanted: Command) -> Command:
    """``--metrics`` and ``--log``, as the parameters ``metrics`` and ``log``."""
    wanted = click.option(
        "--log", type=click.Choice(("text", "json")), default="text", show_default=True,
        help="With --watch: what goes to standard error, for people or an object a line.",
    )(wanted)  # fmt: skip
    return click.option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="With --watch: figures for Prometheus, on this machine alone or at HOST.",
    )(wanted)


def begin_watch(metrics: str | None, log: str, watch: bool, store: str) -> Metrics | None:
    """Do what ``watcher_options`` say; the figures, which are to be closed."""
    if not watch:
        if metrics is not None or log != "text":
            raise CommandError("--metrics and --log are for --watch")
        return None
    log_as(log)
    if metrics is None:
        return None
    from carepolicy.cli.metrics import Metrics

    figures = Metrics(metrics, store)
    say(f"figures are at port {figures.port}, /metrics", "metrics", port=figures.port)
    return figures


class Watcher:
    """Goes on until SIGTERM (by which services are ended: the status is then 0) or Ctrl-C (130). What is at work when
    the signal comes is finished; only a sleep is broken off. A second Ctrl-C does not wait."""

    def __init__(self) -> None:
        self._told_to_end = 0
        self._asleep = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Watcher:
        """Heed signals from now on."""
        for each in (signal.SIGTERM, signal.SIGINT):
            self._before[each] = signal.signal(each, self._end)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Leave signals to who heeded them before."""
        for each, before in self._before.items():
            signal.signal(each, before)

    def _end(self, number: int, _: Any) -> None:
        if self._told_to_end and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._told_to_end = number
        if self._asleep:
            raise _Ended

    @property
    def goes_on(self) -> bool:
        """Whether it was not told to end yet."""
        return not self._told_to_end

    @property
    def status(self) -> int:
        """The exit status of the command."""
        return INTERRUPTED if self._told_to_end == signal.SIGINT else DONE

    def sleep(self, wait: Callable[[], object]) -> None:
        """Let ``wait`` sleep, unless it is time to end."""
        try:
            try:
                self._asleep = True
                if self.goes_on:
                    wait()
            finally:
                self._asleep = False
        except _Ended:
            pass

    def outlast(self, work: Callable[[Callable[[], None]], None]) -> None:
        """Do ``work`` until it ends, also where it loses what it needs for a while.

        ``work`` is given a function that it calls when it is under way. Where it is then refused because a store or
        server cannot be reached, this is told once, and the work is begun again and again until it is under way.
        """
        began, away, pause = False, False, FIRST_PAUSE

        def under_way() -> None:
            nonlocal began, away, pause
            if away:
                say("it can be reached again", "store_back")
            began, away, pause = True, False, FIRST_PAUSE

        while self.goes_on:
            try:
                work(under_way)
                return
            except CommandError as fault:
                if not began or fault.status != UNREACHABLE:
                    raise
                if not away:
                    say(f"{fault}; trying again until it can be reached", "store_away", "warning")
                away = True
            self.sleep(partial(time.sleep, pause))
            pause = min(2 * pause, LONGEST_PAUSE)
