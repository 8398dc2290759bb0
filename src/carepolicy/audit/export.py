"""What others' tools read: records of an audit as traces in XES (IEEE 1849) or objects in OCEL 2.0, and the events that
a mapping makes of a log as CloudEvents."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

import orjson

from carepolicy.engine.instants import text_of
from carepolicy.files import named

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


@contextmanager
def exported(path: str, owners: Mapping[tuple[str, str], str]) -> Iterator[Write]:
    """A function that takes records, in the order of each case, and writes them to a file: .xes, .xes.gz or .json
    (OCEL 2.0). ``owners`` are roles by flow and state. Raises ``ExportFault`` and ``OSError``."""
    name = path.lower()
    if name.endswith((".xes", ".xes.gz")):
        writer: _Traces | _Objects = _Traces(owners)
    elif name.endswith(".json"):
        writer = _Objects(owners)
    else:
        raise ExportFault(f"{path}: records are exported as .xes, .xes.gz or .json (OCEL 2.0)")
    opener = gzip.open if name.endswith(".gz") else open
    with named(path), opener(path, "wt", encoding="utf-8") as file:
        writer.begin(file)
        yield writer.take
        writer.end()


class _Traces:
    """Writes a trace when its case closes, and those of open cases at the end."""

    def __init__(self, owners: Mapping[tuple[str, str], str]) -> None:
        self._owners = owners
        self._cases: dict[tuple[str, str], list[str]] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._states: dict[tuple[str, str], str] = {}

    def begin(self, file: IO[str]) -> None:
        self._file = file
        file.write(_HEAD)

    def take(self, record: Record) -> None:
        key = (record.flow, record.subject)
        if record.kind not in TOLD or not record.flow:
            return
        if record.kind == "case.opened" and key in self._cases:
            self._write(key)
        state = record.data.get("to") or record.data.get("state") or self._states.get(key, "")
        owner = self._owners.get((record.flow, self._states.get(key, str(state))), "")
        self._cases.setdefault(key, []).append(_event(record, owner))
        self._states[key] = str(state)
        if record.kind == "case.closed":
            self._write(key)

    def _write(self, key: tuple[str, str]) -> None:
        flow, subject = key
        self._states.pop(key, None)
        events = self._cases.pop(key)
        number = self._numbers.get(key, 0) + 1
        if number > 1 or len(self._numbers) < 1_000_000:
            self._numbers[key] = number
        name = f"{flow}/{subject}" if number == 1 else f"{flow}/{subject}/{number}"
        self._file.write("<trace>" + _string("concept:name", name) + _string("flow", flow))
        self._file.write(_string("subject", subject) + "\n" + "".join(events) + "</trace>\n")

    def end(self) -> None:
        for key in [*self._cases]:
            self._write(key)
        self._file.write("</log>\n")


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


class _Objects:
    """Writes events of OCEL 2.0 as they come, and at the end the objects: subjects, and a case of each flow."""

    def __init__(self, owners: Mapping[tuple[str, str], str]) -> None:
        self._owners = owners
        self._objects: dict[str, str] = {}
        self._types: dict[str, set[str]] = {}
        self._count = 0

    def begin(self, file: IO[str]) -> None:
        self._file = file
        file.write('{"events": [')

    def take(self, record: Record) -> None:
        if record.kind not in TOLD or not record.flow:
            return
        case = f"{record.flow}/{record.subject}"
        self._objects[case] = record.flow
        self._objects[f"subject/{record.subject}"] = "subject"
        attributes = _attributes(record)
        kind = activity_of(record)
        self._types.setdefault(kind, set()).update(attributes)
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
        self._file.write((",\n" if self._count else "\n") + json.dumps(event, ensure_ascii=False))
        self._count += 1

    def end(self) -> None:
        types = [
            {"name": kind, "attributes": [{"name": name, "type": "string"} for name in sorted(names)]}
            for kind, names in sorted(self._types.items())
        ]
        things = [{"id": name, "type": kind} for name, kind in self._objects.items()]
        kinds = [{"name": kind, "attributes": []} for kind in sorted(set(self._objects.values()))]
        rest = {"eventTypes": types, "objects": things, "objectTypes": kinds}
        told = json.dumps(rest, ensure_ascii=False)
        self._file.write("\n], " + told[1:] + "\n")


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
