"""``carepolicy explain``: what a code means."""

from __future__ import annotations

from pathlib import Path

import click

from carepolicy.cli.completing import codes
from carepolicy.cli.outputs import write_all
from carepolicy.cli.status import Refused


@click.command(epilog="Examples: carepolicy explain CP203, carepolicy explain --all")
@click.argument("code", required=False, shell_complete=codes)
@click.option("--all", "every", is_flag=True, help="List all codes, a line each.")
@click.option(
    "--output", metavar="DIR", type=click.Path(path_type=Path), help="With --all: write a page (Markdown) a code."
)
def command(code: str | None, every: bool, output: Path | None) -> None:
    """Say what CODE means, with a wrong and a right example."""
    from carepolicy.cli.pages import page_of, pages

    if every == (code is not None) or (output is not None and not every):
        raise click.UsageError("name one code, or --all", click.get_current_context())
    if code is None:
        _list(output)
        return
    page = page_of(code.upper())
    if page is None:
        from carepolicy.policy.findings import did_you_mean

        raise Refused(f'there is no code "{code}"; {did_you_mean(code.upper(), pages()) or "--all lists them"}')
    click.echo(page.text(), nl=False)


def _list(output: Path | None) -> None:
    from carepolicy.cli.pages import pages

    if output is not None:
        write_all({output / f"{page.code}.md": page.markdown() for page in pages().values()})
        return
    for page in pages().values():
        click.echo(f"{page.code}  {page.severity:<7}  {page.title}")
