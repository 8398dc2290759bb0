"""``carepolicy dead``: events that were not taken, and that may be taken again."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import orjson

from carepolicy.cli.sets import format_option, policies_option
from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.stores import limit_option, open_or_exit, operation_or_exit, reader_of, reveal_options, store_option
from carepolicy.cli.terminal import plain, table
from carepolicy.cli.times import wall_clock
from carepolicy.engine.history.words import time_in_words
from carepolicy.engine.instants import NoInstant, parse
from carepolicy.store.live.batch import Wall
from carepolicy.store.live.deadletters import NoLetter, listed, one, take_again
from carepolicy.store.privacy.seal import ANYBODY, Looker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from carepolicy.store.live.deadletters import DeadLetter, TakenAgain

HEAD = ("no", "code", "happened", "subject", "event", "why")


@click.group(
    epilog="\b\nExamples:\n  carepolicy dead list --code CP904\n  carepolicy dead show 17 --reveal --as care_lead\n"
    "  carepolicy dead again --code CP904\n"
)
def command() -> None:
    """Look at the events that the store has not taken, and take them again when the reason is gone.

    The code says why one was not taken; `carepolicy explain CODE` says what it means.
    """


@command.command(
    name="list", epilog="\b\nExamples:\n  carepolicy dead list\n  carepolicy dead list --code CP911 --format jsonl\n"
)
@click.option("--code", metavar="CODE", help="Only those with this code.")
@click.option("--subject", metavar="SUBJECT", help="Only those about this subject.")
@limit_option()
@reveal_options
@format_option("text", "json", "jsonl")
@store_option
@policies_option
def list_(
    code: str | None, subject: str | None, limit: int | None, reveal: bool, role: str | None, form: str, store: str,
    policies: str,
) -> None:  # fmt: skip
    """List dead letters, the last ones first: number, code, when the event happened, about what, and why it was not
    taken."""
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies, reads=True)
        looker = Looker(reader_of(bundle, reveal, role), operation.sealer)
        found = listed(opened, bundle, looker, code, subject, limit)
        if form == "jsonl":
            for each in found:
                click.echo(orjson.dumps(each.as_dict()))
        elif form == "json":
            told = {"dead_letters": [each.as_dict() for each in found]}
            click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        else:
            click.echo(_table(found, ZoneInfo(bundle.timezone)), nl=False)


@command.command(epilog="\b\nExamples:\n  carepolicy dead show 17\n  carepolicy dead show 17 --reveal --as care_lead\n")
@click.argument("no", type=click.IntRange(1), metavar="NO")
@reveal_options
@store_option
@policies_option
def show(no: int, reveal: bool, role: str | None, store: str, policies: str) -> None:
    """Show the dead letter with the number NO whole, as JSON. What is private is masked without --reveal --as ROLE."""
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies, reads=True)
        try:
            found = one(opened, bundle, Looker(reader_of(bundle, reveal, role), operation.sealer), no)
        except NoLetter as fault:
            raise CommandError(str(fault)) from None
    click.echo(orjson.dumps(found.as_dict(), option=orjson.OPT_INDENT_2))


@command.command(
    epilog="\b\nExamples:\n  carepolicy dead again 17 18\n  carepolicy dead again --code CP904\n"
    "  carepolicy dead again 17 --at-present\n"
)
@click.argument("numbers", type=click.IntRange(1), metavar="[NO]...", nargs=-1)
@click.option("--code", metavar="CODE", help="All with this code, in the order in which they came.")
@click.option("--at-present", is_flag=True, help="As if the event happened now, not when it did.")
@format_option("text", "jsonl")
@store_option
@policies_option
def again(numbers: Sequence[int], code: str | None, at_present: bool, form: str, store: str, policies: str) -> None:
    """Take events again, each once and in a transaction of its own, by the set that is installed now.

    What becomes of each is told when it is on the disk: it is taken, or refused again, with the reason and the new
    number that it has then. An event keeps the time at which it happened, which may be out of order by now;
    --at-present lets it happen now. Exit status 1 means that some were refused.
    """
    if bool(numbers) == (code is not None):
        raise click.UsageError("name some numbers, or --code CODE", click.get_current_context())
    refused = False
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        if code is not None:
            found = listed(opened, bundle, ANYBODY, code)
            numbers = sorted(each.no for each in found)
        for no in numbers:
            try:
                told = take_again(operation, no, Wall(wall_clock, far=True), at_present)
            except NoLetter as fault:
                refused = True
                click.echo(f"carepolicy: {fault}", err=True)
                continue
            refused = refused or told.code is not None
            _tell(told, form)
    if not numbers:
        click.echo(f"there are no dead letters of {code}", err=True)
    if refused:
        raise SystemExit(NO)


def _tell(told: TakenAgain, form: str) -> None:
    if form == "jsonl":
        sys.stdout.write(f"{told.records}{orjson.dumps(told.as_dict()).decode()}\n")
    elif told.code is None:
        sys.stdout.write(f"{told.no}: taken, {told.records.count(chr(10)):,} records\n")
    else:
        sys.stdout.write(plain(f"{told.no}: refused again, now {told.now}: {told.code} {told.reason}") + "\n")
    sys.stdout.flush()


def _table(letters: Iterable[DeadLetter], zone: ZoneInfo) -> str:
    rows = [_row(each, zone) for each in letters]
    return table([HEAD, *rows]) if rows else "nothing\n"


def _row(letter: DeadLetter, zone: ZoneInfo) -> tuple[str, ...]:
    event = letter.event
    time = str(event.get("time", ""))
    with suppress(NoInstant):
        time = time_in_words(parse(time), zone) if time else ""
    return str(letter.no), letter.code, time, str(event.get("subject", "")), str(event.get("type", "")), letter.reason
