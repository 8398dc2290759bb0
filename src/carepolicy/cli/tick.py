"""``carepolicy tick``: fires what is due."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, NamedTuple

import click

from carepolicy.cli.sets import policies_option, quiet_option
from carepolicy.cli.status import say
from carepolicy.cli.stores import open_or_exit, operation_or_exit, store_option
from carepolicy.cli.times import lateness_of, lateness_option, near_of, wall_clock, yes_option
from carepolicy.cli.watcher import Watcher, begin_watch, watch_option, watcher_options
from carepolicy.store.live.late import waits
from carepolicy.store.privacy.erase import enforce_keep, sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from carepolicy.cli.metrics import Metrics
    from carepolicy.store.contract import Store
    from carepolicy.store.live.operation import Operation

LONGEST, WHILE_HELD = 60.0, 5.0
"""Seconds that a watcher sleeps at most, and while single events are held back."""


@click.command(
    epilog="\b\nExamples:\n  carepolicy tick\n"
    '  carepolicy tick --now "2026-03-09 09:00"\n  carepolicy tick --watch --lateness 1m >> records.jsonl\n'
)
@click.option("--now", metavar="TIME", help="Fire what is due by TIME; default: now.")
@watch_option
@lateness_option
@watcher_options
@yes_option
@store_option
@policies_option
@quiet_option
def command(
    now: str | None, watch: bool, lateness: str | None, metrics: str | None, log: str, yes: bool, store: str,
    policies: str, quiet: bool,
) -> None:  # fmt: skip
    """Fire the timers of open cases that are due, and print the records of what follows from it.

    Clocks warn and fall late, states are left when their time is up, and flows open cases by time, each at
    the instant at which it was due. What is private of closed cases is erased when keep: of the set says so.

    An event that is told after a timer has fired that was due later is out of order. With --lateness 1m timers fire a
    minute after they were due, so that what is told within it comes in time; records bear the time that was due. Events
    that `carepolicy event --lateness` holds back happen then as well.

    --watch goes on when the store cannot be reached for a while, and ends by SIGTERM (status 0) or Ctrl-C (130), when
    what it has begun is done.
    """
    if now is not None and watch:
        raise click.UsageError("--watch goes with the clock on the wall; leave --now out", click.get_current_context())
    lag = lateness_of(lateness)
    figures = begin_watch(metrics, log, watch, store)
    if watch:
        with Watcher() as watcher, closing(figures) if figures is not None else nullcontext():
            told = TickOutput(quiet, figures)
            watcher.outlast(lambda under_way: _watch(watcher, under_way, store, policies, lag, told))
            raise SystemExit(watcher.status)
    with open_or_exit(store, policies=policies) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        until = near_of(now, bundle, "--now", wall_clock(), yes)
        _tick(operation, (wall_clock() if until is None else until) - lag, TickOutput(quiet))


class TickOutput(NamedTuple):
    """What is told of ticks: records, unless ``quiet``, and the figures of a watcher."""

    quiet: bool
    figures: Metrics | None = None

    def records(self, lines: str) -> None:
        """Tell records."""
        if self.figures is not None:
            self.figures.records(lines)
        if lines and not self.quiet:
            sys.stdout.write(lines)
            sys.stdout.flush()


def _watch(
    watcher: Watcher, under_way: Callable[[], None], store: str, policies: str, lag: int, told: TickOutput
) -> None:
    """Fire what is due, and what comes to be, until it is time to end or the store is lost."""
    with open_or_exit(store, policies=policies) as opened:
        operation, _ = operation_or_exit(opened, policies)
        while watcher.goes_on:
            _tick(operation, wall_clock() - lag, told, watcher)
            if told.figures is not None:
                told.figures.round()
            under_way()
            _sleep(opened, lag, watcher)


def _tick(operation: Operation, until: int, told: TickOutput, watcher: Watcher | None = None) -> None:
    for done in operation.tick(until):
        told.records(done.records)
        if watcher is not None and not watcher.goes_on:
            return
    bundle, sealer = operation.bundle(), operation.sealer
    went = sweep(operation.store, sealer, bundle, until, lambda: watcher is None or watcher.goes_on)
    if went:
        words = ", ".join(f"{count:,} of {what.replace('_', ' ')}" for what, count in went.items())
        say(f"let go of {words}, as keep: says", "let_go", "info", **went)
    erased = enforce_keep(operation.store, sealer, until)
    if erased:
        cases = f"{erased:,} closed case{'' if erased == 1 else 's'}"
        say(f"erased what was private of {cases}, as keep: says", "erased", cases=erased)


def _sleep(store: Store, lag: int, watcher: Watcher) -> None:
    """Sleep until the next timer falls due, or somebody else has written, which may make it sooner."""
    with store.reading() as transaction:
        due = transaction.next_due()
        longest = WHILE_HELD if waits(transaction) else LONGEST
    left = longest if due is None else (due + lag - wall_clock()) / 1_000_000
    if left > 0:
        watcher.sleep(lambda: store.wait(min(left, longest)))
