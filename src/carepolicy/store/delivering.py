"""Requests are taken out of the outbox and handed to a carrier, one by one, each marked at once as done or failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from carepolicy.store.outbox import SECOND, Outbox, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AT_A_TIME = 20
LEASE = 900 * SECOND
"""Long enough for a whole batch to a carrier that takes its time over each."""


class Undelivered(Exception):
    """A carrier could not deliver; the message says why, without anything private. ``lasting``: trying again is of no
    use. ``unreachable``: the others would fare no better now."""

    def __init__(self, reason: str, lasting: bool = False, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting
        self.unreachable = unreachable


class Carrier(Protocol):
    """Brings requests to where they belong. ``channels`` are those that it serves, None for all there are."""

    kinds: Sequence[str]
    channels: Sequence[str] | None

    def deliver(self, request: Request, now: int) -> None:
        """Deliver one. Raises ``Undelivered``."""


@dataclass(slots=True)
class Delivered:
    """What came of it; ``unreachable`` says why the carrier gave up."""

    done: int = 0
    failed: int = 0
    parked: int = 0
    unreachable: str | None = None


def deliver_all(
    outbox: Outbox, carrier: Carrier, now: Callable[[], int], who: str, limit: int | None, attempts: int,
    told: Callable[[Request, str], None],
) -> Delivered:  # fmt: skip
    """Deliver what is ready, up to ``limit``; ``told`` hears of each that failed, and why."""
    result = Delivered()
    left = limit
    while left is None or left > 0:
        most = AT_A_TIME if left is None else min(left, AT_A_TIME)
        taken = outbox.take(now(), LEASE, most, who, carrier.kinds, carrier.channels, attempts)
        if not taken:
            break
        if left is not None:
            left -= len(taken)
        for place, request in enumerate(taken):
            if not _serves(carrier, request):
                outbox.release([request])
                continue
            try:
                _one(outbox, carrier, request, now, attempts, result, told)
            except BaseException:
                outbox.release(taken[place + 1 :])
                raise
            if result.unreachable is not None:
                outbox.release(taken[place + 1 :])
                return result
    return result


def _serves(carrier: Carrier, request: Request) -> bool:
    return carrier.channels is None or (request.data.get("channel") or "") in carrier.channels


def _one(
    outbox: Outbox, carrier: Carrier, request: Request, now: Callable[[], int], attempts: int, result: Delivered,
    told: Callable[[Request, str], None],
) -> None:  # fmt: skip
    try:
        carrier.deliver(request, now())
    except Undelivered as fault:
        (after,) = outbox.fail([request.id], now(), str(fault), fault.lasting, attempts)
        told(after, str(fault))
        result.parked += after.state == "parked"
        result.failed += after.state != "parked"
        if fault.unreachable:
            result.unreachable = str(fault)
    else:
        outbox.done([request.id])
        result.done += 1
