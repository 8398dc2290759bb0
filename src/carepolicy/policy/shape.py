"""The shape of a source, checked against its JSON Schema; what is wrong is said in words at its token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, validators

from carepolicy.policy.characters import without_like_blanks
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.language.calendar import CLOSED
from carepolicy.policy.language.flow import SHARE, WAITERS
from carepolicy.policy.language.kinds import schema_of
from carepolicy.policy.language.shapes import FACT_PATTERN, LANGUAGE, NAME_PATTERN, TRIGGER_PATTERN
from carepolicy.policy.likeness import did_you_mean, nearest, sole
from carepolicy.policy.places import Path, Place, Source
from carepolicy.policy.vocabulary import bare, currency_called, language_called, language_known, name_of, share_meant


def full_pattern(pattern: str) -> str:
    """A schema's pattern as Python reads it: there ``$`` alone would let the end of a line pass."""
    return pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern


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
    if expected == CLOSED and isinstance(error.instance, dict) and error.instance.keys() & {"from", "to"}:
        days = "/".join(str(error.instance[key]) for key in ("from", "to") if key in error.instance)
        title = error.instance.get("title")
        hint = f"write {days}" if title is None else f"write {{dates: {days}, title: {title}}}"
        yield Finding("CP112", f"a mapping stands here; expected is {CLOSED}", source.value(path), hint)
    elif "propertyNames" in error.absolute_schema_path and error.absolute_schema_path[-2] == "propertyNames":
        yield _name(str(error.instance), schema, source.key((*path, str(error.instance))), source)
    elif rule == "additionalProperties":
        known = schema.get("properties", {})
        for key in error.instance:
            if key not in known:
                yield _unknown(key, list(known), error.instance, source.key((*path, key)), source)
    elif rule == "required":
        unknown = [key for key in error.instance if key not in schema.get("properties", {})]
        for key in error.validator_value:
            # A misspelt key is one fault, not two.
            meant = nearest(key, unknown) or next((each for each in unknown if nearest(each, [key])), None)
            if key not in error.instance and meant is None:
                yield Finding("CP111", f"the key {quoted(key)} is missing", _head(source, path), _so(expected))
    elif rule == "type":
        yield _wrong_type(error.instance, expected, source, path)
    elif rule == "pattern":
        yield _name(str(error.instance), schema, source.value(path), source, path)
    elif rule == "enum":
        said = source.written.get(path, error.instance)
        hint = did_you_mean(str(said), error.validator_value) or "known here: " + ", ".join(error.validator_value)
        better = sole(str(said), map(str, error.validator_value))
        yield Finding("CP112", f"{quoted(said)} is not {expected}", source.value(path), hint, replacement=better)
    else:
        yield _out_of_bounds(rule, error, expected, source, path)


def _unknown(key: str, known: list[str], there: dict[str, Any], place: Place, source: Source) -> Finding:
    """A key that means nothing here; one that is there already is not what it was meant for."""
    message = f"unknown key {quoted(key)}"
    if key.isdecimal():
        before = source.text.split("\n", place.line)[place.line - 1][: place.column - 1]
        number = re.search(r"(\d+),\s*$", before)
        if number is not None:
            whole = place._replace(column=number.start() + 1)
            hint = f"write {number[1]}.{key}"
            return Finding("CP110", f"a comma ends the value here, and {quoted(key)} is no key", whole, hint)
    near = nearest(key, known)
    if near in there:
        return Finding("CP110", message, place, f'"{near}" is there already')
    hint = did_you_mean(key, known)
    return Finding("CP110", message, place, hint, replacement=sole(key, known))


def _name(text: str, schema: Any, place: Place, source: Source, path: Path = ()) -> Finding:
    """A name, or another text with a pattern, that is not written as it must be. ``path`` is that of a value."""
    if schema.get("pattern") not in _NAME_PATTERNS:
        said, hint, better = _coded(text, schema)
        return Finding("CP112", said, place, hint, replacement=better)
    waits = nearest(text, WAITERS) if path[-1:] == ("waits",) else None
    better = waits or _written_as_name(text, source)
    fits = re.search(schema["pattern"], better) is not None
    prose = _PROSE.get(next((str(each) for each in reversed(path) if isinstance(each, str)), ""))
    said = f"{quoted(text)} is not {schema['errorMessage']}"
    if prose is not None and (" " in text.strip() or not text.isascii()) and not _is_declared(better, source):
        return Finding("CP113", said, place, prose)
    hint = f'did you mean "{better}"?' if fits else schema["patternErrorMessage"]
    safe = better if waits is None else sole(text, WAITERS)
    return Finding("CP113", said, place, hint, replacement=safe if fits else None)


