"""The canonical layout of a policy file: ruamel.yaml writes it, and nothing that it says is changed or lost.

Two blanks for each level, lists further in than their key, one order of keys, no line of more than 120 columns that
could be shorter, one blank line at most, and comments where they belong. What the writer chose stays: braces or
lines, the names' order, blank lines, the column of a comment behind a value.
"""

from __future__ import annotations

import re
from collections import Counter
from io import StringIO
from typing import TYPE_CHECKING, Any

from carepolicy.editing.comments import comments_of
from carepolicy.editing.ordering import ordered
from carepolicy.editing.tidying import tidied
from carepolicy.policy.composing import compose

if TYPE_CHECKING:
    from carepolicy.policy.places import Path, Source

WIDTH = 120
"""Columns of a line."""

ROUNDS = 8
"""So often a file is laid out anew until nothing changes; files of people settle in the second round."""

_DIVIDER = re.compile(r"^---(?=\s|$)[^\n]*\n?", re.MULTILINE)


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
    return tidied(before, _composed(written))


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
