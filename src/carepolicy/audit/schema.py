"""The JSON Schema of what ``carepolicy audit --format json`` prints; docs/audit.md tells what each figure means."""

from __future__ import annotations

import json

from carepolicy.audit.counts import DIMENSIONS
from carepolicy.engine.history.schema import COUNT, MAYBE, NUMBER, TEXT, TIME, Schema, head_of, object_of

FILE = "audit.schema.json"
"""The name of its file in schemas/."""

SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
VERDICT: Schema = {"enum": ["met", "late", ""]}
"""What was decided of a round under a set; "" where only the other set has decided it."""


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(schema: Schema, most: int | None = None) -> Schema:
    return {"type": "array", "items": schema, **({} if most is None else {"maxItems": most})}


def _by_name(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


_SHARES = {"share": _or_null(SHARE), "interval": _or_null({**_list_of(SHARE, 2), "minItems": 2})}
_VERDICTS = {"met": COUNT, "late": COUNT, **_SHARES}

_CLOCK = {
    "rounds": COUNT, "met": COUNT, "late": COUNT, "cancelled": COUNT, "running": COUNT, **_SHARES,
    "target": _or_null(SHARE), "kept": {"type": ["boolean", "null"]}, "used": _ref("times"),
    "late_subjects": _list_of(TEXT),
    "by": {
        "type": "object", "properties": dict.fromkeys(DIMENSIONS, _by_name(_ref("verdicts"))),
        "additionalProperties": _by_name(_ref("verdicts")),
    },
}  # fmt: skip

_STATE = {
    **dict.fromkeys(("visits", "again", "late", "skipped", "followed", "open"), COUNT), "time": _ref("times"),
}  # fmt: skip

_FLOW = {
    "cases": COUNT, "open": COUNT, "reopened": COUNT, "outcomes": _by_name(COUNT), "duration": _ref("times"),
    "trace_time": _or_null(_ref("times")), "clocks": _by_name(_ref("clock")), "states": _by_name(_ref("state")),
    "ways": _list_of(object_of({"from": TEXT, "on": TEXT, "to": TEXT, "count": COUNT})),
    "deviations": _by_name(_by_name(object_of({"count": COUNT, "subjects": _list_of(TEXT)}))),
    "variants": _or_null(_list_of(object_of({"events": _list_of(TEXT), "count": COUNT, "subjects": _list_of(TEXT)}))),
    "variants_in_all": {**COUNT, "type": ["integer", "null"]},
    "due": _list_of(object_of({"subject": TEXT, "clock": TEXT, "due": TIME, "late": {"type": "boolean"}})),
    "late_now": COUNT,
}  # fmt: skip

_AGAINST = {
    "rounds": _list_of(object_of({
        "flow": TEXT, "subject": TEXT, "clock": TEXT, "round": {**COUNT, "minimum": 1}, "before": VERDICT,
        "after": VERDICT, "decided": TIME,
    })),
    "clocks": _list_of(object_of({
        "flow": TEXT, "clock": TEXT, "late_now": COUNT, "late_no_more": COUNT, "other": COUNT,
        "changes": _list_of(TEXT),
    })),
}  # fmt: skip

_SWEEP = {
    "flow": TEXT, "clock": TEXT,
    "points": _list_of(object_of({"limit": TEXT, "seconds": COUNT, **_VERDICTS})),
}  # fmt: skip


def audit_schema() -> Schema:
    """The schema of an audit: of logs, or of a store (which alone has ``store``, and ``plan`` with ``--against``)."""
    always = {
        "events": COUNT, "rejected": COUNT, "left_out": COUNT, "duplicates": COUNT, "unexpected": COUNT,
        "not_taken": _by_name(COUNT), "reasons": _by_name(COUNT), "from": MAYBE, "to": MAYBE,
        "flows": _by_name(_ref("flow")),
    }  # fmt: skip
    asked = {
        "against": object_of(_AGAINST), "sweep": object_of(_SWEEP),
        "store": object_of({"let_go": COUNT, "erased": COUNT}), "plan": {"type": "object"},
    }  # fmt: skip
    seconds = _or_null(NUMBER)
    return {
        **head_of(FILE),
        **object_of({**always, **asked}, tuple(always)),
        "$defs": {
            "times": object_of({"p50": seconds, "p90": seconds, "p99": seconds}),
            "verdicts": object_of(_VERDICTS),
            "clock": object_of(_CLOCK),
            "state": object_of(_STATE),
            "flow": object_of(_FLOW),
        },
    }


def schema_text() -> str:
    """The schema as its file in schemas/ holds it."""
    return json.dumps(audit_schema(), indent=2) + "\n"
