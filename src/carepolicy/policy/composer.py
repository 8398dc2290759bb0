"""YAML events become plain data with places, without recursion and without what makes YAML dangerous."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

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

from carepolicy.policy.characters import like_blank, like_blank_told
from carepolicy.policy.findings import Finding, quoted
from carepolicy.policy.places import Path, Place, Source

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


class _OpenNode:
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
        return None, [*composer.findings, _syntax_finding(problem, text, file, composer.quote)]
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
        self.stack: list[_OpenNode] = []
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
                    place = _place_at(self.file, event.start_mark, 3)
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

    def _key(self, frame: _OpenNode, text: str, place: Place, plain: bool) -> None:
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
            place = _place_at(self.file, event.start_mark, 1)
            hint = "put quotes around a text that begins with { or ["
            raise _Stop(Finding("CP103", "a list or mapping stands where a key is expected", place, hint))
        if len(self.stack) == DEEPEST:
            message = f"this is nested more than {DEEPEST} levels deep"
            raise _Stop(Finding("CP107", message, _place_at(self.file, event.start_mark, 1)))
        path = self._path(frame)
        self._attach(frame, container)
        self.end = event.end_mark
        self.stack.append(_OpenNode(container, path, event.start_mark, bool(event.flow_style)))

    def _close(self, event: Any) -> None:
        frame = self.stack.pop()
        # A block's own end is where the next token starts, lines further down: its last value ends it.
        if frame.flow:
            self.end = event.end_mark
        start, end = frame.start, self.end
        self.values[frame.path] = Place(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _path(self, frame: _OpenNode | None) -> Path:
        if frame is None:
            return ()
        return (*frame.path, len(frame.container) if frame.key is None else frame.key)

    def _attach(self, frame: _OpenNode | None, value: object) -> None:
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
        token = re.match(r"\S*", _line_of(self.text, event.start_mark.line)[event.start_mark.column :])
        place = _place_at(self.file, event.start_mark, len(token[0]) if token else 1)
        return Finding(
            "CP105", f"{what}, which policies do not use", place, f"{hint}put quotes around it if it is text"
        )


_QUOTE = "put quotes around the text"
_KEY = re.compile(r"\s*(- +)*[\w.]+:(\s|$)")
_BEFORE_TEXT = re.compile(r"\s*(- +)*([\w.]+:)?\W?")
_CUT = re.compile(r"(?<=\s)#\S.*")
_JOINED = re.compile(r"\s*(?:- +)*(?P<key>[A-Za-z_][\w.]*):(?P<value>[^\s:/].*)")
_BARE = re.compile(r"\s*(?:- +)*(?P<key>[A-Za-z_][\w.]*)(?P<value>\s+[^\s#].*|)")


def _place_at(file: str, mark: Any, length: int) -> Place:
    """The place of ``length`` characters from a mark of the parser (lines and columns from 0)."""
    line, column = mark.line + 1, mark.column + 1
    return Place(file, line, column, line, column + length)


def _line_of(text: str, number: int) -> str:
    """The line with this number (from 0), empty below the last one."""
    lines = text.split("\n")
    return lines[number] if number < len(lines) else ""


def _syntax_finding(problem: Any, text: str, file: str, quote: Any = None) -> Finding:
    """The finding for an error of PyYAML's parser, in its C or its pure form (whose words differ).

    ``quote`` is the last text in quotes before the error that stands on several lines: its start and end marks.
    """
    mark = problem.problem_mark or problem.context_mark
    if mark is None:
        return Finding("CP103", f"this is no YAML: {problem.problem}", Place(file, 1, 1, 1, 1))
    said = problem.problem or ""
    context = problem.context or ""
    if "nesting" in said:
        return Finding("CP107", "this is nested too deeply", _place_at(file, mark, 1))
    earlier = _like_blank(problem, text, file) or _ran_on(quote, mark, text, file)
    if earlier is not None:
        return earlier
    line = _line_of(text, mark.line)
    indent = _indent(line)
    if "\t" in indent:
        place = Place(file, mark.line + 1, 1, mark.line + 1, len(indent) + 1)
        return Finding("CP102", "a tab stands at the beginning of this line", place, "use spaces to indent")
    if "flow" in context or "quoted scalar" in context:
        return _unclosed(problem, text, file)
    if "simple key" in context and problem.context_mark is not None:
        return _no_colon(text, problem.context_mark.line, file) or _odd_line(text, problem.context_mark.line, file)
    rest = line[mark.column :]
    place = _place_at(file, mark, max(1, len(rest.split(" ")[0])) if rest else 1)
    if "mapping values are not allowed" in said:
        return _colon(mark, text, file)
    return _odd_begin(problem, mark, text, rest, place)


def _odd_begin(problem: Any, mark: Any, text: str, rest: str, place: Place) -> Finding:
    """What cannot begin at a place, from where ``rest`` of its line stands."""
    said, context = problem.problem or "", problem.context or ""
    if "entries are not allowed" in said:
        hint = "start the list on the next line, or write it as [one, two]"
        return Finding("CP103", "a list cannot start here, after a key on the same line", place, hint)
    if "cannot start any token" in said:
        return Finding("CP103", f"a text cannot begin with {rest[:1]} here", place, _QUOTE)
    if "alias" in context or "anchor" in context or "tag" in context:
        start = problem.context_mark or mark
        first = _line_of(text, start.line)[start.column : start.column + 1]
        return Finding("CP103", f"a text cannot begin with {first}", _place_at(place.file, start, 1), _QUOTE)
    if "block scalar" in context:
        hint = "after | or > comes a new line; " + _QUOTE + " if it is meant to begin with one"
        return Finding("CP103", "nothing may follow | or > on its line", place, hint)
    if "block" in context:
        return _block(mark, rest, place)
    if "document" in said or "directive" in context:
        return Finding(
            "CP103", "a second document starts here, or a line begins with %", place, "one file is one document"
        )
    return Finding("CP103", f"this is no YAML: {said}", place)


def _unclosed(problem: Any, text: str, file: str) -> Finding:
    """A bracket or quote without its end: the place is where it opened, for that is what must be looked at."""
    start, mark = problem.context_mark or problem.problem_mark, problem.problem_mark
    opened = _line_of(text, start.line)[start.column : start.column + 1]
    if "escape" in (problem.problem or ""):
        hint = "write \\\\ for a backslash, or use single quotes"
        return Finding("CP103", "this \\ and what follows mean nothing", _place_at(file, mark, 1), hint)
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    if "quoted scalar" in (problem.context or ""):
        message = f"the quote {opened} that opens here is never closed"
        return Finding("CP103", message, _place_at(file, start, 1), f"write {opened} where the text ends")
    if opened not in ("[", "{"):
        opened, start = _last_opened(text, start)
    if not opened:
        return Finding("CP103", "the file ends too early", _place_at(file, mark, 1))
    closing = {"[": "]", "{": "}"}[opened]
    comment = _CUT.search(_line_of(text, start.line), start.column)
    if comment is not None and closing in comment[0]:
        place = _on(file, start.line, comment.start() + 1, comment.end() + 1)
        message = f"what stands after a space and # is a comment, and the {closing} with it"
        return Finding("CP103", message, place, _QUOTE + " that has a # in it")
    message = f"after this {opened} a comma or {closing} is missing at {where}"
    hint = f"close it with {closing}, or put quotes around a text that has a colon, comma or bracket in it"
    return Finding("CP103", message, _place_at(file, start, 1), hint)


def _last_opened(text: str, mark: Any) -> tuple[str, Any]:
    """The last bracket at or before a mark's line, or nothing where there is none."""
    lines = text.split("\n")[: mark.line + 1]
    for number in range(len(lines) - 1, -1, -1):
        column = max(lines[number].rfind("["), lines[number].rfind("{"))
        if column >= 0:
            return lines[number][column], _ParserMark(number, column)
    return "", mark


