"""``carepolicy graph``: the chart of a flow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from carepolicy.cli.sets import policies_option, policies_or_exit
from carepolicy.cli.status import UNREACHABLE, Refused

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies


@click.command(
    epilog="Examples: carepolicy graph complaint --output complaint.pdf, carepolicy graph --all --output charts/"
)
@click.argument("flow", required=False)
@click.option("--all", "every", is_flag=True, help="Draw every flow; FILE is then a folder, or ends as *.svg does.")
@click.option("--output", "-o", metavar="FILE", required=True, help="What to write; its ending says in which format.")
@click.option("--style", type=click.Choice(("card", "lanes", "plain")), default="card", show_default=True)
@click.option("--paper", type=click.Choice(("A4", "A3", "Letter")), help="Of a .pdf; default: the organisation's.")
@click.option("--language", metavar="TAG", help="The language of the chart's own words.")
@policies_option
def command(
    flow: str | None, every: bool, output: str, style: str, paper: str | None, language: str | None, policies: str
) -> None:
    """Draw the chart of FLOW.

    The ending of FILE says what is written: .svg, .png, .pdf, .dot, and other tools' formats such as .mmd.
    Pictures need Graphviz, or the extra carepolicy[render].
    """
    if every == (flow is not None):
        raise click.UsageError("name one flow, or --all", click.get_current_context())
    found = policies_or_exit(policies)
    if flow is not None:
        _draw(found, [(flow, output)], style, paper, language)
        return
    folder, name = (output, "*.svg") if "*" not in output else os.path.split(output)
    os.makedirs(folder or ".", exist_ok=True)
    both = [(each, os.path.join(folder, name.replace("*", each))) for each in found.flows]
    _draw(found, both, style, paper, language)


def _draw(
    policies: Policies, wanted: Sequence[tuple[str, str]], style: str, paper: str | None, language: str | None
) -> None:
    from carepolicy.charts import NoRenderer, RenderError, UnknownFlow, UnknownFormat, UnknownPaper, draw

    advice = ""
    for flow, output in wanted:
        if flow not in policies.flows:
            from carepolicy.policy.findings import did_you_mean

            raise Refused(f'there is no flow "{flow}"; {did_you_mean(flow, policies.flows)}')
        try:
            drawn = draw(policies, flow, output, style=style, paper=paper, language=language)
        except (UnknownFlow, UnknownFormat, UnknownPaper) as problem:
            raise Refused(str(problem)) from None
        except (NoRenderer, RenderError) as problem:
            raise Refused(str(problem), UNREACHABLE) from None
        advice = advice or drawn.advice
        for file in drawn.files:
            click.echo(str(file))
    if advice:
        click.echo(f"carepolicy: {advice}", err=True)
