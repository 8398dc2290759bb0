"""``carepolicy check --watch``: checked again on every save, until somebody presses Ctrl-C."""

from __future__ import annotations

import sys
import time
from datetime import date
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from watchfiles import Change

    from carepolicy.editing.rechecking import Rechecked

STEP, DEBOUNCE, WAKES = 10, 100, 300
"""Milliseconds. An editor that saves in several steps is waited for so long after each, and so long in all; the watch
wakes up so often to see whether somebody wants to end it."""


def watch(wanted: dict[str, set[str] | None], form: str, day: date | None, strict: bool) -> None:
    """Check the sets in some folders, and again when a file in one of them changes. Ends by KeyboardInterrupt."""
    from watchfiles import watch as changes

    from carepolicy.editing.rechecking import Rechecked
    from carepolicy.policy.files import digest_of

    sets = {root: Rechecked(root) for root in wanted}
    before = [digest_of(root) for root in wanted]
    _check(sets, wanted, form, day, strict)
    # What is saved before the watch begins is seen by what the files are when it has begun.
    began = False
    for seen in changes(
        *wanted, watch_filter=_is_ours, step=STEP, debounce=DEBOUNCE, rust_timeout=WAKES, yield_on_timeout=True
    ):
        if seen or (not began and before != [digest_of(root) for root in wanted]):
            _check(sets, wanted, form, day, strict)
        began = True


def _is_ours(_: Change, path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".ics"))


def _check(
    sets: dict[str, Rechecked], wanted: dict[str, set[str] | None], form: str, day: date | None, strict: bool
) -> None:
    from carepolicy.cli.check import tell

    began = time.perf_counter()
    found = {}
    for root, each in sets.items():
        findings, files = each.check(day or date.today())
        only = wanted[root]
        if only is not None:
            findings, files = [one for one in findings if one.place.file in only], sorted(only)
        found[root] = (findings, files)
    took = time.perf_counter() - began
    if sys.stdout.isatty():
        click.clear()
    tell(found, form, strict)
    click.echo(
        f"checked at {time.strftime('%H:%M:%S')} in {took * 1000:.0f} ms; waiting for a file to be saved", err=True
    )
