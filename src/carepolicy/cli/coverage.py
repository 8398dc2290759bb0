"""``carepolicy coverage``: what carries each requirement, and which scenario shows that it does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
import orjson

from carepolicy.cli.sets import demand_folder, format_option, policies_option, refuse, show
from carepolicy.cli.status import NO, USAGE, CommandError
from carepolicy.cli.terminal import plain, progress
from carepolicy.machine.bundle import PolicyErrors
from carepolicy.policy.files import REQUIREMENTS
from carepolicy.scenarios.requirements import as_object, as_text, carried, percent, read_requirements, unknown_ids
from carepolicy.scenarios.scenario import read_scenarios
from carepolicy.scenarios.stage import stage_for
from carepolicy.scenarios.suite import judge_all, suite_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import Source
    from carepolicy.scenarios.scenario import Scenario

WORTH_A_BAR = 200
"""So many scenarios take about a second."""


@click.command(epilog="Examples: carepolicy coverage, carepolicy coverage policies/requirements.yaml --fail-under 100")
@click.argument("requirements", required=False, type=click.Path())
@policies_option
@format_option("text", "json")
@click.option(
    "--fail-under", metavar="N", type=click.FloatRange(0, 100), help="Exit with 1 where less than N % are met."
)
@click.option("--workers", metavar="N", type=click.IntRange(1), help="Run scenarios in so many processes.")
def command(requirements: str | None, policies: str, form: str, fail_under: float | None, workers: int | None) -> None:
    """Say which flow, state, clock and message carries each of REQUIREMENTS, and which none.

    REQUIREMENTS is by default requirements.yaml of the policy set. A claim (covers:) counts where a scenario that is
    tagged with the id passes and goes through what claims it. Exit status 1 means that a tagged scenario failed, or
    that less than --fail-under is met.
    """
    demand_folder(policies)
    path = requirements or os.path.join(policies, REQUIREMENTS)
    if not os.path.exists(path):
        raise CommandError(f"there is no file {path}; it lists what is asked for: requirements: {{R1: {{text: …}}}}")
    wanted, _, findings = read_requirements(path)
    _refuse(findings)
    suite = suite_of([policies])
    _refuse(suite.findings)
    try:
        stage = stage_for(policies)
        with progress("test", len(suite.scenarios), WORTH_A_BAR) as told:
            verdicts = judge_all(suite, traced=True, workers=workers, told=told)
    except PolicyErrors as problem:
        refuse(policies, problem.findings)
    played = [(scenario, verdict) for (_, scenario), verdict in zip(suite.scenarios, verdicts, strict=True)]
    _refuse([*unknown_ids(stage.policies, wanted, _with_sources(each for each, _ in played))])
    found = carried(stage.policies, wanted, played)
    if form == "json":
        click.echo(orjson.dumps(as_object(found), option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo("\n".join(plain(line) for line in as_text(found)))
    low = fail_under is not None and percent(found) < fail_under
    if low:
        click.echo(f"{percent(found):.1f} % of {path} are met, less than {fail_under:g} %", err=True)
    if low or any(each.failed for each in found):
        raise SystemExit(NO)


def _refuse(findings: Sequence[Finding]) -> None:
    """End where something is wrong with what was read."""
    if findings:
        show(findings)
        raise SystemExit(USAGE)


def _with_sources(scenarios: Iterator[Scenario]) -> Iterator[tuple[Scenario, Source]]:
    """The scenarios that are tagged, each with its text."""
    for scenario in scenarios:
        if scenario.covers:
            source = read_scenarios(scenario.file)[scenario.document].source
            if source is not None:
                yield scenario, source
