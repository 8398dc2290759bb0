"""``carepolicy try``: a walk through a flow by hand, in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from carepolicy.cli.sets import policies_option
from carepolicy.cli.stages import stage_or_exit
from carepolicy.cli.status import UNREACHABLE, Refused

if TYPE_CHECKING:
    from carepolicy.scenarios.walk import Walk


@click.command(epilog='Examples: carepolicy try email_inquiry, carepolicy try complaint --at "2026-03-06 15:30"')
@click.argument("flow")
@policies_option
@click.option("--at", metavar="TIME", default="2026-03-02 10:00", show_default=True, help="When the walk begins.")
def command(flow: str, policies: str, at: str) -> None:
    """Walk through FLOW by hand: choose what happens, let time pass, watch the clocks.

    Shown are the state's card, its clocks and what may happen next. A step can be taken back, and the walk saved as
    a scenario that `carepolicy test` runs.
    """
    walk = _walk(flow, policies, at)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("try needs a terminal; `carepolicy scenarios suggest` finds ways through a flow without one")
    try:
        from carepolicy.cli.walking import keep_walking
    except ImportError:
        raise Refused("try needs prompt_toolkit: pip install 'carepolicy[try]'", UNREACHABLE) from None
    keep_walking(walk)


def _walk(flow: str, policies: str, at: str) -> Walk:
    stage, found = stage_or_exit(policies, flow)
    from carepolicy.scenarios.stage import CannotPlay
    from carepolicy.scenarios.walk import Walk

    try:
        return Walk(stage, found, at)
    except CannotPlay as problem:
        raise Refused(str(problem)) from None
