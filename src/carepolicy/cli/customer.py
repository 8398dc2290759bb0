"""``carepolicy customer``: what is held about a customer, handed over, and erased."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import orjson

from carepolicy.cli.sets import Command, format_option, policies_option
from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.stores import open_or_exit, operation_or_exit, reader_of, reveal_options, store_option
from carepolicy.cli.terminal import plain
from carepolicy.cli.times import at_option, now_of, wall_clock
from carepolicy.engine.history.words import time_in_words
from carepolicy.engine.instants import text_of
from carepolicy.store.privacy.contacts import ContactLog
from carepolicy.store.privacy.customers import Customers, StillOpen
from carepolicy.store.privacy.seal import NOBODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.store.privacy.customers import PersonalData

UNKNOWN = "nothing is known of this customer; name an address or a number of the customer, or a subject"


def who_argument(wanted: Command) -> Command:
    """Who, as the parameter ``who``."""
    return click.argument("who", metavar="CUSTOMER|SUBJECT")(wanted)


@click.group(
    epilog="\b\nExamples:\n  carepolicy customer show ada@example.org\n"
    "  carepolicy customer export ada@example.org --reveal --as store_owner > ada.json\n"
    "  carepolicy customer erase ada@example.org --by Mia\n"
)
def command() -> None:
    """Look after personal data: what is held about a customer, handed over or erased by request.

    A customer is named by an address (as channels of the organisation reach it), by customer.id, or by a subject.
    """


@command.command(
    epilog="\b\nExamples:\n  carepolicy customer show ada@example.org\n"
    "  carepolicy customer show order-7 --reveal --as care_lead --format json\n"
)
@who_argument
@reveal_options
@format_option("text", "json")
@store_option
@policies_option
def show(who: str, reveal: bool, role: str | None, form: str, store: str, policies: str) -> None:
    """Show what is held about a customer. Exit status 1 means that nobody of that name is known."""
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies, reads=True)
        found = Customers(opened, bundle, operation.sealer, reader_of(bundle, reveal, role)).held(who)
    if not found:
        raise CommandError(UNKNOWN, NO)
    if form == "json":
        told = orjson.dumps({"held": [each.as_dict() for each in found]}, option=orjson.OPT_INDENT_2)
        click.echo(told.decode())
    else:
        click.echo(_text(found, ZoneInfo(bundle.timezone)), nl=False)


@command.command(
    epilog="\b\nExample:\n  carepolicy customer export ada@example.org --reveal --as store_owner > ada.json\n"
)
@who_argument
@reveal_options
@store_option
@policies_option
def export(who: str, reveal: bool, role: str | None, store: str, policies: str) -> None:
    """Print all that is held about a customer as JSON: open cases with their facts, records, contacts.

    What is private is in it with --reveal, as far as the role of --as may see it.
    """
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies, reads=True)
        reader = reader_of(bundle, reveal, role)
        told = Customers(opened, bundle, operation.sealer, reader).export(who)
        contacts = ContactLog(opened, bundle, operation.sealer, reader).of(who) or []
    if not told["held"]:
        raise CommandError(UNKNOWN, NO)
    kept = [each.as_dict() for each in contacts if not each.is_internal]
    whole = {"organisation": bundle.organisation, "exported": text_of(wall_clock()), **told, "contacts": kept}
    click.echo(orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode())


@command.command(
    epilog="\b\nExamples:\n  carepolicy customer erase ada@example.org --by Mia --dry-run\n"
    "  carepolicy customer erase ada@example.org --by Mia --yes\n"
)
@who_argument
@click.option("--by", "author", required=True, metavar="NAME", help="Who erases; it is kept on record.")
@click.option("--force", is_flag=True, help="Although cases are open; they go on without the facts.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be erased, and erase nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@at_option
@store_option
@policies_option
def erase(who: str, author: str, force: bool, dry: bool, yes: bool, at: str | None, store: str, policies: str) -> None:
    """Erase what is private about a customer: facts, texts of messages and contacts, the way to find them.

    Masked records stay, so that counts hold and no chain breaks; that it was erased, when, by whom, and how much, is
    kept. Exit status 1 means that open cases still need it; --force erases all the same.
    """
    if not author.strip():
        raise CommandError("--by needs a name")
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        now = now_of(at, bundle)
        customers = Customers(opened, bundle, operation.sealer, NOBODY)
        try:
            found = customers.erase(who, now, author.strip(), force, dry=True)
            if found and not dry:
                _confirm(found, yes)
                found = customers.erase(who, now, author.strip(), force)
        except StillOpen as fault:
            raise CommandError(_still_open(fault), NO) from None
    if not found:
        raise CommandError(UNKNOWN, NO)
    if customers.left_behind is not None:
        click.echo(f"note: {customers.left_behind}; say it again when that has ended", err=True)
    click.echo(("would be erased: " if dry else "erased: ") + _sum(found))


def _confirm(found: Sequence[PersonalData], yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("erasing cannot be undone: add --yes if it is meant, or --dry-run to see what it would do")
    click.confirm(f"Erase {_sum(found)}? It cannot be undone.", abort=True, err=True)


def _still_open(fault: StillOpen) -> str:
    cases = fault.cases
    if not cases:
        return (
            f"nothing was erased, since {fault.held_back:,} event{_s(fault.held_back)} of it wait in a run that was "
            "not finished; go on with it (run --resume), or add --force"
        )
    told = ", ".join(plain(f"{each.subject} ({each.flow}, {each.state})") for each in cases[:10])
    more = f" and {len(cases) - 10} more" if len(cases) > 10 else ""
    return f"nothing was erased, since cases are open that need it: {told}{more}; close them first, or add --force"


def _sum(found: Sequence[PersonalData]) -> str:
    records, typed = sum(each.private for each in found), sum(each.typed for each in found)
    cases = sum(len(each.cases) for each in found)
    held = sum(each.held_back for each in found)
    waiting = f" and {held:,} event{_s(held)} that a run holds back" if held else ""
    return (
        f"private data of {records:,} record{_s(records)}, {typed:,} contact{_s(typed)} and {cases:,} open "
        f"case{_s(cases)}{waiting}, of {len(found):,} subject{_s(len(found))}"
    )


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _text(found: Sequence[PersonalData], zone: ZoneInfo) -> str:
    lines = []
    for each in found:
        lines.append(each.subject + (f" ({each.key})" if each.key else ""))
        for case in each.cases:
            lines.append(f"  {case.flow}: {case.state}, opened {time_in_words(case.opened, zone)}")
            lines += [f"    {name}: {value}" for name, value in case.facts.items()]
        lines.append(f"  {each.records:,} records, {each.private:,} of them with private data")
        if each.typed:
            lines.append(f"  {each.typed:,} typed contact{_s(each.typed)}")
        if each.held_back:
            lines.append(f"  {each.held_back:,} event{_s(each.held_back)} that a run holds back")
        if each.until is not None:
            lines.append(f"  erased by itself on {time_in_words(each.until, zone)}")
        lines += [f"  erased {time_in_words(time, zone)} by {by}" for time, by, _, _ in each.erased]
    return "".join(plain(line) + "\n" for line in lines)
