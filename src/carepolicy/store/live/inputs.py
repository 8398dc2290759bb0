"""Inputs of runs, known again by what they begin with, whatever they are called now.

A log that is rotated has its name taken by another, and all pipes have the same name. So an input is looked up by its
first line, and compared up to what was taken of it, within its first bytes.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import orjson

from carepolicy.engine.instants import NEVER
from carepolicy.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from carepolicy.store.contract import Store, Transaction

READ_SO_FAR = 1 << 16
"""By so many of its first bytes, at most, an input is known again."""


@dataclass(slots=True)
class Progress:
    """``line`` is the last line that was taken. ``events``, ``records`` and ``lates`` count from the first line on,
    ``tally`` what was not taken, by its code. A *stretch* is what is read from one end of the input to the next (an
    input may grow): it ``begins`` behind a line, with so many records and dead letters ``before`` it; ``ends``
    counts the ends before it. ``ended`` says that what falls due at the end was fired and written out as well.

    ``fingerprint`` is that of the first ``length`` bytes, by which the input is known again. ``last`` is a digest of
    the last line that was taken, ``open_end`` says that it had no line break yet: where it has grown, it is taken
    again, and its records and dead letters of before are those up to ``mark`` and ``letters_mark``. ``alone`` are lines
    that were taken beside all shares. ``behind`` and ``letters_behind`` are lines that its files had from elsewhere.
    ``reader`` is who reads it, or did last."""

    line: int = 0
    latest: int = -NEVER
    events: int = 0
    records: int = 0
    lates: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    begins: int = 0
    before: int = 0
    letters_before: int = 0
    letters: int = 0
    ends: int = 0
    ended: bool = False
    fingerprint: str = ""
    length: int = 0
    last: str = ""
    open_end: bool = False
    mark: int = NEVER
    letters_mark: int = NEVER
    alone: int = 0
    behind: int = 0
    letters_behind: int = 0
    reader: str = ""


def progress_of(transaction: Transaction, input: int, share: int, own: bool = False) -> Progress:
    """How far a share of an input was read: nowhere, where nothing is kept of it. With ``own`` that is then this
    transaction's own."""
    found = transaction.rows(statements.POSITION + (transaction.locked if own else ""), (input, share))
    if not found:
        return Progress()
    line, state = found[0]
    kept = orjson.loads(state)
    return Progress(line=line, **{**kept, "tally": Counter(kept["tally"])})


def keep_progress(transaction: Transaction, progress: Progress, input: int, share: int) -> None:
    """Keep how far a share of an input was read."""
    kept = {each.name: getattr(progress, each.name) for each in fields(progress) if each.name != "line"}
    transaction.run(statements.KEEP_POSITION, (input, share, progress.line, orjson.dumps(kept)))


class KnownInput(NamedTuple):
    """An input of which the store knows: its number, how many shares it is read in, and how far it was read."""

    number: int
    shares: int
    progress: Progress


class Input:
    """The bytes of an input, a block at a time, of which the first are looked at before they are read."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._waiting: list[bytes] = []
        self._head = bytearray()
        self._ended = self._all_read = False
        self._last = b"\n"

    def __iter__(self) -> Iterator[bytes]:
        """The blocks."""
        while self._waiting or self._more():
            yield self._waiting.pop(0)
        self._all_read = True

    @property
    def is_unfinished(self) -> bool:
        """Whether all was read, and the last line has no line break."""
        return self._all_read and self._last != b"\n"

    def _more(self) -> bool:
        block = b"" if self._ended else next(self._blocks, b"")
        if not block:
            self._ended = True
            return False
        self._waiting.append(block)
        self._last = block[-1:]
        if len(self._head) < READ_SO_FAR:
            self._head += block[: READ_SO_FAR - len(self._head)]
        return True

    def first_line(self) -> bytes | None:
        """A digest of the first line that is not blank; None where there is none that has come to its end."""
        while b"\n" not in (head := self._head.lstrip()) and len(self._head) < READ_SO_FAR and self._more():
            pass
        line, end, _ = head.partition(b"\n")
        if not end and len(self._head) < READ_SO_FAR and not is_whole(bytes(line)):
            return None
        return blake2b(line.strip(), digest_size=16).digest()

    def look(self, length: int) -> None:
        """Wait until so much of it has come, or all."""
        while len(self._head) < length and self._more():
            pass

    def begins_as(self, progress: Progress) -> bool:
        """Whether it begins with what was taken of an input, as far as was looked."""
        return bool(progress.fingerprint) and self._fingerprint(progress.length) == progress.fingerprint

    def note_beginning(self, progress: Progress, line: int) -> None:
        """Note that all was taken up to a line, as far as an input is known by its beginning."""
        if progress.length == READ_SO_FAR:
            return
        end = 0
        for _ in range(line):
            end = self._head.find(b"\n", end) + 1 or len(self._head)
            if end == len(self._head):
                break
        if end > progress.length:
            progress.length, progress.fingerprint = end, self._fingerprint(end)

    def _fingerprint(self, length: int) -> str:
        return blake2b(self._head[:length], digest_size=16).hexdigest() if len(self._head) >= length else ""


def digest_of(line: bytes) -> str:
    """By which the last line that was taken is known again, when it has got its line break."""
    return str(blake2b(line.strip(), digest_size=16).hexdigest())


def me() -> str:
    """This process, as the reader of an input."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def is_whole(line: bytes) -> bool:
    """Whether a line holds all of a JSON object, so that its end is no more than a line break away."""
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def look(store: Store, source: Input) -> None:
    """Wait until enough of an input has come to know it again. No transaction of a store is to wait for a pipe."""
    first = source.first_line()
    if first is not None:
        with store.reading() as transaction:
            alike = _beginning_with(transaction, first)
        source.look(max((each.progress.length for each in alike), default=0))


