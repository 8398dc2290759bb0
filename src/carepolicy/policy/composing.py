"""YAML events become plain data with places, without recursion and without what makes YAML dangerous."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.places import Path, Place, Source
from carepolicy.policy.syntax import line_of, place_at, syntax_finding

DEEPEST = 40
"""Levels of nesting. The language itself needs nine."""

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40
_QUOTES = ("'", '"')


class _Stop(Exception):
    """The rest of the file cannot be read; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding


class _Frame:
    """A list or mapping that is open. ``key`` is the key whose value comes next, None where a key comes next."""

    __slots__ = ("container", "flow", "key", "keys", "path", "start")

    def __init__(self, container: Any, path: Path, start: Any, flow: bool) -> None:
        self.container = container
        self.path = path
        self.start = start
        self.flow = flow
        self.key: str | None = None
        self.keys: dict[str, int] = {}


def compose(text: str, file: str, loader: Any = None) -> tuple[Source | None, list[Finding]]:
    """The data and places of one YAML document.

    ``loader`` is PyYAML's C loader by default, or its pure one. Scalars are read by the core schema of
    YAML 1.2, but dates stay texts. The source is None where a finding says why.
    """
    composer = _Composer(file, text)
    try:
        composer.run((loader or Loader)(text))
    except _Stop as stop:
        return None, [*composer.findings, stop.finding]
    except yaml.MarkedYAMLError as problem:
        return None, [*composer.findings, syntax_finding(problem, text, file, composer.quote)]
    except yaml.YAMLError as problem:
        return None, [*composer.findings, Finding("CP103", f"this is no YAML: {problem}", Place(file, 1, 1, 1, 1))]
    if composer.findings:
        return None, composer.findings
    return Source(file, text, composer.root, composer.keys, composer.values, composer.written), []


def plain_value(text: str) -> object:
    """What an unquoted scalar says: nothing, true or false, a number, or (dates and times too) a text."""
    if text in _NULLS:
        return None
    first = text[0]
    if first in "tTfF":
        return _BOOLEANS.get(text.lower(), text) if len(text) < 6 else text
    if (first.isdecimal() or first in "+-.") and len(text) <= _LONGEST_NUMBER:
        if _INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            return number if math.isfinite(number) else text
    return text


class _Composer:
    """Takes events one by one and holds what they have said so far."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.root: object = None
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.written: dict[Path, str] = {}
        self.findings: list[Finding] = []
        self.stack: list[_Frame] = []
        self.end: Any = None
        self.quote: tuple[Any, Any] | None = None
        self.documents = 0

    def run(self, loader: Any) -> None:
        """Read all events of the loader's stream."""
        get_event = loader.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent:
                self._open(event, {})
            elif kind is SequenceStartEvent:
                self._open(event, [])
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close(event)
            elif kind is AliasEvent:
                raise _Stop(self._refused(event, f"*{event.anchor} is an alias", "write the value out; "))
            elif kind is DocumentStartEvent:
                self.documents += 1
                if self.documents > 1:
                    place = place_at(self.file, event.start_mark, 3)
                    raise _Stop(Finding("CP103", "a second document starts here", place, "one file holds one document"))
            elif kind is StreamEndEvent:
                return

    def _scalar(self, event: Any) -> None:
        if event.anchor is not None or event.tag is not None:
            self._reject_properties(event)
        start, end = event.start_mark, event.end_mark
        place = Place(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        self.end = end
        frame = self.stack[-1] if self.stack else None
        text = event.value
        if start.line != end.line and event.style in _QUOTES:
            self.quote = start, end
        if event.style == '"' and not text.isascii():
            self._demand_whole_characters(text, place)
        if frame is not None and frame.key is None and type(frame.container) is dict:
            self._key(frame, text, place, not event.style)
            return
        path = self._path(frame)
        self.values[path] = place
        value: object = text
        if not event.style:
            value = plain_value(text)
            if value is not text:
                self.written[path] = text
        self._attach(frame, value)

    def _demand_whole_characters(self, text: str, place: Place) -> None:
        """Half a character (\\ud800), which the pure loader lets pass, could be written nowhere."""
        try:
            text.encode()
        except UnicodeEncodeError:
            hint = "write the character itself, or \\U and eight digits"
            raise _Stop(Finding("CP103", "this text has half a character in it", place, hint)) from None

    def _key(self, frame: _Frame, text: str, place: Place, plain: bool) -> None:
        if text == "<<" and plain:
            message = "<< merges mappings, which policies do not use"
            raise _Stop(Finding("CP105", message, place, "write the keys out"))
        first = frame.keys.get(text)
        if first is not None:
            message = f"the key {quoted(text)} stands here twice; the first is on line {first}"
            self.findings.append(Finding("CP104", message, place, "delete one of them, or join what they say"))
        else:
            frame.keys[text] = place.line
        frame.key = text
        self.keys[(*frame.path, text)] = place

    def _open(self, event: Any, container: list[object] | dict[str, object]) -> None:
        if event.anchor is not None or event.tag is not None:
            self._reject_properties(event)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.container) is dict:
            place = place_at(self.file, event.start_mark, 1)
            hint = "put quotes around a text that begins with { or ["
            raise _Stop(Finding("CP103", "a list or mapping stands where a key is expected", place, hint))
        if len(self.stack) == DEEPEST:
            message = f"this is nested more than {DEEPEST} levels deep"
            raise _Stop(Finding("CP107", message, place_at(self.file, event.start_mark, 1)))
        path = self._path(frame)
        self._attach(frame, container)
        self.end = event.end_mark
        self.stack.append(_Frame(container, path, event.start_mark, bool(event.flow_style)))

    def _close(self, event: Any) -> None:
        frame = self.stack.pop()
        # A block's own end is where the next token starts, lines further down: its last value ends it.
        if frame.flow:
            self.end = event.end_mark
        start, end = frame.start, self.end
        self.values[frame.path] = Place(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _path(self, frame: _Frame | None) -> Path:
        if frame is None:
            return ()
        return (*frame.path, len(frame.container) if frame.key is None else frame.key)

    def _attach(self, frame: _Frame | None, value: object) -> None:
        if frame is None:
            self.root = value
        elif type(frame.container) is dict:
            frame.container[frame.key] = value
            frame.key = None
        else:
            frame.container.append(value)

    def _reject_properties(self, event: Any) -> None:
        if event.anchor is not None:
            raise _Stop(self._refused(event, f"&{event.anchor} is an anchor", "write the value out; "))
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        raise _Stop(self._refused(event, f"{tag} is a tag", ""))

    def _refused(self, event: Any, what: str, hint: str) -> Finding:
        token = re.match(r"\S*", line_of(self.text, event.start_mark.line)[event.start_mark.column :])
        place = place_at(self.file, event.start_mark, len(token[0]) if token else 1)
        return Finding(
            "CP105", f"{what}, which policies do not use", place, f"{hint}put quotes around it if it is text"
        )
