"""``carepolicy outbox``: what was asked for, and is to be carried out."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
import orjson

from carepolicy.cli.outbox.servers import (
    AUTHORIZATION,
    PASSWORD,
    SECRET,
    HookOptions,
    MailOptions,
    comes_next,
    me,
)
from carepolicy.cli.sets import Command, format_option, policies_option
from carepolicy.cli.status import INTERRUPTED, NO, UNREACHABLE, CommandError
from carepolicy.cli.stores import limit_option, open_or_exit, operation_or_exit, reader_of, reveal_options, store_option
from carepolicy.cli.terminal import table
from carepolicy.cli.times import lateness_of, now_of, now_option
from carepolicy.cli.watcher import Watcher, begin_watch, watch_option, watcher_options
from carepolicy.engine.cards import mask_cards
from carepolicy.engine.history.words import time_in_words
from carepolicy.store.outbox.queue import KINDS, STATES, Claim, NoRequest, Outbox, Selection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.machine.program import Bundle
    from carepolicy.store.outbox.queue import Request

HEAD = ("id", "what", "for", "asked for", "state")


def attempts_option(wanted: Command) -> Command:
    """``--attempts N``, as the parameter ``attempts``."""
    return click.option(
        "--attempts", type=click.IntRange(1), default=8, show_default=True, help="Park what has failed so often."
    )(wanted)


def ids_argument(wanted: Command) -> Command:
    """One id or more, as the parameter ``ids``."""
    return click.argument("ids", metavar="ID...", nargs=-1, required=True)(wanted)


def lease_option(wanted: Command) -> Command:
    """``--lease N``, as the parameter ``leases``."""
    return click.option(
        "--lease", "leases", type=click.IntRange(1), multiple=True, metavar="N",
        help="The lease by which you have it, as `take` gave it; once for each ID, in their order.",
    )(wanted)  # fmt: skip


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
@limit_option()
@reveal_options
@format_option("text", "json", "jsonl")
@store_option
@policies_option
def list_(
    state: str, kind: str | None, limit: int | None, reveal: bool, role: str | None, form: str, store: str,
    policies: str,
) -> None:  # fmt: skip
    """List what waits, is being carried out, or is parked."""
    states = {"open": ("waiting", "leased", "parked"), "all": STATES}.get(state, (state,))
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies, reads=True)
        found = Outbox(opened, operation.sealer).listed(states, kind, limit, reader_of(bundle, reveal, role))
        if form == "jsonl":  # each as it comes, so that there may be as many as there are
            for each in found:
                _print([each], form, bundle)
        else:
            _print(list(found), form, bundle)


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

    Each is yours until the lease ends; say `outbox done ID --lease N` or `outbox fail ID --lease N` before, with the
    number of the lease, which is heard only as long as nobody else has it. Exit status 1 means that there is nothing to
    take.
    """
    length = lateness_of(lease)
    if length <= 0:
        raise CommandError("a lease of no time is none")
    with _opened(store, policies) as (outbox, bundle):
        selection = Selection((kind,) if kind else ("message",) if channels else KINDS, channels or None)
        found = outbox.take(now_of(now, bundle), length, limit, who or me(), selection, attempts)
    _print(found, form, bundle)
    if not found:
        raise SystemExit(NO)


@command.command(
    epilog="\b\nExamples:\n  carepolicy outbox done email_inquiry/mail-1/5\n"
    "  carepolicy outbox done email_inquiry/mail-1/5 --lease 1\n"
)
@ids_argument
@lease_option
@store_option
@policies_option
def done(ids: tuple[str, ...], leases: tuple[int, ...], store: str, policies: str) -> None:
    """Say that requests were carried out.

    Without --lease it is refused where a lease of the request has ended unheard, since another may have it now.
    """
    said = _claims(ids, leases)
    with _opened(store, policies) as (outbox, _):
        outbox.done(said)


@command.command(
    epilog="\b\nExamples:\n  carepolicy outbox fail email_inquiry/mail-1/5 --reason 'mailbox full'\n"
    "  carepolicy outbox fail email_inquiry/mail-1/5 --park\n"
)
@ids_argument
@lease_option
@click.option("--reason", default="it failed", metavar="TEXT", help="Why; leave out what is private.")
@click.option("--park", is_flag=True, help="Do not try again until it is replayed.")
@attempts_option
@now_option
@store_option
@policies_option
def fail(
    ids: tuple[str, ...], leases: tuple[int, ...], reason: str, park: bool, attempts: int, now: str | None, store: str,
    policies: str,
) -> None:  # fmt: skip
    """Say that requests could not be carried out: each waits, twice as long every time, and is then tried again."""
    said = _claims(ids, leases)
    with _opened(store, policies) as (outbox, bundle):
        for each in outbox.fail(said, now_of(now, bundle), mask_cards(reason), park, attempts):
            click.echo(f"{each.id} {comes_next(each, bundle)}", err=True)


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
    with _opened(store, policies) as (outbox, _):
        click.echo(f"{outbox.replay(ids):,} wait again", err=True)


