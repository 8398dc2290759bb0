"""``carepolicy handbook``: the staff handbook as a static site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from carepolicy.charts import RenderError
from carepolicy.cli.sets import demand_language, earlier_or_exit, policies_option, policies_or_exit
from carepolicy.cli.status import NO, UNREACHABLE, CommandError, note
from carepolicy.cli.terminal import progress
from carepolicy.handbook import build, languages_of, stale, write
from carepolicy.machine.locales import nearest_language

if TYPE_CHECKING:
    from carepolicy.handbook import Site


WORTH_A_BAR = 8
"""So many pages take about a second, with their charts."""


@click.command(epilog="Examples: carepolicy handbook, carepolicy handbook --language fr, carepolicy handbook --check")
@click.option(
    "--output",
    "-o",
    metavar="DIR",
    type=click.Path(),
    default="generated",
    show_default=True,
    help="The folder of the site.",
)
@click.option("--check", "checking", is_flag=True, help="Write nothing; name the files that are not up to date.")
@click.option("--year", type=click.IntRange(1970, 2200), help="Of the calendars and examples; default: the policies'.")
@click.option("--since", metavar="OLD", help="Tell changes from this folder or git revision; default: from git's last.")
@click.option("--pdf", is_flag=True, help="Add each chart as a PDF of the organisation's paper.")
@click.option("--language", metavar="TAG", multiple=True, help="Only in this language of the set; may be given again.")
@policies_option
def command(
    output: str,
    checking: bool,
    year: int | None,
    since: str | None,
    pdf: bool,
    language: tuple[str, ...],
    policies: str,
) -> None:
    """Write the staff handbook: pages and charts that open in a browser from the folder, without a server.

    Pictures need Graphviz, or the extra carepolicy[render]; without it the pages say the same as text.
    --check compares pages and DOT files, not pictures, and exits with 1 where some are not up to date.
    """
    found = policies_or_exit(policies)
    languages = found.organisation.languages or ("en",)
    for each in language:
        demand_language(each, languages)
    only = [near for wanted in language if (near := nearest_language(wanted, languages)) is not None]
    earlier = None if since is None else earlier_or_exit(since, policies)
    try:
        with progress("handbook", len(languages_of(found, only)) * len(found.flows), WORTH_A_BAR) as told:
            site = build(found, year=year, drawn=not checking, pdf=pdf, since=earlier, only=only, told=told)
    except RenderError as problem:
        raise CommandError(str(problem), UNREACHABLE) from None
    if checking:
        _check(site, output)
    else:
        _write(site, output)


def _check(site: Site, output: str) -> None:
    names = stale(site, output)
    for name in names:
        click.echo(f"{output}/{name}")
    if names:
        raise CommandError(
            f"{_files(len(names))} not up to date; write the handbook anew with `carepolicy handbook`", NO
        )


def _write(site: Site, output: str) -> None:
    try:
        changed = write(site, output)
    except OSError as problem:
        raise CommandError(f"cannot write to {output}: {problem.strerror or problem}") from None
    click.echo(f"{output}/index.html ({_files(len(site.files))}, {len(changed)} changed)")
    if site.advice:
        note(f"carepolicy: {site.advice}")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
