"""``carepolicy contact``: who said what to whom and when."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import orjson

from carepolicy.cli.sets import format_option, policies_option
from carepolicy.cli.status import CommandError
from carepolicy.cli.stores import open_or_exit, operation_or_exit, reader_of, reveal_options, store_option
from carepolicy.cli.terminal import csv_rows, plain
from carepolicy.cli.times import at_option, now_of
from carepolicy.engine.cards import mask_cards, names_card
from carepolicy.engine.history.words import Titles, time_in_words
from carepolicy.policy.likeness import with_hint
from carepolicy.store.privacy.contacts import DIRECTIONS, ContactLog
from carepolicy.store.privacy.seal import NOBODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.machine.program import Bundle
    from carepolicy.store.privacy.contacts import Contact

FIELDS = ("time", "subject", "flow", "kind", "channel", "from", "to", "said", "state")
LONGEST_TEXT = 100_000


class OfWhom(click.Group):
    """A group whose first command is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, with ``show`` in front where they begin with a subject or an option of it."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=OfWhom,
    epilog="\b\nExamples:\n  carepolicy contact order-1001\n  carepolicy contact ada@example.org --format csv\n"
    "  carepolicy contact order-1001 --view customer --reveal --as care_lead\n"
    "  carepolicy contact add order-1001 --channel phone --by Aoife --text 'Wants a refund, not a voucher'\n",
)
def command() -> None:
    """Show the contact log of a subject or a customer: who said what to whom, over all channels and flows.

    A customer is named by an address or by the customer's number. `contact SUBJECT` is short for `contact show
    SUBJECT`.
    """


@command.command(
    epilog="\b\nExamples:\n  carepolicy contact order-1001\n  carepolicy contact --owner Chidi --format csv\n"
)
@click.argument("who", metavar="SUBJECT|CUSTOMER", required=False)
@click.option("--owner", metavar="NAME", help="All whose open cases this person has (the account owner's view).")
@click.option(
    "--view", type=click.Choice(("staff", "customer")), default="staff", show_default=True,
    help="customer: without notices and internal notes.",
)  # fmt: skip
@reveal_options
@format_option("text", "json", "csv")
@store_option
@policies_option
def show(
    who: str | None, owner: str | None, view: str, reveal: bool, role: str | None, form: str, store: str,
    policies: str,
) -> None:  # fmt: skip
    """Show the contact log, the first entry first."""
    if (who is None) == (owner is None):
        raise click.UsageError("name a subject or a customer, or --owner NAME", click.get_current_context())
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies, reads=True)
        log = ContactLog(opened, bundle, operation.sealer, reader_of(bundle, reveal, role))
        entries = log.of(who) if who is not None else log.of_owner(owner or "")
    if entries is None:
        raise CommandError(f"nothing is known of {_named(who)}; name a subject, an address or a number of a customer")
    kept = [each for each in entries if view == "staff" or not each.is_internal]
    click.echo(_printed(kept, form, ZoneInfo(bundle.timezone), Titles(bundle)), nl=False)


@command.command(
    epilog="\b\nExamples:\n  carepolicy contact add order-1001 --channel phone --by Aoife --text 'Called back'\n"
    "  pbpaste | carepolicy contact add order-1001 --channel letter --by Ben --text -\n"
)
@click.argument("subject")
@click.option("--channel", required=True, metavar="CHANNEL", help="How: a channel of the organisation.")
@click.option("--by", "author", required=True, metavar="NAME", help="Which of us.")
@click.option("--text", required=True, metavar="TEXT", help="What was said; - reads it from standard input.")
@click.option(
    "--direction", type=click.Choice(DIRECTIONS), default="in", show_default=True,
    help="in: the customer said it to us; out: we to the customer; internal: a note of our own.",
)  # fmt: skip
@at_option
@click.option("--new", is_flag=True, help="Also about a subject of which nothing is known yet.")
@store_option
@policies_option
def add(
    subject: str, channel: str, author: str, text: str, direction: str, at: str | None, new: bool, store: str,
    policies: str,
) -> None:  # fmt: skip
    """Add an entry about SUBJECT. Its text is sealed, and card numbers in it are masked."""
    said = (sys.stdin.read(LONGEST_TEXT + 1) if text == "-" else text).strip()
    if not said or not author.strip():
        raise CommandError("an entry needs a text and a name")
    if len(said) > LONGEST_TEXT:
        raise CommandError(f"the text has more than {LONGEST_TEXT:,} characters")
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        _demand_channel(bundle, channel)
        if not bundle.card_never and names_card(subject):
            raise CommandError("the subject holds a card number; name it by a number of your own")
        log = ContactLog(opened, bundle, operation.sealer, NOBODY)
        if not new and not log.knows(subject):
            raise CommandError(f"nothing is known of {_named(subject)}; add --new if it is right")
        kept = mask_cards(said)
        log.add(now_of(at, bundle), subject, direction, channel, mask_cards(author.strip()), kept)
    if kept != said:
        click.echo("a card number in the text was masked", err=True)


def _demand_channel(bundle: Bundle, channel: str) -> None:
    if channel not in bundle.channels:
        raise CommandError(with_hint(f'there is no channel "{channel}"', channel, bundle.channels))


def _named(who: str | None) -> str:
    """A subject in a message; what may be a customer's address is not repeated."""
    return "this customer" if who is None or "@" in who or " " in who or who.startswith("+") else f'"{who}"'


def _printed(entries: Sequence[Contact], form: str, zone: ZoneInfo, titles: Titles) -> str:
    """Entries as text, as one object of JSON, or as CSV (RFC 4180) that no spreadsheet takes for formulas."""
    if form == "json":
        told = {"contacts": [each.as_dict() for each in entries]}
        return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"
    if form == "csv":
        return "".join(csv_rows((each.as_dict() for each in entries), FIELDS))
    if not entries:
        return f"nothing was said yet (times of {zone.key})\n"
    return "".join(_lines(each, zone, titles) for each in entries)


def _lines(entry: Contact, zone: ZoneInfo, titles: Titles) -> str:
    how = f" by {entry.channel}" if entry.channel else ""
    where = f"{entry.subject}, {titles.flow(entry.flow)}" if entry.flow else entry.subject
    state = f", {entry.state}" if entry.state else ""
    whom = f" to {entry.to}" if entry.to else ""
    head = f"{time_in_words(entry.time, zone)}  {entry.author}{whom}{how} ({where}{state})"
    said = [line for line in entry.said.splitlines() if line.strip()] or ["(no text)"]
    return plain(head) + "\n" + "".join(f"    {plain(line)}\n" for line in said)
