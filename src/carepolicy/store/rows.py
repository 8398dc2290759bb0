"""What a store keeps, as rows: plain tuples whose fields are the columns of the tables, in their order.

Instants are microseconds since 1970. What a row has as bytes it may have as a bytearray as well, which Python's sqlite3
binds in half the time. ``key`` is the fact that names a subject, "" where the event's own
subject does; (key, subject) is the address of everything that is known about one thing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Address = tuple[str, str]
"""(key, subject)."""


class SubjectRow(NamedTuple):
    """A subject: ``due`` is when its next timer falls due; ``merged_into`` names the subject that it has become;
    ``state`` is what must be remembered although cases close (see ``snapshot``)."""

    key: str
    subject: str
    due: int | None
    merged_into: str | None
    state: bytes | bytearray


class CaseRow(NamedTuple):
    """An open case. ``body`` is its state (see ``snapshot``), ``sealed`` its private facts; the others repeat what
    lists and plans ask for: ``due`` is that of the clock that falls due first, ``late`` is 1 while a clock is late."""

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


class Held(NamedTuple):
    """All that is kept about one address. ``row`` is None where nothing is."""

    row: SubjectRow | None
    cases: tuple[CaseRow, ...]


EventRow = tuple[str, str, str]
"""(source, id, subject) of an event that was taken, by which the second of its kind is known."""

RecordRow = tuple[Any, ...]
"""A record: (key, subject, flow, sequence, loose, type, time, input, position, hash, sealed, line). A bare tuple, since
there are so many.

``flow`` is "" and ``sequence`` 0 where it belongs to no case; ``loose`` then counts such records of the subject.
``hash`` ties it to the record before it (see ``chain``). ``input`` and ``position`` (a line's number) say what caused
it, 0 where no line of an input did. ``sealed`` is its data without masks.
"""


class RequestRow(NamedTuple):
    """A message, notice or action that waits to be carried out: the record of that id asks for it. ``channel`` is that
    of a message, "" where there is none."""

    id: str
    kind: str
    subject: str
    flow: str
    sequence: int
    time: int
    channel: str


class LetterRow(NamedTuple):
    """A dead letter: an event that was not taken. ``sealed`` is the letter without masks, from which the event can be
    taken again; None where nothing in it is masked, or it could not be taken again."""

    input: int
    position: int
    code: str
    letter: str
    subject: str | None
    sealed: bytes | None


class InputRow(NamedTuple):
    """How far an input was read, in one of its shares: to which line, and what the reader needs to go on (JSON)."""

    input: int
    share: int
    line: int
    state: bytes


class HeldRow(NamedTuple):
    """A subject's events that an input's lateness holds back, sealed; ``latest`` is the latest time of them all."""

    input: int
    subject: str
    latest: int
    sealed: bytes


class VersionRow(NamedTuple):
    """A policy set that was installed: ``digest`` is that of its files. ``shadowed`` is not 0 while another set is
    tried beside the present one (see ``journal``); ``waiting`` is not 0 while single events are held back (see
    ``late``); ``restored`` is the number of the last restore (see ``restoring``), 0 where there was none."""

    id: int
    digest: str
    installed: int
    shadowed: int
    waiting: int
    restored: int
