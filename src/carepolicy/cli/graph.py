"""``carepolicy graph``: the chart of a flow, or of how the flows of a set hang together."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from carepolicy.charts import NoRenderer, RenderError, UnknownFlow, UnknownPaper, draw, sources
from carepolicy.charts.draw import PICTURES, UnknownFormat, draw_chart
from carepolicy.charts.fonts import fonts_wanted
from carepolicy.charts.heat import BadAudit, chart_of_heat, read_audit
from carepolicy.charts.overview import draw_all, source_of
from carepolicy.cli.completion import flows
from carepolicy.cli.sets import PIPE, demand_language, language_option, policies_option, policies_or_exit
from carepolicy.cli.status import UNREACHABLE, CommandError, note
from carepolicy.policy.likeness import with_hint
from carepolicy.translations import said_by_us
from carepolicy.typeset import NoTypesetter, TypesetError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from carepolicy.charts import Drawn
    from carepolicy.policy.model import Policies


@click.command(
    epilog="Examples: carepolicy graph complaint --output complaint.svg, carepolicy graph complaint --output "
    "complaint.pdf --paper A3, carepolicy graph --all --output flows.svg, "
    "carepolicy graph complaint --output - --as mmd"
)
@click.argument("flow", required=False, shell_complete=flows)
@click.option("--all", "every", is_flag=True, help="Draw how the flows open each other and raise events to each other.")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    required=True,
    type=click.Path(),
    help="What to write; its ending says in which format. - is standard output.",
)
@click.option("--as", "ending", metavar="ENDING", help="With --output -: the format, as in --as svg. Default: dot.")
@click.option("--style", metavar="[card|plain]", default="card", show_default=True, help="plain is black on white.")
@click.option(
    "--paper", type=click.Choice(("A4", "A3", "Letter")), help="Of a .pdf and of --sheets; default: the organisation's."
)
@click.option("--sheets", is_flag=True, help="The sheets of a .pdf as pictures: FILE-1.svg, FILE-2.svg, …")
@click.option("--no-words", is_flag=True, help="Leave out the words to say.")
@language_option("The language of the chart; default: the set's first.")
@click.option(
    "--heat", metavar="AUDIT", type=click.Path(), help="Put the figures of `audit --format json` on the chart."
)
@policies_option
def command(
    flow: str | None, every: bool, output: str, ending: str | None, style: str, paper: str | None, sheets: bool,
    no_words: bool, language: str | None, heat: str | None, policies: str,
) -> None:  # fmt: skip
    """Draw the chart of FLOW, or with --all one chart of all flows.

    The ending of FILE says what is written: .svg, .png, .pdf, .dot, and other tools' formats such as .mmd.
    A .svg or .png is one picture for a screen; a .pdf has the fewest sheets of paper on which all of it stands in
    letters of 8 points or more. Pictures need Graphviz, sheets typst: both come with the extra carepolicy[render].
    The names of the files written are printed.
    """
    if every == (flow is not None):
        raise click.UsageError("name one flow, or --all", click.get_current_context())
    if every and heat is not None:
        raise click.UsageError("--heat goes with one flow", click.get_current_context())
    if every and (sheets or no_words):
        raise click.UsageError("--sheets and --no-words go with one flow", click.get_current_context())
    if ending is not None and output != PIPE:
        raise click.UsageError("--as goes with --output -: a file's own ending says it", click.get_current_context())
    found = policies_or_exit(policies)
    demand_language(language, found.organisation.languages, said_by_us())
    try:
        with _folder(output) as place:
            name = output if place is None else os.path.join(place, f"chart.{(ending or 'dot').lstrip('.')}")
            drawing = _Wanted(name, style, paper, sheets, not no_words, language, heat)
            files, advice = _drawn(found, flow, drawing)
            if place is not None:
                _write_out(files)
                files = ()
    except (UnknownFlow, UnknownFormat, UnknownPaper) as problem:
        raise CommandError(str(problem)) from None
    except (NoRenderer, RenderError, NoTypesetter, TypesetError) as problem:
        raise CommandError(str(problem), UNREACHABLE) from None
    for file in files:
        click.echo(str(file))
    for said in (advice, "" if sheets else _fonts_wanted(found, flow, name, style, language)):
        if said:
            note(f"carepolicy: {said}")


def _fonts_wanted(policies: Policies, flow: str | None, name: str, style: str, language: str | None) -> str:
    """What to install where nothing here has the letters of a picture."""
    ending = Path(name).suffix.lower()
    if ending not in PICTURES or ending == ".pdf":  # what sets a .pdf says it itself
        return ""
    dots = [source_of(policies, language)] if flow is None else sources(policies, flow, style=style, language=language)
    return fonts_wanted(dots, ending)


def _folder(output: str) -> AbstractContextManager[str | None]:
    """Where a chart that goes to standard output is drawn first."""
    return TemporaryDirectory() if output == PIPE else nullcontext()


def _write_out(files: Sequence[Path]) -> None:
    if len(files) > 1:
        raise CommandError("this chart has several sheets: write it to files, or as pdf")
    click.echo(files[0].read_bytes(), nl=False)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was asked for."""

    output: str
    style: str
    paper: str | None
    sheets: bool
    say: bool
    language: str | None
    heat: str | None


def _drawn(policies: Policies, flow: str | None, wanted: _Wanted) -> tuple[Sequence[Path], str]:
    """The files written, and one line of advice."""
    if flow is None:
        file, advice = draw_all(policies, wanted.output, wanted.language)
        return [file], advice
    if flow not in policies.flows:
        raise CommandError(with_hint(f'there is no flow "{flow}"', flow, policies.flows))
    if wanted.heat is not None:
        drawn = _heated(policies, flow, wanted, wanted.heat)
    else:
        drawn = draw(policies, flow, wanted.output, style=wanted.style, paper=wanted.paper, language=wanted.language,
                     say=wanted.say, sheets=wanted.sheets)  # fmt: skip
    return drawn.files, drawn.advice


def _heated(policies: Policies, flow: str, wanted: _Wanted, heat: str) -> Drawn:
    path = Path(wanted.output)
    if path.suffix.lower() not in (*PICTURES, ".dot"):
        raise UnknownFormat(f'cannot write figures of an audit as "{path.name}": take {", ".join((".dot", *PICTURES))}')
    try:
        audit = read_audit(heat, flow)
    except BadAudit as problem:
        raise CommandError(str(problem)) from None
    except OSError as problem:
        raise CommandError(f"cannot read {heat}: {problem.strerror or problem}") from None
    chart = chart_of_heat(policies, flow, audit, wanted.language)
    paper = wanted.paper or policies.organisation.paper
    return draw_chart(chart, path, style=wanted.style, paper=paper, say=wanted.say, sheets=wanted.sheets)
