"""``carepolicy test``: whether the policies do what their scenarios say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import orjson

from carepolicy.cli.formats import reported
from carepolicy.cli.sets import demand_folder, format_option, policies_option, refuse, show
from carepolicy.cli.status import NO, USAGE, CommandError, note
from carepolicy.cli.terminal import plain, progress
from carepolicy.machine.bundle import PolicyErrors
from carepolicy.policy.files import is_set
from carepolicy.scenarios.coverage import coverage_of, page_of
from carepolicy.scenarios.stage import stage_for
from carepolicy.scenarios.suite import judge_all, suite_of
from carepolicy.scenarios.updates import updates
from carepolicy.scenarios.verdict import as_junit, as_object, as_text, summary

if TYPE_CHECKING:
    from carepolicy.policy.findings import Finding
    from carepolicy.scenarios.coverage import Coverage
    from carepolicy.scenarios.suite import Suite
    from carepolicy.scenarios.verdict import Verdict

WORTH_A_BAR = 200
"""So many scenarios take about a second."""


@click.command(
    epilog="Examples: carepolicy test, carepolicy test --coverage --fail-under 80, "
    "carepolicy test policies/scenarios/email_on_sunday.yaml"
)
@click.argument("path", nargs=-1, type=click.Path())
@policies_option
@format_option("text", "json", "junit")
@click.option("--coverage", is_flag=True, help="Count what of the policies the scenarios go through.")
@click.option("--coverage-html", metavar="FILE", type=click.Path(dir_okay=False), help="Write the coverage as a page.")
@click.option(
    "--fail-under", metavar="N", type=click.FloatRange(0, 100), help="Exit with 1 where less than N % is covered."
)
@click.option("--update", is_flag=True, help="Show and write what was so in place of what was expected.")
@click.option("--workers", metavar="N", type=click.IntRange(1), help="Run in so many processes.")
def command(
    path: tuple[str, ...],
    policies: str,
    form: str,
    coverage: bool,
    coverage_html: str | None,
    fail_under: float | None,
    update: bool,
    workers: int | None,
) -> None:
    """Run scenarios: all of the policy set's, or those in PATH (files, folders).

    Of a scenario that fails the step is shown, with what was expected beside what was so, and all that happened to
    the case so far. Exit status 1 means that one failed, or that less than --fail-under is covered.
    """
    suite = _suite(path, policies)
    covering = coverage or coverage_html is not None or fail_under is not None
    try:
        verdicts = _verdicts(suite, covering, update, workers)
    except _Unsound as problem:
        if form != "text":
            findings = reported(problem.root, problem.findings).findings
            click.echo(_told([], {}, form, [*suite.findings, *findings]), nl=False)
        refuse(problem.root, problem.findings)
    if update:
        verdicts = _updated(suite, verdicts, policies, covering, workers)
    found = _coverages(suite, verdicts) if covering else {}
    click.echo(_told(verdicts, found, form, suite.findings), nl=False)
    if coverage_html is not None:
        _write_page(coverage_html, found)
    _finish(suite, verdicts, found, form, fail_under)


class _Unsound(Exception):
    """A set whose scenarios cannot run, since it has errors."""

    def __init__(self, root: str, findings: Sequence[Finding]) -> None:
        super().__init__(root)
        self.root = root
        self.findings = findings


def _suite(path: tuple[str, ...], policies: str) -> Suite:
    """The scenarios that the command is to run; refuses paths that are not there and sets without any."""
    for each in path:
        if not os.path.exists(each):
            raise CommandError(f"there is no file or folder {each}")
    if not path:
        demand_folder(policies)
    suite = suite_of(path or (policies,), _default(policies))
    if not suite.scenarios and not suite.findings:
        where = ", ".join(path) or os.path.join(policies, "scenarios")
        raise CommandError(f"there are no scenarios in {where}; `carepolicy scenarios suggest FLOW` writes some")
    if suite.findings:
        show(suite.findings)
    return suite


def _verdicts(suite: Suite, traced: bool, to_the_end: bool, workers: int | None) -> list[Verdict]:
    """The verdicts; a set that has errors is refused with them."""
    for root in suite.roots:
        try:
            stage_for(root)
        except PolicyErrors as problem:
            raise _Unsound(root, problem.findings) from None
    with progress("test", len(suite.scenarios), WORTH_A_BAR) as told:
        return judge_all(suite, traced, to_the_end, workers, told)


def _updated(suite: Suite, verdicts: list[Verdict], policies: str, traced: bool, workers: int | None) -> list[Verdict]:
    """Show and write the updates, and judge again what they were written to."""
    changed = list(updates(verdicts))
    for each in changed:
        click.echo("\n".join(plain(line) for line in each.diff().splitlines()), err=True)
        try:
            each.write()
        except OSError as problem:
            raise CommandError(str(problem)) from None
    if not changed:
        return verdicts
    again = suite_of([each.file for each in changed], _default(policies))
    fresh = {(each.file, each.document): each for each in _verdicts(again, traced, False, workers)}
    return [fresh.get((each.file, each.document), each) for each in verdicts]


def _default(policies: str) -> str | None:
    """The set of scenarios that stand in none."""
    return policies if is_set(policies) else None


def _coverages(suite: Suite, verdicts: Sequence[Verdict]) -> dict[str, Coverage]:
    """The coverage of each set, by its folder."""
    found = {}
    for root in suite.roots:
        mine = [verdict for (of, _), verdict in zip(suite.scenarios, verdicts, strict=True) if of == root]
        found[root] = coverage_of(stage_for(root).policies, {each for verdict in mine for each in verdict.seen})
    return found


def _told(
    verdicts: Sequence[Verdict], coverages: dict[str, Coverage], form: str, findings: Sequence[Finding] = ()
) -> str:
    if form == "junit":
        return as_junit(verdicts, findings)
    if form == "json":
        told = as_object(verdicts, findings)
        if coverages:
            told["coverage"] = {root: each.as_dict() for root, each in coverages.items()}
        return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"
    lines = as_text(verdicts).splitlines()
    for root, each in coverages.items():
        lines += ["", f"coverage of {root}", *each.as_text()] if len(coverages) > 1 or lines else [*each.as_text()]
    return "".join(plain(line) + "\n" for line in lines)


def _write_page(file: str, coverages: dict[str, Coverage]) -> None:
    try:
        with open(file, "w", encoding="utf-8", newline="\n") as page:
            page.write(page_of(coverages))
    except OSError as problem:
        raise CommandError(f"{file} cannot be written: {problem.strerror}") from None


def _finish(
    suite: Suite, verdicts: Sequence[Verdict], coverages: dict[str, Coverage], form: str, fail_under: float | None
) -> None:
    """Sum up on standard error, and end with the status that fits."""
    note(summary(verdicts))
    low = [] if fail_under is None else [(root, each) for root, each in coverages.items() if each.percent < fail_under]
    for root, each in low:
        click.echo(f"{each.percent:.1f} % of {root} is covered, less than {fail_under:g} %", err=True)
    if suite.findings:
        raise SystemExit(USAGE)
    if low or not all(each.passed for each in verdicts):
        raise SystemExit(NO)