@command.command(
    epilog="\b\nExamples:\n  carepolicy outbox send --smtp localhost:25\n"
    "  carepolicy outbox send --smtp mail.example.org:587 --starttls --user care --watch\n"
    f"  {SECRET}=whsec_… carepolicy outbox send --webhook https://example.org/care\n"
    "  carepolicy outbox send --webhook https://example.org/care --header @/etc/care/headers\n"
)
@click.option("--smtp", metavar="HOST:PORT", help="Send messages by e-mail through this mail server.")
@click.option("--starttls", is_flag=True, help="Encrypt the connection to the mail server.")
@click.option("--user", metavar="NAME", help=f"Log in to the mail server; the password is in {PASSWORD}.")
@click.option("--webhook", metavar="URL", help=f"Post all else to this address, signed with {SECRET}.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME: VALUE|@FILE",
    help=f"A header for the webhook, or a file of them; may be repeated. {AUTHORIZATION} is one too.",
)
@click.option(
    "--allow-unencrypted",
    "unencrypted",
    is_flag=True,
    help="Send private facts to other machines so that all on the way can read them.",
)
@kind_option
@limit_option()
@click.option("--at-once", is_flag=True, help="Try a server that failed before its time has come.")
@watch_option
@watcher_options
@attempts_option
@now_option
@store_option
@policies_option
def send(
    smtp: str | None, starttls: bool, user: str | None, webhook: str | None, headers: tuple[str, ...],
    unencrypted: bool, kind: str | None, limit: int | None, at_once: bool, watch: bool, metrics: str | None, log: str,
    attempts: int, now: str | None, store: str, policies: str,
) -> None:  # fmt: skip
    """Send what is ready: messages of e-mail channels by SMTP, all else (or all there is) to a webhook.

    What fails by its own fault is tried again later, or parked where it was refused for good. A server that fails costs
    no request anything: it is left alone for a while, longer each time. Exit status 1 means that something failed, 3
    that a server could not be worked with; with --watch that is told, and tried again.
    """
    from carepolicy.cli.outbox.send import Sender, summed  # clients of mail and the web are large

    if smtp is None and webhook is None:
        raise click.UsageError("say how: --smtp HOST:PORT, --webhook URL, or both", click.get_current_context())
    if watch and (now is not None or limit is not None or at_once):
        raise click.UsageError("--watch goes on: leave --now, --limit and --at-once out", click.get_current_context())
    mail = MailOptions(smtp, starttls, user, os.environ.get(PASSWORD), unencrypted) if smtp is not None else None
    hook = None
    if webhook is not None:
        hook = HookOptions(webhook, os.environ.get(SECRET), headers, os.environ.get(AUTHORIZATION), unencrypted)
    figures = begin_watch(metrics, log, watch, store)
    with Watcher() as watcher, closing(figures) if figures is not None else nullcontext():
        sender = Sender(mail, hook, kind, attempts, watcher, figures)
        if watch:
            sender.watch(store, policies)
            raise SystemExit(watcher.status)
        with open_or_exit(store, create=False) as opened:
            results = sender.once(opened, policies, now, limit, at_once)
    click.echo(summed(results))
    if not watcher.goes_on:
        raise SystemExit(INTERRUPTED)
    if any(each.fault is not None for each in results):
        raise SystemExit(UNREACHABLE)
    if any(each.failed or each.parked for each in results):
        raise SystemExit(NO)


def _claims(ids: tuple[str, ...], leases: tuple[int, ...]) -> list[Claim]:
    if leases and len(leases) != len(ids):
        raise click.UsageError("say --lease once for each ID, in their order", click.get_current_context())
    return [Claim(*each) for each in zip(ids, leases, strict=True)] if leases else [Claim(each) for each in ids]


@contextmanager
def _opened(store: str, policies: str) -> Iterator[tuple[Outbox, Bundle]]:
    """The outbox of a store and the set that is installed there. A request that is not there, or is another's, is
    refused."""
    with open_or_exit(store, create=False) as opened:
        operation, bundle = operation_or_exit(opened, policies)
        try:
            yield Outbox(opened, operation.sealer), bundle
        except NoRequest as fault:
            raise CommandError(str(fault)) from None


def _print(found: Sequence[Request], form: str, bundle: Bundle) -> None:
    """Print requests as text, as one object of JSON, or as an object a line."""
    if form == "json":
        click.echo(orjson.dumps({"requests": [each.as_dict() for each in found]}, option=orjson.OPT_INDENT_2))
    elif form == "jsonl":
        for each in found:
            click.echo(orjson.dumps(each.as_dict()))
    else:
        rows = [_row(each, ZoneInfo(bundle.timezone)) for each in found]
        click.echo(table([HEAD, *rows]) if rows else "nothing\n", nl=False)


def _row(request: Request, zone: ZoneInfo) -> tuple[str, ...]:
    data = request.data
    if request.kind == "message":
        what, whom = f"{data['template']} by {data['channel'] or 'no channel'}", data["to"] or "nobody"
    elif request.kind == "notice":
        what, whom = "notice", data["role"]
    else:
        what, whom = data["action"], "a service"
    return request.id, what, whom, time_in_words(request.time, zone), _state(request, zone)


def _state(request: Request, zone: ZoneInfo) -> str:
    said = request.state
    if request.state == "leased":
        said += f" by {request.leased_by} (lease {request.lease}) until {time_in_words(request.ready, zone)}"
    elif request.state == "waiting" and request.ready:
        said += f" until {time_in_words(request.ready, zone)}"
    if request.state != "done" and request.attempts:
        said += f", {request.attempts} attempt{'' if request.attempts == 1 else 's'}"
    return said + (f": {request.fault}" if request.fault else "")
