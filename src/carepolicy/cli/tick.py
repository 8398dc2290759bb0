"""``carepolicy tick``: fires what is due."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from carepolicy.cli.sets import policies_option
from carepolicy.cli.stores import open_or_exit, store_option

if TYPE_CHECKING:
    from carepolicy.store.contract import Store
    from carepolicy.store.operating import Operation

LONGEST = 60.0
"""Seconds that a watcher sleeps at most."""


@click.command(
    epilog="\b\nExamples:\n  carepolicy tick\n"
    '  carepolicy tick --now "2026-03-09 09:00"\n  carepolicy tick --watch >> records.jsonl\n'
)
@click.option("--now", metavar="TIME", help="Fire what is due by TIME; default: now.")
@click.option("--watch", is_flag=True, help="Keep doing it, until it is interrupted.")
@store_option
@policies_option
@click.option("--quiet", "-q", is_flag=True, help="Do not print the records.")
def command(now: str | None, watch: bool, store: str, policies: str, quiet: bool) -> None:
    """Fire the timers of open cases that are due, and print the records of what follows from it.

    Clocks warn and fall late, states are left when their time is up, and flows open cases by time, each at
    the instant at which it was due. What is private of closed cases is erased when keep: of the set says so.
    """
    from carepolicy.cli.living import operation_or_exit, wall_clock
    from carepolicy.cli.times import until_of

    if now is not None and watch:
        raise click.UsageError("--watch goes with the clock on the wall; leave --now out", click.get_current_context())
    with open_or_exit(store, policies=policies) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        until = until_of(now, bundle)
        _tick(operation, wall_clock() if until is None else until, quiet)
        while watch:
            _sleep(opened)
            _tick(operation, wall_clock(), quiet)


def _tick(operation: Operation, until: int, quiet: bool) -> None:
    from carepolicy.store.keeping import enforce_keep

    for done in operation.tick(until):
        if done.records and not quiet:
            sys.stdout.write(done.records)
            sys.stdout.flush()
    erased = enforce_keep(operation.store, until)
    if erased:
        click.echo(
            f"erased what was private of {erased:,} closed case{'' if erased == 1 else 's'}, as keep: says", err=True
        )


def _sleep(store: Store) -> None:
    """Sleep until the next timer falls due, or somebody else has written, which may make it sooner."""
    from carepolicy.cli.living import wall_clock

    with store.reading() as transaction:
        due = transaction.next_due()
    left = LONGEST if due is None else (due - wall_clock()) / 1_000_000
    if left > 0:
        store.wait(min(left, LONGEST))
