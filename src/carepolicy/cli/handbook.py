"""``carepolicy handbook``: the staff handbook as a static site, or as a PDF to print."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carepolicy.charts import RenderError
from carepolicy.charts.fonts import fonts_wanted
from carepolicy.cli.sets import demand_language, earlier_or_exit, policies_option, policies_or_exit
from carepolicy.cli.status import NO, UNREACHABLE, CommandError, note
from carepolicy.cli.terminal import progress
from carepolicy.files import write_file
from carepolicy.handbook import build, pages_of, stale, write
from carepolicy.machine.locales import nearest_language
from carepolicy.policy.likeness import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from carepolicy.handbook import Site
    from carepolicy.handbook.printed import Volume
    from carepolicy.policy.model import Policies
    from carepolicy.typeset import Typeset


WORTH_A_BAR = 8
"""So many pages take about a second, with their charts."""

SITE = "generated"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, as it was written on the command line."""

    output: str | None
    checking: bool
    year: int | None
    since: str | None
    sheets: bool
    language: tuple[str, ...]
    pdf: str | None
    role: str | None
    flows: tuple[str, ...]
    cards: str | None
    as_of: datetime | None
    policies: str


@click.command(
    epilog="Examples: carepolicy handbook, carepolicy handbook --language fr, carepolicy handbook --check, "
    "carepolicy handbook --pdf handbook.pdf, carepolicy handbook --role warehouse, carepolicy handbook --cards A6"
)
@click.option("--output", "-o", metavar="DIR", type=click.Path(), help=f"The folder of the site.  [default: {SITE}]")
@click.option("--check", "checking", is_flag=True, help="Write nothing; name the files that are not up to date.")
@click.option("--year", type=click.IntRange(1970, 2200), help="Of the calendars and examples; default: the policies'.")
@click.option("--since", metavar="OLD", help="Tell changes from this folder or git revision; default: from git's last.")
@click.option("--sheets", is_flag=True, help="Add each chart to the site as a PDF of the organisation's paper.")
@click.option("--language", metavar="TAG", multiple=True, help="Only in this language of the set; may be given again.")
@click.option(
    "--pdf",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    type=click.Path(),
    help="In place of the site, write one PDF to print: the plan and all flows. Default of FILE: handbook.pdf.",
)
@click.option("--role", metavar="ROLE", help="A PDF for this role alone: its booklet, or its --cards.")
@click.option("--flow", "flows", metavar="FLOW", multiple=True, help="A PDF of this flow alone; may be given again.")
@click.option(
    "--cards",
    metavar="[A6|A5]",
    is_flag=False,
    flag_value="A6",
    type=click.Choice(("A6", "A5"), case_sensitive=False),
    help="A PDF of quick cards, one step a card: four (A6) or two (A5) to a sheet.",
)
@click.option(
    "--date", "as_of", metavar="DAY", type=click.DateTime(("%Y-%m-%d",)),
    help="The day on the pages of a PDF; default: that of the policies' last commit.",
)  # fmt: skip
@policies_option
def command(**given: Any) -> None:
    """Write the staff handbook: pages and charts that open in a browser from the folder, without a server.

    Pictures need Graphviz, or the extra carepolicy[render]; without it the pages say the same as text.
    --check compares pages and DOT files, not pictures, and exits with 1 where some are not up to date.

    With --pdf it is one file to print instead, in one language: the communication plan, then each flow. --role writes
    what that role does, hands on and is told; --cards a card for each step, to be cut out. PDFs need the extra
    carepolicy[render].
    """
    options = _with_pdf(Options(**given))
    found = policies_or_exit(options.policies)
    languages = found.organisation.languages or ("en",)
    for each in options.language:
        demand_language(each, languages)
    only = [near for wanted in options.language if (near := nearest_language(wanted, languages)) is not None]
    since = None if options.since is None else earlier_or_exit(options.since, options.policies)
    if options.pdf is not None:
        _print(found, options, options.pdf or _name(options, only), only[0] if only else languages[0], since)
        return
    try:
        with progress("handbook", pages_of(found, only), WORTH_A_BAR) as told:
            site = build(
                found,
                year=options.year,
                drawn=not options.checking,
                pdf=options.sheets,
                since=since,
                only=only,
                told=told,
            )
    except RenderError as problem:
        raise CommandError(str(problem), UNREACHABLE) from None
    if options.checking:
        _check(site, options.output or SITE)
    else:
        _write(site, options.output or SITE)


