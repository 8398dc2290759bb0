"""``carepolicy apply``: install a changed set and move the open cases to it."""

from __future__ import annotations

import click

from carepolicy.cli.apply.plan import APPLIED, PLANNED, printed
from carepolicy.cli.apply.shadow import end_trial, try_beside
from carepolicy.cli.sets import format_option, policies_option, showing_errors
from carepolicy.cli.status import NO
from carepolicy.cli.stores import bundle_of, open_or_exit, store_option
from carepolicy.cli.terminal import busy
from carepolicy.cli.times import now_of, now_option, yes_option
from carepolicy.store.versions.apply import apply_set
from carepolicy.store.versions.plan import RefusedPlan


@click.command(
    epilog="\b\nExamples:\n  carepolicy plan && carepolicy apply\n"
    "  carepolicy apply --policies new_policies --format json\n"
    "  carepolicy apply --shadow --policies new_policies\n"
)
@click.option("--examples", type=click.IntRange(0), default=3, show_default=True, help="Cases to name for each change.")
@click.option(
    "--shadow", is_flag=True, help="Install nothing: try the set beside the installed one, say where they differ."
)
@click.option("--stop", is_flag=True, help="With --shadow: end what is tried.")
@now_option
@yes_option
@format_option("text", "json")
@store_option
@policies_option
def command(
    examples: int, shadow: bool, stop: bool, now: str | None, yes: bool, form: str, store: str, policies: str
) -> None:
    """Install the set in the folder in the store, and move the open cases to it, all in one transaction.

    What is due by now happens first, by the old set, in the same transaction. Exit status 1 means that it was refused,
    since a case is in a state that is gone and that no moves_to: or renamed_from: names; then nothing was changed.

    With --shadow nothing is installed: from now on what the store takes is also put through the set in the folder, on
    copies of the open cases. Say `carepolicy apply --shadow` again for where the two sets differ; exit status 1 means
    that they do. To apply a set ends what is tried.
    """
    if shadow or stop:
        return _try(examples, now, form, store, policies, shadow, stop)
    with open_or_exit(store, create=False) as opened:
        bundle, sealer = bundle_of(opened)
        at = now_of(now, bundle, yes)
        try:
            with showing_errors(policies), busy("applying"):
                plan = apply_set(opened, policies, sealer, at, examples)
            click.echo(printed(plan, form, bundle.timezone, APPLIED), nl=False)
        except RefusedPlan as refused:
            click.echo(printed(refused.plan, form, bundle.timezone, PLANNED), nl=False)
            raise SystemExit(NO) from None


def _try(examples: int, now: str | None, form: str, store: str, policies: str, shadow: bool, stop: bool) -> None:
    """``--shadow``."""
    if not shadow:
        raise click.UsageError("--stop goes with --shadow", click.get_current_context())
    with open_or_exit(store, create=False) as opened:
        if stop:
            end_trial(opened, form)
        else:
            try_beside(opened, policies, now, examples, form)
