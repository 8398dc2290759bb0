"""The canonical layout of a policy file: ruamel.yaml writes it, and nothing that it says is changed or lost.

Two blanks for each level; lists stand further in than their key; keys in one order; no line of more than 120 columns
that could be shorter; at most one blank line; comments stay with what they are about. What the writer chose stays:
braces or lines, the names' order, blank lines, the column of a comment behind a value.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from carepolicy.editing.files import kind_of
from carepolicy.editing.order import ordered
from carepolicy.policy.composer import compose
from carepolicy.policy.files import read_bytes
from carepolicy.policy.rewritten import Rewritten
from carepolicy.policy.text import documents, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.policy.findings import Finding
    from carepolicy.policy.places import Path, Place, Source

WIDTH = 120
"""Columns of a line."""

ROUNDS = 8
"""So often a file is laid out anew until nothing changes; files of people settle in the second round."""

_DIVIDER = re.compile(r"^---(?=\s|$)[^\n]*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Formatted(Rewritten):
    """A file's text as it is and in its canonical layout; where it has none, the findings or the reason why."""

    findings: Sequence[Finding] = ()
    reason: str = ""

    @property
    def changed(self) -> bool:
        """Whether the file is otherwise than its layout."""
        return self.before != self.after

    def write(self) -> None:
        """Write the layout. Raises ``OSError``; the file then is as it was."""
        if self.changed:
            Rewritten.write(self)


def formatted(file: str) -> Formatted:
    """A policy file and its layout. Never raises for what a file holds."""
    content, findings = read_bytes(file, file)
    if content is None:
        return Formatted(file, "", "", findings)
    text, findings = text_of(content, file)
    if text is None:
        return Formatted(file, "", "", findings)
    return formatted_text(content.decode(), file, kind_of(file) or "flow")


def formatted_text(text: str, file: str, kind: str) -> Formatted:
    """A text, which may have a byte order mark, and its layout as a file of one kind."""
    plain = text.removeprefix("\ufeff")
    for part in documents(plain) if kind == "scenario" else [plain]:
        source, findings = compose(part, file)
        if source is None:
            return Formatted(file, text, text, findings)
    try:
        return Formatted(file, text, laid_out(text, kind))
    except CannotLayOut as problem:
        return Formatted(file, text, text, reason=str(problem))


class CannotLayOut(Exception):
    """The file is left as it is: the layout would lose a comment or change what the file says."""