def _with_pdf(options: Options) -> Options:
    """The options, with the ``pdf`` that others of them ask for; ends where options do not go together."""
    output, flows = options.output, options.flows
    named = (output or "").lower().endswith(".pdf")
    if options.pdf is None and (options.role or flows or options.cards or options.as_of or named):
        options = replace(options, pdf=output if named else "", output=None)
    if options.pdf is None:
        return options
    _demand_no_site({"--output": options.output, "--check": options.checking, "--sheets": options.sheets})
    if options.since is not None and (options.role or flows or options.cards):
        raise click.UsageError("--since goes with the whole handbook", click.get_current_context())
    if len(options.language) > 1:
        raise click.UsageError("a PDF is in one language: name one", click.get_current_context())
    return options


def _demand_no_site(options: dict[str, object]) -> None:
    """Refuse options of the site beside those of a PDF."""
    wrong = next((name for name, value in options.items() if value), None)
    if wrong is not None:
        raise click.UsageError(f"{wrong} goes with the site, not with a PDF", click.get_current_context())


def _name(options: Options, only: list[str]) -> str:
    """A file that says what is in it: handbook.pdf, warehouse.pdf, cards-warehouse-fr.pdf, complaint.pdf."""
    of = [*([options.role] if options.role else []), *options.flows]
    parts = ["cards", *of] if options.cards else of or ["handbook"]
    return "-".join([*parts, *only]) + ".pdf"


def _print(policies: Policies, options: Options, path: str, language: str, since: Policies | None) -> None:
    """Write the PDF to ``path``; changes are told from the set ``since``."""
    from carepolicy.handbook.printed import Volume  # few handbooks are printed
    from carepolicy.policy.revisions import committed_on
    from carepolicy.typeset import NoTypesetter, TypesetError, how_to_show

    role, flows = options.role, options.flows
    _demand_known("role", (role,) if role else (), policies.organisation.roles)
    _demand_known("flow", flows, policies.flows)
    day = committed_on(policies.root) if options.as_of is None else options.as_of.date()
    try:
        with progress("handbook", len(flows or policies.flows), WORTH_A_BAR) as told:
            volume = Volume(policies, language, year=options.year, as_of=day, flows=flows, since=since, told=told)
            made = _made(volume, role, options.cards)
    except (NoTypesetter, RenderError) as problem:
        raise CommandError(str(problem), UNREACHABLE) from None
    except TypesetError as problem:
        raise CommandError(f"the pages could not be set: {problem}", UNREACHABLE) from None
    _save(made.pdf, path)
    click.echo(path)
    if made.unshown:
        note(f"carepolicy: {how_to_show(made.unshown)}")
    if day is None:
        note("carepolicy: no day stands on the pages, since git knows none of these policies; --date DAY says one")


def _made(volume: Volume, role: str | None, cards: str | None) -> Typeset:
    if cards is not None:
        return volume.cards(cards.upper(), role)
    return volume.handbook() if role is None else volume.role(role)


def _demand_known(kind: str, names: tuple[str, ...], known: Mapping[str, object]) -> None:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise CommandError(f'there is no {kind} "{name}"' + (f"; {hint}" if hint else ""))


def _save(content: bytes, path: str) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_file(Path(path), content)
    except OSError as problem:
        raise CommandError(f"cannot write to {path}: {problem.strerror or problem}") from None


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
    dots = (content.decode() for name, content in site.files.items() if name.endswith(".dot"))
    for said in (site.advice, fonts_wanted(dots)):
        if said:
            note(f"carepolicy: {said}")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
