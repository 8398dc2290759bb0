"""Which clocks kept their targets, or a share that is demanded: as an exit status, and for continuous integration."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click

from carepolicy.cli.formats import reported, written
from carepolicy.cli.status import NO, CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.audit.replay import Replay
    from carepolicy.cli.sets import Command
    from carepolicy.policy.model import Policies


def share_option(wanted: Command) -> Command:
    """``--fail-under N|target``, as the parameter ``fail_under``; ``least_share`` reads it."""
    return click.option(
        "--fail-under", metavar="N|target",
        help="Exit with 1 where less than N % of a clock's rounds are in time, or less than its own target.",
    )(wanted)  # fmt: skip


def least_share(text: str | None) -> float | None:
    """The share from 0 to 1 that is demanded; None where it is each clock's own target."""
    if text is None or text == "target":
        return None
    try:
        share = Decimal(text.removesuffix("%").strip())
        if 0 <= share <= 100:
            return float(share / 100)
    except InvalidOperation:
        pass
    raise CommandError(f'--fail-under "{text}": a share from 0 to 100, or target')


def demand_shares(replay: Replay, least: float | None) -> None:
    """Name the clocks of which less was in time than is demanded, and end with 1 where there are any."""
    from carepolicy.audit.figures import below, goal, short_of

    missed = below(replay, least)
    for flow, clock, share, wanted in missed:
        click.echo(f"{flow}.{clock}: {short_of(share, wanted)} in time, less than {goal(wanted)}", err=True)
    if missed:
        raise SystemExit(NO)


def told_of_targets(replay: Replay, found: Policies, policies: str, least: float | None, form: str) -> str:
    """Which clocks kept their targets, or the share ``least``, for continuous integration."""
    from carepolicy.audit.figures import below, goal, share_of, short_of
    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import At

    missed = {(flow, clock): (share, wanted) for flow, clock, share, wanted in below(replay, least)}
    findings, cases = [], []
    for flow, measure in replay.measures.flows.items():
        for clock, each in measure.clocks.items():
            if each.target is None and least is None:
                continue
            share, _ = share_of(each.met, each.late)
            said = (
                "no round was decided"
                if share is None
                else f"{share:.1%} in time, {each.met} of {each.met + each.late}"
            )
            if (flow, clock) in missed:
                less, wanted = missed[flow, clock]
                of = f"{each.met} of {each.met + each.late}"
                said = f"{short_of(less, wanted)} in time, {of}, less than {goal(wanted)}"
                place = found.key_place(At(f"flows/{flow}.yaml", ("clocks", clock)))
                findings.append(Finding(f"{flow}.{clock}", said, place))
            cases.append((flow, clock, said, share is None, (flow, clock) in missed))
    return written(reported(policies, findings), form) if form == "github" else _junit(cases)


def _junit(cases: Sequence[tuple[str, str, str, bool, bool]]) -> str:
    """A test case for each clock: its flow, name, what it came to, whether nothing was decided, whether it failed."""
    from xml.etree import ElementTree

    from carepolicy.cli.formats.junit_form import document

    suites = ElementTree.Element("testsuites")
    for flow in dict.fromkeys(each[0] for each in cases):
        mine = [each for each in cases if each[0] == flow]
        counts = {"tests": len(mine), "failures": sum(each[4] for each in mine), "errors": 0,
                  "skipped": sum(each[3] for each in mine)}  # fmt: skip
        told = {name: str(count) for name, count in counts.items()}
        suite = ElementTree.SubElement(suites, "testsuite", {"name": flow, **told})
        for _, clock, said, skipped, failed in mine:
            case = ElementTree.SubElement(suite, "testcase", classname=f"carepolicy.audit.{flow}", name=clock)
            if failed:
                ElementTree.SubElement(case, "failure", message=said)
            elif skipped:
                ElementTree.SubElement(case, "skipped", message=said)
            else:
                ElementTree.SubElement(case, "system-out").text = said
    return document(suites)
