"""What a store keeps and does, whatever it stands on: its rows, its transactions, the store itself.

Rows are plain tuples whose fields are the columns of the tables, in their order. Instants are microseconds since 1970.
What a row has as bytes it may have as a bytearray as well, which Python's sqlite3 binds in half the time. ``key`` is
the fact that names a subject, "" where the event's own subject does; (key, subject) is the address of everything that
is known about one thing.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from carepolicy.store.sql.sums import Macs

Result = TypeVar("Result")
Item = TypeVar("Item")

Address = tuple[str, str]
"""(key, subject)."""


class SubjectRow(NamedTuple):
    """A subject: ``due`` is when its next timer falls due; ``merged_into`` names the subject that it has become;
    ``state`` is what must be remembered although cases close (see ``cases.snapshot``)."""

    key: str
    subject: str
    due: int | None
    merged_into: str | None
    state: bytes | bytearray


class CaseRow(NamedTuple):
    """An open case. ``body`` is its state (see ``cases.snapshot``), ``sealed`` its private facts; the others repeat
    what lists and plans ask for: ``due`` is that of the clock that falls due first, ``late`` is 1 while one is late."""

    key: str
    subject: str
    flow: str
    version: int
    state: str
    role: str | None
    person: str | None
    late: int
    opened: int
    due: int | None
    body: bytes | bytearray
    sealed: bytes | None


class AddressRows(Struct, frozen=True):
    """All that is kept about one address. ``row`` is None where nothing is."""

    row: SubjectRow | None
    cases: tuple[CaseRow, ...]


EventRow = tuple[str, str, str]
"""(source, id, subject) of an event that was taken, by which the second of its kind is known."""

RecordRow = list[Any]
"""A record: its number, which it is given when it is written (0 until then), key, subject, flow, sequence, loose, type,
time, input, position, hash, sealed, line. A bare list, since there are so many.

