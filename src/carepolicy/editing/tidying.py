"""What is left to do on a file that was written anew: the place of comments, blank lines, the end of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.editing.comments import comments_of, text_lines

if TYPE_CHECKING:
    from carepolicy.policy.places import Path, Source


def tidied(before: Source, after: Source) -> str:
    """The text of ``after``, which says what ``before`` says: comments stand with what they stood with before."""
    lines = after.text.split("\n")
    texts = text_lines(after)
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
    inside = text_lines(source) | {each.line for each in comments}
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
    return bool(text_lines(source)) and max(text_lines(source)) >= len(ends) - 1 and "|+" in source.text
