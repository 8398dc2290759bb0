"""What others' tools read: records of an audit as traces in XES (IEEE 1849) or objects in OCEL 2.0, and the events that
a mapping makes of a log as CloudEvents."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from gzip import GzipFile
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import orjson

from carepolicy.engine.instants import text_of
from carepolicy.files import named, whole_or_not

if TYPE_CHECKING:
    from carepolicy.audit.mapping import Made, Mapper
    from carepolicy.engine.record import Record

TOLD = frozenset((
    "case.opened", "case.moved", "case.closed", "clock.late", "clock.met", "clock.ended", "message.requested",
    "notice.requested", "action.requested", "event.unexpected",
))  # fmt: skip
"""Kinds of record that are exported: what happened, and which promises were kept."""

_ABOUT = ("state", "from", "to", "outcome", "clock", "used", "limit", "over", "role", "template", "action", "code")
"""What of their data goes along: nothing that a customer wrote or is called."""

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<classifier name="Activity" keys="concept:name"/>
"""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Write = Callable[["Record"], None]


class ExportFault(ValueError):
    """Nothing can be exported so; the text says why."""


def activity_of(record: Record) -> str:
    """What a record is called among activities: the event that moved a case, else what happened to which clock."""
    data = record.data
    if record.kind == "case.moved":
        return str(data["on"])
    if record.kind == "event.unexpected":
        return f"unexpected {data['event']['type']}"
    what = data.get("clock") or data.get("template") or data.get("action") or data.get("role")
    return f"{record.kind} {what}" if what else record.kind


def _attributes(record: Record) -> Mapping[str, Any]:
    data = record.data
    return {name: data[name] for name in _ABOUT if data.get(name) is not None}


def form_of(path: str) -> str:
    """What a file is written as, by its name: ``xes`` or ``ocel``. Raises ``ExportFault``."""
    name = path.lower()
    if name.endswith((".xes", ".xes.gz")):
        return "xes"
    if name.endswith(".json"):
        return "ocel"
    raise ExportFault(f"{path}: records are exported as .xes, .xes.gz or .json (OCEL 2.0)")


@contextmanager
def exported(path: str, owners: Owners) -> Iterator[Write]:
    """A function that takes records, in the order of each case, and writes them to a file: .xes, .xes.gz or .json
    (OCEL 2.0). Raises ``ExportFault`` and ``OSError``."""
    form = form_of(path)
    with _opened(path) as file:
        writer = TraceExport(owners, file.write) if form == "xes" else ObjectExport(owners, file.write)
        file.write(BEGINNINGS[form])
        yield writer.take
        writer.end()
        file.write(writer.rest())


def joined(path: str, texts: Iterable[str], rest: str) -> None:
    """Write a file of texts that were made elsewhere, by ``TraceExport`` or ``ObjectExport``, and of their rest."""
    form = form_of(path)
    with _opened(path) as file:
        file.write(BEGINNINGS[form])
        for number, text in enumerate(texts):
            file.write(text if form == "xes" or number else text.removeprefix(","))
        file.write(rest)


@contextmanager
def _opened(path: str) -> Iterator[IO[str]]:
    with named(path), whole_or_not(path) as passing, open(passing, "wb") as file:
        if path.lower().endswith(".gz"):  # the same bytes whatever its name and the time
            with TextIOWrapper(GzipFile("", "wb", fileobj=file, mtime=0), encoding="utf-8") as packed:
                yield packed
        else:
            with TextIOWrapper(file, encoding="utf-8") as text:
                yield text


BEGINNINGS = {"xes": _HEAD, "ocel": '{"events": ['}
"""With what a file begins, by its form."""

END_OF_TRACES = "</log>\n"

Owners = Mapping[tuple[str, str], str]
"""Roles by flow and state."""

CaseKey = tuple[str, str]
"""The flow and the subject of a case."""


MOST_NUMBERED = 1_000_000
"""Of so many subjects (in each flow) it is remembered how many cases they had. The second case of one that comes later
bears the name of the first."""


class TraceExport:
    """Writes a trace when its case closes, and those of open cases at the end."""

    def __init__(self, owners: Owners, write: Callable[[str], Any]) -> None:
        self._owners = owners
        self._write = write
        self.cases: dict[CaseKey, list[str]] = {}
        self.numbers: dict[CaseKey, int] = {}
        self.states: dict[CaseKey, str] = {}

    def take(self, record: Record) -> None:
        """Take what happened to a case, the next of it."""
        key = (record.flow, record.subject)
        if record.kind not in TOLD or not record.flow:
            return
        if record.kind == "case.opened" and key in self.cases:
            self.close(key)
        state = record.data.get("to") or record.data.get("state") or self.states.get(key, "")
        owner = self._owners.get((record.flow, self.states.get(key, str(state))), "")
        self.cases.setdefault(key, []).append(_event(record, owner))
        self.states[key] = str(state)
        if record.kind == "case.closed":
            self.close(key)

    def close(self, key: CaseKey) -> None:
        """Write the trace of a case."""
        flow, subject = key
        self.states.pop(key, None)
        events = self.cases.pop(key)
        number = self.numbers.get(key, 0) + 1
        if number > 1 or len(self.numbers) < MOST_NUMBERED:
            self.numbers[key] = number
        name = f"{flow}/{subject}" if number == 1 else f"{flow}/{subject}/{number}"
        head = "<trace>" + _string("concept:name", name) + _string("flow", flow) + _string("subject", subject)
        self._write(head + "\n" + "".join(events) + "</trace>\n")

    def end(self) -> None:
        """Write the traces of the cases that are open."""
        for key in [*self.cases]:
            self.close(key)

    def rest(self) -> str:
        """With what the file ends."""
        return END_OF_TRACES


