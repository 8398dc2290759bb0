"""A record: what happened to a case, or to an event that none took, as a value. It becomes text where it leaves.

The engine makes two or three records an event, so three forms were measured. With dictionaries that orjson writes, a
whole run took half as long again; a named tuple is made in 190 ns; a ``msgspec.Struct`` that the garbage collector does
not look at in 40 ns, a third of what its line takes to write.

A record's data is a mapping that knows its own text. ``Known``: the text is made once, since all of it is known before
the case. ``ClockData`` and ``TextData``: it is put together from prepared stretches, for a clock and for a message.
``Told``: orjson writes all else.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import msgspec
from orjson import dumps, loads

from carepolicy.engine.instants import HOUR, NoInstant, hour_text, parse, rest_text, text_of

SPECVERSION = "1.0"
PREFIX = "carepolicy."
"""What the CloudEvents type of a record begins with, before its kind."""

SMALL = 4096

AT_A_TIME = 256
"""Records whose lines are joined at a time: of thousands each line would lie in memory that nobody has touched yet."""


def slug(name: str) -> str:
    """A name as part of a URI reference: lower case, runs of other characters as one hyphen."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) or "organisation"


class _NumberTexts(dict[int, str]):
    """Numbers as texts, each that is below ``SMALL`` worked out once: it takes longer than all the rest of a record."""

    def __missing__(self, number: int) -> str:
        text = str(number)
        if 0 <= number < SMALL:
            self[number] = text
        return text


class _Kinds(dict[str, str]):
    """By kind, what stands between the id and the subject of a record of one organisation."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = dumps(source).decode()

    def __missing__(self, kind: str) -> str:
        text = self[kind] = f'","source":{self._source},"type":"{PREFIX}{kind}","subject":'
        return text


class ProgramId:
    """The flow and version by which a case lives, and the ``source`` of its records, a URI reference."""

    __slots__ = ("flow", "head", "kinds", "source", "tail", "version")

    def __init__(self, flow: str, version: int, source: str) -> None:
        self.flow = flow
        self.version = version
        self.source = source
        name = dumps(flow).decode()
        self.head = f'{{"specversion":"{SPECVERSION}","id":"{name[1:-1]}/'
        self.kinds = _Kinds(source)
        self.tail = f'","flow":{name},"flowversion":{version},"sequence":'

    def __eq__(self, other: object) -> bool:
        """Whether another says the same."""
        return isinstance(other, ProgramId) and self._key() == other._key()

    def __hash__(self) -> int:
        """Of what it says."""
        return hash(self._key())

    def _key(self) -> tuple[str, int, str]:
        return self.flow, self.version, self.source

    def __reduce__(self) -> tuple[type[ProgramId], tuple[str, int, str]]:
        """What another process makes it of."""
        return ProgramId, (self.flow, self.version, self.source)

    def __repr__(self) -> str:
        """Flow and version."""
        return f"{self.flow} {self.version}"


class NoProgram(msgspec.Struct, frozen=True, gc=False):
    """In place of a program, where a record belongs to no case: its ``id`` and source, the flow that would not start,
    and which of subject and time the event lacked."""

    id: str
    source: str
    flow: str = ""
    lacks: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """Of no flow: 0."""
        return 0


class _MappingStruct(msgspec.StructMeta, ABCMeta):
    """Structs that are mappings."""


class ClockBasis:
    """What all records of a clock's rounds under one limit have in common: its name, the basis of the seconds, and the
    limit in seconds where that is always the same."""

    __slots__ = ("begin", "clock", "end", "kind", "limit", "limited")

    def __init__(self, clock: str, kind: str, limit: float) -> None:
        self.clock = clock
        self.kind = kind
        self.limit = limit
        self.begin = f'{{"clock":{dumps(clock).decode()},'
        self.end = f',"basis":{dumps(kind).decode()}'
        self.limited = f',"limit":{limit}{self.end}}}'

    def text(self, due: str | None, used: str) -> str:
        """The data of a record under the limit that is always the same, as JSON; due time and use as texts."""
        begin = self.begin if due is None else f'{self.begin}"due":"{due}",'
        return f'{begin}"used":{used}{self.limited}'

    def __reduce__(self) -> tuple[type[ClockBasis], tuple[str, str, float]]:
        """What another process makes it of."""
        return ClockBasis, (self.clock, self.kind, self.limit)


class _DataStruct(msgspec.Struct, Mapping[str, Any], metaclass=_MappingStruct, gc=False, frozen=True, eq=False):
    """Data of a record that is a struct; as a mapping it is what its ``fields`` are."""

    def fields(self) -> dict[str, Any]:
        """The data as a dictionary."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """Whether another mapping has the same fields."""
        if isinstance(other, _DataStruct):
            return self.fields() == other.fields()
        return isinstance(other, Mapping) and self.fields() == dict(other)

    def __ne__(self, other: object) -> bool:
        """The contrary: that of a Struct does not ask ``__eq__``."""
        return not self == other

    def __getitem__(self, name: str) -> Any:
        """One field."""
        return self.fields()[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the fields that there are."""
        return iter(self.fields())

    def __len__(self) -> int:
        """How many there are."""
        return len(self.fields())


