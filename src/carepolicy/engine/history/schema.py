"""The JSON Schemas of records, and of what ``carepolicy case`` says of them in JSON; docs/records.md is their page."""

from __future__ import annotations

import json
from typing import Any

from carepolicy.engine.record import PREFIX, SPECVERSION

Schema = dict[str, Any]

FILES = {"record": "record.schema.json", "case": "case.schema.json"}
"""What has a schema, and the name of its file."""

TEXT: Schema = {"type": "string"}
MAYBE: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "number", "minimum": 0}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
BASIS: Schema = {"enum": ["elapsed", "business_time", "business_days"]}

_CLOCK = {"clock": TEXT, "due": TIME, "used": NUMBER, "limit": NUMBER, "basis": BASIS}
_EVENT = {
    "event": {"type": "object", "properties": {"id": TEXT, "type": TEXT}, "additionalProperties": False},
    "code": TEXT,
    "reason": TEXT,
    "state": TEXT,
}
_OPTIONAL = frozenset(("due", "over", "code", "reason", "person", "state", "in_reply_to"))
"""Fields that records of a clock, a task, a message or an event need not have."""

DATA: dict[str, Schema] = {
    "case.opened": {"state": TEXT},
    "case.moved": {"from": TEXT, "to": TEXT, "on": TEXT},
    "case.closed": {"state": TEXT, "outcome": TEXT},
    "clock.started": {**_CLOCK, "code": TEXT, "reason": TEXT},
    **{f"clock.{what}": _CLOCK for what in ("resumed", "restarted", "warned", "late")},
    "clock.extended": {**_CLOCK, "reason": TEXT},
    **{f"clock.{what}": {**_CLOCK, "due": False} for what in ("paused", "met", "cancelled")},
    "clock.ended": {**_CLOCK, "due": False, "over": NUMBER},
    "task.assigned": {"state": TEXT, "role": MAYBE, "person": TEXT},
    "message.requested": {
        "template": TEXT, "channel": MAYBE, "language": TEXT, "to": MAYBE, "subject": TEXT, "text": TEXT,
        "in_reply_to": TEXT,
    },
    "notice.requested": {"role": TEXT, "text": TEXT},
    "action.requested": {"action": TEXT, "with": {"type": "object"}},
    **{f"event.{what}": _EVENT for what in ("unexpected", "rejected", "duplicate")},
}  # fmt: skip
"""What the data of each kind of record has."""

_ALWAYS = {
    "case.opened": ("state",), "case.closed": ("state", "outcome"), "task.assigned": ("state", "role"),
    "clock.extended": ("clock", "used", "limit", "basis", "reason"),
    "clock.ended": ("clock", "used", "limit", "basis", "over"),
    **{f"event.{what}": ("event", "code", "reason") for what in ("unexpected", "rejected", "duplicate")},
}  # fmt: skip


def object_of(fields: Schema, required: tuple[str, ...] | None = None) -> Schema:
    """An object of just these fields, all of which it has unless it is said which it must have."""
    names = list(fields) if required is None else list(required)
    return {"type": "object", "properties": fields, "required": names, "additionalProperties": False}


def _data(kind: str) -> Schema:
    fields = DATA[kind]
    return object_of(fields, _ALWAYS.get(kind, tuple(name for name in fields if name not in _OPTIONAL)))


def record_schema() -> Schema:
    """The schema of one record: one line of what ``run``, ``event``, ``tick`` and ``case history`` print."""
    about = {"specversion": {"const": SPECVERSION}, "id": TEXT, "source": TEXT, "type": {}, "subject": TEXT}
    case = {"time": TIME, "flow": TEXT, "flowversion": {"type": "integer"}, "sequence": {**COUNT, "minimum": 1}}
    every = ["specversion", "id", "source", "type", "data"]
    kinds: list[Schema] = []
    for kind in DATA:
        of = {"type": {"const": PREFIX + kind}, "data": {"$ref": f"#/$defs/{kind}"}}
        of_case = {"required": ["subject", *case]}
        kinds.append({"properties": of, **({} if kind.startswith("event.") else of_case)})
    return {
        **head_of(FILES["record"]),
        "type": "object",
        "properties": {**about, **case, "time": TEXT, "data": {}},
        "required": every,
        "additionalProperties": False,
        "oneOf": kinds,
        "$defs": {kind: _data(kind) for kind in DATA},
    }


def case_schema() -> Schema:
    """The schema of what ``case show``, ``case list`` and ``case due`` print with ``--format json``; with ``jsonl`` a
    line is a ``case``."""
    clock = {
        "clock": TEXT, "status": {"enum": ["running", "paused", "late", "met", "ended late", "cancelled"]},
        "late": {"type": "boolean"}, "due": MAYBE, "used": NUMBER, "limit": {"type": ["number", "null"]},
        "basis": BASIS, "over": {"type": ["number", "null"]}, "at": TIME, "rounds": COUNT, "times_late": COUNT,
    }  # fmt: skip
    case = {
        "flow": TEXT, "version": COUNT, "subject": TEXT, "number": {**COUNT, "minimum": 1}, "state": TEXT,
        "since": TIME, "opened": TIME, "closed": MAYBE, "outcome": MAYBE, "owner": MAYBE, "person": MAYBE,
        "late": {"type": "boolean"}, "clocks": {"type": "array", "items": {"$ref": "#/$defs/clock"}},
    }  # fmt: skip
    entries = {"type": "array", "items": {"$ref": "#/$defs/entry"}}
    entry = {
        "time": MAYBE, "sequence": {"type": ["integer", "null"]}, "type": {"enum": [PREFIX + kind for kind in DATA]},
        "words": TEXT, "data": {"type": "object"},
    }  # fmt: skip
    cases = {"type": "array", "items": {"$ref": "#/$defs/case"}}
    return {
        **head_of(FILES["case"]),
        "oneOf": [
            object_of({"subject": TEXT, "timezone": TEXT, "cases": cases, "not_taken": entries}),
            object_of({"cases": cases}),
            {"$ref": "#/$defs/case"},
        ],
        "$defs": {
            "case": object_of({**case, "timeline": entries}, tuple(case)),
            "clock": object_of(clock),
            "entry": object_of(entry),
        },
    }


def head_of(file: str) -> Schema:
    """What a schema begins with: the version of JSON Schema, its address and its title, by the name of its file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://carepolicy.example/schemas/{file}",
        "title": f"carepolicy {file.removesuffix('.schema.json')}",
    }


def schema_texts() -> dict[str, str]:
    """Both as their files in schemas/ hold them."""
    made = {"record": record_schema(), "case": case_schema()}
    return {FILES[name]: json.dumps(schema, indent=2) + "\n" for name, schema in made.items()}