class _ParserMark(NamedTuple):
    """A line and a column, both from 0, as the parser counts."""

    line: int
    column: int


def _colon(mark: Any, text: str, file: str) -> Finding:
    """A colon where no key can end: in a text without quotes, or below a line that lacks its own colon."""
    line = _line_of(text, mark.line)
    if ": " in line[: mark.column]:
        hint = _QUOTE + " that has a colon in it"
        return Finding("CP103", "a second colon stands in this line", _place_at(file, mark, 1), hint)
    above = next((number for number in range(mark.line - 1, -1, -1) if _line_of(text, number).strip()), mark.line)
    key = Place(file, mark.line + 1, len(_indent(line)) + 1, mark.line + 1, mark.column + 1)
    before = _line_of(text, above)
    if _KEY.match(before):
        hint = "is this line indented too far? The line above has its value already"
        return Finding("CP103", "a key cannot stand here", key, hint)
    begun = next((number for number in range(above - 1, -1, -1) if _KEY.match(_line_of(text, number))), None)
    if begun is not None and len(_indent(before)) > len(_indent(_line_of(text, begun))) and _has_text(text, begun):
        hint = f"{_QUOTE}, which begins on line {begun + 1}, or write it below a |"
        return Finding("CP103", "a colon stands in a text of several lines", _place_at(file, mark, 1), hint)
    found = _no_colon(text, above, file)
    hint = "look at the line above: does it lack a colon, or the space after it?"
    return found or Finding("CP103", "a key cannot stand here", key, hint)


