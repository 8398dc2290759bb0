"""What ``carepolicy outbox`` is told of the mail server and the webhook that it sends to.

Clients of mail and the web are large, so that what sends is imported by who does so."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.cli.status import CommandError
from carepolicy.engine.history.words import time_in_words
from carepolicy.store.outbox.queue import KINDS, Selection
from carepolicy.store.url import shown

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.outbox.mail import MailServer
    from carepolicy.store.outbox.queue import Request
    from carepolicy.store.outbox.webhook import Webhook

SECRET = "CAREPOLICY_WEBHOOK_SECRET"
PASSWORD = "CAREPOLICY_SMTP_PASSWORD"
AUTHORIZATION = "CAREPOLICY_WEBHOOK_AUTHORIZATION"

OPTION = "what --header says"
"""Where a header stands that is on the command line."""

HEADER, VALUE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"), re.compile(r"[\t\x20-\x7e]*")
SECRET_HEADERS = frozenset(("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"))
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SURROUNDINGS = (*PROXIES, *map(str.upper, PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class MailOptions:
    """What was said of a mail server on the command line."""

    address: str
    starttls: bool
    user: str | None
    password: str | None
    unencrypted: bool


@dataclass(frozen=True, slots=True)
class HookOptions:
    """What was said of a webhook on the command line and in the environment."""

    url: str
    secret: str | None
    headers: tuple[str, ...]
    authorization: str | None
    unencrypted: bool


def demand_private(host: str, unencrypted: bool, how: str) -> None:
    """Refuse to send to another machine what everybody on the way can read, unless that was asked for by name."""
    if not unencrypted and not is_local(host):
        raise CommandError(
            f"what is sent to {host} holds private facts, and all could read it on its way: {how}, or say "
            "--allow-unencrypted"
        )


def is_local(host: str) -> bool:
    """Whether no network leads to a host: it is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def mail_server_of(bundle: Bundle, said: MailOptions) -> MailServer:
    """The mail server that was named. Refuses what names none."""
    from carepolicy.store.outbox.mail import MailServer, mail_channels

    host, _, port = said.address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if "@" in said.address:
        raise CommandError(f"leave the user and the password out of --smtp: --user NAME, and {PASSWORD}")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise CommandError(f"{shown(said.address)} names no mail server; write it as localhost:25")
    if said.user is not None and not said.password:
        raise CommandError(f"--user needs a password in {PASSWORD}")
    if said.user is not None and not said.starttls and not is_local(host):
        raise CommandError(f"the password of {said.user} would go to {host} for all to read: add --starttls")
    if not said.starttls:
        demand_private(host, said.unencrypted, "add --starttls")
    if not mail_channels(bundle.channels):
        raise CommandError(
            "no channel of the set has an e-mail address of ours to send from (channels: in organisation.yaml)"
        )
    login = (said.user, said.password) if said.user is not None and said.password else None
    return MailServer(host, int(port), bundle.organisation, bundle.channels, said.starttls, login, surroundings())


def webhook_of(said: HookOptions, kind: str | None, without: Sequence[str]) -> Webhook:
    """Who posts to a web address, but for messages on the channels ``without``. Refuses an address that is none, and
    a secret that is missing."""
    from carepolicy.store.outbox.webhook import NoSecret, NoWebAddress, Webhook, address_of

    if not said.secret:
        raise CommandError(f"--webhook signs what it posts: set {SECRET}")
    selection = Selection((kind,) if kind else KINDS, None, without)
    try:
        url = address_of(said.url)
        if url.scheme == "http":
            demand_private(url.host, said.unencrypted, "use https://")
        return Webhook(said.url, said.secret, selection, headers_of(said), surroundings())
    except (NoWebAddress, NoSecret) as fault:
        raise CommandError(str(fault)) from None


def headers_of(said: HookOptions) -> dict[str, str]:
    """The headers that the user adds: of options, of files that those name (``@FILE``), and of the variable. Refuses
    one that is none, that is ours to set, or that would show a password to all who look at the list of processes."""
    from carepolicy.store.outbox.webhook import RESERVED

    found: dict[str, tuple[str, str]] = {}
    for place, line in _header_lines(said):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not HEADER.fullmatch(name) or not VALUE.fullmatch(value):
            raise CommandError(f'{place} is no header; write it as "Name: value"')
        low = name.lower()
        if low in RESERVED or low.startswith("webhook-"):
            raise CommandError(f"the header {name} is not yours to set")
        if low in SECRET_HEADERS and place == OPTION:
            raise CommandError(
                f"{name} on the command line can be read in the list of processes: write it into a file of yours "
                f"and say --header @FILE, or set {AUTHORIZATION}"
            )
        found[low] = name, value
    return dict(found.values())


def _header_lines(said: HookOptions) -> Iterator[tuple[str, str]]:
    """The headers that the user adds, each with where it stands, since its text may be a password."""
    if said.authorization:
        yield AUTHORIZATION, f"Authorization: {said.authorization}"
    for given in said.headers:
        if not given.startswith("@"):
            yield OPTION, given
            continue
        path = given[1:]
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except UnicodeDecodeError:
            raise CommandError(f"{path}: it is no text") from None
        yield from ((f"{path}: line {number}", line) for number, line in enumerate(lines, 1) if line.strip())


def surroundings() -> str:
    """What the environment says of proxies and trusted certificates: a server that failed is tried anew with others."""
    return "\0".join(f"{name}={os.environ.get(name, '')}" for name in SURROUNDINGS)


def comes_next(request: Request, bundle: Bundle) -> str:
    """What comes next for a request that failed."""
    if request.state == "parked":
        return "is parked"
    return f"waits until {time_in_words(request.ready, ZoneInfo(bundle.timezone))}"


def me() -> str:
    """This process, as the holder of a lease."""
    return f"{socket.gethostname()}/{os.getpid()}"
