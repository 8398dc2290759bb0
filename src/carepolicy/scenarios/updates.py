"""What was so written in place of what was expected, with every other character of the file as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from carepolicy.policy.composer import compose, plain_value
from carepolicy.policy.files import read_bytes
from carepolicy.policy.rewritten import Rewritten
from carepolicy.policy.text import documents
from carepolicy.scenarios.expectations import named

if TYPE_CHECKING:
    from carepolicy.policy.places import Path, Place, Source
    from carepolicy.scenarios.expectations import Mismatch
    from carepolicy.scenarios.play import Key, Play
    from carepolicy.scenarios.verdict import Verdict

_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .:@/+-]*")
_LINE_END = re.compile(r"\r\n|\r|\n")


def updates(verdicts: Sequence[Verdict]) -> Iterator[Rewritten]:
    """The updates that would let the verdicts' scenarios pass, file by file.

    A step that cannot be played has none: no expectation of it is wrong.
    """
    wrong = [each for each in verdicts if not each.passed]
    for file in dict.fromkeys(each.file for each in wrong):
        before = after = _text(file)
        changes: list[tuple[int, int, str]] = []
        for verdict in wrong:
            if verdict.file == file:
                changes += _changes(before, verdict)
        for start, end, said in sorted(set(changes), reverse=True):
            after = after[:start] + said + after[end:]
        if after != before:
            yield Rewritten(file, before, after)


def _text(file: str) -> str:
    content, _ = read_bytes(file, file)
    return "" if content is None else content.decode("utf-8")


def _changes(text: str, verdict: Verdict) -> Iterator[tuple[int, int, str]]:
    """What to write over which characters of a file, for each difference of a scenario in it."""
    marked = text.startswith("\ufeff")
    source, _ = compose(documents(text.removeprefix("\ufeff"))[verdict.document], verdict.file)
    if source is None:
        return
    starts = [marked * 1, *(each.end() for each in _LINE_END.finditer(text))]
    for failure in verdict.failures:
        for each in failure.differences:
            path = _path(source, failure.step, each)
            if path in source.values:
                start, end = _span(starts, source.values[path])
                yield start, end, written(each.update)


def _path(source: Source, step: int, difference: Mismatch) -> Path:
    path: Path = ("steps", step - 1, "expect", difference.key)
    return path if difference.name is None else (*path, difference.name)


def _span(starts: list[int], place: Place) -> tuple[int, int]:
    return starts[place.line - 1] + place.column - 1, starts[place.end_line - 1] + place.end_column - 1


def so_written(play: Play, whose: Key, keys: Iterable[str]) -> list[str]:
    """What is so for a case, as an expectation writes it: its state, then what was caused of some kinds."""
    view = play.view(whose)
    found = [(key, named(play, whose, key)) for key in keys]
    state = [] if view is None else [f"state: {view.state}"]
    return state + [f"{key}: {written(names)}" for key, names in found if names]


def written(value: Any) -> str:
    """A value as YAML on one line, in quotes where it would otherwise be read as something else."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(written, value)) + "]"
    if value is None:
        return "null"
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    bare = _BARE.fullmatch(value) and ": " not in value and not value.endswith((":", " "))
    if bare and plain_value(value) is value:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