def _event(record: Record, owner: str) -> str:
    when = f'<date key="time:timestamp" value={quoteattr(record.when)}/>'
    parts = [_string("concept:name", activity_of(record)), when]
    if owner:
        parts.append(_string("org:role", owner))
    for name, value in _attributes(record).items():
        if isinstance(value, int | float):
            parts.append(f'<float key={quoteattr(name)} value="{value}"/>')
        else:
            parts.append(_string(name, str(value)))
    return f"<event>{''.join(parts)}</event>\n"


def _string(key: str, value: str) -> str:
    return f"<string key={quoteattr(key)} value={quoteattr(_printable(value))}/>"


def _printable(text: str) -> str:
    """A text without what XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


class ObjectExport:
    """Writes events of OCEL 2.0 as they come, each behind others where it is not the first, and at the end the objects:
    subjects, and a case of each flow."""

    def __init__(self, owners: Owners, write: Callable[[str], Any], first: bool = True) -> None:
        self._write = write
        self.objects: dict[str, str] = {}
        self.types: dict[str, set[str]] = {}
        self._separator = "\n" if first else ",\n"

    def take(self, record: Record) -> None:
        """Take what happened."""
        if record.kind not in TOLD or not record.flow:
            return
        case = f"{record.flow}/{record.subject}"
        self.objects[case] = record.flow
        self.objects[f"subject/{record.subject}"] = "subject"
        attributes = _attributes(record)
        kind = activity_of(record)
        self.types.setdefault(kind, set()).update(attributes)
        event = {
            "id": f"{record.flow}/{record.subject}/{record.sequence}",
            "type": kind,
            "time": record.when,
            "attributes": [{"name": name, "value": str(value)} for name, value in attributes.items()],
            "relationships": [
                {"objectId": case, "qualifier": "case"},
                {"objectId": f"subject/{record.subject}", "qualifier": "subject"},
            ],
        }
        self._write(self._separator + json.dumps(event, ensure_ascii=False))
        self._separator = ",\n"

    def end(self) -> None:
        """Nothing of the events waits for the end."""

    def rest(self) -> str:
        """With what the file ends."""
        return rest_of_objects(self.types, self.objects)


def rest_of_objects(kinds: Mapping[str, set[str]], objects: Mapping[str, str]) -> str:
    """With what a file of OCEL ends: the types of events with their attributes, and objects by their types."""
    types = [
        {"name": kind, "attributes": [{"name": name, "type": "string"} for name in sorted(names)]}
        for kind, names in sorted(kinds.items())
    ]
    things = [{"id": name, "type": kind} for name, kind in objects.items()]
    of_objects = [{"name": kind, "attributes": []} for kind in sorted(set(objects.values()))]
    told = json.dumps({"eventTypes": types, "objects": things, "objectTypes": of_objects}, ensure_ascii=False)
    return "\n], " + told[1:] + "\n"


def by_subject(cases: Iterable[tuple[str, Sequence[Made]]], mapper: Mapper) -> Iterator[bytes]:
    """The events of cases as lines of JSON, by the names of the cases: on a disk until the last one is known."""
    with closing(sqlite3.connect("", isolation_level=None)) as shelf:  # its file goes with it
        shelf.execute("CREATE TABLE said (subject TEXT, lines BLOB)")
        shelf.execute("BEGIN")
        for subject, made in cases:
            shelf.execute("INSERT INTO said VALUES (?, ?)", (subject, _lines(mapper, subject, made)))
        for (lines,) in shelf.execute("SELECT lines FROM said ORDER BY subject"):
            yield lines


def _lines(mapper: Mapper, subject: str, made: Sequence[Made]) -> bytes:
    """The events of a case as lines of JSON."""
    lines = []
    for id, each in zip(mapper.ids(subject, made), made, strict=True):
        event = {
            "specversion": "1.0", "id": id, "source": mapper.source, "type": each.type, "subject": subject,
            "time": text_of(each.time), **({"data": each.data} if each.data else {}),
        }  # fmt: skip
        lines.append(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(lines)
