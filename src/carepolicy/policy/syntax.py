"""What the YAML parser complains of, in the words of one who writes policies."""

from __future__ import annotations

from typing import Any

from carepolicy.named import NamedTuple
from carepolicy.policy.findings import Finding
from carepolicy.policy.places import Place

_QUOTE = "put quotes around the text"


def place_at(file: str, mark: Any, length: int) -> Place:
    """The place of ``length`` characters from a mark of the parser (lines and columns from 0)."""
    line, column = mark.line + 1, mark.column + 1
    return Place(file, line, column, line, column + length)


def line_of(text: str, number: int) -> str:
    """The line with this number (from 0), empty below the last one."""
    lines = text.split("\n")
    return lines[number] if number < len(lines) else ""


def syntax_finding(problem: Any, text: str, file: str) -> Finding:
    """The finding for an error of PyYAML's parser, in its C or its pure form (whose words differ)."""
    mark = problem.problem_mark or problem.context_mark
    if mark is None:
        return Finding("CP103", f"this is no YAML: {problem.problem}", Place(file, 1, 1, 1, 1))
    said = problem.problem or ""
    context = problem.context or ""
    if "nesting" in said:
        return Finding("CP107", "this is nested too deeply", place_at(file, mark, 1))
    line = line_of(text, mark.line)
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        place = Place(file, mark.line + 1, 1, mark.line + 1, len(indent) + 1)
        return Finding("CP102", "a tab stands at the beginning of this line", place, "use spaces to indent")
    if "flow" in context or "quoted scalar" in context:
        return _unclosed(problem, text, file)
    rest = line[mark.column :]
    place = place_at(file, mark, max(1, len(rest.split(" ")[0])) if rest else 1)
    if "mapping values are not allowed" in said:
        return _colon(mark, line, file)
    if "entries are not allowed" in said:
        hint = "start the list on the next line, or write it as [one, two]"
        return Finding("CP103", "a list cannot start here, after a key on the same line", place, hint)
    if "cannot start any token" in said:
        return Finding("CP103", f"a text cannot begin with {rest[:1]} here", place, _QUOTE)
    if "alias" in context or "anchor" in context or "tag" in context:
        start = problem.context_mark or mark
        first = line_of(text, start.line)[start.column : start.column + 1]
        return Finding("CP103", f"a text cannot begin with {first}", place_at(file, start, 1), _QUOTE)
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
    opened = line_of(text, start.line)[start.column : start.column + 1]
    if "escape" in (problem.problem or ""):
        hint = "write \\\\ for a backslash, or use single quotes"
        return Finding("CP103", "this \\ and what follows mean nothing", place_at(file, mark, 1), hint)
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    if "quoted scalar" in (problem.context or ""):
        return Finding("CP103", f"the quote {opened} that opens here is never closed", place_at(file, start, 1))
    if opened not in ("[", "{"):
        opened, start = _last_opened(text, start)
    if not opened:
        return Finding("CP103", "the file ends too early", place_at(file, mark, 1))
    closing = {"[": "]", "{": "}"}[opened]
    message = f"after this {opened} a comma or {closing} is missing at {where}"
    hint = f"close it with {closing}, or put quotes around a text that has a colon, comma or bracket in it"
    return Finding("CP103", message, place_at(file, start, 1), hint)


def _last_opened(text: str, mark: Any) -> tuple[str, Any]:
    """The last bracket at or before a mark's line, or nothing where there is none."""
    lines = text.split("\n")[: mark.line + 1]
    for number in range(len(lines) - 1, -1, -1):
        column = max(lines[number].rfind("["), lines[number].rfind("{"))
        if column >= 0:
            return lines[number][column], _Mark(number, column)
    return "", mark


class _Mark(NamedTuple):
    """A line and a column, both from 0, as the parser counts."""

    line: int
    column: int


def _colon(mark: Any, line: str, file: str) -> Finding:
    """A colon where no key can end: in a text without quotes, or below a line that lacks its own colon."""
    place = place_at(file, mark, 1)
    if ": " in line[: mark.column]:
        return Finding("CP103", "a second colon stands in this line", place, _QUOTE + " that has a colon in it")
    hint = "look at the line above: does it lack a colon, or the space after it, or is this line indented too far?"
    return Finding("CP103", "a key cannot stand here", place, hint)


def _block(mark: Any, rest: str, place: Place) -> Finding:
    if not rest.strip() and mark.column == 0:
        return Finding("CP103", "the file ends too early", place)
    if rest[:1] in "]}":
        return Finding("CP103", f"this {rest[:1]} closes nothing", place_one(place), "delete it, or open it before")
    if mark.column and rest[:1] not in "-" and ":" not in rest:
        hint = "put quotes around the whole text, or a comma or new line before this"
        return Finding("CP103", "this cannot follow what stands before it", place, hint)
    hint = "lines that belong together begin in the same column"
    return Finding("CP103", "this line is indented unlike those it belongs to, or lacks its colon or dash", place, hint)


def place_one(place: Place) -> Place:
    """The first character of a place."""
    return Place(place.file, place.line, place.column, place.line, place.column + 1)