def known_input(transaction: Transaction, source: Input) -> KnownInput | None:
    """What the store knows of an input; None where it does not know it. Of several that begin alike it is the one of
    which most was compared."""
    first = source.first_line()
    if first is None:
        return None
    transaction.lock(f"input {first.hex()}")
    found = [each for each in _beginning_with(transaction, first) if source.begins_as(each.progress)]
    if not found:
        return None
    best = max(found, key=lambda each: each.progress.length)
    transaction.run(statements.NOTE_BEGINNING, (first, best.number))
    return best


def _beginning_with(transaction: Transaction, first: bytes) -> list[KnownInput]:
    return [
        KnownInput(number, shares, progress_of(transaction, number, own_share(shares)))
        for number, shares in transaction.rows(statements.BEGINNING_ALIKE, (first,))
    ]


def own_share(shares: int) -> int:
    """The share of the run itself: the only one, or one behind those of its workers."""
    return 0 if shares == 1 else shares


def new_input(transaction: Transaction, source: Input, name: str, shares: int) -> KnownInput:
    """Note an input that begins. Where another of its name is known, and something was read of that, it gets a number
    behind it."""
    unique, times = name, 1
    while had := transaction.rows(statements.INPUT, (unique,)):
        number, had_shares = had[0]
        if had_shares == shares and not progress_of(transaction, number, own_share(shares)).fingerprint:
            break
        times += 1
        unique = f"{name} #{times}"
    else:
        ((number,),) = transaction.rows(statements.OPEN_INPUT, (unique, shares))
    progress, first = Progress(), source.first_line()
    if first is not None:
        transaction.run(statements.NOTE_BEGINNING, (first, number))
        source.note_beginning(progress, 1)
    keep_progress(transaction, progress, number, own_share(shares))
    return KnownInput(number, shares, progress)


def summed(transaction: Transaction, number: int, shares: int) -> Progress:
    """How far several workers have come with an input: the progress of the run, with what all shares have done."""
    now = progress_of(transaction, number, shares)
    parts = [progress_of(transaction, number, share) for share in range(shares)]
    line = max(part.line for part in parts)
    if line >= now.line:
        now.line, now.last, now.open_end = line, "", False
    now.latest = max(now.latest, *(part.latest for part in parts))
    now.events = now.alone + sum(part.events for part in parts)
    now.records = int(transaction.rows(statements.COUNT_RECORDS_OF, (number, number))[0][0])
    now.lates = transaction.rows(statements.COUNT_LATE_OF, (number,))[0][0]
    now.tally = Counter(dict(transaction.rows(statements.COUNT_LETTERS_OF, (number,))))
    now.letters = now.tally.total()
    return now


def as_one(transaction: Transaction, known: KnownInput) -> KnownInput:
    """An input that several workers have read to its end, as one that a single one goes on with."""
    number = known.number
    progress = summed(transaction, number, known.shares)
    transaction.run(statements.FORGET_POSITIONS, (number,))
    transaction.run(statements.AS_ONE_SHARE, (number,))
    keep_progress(transaction, progress, number, 0)
    return KnownInput(number, 1, progress)
