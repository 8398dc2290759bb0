"""``carepolicy init``: a small working policy set to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from carepolicy.cli.status import CommandError, note
from carepolicy.cli.terminal import write_all

STARTER = Path(__file__).parent.parent / "starter"


@click.command(epilog="Examples: carepolicy init policies, carepolicy init --from library mine complaint")
@click.argument("folder", metavar="[DIR]", default="policies", type=click.Path(path_type=Path))
@click.argument("flow", nargs=-1)
@click.option(
    "--from", "origin", metavar="SET", help="Copy this set, or some of its flows; library comes with carepolicy."
)
def command(folder: Path, flow: tuple[str, ...], origin: str | None) -> None:
    """Lay down a small working policy set in DIR (default: policies), with comments.

    It passes `carepolicy check` and `carepolicy test`. Nothing that exists is overwritten. With --from, the set of
    another folder is copied, or of its flows those named and what they open.
    """
    if flow and origin is None:
        raise click.UsageError("FLOW goes with --from", click.get_current_context())
    if origin is not None:
        from carepolicy.cli.copies import lay_down

        lay_down(origin, folder, flow)
        note(f"Next: carepolicy check --policies {folder}; carepolicy test --policies {folder}")
        return
    files = sorted(each.relative_to(STARTER) for each in STARTER.rglob("*.yaml"))
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is a file; name a folder")
    there = [str(folder / each) for each in files if (folder / each).exists()]
    if there:
        raise CommandError(f"{', '.join(there)} already there; nothing was written")
    write_all({folder / each: (STARTER / each).read_text(encoding="utf-8") for each in files}, "x")
    note(f"Next: carepolicy check --policies {folder}; carepolicy test --policies {folder}")
    note(f"For your editor: carepolicy schema --output {folder.parent / 'schemas'}")
