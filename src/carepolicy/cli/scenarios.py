"""``carepolicy scenarios``: scenarios written by the machine, for people to name and keep."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from carepolicy.cli.completion import flows
from carepolicy.cli.sets import policies_option, stage_or_exit
from carepolicy.cli.status import CommandError, note
from carepolicy.cli.terminal import busy, plain
from carepolicy.scenarios.suggestions import suggestions_of

if TYPE_CHECKING:
    from carepolicy.scenarios.suggestions import Suggestion


@click.group(epilog="Example: carepolicy scenarios suggest complaint")
def command() -> None:
    """Work on the scenarios of a policy set."""


@command.command(
    epilog="Examples: carepolicy scenarios suggest complaint, "
    "carepolicy scenarios suggest complaint --output policies/scenarios"
)
@click.argument("flow", shell_complete=flows)
@policies_option
@click.option("--output", metavar="DIR", type=click.Path(file_okay=False), help="Write a file for each into DIR.")
def suggest(flow: str, policies: str, output: str | None) -> None:
    """Write a scenario for each transition of FLOW that no scenario takes.

    Each is the shortest history that was found to take it, was run, and says what is so afterwards. Whether that is
    what should be so is for you to judge. Transitions for which no history was found are named on standard error.
    """
    stage, asked = stage_or_exit(policies, flow)
    with busy(f"looking for histories of {flow}"):
        found = list(suggestions_of(stage, asked))
    if output is None:
        click.echo("---\n".join(_text(each) for each in found if each.text is not None), nl=False)
    else:
        _write(output, flow, found)
    for each in found:
        if each.text is None:
            click.echo(plain(f"{policies}/{each.file}:{each.line}: no history was found for {each.name}"), err=True)
    wanting = sum(each.text is None for each in found)
    note(f"{len(found) - wanting} suggested, {wanting} not found")


def _text(suggestion: Suggestion) -> str:
    return f"# {suggestion.file}:{suggestion.line}\n{suggestion.text}"


def _write(folder: str, flow: str, found: list[Suggestion]) -> None:
    """Write each suggestion into a file that was not there before, and then name the files."""
    paths = []
    try:
        os.makedirs(folder, exist_ok=True)
        for each in found:
            if each.text is not None:
                path = _free(folder, f"{flow}_{each.name}")
                with open(path, "x", encoding="utf-8", newline="\n") as file:
                    file.write(_text(each))
                paths.append(path)
    except OSError as problem:
        raise CommandError(f"{folder} cannot be written to: {(problem.strerror or 'it failed').lower()}") from None
    for path in paths:  # all are written by now, though nobody may be reading this any more
        click.echo(path)


def _free(folder: str, name: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    number = 1
    while True:
        path = os.path.join(folder, f"{stem}{'' if number == 1 else f'_{number}'}.yaml")
        if not os.path.exists(path):
            return path
        number += 1
