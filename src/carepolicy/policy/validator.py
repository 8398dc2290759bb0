"""The schemas made ready to validate quickly: one compiled validator for each kind of file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, validators

from carepolicy.policy.schema import KINDS

_ANNOTATIONS = frozenset({"title", "description", "examples", "format", "$defs", "$schema", "$id"})
_ACCEPTS = "acceptsText"
"""Bears the compiled pattern of a schema that any matching text satisfies."""


@cache
def validator_of(kind: str) -> Any:
    """The validator of one kind of file (``schema.KINDS``). Its errors bear the schema's words about itself."""
    schema = KINDS[kind][1]()
    return _Validator(_inlined(schema, schema["$defs"], {}))


def full_pattern(pattern: str) -> str:
    """A schema's pattern as Python reads it: there ``$`` alone would let the end of a line pass."""
    return pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern


def _inlined(schema: Any, pieces: Mapping[str, Any], done: dict[str, Any]) -> Any:
    """A schema with its pieces put in their places, less what only editors read.

    References and annotations cost as much as the checks themselves. Pieces do not refer in circles.
    """
    if isinstance(schema, list):
        return [_inlined(each, pieces, done) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        if name not in done:
            done[name] = _inlined(pieces[name], pieces, done)
        return done[name]
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "properties":
            found[keyword] = {name: _inlined(each, pieces, done) for name, each in value.items()}
        elif keyword == "pattern":
            # What bears a format is read more exactly by the model's builder or by a check.
            if "format" not in schema:
                found[keyword] = full_pattern(value)
        elif keyword not in _ANNOTATIONS:
            found[keyword] = _inlined(value, pieces, done)
    if "string" in found.get("type", ()) and "enum" not in found:
        found[_ACCEPTS] = re.compile(found.get("pattern", ""))
    return found


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether a value is a text that the schema accepts as it is: no need to go down into it."""
    accepts = schema.get(_ACCEPTS) if type(value) is str else None
    return accepts is not None and accepts.search(value) is not None


def _properties(validator: Any, properties: Mapping[str, Any], value: object, schema: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, part in value.items():
            known = properties.get(key)
            if known is not None and not _fits(part, known):
                yield from validator.descend(part, known, path=key, schema_path=key)


def _property_names(validator: Any, names: Any, value: object, schema: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key in value:
            if not _fits(key, names):
                yield from validator.descend(key, names)


def _additional(validator: Any, others: Any, value: object, schema: Any) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    if others is False:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, others, value, schema) or ()
        return
    known = schema.get("properties", ())
    for key, part in value.items():
        if key not in known and not _fits(part, others):
            yield from validator.descend(part, others, path=key)


def _items(validator: Any, item: Any, value: object, schema: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for index, part in enumerate(value):
            if not _fits(part, item):
                yield from validator.descend(part, item, path=index)


# The library goes down into each value at some 10 microseconds. Most values are texts, and most texts are
# right: seeing that at once halves the time, and whatever is not seen so is judged by the library.
_extend: Any = validators.extend
_Validator = _extend(
    Draft202012Validator,
    {
        "properties": _properties,
        "propertyNames": _property_names,
        "additionalProperties": _additional,
        "items": _items,
    },
)
