"""``carepolicy event``: one event, durably."""

from __future__ import annotations

import click

from carepolicy.cli.plainly import SOURCE, Asked
from carepolicy.cli.sets import policies_option
from carepolicy.cli.stores import store_option


@click.command(
    epilog="\b\nExamples:\n  carepolicy event email_received order-1001 customer.email=x@example.org\n"
    '  carepolicy event reply_sent order-1001 --at "2026-03-02 10:15" --id reply-77\n'
)
@click.argument("type_", metavar="TYPE")
@click.argument("subject")
@click.argument("data", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--at", metavar="TIME", help="When it happened; default: now.")
@click.option("--id", "identity", metavar="ID", help="The event's id; a second one of this id has no effect.")
@click.option("--source", default=SOURCE, show_default=True, help="Where the event comes from.")
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
    from carepolicy.cli.eventwork import happen

    status = happen(Asked(type_, subject, data, at, identity, source, store, policies, quiet))
    if status:
        raise SystemExit(status)
