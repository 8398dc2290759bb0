"""Requests are taken out of the outbox and handed to a carrier, one by one, each marked at once as done or failed.

Whose fault it was that one could not be delivered decides what follows. The request's own costs it an attempt. The
server's costs no request anything: all go back, and the server is left alone for a while. Where it may be either, the
next request tells: if that one is delivered, it was the request's own fault; if as many fail as have now been tried
in vain, it was the server's.

For how long a server is left alone is kept in the store, so that a command that is started every minute does not try
it again each time, and all senders of a store know of it. A server that is tried again is given one request first;
other senders wait for that.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from carepolicy.store.outbox.queue import LONGEST_FAULT, LONGEST_WAIT, SECOND, NoRequest, Request, claims
from carepolicy.store.privacy.contacts import Index
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.outbox.queue import Outbox, Selection
    from carepolicy.store.privacy.seal import DataKeys

AT_A_TIME = 20
LEASE = 300 * SECOND
"""It is renewed while a sender works, and ends this long after one has died."""


class Undelivered(Exception):
    """A request could not be delivered, and the fault is its own. The message says why, without anything private.
    ``lasting``: trying again is of no use."""

    def __init__(self, reason: str, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class Undeliverable(Undelivered):
    """A request that no server can be given as it is; none was asked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, lasting=True)


class Doubtful(Undelivered):
    """The fault may be the request's own or the server's."""


class ServerFault(Exception):
    """The server can take no request now; ``wait`` are the microseconds that it asked for, 0 where it did not."""

    def __init__(self, reason: str, wait: int = 0) -> None:
        super().__init__(reason)
        self.wait = wait


class Carrier(Protocol):
    """Brings requests to where they belong."""

    selection: Selection
    server: Server

    def deliver(self, request: Request, now: int) -> None:
        """Deliver one. Raises ``Undelivered`` or ``ServerFault``."""

    def close(self) -> None:
        """End what connection there is."""


class Outcome(NamedTuple):
    """What came of a request: ``what`` is sent, failed, parked or lost (another has it since); ``why`` it was not."""

    request: Request
    what: str
    why: str | None = None


@dataclass(slots=True)
class Delivered:
    """What came of some requests. ``fault`` says why the server is left alone, ``until`` until when."""

    sent: int = 0
    failed: int = 0
    parked: int = 0
    fault: str | None = None
    until: int = 0


