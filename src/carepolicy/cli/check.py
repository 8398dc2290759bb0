"""``carepolicy check``: what is wrong in a policy set."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from carepolicy.checks import check_folder
from carepolicy.cli.formats import FORMATS, Checked, reported, written
from carepolicy.cli.sets import (
    PIPE,
    demand_folder,
    format_option,
    piped,
    policies_option,
    stands_for_option,
)
from carepolicy.cli.status import NO, CommandError, note
from carepolicy.cli.terminal import plain
from carepolicy.editing.recheck import Rechecked
from carepolicy.policy.files import ORGANISATION, digest_of, file_at, layers_of

if TYPE_CHECKING:
    from watchfiles import Change

    from carepolicy.policy.findings import Finding

Wanted = dict[str, "set[str] | None"]
"""The folders of sets, and the files of each whose findings are told; None for all."""

STEP, DEBOUNCE, WAKES = 10, 100, 300
"""Milliseconds. An editor that saves in several steps is waited for so long after each, and so long in all; the watch
wakes up so often to see whether somebody wants to end it."""


@click.command(
    epilog="Examples: carepolicy check, carepolicy check policies/flows/complaint.yaml --format json, "
    "carepolicy check --fix, carepolicy check --watch, carepolicy check - < returns.yaml"
)
@click.argument("path", nargs=-1, type=click.Path())
@policies_option
@format_option(*FORMATS)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--today", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="Judge calendars as of this day. Default: today."
)
@click.option("--fix", is_flag=True, help="Mend what is safe: spelling, the order of keys, missing titles.")
@click.option("--yes", is_flag=True, help="With --fix: write without asking.")
@click.option("--watch", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@stands_for_option
def command(
    path: tuple[str, ...],
    policies: str,
    form: str,
    strict: bool,
    today: datetime | None,
    fix: bool,
    yes: bool,
    watch: bool,
    stands_for: str | None,
) -> None:
    """Check policy sets: text, shape, names, types, then the rules.

    PATH is the folder of a set, or a file in one, whose set is then checked and only that file's findings are
    told; - is such a file on standard input, in place of the one on the disk. Exit status 1 means that there are
    errors; with --strict also that there are warnings. --fix shows what it would write, and asks on a terminal; a
    name is only mended where one right name alone is near.
    """
    if fix and watch:
        raise click.UsageError("--fix and --watch do not go together", click.get_current_context())
    if yes and not fix:
        raise click.UsageError("--yes goes with --fix", click.get_current_context())
    day = today.date() if today is not None else None
    if PIPE in path or stands_for is not None:
        if path != (PIPE,) or fix or watch:
            raise click.UsageError("- stands alone, without --fix and --watch", click.get_current_context())
        _judge(_found_in_pipe(policies, stands_for, day or date.today()), form, strict)
        return
    wanted: Wanted = {}
    if not path:
        demand_folder(policies)
    for each in path or (policies,):
        root, file = (each, None) if each == policies else _set_of(each, policies)
        only = wanted.setdefault(root, set() if file is not None else None)
        if file is None:
            wanted[root] = None
        elif only is not None:
            only.add(file)
    if watch:
        _watch(wanted, form, day, strict)
        return
    if fix:
        _fix(wanted, day or date.today(), yes)
    _judge(_reported({root: _found(root, only, day) for root, only in wanted.items()}), form, strict)


def _judge(told: Sequence[Checked], form: str, strict: bool) -> None:
    counts = _tell(told, form, strict)
    if counts["error"] or (strict and counts["warning"]):
        raise SystemExit(NO)


def _reported(found: Mapping[str, tuple[Sequence[Finding], Sequence[str]]]) -> list[Checked]:
    return [reported(root, *each) for root, each in found.items()]


def _found_in_pipe(root: str, stands_for: str | None, today: date) -> list[Checked]:
    """What is wrong with a file on standard input, as one of the set in ``root``."""
    demand_folder(root)
    name, content = piped(stands_for)
    findings, _ = Rechecked(root).check(today, {name: content})
    shown = file_at(root, name)
    told = [each for each in findings if each.place.file == name]
    moved = tuple(replace(each, place=each.place._replace(file=shown)) for each in told)
    return [Checked(moved, (shown,), {shown: content.decode("utf-8", "replace").splitlines()})]


def _tell(told: Sequence[Checked], form: str, strict: bool) -> Counter[str]:
    checked = Checked(
        tuple(finding for each in told for finding in each.findings),
        tuple(file for each in told for file in each.files),
        {file: lines for each in told for file, lines in each.texts.items()},
        strict,
    )
    click.echo(written(checked, form), nl=False)
    counts = Counter(each.severity.value for each in checked.findings)
    note(_summary(counts, len(checked.files)))
    return counts


def _set_of(path: str, policies: str) -> tuple[str, str | None]:
    """The folder of the set that a path names, and the file below it where the path is a file's. What stands in a layer
    of the set ``policies`` is checked with all of its layers."""
    layers = layers_of(policies)
    here = os.path.realpath(path)
    for layer in layers if len(layers) > 1 else ():
        top = os.path.realpath(layer)
        if here == top:
            return policies, None
        if here.startswith(top + os.sep) and os.path.isfile(path):
            return policies, os.path.join(layer, os.path.relpath(here, top)).replace(os.sep, "/")
    if not os.path.isfile(path):
        demand_folder(path)
        return path, None
    folder = os.path.dirname(path)
    for _ in range(4):
        if os.path.isfile(os.path.join(folder, ORGANISATION)):
            return folder or ".", os.path.relpath(path, folder or ".").replace(os.sep, "/")
        folder = os.path.normpath(os.path.join(folder, os.pardir))
    raise CommandError(f"{path} is in no policy set: no folder above it has an {ORGANISATION}")


def _found(root: str, only: set[str] | None, today: date | None) -> tuple[Sequence[Finding], Sequence[str]]:
    """The findings of a set, and the files that were read; of some files only where these are named."""
    policies, findings = check_folder(root, today)
    files = set(policies.files_read) if policies is not None else {each.place.file for each in findings}
    if only is None:
        return findings, sorted(files)
    return [each for each in findings if each.place.file in only], sorted(only)


def _summary(counts: Counter[str], files: int) -> str:
    read = f"{files} file{'' if files == 1 else 's'}"
    if not counts:
        return f"{read}: nothing wrong"
    words = (f"{counts[kind]} {kind}{'' if counts[kind] == 1 else 's'}" for kind in ("error", "warning", "note"))
    return f"{read}: " + ", ".join(each for each in words if not each.startswith("0 "))


def _watch(wanted: Wanted, form: str, day: date | None, strict: bool) -> None:
    """Check the sets in some folders, and again when a file in one of them changes. Ends by KeyboardInterrupt."""
    from watchfiles import watch as changes

    sets = {root: Rechecked(root) for root in wanted}
    before = [digest_of(root) for root in wanted]
    _check_again(sets, wanted, form, day, strict)
    # What is saved before the watch begins is seen by what the files are when it has begun.
    began = False
    for seen in changes(
        *(layer for root in wanted for layer in layers_of(root)),
        watch_filter=_is_ours,
        step=STEP,
        debounce=DEBOUNCE,
        rust_timeout=WAKES,
        yield_on_timeout=True,
    ):
        if seen or (not began and before != [digest_of(root) for root in wanted]):
            _check_again(sets, wanted, form, day, strict)
        began = True


def _is_ours(_: Change, path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".ics", ".po"))


def _check_again(sets: dict[str, Rechecked], wanted: Wanted, form: str, day: date | None, strict: bool) -> None:
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
    _tell(_reported(found), form, strict)
    click.echo(
        f"checked at {time.strftime('%H:%M:%S')} in {took * 1000:.0f} ms; waiting for a file to be saved", err=True
    )


def _fix(wanted: Wanted, day: date, yes: bool) -> None:
    """Mend the sets in some folders (and of each only the files named). The diff goes to standard error.

    Without ``yes`` a terminal is asked; where there is none, nothing is written.
    """
    from carepolicy.editing.fixes import mended  # what lays out YAML is large

    found = [each for root, only in wanted.items() for each in mended(root, day, only)]
    if not found:
        click.echo("nothing to mend", err=True)
        return
    for each in found:
        for line in each.diff().splitlines():
            click.echo(click.style(plain(line), fg=_colour(line)), err=True)
    files = f"{len(found)} file{'' if len(found) == 1 else 's'}"
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        click.echo(f"{files} not written: nobody is here to be asked; --yes writes without asking", err=True)
        return
    if not yes and not click.confirm(f"Write {files}?", default=True, err=True):
        click.echo("nothing was written", err=True)
        return
    for each in found:
        try:
            each.write()
        except OSError as problem:
            raise CommandError(f"{each.file} cannot be written: {problem.strerror or problem}") from None
    click.echo(f"{files} mended", err=True)


def _colour(line: str) -> str | None:
    if line.startswith(("---", "+++")):
        return None
    return {"-": "red", "+": "green", "@": "cyan"}.get(line[:1])
