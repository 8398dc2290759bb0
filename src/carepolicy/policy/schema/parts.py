"""The pieces of which the schemas are made: names, texts, limits, and how to refer to them.

No schema here uses ``anyOf``: keywords such as ``properties`` and ``pattern`` bind only values of their
type, so a short form and a long form share one schema. That keeps validation cheap and its errors exact.

Besides the keywords of JSON Schema, ``errorMessage`` and ``patternErrorMessage`` (which editors know) say
what is expected in a manager's words, and a ``format`` marks a text that the model's builder or a check
reads more exactly than a pattern could: editors use the pattern, the check does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

NAME_PATTERN = "^[a-z][a-z0-9_]*$"
FACT_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
TRIGGER_PATTERN = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"
DATE_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
CLOSED_PATTERN = r"^\d{4}-\d{2}-\d{2}(/\d{4}-\d{2}-\d{2})?$"
HOURS_PATTERN = r"^([01]?\d|2[0-3]):[0-5]\d\s*-\s*(([01]?\d|2[0-3]):[0-5]\d|24:00)$"
DAY = "(mon|tue|wed|thu|fri|sat|sun)"
_DURATION = r"\d+(\.\d+)? ((business )?(second|minute|hour|day)|week|month|year)s?"
_FACT = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"
LIMIT_PATTERN = (
    rf"^\s*(settings\.[a-z][a-z0-9_]*|(less than )?({_DURATION}( (before|after) {_FACT})?"
    rf"|close of business day \d+|until {_FACT}))\s*$"
)


def ref(name: str, description: str = "") -> Schema:
    """A piece by its name under ``$defs``, with words of its own about this use of it."""
    return {"$ref": f"#/$defs/{name}", **({"description": description} if description else {})}


def keyed(
    properties: Mapping[str, Schema], required: Sequence[str] = (), expected: str = "", description: str = ""
) -> Schema:
    """A mapping with known keys and no others. ``expected`` says in words what may stand here."""
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        found["required"] = list(required)
    if expected:
        found["errorMessage"] = expected
    if description:
        found["description"] = description
    return found


def named(values: Schema, expected: str, description: str = "", names: str = "name") -> Schema:
    """A mapping from free names (``names``: the piece that a key must match) to values of one kind."""
    found: Schema = {
        "type": "object",
        "propertyNames": ref(names),
        "additionalProperties": values,
        "errorMessage": expected,
    }
    if description:
        found["description"] = description
    return found


def listed(piece: Schema, *types: str, expected: str, name: str = "") -> Schema:
    """One value of ``types``, of the kind ``piece`` (whose name under ``$defs`` may be given), or a list of them."""
    return {
        **{k: v for k, v in piece.items() if k != "description"},
        "type": [*types, "array"],
        "items": ref(name) if name else piece,
        "errorMessage": expected,
    }


def _pattern(pattern: str, expected: str, wrong: str, **more: Any) -> Schema:
    return {"type": "string", "pattern": pattern, "errorMessage": expected, "patternErrorMessage": wrong, **more}


_SCALARS = ["string", "number", "boolean"]
_LIKE_THIS = "is written in small letters, digits and underscores: like_this"

NAME = _pattern(NAME_PATTERN, "a name", f"a name {_LIKE_THIS}")
FACT = _pattern(FACT_PATTERN, "the name of a fact", "the name of a fact has a dot and small letters: customer.tier")
TRIGGER = _pattern(TRIGGER_PATTERN, "an event", "an event is written like_this, a clock's event like first_reply.late")
TEXT: Schema = {"type": _SCALARS, "errorMessage": "a text"}
EXPRESSION: Schema = {
    "type": _SCALARS,
    "description": "An expression of the Common Expression Language (CEL) over facts, event.*, case.*, clock.*.",
    "errorMessage": 'an expression, such as customer.tier == "gold"',
}
LIMIT: Schema = {
    "type": _SCALARS,
    "format": "carepolicy-limit",
    "pattern": LIMIT_PATTERN,
    "description": "20 seconds, 72 hours, 3 business hours, 2 business days, 1 month, close of business day 3, "
    "until order.ship_by, 1 business day before order.ship_by, less than 2 business days, settings.NAME.",
    "examples": ["3 business hours", "2 business days", "14 days", "close of business day 3", "until order.ship_by"],
    "errorMessage": "a limit, such as 3 business hours",
    "patternErrorMessage": "a limit is written like 3 business hours, 14 days or until order.ship_by",
}
DATE: Schema = {
    "type": "string",
    "format": "carepolicy-date",
    "pattern": DATE_PATTERN,
    "errorMessage": "a date, such as 2026-12-24",
    "patternErrorMessage": "a date is written like 2026-12-24",
}
HOURS_TEXT: Schema = {
    "type": "string",
    "format": "carepolicy-hours",
    "pattern": HOURS_PATTERN,
    "errorMessage": "hours, such as 09:00-17:30",
    "patternErrorMessage": "hours are written like 09:00-17:30; 24:00 ends a day",
}
DAYS = _pattern(
    f"^{DAY}(-{DAY})?$",
    "a weekday",
    "weekdays are mon, tue, wed, thu, fri, sat, sun, or a range such as mon-thu",
    format="carepolicy-days",
)
LANGUAGE = _pattern("^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "a language", "a language is a code such as en or pt-BR")
COLOUR = _pattern("^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", "a colour", 'a colour is written "#0072b2", with quotes')

COMMON: dict[str, Schema] = {
    "colour": COLOUR,
    "name": NAME,
    "fact": FACT,
    "trigger": TRIGGER,
    "text": TEXT,
    "expression": EXPRESSION,
    "limit": LIMIT,
    "date": DATE,
    "hours_text": HOURS_TEXT,
    "hours": listed(HOURS_TEXT, "string", expected="hours such as 09:00-17:30, or a list of them"),
    "days": DAYS,
    "language": LANGUAGE,
    "names": listed(NAME, "string", expected="a name, or a list of names"),
    "facts": {"type": "array", "items": FACT, "errorMessage": "a list of facts"},
    "texts": listed(TEXT, *_SCALARS, expected="a text, or a list of texts"),
}


def root(title: str, file: str, body: Schema, pieces: Mapping[str, Schema]) -> Schema:
    """A whole schema: its head, its body, and those of the pieces that it uses, in the order of their names."""
    known = {**COMMON, **pieces}
    used: set[str] = set()
    waiting = [body]
    while waiting:
        for name in _names(waiting.pop()):
            if name not in used:
                used.add(name)
                waiting.append(known[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://carepolicy.example/schemas/{file}",
        "title": title,
        **body,
        "$defs": {name: known[name] for name in sorted(used)},
    }


def _names(schema: object) -> set[str]:
    """The pieces that a schema refers to."""
    if isinstance(schema, dict):
        here = {schema["$ref"].removeprefix("#/$defs/")} if "$ref" in schema else set()
        return here.union(*(_names(each) for each in schema.values()))
    if isinstance(schema, list):
        return set().union(*(_names(each) for each in schema))
    return set()