def laid_out(text: str, kind: str) -> str:
    """The text of a file of one kind (organisation, flow, messages, scenario) in its canonical layout.

    The text is one that reads as YAML; raises ``CannotLayOut`` for one that cannot be written without a loss. The
    layout of what it gives is what it gives.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    pieces: list[str] = []
    start = 0
    for divider in _DIVIDER.finditer(plain):
        pieces += [_document(plain[start : divider.start()], kind), divider[0].rstrip() + "\n"]
        start = divider.end()
    pieces.append(_document(plain[start:], kind))
    return "".join(pieces)


def _document(text: str, kind: str) -> str:
    source, _ = compose(text, kind)
    if source is None:
        raise CannotLayOut("it is no YAML that policies use")
    if source.data is None:
        return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())
    for _ in range(ROUNDS):
        before = text
        text = _round(text, kind)
        if text == before:
            break
    else:
        raise CannotLayOut("its layout does not settle")
    _demand_same(source, _composed(text))
    return text


def _round(text: str, kind: str) -> str:
    while (moved := ordered(_composed(text), kind)) is not None:
        text = moved
    before = _composed(text)
    tree = _load(text)
    written = _dump(tree)
    for _ in range(len(before.values)):
        source = _composed(written)
        wide = _wide(source)
        if wide is None or not _narrow(tree, source, wide, before):
            break
        written = _dump(tree)
    return _tidied(before, _composed(written))


def _composed(text: str) -> Source:
    source, findings = compose(text, "")
    if source is None:
        raise CannotLayOut(f"its layout would be no YAML: {findings[0].message}")
    return source


def _demand_same(before: Source, after: Source) -> None:
    if before.data != after.data or before.written != after.written:
        raise CannotLayOut("its layout would say something else")
    lost = Counter(each.text for each in comments_of(before)) - Counter(each.text for each in comments_of(after))
    if lost:
        comment = next(each for each in comments_of(before) if each.text in lost)
        raise CannotLayOut(
            f"the comment in line {comment.line} would be lost; put it above the braces or brackets that it stands in"
        )


def _yaml() -> Any:
    """A reader and writer that takes every plain value for a text: it keeps what it does not understand."""
    from ruamel.yaml import YAML
    from ruamel.yaml.resolver import VersionedResolver

    class Resolver(VersionedResolver):
        """Knows no types."""

        @property
        def versioned_resolver(self) -> dict[Any, Any]:
            return {}

    yaml = YAML()
    yaml.Resolver = Resolver
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _load(text: str) -> Any:
    from ruamel.yaml.error import YAMLError

    try:
        return _yaml().load(text)
    except YAMLError as problem:
        raise CannotLayOut(f"it is read differently by ruamel.yaml: {problem}") from None


def _dump(tree: Any) -> str:
    out = StringIO()
    _yaml().dump(tree, out)
    return out.getvalue()


def _wide(source: Source) -> list[Path] | None:
    """The paths of what could be broken up on the first line that is too long for it, outermost first."""
    on_line: dict[int, list[Path]] = {}
    wide = 1 << 30
    for path, place in source.values.items():
        on_line.setdefault(place.line, []).append(path)
        # A comment behind it may be longer: breaking up what it speaks of would not make it shorter.
        if place.end_column - 1 > WIDTH:
            wide = min(wide, place.end_line)
    return sorted(on_line[wide], key=len) if wide in on_line else None


def _narrow(tree: Any, source: Source, paths: list[Path], before: Source) -> bool:
    """Break up one of some values: braces become lines, a text of several lines is folded. False where none can be."""
    changed = False
    lines = source.text.split("\n")
    for path in paths:
        value = _at(tree, path)
        if hasattr(value, "fa") and value.fa.flow_style() and value:
            value.fa.set_block_style()
            return True
        place = before.values.get(path)
        if isinstance(value, str) and place is not None and place.line < place.end_line and path:
            changed |= _fold(tree, path, value, len(lines[source.values[path].line - 1]) - len(value))
    return changed


def _fold(tree: Any, path: Path, value: str, before: int) -> bool:
    from ruamel.yaml.scalarstring import FoldedScalarString

    if isinstance(value, FoldedScalarString) or "\n" in value or value != value.strip() or "  " in value:
        return False
    room = WIDTH - max(2 * len(path), 2)
    folded: Any = FoldedScalarString(value)
    folded.fold_pos = []
    start = 0
    while len(value) - start > room:
        at = value.rfind(" ", start, start + room + 1)
        at = value.find(" ", start + room) if at <= start else at
        if at < 0:
            break
        folded.fold_pos.append(at)
        start = at + 1
    _at(tree, path[:-1])[path[-1]] = folded
    return True


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _tidied(before: Source, after: Source) -> str:
    """The text of ``after``, which says what ``before`` says: comments stand with what they stood with before."""
    lines = after.text.split("\n")
    texts = _text_lines(after)
    alone = [each for each in comments_of(after) if each.alone]
    anchors = _anchors(before)
    if len(alone) == len(anchors):
        for comment, path in zip(alone, anchors, strict=True):
            lines[comment.line - 1] = " " * _indent_of(after, lines, path) + comment.text
    kept: list[str] = []
    for number, line in enumerate(lines, 1):
        said = line if number in texts else line.rstrip()
        if said or number in texts or (kept and kept[-1]):
            kept.append(said)
    text = "\n".join(kept)
    return text if _keeps_end(after) else text.rstrip("\n") + "\n"


def _anchors(source: Source) -> list[Path]:
    """For each comment on a line of its own the path of what it is indented with; the root's at the margin.

    That is what follows, unless the comment stands further in: then it is what stands above at its column.
    """
    lines = source.text.split("\n")
    comments = [each for each in comments_of(source) if each.alone]
    starts = _starts(source)
    inside = _text_lines(source) | {each.line for each in comments}
    rows = [n for n, line in enumerate(lines, 1) if line.strip() and n not in inside and n in starts]
    found = []
    for comment in comments:
        above = [n for n in rows if n < comment.line and _indent(lines[n - 1]) <= comment.column]
        below = next((n for n in rows if n > comment.line), None)
        if below is not None and (comment.column <= _indent(lines[below - 1]) or not above):
            found.append(starts[below])
        else:
            found.append(starts[above[-1]] if above else ())
    return found


def _starts(source: Source) -> dict[int, Path]:
    """The path of the key, or of the entry of a list, that begins first on each line."""
    found: dict[int, tuple[int, int, Path]] = {}
    entries = ((path, place) for path, place in source.values.items() if path and isinstance(path[-1], int))
    for path, place in (*source.keys.items(), *entries):
        mine = (place.column, len(path), path)
        if place.line not in found or mine[:2] < found[place.line][:2]:
            found[place.line] = mine
    return {line: path for line, (_, _, path) in found.items()}


def _indent_of(source: Source, lines: list[str], path: Path) -> int:
    """The indent of the line on which a key, or an entry of a list, begins."""
    place = source.keys.get(path) or source.values.get(path)
    return 0 if place is None or not path else _indent(lines[place.line - 1])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _keeps_end(source: Source) -> bool:
    """Whether the file ends in a text whose last line ends are meant: ``|+``."""
    ends = source.text.split("\n")
    return bool(_text_lines(source)) and max(_text_lines(source)) >= len(ends) - 1 and "|+" in source.text


_HASH = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, its line (from 1) and column (from 0); ``alone`` where nothing stands before it on its line."""

    line: int
    column: int
    text: str
    alone: bool