@dataclass(slots=True)
class Delivery:
    """Delivers what is ready. ``told`` hears what came of each request; ``ending`` says that no other one is to be
    begun. What was delivered and could not be noted, since the store was away, is in ``unsaid``."""

    outbox: Outbox
    servers: Servers
    carrier: Carrier
    clock: Callable[[], int]
    who: str
    attempts: int
    told: Callable[[Outcome], None]
    ending: Callable[[], bool]
    unsaid: list[Request] = field(default_factory=list)
    _held: deque[Request] = field(default_factory=deque)
    _doubted: list[tuple[Request, Doubtful]] = field(default_factory=list)
    _leased: int = 0
    _result: Delivered = field(default_factory=Delivered)

    def run(self, limit: int | None = None, at_once: bool = False) -> Delivered:
        """Deliver up to ``limit``; with ``at_once`` also to a server that is left alone for now."""
        result = self._result = Delivered()
        gate = self.servers.enter(self.carrier.server, self.clock(), at_once)
        if gate.until is not None:
            result.fault, result.until = gate.fault, gate.until
            return result
        left = limit
        try:
            while (left is None or left > 0) and not self._over():
                taken = self._take(gate, left)
                if left is not None:
                    left -= taken
                if not taken:
                    break
                while self._held and not self._over():
                    gate = self._one(gate, self._held.popleft())
            if not self._over():
                self._end(gate)
            elif result.fault is None and gate.failures:
                self.servers.leave(gate, self.clock())
        finally:
            back = [*(request for request, _ in self._doubted), *self._held]
            self._doubted.clear()
            self._held.clear()
            self.outbox.release(back)
        return result

    def _over(self) -> bool:
        return self._result.fault is not None or self.ending()

    def _take(self, gate: Gate, left: int | None) -> int:
        """Take the next: one alone where the server is yet to be tried, then as many as it takes to tell whose fault it
        was; how many there were."""
        most = _enough(gate) - len(self._doubted) if self._doubted else 1 if gate.failures else AT_A_TIME
        now = self.clock()
        most = most if left is None else min(most, left)
        taken = self.outbox.take(now, LEASE, most, self.who, self.carrier.selection, self.attempts)
        self._held.extend(taken)
        if not self._doubted:  # whose leases are older
            self._leased = now
        return len(taken)

    def _one(self, gate: Gate, request: Request) -> Gate:
        if not self.carrier.selection.serves(request.data.get("channel") or ""):
            self.outbox.release([request])
            return gate
        if not self._is_mine(request):
            self.told(Outcome(request, "lost", "it was taken by another since the lease ended"))
            return gate
        try:
            self.carrier.deliver(request, self.clock())
        except ServerFault as fault:
            self._held.appendleft(request)
            return self._shut(gate, str(fault), fault.wait)
        except Doubtful as fault:
            self._doubted.append((request, fault))
            return self._shut(gate, str(fault), 0, True) if len(self._doubted) >= _enough(gate) else gate
        except Undelivered as fault:
            self._failed(request, fault)
            return gate if isinstance(fault, Undeliverable) else self._answered(gate)
        except BaseException:
            self._held.appendleft(request)
            raise
        self._sent(request)
        return self._answered(gate)

    def _is_mine(self, request: Request) -> bool:
        """Whether a request is still this sender's; the leases of all that it has are renewed in time."""
        now = self.clock()
        if now - self._leased < LEASE // 3:
            return True
        self._leased = now
        mine = self.outbox.renew([request, *(each for each, _ in self._doubted), *self._held], now + LEASE)
        self._doubted = [each for each in self._doubted if each[0].id in mine]
        self._held = deque(each for each in self._held if each.id in mine)
        return request.id in mine

    def _sent(self, request: Request) -> None:
        self._result.sent += 1
        self.unsaid.append(request)
        say_done(self.outbox, self.unsaid, self.told)
        self.told(Outcome(request, "sent"))

    def _failed(self, request: Request, fault: Undelivered) -> None:
        try:
            said = claims([request])
            (after,) = self.outbox.fail(said, self.clock(), str(fault), fault.lasting, self.attempts)
        except NoRequest as lost:
            self.told(Outcome(request, "lost", str(lost)))
            return
        parked = after.state == "parked"
        self._result.parked += parked
        self._result.failed += not parked
        self.told(Outcome(after, "parked" if parked else "failed", str(fault)))

    def _answered(self, gate: Gate) -> Gate:
        """The server works: what it did not take just before was the fault of the requests."""
        doubted, self._doubted = self._doubted, []
        for request, fault in doubted:
            self._failed(request, fault)
        return self.servers.answered(gate)

    def _shut(self, gate: Gate, fault: str, wait: int, doubtful: bool = False) -> Gate:
        """The server is left alone; what was taken goes back."""
        after = self.servers.shut(gate, self.clock(), fault, wait, doubtful)
        self._result.fault, self._result.until = fault, after.until or 0
        return after

    def _end(self, gate: Gate) -> None:
        """Nothing is left that could tell whose fault it was: that of the server where several failed; a single
        request waits, and pays nothing."""
        if len(self._doubted) > 1:
            self._shut(gate, str(self._doubted[-1][1]), 0, True)
            return
        for request, fault in self._doubted:
            (after,) = self.outbox.put_off(claims([request]), self.clock(), str(fault))
            self._result.failed += 1
            self.told(Outcome(after, "failed", str(fault)))
        self._doubted.clear()
        if gate.failures:
            self.servers.leave(gate, self.clock())


def _enough(gate: Gate) -> int:
    """How many requests have to fail one after the other until it is the server's fault: more with time, so that some
    that no server takes do not stop all others for good."""
    return 2 + gate.failures // 4


def say_done(outbox: Outbox, unsaid: list[Request], told: Callable[[Outcome], None]) -> None:
    """Note what was delivered as done."""
    while unsaid:
        try:
            outbox.done(claims(unsaid[:1]))
        except NoRequest as fault:
            told(Outcome(unsaid[0], "lost", str(fault)))
        del unsaid[0]


FIRST_WAIT = SECOND
"""After the first failure; twice as long each time, at most ``LONGEST_WAIT``."""

LONGEST_DOUBT = 900 * SECOND
"""At most, where the server answers and may be right: what is then sent to it may be taken."""

FORGOTTEN = 30 * 86_400 * SECOND
"""A server that nobody asked for so long is asked for no more: its address or password is another now."""

TRIAL = 180 * SECOND
"""Who tries a server again has so long before others may: longer than the slowest delivery."""


class Server(NamedTuple):
    """A server as it is told of, and all that it was asked with: with another password it is tried at once."""

    name: str
    settings: str


