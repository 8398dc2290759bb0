"""Logs in OCEL 2.0 (https://www.ocel-standard.org): events that concern several objects; the objects of one type are
the cases. JSON, XML and SQLite, each as the standard has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from carepolicy.audit.tables import LogFault, NotInstalled, Steps
from carepolicy.policy.likeness import did_you_mean

if TYPE_CHECKING:
    from types import TracebackType

    from carepolicy.audit.mapping import Row
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
                mine.changes = sorted(changes, key=lambda one: _as_key(one[0]))

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Forget the log."""
        self._events.clear()
        self._objects.clear()

    def demand(self, names: Iterable[str]) -> None:
        """Raise ``LogFault`` where no event and no object has an attribute of these names."""
        for name in names:
            if name not in self.columns:
                raise LogFault(f'{self.paths[0]} has no attribute "{name}"; {did_you_mean(name, self.columns)}')

    def groups(self, subject: str, columns: Sequence[str]) -> Iterator[tuple[str | None, list[Row]]]:
        """The events of each object of the type ``subject``: of each its number, nothing, and the values of
        ``columns``."""
        types = {each.type for each in self._objects.values()}
        if subject not in types:
            raise LogFault(f'{self.paths[0]} has no objects of the type "{subject}"; {did_you_mean(subject, types)}')
        of: dict[str, list[tuple[int, _Event]]] = {}
        for number, event in enumerate(self._events, 1):
            for each in dict.fromkeys(event.objects):
                of.setdefault(each, []).append((number, event))
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
            if attribute not in state or _as_key(when) <= _as_key(time):
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

    # -- JSON ----------------------------------------------------------------------------------------------

    def _read_json(self) -> None:
        with open(self.path, "rb") as file:
            try:
                made = orjson.loads(file.read())
            except orjson.JSONDecodeError as fault:
                raise LogFault(f"{self.path} is no JSON: {fault.msg.split(':')[0]} at line {fault.lineno}") from None
        if not isinstance(made, dict) or not isinstance(made.get("events"), list):
            raise LogFault(f'{self.path} is no log in OCEL 2.0: it has no list "events"')
        for number, each in enumerate(made["events"], 1):
            try:
                attributes = {one["name"]: _told(one["value"]) for one in each.get("attributes", ())}
                objects = [one["objectId"] for one in each.get("relationships", ())]
                self.events[each["id"]] = _Event(each["id"], each["type"], each["time"], attributes, objects)
            except (KeyError, TypeError) as fault:
                self.refused.append((number, f"the event lacks {fault}"))
        for each in made.get("objects", ()):
            changes = [(one.get("time", ""), one["name"], _told(one["value"])) for one in each.get("attributes", ())]
            self.objects[each["id"]] = _Object(each["type"], sorted(changes, key=lambda one: _as_key(one[0])))

    # -- XML -----------------------------------------------------------------------------------------------

    def _read_xml(self) -> None:
        try:
            from lxml import etree
        except ImportError:
            raise NotInstalled("lxml") from None
        try:
            found = etree.iterparse(
                self.path, events=("end",), tag=("{*}event", "{*}object"), resolve_entities=False, no_network=True,
                huge_tree=True,
            )  # fmt: skip
            for _, element in found:
                if element.get("id") is None or element.get("type") is None:
                    continue  # an object of a relation, which is read with what it belongs to
                if str(element.tag).endswith("event"):
                    self.events[element.get("id", "")] = _event_of(element)
                else:
                    self.objects[element.get("id", "")] = _object_of(element)
                element.clear()
        except etree.XMLSyntaxError as fault:
            raise LogFault(f"{self.path} is no XML, or is cut short: {fault.msg}") from None

    # -- SQLite --------------------------------------------------------------------------------------------

    def _read_sqlite(self) -> None:
        try:
            with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as database:
                self._read_tables(database)
        except sqlite3.Error as fault:
            raise LogFault(f"{self.path} is no log in OCEL 2.0: {fault}") from None

    def _read_tables(self, database: sqlite3.Connection) -> None:
        kinds = dict(database.execute("SELECT ocel_id, ocel_type FROM event"))
        for table, _ in _tables_of(database, "event_map_type", "event_"):
            cursor = database.execute(f"SELECT * FROM {table}")
            names = [each[0] for each in cursor.description]
            for row in cursor:
                said = dict(zip(names, row, strict=True))
                name = said.pop("ocel_id")
                time = said.pop("ocel_time", "")
                attributes = {key: _told(value) for key, value in said.items() if value is not None}
                self.events[name] = _Event(name, kinds[name], str(time), attributes, [])
        for event, thing in database.execute("SELECT ocel_event_id, ocel_object_id FROM event_object"):
            if event in self.events:
                self.events[event].objects.append(thing)
        for name, kind in database.execute("SELECT ocel_id, ocel_type FROM object"):
            self.objects[name] = _Object(kind, [])
        for table, _ in _tables_of(database, "object_map_type", "object_"):
            cursor = database.execute(f"SELECT * FROM {table}")
            names = [each[0] for each in cursor.description]
            for row in cursor:
                said = dict(zip(names, row, strict=True))
                name, time = said.pop("ocel_id"), str(said.pop("ocel_time", None) or "")
                changed = said.pop("ocel_changed_field", None)
                for key, value in said.items():
                    if value is not None and changed in (None, key):
                        self.objects[name].changes.append((time, key, _told(value)))
        for each in self.objects.values():
            each.changes.sort(key=lambda one: _as_key(one[0]))


def _tables_of(database: sqlite3.Connection, types: str, begin: str) -> list[tuple[str, str]]:
    """The table of each type, as SQL has its name."""
    found = database.execute(f"SELECT ocel_type, ocel_type_map FROM {types}").fetchall()
    quoted = [(begin + str(name)).replace('"', '""') for _, name in found]
    return [(f'"{name}"', kind) for name, (kind, _) in zip(quoted, found, strict=True)]


def _event_of(element: Any) -> _Event:
    attributes = {each.get("name", ""): (each.text or "") for each in element.iterfind("{*}attributes/{*}attribute")}
    objects = [each.get("object-id", "") for each in element.iterfind("{*}objects/{*}relationship")]
    objects += [each.get("object-id", "") for each in element.iterfind("{*}objects/{*}object")]
    return _Event(element.get("id", ""), element.get("type", ""), element.get("time", ""), attributes, objects)


def _object_of(element: Any) -> _Object:
    found = element.iterfind("{*}attributes/{*}attribute")
    changes = [(each.get("time", ""), each.get("name", ""), each.text or "") for each in found]
    return _Object(element.get("type", ""), sorted(changes, key=lambda one: _as_key(one[0])))


def _as_key(time: str) -> str:
    """A time as text that sorts as times do, as far as one log writes them alike."""
    return time.replace(" ", "T")


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
