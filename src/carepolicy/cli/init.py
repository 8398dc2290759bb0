"""``carepolicy init``: a small working policy set to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from carepolicy.cli.status import CommandError, note
from carepolicy.cli.terminal import write_all

STARTER = Path(__file__).parent.parent / "starter"


@click.command(epilog="Example: carepolicy init policies")
@click.argument("folder", metavar="[DIR]", default="policies", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Lay down a small working policy set in DIR (default: policies), with comments.

    It passes `carepolicy check` and `carepolicy test`. Nothing that exists is overwritten.
    """
    files = sorted(each.relative_to(STARTER) for each in STARTER.rglob("*.yaml"))
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is a file; name a folder")
    there = [str(folder / each) for each in files if (folder / each).exists()]
    if there:
        raise CommandError(f"{', '.join(there)} already there; nothing was written")
    write_all({folder / each: (STARTER / each).read_text(encoding="utf-8") for each in files}, "x")
    note(f"Next: carepolicy check --policies {folder}; carepolicy test --policies {folder}")
    note(f"For your editor: carepolicy schema --output {folder.parent / 'schemas'}")
