"""``carepolicy apply --shadow``: a set is begun to be tried, compared with the installed one, or ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from carepolicy.cli.living import differs, wall_clock
from carepolicy.cli.plantext import PLANNED, TRIED
from carepolicy.cli.plantext import printed as plan_printed
from carepolicy.cli.planwork import bundle_of, moment, planned
from carepolicy.cli.progress import progress
from carepolicy.cli.status import NO, Refused

if TYPE_CHECKING:
    from carepolicy.store.contract import Store
    from carepolicy.store.shadow.journal import ShadowRow

WORTH = 5_000
"""So many rows or events are worth a bar."""


def shadow(store: Store, policies: str, now: str | None, examples: int, form: str) -> None:
    """Begin to try the set in a folder, or say where the one that is tried differs."""
    from carepolicy.store.shadow.trial import current

    known = current(store)
    if known is None:
        _begin(store, policies, now, examples, form)
    else:
        _report(store, *known, policies, examples, form)


def stop(store: Store, form: str) -> None:
    """End what is tried."""
    import orjson

    from carepolicy.store.shadow.trial import end

    ended = end(store)
    if form == "json":
        click.echo(orjson.dumps({"ended": ended is not None}).decode())
    elif ended is None:
        click.echo("no set is tried beside the installed one")
    else:
        click.echo("ended: what the other set did is gone; the installed one goes on")


def _begin(store: Store, policies: str, now: str | None, examples: int, form: str) -> None:
    from carepolicy.store.shadow.trial import begin, to_copy
    from carepolicy.store.versions.plan import RefusedPlan

    bundle, sealer = bundle_of(store)
    at = moment(now, bundle)

    def work() -> None:
        with progress("copying", to_copy(store), WORTH) as told:
            plan = begin(store, policies, sealer, at, examples, told)
        click.echo(plan_printed(plan, form, bundle.timezone, TRIED), nl=False)

    try:
        planned(policies, work)
    except RefusedPlan as refused:
        click.echo(plan_printed(refused.plan, form, bundle.timezone, PLANNED), nl=False)
        raise SystemExit(NO) from None


def _report(store: Store, row: ShadowRow, waiting: int, policies: str, examples: int, form: str) -> None:
    from carepolicy.cli.shadowtext import printed
    from carepolicy.store.shadow.trial import to_copy
    from carepolicy.store.stepping import Ended, Telling, compared

    bundle, sealer = bundle_of(store)
    if differs(policies, row.digest):
        click.echo(f"note: {policies} differs from the set that is tried; --stop ends that one", err=True)
    try:
        with progress("comparing", waiting + to_copy(store), WORTH) as told:
            found = compared(store, row, sealer, wall_clock(), examples, Telling(told, told))
    except Ended:
        raise Refused("the set that was tried has been ended by another process") from None
    click.echo(printed(found, form, bundle.timezone), nl=False)
    if found.differ:
        raise SystemExit(NO)
