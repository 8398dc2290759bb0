"""The outbox: what was asked for and must be carried out at least once, under an id that stays the same.

A request waits until it is taken. Who takes it has it for the time of a lease, after which it may be taken again, since
nobody knows whether it was carried out. It is then done, or has failed and waits twice as long each time, or is parked:
left alone until somebody replays it. Exactly once is the receiver's part, by the id.

Each lease has a number, one more than the last of the request. Who says it with ``done`` or ``fail`` is heard only as
long as nobody else has a lease; who does not is heard unless a lease has ended unheard, when two may think it theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.engine.effects import REPLIES_TO
from carepolicy.engine.instants import text_of
from carepolicy.store.privacy.seal import CARRIER, Looker, Reader
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.privacy.seal import DataKeys

WAITING, LEASED, DONE, PARKED = "waiting", "leased", "done", "parked"
STATES = (WAITING, LEASED, DONE, PARKED)
KINDS = ("message", "notice", "action")

SECOND = 1_000_000
FIRST_WAIT, LONGEST_WAIT = 60 * SECOND, 6 * 3_600 * SECOND
"""After the first failure, and at most."""

MOST_ATTEMPTS = 8
LONGEST_FAULT = 300

MOST_EARLIER = 10
"""So many mails of a case are told to the next one: mail programs need the last few, and headers have an end."""

DEEPEST_MERGE = 5
"""So many merges, each before the next, are followed back."""


class NoRequest(LookupError):
    """No request has this id, or its request is in another state than was said; the message says which."""


class Claim(NamedTuple):
    """A request by its id, and the number of the lease by which somebody speaks of it; None where he does not say."""

    id: str
    lease: int | None = None


class Selection(NamedTuple):
    """Which requests somebody takes: those of some kinds; with ``channels`` only messages on them; and none on the
    channels of ``without``, which are another's. ``threads``: each message is told what went before it in its case."""

    kinds: Sequence[str] = KINDS
    channels: Sequence[str] | None = None
    without: Sequence[str] = ()
    threads: bool = False

    def serves(self, channel: str) -> bool:
        """Whether a request on a channel ("" for none) is among them."""
        return (self.channels is None or channel in self.channels) and channel not in self.without

    @property
    def counts(self) -> tuple[int, int | None, int]:
        """How many kinds and channels are named, and how many channels left out, as statements want to know it."""
        return len(self.kinds), None if self.channels is None else len(self.channels), len(self.without)

    @property
    def values(self) -> tuple[str, ...]:
        """All that is named, as it stands for the values of those statements."""
        return (*self.kinds, *(self.channels or ()), *self.without)


