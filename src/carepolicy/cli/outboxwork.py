"""What the commands of ``carepolicy outbox`` work with: the outbox, the installed set, and the carriers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from carepolicy.cli.living import operation_or_exit, wall_clock
from carepolicy.cli.status import UNREACHABLE, Refused
from carepolicy.cli.times import until_of
from carepolicy.engine.recordwords import time_in_words
from carepolicy.store.outbox import KINDS, Outbox

if TYPE_CHECKING:
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store
    from carepolicy.store.mailing import Mailer
    from carepolicy.store.operating import Operation
    from carepolicy.store.outbox import Request
    from carepolicy.store.posting import Webhook


LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
"""Hosts to which no network leads."""


@dataclass(frozen=True, slots=True)
class Work:
    """The outbox of a store, and the set that is installed there."""

    outbox: Outbox
    bundle: Bundle
    operation: Operation

    def moment(self, now: str | None) -> int:
        """The instant of ``--now``, or of the clock on the wall, in microseconds since 1970."""
        given = until_of(now, self.bundle)
        return wall_clock() if given is None else given

    def clock(self, now: str | None) -> Callable[[], int]:
        """A clock that stands still at ``--now``, or the one on the wall."""
        if now is None:
            return wall_clock
        fixed = self.moment(now)
        return lambda: fixed

    def state(self, request: Request) -> str:
        """What comes next for a request that failed."""
        if request.state == "parked":
            return "is parked"
        return f"waits until {time_in_words(request.ready, ZoneInfo(self.bundle.timezone))}"


def opened_outbox(store: Store, policies: str) -> Work:
    """The outbox of a store."""
    operation, bundle = operation_or_exit(store, policies)
    return Work(Outbox(store, operation.sealer), bundle, operation)


def mailer_of(bundle: Bundle, server: str, starttls: bool, user: str | None, password: str | None) -> Mailer:
    """Who sends by a mail server, connected. Refuses what names none, with 3 where it cannot be reached."""
    from carepolicy.store.delivering import Undelivered
    from carepolicy.store.mailing import Mailer, mail_channels

    host, _, port = server.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise Refused(f'"{server}" names no mail server; write it as localhost:25')
    if user is not None and not password:
        raise Refused("--user needs a password in CAREPOLICY_SMTP_PASSWORD")
    if user is not None and not starttls and host not in LOCAL:
        raise Refused(f"the password of {user} would go to {host} for all to read: add --starttls")
    if not mail_channels(bundle.channels):
        raise Refused(
            "no channel of the set has an e-mail address of ours to send from (channels: in organisation.yaml)"
        )
    login = (user, password) if user is not None and password else None
    try:
        return Mailer(host, int(port), bundle.organisation, bundle.channels, starttls, login)
    except Undelivered as fault:
        raise Refused(str(fault), UNREACHABLE) from None


def webhook_of(url: str, secret: str | None, kind: str | None) -> Webhook:
    """Who posts to a web address. Refuses an address that is none, and a secret that is missing."""
    from carepolicy.store.posting import NoWebAddress, Webhook

    if not secret:
        raise Refused("--webhook signs what it posts: set CAREPOLICY_WEBHOOK_SECRET")
    try:
        return Webhook(url, secret.encode(), (kind,) if kind else KINDS)
    except NoWebAddress as fault:
        raise Refused(str(fault)) from None
