"""``carepolicy fmt``: policy files in their canonical layout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from carepolicy.cli.sets import PIPE, demand_folder, piped, policies_option, show, stands_for_option
from carepolicy.cli.status import NO, USAGE, CommandError, note
from carepolicy.cli.terminal import plain, progress
from carepolicy.editing.files import editable_files, kind_of
from carepolicy.editing.layout import formatted, formatted_text
from carepolicy.policy.files import layers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.editing.layout import Formatted

WORTH_A_BAR = 20
"""So many files take about a second."""


@click.command(
    epilog="Examples: carepolicy fmt, carepolicy fmt --diff policies/flows/complaint.yaml, carepolicy fmt --check"
)
@click.argument("path", nargs=-1, type=click.Path())
@policies_option
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where a file is laid out otherwise.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change, with the same exit.")
@stands_for_option
def command(path: tuple[str, ...], policies: str, check: bool, diff: bool, stands_for: str | None) -> None:
    """Lay out policy files: the policy set's, or those in PATH (files, folders of sets). Comments are kept.

    - lays out standard input, onto standard output. A file that is no YAML, or whose layout would lose something, is
    left as it is, and told. The files that were changed (with --check: that would be) are named on standard output.
    """
    if PIPE in path or stands_for is not None:
        if path != (PIPE,):
            raise click.UsageError("- stands alone", click.get_current_context())
        _lay_out_pipe(stands_for, check, diff)
        return
    files = _files(path, policies)
    with progress("fmt", len(files), WORTH_A_BAR) as told:
        found = []
        for file in files:
            found.append(formatted(file))
            told(1)
    changed = [each for each in found if each.changed]
    if not (check or diff):
        for each in changed:
            _write(each)
    for each in changed:  # all are written by now, though nobody may be reading this any more
        lines = each.diff().splitlines() if diff else [each.file]
        click.echo("".join(f"{plain(line)}\n" for line in lines), nl=False)
    failed = _complaints(found)
    _sum_up(found, check or diff)
    if failed:
        raise SystemExit(USAGE)
    if (check or diff) and any(each.changed for each in found):
        raise SystemExit(NO)


def _lay_out_pipe(stands_for: str | None, check: bool, diff: bool) -> None:
    """Write what stands on standard input to standard output in its layout; unchanged where it cannot be laid out."""
    name, content = piped(stands_for)
    try:
        found = formatted_text(content.decode(), name, kind_of(name) or "flow")
    except UnicodeDecodeError:
        raise CommandError("standard input is not UTF-8") from None
    if not (check or diff):
        click.echo(found.after, nl=False)
    elif diff and found.changed:
        click.echo("".join(plain(line) + "\n" for line in found.diff().splitlines()), nl=False)
    if _complaints([found]):
        raise SystemExit(USAGE)
    if (check or diff) and found.changed:
        raise SystemExit(NO)


def _files(path: tuple[str, ...], policies: str) -> list[str]:
    for each in path:
        if not os.path.exists(each):
            raise CommandError(f"there is no file or folder {each}")
        if os.path.isfile(each) and kind_of(each) is None:
            raise CommandError(
                f"{each} is no policy file: these are organisation.yaml, and what stands in flows, messages, scenarios"
            )
    if not path:
        demand_folder(policies)
    files = list(editable_files(path or layers_of(policies)))
    if not files:
        raise CommandError(f"there are no policy files in {', '.join(path)}")
    return files


def _write(file: Formatted) -> None:
    try:
        file.write()
    except OSError as problem:
        raise CommandError(f"{file.file} cannot be written: {problem.strerror or problem}") from None


def _complaints(found: Sequence[Formatted]) -> bool:
    """Tell of files that could not be laid out; whether there were any."""
    findings = [finding for each in found for finding in each.findings]
    if findings:
        show(findings)
    for each in found:
        if each.reason:
            click.echo(plain(f"{each.file} is left as it is: {each.reason}"), err=True)
    return any(each.findings or each.reason for each in found)


def _sum_up(found: Sequence[Formatted], only_told: bool) -> None:
    changed = sum(each.changed for each in found)
    files = f"{len(found)} file{'' if len(found) == 1 else 's'}"
    note(f"{files}: {changed} {'would be changed' if only_told else 'changed'}")
