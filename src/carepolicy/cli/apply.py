"""``carepolicy apply``: install a changed set and move the open cases to it."""

from __future__ import annotations

import click

from carepolicy.cli.outbox import now_option
from carepolicy.cli.sets import format_option, policies_option
from carepolicy.cli.status import NO
from carepolicy.cli.stores import open_or_exit, store_option


@click.command(
    epilog="\b\nExamples:\n  carepolicy plan && carepolicy apply\n"
    "  carepolicy apply --policies new_policies --format json\n"
)
@click.option("--examples", type=click.IntRange(0), default=3, show_default=True, help="Cases to name for each change.")
@now_option
@format_option("text", "json")
@store_option
@policies_option
def command(examples: int, now: str | None, form: str, store: str, policies: str) -> None:
    """Install the set in the folder in the store, and move the open cases to it, all in one transaction.

    What is due by now happens first, by the old set. Exit status 1 means that it was refused, since a case is in
    a state that is gone and that no moves_to: or renamed_from: names; then nothing was changed.
    """
    from carepolicy.cli.plantext import printed
    from carepolicy.cli.planwork import bundle_of, fire_due, moment, planned
    from carepolicy.machine.loading import load_bundle
    from carepolicy.store.applying import RefusedPlan, apply_set

    with open_or_exit(store, create=False) as opened:
        bundle, sealer = bundle_of(opened)
        at = moment(now, bundle)

        def work() -> None:
            load_bundle(policies)  # a set with errors is told before anything happens
            fire_due(opened, at)
            click.echo(
                printed(apply_set(opened, policies, sealer, at, examples), form, bundle.timezone, True), nl=False
            )

        try:
            planned(policies, work)
        except RefusedPlan as refused:
            click.echo(printed(refused.plan, form, bundle.timezone, False), nl=False)
            raise SystemExit(NO) from None
