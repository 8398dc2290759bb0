"""``carepolicy check``: what is wrong in a policy set."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from carepolicy.cli.formats import FORMATS
from carepolicy.cli.piped import PIPE, piped, stands_for_option
from carepolicy.cli.sets import demand_folder, format_option, policies_option
from carepolicy.cli.status import NO, Refused, note

if TYPE_CHECKING:
    from carepolicy.cli.formats import Checked
    from carepolicy.policy.findings import Finding

ORGANISATION = "organisation.yaml"


Wanted = dict[str, "set[str] | None"]
"""The folders of sets, and the files of each whose findings are told; None for all."""


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
    for each in path or (policies,):
        root, file = _set_of(each)
        only = wanted.setdefault(root, set() if file is not None else None)
        if file is None:
            wanted[root] = None
        elif only is not None:
            only.add(file)
    if watch:
        from carepolicy.cli.watching import watch as keep_checking

        keep_checking(wanted, form, day, strict)
        return
    if fix:
        from carepolicy.cli.fixing import fix as mend

        mend(wanted, day, yes)
    _judge(_reported({root: _found(root, only, day) for root, only in wanted.items()}), form, strict)


def _judge(told: Sequence[Checked], form: str, strict: bool) -> None:
    counts = _tell(told, form, strict)
    if counts["error"] or (strict and counts["warning"]):
        raise SystemExit(NO)


def tell(found: Mapping[str, tuple[Sequence[Finding], Sequence[str]]], form: str, strict: bool = False) -> Counter[str]:
    """Print what was found in sets, by their folders, and sum it up on standard error. ``strict``: warnings count."""
    return _tell(_reported(found), form, strict)


def _reported(found: Mapping[str, tuple[Sequence[Finding], Sequence[str]]]) -> list[Checked]:
    from carepolicy.cli.formats import reported

    return [reported(root, *each) for root, each in found.items()]


def _found_in_pipe(root: str, stands_for: str | None, today: date) -> list[Checked]:
    """What is wrong with a file on standard input, as one of the set in ``root``."""
    from carepolicy.cli.formats import Checked
    from carepolicy.editing.rechecking import Rechecked

    demand_folder(root)
    name, content = piped(stands_for)
    findings, _ = Rechecked(root).check(today, {name: content})
    shown = os.path.join(root, name)
    told = [each for each in findings if each.place.file == name]
    moved = tuple(replace(each, place=each.place._replace(file=shown)) for each in told)
    return [Checked(moved, (shown,), {shown: content.decode("utf-8", "replace").splitlines()})]


def _tell(told: Sequence[Checked], form: str, strict: bool) -> Counter[str]:
    from carepolicy.cli.formats import Checked, written

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


def _set_of(path: str) -> tuple[str, str | None]:
    """The folder of the set that a path names, and the file below it where the path is a file's."""
    if not os.path.isfile(path):
        demand_folder(path)
        return path, None
    folder = os.path.dirname(path)
    for _ in range(4):
        if os.path.isfile(os.path.join(folder, ORGANISATION)):
            return folder or ".", os.path.relpath(path, folder or ".").replace(os.sep, "/")
        folder = os.path.normpath(os.path.join(folder, os.pardir))
    raise Refused(f"{path} is in no policy set: no folder above it has an {ORGANISATION}")


def _found(root: str, only: set[str] | None, today: date | None) -> tuple[Sequence[Finding], Sequence[str]]:
    """The findings of a set, and the files that were read; of some files only where these are named."""
    from carepolicy.checks import check_folder

    policies, findings = check_folder(root, today)
    files = set(policies.sources) if policies is not None else {each.place.file for each in findings}
    if only is None:
        return findings, sorted(files)
    return [each for each in findings if each.place.file in only], sorted(only)


def _summary(counts: Counter[str], files: int) -> str:
    read = f"{files} file{'' if files == 1 else 's'}"
    if not counts:
        return f"{read}: nothing wrong"
    words = (f"{counts[kind]} {kind}{'' if counts[kind] == 1 else 's'}" for kind in ("error", "warning", "note"))
    return f"{read}: " + ", ".join(each for each in words if not each.startswith("0 "))