``flow`` is "" and ``sequence`` 0 where it belongs to no case; ``loose`` then counts such records of the subject.
``hash`` ties it to the record before it (see ``records.chain``). ``input`` and ``position`` (a line's number) say what
caused it, 0 where no line of an input did. ``sealed`` is its data without masks.
"""


class RequestRow(Struct, frozen=True):
    """A message, notice or action that waits to be carried out: the record of that id asks for it. ``channel`` is that
    of a message, "" where there is none."""

    id: str
    kind: str
    subject: str
    flow: str
    sequence: int
    time: int
    channel: str


class LetterRow(Struct, frozen=True):
    """A dead letter: an event that was not taken. ``sealed`` is the letter without masks, from which the event can be
    taken again; None where nothing in it is masked, or it could not be taken again."""

    input: int
    position: int
    code: str
    letter: str
    subject: str | None
    sealed: bytes | None


def batched(values: Iterable[Item], most: int) -> Iterator[tuple[Item, ...]]:
    """Values, up to so many at a time, as ``itertools`` has it from Python 3.12 on."""
    left = iter(values)
    while some := tuple(islice(left, most)):
        yield some


def storable(name: str) -> str:
    """``name`` without NUL, so that no two names become one."""
    if "\0" not in name and "\\" not in name:
        return name
    return name.replace("\\", "\\\\").replace("\0", "\\0")


def named(text: str) -> str:
    """The name that ``storable`` was given."""
    if "\\" not in text:
        return text
    return "\\".join(part.replace("\\0", "\0") for part in text.split("\\\\"))


def nothing_kept() -> None:
    """What to do when a transaction was undone, for one that has kept nothing in memory: nothing."""


class Transaction(Protocol):
    """All of it happens, or nothing. What it loads belongs to it until it ends: no other transaction changes it."""

    unchanged: bool
    """Whether nobody has written to the store since the last ``attempt`` of the same ``who``, be it another process or
    somebody else by way of this store."""

    shared: str
    """The end of a question whose rows nobody else may change until this transaction ends."""

    skip_locked: str
    """The end of a question that takes the rows it finds for this transaction, and leaves out those of others."""

    locked: str
    """The end of a question that takes the rows it finds for this transaction, and waits for others that have them."""

    def keep_others_out(self) -> None:
        """Wait for those who are writing subjects and cases, and let nobody else begin until this ends."""

    # subjects and their cases
    def load(self, addresses: Sequence[Address]) -> dict[Address, AddressRows]:
        """What is kept about some addresses, each of which is then this transaction's own."""

    def forget(self) -> None:
        """Forget what was loaded, which is loaded again before it is saved."""

    def save(self, subjects: Sequence[SubjectRow], cases: Sequence[CaseRow], gone: Sequence[tuple[str, ...]]) -> None:
        """Keep subjects and open cases; ``gone`` are the (key, subject, flow) of cases that are not open any more."""

    def lock(self, name: str) -> None:
        """Let nobody else who asks for it have this name until this transaction ends."""

    # timers
    def due(self, until: int, most: int) -> list[tuple[int, Address]]:
        """When a timer falls due by ``until``, and at which address: the earliest first, without addresses that another
        transaction is at work on."""

    def next_due(self) -> int | None:
        """When the first timer of all falls due."""

    # what came in, and what went out
    def claim(self, events: Sequence[EventRow]) -> set[tuple[str, str]]:
        """Note events as taken, no two of one source and id; the (source, id) of those that were taken before."""

    def append(self, records: Sequence[RecordRow], requests: Sequence[RequestRow]) -> None:
        """Add records, and what they ask for to the outbox."""

    # what proves the rest (see ``sums``)
    shards: int
    """In how many rows the sums are kept."""

    @property
    def macs(self) -> Macs:
        """The key at work, made now where there is none yet. Raises ``WrongKey``, ``Altered``."""

    def known_macs(self) -> Macs | None:
        """The key at work, None where there is none yet. Raises ``WrongKey``, ``Altered``."""

    def share_macs(self, key: str) -> None:
        """Let a holder of another of the store's keys have the key of the macs."""

    def holds_anything(self) -> bool:
        """Whether there is anything to prove."""

    # questions
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question in SQL, in which ``?`` stands for a value."""

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The same, for answers that do not fit in memory."""

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement in SQL; how many rows it changed."""

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of some rows."""


class Store(Protocol):
    """A store that is open."""

    url: str

    beside: list[Store]
    """What is closed with this store."""

    many_writers: bool
    """Whether several processes may write to it at once, each by a connection of its own to a server."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction that is committed at the end of the block, and undone where the block raises."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the store and changes nothing."""

    def inspection(self) -> AbstractContextManager[Transaction]:
        """The same, in which whatever stands in the store can be read, be it what its tables cannot hold."""

    def damages(self) -> list[tuple[str, str]]:
        """What is wrong with the file or the tables themselves: where (a table, "" for all), and in words."""

    def still(self) -> AbstractContextManager[Transaction]:
        """The same at an instant at which nobody was writing, and after which nobody writes who began before this was
        called. Raises ``Busy`` where such a moment does not come."""

    def attempt(
        self, work: Callable[[Transaction], Result], undone: Callable[[], None] = nothing_kept, who: object = None
    ) -> Result:
        """Do ``work`` in a transaction, again where it lost against another; ``undone`` is called after that. ``who``
        does it is said by those who remember what they loaded from one attempt to the next."""

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a question in SQL, as the transaction that is under way sees it, or else by itself."""

    def scrub(self) -> str | None:
        """Take what was erased out of the files of the database, too; what is left there, in words, and why."""

    def wait(self, seconds: float) -> bool:
        """Sleep until a timer may have come to be due earlier than was known, or that long; whether it was woken."""

    def share_is_mine(self, input: int, share: int) -> bool:
        """Take a share of an input for as long as this process lives and the store is open; False where another has
        it."""

    def leave_share(self, input: int, share: int) -> None:
        """Let go of a share."""

    def copy_to(self, path: str) -> None:
        """Write all that is here at one instant into the file ``path``, which becomes a store in SQLite."""

    def size(self) -> int:
        """How many bytes it takes on the disk."""

    def rest(self) -> None:
        """Let the store be one file alone, until somebody works with it again."""

    def close(self) -> None:
        """Let go of the store."""
