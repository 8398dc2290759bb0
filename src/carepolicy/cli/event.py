"""``carepolicy event``: one event, durably."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from carepolicy.cli.sets import policies_option
from carepolicy.cli.status import NO, Refused
from carepolicy.cli.stores import open_or_exit, store_option

if TYPE_CHECKING:
    from carepolicy.store.operating import Done

HARMLESS = frozenset(("CP910", "CP911"))


@click.command(
    epilog="\b\nExamples:\n  carepolicy event email_received order-1001 customer.email=x@example.org\n"
    '  carepolicy event reply_sent order-1001 --at "2026-03-02 10:15" --id reply-77\n'
)
@click.argument("type_", metavar="TYPE")
@click.argument("subject")
@click.argument("data", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--at", metavar="TIME", help="When it happened; default: now.")
@click.option("--id", "identity", metavar="ID", help="The event's id; a second one of this id has no effect.")
@click.option("--source", default="/carepolicy/cli", show_default=True, help="Where the event comes from.")
@store_option
@policies_option
@click.option("--quiet", "-q", is_flag=True, help="Do not print the records.")
def command(
    type_: str, subject: str, data: tuple[str, ...], at: str | None, identity: str | None, source: str, store: str,
    policies: str, quiet: bool,
) -> None:  # fmt: skip
    """Let an event happen to SUBJECT, and print the records of what follows from it.

    It is kept in the store before the records are printed. KEY=VALUE is a fact that the event brings,
    typed as organisation.yaml says; KEY= takes its value away. Exit status 1 means that it was
    rejected, came before, or that a card number in it was masked.
    """
    from carepolicy.cli.living import operation_or_exit, tell_letters, wall_clock
    from carepolicy.cli.times import until_of
    from carepolicy.engine.instants import text_of
    from carepolicy.store.typing_in import NotTyped, event_line

    with open_or_exit(store, policies=policies) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        when = until_of(at, bundle)
        try:
            line = event_line(
                bundle, type_, subject, data, text_of(wall_clock() if when is None else when), identity, source
            )
        except NotTyped as fault:
            raise Refused(str(fault)) from None
        done: Done = operation.take([(1, line)])
    if not quiet:
        sys.stdout.write(done.records)
    tell_letters(done.letters)
    if set(done.tally) - HARMLESS:
        raise SystemExit(NO)
