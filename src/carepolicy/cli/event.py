"""``carepolicy event``: one event, durably, or one after the other from standard input."""

from __future__ import annotations

import click

from carepolicy.cli import completing
from carepolicy.cli.plainly import SOURCE, Asked
from carepolicy.cli.sets import policies_option
from carepolicy.cli.stores import lateness_option, store_option, yes_option


@click.command(
    epilog="\b\nExamples:\n  carepolicy event email_received order-1001 customer.email=x@example.org\n"
    '  carepolicy event reply_sent order-1001 --at "2026-03-02 10:15" --id reply-77\n'
    "  carepolicy event email_received order-1001 - < facts.json\n"
    "  tail -f events.jsonl | carepolicy event -\n"
)
@click.argument("type_", metavar="TYPE", shell_complete=completing.events)
@click.argument("subject", required=False, shell_complete=completing.subjects)
@click.argument("data", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=completing.facts)
@click.option("--at", metavar="TIME", help="When it happened; default: now.")
@click.option("--id", "identity", metavar="ID", help="The event's id; once it was taken, a second one has no effect.")
@click.option("--source", default=SOURCE, show_default=True, help="Where the event comes from.")
@lateness_option
@yes_option
@store_option
@policies_option
@click.option("--quiet", "-q", is_flag=True, help="Do not print the records.")
def command(
    type_: str, subject: str | None, data: tuple[str, ...], at: str | None, identity: str | None, source: str,
    lateness: str | None, yes: bool, store: str, policies: str, quiet: bool,
) -> None:  # fmt: skip
    """Let an event happen to SUBJECT, and print the records of what follows from it.

    It is kept in the store before the records are printed. KEY=VALUE is a fact that the event brings,
    typed as organisation.yaml says; KEY= takes its value away. What other users of the machine must not see in the
    list of processes comes on standard input: - in place of KEY=VALUE reads the facts as one JSON object. Exit
    status 1 means that it was rejected, came before, or that a card number in it was masked.

    `carepolicy event -` reads events from standard input (CloudEvents 1.0, one JSON object a line; without a time it
    happens now, without an id it gets one). Each is on the disk before its records are printed, and behind them a line
    that says what became of it: {"line":1,"source":"/shop","id":"m-1","is":"taken"}, or "held", "duplicate" or
    "refused", with the codes of what was wrong.
    """
    from carepolicy.cli.eventwork import happen

    status = happen(Asked(type_, subject, data, at, identity, source, lateness, yes, store, policies, quiet))
    if status:
        raise SystemExit(status)