@dataclass(frozen=True, slots=True)
class Request:
    """A request: ``record`` is the CloudEvent that asks for it, ``ready`` when it may be taken (again). ``thread`` are
    the messages of its case before it, where they were asked for."""

    id: str
    kind: str
    subject: str
    flow: str
    time: int
    state: str
    ready: int
    leased_by: str | None
    lease: int
    attempts: int
    put_off: int
    fault: str | None
    record: dict[str, Any]
    thread: tuple[Earlier, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """The data of the record."""
        found: dict[str, Any] = self.record["data"]
        return found

    def as_dict(self) -> dict[str, Any]:
        """The request as JSON can hold it."""
        told: dict[str, Any] = {"id": self.id, "kind": self.kind, "state": self.state, "attempts": self.attempts}
        if self.ready and self.state in (WAITING, LEASED):
            told["ready"] = text_of(self.ready)
        if self.leased_by is not None:
            told |= {"leased_by": self.leased_by, "lease": self.lease}
        if self.fault is not None:
            told["fault"] = self.fault
        return {**told, "record": self.record}


class Outbox:
    """The outbox of a store. Instants are microseconds since 1970."""

    def __init__(self, store: Store, sealer: DataKeys) -> None:
        self.store = store
        self._sealer = sealer

    def listed(self, states: Sequence[str], kind: str | None, limit: int | None, reader: Reader) -> Iterator[Request]:
        """The requests in some states, those that were asked for first first, as many as there are."""
        question = statements.requests_in(len(states), kind is not None, limit is not None)
        values = [*states, *(each for each in (kind, limit) if each is not None)]
        with self.store.reading() as transaction:
            for row in transaction.stream(question, values):
                yield self._request(row, reader)

    def counts(self) -> dict[str, int]:
        """How many requests are in each state."""
        with self.store.reading() as transaction:
            found = dict(transaction.rows(statements.COUNT_REQUESTS))
        return {state: found.get(state, 0) for state in STATES}

    def take(
        self, now: int, lease: int, most: int, who: str, selection: Selection, attempts: int = MOST_ATTEMPTS
    ) -> list[Request]:
        """Take up to ``most`` requests until ``now + lease``, those that are ready longest first, with nothing masked.

        A request whose lease has ended for the last of its ``attempts`` is parked.
        """
        ready = statements.requests_ready(*selection.counts)

        def work(transaction: Transaction) -> list[Request]:
            transaction.run(statements.PARK_LOST, (f"it was taken {attempts} times and never done", now, attempts))
            ids = [id for (id,) in transaction.rows(ready + transaction.skip_locked, (now, *selection.values, most))]
            transaction.many(statements.LEASE_REQUEST, [(who, now + lease, id) for id in ids])
            found = [self._one(transaction, id, CARRIER) for id in ids]
            return [self._threaded(transaction, each) for each in found] if selection.threads else found

        return self.store.attempt(work)

    def next_ready(self, selection: Selection) -> int | None:
        """When the first of some requests may be taken; None where all are done or parked."""
        with self.store.reading() as transaction:
            first: int | None = transaction.rows(statements.next_request(*selection.counts), selection.values)[0][0]
            return first

    def renew(self, requests: Iterable[Request], until: int) -> set[str]:
        """Have requests for longer; the ids of those that are still this one's."""

        def work(transaction: Transaction) -> set[str]:
            return {
                each.id for each in requests if transaction.run(statements.RENEW_LEASE, (until, each.id, each.lease))
            }

        return self.store.attempt(work)

    def done(self, said: Iterable[Claim]) -> None:
        """Say that requests were carried out. Raises ``NoRequest``, and then none of them is done."""

        def work(transaction: Transaction) -> None:
            for each in said:
                self._change(transaction, statements.FINISH_REQUEST, (), each)

        self.store.attempt(work)

    def fail(
        self, said: Sequence[Claim], now: int, fault: str, park: bool = False, attempts: int = MOST_ATTEMPTS
    ) -> list[Request]:
        """Say that requests could not be carried out: each waits twice as long as the last time, or is parked after so
        many ``attempts``, or at once with ``park``. Raises ``NoRequest``, and then nothing is changed."""

        def work(transaction: Transaction) -> list[Request]:
            for each in said:
                found = self._one(transaction, each.id, CARRIER)
                if found.state == DONE:
                    raise NoRequest(f'"{each.id}" was done already')
                if found.state == PARKED and not park:
                    continue  # its facts were erased meanwhile, or its lease ended and nobody else may take it
                state = PARKED if park or found.attempts >= attempts else WAITING
                values = state, now + _wait(found.attempts), fault[:LONGEST_FAULT]
                self._change(transaction, statements.FAIL_REQUEST, values, each)
            return [self._one(transaction, each.id, CARRIER) for each in said]

        return self.store.attempt(work)

    def put_off(self, said: Sequence[Claim], now: int, fault: str) -> list[Request]:
        """Let requests wait that could not be carried out by no fault of theirs that is known: it costs no attempt."""

        def work(transaction: Transaction) -> list[Request]:
            for each in said:
                found = self._one(transaction, each.id, CARRIER)
                if found.state != LEASED:
                    continue
                values = now + _wait(found.put_off + 1), fault[:LONGEST_FAULT]
                self._change(transaction, statements.PUT_REQUEST_OFF, values, each)
            return [self._one(transaction, each.id, CARRIER) for each in said]

        return self.store.attempt(work)

    def release(self, requests: Sequence[Request]) -> None:
        """Put back what was taken and not tried; it may be taken again at once."""

        def work(transaction: Transaction) -> None:
            rows = [(0, each.data.get("channel") or "", each.id, each.lease) for each in requests]
            transaction.many(statements.RELEASE_REQUEST, rows)

        if requests:
            self.store.attempt(work)

    def replay(self, ids: Sequence[str]) -> int:
        """Let parked requests wait again, as if for the first time; all that are parked where ``ids`` names none; how
        many there were. Raises ``NoRequest``, and then nothing is changed."""

        def work(transaction: Transaction) -> int:
            wanted = ids or [id for (id,) in transaction.rows(statements.PARKED_REQUESTS)]
            for id in wanted:
                if not transaction.run(statements.REPLAY_REQUEST, (id,)):
                    raise NoRequest(f'"{id}" is {self._one(transaction, id, CARRIER).state}, not parked')
            return len(wanted)

        return self.store.attempt(work)

    def _change(self, transaction: Transaction, sql: str, values: tuple[Any, ...], said: Claim) -> None:
        """Change a request whose state is somebody's to say. Raises ``NoRequest``."""
        whose = statements.BY_ID if said.lease is None else statements.BY_LEASE
        by = () if said.lease is None else (said.lease,)
        if transaction.run(sql + whose, (*values, said.id, *by)):
            return
        found = self._one(transaction, said.id, CARRIER)
        if said.lease is None:
            raise NoRequest(
                f'"{said.id}" was taken again after a lease of it had ended: say which one you have with --lease N '
                "(`outbox take` gives it)"
            )
        raise NoRequest(f'"{said.id}": lease {said.lease} is over, {_since(found)}')

    def _threaded(self, transaction: Transaction, request: Request) -> Request:
        """A request with the messages of its case before it."""
        sequence: int = request.record["sequence"]
        return replace(request, thread=thread_of(transaction, self._sealer, request.subject, request.flow, sequence))

    def _one(self, transaction: Transaction, id: str, reader: Reader) -> Request:
        found = transaction.rows(statements.REQUEST_OF_ID, (id,))
        if not found:
            raise _unknown(id)
        return self._request(found[0], reader)

    def _request(self, row: tuple[Any, ...], reader: Reader) -> Request:
        id, kind, subject, flow, time, state, ready, leased_by, lease, attempts, put_off, fault, line, sealed = row
        record = orjson.loads(line)
        record["data"] = Looker(reader, self._sealer).data(record["data"], sealed)
        return Request(
            id, kind, subject, flow, time, state, ready, leased_by, lease, attempts, put_off, fault, record
        )  # fmt: skip


def claims(requests: Iterable[Request]) -> list[Claim]:
    """Requests as one speaks of them who has taken them."""
    return [Claim(each.id, each.lease) for each in requests]


def _wait(times: int) -> int:
    """How long a request waits that has failed so often: twice as long each time, up to a bound."""
    return min(FIRST_WAIT << min(max(times - 1, 0), 40), LONGEST_WAIT)


def _since(found: Request) -> str:
    if found.state == LEASED and found.leased_by is not None:
        return f"{found.leased_by} has the request by lease {found.lease}"
    return f"the request is {found.state}"


def _unknown(id: str) -> NoRequest:
    return NoRequest(f'there is no request "{id}" in the outbox; `carepolicy outbox list` shows them')


class Earlier(NamedTuple):
    """A message of the same case that was asked for before: its request's id, its channel, and the Message-ID of the
    customer's mail that the case knew then; None where it knew none, or where that was erased."""

    id: str
    channel: str
    answers: str | None


def thread_of(
    transaction: Transaction, sealer: DataKeys, subject: str, flow: str, sequence: int
) -> tuple[Earlier, ...]:
    """The messages of the case before a record of it, the first first; of many the last ones."""
    found = list(_before(transaction, sealer, subject, flow, sequence, DEEPEST_MERGE))
    return tuple(found[-MOST_EARLIER:])


def _before(
    transaction: Transaction, sealer: DataKeys, subject: str, flow: str, sequence: int, depth: int
) -> Iterator[Earlier]:
    opened = transaction.rows(statements.CASE_BEGAN, (subject, flow, sequence))
    begin, time = opened[0] if opened else (0, 0)  # the first records of a case may be gone
    for (other,) in transaction.rows(statements.MERGED_FROM, (subject,)) if depth else ():
        for closed, when in transaction.rows(statements.LAST_CLOSED, (other, flow)):
            if when >= time:  # else an earlier case had joined it
                yield from _before(transaction, sealer, other, flow, closed, depth - 1)
    rows = transaction.rows(statements.MESSAGES_BEFORE, (subject, flow, begin, sequence, MOST_EARLIER))
    looker = Looker(CARRIER, sealer)
    for line, sealed in reversed(rows):
        record = orjson.loads(line)
        data = looker.data(record["data"], sealed)
        yield Earlier(record["id"], data.get("channel") or "", data.get(REPLIES_TO))