class ClockData(_DataStruct, gc=False, frozen=True, eq=False):
    """The data of a record of a clock: ``due`` (microseconds since 1970) where it has a due time; seconds used, of
    which limit, and by which it is over; and a code and a reason where there is something to be said."""

    basis: ClockBasis
    due: int | None
    used: float
    limit: float
    over: float | None = None
    code: str | None = None
    reason: str | None = None

    @property
    def json(self) -> str:
        """The data as JSON."""
        basis, due = self.basis, self.due
        begin = basis.begin
        if due is not None:
            begin = f'{begin}"due":"{hour_text[due // HOUR]}{rest_text[due % HOUR]}",'
        if self.limit is basis.limit and self.reason is None and self.over is None:
            return f'{begin}"used":{self.used}{basis.limited}'
        more = "" if self.over is None else f',"over":{self.over}'
        if self.code is not None:
            more += f',"code":{dumps(self.code).decode()}'
        if self.reason is not None:
            more += f',"reason":{dumps(self.reason).decode()}'
        return f'{begin}"used":{self.used},"limit":{self.limit}{basis.end}{more}}}'

    def fields(self) -> dict[str, Any]:
        """The data as a dictionary."""
        due = {} if self.due is None else {"due": text_of(self.due)}
        told = {"clock": self.basis.clock, **due, "used": self.used, "limit": self.limit, "basis": self.basis.kind}
        more = {"over": self.over, "code": self.code, "reason": self.reason}
        return {**told, **{name: value for name, value in more.items() if value is not None}}


class TextData(_DataStruct, gc=False, frozen=True, eq=False):
    """The data of a record that says something to somebody, as JSON. ``known`` are the fields that are known before
    the case: they are told without reading that."""

    known: dict[str, Any]
    json: str

    def fields(self) -> dict[str, Any]:
        """The data as a dictionary."""
        fields: dict[str, Any] = loads(self.json)
        return fields

    def __getitem__(self, name: str) -> Any:
        """One field."""
        return self.known[name] if name in self.known else self.fields()[name]


def json_text(text: str) -> str:
    """A text as it stands between quotes in JSON."""
    return dumps(text).decode()[1:-1]


def seconds(units: int, unit: int) -> int | float:
    """An amount in seconds, to the microsecond. Below zero, before the day of the start has closed, nothing is used."""
    if units < 0:
        return 0
    return round(units / unit, 6) if units % unit else units // unit


class Told(dict[str, Any]):
    """Data that is known only when it happens."""

    __slots__ = ()

    @property
    def json(self) -> str:
        """The data as JSON."""
        return dumps(self).decode()


class Known(Told):
    """Data that is known before the case; nobody changes it."""

    __slots__ = ("json",)

    json: str

    def __init__(self, **fields: Any) -> None:
        super().__init__(fields)
        self.json = dumps(fields).decode()


Data = Told | ClockData | TextData
"""What a record tells beside what, whom and when it is about."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record. ``kind`` is its CloudEvents type without ``carepolicy.``; ``when`` is its time in UTC (RFC 3339).

    A record of an event that reached no case has the sequence 0 and ``NoProgram``; what the event lacked of subject and
    time is empty.
    """

    program: ProgramId | NoProgram
    subject: str
    sequence: int
    kind: str
    when: str
    data: Data

    @property
    def flow(self) -> str:
        """The flow of the case; empty where there is none."""
        return self.program.flow

    @property
    def version(self) -> int:
        """The version of the flow; 0 where there is none."""
        return self.program.version

    @property
    def at(self) -> int:
        """The time in microseconds since 1970; 0 where there is none that exists."""
        try:
            return parse(self.when)
        except NoInstant:
            return 0

    def as_dict(self) -> dict[str, Any]:
        """The CloudEvent as a dictionary."""
        of = self.program
        if isinstance(of, ProgramId):
            identity = f"{of.flow}/{self.subject}/{self.sequence}"
            lacks: tuple[str, ...] = ()
            case = {"flow": of.flow, "flowversion": of.version, "sequence": self.sequence}
        else:
            identity, lacks, case = of.id, of.lacks, {"flow": of.flow} if of.flow else {}
        told = {"specversion": SPECVERSION, "id": identity, "source": of.source, "type": PREFIX + self.kind}
        about = {name: value for name, value in (("subject", self.subject), ("time", self.when)) if name not in lacks}
        return {**told, **about, **case, "data": dict(self.data)}


