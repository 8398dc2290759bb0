"""``carepolicy explain``: what a code means."""

from __future__ import annotations

import click

from carepolicy.cli.status import Refused


@click.command(epilog="Examples: carepolicy explain CP203, carepolicy explain --all")
@click.argument("code", required=False)
@click.option("--all", "every", is_flag=True, help="List all codes, a line each.")
def command(code: str | None, every: bool) -> None:
    """Say what CODE means, with a wrong and a right example."""
    from carepolicy.cli.pages import page_of, pages

    if every and code is None:
        for each in pages().values():
            click.echo(f"{each.code}  {each.severity:<7}  {each.title}")
        return
    if code is None or every:
        raise click.UsageError("name one code, or --all", click.get_current_context())
    page = page_of(code.upper())
    if page is None:
        from carepolicy.policy.findings import did_you_mean

        raise Refused(f'there is no code "{code}"; {did_you_mean(code.upper(), pages()) or "--all lists them"}')
    click.echo(page.text(), nl=False)
