"""``carepolicy outbox``: what was asked for, and is to be carried out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from carepolicy.cli.revealing import reader_of, reveal_options
from carepolicy.cli.sets import Command, format_option, policies_option
from carepolicy.cli.status import NO, UNREACHABLE, Refused
from carepolicy.cli.stores import open_or_exit, store_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from carepolicy.cli.outboxwork import Work
    from carepolicy.store.outbox import Request

SECRET = "CAREPOLICY_WEBHOOK_SECRET"
PASSWORD = "CAREPOLICY_SMTP_PASSWORD"


def now_option(wanted: Command) -> Command:
    """``--now TIME``, as the parameter ``now``."""
    return click.option("--now", metavar="TIME", help="As if it were TIME; default: now.")(wanted)


def attempts_option(wanted: Command) -> Command:
    """``--attempts N``, as the parameter ``attempts``."""
    return click.option(
        "--attempts", type=click.IntRange(1), default=8, show_default=True, help="Park what has failed so often."
    )(wanted)


def ids_argument(wanted: Command) -> Command:
    """One id or more, as the parameter ``ids``."""
    return click.argument("ids", metavar="ID...", nargs=-1, required=True)(wanted)


def kind_option(wanted: Command) -> Command:
    """``--kind``, as the parameter ``kind``."""
    return click.option("--kind", type=click.Choice(("message", "notice", "action")), help="Only these.")(wanted)


@click.group(
    epilog="\b\nExamples:\n  carepolicy outbox list\n  carepolicy outbox send --smtp localhost:25\n"
    "  carepolicy outbox take --limit 10 --format jsonl\n"
)
def command() -> None:
    """Carry out what cases ask for: messages to customers, notices to colleagues, actions of services.

    Each is carried out at least once, under an id that stays the same. Take some, carry them out, and say that
    they are done or have failed; or let `outbox send` do it.
    """


@command.command(
    name="list",
    epilog="\b\nExamples:\n  carepolicy outbox list\n  carepolicy outbox list --state parked --format json\n"
    "  carepolicy outbox list --reveal --as care_lead\n",
)
@click.option(
    "--state", type=click.Choice(("waiting", "leased", "done", "parked", "open", "all")), default="open",
    show_default=True, help="Only those in this state; open: all that are not done.",
)  # fmt: skip
@kind_option
@click.option("--limit", type=click.IntRange(1), help="No more than these.")
@reveal_options
@format_option("text", "json", "jsonl")
@store_option
@policies_option
def list_(
    state: str, kind: str | None, limit: int | None, reveal: bool, role: str | None, form: str, store: str,
    policies: str,
) -> None:  # fmt: skip
    """List what waits, is being carried out, or is parked."""
    from carepolicy.cli.outboxwork import opened_outbox
    from carepolicy.store.outbox import STATES

    states = {"open": ("waiting", "leased", "parked"), "all": STATES}.get(state, (state,))
    with open_or_exit(store, create=False) as opened:
        work = opened_outbox(opened, policies)
        found = work.outbox.listed(states, kind, limit, reader_of(work.bundle, reveal, role))
    _print(found, form, work)


@command.command(
    epilog="\b\nExamples:\n  carepolicy outbox take --limit 10 --lease 5m --format jsonl\n"
    "  carepolicy outbox take --kind action --by refund-service\n"
)
@click.option("--limit", type=click.IntRange(1, 1_000), default=1, show_default=True, help="No more than these.")
@click.option("--lease", default="5m", show_default=True, metavar="TIME", help="For how long; then others may.")
@click.option("--by", "who", metavar="NAME", help="Who takes them; default: this machine and process.")
@kind_option
@click.option("--channel", "channels", multiple=True, metavar="CHANNEL", help="Only messages on it; may be repeated.")
@attempts_option
@now_option
@format_option("jsonl", "json", "text")
@store_option
@policies_option
def take(
    limit: int, lease: str, who: str | None, kind: str | None, channels: tuple[str, ...], attempts: int,
    now: str | None, form: str, store: str, policies: str,
) -> None:  # fmt: skip
    """Take requests to carry them out, with nothing masked in them.

    Each is yours until the lease ends; say `outbox done ID` or `outbox fail ID` before. Exit status 1 means
    that there is nothing to take.
    """
    from carepolicy.cli.outboxsending import me
    from carepolicy.cli.outboxwork import opened_outbox
    from carepolicy.cli.times import lateness_of
    from carepolicy.store.outbox import KINDS

    length = lateness_of(lease)
    if length <= 0:
        raise Refused("a lease of no time is none")
    with open_or_exit(store, create=False) as opened:
        work = opened_outbox(opened, policies)
        kinds = (kind,) if kind else ("message",) if channels else KINDS
        found = work.outbox.take(work.moment(now), length, limit, who or me(), kinds, channels or None, attempts)
    _print(found, form, work)
    if not found:
        raise SystemExit(NO)


@command.command(epilog="\b\nExample:\n  carepolicy outbox done email_inquiry/mail-1/5\n")
@ids_argument
@store_option
@policies_option
def done(ids: tuple[str, ...], store: str, policies: str) -> None:
    """Say that requests were carried out."""
    _say(store, policies, lambda work: work.outbox.done(ids))


@command.command(
    epilog="\b\nExamples:\n  carepolicy outbox fail email_inquiry/mail-1/5 --reason 'mailbox full'\n"
    "  carepolicy outbox fail email_inquiry/mail-1/5 --park\n"
)
@ids_argument
@click.option("--reason", default="it failed", metavar="TEXT", help="Why; leave out what is private.")
@click.option("--park", is_flag=True, help="Do not try again until it is replayed.")
@attempts_option
@now_option
@store_option
@policies_option
def fail(
    ids: tuple[str, ...], reason: str, park: bool, attempts: int, now: str | None, store: str, policies: str
) -> None:
    """Say that requests could not be carried out: each waits, twice as long every time, and is then tried again."""
    from carepolicy.engine.masking import mask_cards

    def work_on(work: Work) -> None:
        for each in work.outbox.fail(ids, work.moment(now), mask_cards(reason), park, attempts):
            click.echo(f"{each.id} {work.state(each)}", err=True)

    _say(store, policies, work_on)


@command.command(
    epilog="\b\nExamples:\n  carepolicy outbox replay email_inquiry/mail-1/5\n  carepolicy outbox replay --all\n"
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that are parked.")
@store_option
@policies_option
def replay(ids: tuple[str, ...], every: bool, store: str, policies: str) -> None:
    """Let parked requests wait again, as if for the first time."""
    if every == bool(ids):
        raise click.UsageError("name some ids, or --all", click.get_current_context())
    _say(store, policies, lambda work: click.echo(f"{work.outbox.replay(ids):,} wait again", err=True))


@command.command(
    epilog="\b\nExamples:\n  carepolicy outbox send --smtp localhost:25\n"
    f"  {SECRET}=… carepolicy outbox send --webhook https://example.org/care\n"
    "  carepolicy outbox send --smtp localhost:25 --watch\n"
)
@click.option("--smtp", metavar="HOST:PORT", help="Send messages by e-mail through this mail server.")
@click.option("--starttls", is_flag=True, help="Encrypt the connection to the mail server.")
@click.option("--user", metavar="NAME", help=f"Log in to the mail server; the password is in {PASSWORD}.")
@click.option("--webhook", metavar="URL", help=f"Post all else to this address, signed with {SECRET}.")
@kind_option
@click.option("--limit", type=click.IntRange(1), help="No more than these.")
@click.option("--watch", is_flag=True, help="Keep doing it, until it is interrupted.")
@attempts_option
@now_option
@store_option
@policies_option
def send(
    smtp: str | None, starttls: bool, user: str | None, webhook: str | None, kind: str | None, limit: int | None,
    watch: bool, attempts: int, now: str | None, store: str, policies: str,
) -> None:  # fmt: skip
    """Send what is ready: messages of e-mail channels by SMTP, all else (or all there is) to a webhook.

    What fails is tried again later; what was refused for good is parked. Exit status 1 means that something
    failed, 3 that the server could not be reached; with --watch that is told, and tried again.
    """
    from carepolicy.cli.outboxsending import MailServer, Sending, summed
    from carepolicy.cli.outboxwork import opened_outbox, webhook_of

    if smtp is None and webhook is None:
        raise click.UsageError("say how: --smtp HOST:PORT, --webhook URL, or both", click.get_current_context())
    if watch and (now is not None or limit is not None):
        raise click.UsageError("--watch goes on: leave --now and --limit out", click.get_current_context())
    with open_or_exit(store, create=False) as opened:
        work = opened_outbox(opened, policies)
        hook = webhook_of(webhook, os.environ.get(SECRET), kind) if webhook is not None else None
        server = None
        if smtp is not None and kind in (None, "message"):
            server = MailServer(smtp, starttls, user, os.environ.get(PASSWORD))
        sending = Sending(work, server, hook, attempts)
        if watch:
            sending.watch(opened)
        results = sending.once(now, limit)
    click.echo(summed(results))
    for each in results:
        if each.unreachable is not None:
            raise Refused(each.unreachable, UNREACHABLE)
    if any(each.failed or each.parked for each in results):
        raise SystemExit(NO)


def _say(store: str, policies: str, work_on: Callable[[Work], None]) -> None:
    from carepolicy.cli.outboxwork import opened_outbox
    from carepolicy.store.outbox import NoRequest

    with open_or_exit(store, create=False) as opened:
        try:
            work_on(opened_outbox(opened, policies))
        except NoRequest as fault:
            raise Refused(str(fault)) from None


def _print(found: list[Request], form: str, work: Work) -> None:
    from carepolicy.cli.outboxtext import printed

    click.echo(printed(found, form, ZoneInfo(work.bundle.timezone)), nl=False)