class Passage(msgspec.Struct, frozen=True, gc=False):
    """Records of one case at one instant that follow each other, as the lines that they become: where nobody asks for
    the values of records that are soon to be text, they are never made. ``sequence`` is that of the last of ``count``.
    """

    program: ProgramId
    subject: str
    sequence: int
    when: str
    text: str
    count: int


Written = Record | Passage
"""What a run has written. It makes passages only where it was told that it may."""


def as_values(written: Iterable[Written]) -> list[Record]:
    """What a run has written that makes no passages, as the records that it is."""
    records = list(written)
    assert Passage not in set(map(type, records)), "a run makes passages only for whoever takes them"
    return cast("list[Record]", records)


def count_of(written: Iterable[Written]) -> int:
    """How many records that is."""
    return sum([each.count if isinstance(each, Passage) else 1 for each in written])


class Sink(Protocol):
    """What takes records, one after the other: a list."""

    def append(self, record: Record, /) -> object:
        """Take the next record."""


class Hearer(Protocol):
    """Whoever hears what happens when it happens, so that nobody keeps records of it."""

    def hear(self, record: Record) -> None:
        """Take the next record."""

    def code(self, signature: str) -> Any:
        """A function that has no lines yet (a ``Code`` of engine/fast), which tells of records as this wants them."""


class HeardList(list[Written]):
    """In place of a list of records: each is heard at once, and none is kept."""

    def __init__(self, hearer: Hearer) -> None:
        super().__init__()
        self._hear = hearer.hear

    def append(self, record: Written, /) -> None:
        """Tell the hearer of the next record."""
        assert isinstance(record, Record), "a run makes no passages for a hearer"
        self._hear(record)


def as_read(record: Record, epoch: str = "") -> Record:
    """A record as it is when its line was read: one that belongs to no case has its id with the epoch of a store, and
    of its time what exists."""
    of = record.program
    if isinstance(of, ProgramId):
        return record
    try:
        parse(record.when)
        when = record.when
    except NoInstant:
        when = ""
    return Record(
        NoProgram(of.id + epoch, of.source, of.flow, of.lacks), record.subject, 0, record.kind, when, record.data
    )


number_text = _NumberTexts()


def line_of(of: ProgramId, about: str, number: str, kind: str, when: str, data: str) -> str:
    """The line of a record of a case ``about`` something; that, and its data, as they stand in JSON."""
    return f'{of.head}{about}/{number}{of.kinds[kind]}"{about}","time":"{when}{of.tail}{number},"data":{data}}}\n'


def render(records: Iterable[Written], epoch: str = "") -> list[str]:
    """Records as lines of JSON, each with its line break. ``epoch`` ends their ids, but for those of passages.

    Those that follow each other about one case at one instant have most of their text in common.
    """
    lines: list[str] = []
    add = lines.append
    program: ProgramId | None = None
    subject = when = head = middle = ""
    kinds: Mapping[str, str] = {}
    for record in records:
        if isinstance(record, Passage):
            add(record.text)
            continue
        if record.program is not program or record.subject is not subject or record.when is not when:
            of = record.program
            if isinstance(of, NoProgram):
                add(_outside(of, record, epoch))
                continue
            program, subject, when, kinds = of, record.subject, record.when, of.kinds
            told = dumps(subject).decode()
            head = f"{of.head}{told[1:-1]}/"
            middle = f'{told},"time":"{when}{of.tail}'
        number = number_text[record.sequence]
        add(f'{head}{number}{epoch}{kinds[record.kind]}{middle}{number},"data":{record.data.json}}}\n')
    return lines


def text_of_all(records: Sequence[Written]) -> str:
    """The lines of records as one text. Few at a time, so that their lines stay in the processor's cache."""
    stretches = range(0, len(records), AT_A_TIME)
    return "".join(["".join(render(records[begin : begin + AT_A_TIME])) for begin in stretches])


def _outside(of: NoProgram, record: Record, epoch: str) -> str:
    """The line of a record that belongs to no case."""
    told = record.as_dict()
    return dumps({**told, "id": of.id + epoch}).decode() + "\n"
