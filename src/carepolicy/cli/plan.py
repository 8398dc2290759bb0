"""``carepolicy plan``: what a changed set would do to the open cases; and how such a plan is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import orjson

from carepolicy.cli.sets import format_option, policies_option, showing_errors
from carepolicy.cli.status import NO
from carepolicy.cli.stores import bundle_of, open_or_exit, store_option
from carepolicy.cli.terminal import busy, plain
from carepolicy.cli.times import now_of, now_option
from carepolicy.engine.history.words import time_in_words
from carepolicy.engine.instants import parse
from carepolicy.store.versions.apply import One, make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from carepolicy.cli.sets import Command
    from carepolicy.store.versions.apply import Example, Examples, Plan

WORDS = {
    "gone": ("case is in a state that is gone: name it in moves_to: or renamed_from:",
             "cases are in states that are gone: name them in moves_to: or renamed_from:"),
    "rekeyed": ("case belongs to a flow that has another subject: now; let it end first",
                "cases belong to flows that have another subject: now; let them end first"),
    "stuck": ("case has no way on in its state", "cases have no way on in their states"),
    "late": ("clock is late at once", "clocks are late at once"),
    "moved": ("case moves to another state", "cases move to other states"),
    "closed": ("case is closed", "cases are closed"),
    "due": ("due time moves", "due times move"),
    "kept": ("case goes on by its old version: its flow is gone",
             "cases go on by their old versions: their flows are gone"),
}  # fmt: skip


PLANNED, APPLIED, TRIED = range(3)
"""What was done about a plan."""


def examples_option(wanted: Command) -> Command:
    """``--examples N``, as the parameter ``examples``."""
    return click.option(
        "--examples", type=click.IntRange(0), default=3, show_default=True, help="Cases to name for each change."
    )(wanted)


@click.command(epilog="\b\nExamples:\n  carepolicy plan\n  carepolicy plan --policies new_policies --format json\n")
@examples_option
@now_option
@format_option("text", "json")
@store_option
@policies_option
def command(examples: int, now: str | None, form: str, store: str, policies: str) -> None:
    """Say what `carepolicy apply` of the set in the folder would do to the open cases of the store at this instant.

    What is due by then happens first, by the installed set. Nothing is changed, but others wait with writing to the
    store meanwhile. Exit status 1 means that `carepolicy apply` would refuse, since a case is in a state that is gone.
    """
    with open_or_exit(store, create=False) as opened:
        bundle, sealer = bundle_of(opened)
        with showing_errors(policies), busy("planning"):
            plan = make_plan(opened, policies, sealer, now_of(now, bundle), examples)
    click.echo(printed(plan, form, bundle.timezone, PLANNED), nl=False)
    if plan.refused:
        raise SystemExit(NO)


def printed(plan: Plan, form: str, timezone: str, done: int) -> str:
    """A plan, and what was ``done`` about it, as text or as an object of JSON."""
    if form == "json":
        told = {**plan.as_dict(), "applied": done == APPLIED and not plan.same}
        if done == TRIED:
            told["tried"] = not plan.same
        return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"
    if plan.same:
        return "this set is installed already\n"
    zone = ZoneInfo(timezone)
    lines = [] if not plan.fired else [_due_first(plan)]
    lines += listed(plan.fates, WORDS, lambda each: _example(each, zone))
    cases = f"{plan.cases:,} open case{'' if plan.cases == 1 else 's'}"
    if plan.refused:
        lines.append(f"refused: {cases}, of which some cannot be moved; nothing was changed")
    elif done == APPLIED:
        lines.append(f"applied: {cases}")
        if plan.ended_shadow:
            lines.append("the set that was tried beside the installed one is ended")
    elif done == TRIED:
        lines.append(f"tried from now on: {cases}; nothing is installed, and nothing is sent for it")
        lines.append("`carepolicy apply --shadow` says where the two sets differ, `--stop` ends it")
    else:
        lines.append(f"{cases}; nothing stands against it")
    return "".join(plain(line) + "\n" for line in lines)


def listed(found: Examples[One], words: Mapping[str, tuple[str, str]], told: Callable[[One], str]) -> Iterator[str]:
    """How many there are of each kind in ``words``, for one and for several, with examples."""
    for kind in words:
        count, first = found.counts[kind], found.first.get(kind, [])
        if count:
            yield f"{count:,} {words[kind][count != 1]}"
            yield from (f"    {told(each)}" for each in first)
            if count > len(first) > 0:
                yield f"    and {count - len(first):,} more"


def _due_first(plan: Plan) -> str:
    late = f", {plan.late:,} of them of clocks that fall late" if plan.late else ""
    return f"what is due comes first, by the installed set: {plan.fired:,} record{'' if plan.fired == 1 else 's'}{late}"


def _example(each: Example, zone: ZoneInfo) -> str:
    what = f"{each.subject} ({each.flow}, {each.state})"
    if each.clock is not None:
        before = "none" if each.before is None else time_in_words(parse(each.before), zone)
        after = "none" if each.after is None else time_in_words(parse(each.after), zone)
        return f"{what} {each.clock}: {before} -> {after}"
    return f"{what} -> {each.after}" if each.after is not None else what
