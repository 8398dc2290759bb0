"""``carepolicy plan``: what a changed set would do to the open cases."""

from __future__ import annotations

import click

from carepolicy.cli.outbox import now_option
from carepolicy.cli.sets import format_option, policies_option
from carepolicy.cli.status import NO
from carepolicy.cli.stores import open_or_exit, store_option


@click.command(epilog="\b\nExamples:\n  carepolicy plan\n  carepolicy plan --policies new_policies --format json\n")
@click.option("--examples", type=click.IntRange(0), default=3, show_default=True, help="Cases to name for each change.")
@now_option
@format_option("text", "json")
@store_option
@policies_option
def command(examples: int, now: str | None, form: str, store: str, policies: str) -> None:
    """Say what `carepolicy apply` of the set in the folder would do to the open cases of the store at this instant.

    What is due by then happens first, by the installed set. Nothing is changed, but others wait with writing to the
    store meanwhile. Exit status 1 means that `carepolicy apply` would refuse, since a case is in a state that is gone.
    """
    from carepolicy.cli.plantext import PLANNED, printed
    from carepolicy.cli.planwork import bundle_of, moment, planned
    from carepolicy.cli.progress import busy
    from carepolicy.store.versions.apply import make_plan

    with open_or_exit(store, create=False) as opened:
        bundle, sealer = bundle_of(opened)
        with busy("planning"):
            plan = planned(policies, lambda: make_plan(opened, policies, sealer, moment(now, bundle), examples))
    click.echo(printed(plan, form, bundle.timezone, PLANNED), nl=False)
    if plan.refused:
        raise SystemExit(NO)
