"""``carepolicy check --fix``: what would be mended is shown, asked for and written."""

from __future__ import annotations

import sys
from datetime import date

import click

from carepolicy.cli.status import Refused
from carepolicy.cli.terminal import plain


def fix(wanted: dict[str, set[str] | None], day: date | None, yes: bool) -> None:
    """Mend the sets in some folders (and of each only the files named). The diff goes to standard error.

    Without ``yes`` a terminal is asked; where there is none, nothing is written.
    """
    from carepolicy.editing.fixing import mended

    found = [each for root, only in wanted.items() for each in mended(root, day or date.today(), only)]
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
            raise Refused(f"{each.file} cannot be written: {problem.strerror or problem}") from None
    click.echo(f"{files} mended", err=True)


def _colour(line: str) -> str | None:
    if line.startswith(("---", "+++")):
        return None
    return {"-": "red", "+": "green", "@": "cyan"}.get(line[:1])
