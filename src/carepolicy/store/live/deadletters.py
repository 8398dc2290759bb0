"""The dead letters of a store: events that were not taken, looked at, and taken again when the reason is gone.

One that is taken again is settled in the transaction that takes it, so that it is taken once however often that is
asked for. Where it is refused again there is a new dead letter, with the new reason, in place of the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from carepolicy.engine.codes import CARD
from carepolicy.policy.characters import MASK
from carepolicy.store.contract import storable
from carepolicy.store.live.batch import NOT_AGAIN, Batch
from carepolicy.store.live.operation import finished
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carepolicy.machine.program import Bundle
    from carepolicy.store.contract import Store, Transaction
    from carepolicy.store.live.batch import Wall
    from carepolicy.store.live.operation import Done, Operation
    from carepolicy.store.privacy.seal import DataKeys, Looker, Reader

RAISED = "/carepolicy"
"""The source of an event that a flow has raised."""


class NoLetter(LookupError):
    """There is no such dead letter, or it cannot be taken again; the message says why."""


class DeadLetter(NamedTuple):
    """A dead letter: its number in the store, the log that it came from (None: it came alone) and the line there."""

    no: int
    code: str
    reason: str
    log: str | None
    line: int | None
    event: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The letter as JSON can hold it."""
        told: dict[str, Any] = {"no": self.no, "code": self.code, "reason": self.reason}
        if self.log is not None:
            told |= {"log": self.log, "line": self.line}
        return {**told, "event": self.event}


class TakenAgain(NamedTuple):
    """What became of a dead letter: records; where it was refused again the code, the reason, and the new number."""

    no: int
    records: str
    code: str | None = None
    reason: str | None = None
    now: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        if self.code is None:
            return {"no": self.no, "is": "taken"}
        return {"no": self.no, "is": "refused", "code": self.code, "reason": self.reason, "now": self.now}


def listed(
    store: Store, bundle: Bundle, looker: Looker, code: str | None, subject: str | None = None, limit: int | None = None
) -> Iterator[DeadLetter]:
    """The dead letters that are not settled, the last ones first."""
    question = statements.letters(code is not None, subject is not None, limit)
    values = [each for each in (code, None if subject is None else storable(subject)) if each is not None]
    with store.reading() as transaction:
        for row in transaction.stream(question, values):
            yield _letter(row, bundle, looker)


def one(store: Store, bundle: Bundle, looker: Looker, no: int) -> DeadLetter:
    """A dead letter. Raises ``NoLetter``."""
    with store.reading() as transaction:
        return _letter(_row(transaction, no), bundle, looker)


def take_again(operation: Operation, no: int, wall: Wall, at_present: bool) -> TakenAgain:
    """Take the event of a dead letter, ``at_present`` as if it happened now. Raises ``NoLetter``, and then nothing is
    changed."""

    def work(transaction: Transaction) -> TakenAgain:
        memory = operation.memory(transaction)
        row = _row(transaction, no)
        event = _whole(row, operation.sealer)
        if not transaction.run(statements.SETTLE_LETTER, (no,)):
            raise NoLetter(f"{no} was taken again already")
        if at_present:
            event.pop("time", None)
        line = event["text"] if set(event) == {"text"} else orjson.dumps(event)
        batch = Batch(memory, transaction, wall=wall)
        batch.take(batch.read([(1, line)]))
        return _result(no, finished(batch), transaction)

    return operation.attempt(work)


def _result(no: int, done: Done, transaction: Transaction) -> TakenAgain:
    refused = [letter for letter in done.letters if orjson.loads(letter)["code"] != CARD]
    if not refused:
        return TakenAgain(no, done.records)
    told = orjson.loads(refused[0])
    now: int = transaction.rows(statements.NEWEST_LETTER, (refused[0].rstrip("\n"),))[0][0]
    return TakenAgain(no, done.records, told["code"], told["reason"], now)


def _row(transaction: Transaction, no: int) -> tuple[Any, ...]:
    found = transaction.rows(statements.LETTER_OF_NUMBER, (no,))
    if not found:
        raise NoLetter(f"there is no dead letter {no}; `carepolicy dead list` shows them")
    return found[0]


def _whole(row: tuple[Any, ...], sealer: DataKeys) -> dict[str, Any]:
    """The event of a dead letter as it came. Raises ``NoLetter`` where that is not kept."""
    no, code, letter, sealed, settled, _ = row
    if settled:
        raise NoLetter(f"{no} was taken again already")
    if code in NOT_AGAIN:
        raise NoLetter(f"{no} ({code}) tells of an event that was taken")
    kept = sealer.opened(sealed)
    event: dict[str, Any] = orjson.loads(letter if kept is None else kept).get("event", {})
    if event.get("source") == RAISED:
        raise NoLetter(f"{no} was raised by a flow, and cannot come from outside")
    if not event or (kept is None and MASK.encode() in orjson.dumps(event)):
        raise NoLetter(f"{no} is not kept whole: it was erased, or written before such events were; say it anew")
    return event


def _letter(row: tuple[Any, ...], bundle: Bundle, looker: Looker) -> DeadLetter:
    no, code, letter, sealed, _, log = row
    told = orjson.loads(letter)
    event = told.get("event", {})
    kept = looker.opened(sealed)
    if kept is not None:
        event = _seen(event, orjson.loads(kept)["event"], bundle, looker.reader)
    return DeadLetter(no, code, told["reason"], log, told.get("line"), event)


def _seen(shown: dict[str, Any], whole: dict[str, Any], bundle: Bundle, reader: Reader) -> dict[str, Any]:
    """An event with those of its private facts that a reader may see; what the set does not declare stays masked."""
    private = {name for name, fact in bundle.facts.items() if fact.private and reader.may((name,))}
    data = {name: whole["data"][name] if name in private else value for name, value in shown.get("data", {}).items()}
    return {**shown, "data": data} if data else shown