class Gate(NamedTuple):
    """What is known of a server: how often in a row it failed, until when it is left alone (None: it may be tried),
    and why."""

    digest: bytes
    name: str
    failures: int = 0
    until: int | None = None
    fault: str = ""


class Servers:
    """The servers of a store that failed. Instants are microseconds since 1970."""

    def __init__(self, store: Store, sealer: DataKeys) -> None:
        self._store = store
        self._sealer = sealer
        self._digests: dict[Server, bytes] = {}

    def enter(self, server: Server, now: int, at_once: bool = False) -> Gate:
        """Ask to hand requests to a server. Of those who ask for one that failed, one at a time may try it; with
        ``at_once`` also before its time."""

        def work(transaction: Transaction) -> Gate:
            digest = self._digests[server] = self._digest(transaction, server)
            mine = transaction.run(
                statements.ENTER_SERVER, (now + TRIAL, digest, now + LONGEST_WAIT if at_once else now)
            )
            found = transaction.rows(statements.STATE_OF_SERVER, (digest,))
            if not found:
                return Gate(digest, server.name)
            failures, until, fault = found[0]
            return Gate(digest, server.name, failures, None if mine else until, fault)

        return self._store.attempt(work)

    def until(self, server: Server) -> int:
        """Until when a server that was asked before is left alone; 0 where it is not."""
        digest = self._digests.get(server)
        if digest is None:
            return 0
        with self._store.reading() as transaction:
            found = transaction.rows(statements.STATE_OF_SERVER, (digest,))
            return int(found[0][1]) if found else 0

    def shut(self, gate: Gate, now: int, fault: str, asked: int, doubtful: bool) -> Gate:
        """Note that a server failed, and leave it alone: for as long as it ``asked`` for (microseconds), else twice as
        long as the last time. Of several who find the same out at once one counts."""
        failures = gate.failures + 1
        wait = min(asked, LONGEST_WAIT) if asked > 0 else _wait(gate, LONGEST_DOUBT if doubtful else LONGEST_WAIT)
        after = gate._replace(failures=failures, until=now + wait, fault=fault[:LONGEST_FAULT])
        values = (after.digest, after.name, failures, after.until, after.fault, gate.failures)

        def work(transaction: Transaction) -> None:
            transaction.run(statements.FORGET_OLD_SERVERS, (now - FORGOTTEN,))
            transaction.run(statements.SHUT_SERVER, values)

        self._store.attempt(work)
        return after

    def leave(self, gate: Gate, now: int) -> None:
        """Note that it did not come to a trial, so that the next one who asks may try."""
        self._store.attempt(
            lambda transaction: transaction.run(statements.LEAVE_SERVER, (now, gate.digest, gate.failures))
        )

    def answered(self, gate: Gate) -> Gate:
        """Note that a server works (again)."""
        if gate.failures:
            self._store.attempt(lambda transaction: transaction.run(statements.FORGET_SERVER, (gate.digest,)))
        return Gate(gate.digest, gate.name)

    def _digest(self, transaction: Transaction, server: Server) -> bytes:
        """By which a server with its settings is known: keyed, since a password is among them."""
        said = sha256("\0".join(server).encode("utf-8", "replace")).hexdigest()
        return Index(self._sealer).digest(transaction, "\0server", said)


def _wait(gate: Gate, longest: int) -> int:
    """How long a server is left alone after one more failure. Two stores do not wait equally long, so that they do not
    ask a server all at once when it is back; one store always waits equally long, so that it can be said what it
    does."""
    most = min(FIRST_WAIT << min(gate.failures, 40), longest)
    share = int.from_bytes(blake2b(gate.digest + bytes([gate.failures & 255]), digest_size=2).digest()) / 0xFFFF
    return most - int(most * share / 4)


Result = TypeVar("Result")


class Lane:
    """One thread with an event loop in which answers of servers are waited for, so that whoever sends may have a loop
    of his own. It is begun when something is to be done in it, and ended by ``close``."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._portal: BlockingPortal | None = None

    def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do ``work`` there, and wait for what comes of it. Raises what ``work`` raises."""
        if self._portal is None:
            self._portal = self._open.enter_context(start_blocking_portal())
        return self._portal.call(work)

    def close(self) -> None:
        """End the thread."""
        self._portal = None
        self._open.close()


def causes(fault: BaseException) -> Iterator[BaseException]:
    """A fault, and what led to it."""
    each: BaseException | None = fault
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__
