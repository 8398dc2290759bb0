"""The shape of a source, checked against its JSON Schema; what is wrong is said in words at its token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from carepolicy.policy.findings import Finding, did_you_mean, nearest, quoted, sole
from carepolicy.policy.places import Path, Place, Source
from carepolicy.policy.schema.parts import FACT_PATTERN, NAME_PATTERN, TRIGGER_PATTERN
from carepolicy.policy.validator import full_pattern, validator_of

if TYPE_CHECKING:
    from collections.abc import Iterator


_NAME_PATTERNS = frozenset(map(full_pattern, (NAME_PATTERN, FACT_PATTERN, TRIGGER_PATTERN)))


def check_shape(source: Source, kind: str) -> list[Finding]:
    """What is wrong with the shape of a file of one kind: organisation, flow, messages or scenario."""
    findings: dict[tuple[Place, str], Finding] = {}
    for error in validator_of(kind).iter_errors(source.data):
        for finding in _findings(error, source):
            findings.setdefault((finding.place, finding.message), finding)
    return sorted(findings.values(), key=lambda each: each.place)


def _findings(error: Any, source: Source) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    rule, schema = str(error.validator), error.schema
    expected = schema.get("errorMessage", "something else") if isinstance(schema, dict) else "something else"
    if "propertyNames" in error.absolute_schema_path and error.absolute_schema_path[-2] == "propertyNames":
        yield _name(str(error.instance), schema, source.key((*path, str(error.instance))))
    elif rule == "additionalProperties":
        known = schema.get("properties", {})
        for key in error.instance:
            if key not in known:
                yield _unknown(key, list(known), error.instance, source.key((*path, key)))
    elif rule == "required":
        unknown = [key for key in error.instance if key not in schema.get("properties", {})]
        for key in error.validator_value:
            # A misspelt key is one fault, not two.
            if key not in error.instance and nearest(key, unknown) is None:
                yield Finding("CP111", f"the key {quoted(key)} is missing", _head(source, path), _so(expected))
    elif rule == "type":
        yield _wrong_type(error.instance, expected, source, path)
    elif rule == "pattern":
        yield _name(str(error.instance), schema, source.value(path))
    elif rule == "enum":
        said = source.written.get(path, error.instance)
        hint = did_you_mean(str(said), error.validator_value) or "known here: " + ", ".join(error.validator_value)
        better = sole(str(said), map(str, error.validator_value))
        yield Finding("CP112", f"{quoted(said)} is not {expected}", source.value(path), hint, replacement=better)
    else:
        yield _out_of_bounds(rule, error, expected, source, path)


def _unknown(key: str, known: list[str], there: dict[str, Any], place: Place) -> Finding:
    """A key that means nothing here; one that is there already is not what it was meant for."""
    message = f"unknown key {quoted(key)}"
    near = nearest(key, known)
    if near in there:
        return Finding("CP110", message, place, f'"{near}" is there already')
    return Finding("CP110", message, place, did_you_mean(key, known), replacement=sole(key, known))


def _name(text: str, schema: Any, place: Place) -> Finding:
    """A name, or another text with a pattern, that is not written as it must be."""
    if schema.get("pattern") not in _NAME_PATTERNS:
        return Finding(
            "CP112",
            f"{quoted(text)} is not {schema.get('errorMessage', 'right')}",
            place,
            schema["patternErrorMessage"],
        )
    better = re.sub(r"[^a-z0-9_.]+", "_", text.strip().lower()).strip("_.")
    fits = re.search(schema["pattern"], better) is not None
    hint = f'did you mean "{better}"?' if fits else schema["patternErrorMessage"]
    return Finding(
        "CP113", f"{quoted(text)} is not {schema['errorMessage']}", place, hint, replacement=better if fits else None
    )


def _wrong_type(value: object, expected: str, source: Source, path: Path) -> Finding:
    if value is None:
        place = _head(source, path) if path else source.value(path)
        message = "a value is missing here" if path else "the file is empty"
        return Finding("CP112", message, place, _so(expected))
    hint = ""
    if isinstance(value, dict) and "{" not in expected:
        hint = "put quotes around a text that has a colon in it or begins with {"
    elif isinstance(value, list) and "[" not in expected:
        hint = "put quotes around a text that begins with ["
    return Finding("CP112", f"{_kind(value)} stands here; expected is {expected}", source.value(path), hint)


def _out_of_bounds(rule: str, error: Any, expected: str, source: Source, path: Path) -> Finding:
    bound = error.validator_value
    if rule in ("minItems", "minProperties"):
        return Finding("CP112", "this is empty", source.value(path), _so(expected))
    words = {"minimum": f"at least {bound}", "maximum": f"at most {bound}"}.get(rule, str(bound))
    said = source.written.get(path, error.instance)
    return Finding("CP112", f"{quoted(said)} is not {expected}: it must be {words}", source.value(path))


def _head(source: Source, path: Path) -> Place:
    """Where a mapping begins: the key that leads to it, or the start of an entry of a list, or of the file."""
    if path and isinstance(path[-1], str):
        return source.key(path)
    value = source.value(path)
    return Place(value.file, value.line, value.column, value.line, value.column + 1)


def _so(expected: str) -> str:
    return f"expected is {expected}"


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {dict: "a mapping", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names.get(type(value), "something else")
