"""``carepolicy outbox send``: what is ready is handed to a mail server and a webhook, once or again and again."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from carepolicy.cli.living import wall_clock
from carepolicy.cli.outboxwork import Work, mailer_of
from carepolicy.cli.status import UNREACHABLE, Refused
from carepolicy.store.delivering import Delivered, deliver_all
from carepolicy.store.mailing import mail_channels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from carepolicy.store.contract import Store
    from carepolicy.store.outbox import Request
    from carepolicy.store.posting import Webhook

GLANCE = 2.0
"""Seconds between two looks into the outbox, unless the store wakes a watcher earlier."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a server that could not be reached is tried again: twice as long each time."""


def me() -> str:
    """This process, as the holder of a lease."""
    return f"{socket.gethostname()}/{os.getpid()}"


@dataclass(frozen=True, slots=True)
class MailServer:
    """What was said of a mail server on the command line."""

    address: str
    starttls: bool
    user: str | None
    password: str | None


class Sending:
    """Sends what is ready: messages by ``server``, all else, or all of ``kinds``, to ``hook``."""

    def __init__(self, work: Work, server: MailServer | None, hook: Webhook | None, attempts: int) -> None:
        self._work = work
        self._server = server
        self._hook = hook
        self._attempts = attempts

    def once(self, now: str | None, limit: int | None) -> list[Delivered]:
        """Send what is ready. Refuses a mail server that cannot be reached."""
        work, server, results = self._work, self._server, []
        if server is not None:
            bundle = work.operation.bundle()  # the installed set may have changed
            mailer = mailer_of(bundle, server.address, server.starttls, server.user, server.password)
            try:
                found = deliver_all(work.outbox, mailer, work.clock(now), me(), limit, self._attempts, self._told)
            finally:
                mailer.close()
            results.append(found)
        if self._hook is not None:
            clock = work.clock(now)
            results.append(deliver_all(work.outbox, self._hook, clock, me(), limit, self._attempts, self._told))
        return results

    def watch(self, store: Store) -> None:
        """Send what is ready and what comes to be, until it is interrupted. Servers that cannot be reached are tried
        again."""
        pause = FIRST_PAUSE
        while True:
            ready = self._next_ready()
            if ready is None or ready > wall_clock():
                store.wait(GLANCE if ready is None else min(GLANCE, max(0.0, (ready - wall_clock()) / 1_000_000)))
                continue
            results, fault = self._tried()
            if any(each.done or each.failed or each.parked for each in results):
                click.echo(summed(results))
            elif fault is None:  # others are at it
                store.wait(GLANCE)
            if fault is None:
                pause = FIRST_PAUSE
                continue
            click.echo(f"{fault}; trying again in {pause:.0f} s", err=True)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _tried(self) -> tuple[list[Delivered], str | None]:
        """What was sent, and which server could not be reached."""
        try:
            results = self.once(None, None)
        except Refused as fault:
            if fault.status != UNREACHABLE:
                raise
            return [], str(fault)
        return results, next((each.unreachable for each in results if each.unreachable is not None), None)

    def _next_ready(self) -> int | None:
        kinds: Sequence[str] = ("message",)
        channels: Sequence[str] | None = sorted(mail_channels(self._work.bundle.channels))
        if self._hook is not None:
            kinds, channels = self._hook.kinds, None
        return self._work.outbox.next_ready(kinds, channels)

    def _told(self, request: Request, why: str) -> None:
        click.echo(f"{request.id}: {why}; it {self._work.state(request)}", err=True)


def summed(results: list[Delivered]) -> str:
    """What came of it, in a line."""
    done = sum(each.done for each in results)
    failed, parked = sum(each.failed for each in results), sum(each.parked for each in results)
    return f"{done:,} sent, {failed:,} failed, {parked:,} parked"
