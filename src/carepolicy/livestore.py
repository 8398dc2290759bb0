"""A store at work, for a service that lives on it: events in; cases, due times, contacts and requests out.

``open_store`` is safe to use from several threads: each call has a connection to itself, and gives it back. On
PostgreSQL ``psycopg_pool`` keeps the connections. ``open_async_store`` is the same for programs that await: the
calls run in threads of their own, by anyio.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, timedelta
from functools import partial, wraps
from threading import BoundedSemaphore, Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec, Protocol, TypeVar

import anyio
import orjson

from carepolicy.businesstime.instants import EPOCH, microseconds
from carepolicy.engine.history.cases import CaseView, cases_of
from carepolicy.engine.record import Record
from carepolicy.event import line_of
from carepolicy.policy.files import layers_of
from carepolicy.policy.likeness import did_you_mean
from carepolicy.store.cases.search import CaseFilter, names_near, open_cases, records_of
from carepolicy.store.faults import NoStoreUrl, Unreachable
from carepolicy.store.live.batch import Wall
from carepolicy.store.live.entry import completed, fate_of
from carepolicy.store.live.operation import Operation
from carepolicy.store.open import open_store as open_plain_store
from carepolicy.store.outbox import queue
from carepolicy.store.privacy.contacts import Contact, ContactLog
from carepolicy.store.privacy.seal import ANYBODY, NOBODY, Looker, Reader
from carepolicy.store.url import parsed

if TYPE_CHECKING:
    from carepolicy.event import Event
    from carepolicy.machine.program import Bundle
    from carepolicy.store.outbox.queue import Request

Given = ParamSpec("Given")
Result = TypeVar("Result")

CONNECTIONS = 8
"""To one store, unless more are asked for."""

SOURCE = "/carepolicy/library"
"""Where an event comes from that does not say it."""

LEASE = timedelta(minutes=5)


class UnknownSubject(LookupError):
    """Nothing is known of a subject or customer; the message names the nearest."""


class Posted(NamedTuple):
    """What became of an event: ``taken``; ``held`` back by the store's lateness; ``duplicate``, one of this source and
    id was taken before; or ``refused``, by no case taken or not to be read. ``letters`` are the dead letters that this
    made: dictionaries with ``code``, ``reason`` and the event as far as it may be shown."""

    fate: Literal["taken", "held", "duplicate", "refused"]
    source: str | None
    id: str | None
    records: list[Record]
    letters: list[dict[str, Any]]


class Connections(Protocol):
    """Hands out operations on one store, each to one caller at a time."""

    def operation(self) -> AbstractContextManager[Operation]:
        """An operation that nobody else has until the block ends."""

    def close(self) -> None:
        """Let go of all connections."""


class FileConnections:
    """Connections to a file of SQLite, made as they are needed."""

    def __init__(self, url: str, policies: str | None, most: int) -> None:
        self._url = url
        self._policies = policies
        self._free: list[Operation] = []
        self._lock = Lock()
        self._left = BoundedSemaphore(1 if url.endswith(":memory:") else most)  # memory is another store for each

    @contextmanager
    def operation(self) -> Iterator[Operation]:
        """An operation of its own; waits where all are given away."""
        with self._left:
            with self._lock:
                found = self._free.pop() if self._free else None
            if found is None:
                found = Operation(open_plain_store(self._url), self._policies, wall_clock())
            try:
                yield found
            finally:
                with self._lock:
                    self._free.append(found)

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            while self._free:
                self._free.pop().store.close()


class ServerConnections:
    """Connections to PostgreSQL: a pool keeps them, tries them before use, and replaces those that are lost."""

    def __init__(self, url: str, policies: str | None, most: int) -> None:
        try:
            import psycopg_pool
        except ImportError:
            raise NoStoreUrl(
                "a store in PostgreSQL needs psycopg with its pool: pip install 'carepolicy[postgres]'"
            ) from None
        self._url = url
        self._policies = policies
        self._operations: dict[int, tuple[Any, Operation]] = {}
        self._lock = Lock()
        self._full = psycopg_pool.PoolTimeout
        self._pool = psycopg_pool.ConnectionPool(
            parsed(url)[0], min_size=1, max_size=most, kwargs={"autocommit": True, "connect_timeout": 10}, open=True,
            check=psycopg_pool.ConnectionPool.check_connection,
        )  # fmt: skip

    @contextmanager
    def operation(self) -> Iterator[Operation]:
        """An operation on a connection of the pool. Raises ``Unreachable`` where none is to be had."""
        from carepolicy.store.sql.postgres import PostgresStore

        try:
            connection = self._pool.getconn()
        except self._full:
            raise Unreachable("no connection to the store is to be had: all are in use, or it is away") from None
        try:
            with self._lock:
                _, found = self._operations.get(id(connection), (None, None))
            if found is None:
                found = Operation(PostgresStore(self._url, connection), self._policies, wall_clock())
                with self._lock:
                    kept = {key: each for key, each in self._operations.items() if not each[0].closed}
                    self._operations = {**kept, id(connection): (connection, found)}
            yield found
        finally:
            self._pool.putconn(connection)

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()


class OpenConnections:
    """Connections until they are let go of."""

    def __init__(self, connections: Connections) -> None:
        self._connections: Connections | None = connections

    def operation(self) -> AbstractContextManager[Operation]:
        """An operation that nobody else has until the block ends. Raises ``ValueError`` once ``close`` was called."""
        if self._connections is None:
            raise ValueError("this store is closed")
        return self._connections.operation()

    def close(self) -> None:
        """Let go of all connections; once more does nothing."""
        connections, self._connections = self._connections, None
        if connections is not None:
            connections.close()


def wall_clock() -> int:
    """Now, in microseconds since 1970."""
    return time.time_ns() // 1_000


def open_store(
    url: str,
    policies: str | os.PathLike[str] | None = "policies",
    *,
    lateness: timedelta = timedelta(0),
    connections: int = CONNECTIONS,
) -> LiveStore:
    """The store that ``url`` names (``sqlite:///care.db``, ``postgresql://user@host/name``), to work on.

    The policy set in the folder ``policies`` is installed where the store has none yet; later ones are installed by
    ``carepolicy apply``. Each event waits ``lateness`` whether an earlier one of its subject comes. Raises
    ``PolicyErrors`` where the set has errors, ``NotInstalled`` where there is none, and a ``StoreFault`` for whatever
    is wrong with the store.
    """
    return LiveStore(url, None if policies is None else os.fspath(policies), lateness, connections)


class LiveStore:
    """A store, the policy set that is installed in it, and events and time through both. Safe from several threads.

    Times are aware datetimes. What is private is masked in all that is read, unless ``role`` says who reads: then what
    ``may_see:`` of that role lists is shown. Methods raise a ``StoreFault`` for whatever is wrong with the store, and
    nothing is changed then.
    """

    def __init__(self, url: str, policies: str | None, lateness: timedelta, connections: int) -> None:
        if lateness < timedelta(0):
            raise ValueError("lateness is how long events are held back: it cannot be negative")
        if connections < 1:
            raise ValueError("at least one connection is needed")
        folder = policies if policies is not None and os.path.isdir(layers_of(policies)[0]) else None
        with closing(open_plain_store(url)) as store:  # lays the tables out, and says in our words what is wrong
            kind = ServerConnections if store.many_writers else FileConnections
        self._lateness = lateness // timedelta(microseconds=1)
        self._connections = OpenConnections(kind(url, folder, connections))
        try:
            with self._connections.operation() as operation:
                operation.bundle()
        except BaseException:
            self._connections.close()
            raise
        self.outbox = LiveOutbox(self._connections)

    def __enter__(self) -> LiveStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store. Calls that are under way in other threads must have ended."""
        self._connections.close()

    def post(self, event: Event, *, far: bool = False) -> Posted:
        """Let an event happen: a CloudEvent as a mapping, a line of JSON, or an object of the ``cloudevents`` package.

        It is on the disk when this returns. Without a time it happens now, without an id it gets one. One that lies
        more than a day ahead of the clock is refused unless ``far``. A second event of one source and id has no
        effect.
        """
        line, source, identity = completed(line_of(event), SOURCE)
        with self._connections.operation() as operation:
            done = operation.take([(1, line)], Wall(wall_clock, self._lateness, far))
        letters = [orjson.loads(each) for each in done.letters]
        return Posted(fate_of(source, identity, done), source, identity, [*done.values], letters)

    def tick(self, now: datetime | None = None) -> list[Record]:
        """Fire the timers that fell due by ``now`` (by default the clock's, less the lateness); the records of what
        follows. What is private of closed cases is erased when ``keep:`` says so."""
        from carepolicy.store.privacy.erase import enforce_keep, sweep

        until = wall_clock() - self._lateness if now is None else microseconds(_aware(now))
        with self._connections.operation() as operation:
            records = [each for done in operation.tick(until) for each in done.values]
            sweep(operation.store, operation.sealer, operation.bundle(), until, lambda: True)
            enforce_keep(operation.store, operation.sealer, until)
        return records

    def next_due(self) -> datetime | None:
        """When the next timer falls due; None where none runs."""
        with self._connections.operation() as operation, operation.store.reading() as transaction:
            due = transaction.next_due()
        return None if due is None else EPOCH + timedelta(microseconds=due)

    def case(self, subject: str, flow: str | None = None, *, role: str | None = None) -> CaseView:
        """The case of a subject (in ``flow``, where it has several) that was opened last, closed ones too.

        Raises ``UnknownSubject``.
        """
        found = cases_of(self.history(subject, flow, role=role))
        if not found:
            raise UnknownSubject(f'there is no case of "{subject}"')
        return max(found, key=lambda each: (each.closed is None, each.opened))

    def history(self, subject: str, flow: str | None = None, *, role: str | None = None) -> list[Record]:
        """The records of a subject by flow and sequence. Raises ``UnknownSubject``."""
        with self._connections.operation() as operation:
            looker = _looker(operation, role)
            with operation.store.reading() as transaction:
                found = [record for record, _ in records_of(transaction, subject, flow, looker)]
                if not found:
                    flows = {record.flow for record, _ in records_of(transaction, subject, None, looker)} - {""}
                    if flow is not None and flows:
                        raise UnknownSubject(_with_hint(f'"{subject}" has no case of the flow "{flow}"', flow, flows))
                    near = names_near(transaction, subject)
                    raise UnknownSubject(_with_hint(f'there are no records of "{subject}"', subject, near))
        return found

    def cases(
        self, *, flow: str | None = None, state: str | None = None, owner: str | None = None, late: bool = False,
        limit: int | None = None, role: str | None = None,
    ) -> list[CaseView]:  # fmt: skip
        """The open cases, those first that were opened first: of a flow, in a state, of an owner (a role or a person),
        with a clock that is late, at most ``limit``."""
        return self._open(CaseFilter(flow, state, owner, late, limit), role)

    def due(
        self, *, flow: str | None = None, owner: str | None = None, limit: int | None = None, role: str | None = None
    ) -> list[CaseView]:
        """The open cases with a clock that will fall due, the soonest first; ``next_due`` of each is that clock."""
        return self._open(CaseFilter(flow, None, owner, False, limit, by_due=True), role)

    def _open(self, wanted: CaseFilter, role: str | None) -> list[CaseView]:
        _demand_count(wanted.limit)
        with self._connections.operation() as operation:
            looker = _looker(operation, role)
            with operation.store.reading() as transaction:
                return list(open_cases(transaction, wanted, looker))

    def contacts(self, who: str, *, role: str | None = None) -> list[Contact]:
        """Who said what to a subject or a customer, and when, over all channels and flows.

        Raises ``UnknownSubject``.
        """
        with self._connections.operation() as operation:
            bundle = operation.bundle()
            found = ContactLog(operation.store, bundle, operation.sealer, _reader(bundle, role)).of(who)
        if found is None:
            raise UnknownSubject(f'nobody is known by the name "{who}"')
        return found


class LiveOutbox:
    """What cases ask for and somebody must carry out: messages, notices and actions, each at least once."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @contextmanager
    def _outbox(self) -> Iterator[queue.Outbox]:
        with self._connections.operation() as operation:
            yield queue.Outbox(operation.store, operation.sealer)

    def counts(self) -> dict[str, int]:
        """How many requests are waiting, leased, done and parked."""
        with self._outbox() as outbox:
            return outbox.counts()

    def requests(self, states: Sequence[str] = queue.STATES[:1], *, limit: int | None = None) -> list[Request]:
        """The requests in some states (``waiting``, ``leased``, ``done``, ``parked``), masked, the oldest first."""
        _demand_count(limit)
        with self._outbox() as outbox:
            return [*outbox.listed(states, None, limit, NOBODY)]

    def take(
        self, who: str, most: int = 10, lease: timedelta = LEASE, *, kinds: Sequence[str] = queue.KINDS,
        channels: Sequence[str] | None = None,
    ) -> list[Request]:  # fmt: skip
        """Take up to ``most`` requests for the time of a lease, with nothing masked: ``who`` carries them out, and says
        ``done`` or ``fail`` of each before the lease ends."""
        _demand_count(most)
        with self._outbox() as outbox:
            until = lease // timedelta(microseconds=1)
            return outbox.take(wall_clock(), until, most, who, queue.Selection(kinds, channels))

    def done(self, requests: Iterable[Request]) -> None:
        """Say that requests were carried out. Raises ``NoRequest`` where a lease is over, and then none of them is."""
        with self._outbox() as outbox:
            outbox.done(queue.claims(requests))

    def fail(self, requests: Iterable[Request], fault: str, *, park: bool = False) -> list[Request]:
        """Say that requests could not be carried out, and why: they wait, or with ``park`` are left alone until
        somebody replays them. Raises ``NoRequest``."""
        with self._outbox() as outbox:
            return outbox.fail(queue.claims(requests), wall_clock(), fault, park)

    def replay(self, ids: Sequence[str] = ()) -> int:
        """Let parked requests wait again; all of them where ``ids`` names none; how many there were."""
        with self._outbox() as outbox:
            return outbox.replay(ids)


async def open_async_store(
    url: str,
    policies: str | os.PathLike[str] | None = "policies",
    *,
    lateness: timedelta = timedelta(0),
    connections: int = CONNECTIONS,
) -> AsyncLiveStore:
    """As ``open_store``, for programs that await."""
    opening = partial(open_store, url, policies, lateness=lateness, connections=connections)
    return AsyncLiveStore(await anyio.to_thread.run_sync(opening), connections)


class AsyncLiveStore:
    """A ``LiveStore`` whose calls are awaited. Each runs in a thread, so many at a time as there are connections."""

    def __init__(self, store: LiveStore, connections: int) -> None:
        awaited = _Awaited(connections)
        self.post = awaited.call(store.post)
        self.tick = awaited.call(store.tick)
        self.next_due = awaited.call(store.next_due)
        self.case = awaited.call(store.case)
        self.cases = awaited.call(store.cases)
        self.due = awaited.call(store.due)
        self.history = awaited.call(store.history)
        self.contacts = awaited.call(store.contacts)
        self.close = awaited.call(store.close)
        self.outbox = AsyncLiveOutbox(store.outbox, awaited)

    async def __aenter__(self) -> AsyncLiveStore:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.close()


class AsyncLiveOutbox:
    """A ``LiveOutbox`` whose calls are awaited."""

    def __init__(self, outbox: LiveOutbox, awaited: _Awaited) -> None:
        self.counts = awaited.call(outbox.counts)
        self.requests = awaited.call(outbox.requests)
        self.take = awaited.call(outbox.take)
        self.done = awaited.call(outbox.done)
        self.fail = awaited.call(outbox.fail)
        self.replay = awaited.call(outbox.replay)


class _Awaited:
    """Lets calls run in threads, so many at a time."""

    def __init__(self, most: int) -> None:
        self._limiter = anyio.CapacityLimiter(most)

    def call(self, work: Callable[Given, Result]) -> Callable[Given, Awaitable[Result]]:
        """The same call, to be awaited."""

        @wraps(work)
        async def awaited(*given: Given.args, **named: Given.kwargs) -> Result:
            return await anyio.to_thread.run_sync(partial(work, *given, **named), limiter=self._limiter)

        return awaited


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone (such as tzinfo=UTC)")
    return moment


def _with_hint(sentence: str, name: str, known: Iterable[str]) -> str:
    return "; ".join(filter(None, (sentence, did_you_mean(name, known))))


def _demand_count(count: int | None) -> None:
    if count is not None and count < 0:
        raise ValueError("a number of things to give cannot be negative")


def _reader(bundle: Bundle, role: str | None) -> Reader:
    """Who reads: nobody that is known, or a role. Raises ``ValueError`` for one that is none."""
    if role is None:
        return NOBODY
    if role not in bundle.may_see:
        raise ValueError(_with_hint(f'there is no role "{role}"', role, bundle.may_see))
    return Reader(bundle.may_see[role])


def _looker(operation: Operation, role: str | None) -> Looker:
    if role is None:
        return ANYBODY
    return Looker(_reader(operation.bundle(), role), operation.sealer)
