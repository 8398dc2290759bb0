"""``carepolicy apply``: install a changed set and move the open cases to it, or try it beside the installed one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import orjson

from carepolicy.cli.plan import APPLIED, PLANNED, TRIED, examples_option, listed, printed
from carepolicy.cli.sets import format_option, policies_option, showing_errors
from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.stores import bundle_of, differs, open_or_exit, store_option
from carepolicy.cli.terminal import busy, plain, progress
from carepolicy.cli.times import now_of, now_option, wall_clock, yes_option
from carepolicy.engine.history.words import time_in_words
from carepolicy.engine.instants import NoInstant, parse
from carepolicy.store.shadow.comparison import COUNTED, INSTALLED, SHADOW, Deed
from carepolicy.store.shadow.trial import Ended, begin, compared, current, end, to_copy
from carepolicy.store.versions.apply import RefusedPlan, apply_set

if TYPE_CHECKING:
    from carepolicy.store.contract import Store
    from carepolicy.store.shadow.comparison import CaseDifference, Comparison
    from carepolicy.store.shadow.journal import ShadowRow

WORTH = 5_000
"""So many rows or events are worth a bar."""

WORDS = {
    "only_installed": ("case is there by the installed set only", "cases are there by the installed set only"),
    "only_shadow": ("case is there by the shadow only", "cases are there by the shadow only"),
    "state": ("case is in another state", "cases are in other states"),
    "moves": ("case came to its state otherwise", "cases came to their states otherwise"),
    "due": ("due time is another", "due times are others"),
    "late": (
        "case falls late by one set only, or at another time",
        "cases fall late by one set only, or at other times",
    ),
    "messages": ("case sends other messages", "cases send other messages"),
    "notices": ("case gives other notices", "cases give other notices"),
    "actions": ("case asks for other actions", "cases ask for other actions"),
    "tasks": ("case gives other tasks", "cases give other tasks"),
    "refused": ("subject has other events that were not taken", "subjects have other events that were not taken"),
}
TITLES = {
    "late": "times late", "messages": "messages", "notices": "notices", "actions": "actions", "tasks": "tasks",
    "refused": "events not taken",
}  # fmt: skip
NONE = "nothing"


@click.command(
    epilog="\b\nExamples:\n  carepolicy plan && carepolicy apply\n"
    "  carepolicy apply --policies new_policies --format json\n"
    "  carepolicy apply --shadow --policies new_policies\n"
)
@examples_option
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


def try_beside(store: Store, policies: str, now: str | None, examples: int, form: str) -> None:
    """Begin to try the set in a folder, or say where the one that is tried differs."""
    known = current(store)
    if known is None:
        _begin(store, policies, now, examples, form)
    else:
        _report(store, *known, policies, examples, form)


def end_trial(store: Store, form: str) -> None:
    """End what is tried."""
    ended = end(store)
    if form == "json":
        click.echo(orjson.dumps({"ended": ended is not None}).decode())
    elif ended is None:
        click.echo("no set is tried beside the installed one")
    else:
        click.echo("ended: what the other set did is gone; the installed one goes on")


def _begin(store: Store, policies: str, now: str | None, examples: int, form: str) -> None:
    bundle, sealer = bundle_of(store)
    at = now_of(now, bundle)
    try:
        with showing_errors(policies), progress("copying", to_copy(store), WORTH) as told:
            plan = begin(store, policies, sealer, at, examples, told)
        click.echo(printed(plan, form, bundle.timezone, TRIED), nl=False)
    except RefusedPlan as refused:
        click.echo(printed(refused.plan, form, bundle.timezone, PLANNED), nl=False)
        raise SystemExit(NO) from None


def _report(store: Store, row: ShadowRow, waiting: int, policies: str, examples: int, form: str) -> None:
    bundle, sealer = bundle_of(store)
    if differs(policies, row.digest):
        click.echo(f"note: {policies} differs from the set that is tried; --stop ends that one", err=True)
    try:
        with progress("comparing", waiting + to_copy(store), WORTH) as told:
            found = compared(store, row, sealer, wall_clock(), examples, told)
    except Ended:
        raise CommandError("the set that was tried has been ended by another process") from None
    click.echo(comparison_printed(found, form, bundle.timezone), nl=False)
    if found.differ:
        raise SystemExit(NO)


def comparison_printed(found: Comparison, form: str, timezone: str) -> str:
    """A comparison as text or as an object of JSON."""
    if form == "json":
        return orjson.dumps(found.as_dict(), option=orjson.OPT_INDENT_2).decode() + "\n"
    zone = ZoneInfo(timezone)
    lines = [f"tried since {time_in_words(found.begun, zone)}, on {_many(found.events, 'event')}"]
    width = max(len(f"{found.totals[side][kind]:,}") for side in (INSTALLED, SHADOW) for kind in COUNTED)
    width = max(width, len("installed"))
    if any(found.totals):
        lines.append(f"    {'':16}  {'installed':>{width}}  {'shadow':>{width}}")
    for kind in (each for each in COUNTED if any(side[each] for side in found.totals)):
        installed, shadow = (f"{found.totals[side][kind]:,}" for side in (INSTALLED, SHADOW))
        lines.append(f"    {TITLES[kind]:16}  {installed:>{width}}  {shadow:>{width}}")
    lines += listed(found.differences, WORDS, lambda each: _example(each, zone))
    lines.append(f"{found.differ:,} of {_many(found.cases, 'case')} differ" if found.differ else
                 f"no difference in {_many(found.cases, 'case')}")  # fmt: skip
    return "".join(plain(line) + "\n" for line in lines)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _example(each: CaseDifference, zone: ZoneInfo) -> str:
    installed, shadow = (_side(side, each.clock is not None, zone) for side in each.sides)
    if installed == shadow:
        shadow += ", in other words"
    where = f"{each.subject} ({each.flow})" if each.flow else each.subject
    clock = "" if each.clock is None else f" {each.clock}"
    return f"{where}{clock}: installed {installed}; shadow {shadow}"


def _side(side: str | tuple[Deed, ...] | None, is_time: bool, zone: ZoneInfo) -> str:
    if not side:
        return NONE
    if isinstance(side, str):
        return time_in_words(parse(side), zone) if is_time else side
    return " and ".join(f"{deed.what}, {_when(deed.time, zone)}" if deed.time else deed.what for deed in side)


def _when(time: str, zone: ZoneInfo) -> str:
    try:
        return time_in_words(parse(time), zone)
    except NoInstant:
        return time
