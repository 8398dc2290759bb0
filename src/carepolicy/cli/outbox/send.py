"""``carepolicy outbox send``: what is ready is handed to a mail server and a webhook, once or again and again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from carepolicy.cli.outbox.servers import HookOptions, MailOptions, comes_next, mail_server_of, me, webhook_of
from carepolicy.cli.status import say
from carepolicy.cli.stores import open_or_exit, operation_or_exit
from carepolicy.cli.times import now_of, wall_clock
from carepolicy.engine.history.words import time_in_words
from carepolicy.store.outbox.delivery import Delivered, Delivery, Servers, say_done
from carepolicy.store.outbox.mail import mail_channels
from carepolicy.store.outbox.queue import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from carepolicy.cli.metrics import Metrics
    from carepolicy.cli.watcher import Watcher
    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store
    from carepolicy.store.live.operation import Operation
    from carepolicy.store.outbox.delivery import Carrier, Outcome
    from carepolicy.store.outbox.queue import Request

GLANCE = 2.0
"""Seconds between two looks into the outbox, unless the store wakes a watcher earlier."""


@dataclass(frozen=True, slots=True)
class InstalledOutbox:
    """The outbox of a store, and the set that is installed there."""

    outbox: Outbox
    bundle: Bundle
    operation: Operation


class Sender:
    """Sends what is ready: messages by a mail server, all else, or all of a kind, to a webhook. ``figures`` count what
    came of each request."""

    def __init__(
        self, mail: MailOptions | None, hook: HookOptions | None, kind: str | None, attempts: int, watcher: Watcher,
        figures: Metrics | None = None,
    ) -> None:  # fmt: skip
        self._mail = mail if kind in (None, "message") else None
        self._hook = hook
        self._kind = kind
        self._attempts = attempts
        self._watcher = watcher
        self._figures = figures
        self._unsaid: list[Request] = []
        self._faults: dict[str, str] = {}

    def once(
        self, store: Store, policies: str, now: str | None, limit: int | None, at_once: bool = False
    ) -> list[Delivered]:
        """Send what is ready."""
        work = _work(store, policies)
        servers = Servers(work.outbox.store, work.operation.sealer)
        return [self._sent(work, each, servers, now, limit, at_once) for each in self._carriers(work.bundle)]

    def watch(self, url: str, policies: str) -> None:
        """Send what is ready and what comes to be, until it is asked to end. Servers that cannot be reached are tried
        again, and so is the store where it goes away."""
        self._watcher.outlast(partial(self._watch, url, policies))

    def _watch(self, url: str, policies: str, under_way: Callable[[], None]) -> None:
        with open_or_exit(url, create=False) as store:
            work = _work(store, policies)
            under_way()
            self._go_on(store, work)

    def _go_on(self, store: Store, work: InstalledOutbox) -> None:
        servers = Servers(store, work.operation.sealer)
        carriers = self._carriers(work.bundle)
        self._say(work)
        while self._watcher.goes_on:
            if self._figures is not None:
                self._figures.round()
            left = self._left(work, carriers, servers)
            if left > 0:
                self._watcher.sleep(partial(store.wait, left))
                continue
            work = replace(work, bundle=work.operation.bundle())  # the installed set may have changed
            carriers = self._carriers(work.bundle)
            results = [self._sent(work, each, servers, None, None, False) for each in carriers]
            if any(each.sent or each.failed or each.parked for each in results):
                click.echo(summed(results))
            else:  # others are at it
                self._watcher.sleep(partial(store.wait, GLANCE))

    def _carriers(self, bundle: Bundle) -> list[Carrier]:
        found: list[Carrier] = []
        channels: tuple[str, ...] = ()
        if self._mail is not None:
            found.append(mail_server_of(bundle, self._mail))
            channels = tuple(sorted(mail_channels(bundle.channels)))
        if self._hook is not None:
            found.append(webhook_of(self._hook, self._kind, channels))
        return found

    def _sent(
        self,
        work: InstalledOutbox,
        carrier: Carrier,
        servers: Servers,
        now: str | None,
        limit: int | None,
        at_once: bool,
    ) -> Delivered:
        fixed = None if now is None else now_of(now, work.bundle)
        delivery = Delivery(
            work.outbox, servers, carrier, lambda: wall_clock() if fixed is None else fixed, me(), self._attempts,
            partial(self._hear, work), lambda: not self._watcher.goes_on, self._unsaid,
        )  # fmt: skip
        try:
            result = delivery.run(limit, at_once)
        finally:
            carrier.close()
        self._tell(work, carrier.server.name, result)
        return result

    def _say(self, work: InstalledOutbox) -> None:
        """Note as done what was delivered when the store went away."""
        say_done(work.outbox, self._unsaid, partial(self._hear, work))

    def _left(self, work: InstalledOutbox, carriers: Sequence[Carrier], servers: Servers) -> float:
        """Seconds until something can be sent, as far as is known; it is looked again before long."""
        now = wall_clock()
        left = GLANCE
        for each in carriers:
            ready = work.outbox.next_ready(each.selection)
            if ready is not None:
                left = min(left, (max(ready, servers.until(each.server)) - now) / 1_000_000)
        return left

    def _hear(self, work: InstalledOutbox, outcome: Outcome) -> None:
        if self._figures is not None:
            self._figures.request(outcome.what)
        if outcome.what == "lost":
            _say_of(outcome, f"{outcome.why}")
        elif outcome.why is not None:
            _say_of(outcome, f"{outcome.why}; it {comes_next(outcome.request, work.bundle)}")

    def _tell(self, work: InstalledOutbox, name: str, result: Delivered) -> None:
        """Tell that a server failed, once for each fault that it has, and that it works again."""
        if result.fault is None:
            if self._faults.pop(name, None) is not None and result.sent:
                say(f"{name} takes it again", "server_back", server=name)
        elif self._faults.get(name) != result.fault:
            self._faults[name] = result.fault
            say(told_fault(work, result), "server_away", "warning", server=name)


def _work(store: Store, policies: str) -> InstalledOutbox:
    operation, bundle = operation_or_exit(store, policies)
    return InstalledOutbox(Outbox(store, operation.sealer), bundle, operation)


def _say_of(outcome: Outcome, text: str) -> None:
    """Tell that a request was not delivered."""
    request = outcome.request
    say(f"{request.id}: {text}", f"request_{outcome.what}", "warning", id=request.id, kind=request.kind)


def told_fault(work: InstalledOutbox, result: Delivered) -> str:
    """Why a server is left alone, and until when."""
    return f"{result.fault}; trying again {time_in_words(result.until, ZoneInfo(work.bundle.timezone))}"


def summed(results: Sequence[Delivered]) -> str:
    """What came of it, in a line."""
    sent = sum(each.sent for each in results)
    failed, parked = sum(each.failed for each in results), sum(each.parked for each in results)
    return f"{sent:,} sent, {failed:,} failed, {parked:,} parked"