def comments_of(source: Source) -> list[Comment]:
    """Every comment of a file, in its order."""
    spans = _spans(source)
    within = _text_lines(source)
    found = []
    for number, line in enumerate(source.text.split("\n"), 1):
        if number in within or "#" not in line:
            continue
        for each in _HASH.finditer(line):
            if not any(start <= each.start() < end for start, end in spans.get(number, ())):
                found.append(Comment(number, each.start(), each[0].rstrip(), not line[: each.start()].strip()))
                break
    return found


def _text_lines(source: Source) -> set[int]:
    """The lines, from 1, that are the inside of a text: the lines of a block scalar, or of one in quotes.

    What stands on them belongs to the text to the last blank, and a ``#`` there begins no comment.
    """
    lines = source.text.split("\n")
    found: set[int] = set()
    for place in _scalars(source):
        if place.end_line == place.line:
            continue
        block = lines[place.line - 1][place.column - 1 : place.column] in ("|", ">")
        # The end of a block scalar is where the next token stands; the comments and lines before that are none of it.
        last = _last_of_block(lines, place) if block else place.end_line - 1
        found.update(range(place.line + 1, last + 1))
        if not block:
            found.add(place.end_line)
    return found


def _last_of_block(lines: list[str], place: Place) -> int:
    """The last line of a block scalar: lines further in than the first of them, and blank ones between."""
    first = next((line for line in lines[place.line : place.end_line] if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    last = place.line
    for number in range(place.line + 1, min(place.end_line, len(lines)) + 1):
        line = lines[number - 1]
        if line.strip() and len(line) - len(line.lstrip(" ")) < max(indent, 1):
            break
        if line.strip():
            last = number
    return last


def _scalars(source: Source) -> Iterator[Place]:
    containers = {path[:-1] for path in (*source.values, *source.keys) if path}
    yield from (place for path, place in source.values.items() if path not in containers)


def _spans(source: Source) -> dict[int, list[tuple[int, int]]]:
    """Columns, from 0, that keys and texts take on each line."""
    found: dict[int, list[tuple[int, int]]] = {}
    for place in (*source.keys.values(), *_scalars(source)):
        if place.line == place.end_line:
            found.setdefault(place.line, []).append((place.column - 1, place.end_column - 1))
        elif place.line < place.end_line:
            found.setdefault(place.end_line, []).append((0, place.end_column - 1))
            opens = source.text.split("\n", place.line)[place.line - 1][place.column - 1 :][:1]
            if opens in ("'", '"'):
                found.setdefault(place.line, []).append((place.column - 1, 1 << 30))
    return found