def _has_text(text: str, number: int) -> bool:
    """Whether a text begins on the line of a key, which the lines below it go on with."""
    value = _line_of(text, number).partition(":")[2].strip()
    return bool(value) and value[0] not in "|>#"


def _no_colon(text: str, number: int, file: str) -> Finding | None:
    """A line whose key lacks its colon, or the space after it."""
    line = _line_of(text, number)
    joined = _JOINED.fullmatch(line)
    if joined is not None:
        colon = joined.end("key") + 1
        hint = f"write {quoted(line.strip().replace(':', ': ', 1))}"
        return Finding("CP103", "a space is missing after this colon", _on(file, number, colon, colon + 1), hint)
    bare = _BARE.fullmatch(line)
    if bare is None:
        return None
    hint = "write " + quoted(f"{bare['key']}: {bare['value'].strip()}".rstrip())
    place = _on(file, number, bare.start("key") + 1, bare.end("key") + 1)
    return Finding("CP103", f"after {quoted(bare['key'])} a colon is missing", place, hint)


def _odd_line(text: str, number: int, file: str) -> Finding:
    """A line where a key and its colon are expected, and that has no colon."""
    line = _line_of(text, number)
    column = len(_indent(line)) + 1
    place = _on(file, number, column, max(column + 1, len(line.rstrip()) + 1))
    if line.lstrip()[:1] == "-":
        return Finding("CP103", "a space is missing after this dash", _first(place), "write a space after the dash")
    return Finding("CP103", "this line has no colon", place, "a line here is written like key: value")


def _like_blank(problem: Any, text: str, file: str) -> Finding | None:
    """A letter that looks like a blank where the form of a file hangs on blanks: before a line's text, after a key."""
    lines = {each.line for each in (problem.problem_mark, problem.context_mark) if each is not None}
    lines |= {each - 1 for each in lines}
    for number in sorted(each for each in lines if each >= 0):
        line = _line_of(text, number)
        found = like_blank(line)
        if found is not None and found.start() < _form_of(line):
            said, hint = like_blank_told(found[0])
            place = _on(file, number, found.start() + 1, found.end() + 1)
            return Finding("CP103", said, place, hint)
    return None


def _form_of(line: str) -> int:
    """Where the first text or value of a line begins: all before it is indentation, a dash, a key and its colon."""
    found = _BEFORE_TEXT.match(line)
    return found.end() if found is not None else 0


def _ran_on(quote: Any, mark: Any, text: str, file: str) -> Finding | None:
    """A quote that was not closed on its line, so that its text ran on over lines with keys to the next quote."""
    if quote is None or quote[1].line != mark.line:
        return None
    start, end = quote
    if not any(_KEY.match(_line_of(text, number)) for number in range(start.line + 1, end.line + 1)):
        return None
    opened = _line_of(text, start.line)[start.column :]
    hint = f"write {opened[:1]} where the text ends"
    place = _on(file, start.line, start.column + 1, start.column + 1 + len(opened.rstrip()))
    return Finding("CP103", f"the quote {opened[:1]} that opens here is not closed on its line", place, hint)


def _on(file: str, number: int, column: int, end: int) -> Place:
    """A place on the line with this number (from 0), between columns (from 1)."""
    return Place(file, number + 1, column, number + 1, end)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _block(mark: Any, rest: str, place: Place) -> Finding:
    if not rest.strip() and mark.column == 0:
        return Finding("CP103", "the file ends too early", place)
    if rest[:1] in "]}":
        return Finding("CP103", f"this {rest[:1]} closes nothing", _first(place), "delete it, or open it before")
    if mark.column and rest[:1] not in "-" and ":" not in rest:
        hint = "put quotes around the whole text, or a comma or new line before this"
        return Finding("CP103", "this cannot follow what stands before it", place, hint)
    hint = "lines that belong together begin in the same column"
    return Finding("CP103", "this line is indented unlike those it belongs to, or lacks its colon or dash", place, hint)


def _first(place: Place) -> Place:
    """The first character of a place."""
    return Place(place.file, place.line, place.column, place.line, place.column + 1)