_ROLE = "name a role, not a person: who has it stands under people: of the role in organisation.yaml"
_PROSE = {
    "send": "name a message: what it says stands in messages/, a file for each language",
    "tell": _ROLE,
    "role": _ROLE,
    "owner": _ROLE,
    "assign": _ROLE,
    "deputy": _ROLE,
}
"""What to write under some keys where people write a text or a person's name."""


def _written_as_name(text: str, source: Source) -> str:
    """How a name should be written: as one that is declared in the file without its marks, or else transliterated."""
    ways = [".".join(map(name_of, way(without_like_blanks(text)).split("."))) for way in (str, bare)]
    return next((each for each in ways if _is_declared(each, source)), ways[0])


def _is_declared(name: str, source: Source) -> bool:
    return any(path[-1] == name for path in source.keys)


def _coded(text: str, schema: Any) -> tuple[str, str, str | None]:
    """What is wrong with a text of another pattern, how it is written, and what was surely meant."""
    said = f"{quoted(text)} is not {schema.get('errorMessage', 'right')}"
    better = None
    if schema["errorMessage"] == LANGUAGE.body()["errorMessage"]:
        better = language_called(text)
    elif schema["errorMessage"] == "a currency":
        better = currency_called(text)
    elif schema["errorMessage"] == SHARE:
        better = share_meant(text)
    return said, schema["patternErrorMessage"] if better is None else f"write {better}", better


def _wrong_type(value: object, expected: str, source: Source, path: Path) -> Finding:
    written = source.written.get(path, "")
    if value is None and written:
        hint = f"put quotes around it, or choose another word; {_so(expected)}"
        return Finding("CP112", f"{quoted(written)} means that nothing stands here", source.value(path), hint)
    if value is None:
        place = _head(source, path) if path else source.value(path)
        message = "a value is missing here" if path else "the file is empty"
        return Finding("CP112", message, place, _so(expected))
    hint = ""
    if isinstance(value, dict) and _by_language(value):
        hint = "write one text, in the language of whoever works with it: it cannot yet be said in several"
    elif isinstance(value, dict) and "name" in value:
        hint = "write the name alone: nothing else can yet be said of it here"
    elif isinstance(value, dict) and expected.startswith("a limit"):
        hint = "write one length of time, or a list of which the first that holds wins: [{when: …, is: …}, {is: …}]"
    elif isinstance(value, dict) and "{" not in expected:
        hint = "put quotes around a text that has a colon in it or begins with {"
    elif isinstance(value, float) and expected == "a whole number":
        hint = f"write {int(value)}"
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        hint = (
            "write each under its name, with a colon behind it, and no hyphen before it" if "[" not in expected else ""
        )
    elif isinstance(value, list) and "[" not in expected:
        hint = "put quotes around a text that begins with ["
    return Finding("CP112", f"{_kind(value)} stands here; expected is {expected}", source.value(path), hint)


def _by_language(value: dict[str, Any]) -> bool:
    """Whether a mapping says one thing in several languages: its keys are codes of some."""
    return bool(value) and all(len(key) == 2 and key.isalpha() and language_known(key) for key in value)


def _out_of_bounds(rule: str, error: Any, expected: str, source: Source, path: Path) -> Finding:
    bound = error.validator_value
    if rule in ("minItems", "minProperties"):
        few = f"{len(error.instance)} {'is' if len(error.instance) == 1 else 'are'} too few here"
        return Finding("CP112", few if error.instance else "this is empty", source.value(path), _so(expected))
    words = {"minimum": f"at least {bound}", "maximum": f"at most {bound}"}.get(rule, str(bound))
    said = source.written.get(path, error.instance)
    better = share_meant(str(said)) if expected == SHARE else None
    hint = "" if better is None else f"write {better}"
    text = f"{quoted(said)} is not {expected}: it must be {words}"
    return Finding("CP112", text, source.value(path), hint, replacement=better)


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


_ANNOTATIONS = frozenset({"title", "description", "examples", "format", "$defs", "$schema", "$id"})
_ACCEPTS = "acceptsText"
"""Bears the compiled pattern of a schema that any matching text satisfies."""


@cache
def validator_of(kind: str) -> Any:
    """The validator of one kind of file. Its errors bear the schema's words about itself."""
    schema = schema_of(kind)
    return _Validator(_inlined(schema, schema["$defs"], {}))


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
