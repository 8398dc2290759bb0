"""``carepolicy diff``: what changed between two policy sets, in words, as data, or coloured on the charts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carepolicy.charts import NoRenderer, RenderError
from carepolicy.charts.changes import compare
from carepolicy.charts.changes.difference import as_data, in_text
from carepolicy.charts.changes.overlay import draw_changes
from carepolicy.cli.sets import demand_language, earlier_or_exit, format_option, language_option, policies_option
from carepolicy.cli.status import DONE, NO, UNREACHABLE, CommandError
from carepolicy.handbook.comparison import page_of
from carepolicy.policy.files import as_named
from carepolicy.policy.likeness import with_hint
from carepolicy.translations import said_by_us
from carepolicy.typeset import NoTypesetter, TypesetError

if TYPE_CHECKING:
    from carepolicy.charts.changes import Difference

TEXTS = (".txt", ".json", ".html")
DRAWN = (".svg", ".png", ".pdf", ".dot")


@click.command(
    epilog="Examples: carepolicy diff HEAD, carepolicy diff v1..v2 --output changes.html, "
    "carepolicy diff old_policies policies --flow complaint --output complaint.svg, carepolicy diff library"
)
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--output", "-o", metavar="FILE", help="What to write: .txt, .json, .html, or a chart (.svg .png .pdf .dot)."
)
@click.option("--flow", metavar="NAME", help="Only the changes of this flow.")
@language_option("The language of the words; default: the set's first.")
@click.option("--exit-code", "asking", is_flag=True, help="Exit with 1 where anything changed.")
@format_option("text", "json")
@policies_option
def command(
    old: str, new: str | None, output: str | None, flow: str | None, language: str | None, asking: bool, form: str,
    policies: str,
) -> None:  # fmt: skip
    """Say what changed from OLD to NEW: two folders, or two git revisions.

    library is the set that comes with carepolicy. A revision is REV, or REV:FOLDER for another folder than
    --policies; OLD..NEW is both in one. Without NEW the comparison is with the files as they are. On a chart, what
    is new, changed and removed is marked by a word, a border and a colour; a chart of several flows becomes a file
    for each flow, a .svg or .png one picture for a screen, a .pdf sheets of paper.
    """
    first, last = _named(old, new, policies)
    difference = _compared(first, last, policies, language, flow)
    if output is None:
        click.echo(_told(difference, first, last, form), nl=False)
    else:
        for file in _written(difference, first, last, Path(output)):
            click.echo(str(file))
    click.get_current_context().exit(NO if asking and difference.changes else DONE)


def _named(old: str, new: str | None, policies: str) -> tuple[str, str]:
    if new is None and ".." in old and not Path(old).is_dir():
        old, _, new = old.partition("..")
    if not old:
        raise click.UsageError("name the older set before the two dots", click.get_current_context())
    return old, new or as_named(policies)


def _compared(old: str, new: str, policies: str, language: str | None, flow: str | None) -> Difference:
    before, after = (earlier_or_exit(each, policies) for each in (old, new))
    demand_language(language, after.organisation.languages, said_by_us())
    found = compare(before, after, language)
    if flow is None:
        return found
    known = {**after.flows, **before.flows}
    if flow not in known:
        raise CommandError(with_hint(f'there is no flow "{flow}" in either set', flow, known))
    return replace(found, changes=found.of(flow))


def _told(difference: Difference, old: str, new: str, form: str) -> str:
    if form == "text":
        return in_text(difference, old, new)
    return json.dumps(as_data(difference, old, new), ensure_ascii=False, indent=2) + "\n"


def _written(difference: Difference, old: str, new: str, path: Path) -> list[Path]:
    ending = path.suffix.lower()
    if ending not in (*TEXTS, *DRAWN):
        known = ", ".join((*TEXTS, *DRAWN))
        raise CommandError(f'cannot write a comparison as "{path.name}": the ending must be one of {known}')
    try:
        if ending in DRAWN:
            return _charts(difference, f"{old} → {new}", path)
        if ending == ".html":
            text = page_of(difference, old, new)
        else:
            text = _told(difference, old, new, "json" if ending == ".json" else "text")
        path.write_text(text, encoding="utf-8", newline="\n")
    except (NoRenderer, RenderError, NoTypesetter, TypesetError) as problem:
        raise CommandError(str(problem), UNREACHABLE) from None
    except OSError as problem:
        raise CommandError(f"cannot write {path}: {problem.strerror or problem}") from None
    return [path]


def _charts(difference: Difference, between: str, path: Path) -> list[Path]:
    flows = difference.flows()
    if not flows:
        click.echo("carepolicy: no flow changed, so there is no chart", err=True)
    drawn: list[Path] = []
    for flow in flows:
        file = path if len(flows) == 1 else path.with_stem(f"{path.stem}-{flow}")
        made = draw_changes(difference, flow, file, between)
        drawn += made.files
        if made.advice:
            click.echo(f"carepolicy: {made.advice}", err=True)
    return drawn
