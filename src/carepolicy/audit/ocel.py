"""Logs in OCEL 2.0 (https://www.ocel-standard.org): events that concern several objects; the objects of one type are
the cases. JSON, XML and SQLite, each as the standard has it, and JSON and XML as OCEL 1.0 has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from carepolicy.audit import timeforms
from carepolicy.audit.tables import LogFault, NotInstalled, Steps
from carepolicy.businesstime.instants import EPOCH
from carepolicy.policy.likeness import with_hint

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.blocks import Row
    from carepolicy.audit.tables import Begin

ACTIVITY, TIMESTAMP, EVENT_ID = "ocel:activity", "ocel:timestamp", "ocel:eid"
"""What the columns are called that are no attributes: an event's type, its time and its id."""

Attributes = dict[str, str]
Change = tuple[str, str, str]
"""When an attribute of an object got a value (ISO 8601, "" from the beginning), which one, and the value."""


@dataclass(slots=True)
class _Event:
    name: str
    type: str
    time: str
    attributes: Attributes
    objects: list[str]


@dataclass(slots=True)
class _Object:
    type: str
    changes: list[Change]


@dataclass
class Objects:
    """The events of one or several logs as groups, one for each object of a type; an event stands in the group of each
    of them. Columns are ``ocel:activity``, ``ocel:timestamp``, ``ocel:eid``, attributes of events, and of the object as
    they were at that time. What stands in several logs under one id is one object; events are one where they are the
    same in all. ``watch`` hears how many events have been given."""

    paths: Sequence[str]
    refused: list[tuple[int, str]] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    watch: Begin | None = None

    def __enter__(self) -> Objects:
        """Read the logs."""
        self._events: list[_Event] = []
        self._objects: dict[str, _Object] = {}
        for path in self.paths:
            one = _Log(path, self.refused)
            one.read()
            if not one.events:
                raise LogFault(f"{path} holds no events: it is no log in OCEL 2.0, or an empty one")
            self._take(one)
        names = dict.fromkeys([ACTIVITY, TIMESTAMP, EVENT_ID])
        names |= dict.fromkeys(name for each in self._events for name in each.attributes)
        names |= dict.fromkeys(name for each in self._objects.values() for _, name, _ in each.changes)
        self.columns = tuple(names)
        return self

    def _take(self, log: _Log) -> None:
        """Add what one log holds."""
        known = {each.name: each for each in self._events}
        self._events += [each for name, each in log.events.items() if known.get(name) != each]
        for name, each in log.objects.items():
            mine = self._objects.setdefault(name, each)
            if mine is not each:
                changes = dict.fromkeys([*mine.changes, *each.changes])
                mine.changes = sorted(changes, key=_since)

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Forget the log."""
        self._events.clear()
        self._objects.clear()

    def demand(self, names: Iterable[str]) -> None:
        """Raise ``LogFault`` where no event and no object has an attribute of these names."""
        for name in names:
            if name not in self.columns:
                raise LogFault(with_hint(f'{self.paths[0]} has no attribute "{name}"', name, self.columns))

    def groups(self, subject: str, columns: Sequence[str]) -> Iterator[tuple[str | None, list[Row]]]:
        """The events of each object of the type ``subject``: of each its number, nothing, and the values of
        ``columns``."""
        types = {each.type for each in self._objects.values()}
        if subject not in types:
            raise LogFault(with_hint(f'{self.paths[0]} has no objects of the type "{subject}"', subject, types))
        of: dict[str, list[tuple[int, _Event]]] = {}
        for number, event in enumerate(self._events, 1):
            for each in dict.fromkeys(event.objects):
                of.setdefault(each, []).append((number, event))
            if event.objects and not any(each in self._objects for each in event.objects):
                self.refused.append((number, "the log has none of the objects that the event concerns"))
        wanted = sorted(each for each, made in self._objects.items() if made.type == subject)
        steps = Steps(self.watch, "events", sum(len(of.get(name, ())) for name in wanted))
        for name in wanted:
            rows = [self._row(number, event, name, columns) for number, event in of.get(name, ())]
            yield name, rows
            steps(len(rows))

    def sample(self, most: int) -> list[dict[str, str | None]]:
        """The first events of the objects of each type, by attribute; ``ocel:type`` is the type of the object."""
        found: list[dict[str, str | None]] = []
        for event in self._events[:most]:
            for each in event.objects:
                thing = self._objects.get(each)
                if thing is not None:
                    own = {ACTIVITY: event.type, TIMESTAMP: event.time, EVENT_ID: event.name, "ocel:oid": each}
                    found.append({"ocel:type": thing.type, **own, **event.attributes, **self._state(each, event.time)})
        return found

    def _row(self, number: int, event: _Event, subject: str, columns: Sequence[str]) -> Row:
        own = {ACTIVITY: event.type, TIMESTAMP: event.time, EVENT_ID: event.name}
        state: Attributes | None = None
        values: list[str | None] = []
        for column in columns:
            value = own.get(column) or event.attributes.get(column)
            if value is None:
                if state is None:
                    state = self._state(subject, event.time)
                value = state.get(column)
            values.append(value)
        return (number, None, *values)

    def _state(self, name: str, time: str) -> Attributes:
        """The attributes of an object at a time."""
        state: Attributes = {}
        for when, attribute, value in self._objects[name].changes:
            if attribute not in state or _micros(when) <= _micros(time):
                state[attribute] = value
        return state


@dataclass
class _Log:
    """One log, as it is read: its events and objects by their ids; ``refused`` hears of events that lack something."""

    path: str
    refused: list[tuple[int, str]]
    events: dict[str, _Event] = field(default_factory=dict)
    objects: dict[str, _Object] = field(default_factory=dict)

    def read(self) -> None:
        """Read the file, in whichever of the three forms it is. Raises ``LogFault``."""
        try:
            with open(self.path, "rb") as file:
                begin = file.read(16)
        except OSError as fault:
            raise LogFault(f"{self.path} cannot be read: {fault.strerror}") from None
        if begin.startswith(b"SQLite format 3"):
            self._read_sqlite()
        elif begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            self._read_xml()
        else:
            self._read_json()

    def add_event(
        self, number: int, name: Any, kind: Any, time: Any, attributes: Attributes, objects: list[str]
    ) -> None:
        """Add an event, or refuse it where it lacks something."""
        if name in (None, "") or kind in (None, ""):
            self.refused.append((number, f"the event has no {'id' if name in (None, '') else 'type'}"))
            return
        event = _Event(_told(name), _told(kind), _told(time) if time is not None else "", attributes, objects)
        if self.events.setdefault(event.name, event) != event:
            self.refused.append((number, "the event has the id of one before it, and is another"))

    def add_object(self, number: int, name: Any, kind: Any, changes: Iterable[Change]) -> None:
        """Add an object, or refuse it where it lacks something."""
        if name in (None, "") or kind in (None, ""):
            self.refused.append((number, f"the object has no {'id' if name in (None, '') else 'type'}"))
            return
        self.objects[_told(name)] = _Object(_told(kind), sorted(changes, key=_since))

    # -- JSON ----------------------------------------------------------------------------------------------

    def _read_json(self) -> None:
        with open(self.path, "rb") as file:
            content = file.read()
        if not content:
            raise LogFault(f"{self.path} is empty")
        try:
            made = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
        except orjson.JSONDecodeError as fault:
            raise LogFault(f"{self.path} is no JSON: {fault.msg.split(':')[0]} at line {fault.lineno}") from None
        if isinstance(made, dict) and isinstance(made.get("ocel:events"), dict):
            made = _second_edition(made)
        if not isinstance(made, dict) or not isinstance(made.get("events"), list):
            hint = "; an array of objects is read with reads: {format: jsonl}" if isinstance(made, list) else ""
            raise LogFault(f'{self.path} is no log in OCEL 2.0: it has no list "events"{hint}')
        for number, each in enumerate(made["events"], 1):
            if not isinstance(each, dict):
                self.refused.append((number, "the event is no object of JSON"))
                continue
            attributes = {_told(one.get("name")): _told(one["value"]) for one in _valued(each)}
            objects = [
                _told(one["objectId"]) for one in _parts(each, "relationships") if one.get("objectId") is not None
            ]
            self.add_event(number, each.get("id"), each.get("type"), each.get("time"), attributes, objects)
        for number, each in enumerate(_parts(made, "objects"), 1):
            changes = [
                (_told(one.get("time") or ""), _told(one.get("name")), _told(one["value"])) for one in _valued(each)
            ]
            self.add_object(number, each.get("id"), each.get("type"), changes)

    # -- XML -----------------------------------------------------------------------------------------------

    def _read_xml(self) -> None:
        try:
            from lxml import etree
        except ImportError:
            raise NotInstalled("lxml") from None
        number = 0
        try:
            found = etree.iterparse(
                self.path, events=("end",), tag=("{*}event", "{*}object"), resolve_entities=False, no_network=True,
                huge_tree=True,
            )  # fmt: skip
            for _, element in found:
                if element.get("object-id") is not None:
                    continue  # an object of a relation, which is read with what it belongs to
                number += 1
                if str(element.tag).endswith("event"):
                    self.add_event(number, *_event_of(element))
                else:
                    self.add_object(number, *_object_of(element))
                element.clear()
        except etree.XMLSyntaxError as fault:
            raise LogFault(f"{self.path} is no XML, or is cut short: {fault.msg}") from None

    # -- SQLite --------------------------------------------------------------------------------------------

    def _read_sqlite(self) -> None:
        try:
            with closing(sqlite3.connect(f"file:{quote(self.path)}?mode=ro", uri=True)) as database:
                self._read_tables(database)
        except sqlite3.Error as fault:
            raise LogFault(f"{self.path} is no log in OCEL 2.0: {fault}") from None

    def _read_tables(self, database: sqlite3.Connection) -> None:
        kinds = dict(database.execute("SELECT ocel_id, ocel_type FROM event"))
        concerns: dict[Any, list[str]] = {}
        for event, thing in database.execute("SELECT ocel_event_id, ocel_object_id FROM event_object"):
            concerns.setdefault(event, []).append(_told(thing))
        for number, said in enumerate(_rows_of(database, "event_map_type", "event_"), 1):
            name, time = said.pop("ocel_id", None), said.pop("ocel_time", None)
            attributes = {key: _told(value) for key, value in said.items() if value is not None}
            self.add_event(number, name, kinds.get(name), time, attributes, concerns.get(name, []))
        changes: dict[Any, list[Change]] = {}
        for said in _rows_of(database, "object_map_type", "object_"):
            name, time = said.pop("ocel_id", None), _told(said.pop("ocel_time", None) or "")
            changed = said.pop("ocel_changed_field", None)
            told = [(time, key, _told(value)) for key, value in said.items() if value is not None]
            changes.setdefault(name, []).extend(each for each in told if changed in (None, "", each[1]))
        for number, (name, kind) in enumerate(database.execute("SELECT ocel_id, ocel_type FROM object"), 1):
            self.add_object(number, name, kind, changes.get(name, []))


def _rows_of(database: sqlite3.Connection, types: str, begin: str) -> Iterator[dict[str, Any]]:
    """The rows of the tables of all types."""
    for (name,) in database.execute(f"SELECT ocel_type_map FROM {types}").fetchall():
        quoted = f"{begin}{name}".replace('"', '""')
        cursor = database.execute(f'SELECT * FROM "{quoted}"')
        names = [each[0] for each in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


def _parts(made: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of JSON in a list, which may be missing."""
    found = made.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _valued(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attributes that have a value."""
    return [each for each in _parts(made, "attributes") if each.get("value") is not None]


def _second_edition(made: Mapping[str, Any]) -> dict[str, Any]:
    """A log in OCEL 1.0 as OCEL 2.0 has it."""

    def attributes(one: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        found = one.get(name)
        return [{"name": key, "value": value} for key, value in (found or {}).items()]

    events = [
        {
            "id": name, "type": each.get("ocel:activity"), "time": each.get("ocel:timestamp"),
            "attributes": attributes(each, "ocel:vmap"),
            "relationships": [{"objectId": thing} for thing in each.get("ocel:omap") or ()],
        }
        for name, each in made["ocel:events"].items()
    ]  # fmt: skip
    objects = [
        {"id": name, "type": each.get("ocel:type"), "attributes": attributes(each, "ocel:ovmap")}
        for name, each in (made.get("ocel:objects") or {}).items()
    ]
    return {"events": events, "objects": objects}


def _event_of(element: Any) -> tuple[str | None, str | None, str | None, Attributes, list[str]]:
    """The id, type, time, attributes and objects of an event."""
    if element.get("id") is None:
        said = _keyed(element)
        objects = [each.get("value", "") for each in element.iterfind("{*}list[@key='omap']/*")]
        return said.get("id"), said.get("activity"), said.get("timestamp"), _keyed(element, "vmap"), objects
    attributes = {each.get("name", ""): (each.text or "") for each in element.iterfind("{*}attributes/{*}attribute")}
    objects = [each.get("object-id", "") for each in element.iterfind("{*}objects/{*}relationship")]
    objects += [each.get("object-id", "") for each in element.iterfind("{*}objects/{*}object")]
    return element.get("id"), element.get("type"), element.get("time"), attributes, objects


def _object_of(element: Any) -> tuple[str | None, str | None, list[Change]]:
    """The id, type and changes of an object."""
    if element.get("id") is None:
        said = _keyed(element)
        return said.get("id"), said.get("type"), [("", *each) for each in _keyed(element, "ovmap").items()]
    found = element.iterfind("{*}attributes/{*}attribute")
    changes = [(each.get("time", ""), each.get("name", ""), each.text or "") for each in found]
    return element.get("id"), element.get("type"), changes


def _keyed(element: Any, within: str = "") -> Attributes:
    """Values by their keys, as OCEL 1.0 has them."""
    found = element.iterfind(f"{{*}}list[@key='{within}']/*" if within else "*")
    return {each.get("key", ""): each.get("value") for each in found if each.get("value") is not None}


def _since(change: Change) -> int:
    """Since when an attribute has a value, as ``_micros``."""
    return _micros(change[0])


@lru_cache(1 << 16)
def _micros(time: str) -> int:
    """A time in microseconds since 1970; one without an offset as if it were in UTC, and what is none before all."""
    try:
        moment = timeforms.iso(time)
    except ValueError:
        return -(1 << 62)
    since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=EPOCH.tzinfo)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else str(value)
